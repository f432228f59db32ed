"""Whether a document is what the format says, and where it is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from vcr_llm._document import from_document, test_id_of
from vcr_llm._errors import RecordingError
from vcr_llm._foreign import Document, is_http_exchange, is_tool_call
from vcr_llm._json import JSON
from vcr_llm._json_path import item, member
from vcr_llm._tool_call import check_tool_document

_PLACE = re.compile(
    r"(?s)(?P<place>(?:test_id|request|response|framing)[\w.\[\]]*):? (?P<problem>.+)"
    r"|is not valid JSON: (?P<line>line \d+, column \d+): (?P<syntax>.+)"
)
_RECORDED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Fault(NamedTuple):
    """Something in a document that is not as the format has it."""

    place: str
    problem: str


def located(problem: str) -> Fault:
    """An error's text, parted into the place that it begins with and the rest."""
    found = _PLACE.fullmatch(problem)
    if found is None:
        return Fault("", problem)
    if found["line"] is not None:
        return Fault(found["line"], f"is not valid JSON: {found['syntax']}")
    return Fault(found["place"], found["problem"])


def faults(document: Document) -> Iterator[Fault]:
    """What in a document is not as the format has it; only the first thing that stops a replay."""
    try:
        if is_tool_call(document):
            check_tool_document(document)
        elif is_http_exchange(document):
            from_document(document)
        else:
            test_id_of(document)
    except RecordingError as error:
        yield located(error.problem)
    request = document.get("request")
    if isinstance(request, dict) and "url" in request:
        if not isinstance(request.get("endpoint", ""), str):
            yield Fault("request.endpoint", "should be a string")
        if not isinstance(request.get("model"), str | None):
            yield Fault("request.model", "should be a string or null")
    yield from _faults_of_extensions(document)


def _faults_of_extensions(document: Document) -> Iterator[Fault]:
    sequence = document.get("sequence", 0)
    if not isinstance(sequence, int) or isinstance(sequence, bool) or sequence < 0:
        yield Fault("sequence", "should be a whole number from 0")
    if "recorded_at" in document and not _is_second(document["recorded_at"]):
        yield Fault("recorded_at", "should be a UTC second such as 2026-01-31T12:00:00Z")


def _is_second(value: JSON) -> bool:
    return isinstance(value, str) and _RECORDED_AT.fullmatch(value) is not None


def key_named_twice(text: str) -> str | None:
    """The place of a key that an object of a JSON text names more than once, None for none.

    Which of its values counts is anybody's guess (RFC 8259, 4), so that one of them would be lost.
    """
    value = json.loads(text, object_pairs_hook=_Members.of, parse_int=str, parse_float=str)
    return _twice(value, "")


class _Members(dict[str, JSON]):
    """The members of an object, and the key that was there before."""

    twice: str | None = None

    @classmethod
    def of(cls, pairs: list[tuple[str, JSON]]) -> _Members:
        members = cls()
        for key, value in pairs:
            if key in members and members.twice is None:
                members.twice = key
            members[key] = value
        return members


def _twice(value: JSON, place: str) -> str | None:
    if isinstance(value, _Members) and value.twice is not None:
        return member(place, value.twice)
    if isinstance(value, dict):
        below = ((entry, member(place, key)) for key, entry in value.items())
    elif isinstance(value, list):
        below = ((entry, item(place, index)) for index, entry in enumerate(value))
    else:
        return None
    return next((found for found in (_twice(*each) for each in below) if found), None)
