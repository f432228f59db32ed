"""Streamed bodies <-> lists of events, one entry per event.

An entry is the event's payload, tagged with its SDK's label where there is one; ``__event__``,
``__id__``, ``__retry__`` and ``__comment__`` stand beside it for what a block has besides data.
Everything else that makes up the bytes is the stream's habit, or `framing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from vcr_llm._errors import MalformedRecording
from vcr_llm._event_stream import FIELDS, Event, Syntax, parse_frame, render_frame, split_frames
from vcr_llm._habits import NDJSON, SSE, Origin, StreamHabit, stream_habit
from vcr_llm._json import JSON, layout_of, parse, render
from vcr_llm._labels import label_of, names_its_event
from vcr_llm._tagged import DATA, TEXT, TYPE, tag, tag_json, tag_of, untag_json

Framing = dict[str, JSON]

_BEFORE_FIRST_EVENT = re.compile("\ufeff?[\r\n]*")
_PADDING = re.compile(r"( +)}\Z")
_POSSIBLE_PADDING = range(100_000)
_DONE = "[DONE]"


class StreamBody(NamedTuple):
    """The entries of a stream and how its bytes differ from the habit."""

    entries: list[JSON]
    framing: Framing


def encode_stream(body: bytes, kind: str, origin: Origin) -> StreamBody:
    """The entries and the framing of a streamed body; `decode_stream` gives the bytes back."""
    encode, _decode = _CODECS[kind]
    return encode(body.decode(errors="surrogateescape"), origin)


def decode_stream(entries: list[JSON], framing: Framing, kind: str, origin: Origin) -> bytes:
    """The bytes of a streamed body.

    Raises MalformedRecording where an entry or the framing makes no sense.
    """
    return b"".join(decode_events(entries, framing, kind, origin))


def decode_events(
    entries: list[JSON], framing: Framing, kind: str, origin: Origin
) -> Iterator[bytes]:
    """The bytes of a streamed body, event by event."""
    _encode, decode = _CODECS[kind]
    for frame in decode(entries, framing, origin):
        try:
            yield frame.encode(errors="surrogateescape")
        except UnicodeEncodeError as error:
            msg = f"response.body has a character that no server can send ({error})"
            raise MalformedRecording(msg) from None


class _Payload(NamedTuple):
    """The data of one event: its value, and how its text differs from the usual layout."""

    value: JSON
    differences: Framing
    padding: int = 0
    is_text: bool = False


class _Looks:
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
    def from_framing(cls, habit: StreamHabit, framing: Framing) -> _Looks:
        looks = cls(habit)
        looks.syntax = Syntax(
            _text(framing, "line_end", habit.line_end), _text(framing, "colon", Syntax().colon)
        )
        looks.layout = _text(framing, "json", habit.layout)
        looks.order = _names(framing.get("order")) or FIELDS
        return looks


def _encode_sse(body: str, origin: Origin) -> StreamBody:
    habit = stream_habit(origin)
    looks = _Looks(habit)
    opening = _BEFORE_FIRST_EVENT.match(body)
    before = opening[0] if opening else ""
    frames = split_frames(body[len(before) :])

    entries: list[JSON] = []
    differences: dict[int, Framing] = {}
    paddings: list[JSON] = []
    end = None
    for index, frame in enumerate(frames):
        if index == len(frames) - 1 and (end := _end_of_done(frame, looks)) is not None:
            break
        entry, difference, padding = _encode_frame(frame, looks, origin)
        entries.append(entry)
        paddings.append(padding)
        if difference:
            differences[index] = difference

    framing = looks.framing()
    if before:
        framing["before"] = before
    if (end is not None) != habit.done:
        framing["done"] = end is not None
    if end not in (None, looks.syntax.line_end * 2):
        framing["end"] = end
    return StreamBody(entries, _with_events(framing, differences, paddings))


def _decode_sse(entries: list[JSON], framing: Framing, origin: Origin) -> Iterator[str]:
    habit = stream_habit(origin)
    looks = _Looks.from_framing(habit, framing)
    yield _text(framing, "before", "")
    yield from _decode_each(
        entries, framing, lambda *event: _decode_frame(*event, looks=looks, origin=origin)
    )
    if framing.get("done", habit.done):
        end = _text(framing, "end", looks.syntax.line_end * 2)
        yield f"data{looks.syntax.colon}{_DONE}{end}"


def _end_of_done(frame: str, looks: _Looks) -> str | None:
    """What follows ``[DONE]`` in a block that is nothing else, or None for any other block."""
    done = re.fullmatch(r"data(: |:)\[DONE\]([\r\n]*)", frame)
    if done is None:
        return None
    if looks.first("syntax") and done[2]:
        line_end = "\r\n" if done[2].startswith("\r\n") else done[2][0]
        looks.syntax = Syntax(line_end, done[1])
    return done[2] if done[1] == looks.syntax.colon else None


def _encode_frame(frame: str, looks: _Looks, origin: Origin) -> tuple[JSON, Framing, int]:
    """The entry of a frame, how it differs from the stream's other frames, its padding."""
    parsed = parse_frame(frame, looks.syntax)
    if parsed is None:
        return tag(TEXT, frame.strip("\r\n")), {"raw": frame}, 0
    event, syntax = parsed
    if looks.first("syntax"):
        looks.syntax = Syntax(syntax.line_end, syntax.colon)
    differences = _syntax_differences(syntax, looks)
    data = event.get("data")
    if len(event.all("data")) > 1 or any(len(event.all(name)) > 1 for name in FIELDS[:3]):
        return tag(TEXT, data or ""), {"raw": frame}, 0
    payload = None if data is None else _encode_payload(data, looks)
    if payload is not None:
        differences |= payload.differences
    entry = _entry(event, payload, origin)
    order = event.order
    if len(set(order)) == len(order) > 1 and looks.first("order"):
        looks.order = order if order != _sorted(order, FIELDS) else FIELDS
    if order != _sorted(order, looks.order):
        differences["order"] = list(order)
    return entry, differences, payload.padding if payload else 0


