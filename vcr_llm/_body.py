"""Bodies: bytes <-> the JSON value that stands for them in a document.

Requests are kept by value. Responses come back byte for byte: the writer renders what it encoded
and compares, and takes the next plainer form where they differ, down to base64, which cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from vcr_llm import _multipart
from vcr_llm._errors import MalformedRecording
from vcr_llm._framing import Framing
from vcr_llm._habits import (
    JSON_ARRAY,
    SSE,
    Origin,
    essence,
    is_implied,
    is_json_array,
    json_habit,
    stream_kind,
    stream_kind_of_content_type,
    usual_content_type,
)
from vcr_llm._json import JSON, layout_of, parse, render
from vcr_llm._labels import label_of
from vcr_llm._stream_body import decode_events, encode_stream
from vcr_llm._tagged import (
    BYTES,
    DATA,
    FORM,
    MULTIPART,
    PLAIN,
    TEXT,
    tag,
    tag_json,
    tag_of,
    tag_text,
    untag_json,
    untag_text,
)

_JSON = "application/json"
_PLAIN_TEXT = "text/plain; charset=utf-8"
_BINARY = "application/octet-stream"


class ResponseBody(NamedTuple):
    """A response body in a document, and the content type that it says by itself."""

    value: JSON
    framing: Framing
    kind: str | None
    """The kind of stream, None for a body in one piece."""


# --- requests ---------------------------------------------------------------------------------


def encode_request_body(body: bytes | None, content_type: str | None) -> JSON:
    """The value of a request body: parsed JSON, a tagged form, text or bytes, None for none."""
    if not body:
        return None
    for boundary in _multipart.boundaries_of(content_type, body):
        if (parts := _multipart.parse_parts(body, boundary)) is not None:
            return tag(MULTIPART, [_part_value(part) for part in parts])
    if "json" in essence(content_type) or body.lstrip()[:1] in (b"{", b"["):
        try:
            value = parse(body.decode(), unique_keys=True)
            return tag(PLAIN, None) if value is None else tag_json(value, None)
        except ValueError:
            pass  # it only looks like JSON, so it is kept as the text that it is
    if essence(content_type) == FORM:
        pairs = _form_pairs(body)
        if pairs:
            return tag(FORM, pairs)
    return tag_text(body)


def decode_request_body(
    value: JSON, content_type: str | None = None
) -> tuple[bytes | None, str | None]:
    """The bytes of a request body and its content type, in a canonical spelling.

    ``content_type`` is the one that was kept, whose boundary a form then has. Raises
    MalformedRecording where a tagged value does not hold what its tag promises.
    """
    label = tag_of(value)
    if value is None:
        return None, None
    if label == MULTIPART:
        try:
            body, boundary = _multipart.render_parts(
                _parts(untag_json(value)), next(_multipart.boundaries_of(content_type), None)
            )
        except UnicodeEncodeError:
            msg = f"request.body.{DATA} has a name with a character that no form can send"
            raise MalformedRecording(msg) from None
        return body, f"{MULTIPART}; boundary={boundary}"
    if label == FORM:
        return _form(_pairs(untag_json(value))), FORM
    if label == TEXT:
        return untag_text(value, "request.body"), _PLAIN_TEXT
    if label == BYTES:
        return untag_text(value, "request.body"), _BINARY
    return render(untag_json(value)).encode(), _JSON


def _form(pairs: list[tuple[str, str]]) -> bytes:
    try:
        return urlencode(pairs, errors="surrogateescape").encode()
    except UnicodeEncodeError:
        msg = f"request.body.{DATA} has a character that no form can send"
        raise MalformedRecording(msg) from None


def _form_pairs(body: bytes) -> list[JSON]:
    """The pairs of a form; none where the body is no form."""
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        return []
    pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    return [[name, value] for name, value in pairs]


def _pairs(data: JSON) -> list[tuple[str, str]]:
    pairs = []
    for pair in data if isinstance(data, list) else [None]:
        match pair:
            case [str(name), str(value)]:
                pairs.append((name, value))
            case _:
                msg = f"request.body.{DATA} should be a list of [name, value]"
                raise MalformedRecording(msg)
    return pairs


def _part_value(part: _multipart.Part) -> JSON:
    value: dict[str, JSON] = {"name": part.name}
    if part.filename is not None:
        value["filename"] = part.filename
    if part.content_type is not None:
        value["content_type"] = part.content_type
    body = encode_request_body(part.body, part.content_type)
    if decode_request_body(body)[0] != part.body:  # a part's content is not ours to respell
        body = tag_text(part.body)
    value["body"] = tag(TEXT, "") if body is None else body
    return value


def _parts(data: JSON) -> Iterator[_multipart.Part]:
    for part in data if isinstance(data, list) else [None]:
        match part:
            case {"name": str(name), "body": body, **rest}:
                filename, content_type = rest.get("filename"), rest.get("content_type")
                yield _multipart.Part(
                    name,
                    filename if isinstance(filename, str) else None,
                    content_type if isinstance(content_type, str) else None,
                    decode_request_body(body)[0] or b"",
                )
            case _:
                msg = f'request.body.{DATA} should be a list of {{"name": …, "body": …}}'
                raise MalformedRecording(msg)


# --- responses --------------------------------------------------------------------------------


def encode_response_body(body: bytes, content_type: str | None, origin: Origin) -> ResponseBody:
    """The value of a response body; `decode_response_body` gives exactly the bytes back."""
    stream = _as_stream(body, content_type, origin)
    if stream is not None and b"".join(decode_response_events(stream, origin)) == body:
        return stream
    value = _as_json(body, origin)  # whose layout is found by comparing
    if value is not None:
        return value
    return ResponseBody(tag_text(body) if body else None, {}, None)


def decode_response_events(body: ResponseBody, origin: Origin) -> Iterator[bytes]:
    """The bytes of a response body, event by event where it is a stream.

    Raises MalformedRecording where the value or the framing makes no sense.
    """
    if body.kind is not None:
        if not isinstance(body.value, list):
            msg = "response.body should be a list of events, since is_streaming is true"
            raise MalformedRecording(msg)
        yield from decode_events(body.value, body.framing, body.kind, origin)
    elif tag_of(body.value) in (TEXT, BYTES):
        yield untag_text(body.value, "response.body")
    elif body.value is not None:
        yield _json_bytes(body.value, body.framing, origin)


def as_good(body: ResponseBody) -> ResponseBody:
    """A body that is decoded or refused as this one is; but JSON in one piece has no value.

    Whether such a body makes sense depends on its framing alone, and that is sooner known so.
    """
    has_value = body.kind is None and body.value is not None
    is_json = has_value and tag_of(body.value) not in (TEXT, BYTES)
    return body._replace(value=True) if is_json else body


def implied_content_type(body: ResponseBody) -> str | None:
    """The content type that a response body says by itself; None where there is no body."""
    if body.kind is not None:
        return usual_content_type(body.kind)
    if body.value is None:
        return None
    return {TEXT: _PLAIN_TEXT, BYTES: _BINARY}.get(tag_of(body.value) or "", _JSON)


def _as_stream(body: bytes, content_type: str | None, origin: Origin) -> ResponseBody | None:
    kind = recognise_stream(body, content_type, origin)
    encoded = encode_stream(body, kind, origin) if kind is not None else None
    if kind is None or encoded is None:
        return None
    entries, framing = encoded
    stored = None if is_implied(content_type or "", usual_content_type(kind)) else content_type
    if stream_kind(stored, origin) != kind:
        framing["kind"] = kind
    return ResponseBody(entries, framing, kind)


_EVENT_LINE = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:(?:data|event|id|retry):|:|error:)")
_SNIFFED = ("", "text/plain", _BINARY, _JSON)


def recognise_stream(body: bytes, content_type: str | None, origin: Origin) -> str | None:
    """The kind of stream that a body is: by its content type, then by its bytes.

    Gateways and mocks send streams as ``text/plain`` or without a type, and errors as streams.
    """
    kind = stream_kind_of_content_type(content_type)
    if kind == SSE and body and not _EVENT_LINE.match(body) and _is_json(body):
        return None
    says_nothing = essence(content_type) in _SNIFFED or "/" not in essence(content_type)
    if kind is None and says_nothing and _EVENT_LINE.match(body):
        return SSE if b"data:" in body else None
    if kind is None and is_json_array(origin):
        return JSON_ARRAY
    return kind


def _is_json(body: bytes) -> bool:
    try:
        parse(body.decode())
    except ValueError:
        return False
    return True


def _as_json(body: bytes, origin: Origin) -> ResponseBody | None:
    try:
        text = body.decode()
        value = parse(text)
    except ValueError:
        return None
    habit = json_habit(origin)
    trimmed = text.strip(" \t\r\n")
    start = text[: text.index(trimmed)]
    end = text[len(start) + len(trimmed) :]
    framing: Framing = {}
    layout = layout_of(trimmed, value, first=habit.layout)
    if layout is None:
        framing["raw"] = text
    else:
        if layout != habit.layout:
            framing["json"] = layout
        if start:
            framing["start"] = start
        if end != habit.end:
            framing["end"] = end
    tagged = tag_json(value, label_of(value, origin.path))
    return ResponseBody(tag(PLAIN, None) if tagged is None else tagged, framing, None)


def _json_bytes(value: JSON, framing: Framing, origin: Origin) -> bytes:
    habit = json_habit(origin)
    raw, layout = framing.get("raw"), framing.get("json", habit.layout)
    start, end = framing.get("start", ""), framing.get("end", habit.end)
    if isinstance(raw, str):
        return _encoded(raw, "response.framing.raw")
    if not (isinstance(layout, str) and isinstance(start, str) and isinstance(end, str)):
        msg = "response.framing: json, start and end should be strings"
        raise MalformedRecording(msg)
    try:
        text = render(untag_json(value), layout)
    except ValueError as error:
        msg = f"response.framing.json: {error}"
        raise MalformedRecording(msg) from None
    return _encoded(start + text + end, "response.framing")


def _encoded(text: str, place: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        msg = f"{place} has half of a surrogate pair, which is no character"
        raise MalformedRecording(msg) from None
