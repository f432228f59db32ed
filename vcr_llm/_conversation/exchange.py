"""A document as what went over the wire: the payload that was sent, and those that came back."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import NamedTuple

from vcr_llm._conversation.members import at, items, mapping, text, whole
from vcr_llm._foreign import Document, as_documented
from vcr_llm._interaction import split_url
from vcr_llm._json import JSON, is_deeper, render
from vcr_llm._tagged import BYTES, DATA, TYPE, tag_of, untag_json

_DEEPEST = 100
_RESERVED = frozenset({"__event__", "__id__", "__retry__", "__comment__"})


class Event(NamedTuple):
    """A payload, and the name that its event has beside it."""

    payload: JSON
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was sent and what came. A body in one piece is one event; a body that is text is a str.

    ``sent_label`` and the label of an event's payload say what is no JSON: forms and bytes.
    """

    document: Document
    method: str
    url: str
    path: str
    sent: JSON
    sent_label: str | None
    events: tuple[Event, ...]
    is_streaming: bool
    status: int | None
    media_type: str | None

    @property
    def payloads(self) -> list[dict[str, JSON]]:
        """The payloads that are JSON objects."""
        return [event.payload for event in self.events if isinstance(event.payload, dict)]

    @property
    def body(self) -> dict[str, JSON]:
        """What was sent, where it is a JSON object; else an empty one."""
        return mapping(self.sent) if self.sent_label is None else {}


def exchange_of(document: Document) -> Exchange:
    """The exchange that a document holds, whatever is missing in it."""
    document = as_documented(document)
    request, response = mapping(document.get("request")), mapping(document.get("response"))
    url = text(request.get("url")) or ""
    body = request.get("body")
    is_streaming = response.get("is_streaming") is True
    return Exchange(
        document=document,
        method=(text(request.get("method")) or "").upper(),
        url=url,
        path=text(request.get("endpoint")) or split_url(url).path,
        sent=_readable(untag_json(body)),
        sent_label=None if tag_of(body) in (None, "json") else tag_of(body),
        events=tuple(event for event in entries_of(document) if event is not None),
        is_streaming=is_streaming,
        status=whole(response.get("status", 200)),
        media_type=_media_type(mapping(response.get("headers"))),
    )


def bytes_of(value: JSON) -> bytes | None:
    """The bytes that a ``bytes`` value stands for; None for any other value."""
    if tag_of(value) != BYTES:
        return None
    return base64_bytes(at(value, DATA))


def base64_bytes(value: JSON) -> bytes | None:
    """The bytes behind a base64 text, in either alphabet; None where it is none."""
    if not isinstance(value, str):
        return None
    standard = value.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError:
        return None


def entries_of(document: Document) -> list[Event | None]:
    """What each entry of a body holds, None for a comment and the like."""
    response = mapping(document.get("response"))
    body = response.get("body")
    is_list = response.get("is_streaming") is True and isinstance(body, list)
    entries = items(body) if is_list else [body]
    differing = mapping(at(response, "framing", "events"))
    return [_event(entry, differing.get(str(index))) for index, entry in enumerate(entries)]


def _event(entry: JSON, framing: JSON) -> Event | None:
    """The event of an entry, None where it holds nothing but a comment or the like."""
    name = text(at(entry, "__event__")) or _exception(framing)
    if isinstance(entry, dict) and DATA not in entry and entry.keys() & _RESERVED:
        entry = {key: value for key, value in entry.items() if key not in _RESERVED} or None
    if entry is None:
        return None
    return Event(_readable(_inner(_payload(entry))), name)


def _exception(framing: JSON) -> str | None:
    """What Amazon calls an exception in a stream, which stands in a header of its own."""
    headers = items(at(framing, "headers"))
    return next((text(at(one, 1)) for one in headers if at(one, 0) == ":exception-type"), None)


def _readable(payload: JSON) -> JSON:
    """A payload; one that is nested deeper than any message of anybody's is its JSON text."""
    return render(payload) if is_deeper(payload, _DEEPEST) else payload


def _payload(entry: JSON) -> JSON:
    """The payload of an entry: text as a str, bytes with their tag."""
    value = untag_json(entry) if tag_of(entry) is None else entry
    return {TYPE: BYTES, DATA: at(value, DATA)} if tag_of(value) == BYTES else untag_json(value)


def _inner(payload: JSON) -> JSON:
    """The provider's own event, which Bedrock puts into one of its own."""
    inner = at(payload, "bytes")
    if tag_of(inner) is None:
        return payload
    return inner if tag_of(inner) == BYTES else untag_json(inner)


def _media_type(headers: Document) -> str | None:
    for name, value in headers.items():
        if name.lower() == "content-type":
            given = text(value) or text(at(value, 0))
            return None if given is None else given.partition(";")[0].strip().lower()
    return None
