"""Server-sent events <-> entries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from vcr_llm._errors import MalformedRecording
from vcr_llm._event_labels import names_its_event
from vcr_llm._event_stream import FIELDS, Event, Syntax, parse_frame, render_frame, split_frames
from vcr_llm._framing import (
    Described,
    Framing,
    Looks,
    Payload,
    StreamBody,
    decode_payload,
    described,
    encode_payload,
    expect_text,
    names_of,
    padded,
    text_of,
    with_events,
)
from vcr_llm._habits import Origin, stream_habit
from vcr_llm._json import JSON, parse, render, render_each
from vcr_llm._labels import label_of
from vcr_llm._tagged import DATA, TEXT, TYPE, tag, tag_json, tag_of, untag_json

_BEFORE_FIRST_EVENT = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*")
_DONE = "[DONE]"
_TAGGED = {TYPE, DATA}
_AT_ONCE = 64  # events, whose text is in memory twice


def before_first_event(body: bytes) -> bytes:
    """A byte order mark and blank lines at the start of a body, which belong to no event."""
    found = _BEFORE_FIRST_EVENT.match(body)
    return found[0] if found else b""


def encode_sse(body: bytes, origin: Origin) -> StreamBody:
    habit = stream_habit(origin)
    looks = Looks(habit)
    before = before_first_event(body)
    frames = list(split_frames(body, len(before)))

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
        framing["before"] = before.decode()
    if (end is not None) != habit.done:
        framing["done"] = end is not None
    if end not in (None, looks.syntax.line_end * 2):
        framing["end"] = end
    return StreamBody(entries, with_events(framing, differences, paddings))


def decode_sse(entries: list[JSON], framing: Framing, origin: Origin) -> Iterator[str]:
    habit = stream_habit(origin)
    looks = Looks.from_framing(habit, framing)
    yield text_of(framing, "before", "")
    yield from _frames(described(entries, framing), looks)
    if framing.get("done", habit.done):
        end = text_of(framing, "end", looks.syntax.line_end * 2)
        yield f"data{looks.syntax.colon}{_DONE}{end}"


def _end_of_done(frame: str, looks: Looks) -> str | None:
    """What follows ``[DONE]`` in a block that is nothing else, or None for any other block."""
    done = re.fullmatch(r"data(: |:)\[DONE\]([\r\n]*)", frame)
    if done is None:
        return None
    if looks.first("syntax") and done[2]:
        line_end = "\r\n" if done[2].startswith("\r\n") else done[2][0]
        looks.syntax = Syntax(line_end, done[1])
    return done[2] if done[1] == looks.syntax.colon else None


def _encode_frame(frame: str, looks: Looks, origin: Origin) -> tuple[JSON, Framing, int]:
    """The entry of a frame, how it differs from the stream's other frames, its padding."""
    if (usual := _usual_entry(frame, looks, origin)) is not None:
        return usual, {}, 0
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
    payload = None if data is None else encode_payload(data, looks)
    if payload is not None:
        differences |= payload.differences
    entry = _entry(event, payload, origin)
    order = event.order
    if len(set(order)) == len(order) > 1 and looks.first("order"):
        looks.order = order if order != _sorted(order, FIELDS) else FIELDS
    if order != _sorted(order, looks.order):
        differences["order"] = list(order)
    return entry, differences, payload.padding if payload else 0


def _decode_frame(entry: JSON, differences: Framing, padding: int, looks: Looks) -> str:
    if "raw" in differences:
        return text_of(differences, "raw", "")
    line_end = text_of(differences, "line_end", looks.syntax.line_end)
    colon = text_of(differences, "colon", looks.syntax.colon)
    end = text_of(differences, "end", line_end * 2)
    fields = list(_fields(entry, differences, padding, looks))
    present = tuple(name for name, _value in fields)
    order = names_of(differences.get("order")) or _sorted(present, looks.order)
    if sorted(order) != sorted(present):
        msg = f"response.framing orders {list(order)}, but the event has {list(present)}"
        raise MalformedRecording(msg)
    values = {name: iter([v for key, v in fields if key == name]) for name in present}
    ordered = tuple((name, next(values[name])) for name in order)
    return render_frame(Event(ordered), Syntax(line_end, colon, end))


