"""All that the page shows of one recording: a row of the list, its details, its texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vcr_llm._conversation import (
    Answer,
    Change,
    Conversation,
    Data,
    Message,
    Note,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    conversation_of,
    numbered,
    plain,
    to_json,
)
from vcr_llm._conversation.abridging import abridged, abridged_words
from vcr_llm._conversation.mcp import JSON_RPC
from vcr_llm._conversation.members import at
from vcr_llm._foreign import Document
from vcr_llm._json import JSON, document_text, map_strings, render
from vcr_llm._recording import sequence_of
from vcr_llm._redaction import Redaction
from vcr_llm._report_page.marks import marks_of
from vcr_llm._report_page.sides import sides_of
from vcr_llm._report_page.timeline import timeline_of
from vcr_llm._secrets_left import with_rest_redacted

_ID_DIGITS = 12
_LONGEST_EXCERPT = 120
_FIRST_ERROR = 400
_REDACTION = Redaction()


class Source(NamedTuple):
    """A recording, where it stands, and what became of it where there is something before it.

    ``has_secrets`` says that the file holds some which are redacted in the document.
    """

    cassette: str
    name: str
    document: Document
    has_secrets: bool = False
    state: str | None = None
    old_name: str | None = None
    changes: tuple[Change, ...] = ()
    meaningless: tuple[str, ...] = ()


class Row(NamedTuple):
    """A recording in the list, in the order in which the page reads it."""

    id: str
    cassette: str
    name: str
    test: str | None
    method: str
    model: str | None
    endpoint: str
    status: int | None
    outcome: str
    event_count: int | None
    input_tokens: int | None
    output_tokens: int | None
    recorded_at: str | None
    asked: str
    answered: str
    state: str | None


class PageRecording(NamedTuple):
    """A recording for the page: its row, its details as JSON, the texts that a search finds."""

    row: Row
    details: str
    texts: tuple[str, ...]


def page_recording(source: Source) -> PageRecording:
    """What the page shows of a recording."""
    document = _without_secrets(source.document)
    conversation = numbered(conversation_of(document))
    row = _row(source, conversation)
    return PageRecording(row, _details(source, document, conversation), tuple(_texts(conversation)))


def _without_secrets(document: Document) -> Document:
    """The document for whoever reads the page, on which the test's name needs no exactness."""
    without = with_rest_redacted(document, _REDACTION)
    test_id = document.get("test_id")
    return {**without, "test_id": _REDACTION.text(test_id)} if isinstance(test_id, str) else without


# --- the row ------------------------------------------------------------------------------------


def _row(source: Source, conversation: Conversation) -> Row:
    usage = conversation.usage
    return Row(
        id=_id(source),
        cassette=_REDACTION.text(source.cassette),
        name=_REDACTION.text(source.name),
        test=conversation.test_id,
        method=conversation.method,
        model=conversation.model or conversation.answered_by,
        endpoint=conversation.endpoint,
        status=conversation.status,
        outcome=_outcome(conversation),
        event_count=conversation.event_count,
        input_tokens=usage.input if usage else None,
        output_tokens=usage.output if usage else None,
        recorded_at=conversation.recorded_at,
        asked=_excerpt(_asked(conversation)),
        answered=_excerpt(_answered(conversation)),
        state=source.state,
    )


def _id(source: Source) -> str:
    """A name for links, which the recording keeps as long as its file is called so."""
    names = json.dumps([source.cassette, source.name])
    return hashlib.sha256(names.encode()).hexdigest()[:_ID_DIGITS]


def _outcome(conversation: Conversation) -> str:
    """How it went: a stream that ended early has no failure of its own, but the one that cut it."""
    if conversation.ended is not None and at(conversation.ended, "before_response") is not True:
        return "cut"
    is_error = conversation.failure is not None or (conversation.status or 0) >= _FIRST_ERROR
    return "error" if is_error else "ok"