def _decode_frame(
    entry: JSON, differences: Framing, padding: int, *, looks: _Looks, origin: Origin
) -> str:
    if "raw" in differences:
        return _text(differences, "raw", "")
    line_end = _text(differences, "line_end", looks.syntax.line_end)
    colon = _text(differences, "colon", looks.syntax.colon)
    end = _text(differences, "end", line_end * 2)
    fields = list(_fields(entry, differences, padding, looks, origin))
    present = tuple(name for name, _value in fields)
    order = _names(differences.get("order")) or _sorted(present, looks.order)
    if sorted(order) != sorted(present):
        msg = f"response.framing orders {list(order)}, but the event has {list(present)}"
        raise MalformedRecording(msg)
    values = {name: iter([v for key, v in fields if key == name]) for name in present}
    ordered = tuple((name, next(values[name])) for name in order)
    return render_frame(Event(ordered), Syntax(line_end, colon, end))


def _entry(event: Event, payload: _Payload | None, origin: Origin) -> JSON:
    """The entry of an event: its payload, wrapped where the block says more than that."""
    label = None
    if payload and not payload.is_text:
        label = label_of(payload.value, origin.path, is_event=True)
    extras: dict[str, JSON] = {}
    name = event.get("event")
    if name != _implied_name(payload.value if payload else None, label):
        extras["__event__"] = name
    for key, field in (("__id__", "id"), ("__retry__", "retry")):
        if (value := event.get(field)) is not None:
            extras[key] = value
    if comments := event.all("comment"):
        extras["__comment__"] = comments[0] if len(comments) == 1 else list(comments)
    if payload is None:
        return extras
    plain = tag(TEXT, payload.value) if payload.is_text else tag_json(payload.value, label)
    if not extras:
        return plain
    wrapped = plain if isinstance(plain, dict) and TYPE in plain else {DATA: plain}
    return {**wrapped, **extras}


def _fields(
    entry: JSON, differences: Framing, padding: int, looks: _Looks, origin: Origin
) -> Iterator[tuple[str, str]]:
    """The fields of an entry's event."""
    wrapped = entry if isinstance(entry, dict) and _is_wrapper(entry) else {DATA: entry}
    has_data = DATA in wrapped
    payload = untag_json(wrapped) if has_data else None
    label = label_of(payload, origin.path, is_event=True)
    name = wrapped.get("__event__", _implied_name(payload, label))
    singles = (("id", wrapped.get("__id__")), ("event", name), ("retry", wrapped.get("__retry__")))
    for field, value in singles:
        if value is not None:
            yield field, _is_text(value, f"__{field}__")
    comment = wrapped.get("__comment__")
    comments = comment if isinstance(comment, list) else [comment] if comment is not None else []
    for value in comments:
        yield "comment", _is_text(value, "__comment__")
    if has_data:
        yield "data", _decode_payload(wrapped, differences, padding, looks)


def _is_wrapper(entry: dict[str, JSON]) -> bool:
    return any(key in entry for key in (DATA, "__event__", "__id__", "__retry__", "__comment__"))


def _implied_name(payload: JSON, label: str | None) -> JSON:
    """The event name that a payload of this label always comes with."""
    if isinstance(payload, dict) and names_its_event(label):
        return payload.get("type")
    return None


def _encode_payload(data: str, looks: _Looks) -> _Payload:
    """The value of an event's data and how its text differs from the stream's usual layout."""
    try:
        value = parse(data)
    except ValueError:
        return _Payload(data, {}, is_text=True)
    if layout := layout_of(data, value, first=looks.layout):
        return _Payload(value, _layout_difference(layout, looks))
    if padded := _PADDING.search(data):
        layout = layout_of(data[: padded.start()] + "}", value, first=looks.layout)
        if layout:
            difference = _layout_difference(layout, looks)
            return _Payload(value, difference, padding=len(padded[1]))
    return _Payload(value, {"data": data})