def _usual_entry(frame: str, looks: Looks, origin: Origin) -> JSON:
    """The entry of a frame that is nothing but a payload, None for any other.

    What `_frames` would give back, where the frames before have shown how this stream looks.
    """
    if not looks.has_seen("syntax", "layout") or looks.is_indented:
        return None
    syntax = looks.syntax
    named, prefix, closing = f"event{syntax.colon}", f"data{syntax.colon}", syntax.line_end * 2
    name = None
    if frame.startswith(named) and looks.has_seen("order") and looks.order == FIELDS:
        line, _, frame = frame.partition(syntax.line_end)
        name = line[len(named) :]
    if not (frame.startswith(f"{prefix}{{") and frame.endswith(closing)):
        return None
    data = frame[len(prefix) : -len(closing)]
    try:
        payload = parse(data)
    except ValueError:
        return None
    if not isinstance(payload, dict) or payload.get("type") == "ping":
        return None
    label = label_of(payload, origin.path, is_event=True)
    if name != _implied_name(payload, label) or render(payload, looks.layout) != data:
        return None
    return tag_json(payload, label)


def _frames(events: Iterator[Described], looks: Looks) -> Iterator[str]:
    """The frame of each event.

    Nearly all of them are nothing but a payload; what these need not is not looked for, and their
    payloads are rendered many at a time.
    """
    closing = looks.syntax.line_end * 2
    while batch := list(islice(events, _AT_ONCE)):
        usual = [_usual_event(event, looks) for event in batch]
        try:
            texts = iter(render_each([one.payload for one in usual if one], looks.layout))
        except ValueError:  # whoever looks closer says what is wrong
            usual = [None] * len(batch)
        for event, one in zip(batch, usual, strict=True):
            if one is None:
                yield _decode_frame(*event, looks)
            else:
                yield f"{one.opening}{padded(next(texts), event.padding)}{closing}"


class _UsualEvent(NamedTuple):
    """An event that is nothing but a payload: what its frame begins with, and the payload."""

    opening: str
    payload: JSON


def _usual_event(event: Described, looks: Looks) -> _UsualEvent | None:
    entry, syntax = event.entry, looks.syntax
    if event.differences or looks.order != FIELDS or looks.is_indented:
        return None
    if not isinstance(entry, dict) or entry.keys() != _TAGGED:
        return None
    label, payload = entry[TYPE], entry[DATA]
    if not isinstance(label, str) or not isinstance(payload, dict):
        return None
    if label == TEXT or payload.get("type") == "ping":
        return None
    name = _implied_name(payload, label)
    if name is None:
        return _UsualEvent(f"data{syntax.colon}", payload)
    if not isinstance(name, str):
        return None
    return _UsualEvent(f"event{syntax.colon}{name}{syntax.line_end}data{syntax.colon}", payload)


def _entry(event: Event, payload: Payload | None, origin: Origin) -> JSON:
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
    entry: JSON, differences: Framing, padding: int, looks: Looks
) -> Iterator[tuple[str, str]]:
    """The fields of an entry's event."""
    wrapped = entry if isinstance(entry, dict) and _is_wrapper(entry) else {DATA: entry}
    has_data = DATA in wrapped
    # The label that is written down decides, not the one that the installed SDK would give.
    implied = _implied_name(untag_json(wrapped) if has_data else None, tag_of(wrapped))
    name = wrapped.get("__event__", implied)
    singles = (("id", wrapped.get("__id__")), ("event", name), ("retry", wrapped.get("__retry__")))
    for field, value in singles:
        if value is not None:
            yield field, expect_text(value, f"__{field}__")
    comment = wrapped.get("__comment__")
    comments = comment if isinstance(comment, list) else [comment] if comment is not None else []
    for value in comments:
        yield "comment", expect_text(value, "__comment__")
    if has_data:
        yield "data", decode_payload(wrapped, differences, padding, looks)


def _is_wrapper(entry: dict[str, JSON]) -> bool:
    return any(key in entry for key in (DATA, "__event__", "__id__", "__retry__", "__comment__"))


def _implied_name(payload: JSON, label: str | None) -> JSON:
    """The event name that a payload of this label always comes with."""
    if isinstance(payload, dict) and names_its_event(label):
        return payload.get("type")
    return None


def _syntax_differences(syntax: Syntax, looks: Looks) -> Framing:
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