def _asked(conversation: Conversation) -> str:
    """What a person said last; what was called or given back where nobody said anything.

    Of a message of JSON-RPC it is the method, but for the call of a tool.
    """
    spoken = [message for message in conversation.messages if message.role not in _NOBODY]
    if conversation.dialect == JSON_RPC.name and spoken and spoken[-1].role != "request":
        return spoken[-1].role  # the method
    texts = (_text(message.parts) for message in reversed(spoken) if message.role != "tool")
    words = (_words(message.parts) for message in reversed(spoken))
    return next(filter(None, (*texts, *words)), "")


_NOBODY = ("assistant", "model", "system", "developer")


def _text(parts: tuple[Part, ...]) -> str:
    return next((part.text for part in parts if isinstance(part, Text) and part.text.strip()), "")


def _answered(conversation: Conversation) -> str:
    if conversation.failure is not None:
        return conversation.failure.message
    found = (_words(answer.parts) for answer in conversation.answers)
    return next(filter(None, found), "")


def _words(parts: tuple[Part, ...]) -> str:
    """The first part that says something in words, or what is called."""
    for part in parts:
        match part:
            case Text(text=words) | Refusal(text=words) | Note(text=words) if words.strip():
                return words
            case ToolCall():
                return f"{part.name}({render(abridged(part.arguments), 'spaced')})"
            case ToolResult() if words := _words(part.parts):
                return words
            case Data() if part.value:
                return render(abridged(part.value), "spaced")
            case _:
                pass
    return ""


def _excerpt(text: str) -> str:
    """The beginning of a text, in one line."""
    words = " ".join(text[: _LONGEST_EXCERPT * 4].split())
    return words if len(words) <= _LONGEST_EXCERPT else f"{words[: _LONGEST_EXCERPT - 1]}…"


# --- the details --------------------------------------------------------------------------------


def _details(source: Source, document: Document, conversation: Conversation) -> str:
    is_renamed = source.old_name not in (None, source.name)
    value: dict[str, object] = {
        "conversation": _readable(to_json(conversation)),
        "old_name": _REDACTION.text(source.old_name or "") if is_renamed else None,
        "sequence": sequence_of(document),
        "has_secrets": source.has_secrets,
        "changes": sides_of(source.changes),
        "meaningless": list(source.meaningless),
        "timeline": timeline_of(document),
        "marks": [[str(mark.kind), *mark[1:]] for mark in marks_of(document)],
        "raw": document_text(document),
    }
    return json.dumps(value, separators=(",", ":"))


def _readable(value: object) -> JSON:
    """A value without what is for no reader."""
    return map_strings(abridged(value), abridged_words)  # type: ignore[arg-type]  # plain values


# --- the texts ----------------------------------------------------------------------------------


def _texts(conversation: Conversation) -> Iterator[str]:
    """What a search looks through: all that is said, each message in one text."""
    yield from _of_mapping(conversation.parameters)
    for tool in conversation.tools:
        yield _joined((tool.name, tool.description or "", _json(tool.schema)))
    said: tuple[Message | Answer, ...] = (*conversation.messages, *conversation.answers)
    for one in said:
        yield _joined(_of_parts(one.parts))
    if conversation.failure is not None:
        details = _of_mapping(conversation.failure.details)
        yield _joined((conversation.failure.kind or "", conversation.failure.message, *details))
    yield _joined((conversation.url, _json(conversation.ended)))


def _of_parts(parts: tuple[Part, ...]) -> Iterator[str]:
    for part in parts:
        match part:
            case Text(text=words) | Thinking(text=words) | Refusal(text=words) | Note(text=words):
                yield words
            case ToolCall():
                yield f"{part.name} {_json(part.arguments)}"
            case ToolResult():
                yield from _of_parts(part.parts)
            case Data():
                yield _json(part.value)
            case _:
                yield from filter(None, (part.name, part.media_type, part.url))


def _of_mapping(values: Mapping[str, JSON]) -> Iterator[str]:
    yield from (f"{name} {_json(value)}" for name, value in values.items())


def _json(value: JSON) -> str:
    """A JSON value as it is read; a text as itself."""
    if value is None or isinstance(value, str):
        return value or ""
    return render(plain(abridged(value)), "spaced")  # type: ignore[arg-type]  # still JSON


def _joined(texts: Iterator[str] | tuple[str, ...]) -> str:
    return abridged_words("\n".join(filter(None, texts)))
