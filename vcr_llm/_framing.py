"""What the kinds of streams share: payloads, and how bytes differ from the habit.

``response.framing`` of a stream says what all its events have in common, and under ``events`` what
single ones have instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from vcr_llm._errors import MalformedRecording
from vcr_llm._event_stream import FIELDS, Syntax
from vcr_llm._habits import StreamHabit
from vcr_llm._json import JSON, layout_of, parse, render
from vcr_llm._tagged import DATA, TEXT, tag_of

Framing = dict[str, JSON]

_PADDING = re.compile(r"( +)}\Z")
# Anthropic's keep-alive, the one event that it does not write compactly.
_PING = '{"type": "ping"}'
_PING_VALUE: JSON = {"type": "ping"}
_POSSIBLE_PADDING = range(100_000)


class StreamBody(NamedTuple):
    """The entries of a stream and how its bytes differ from the habit."""

    entries: list[JSON]
    framing: Framing


class Payload(NamedTuple):
    """The data of one event: its value, and how its text differs from the usual layout."""

    value: JSON
    differences: Framing
    padding: int = 0
    is_text: bool = False


class Looks:
    """What the blocks of one stream have in common; the first block that shows it decides."""

    def __init__(self, habit: StreamHabit) -> None:
        self.syntax = Syntax(line_end=habit.line_end)
        self.layout = habit.layout
        self.order: tuple[str, ...] = FIELDS
        self._habit = habit
        self._seen: set[str] = set()

    def first(self, aspect: str) -> bool:
        """Whether this aspect of the stream is seen for the first time."""
        if aspect in self._seen:
            return False
        self._seen.add(aspect)
        return True

    def has_seen(self, *aspects: str) -> bool:
        """Whether all of these have been seen, so that nothing decides about them any more."""
        return self._seen.issuperset(aspects)

    @property
    def is_indented(self) -> bool:
        """Whether payloads are written in several lines."""
        return self.layout.startswith("indent")

    def framing(self) -> Framing:
        """What the stream has instead of the habit."""
        framing: Framing = {}
        if self.syntax.line_end != self._habit.line_end:
            framing["line_end"] = self.syntax.line_end
        if self.syntax.colon != Syntax().colon:
            framing["colon"] = self.syntax.colon
        if self.layout != self._habit.layout:
            framing["json"] = self.layout
        if self.order != FIELDS:
            framing["order"] = list(self.order)
        return framing

    @classmethod
    def from_framing(cls, habit: StreamHabit, framing: Framing) -> Looks:
        looks = cls(habit)
        looks.syntax = Syntax(
            text_of(framing, "line_end", habit.line_end), text_of(framing, "colon", Syntax().colon)
        )
        looks.layout = text_of(framing, "json", habit.layout)
        looks.order = names_of(framing.get("order")) or FIELDS
        return looks


def encode_payload(data: str, looks: Looks) -> Payload:
    """The value of an event's data and how its text differs from the stream's usual layout."""
    try:
        value = parse(data)
    except ValueError:
        return Payload(data, {}, is_text=True)
    if data == _PING:
        return Payload(value, {})
    # Anthropic pads most of its events with a random run of spaces before the last brace.
    padded = _PADDING.search(data)
    text = data if padded is None else data[: padded.start()] + "}"
    layout = layout_of(text, value, first=looks.layout)
    if layout is None:
        return Payload(value, {"data": data})
    padding = 0 if padded is None else len(padded[1])
    return Payload(value, _layout_difference(layout, looks, value), padding)


def decode_payload(
    wrapped: dict[str, JSON], differences: Framing, padding: int, looks: Looks
) -> str:
    if "data" in differences:
        return text_of(differences, "data", "")
    payload = wrapped[DATA]
    if payload == _PING_VALUE and "json" not in differences:
        return _PING
    if tag_of(wrapped) == TEXT:
        return expect_text(payload, DATA)
    try:
        text = render(payload, text_of(differences, "json", looks.layout))
    except ValueError as error:
        msg = f"response.framing: {error}"
        raise MalformedRecording(msg) from None
    return padded(text, padding)


def padded(text: str, padding: int) -> str:
    """The text of an object with so many spaces before its last brace."""
    return text[:-1] + " " * padding + "}" if padding else text


def _layout_difference(layout: str, looks: Looks, value: JSON) -> Framing:
    if looks.first("layout"):
        looks.layout = layout
    is_usual = layout == looks.layout and value != _PING_VALUE
    return {} if is_usual else {"json": layout}


def with_events(framing: Framing, differences: dict[int, Framing], paddings: list[JSON]) -> Framing:
    if any(paddings):
        framing["padding"] = paddings
    if differences:
        framing["events"] = {str(index): found for index, found in differences.items()}
    return framing


class Described(NamedTuple):
    """An entry, and what the framing says of it alone."""

    entry: JSON
    differences: Framing
    padding: int


def decode_each(
    entries: Iterable[JSON], framing: Framing, decode: Callable[[JSON, Framing, int], str]
) -> Iterator[str]:
    """Each entry decoded, with what the framing says of it."""
    return (decode(*one) for one in described(entries, framing))


def described(entries: Iterable[JSON], framing: Framing) -> Iterator[Described]:
    """Each entry with what the framing says of it.

    Raises MalformedRecording where that makes no sense.
    """
    if "padding" not in framing and "events" not in framing:
        yield from (Described(entry, {}, 0) for entry in entries)
        return
    paddings = framing.get("padding")
    events = framing.get("events", {})
    for index, entry in enumerate(entries):
        padding = paddings[index] if isinstance(paddings, list) and index < len(paddings) else 0
        difference = events.get(str(index), {}) if isinstance(events, dict) else {}
        is_possible = not isinstance(padding, int) or padding in _POSSIBLE_PADDING
        if not (isinstance(difference, dict) and isinstance(padding, int) and is_possible):
            msg = f"response.framing: what it says of event {index} makes no sense"
            raise MalformedRecording(msg)
        yield Described(entry, difference, padding)


def text_of(framing: Framing, key: str, usual: str) -> str:
    return expect_text(framing.get(key, usual), f"response.framing.{key}")


def expect_text(value: JSON, place: str) -> str:
    if not isinstance(value, str):
        msg = f"{place} should be a string"
        raise MalformedRecording(msg)
    return value


def names_of(value: JSON) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(expect_text(name, "response.framing.order") for name in value)
