"""Recordings as conversations, for whoever reads them: a terminal, a report, a program.

`conversation_of` turns a document of any provider's into a `Conversation`: who said what, which
tools were offered and called, what was answered, what it took.
"""

from __future__ import annotations

from vcr_llm._conversation.changes import Change, Kind, Thing, changes_between
from vcr_llm._conversation.numbering import numbered
from vcr_llm._conversation.pairing import Pair, paired
from vcr_llm._conversation.reader import conversation_of
from vcr_llm._conversation.remainder import Remainder, remainder_of
from vcr_llm._conversation.values import (
    Answer,
    Conversation,
    Data,
    Failure,
    Media,
    Message,
    Note,
    Part,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
    plain,
    to_json,
)

__all__ = [
    "Answer",
    "Change",
    "Conversation",
    "Data",
    "Failure",
    "Kind",
    "Media",
    "Message",
    "Note",
    "Pair",
    "Part",
    "Refusal",
    "Remainder",
    "Text",
    "Thing",
    "Thinking",
    "Tool",
    "ToolCall",
    "ToolResult",
    "Usage",
    "changes_between",
    "conversation_of",
    "numbered",
    "paired",
    "plain",
    "remainder_of",
    "to_json",
]
