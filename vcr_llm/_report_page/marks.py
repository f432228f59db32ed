"""What of a document is not as the wire had it: redacted secrets, values made constant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from vcr_llm._foreign import Document
from vcr_llm._json import JSON
from vcr_llm._json_path import member
from vcr_llm._normalization import EPOCH, OLLAMA_DURATIONS, OLLAMA_PATHS
from vcr_llm._secret_shapes import PLACEHOLDER
from vcr_llm._tagged import DATA

_RECORDING_ID = re.compile(r"rec-[0-9a-f]{12}")
_AROUND = 24  # characters on both sides of what was redacted


class MarkKind(StrEnum):
    """Why a value is not as it was."""

    REDACTED = "redacted"
    CONSTANT = "constant"


class Mark(NamedTuple):
    """A place in a document, what stands there, and in how many events it does."""

    kind: MarkKind
    place: str
    value: str
    times: int = 1


def marks_of(document: Document) -> list[Mark]:
    """The marks of a document; those in the same place of many events are one."""
    counts: dict[Mark, int] = {}
    for mark in (*_redacted(document, ""), *_constants(document)):
        counts[mark] = counts.get(mark, 0) + 1
    return [mark._replace(times=count) for mark, count in counts.items()]


def _redacted(value: JSON, place: str) -> Iterator[Mark]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _redacted(item, member(place, name))
    elif isinstance(value, list):
        for item in value:
            yield from _redacted(item, f"{place}[*]")
    elif isinstance(value, str) and PLACEHOLDER in value:
        yield Mark(MarkKind.REDACTED, place, _excerpt(value))


def _excerpt(text: str) -> str:
    """What was redacted, with a little of what stands around it."""
    start = text.index(PLACEHOLDER)
    first, last = max(0, start - _AROUND), start + len(PLACEHOLDER) + _AROUND
    before, after = "…" if first else "", "…" if last < len(text) else ""
    return f"{before}{text[first:last]}{after}"


def _constants(document: Document) -> Iterator[Mark]:
    """What `normalized` writes, and nothing else does."""
    request, response = document.get("request"), document.get("response")
    if not isinstance(request, dict) or not isinstance(response, dict):
        return
    is_ollama = request.get("endpoint") in OLLAMA_PATHS
    for place, payload in _payloads(response.get("body"), "response.body"):
        recording_id = payload.get("id")
        if isinstance(recording_id, str) and _RECORDING_ID.fullmatch(recording_id):
            yield Mark(MarkKind.CONSTANT, member(place, "id"), recording_id)
            if payload.get("created") == 0:
                yield Mark(MarkKind.CONSTANT, member(place, "created"), "0")
        elif is_ollama and payload.get("created_at") == EPOCH:
            yield Mark(MarkKind.CONSTANT, member(place, "created_at"), EPOCH)
            zeros = (name for name in OLLAMA_DURATIONS if payload.get(name) == 0)
            yield from (Mark(MarkKind.CONSTANT, member(place, name), "0") for name in zeros)


def _payloads(body: JSON, place: str) -> Iterator[tuple[str, dict[str, JSON]]]:
    """The objects of a body, out of their tags: itself, or one for each event."""
    if isinstance(body, list):
        for entry in body:
            yield from _payloads(entry, f"{place}[*]")
    elif isinstance(body, dict):
        inner = body.get(DATA)
        yield (member(place, DATA), inner) if isinstance(inner, dict) else (place, body)
