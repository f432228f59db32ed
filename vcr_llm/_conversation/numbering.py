"""Ids of tool calls as numbers, in the order of their appearance.

Models invent the ids anew with each recording; what they say is which result belongs to which call.
"""

from __future__ import annotations

from dataclasses import replace

from vcr_llm._conversation.values import Conversation, Part, ToolCall, ToolResult

Numbers = dict[str, str]


def numbered(conversation: Conversation) -> Conversation:
    """The conversation with the ids of its tool calls as ``#1``, ``#2`` and so on."""
    numbers: Numbers = {}
    messages = tuple(
        replace(message, parts=_numbered(message.parts, numbers))
        for message in conversation.messages
    )
    answers = tuple(
        replace(answer, parts=_numbered(answer.parts, numbers)) for answer in conversation.answers
    )
    return replace(conversation, messages=messages, answers=answers)


def _numbered(parts: tuple[Part, ...], numbers: Numbers) -> tuple[Part, ...]:
    return tuple(_with_number(part, numbers) for part in parts)


def _with_number(part: Part, numbers: Numbers) -> Part:
    if isinstance(part, ToolResult):
        within = _numbered(part.parts, numbers)
        return replace(part, id=_number(part.id, numbers), parts=within)
    return replace(part, id=_number(part.id, numbers)) if isinstance(part, ToolCall) else part


def _number(call_id: str | None, numbers: Numbers) -> str | None:
    if call_id is None:
        return None
    return numbers.setdefault(call_id, f"#{len(numbers) + 1}")
