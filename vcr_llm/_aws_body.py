"""AWS event streams <-> entries: Bedrock's Converse, InvokeModel and agents.

An entry is the payload of a frame with ``__event__``, its ``:event-type``. Bedrock puts the
provider's own event into the payload as base64: it is shown decoded.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator

from vcr_llm._aws_event_stream import Frame, Header, parse_frames, render_frame
from vcr_llm._errors import MalformedRecording
from vcr_llm._framing import Framing, StreamBody, expect_text
from vcr_llm._habits import Origin
from vcr_llm._json import JSON, parse, render
from vcr_llm._labels import label_of
from vcr_llm._tagged import (
    BYTES,
    DATA,
    PLAIN,
    TEXT,
    tag,
    tag_json,
    tag_of,
    tag_text,
    untag_json,
    untag_text,
)

_EVENT = "__event__"
_INNER = "bytes"
_EVENT_TYPE = ":event-type"


def encode_aws(body: bytes, origin: Origin) -> StreamBody | None:
    """The entries of an event stream, None where it does not begin with a whole frame.

    What a stream that was cut has of its last frame is the last entry.
    """
    frames, rest = parse_frames(body)
    if not frames:
        return None
    entries: list[JSON] = []
    events: Framing = {}
    for index, frame in enumerate(frames):
        entry = _entry(frame, origin)
        entries.append(entry)
        if differences := _differences(frame, entry):
            events[str(index)] = differences
    if rest:
        events[str(len(entries))] = {"rest": True}
        entries.append(tag(BYTES, base64.b64encode(rest).decode()))
    return StreamBody(entries, {"events": events} if events else {})


def decode_aws(entries: list[JSON], framing: Framing, _origin: Origin) -> Iterator[bytes]:
    """The bytes of the stream, frame by frame, with their checksums."""
    events = framing.get("events", {})
    for index, entry in enumerate(entries):
        differences = events.get(str(index), {}) if isinstance(events, dict) else {}
        if not (isinstance(entry, dict) and DATA in entry and isinstance(differences, dict)):
            msg = f"response.body[{index}] should be an event with {DATA} and {_EVENT}"
            raise MalformedRecording(msg)
        if differences.get("rest") is True:
            yield untag_text(entry, f"response.body[{index}]")
            continue
        try:
            yield render_frame(Frame(_headers(entry, differences), _payload(entry)))
        except (ValueError, struct.error) as error:
            msg = f"response.body[{index}] is no event that Amazon could send ({error})"
            raise MalformedRecording(msg) from None


def _entry(frame: Frame, origin: Origin) -> dict[str, JSON]:
    entry: dict[str, JSON] = {DATA: _value(frame.payload, origin)}
    if isinstance(wrapped := entry[DATA], dict) and tag_of(wrapped) is not None:
        entry = wrapped
    if (event := frame.get(_EVENT_TYPE)) is not None:
        entry[_EVENT] = event
    return entry


def _value(payload: bytes, origin: Origin) -> JSON:
    """The value of a payload, which is JSON nearly always and then compact."""
    value = _compact_json(payload)
    if value is None:
        return tag_text(payload)
    inner = value.get(_INNER) if isinstance(value, dict) else None
    if tag_of(inner) is not None:  # it is the provider's, and would read as an event of ours
        return tag(PLAIN, value)
    if isinstance(value, dict) and isinstance(inner, str):
        shown: JSON = {**value, _INNER: _decoded(inner, origin)}
        if tag_of(shown) is None and _encoded(shown) == payload:
            return shown
    return tag_json(value, None)


def _compact_json(payload: bytes) -> JSON:
    try:
        value = parse(payload.decode())
    except ValueError:
        return None
    return value if render(value).encode() == payload else None


def _decoded(inner: str, origin: Origin) -> JSON:
    try:
        content = base64.b64decode(inner, validate=True)
    except ValueError:
        return inner
    value = _compact_json(content)
    if value is None:
        return tag_text(content)
    label = label_of(value, origin.path, is_event=True)
    return tag_json(value, label) if label else tag(PLAIN, value)


def _payload(entry: dict[str, JSON]) -> bytes:
    if tag_of(entry) in (TEXT, "bytes"):
        return untag_text(entry, "response.body")
    value = entry[DATA]
    if tag_of(entry) == PLAIN:
        return render(value).encode()
    return _encoded(untag_json(value) if tag_of(value) else value)


def _encoded(value: JSON) -> bytes:
    """The bytes of a payload, the provider's event in it as base64 again."""
    if isinstance(value, dict) and tag_of(inner := value.get(_INNER)) is not None:
        is_text = tag_of(inner) in (TEXT, "bytes")
        content = untag_text(inner, _INNER) if is_text else render(untag_json(inner)).encode()
        value = {**value, _INNER: base64.b64encode(content).decode()}
    return render(value).encode()


def _differences(frame: Frame, entry: dict[str, JSON]) -> Framing:
    if frame.headers == _usual_headers(entry):
        return {}
    return {"headers": [[found.name, found.value, found.type] for found in frame.headers]}


def _headers(entry: dict[str, JSON], differences: Framing) -> tuple[Header, ...]:
    given = differences.get("headers")
    if not isinstance(given, list):
        return _usual_headers(entry)
    headers = []
    for header in given:
        match header:
            case [str(name), str(value), int(kind)]:
                headers.append(Header(name, value, kind))
            case _:
                msg = "response.framing.events: headers should be a list of [name, value, type]"
                raise MalformedRecording(msg)
    return tuple(headers)


def _usual_headers(entry: dict[str, JSON]) -> tuple[Header, ...]:
    """What every event of Bedrock's has: its type, and that it is a JSON event."""
    return (
        Header(_EVENT_TYPE, expect_text(entry.get(_EVENT, ""), _EVENT)),
        Header(":content-type", "application/json"),
        Header(":message-type", "event"),
    )
