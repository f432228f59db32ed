"""What each event of a stream adds to its answer: the text as a client saw it grow.

An event is read by itself, as the whole stream is. What it says counts where the answer goes on
with it, so that an event which says all once more (as the one that closes OpenAI's Responses), or
the whole text so far (DashScope's), adds no more than what is new in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from vcr_llm._conversation.dialect import Answers
from vcr_llm._conversation.exchange import Event, entries_of, exchange_of
from vcr_llm._conversation.members import at, mapping, mappings, text
from vcr_llm._conversation.reader import answers_reader
from vcr_llm._conversation.values import Data, Refusal, Text, Thinking, ToolCall, ToolResult
from vcr_llm._foreign import Document
from vcr_llm._json import JSON, render


class Voice(StrEnum):
    """How a piece is said."""

    TEXT = "text"
    THINKING = "thinking"
    REFUSAL = "refusal"
    CALL = "call"
    ARGUMENTS = "arguments"
    RESULT = "result"


class Piece(NamedTuple):
    """What an event adds: some text, the name of a tool, a piece of its arguments or result."""

    voice: Voice
    text: str


class Step(NamedTuple):
    """An event: what it is called, and what it adds."""

    label: str
    pieces: tuple[Piece, ...] = ()


def growth_of(document: Document) -> list[Step]:
    """The events of a stream, one for each entry of its body; none where it is no stream."""
    exchange = exchange_of(document)
    if not exchange.is_streaming:
        return []
    read = answers_reader(exchange)
    growing = _Growing(read(exchange))
    steps = []
    for event in entries_of(exchange.document):
        if event is None:
            steps.append(Step("comment"))
            continue
        added = growing.pieces(event.payload, read(replace(exchange, events=(event,))))
        steps.append(Step(_label(event), tuple(added)))
    return steps


class _Growing:
    """What an answer says in the end, and how much of it has come."""

    def __init__(self, answers: Answers) -> None:
        self._texts: dict[Voice, list[_Growth]] = {}
        for answer in answers:
            whole: dict[Voice, str] = {}
            for voice, words in _said((answer,)):
                whole[voice] = whole.get(voice, "") + words
            for voice, words in whole.items():
                self._texts.setdefault(voice, []).append(_Growth(words))
        self._calls_to_come = Counter(call.name for call in _calls(answers))
        self._known_ids: set[str] = set()

    def pieces(self, payload: JSON, answers: Answers) -> Iterator[Piece]:
        """What an event adds, by its payload and by what it says when it is read alone."""
        for voice, words in _said(answers):
            if added := self._added(voice, words):
                yield Piece(voice, added)
        fragments = "".join(_fragments(mapping(payload)))
        for call in filter(self._is_new, _calls(answers)):
            yield Piece(Voice.CALL, call.name)
            if not fragments and call.arguments not in ({}, None, ""):
                yield Piece(Voice.ARGUMENTS, render(call.arguments, "spaced"))
        if fragments:
            yield Piece(Voice.ARGUMENTS, fragments)

    def _added(self, voice: Voice, words: str) -> str:
        texts = self._texts.get(voice, ())
        return next((added for growth in texts if (added := growth.added(words))), "")

    def _is_new(self, call: ToolCall) -> bool:
        if not self._calls_to_come[call.name] or call.id in self._known_ids:
            return False
        self._calls_to_come[call.name] -= 1
        self._known_ids |= {call.id} if call.id else set()
        return True


class _Growth:
    """A text, and how much of it has come."""

    def __init__(self, whole: str) -> None:
        self._whole = whole
        self._come = 0

    def added(self, words: str) -> str:
        """The words where the text goes on with them, or what is new in the text so far."""
        start = self._come
        if self._whole.startswith(words, start):
            self._come += len(words)
        elif len(words) > start and self._whole.startswith(words):
            self._come = len(words)
        return self._whole[start : self._come]


def _said(answers: Answers) -> Iterator[tuple[Voice, str]]:
    for part in (part for answer in answers for part in answer.parts):
        match part:
            case Text():
                yield Voice.TEXT, part.text
            case Thinking():
                yield Voice.THINKING, part.text
            case Refusal():
                yield Voice.REFUSAL, part.text
            case ToolResult():
                yield from ((Voice.RESULT, words) for words in _given(part))
            case _:
                pass


def _given(result: ToolResult) -> Iterator[str]:
    """What a tool gives, text as it is and each JSON value in a line."""
    for part in result.parts:
        match part:
            case Text():
                yield part.text
            case Data():
                yield f"{render(part.value, 'spaced')}\n"
            case _:
                pass


def _calls(answers: Answers) -> list[ToolCall]:
    """The calls that have a name: a piece of arguments alone has none."""
    parts = (part for answer in answers for part in answer.parts)
    return [part for part in parts if isinstance(part, ToolCall) and part.name]


def _fragments(payload: dict[str, JSON]) -> Iterator[str]:
    """Pieces of arguments, which are no JSON by themselves."""
    for choice in mappings(payload.get("choices")):
        delta = choice.get("delta")
        for call in (*mappings(at(delta, "tool_calls")), {"function": at(delta, "function_call")}):
            yield text(at(call, "function", "arguments")) or text(at(call, "custom", "input")) or ""
    if str(payload.get("type")).endswith(_RESPONSES):
        yield text(payload.get("delta")) or ""
    for path in _ANYBODY:
        yield text(at(payload, *path)) or ""


# OpenAI's Responses; then Anthropic, Bedrock's Converse in both spellings, Cohere.
_RESPONSES = ("_arguments.delta", "_call_input.delta", "_call_code.delta")
_ANYBODY = (
    ("delta", "partial_json"),
    ("delta", "toolUse", "input"),
    ("contentBlockDelta", "delta", "toolUse", "input"),
    ("delta", "message", "tool_calls", "function", "arguments"),
)


def _label(event: Event) -> str:
    """What an event is called: beside its payload, or in it."""
    named = (text(at(event.payload, name)) for name in ("type", "event_type", "object"))
    return event.name or next(filter(None, named), None) or "event"