def _decode_payload(
    wrapped: dict[str, JSON], differences: Framing, padding: int, looks: _Looks
) -> str:
    if "data" in differences:
        return _text(differences, "data", "")
    payload = wrapped[DATA]
    if tag_of(wrapped) == TEXT:
        return _is_text(payload, DATA)
    try:
        text = render(payload, _text(differences, "json", looks.layout))
    except ValueError as error:
        msg = f"response.framing: {error}"
        raise MalformedRecording(msg) from None
    return text[:-1] + " " * padding + "}" if padding else text


def _layout_difference(layout: str, looks: _Looks) -> Framing:
    if looks.first("layout"):
        looks.layout = layout
    return {} if layout == looks.layout else {"json": layout}


def _syntax_differences(syntax: Syntax, looks: _Looks) -> Framing:
    differences: Framing = {}
    if syntax.line_end != looks.syntax.line_end:
        differences["line_end"] = syntax.line_end
    if syntax.colon != looks.syntax.colon:
        differences["colon"] = syntax.colon
    if syntax.end is not None:
        differences["end"] = syntax.end
    return differences


def _sorted(names: tuple[str, ...], order: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the stream's order; a name that the stream has not shown yet comes last."""
    ranks = {name: rank for rank, name in enumerate((*order, *FIELDS)) if name not in order[:rank]}
    return tuple(sorted(names, key=lambda name: ranks[name]))


def _encode_ndjson(body: str, origin: Origin) -> StreamBody:
    """Newline-delimited JSON (https://github.com/ndjson/ndjson-spec): one value per line."""
    looks = _Looks(StreamHabit("\n", "compact", done=False))
    entries: list[JSON] = []
    differences: dict[int, Framing] = {}
    for index, line in enumerate(re.findall(r"[^\n]*\n|[^\n]+", body)):
        text = line.rstrip("\r\n")
        payload = _encode_payload(text, looks)
        end = line[len(text) :]
        if index == 0 and end:
            looks.syntax = Syntax(line_end=end)
        difference = {"data": text} if payload.padding else payload.differences
        if payload.is_text:
            entries.append(tag(TEXT, payload.value))
        else:
            label = label_of(payload.value, origin.path, is_event=True)
            entries.append(tag_json(payload.value, label))
        if end != looks.syntax.line_end:
            difference["end"] = end
        if difference:
            differences[index] = difference
    return StreamBody(entries, _with_events(looks.framing(), differences, []))


def _decode_ndjson(entries: list[JSON], framing: Framing, _origin: Origin) -> Iterator[str]:
    looks = _Looks.from_framing(StreamHabit("\n", "compact", done=False), framing)

    def decode_line(entry: JSON, differences: Framing, _padding: int) -> str:
        wrapped = entry if isinstance(entry, dict) and DATA in entry else {DATA: entry}
        text = _decode_payload(wrapped, differences, 0, looks)
        return text + _text(differences, "end", looks.syntax.line_end)

    yield from _decode_each(entries, framing, decode_line)


_Encode = Callable[[str, Origin], StreamBody]
_Decode = Callable[[list[JSON], Framing, Origin], Iterator[str]]
_CODECS: dict[str, tuple[_Encode, _Decode]] = {
    SSE: (_encode_sse, _decode_sse),
    NDJSON: (_encode_ndjson, _decode_ndjson),
}


def _with_events(
    framing: Framing, differences: dict[int, Framing], paddings: list[JSON]
) -> Framing:
    if any(paddings):
        framing["padding"] = paddings
    if differences:
        framing["events"] = {str(index): found for index, found in differences.items()}
    return framing


def _decode_each(
    entries: Iterable[JSON], framing: Framing, decode: Callable[[JSON, Framing, int], str]
) -> Iterator[str]:
    """Each entry decoded, with what the framing says of it."""
    paddings = framing.get("padding")
    events = framing.get("events", {})
    for index, entry in enumerate(entries):
        padding = paddings[index] if isinstance(paddings, list) and index < len(paddings) else 0
        difference = events.get(str(index), {}) if isinstance(events, dict) else {}
        is_possible = not isinstance(padding, int) or padding in _POSSIBLE_PADDING
        if not (isinstance(difference, dict) and isinstance(padding, int) and is_possible):
            msg = f"response.framing: what it says of event {index} makes no sense"
            raise MalformedRecording(msg)
        yield decode(entry, difference, padding)


def _text(framing: Framing, key: str, usual: str) -> str:
    return _is_text(framing.get(key, usual), f"response.framing.{key}")


def _is_text(value: JSON, place: str) -> str:
    if not isinstance(value, str):
        msg = f"{place} should be a string"
        raise MalformedRecording(msg)
    return value


def _names(value: JSON) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(_is_text(name, "response.framing.order") for name in value)
