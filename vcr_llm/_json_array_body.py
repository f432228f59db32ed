"""A JSON array that is sent in pieces, one element for each event <-> entries.

So Gemini streams without ``alt=sse``: ``[`` + element, ``,`` + line break + element, …, ``]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from vcr_llm._framing import (
    Framing,
    Looks,
    StreamBody,
    decode_each,
    decode_payload,
    encode_payload,
    expect_text,
    text_of,
    with_events,
)
from vcr_llm._habits import Origin, StreamHabit
from vcr_llm._json import JSON
from vcr_llm._labels import label_of
from vcr_llm._tagged import DATA, TEXT, tag, tag_json, untag_json

_HABIT = StreamHabit("\n", "indent-2", done=False)
_BEFORE, _BETWEEN, _AFTER = "[", "\n,\r\n", "\n]"
_decoder = json.JSONDecoder()


class _Array(NamedTuple):
    """The texts of an array's elements, and those before, between and after them."""

    elements: list[str]
    separators: list[str]
    rest: str = ""
    """What an array that was cut has of its next element."""


def encode_json_array(body: bytes, origin: Origin) -> StreamBody | None:
    """The elements of an array, None where the body is no array of objects.

    What an array that was cut has of its last element is the last entry.
    """
    array = _split(body.decode(errors="surrogateescape"))
    if array is None:
        return None
    before, *between, after = array.separators
    usual = between[0] if between else _BETWEEN
    looks = Looks(_HABIT)
    entries: list[JSON] = []
    differences: dict[int, Framing] = {}
    for index, element in enumerate(array.elements):
        payload = encode_payload(element, looks)
        difference: Framing = {"data": element} if payload.padding else payload.differences
        entries.append(tag_json(payload.value, label_of(payload.value, origin.path)))
        if index and between[index - 1] != usual:
            difference["before"] = between[index - 1]
        if difference:
            differences[index] = difference
    if array.rest:
        differences[len(entries)] = {"rest": True}
        entries.append(tag(TEXT, array.rest))
    framing = looks.framing()
    for key, text, habit in (
        ("before", before, _BEFORE),
        ("between", usual, _BETWEEN),
        ("end", after, _AFTER),
    ):
        if text != habit:
            framing[key] = text
    return StreamBody(entries, with_events(framing, differences, []))


def decode_json_array(entries: list[JSON], framing: Framing, _origin: Origin) -> Iterator[str]:
    """The text of the array, element by element."""
    looks = Looks.from_framing(_HABIT, framing)
    between = text_of(framing, "between", _BETWEEN)
    opening = text_of(framing, "before", _BEFORE)

    def decode_element(entry: JSON, differences: Framing, _padding: int) -> str:
        if differences.get("rest") is True:
            return expect_text(untag_json(entry), "response.body")
        wrapped = entry if isinstance(entry, dict) and DATA in entry else {DATA: entry}
        return text_of(differences, "before", between) + decode_payload(
            wrapped, differences, 0, looks
        )

    for index, text in enumerate(decode_each(entries, framing, decode_element)):
        yield text if index else opening + text.removeprefix(between)
    yield text_of(framing, "end", _AFTER)


def _split(body: str) -> _Array | None:
    """The elements of an array of objects and what stands around them."""
    elements: list[str] = []
    separators: list[str] = []
    place = 0
    while (start := body.find("{", place)) >= 0:
        separator = body[place:start]
        if separator.strip() != ("," if elements else "["):
            return None
        try:
            _value, end = _decoder.raw_decode(body, start)
        except (ValueError, RecursionError):
            return _Array(elements, [*separators, ""], body[place:]) if elements else None
        separators.append(separator)
        elements.append(body[start:end])
        place = end
    separators.append(body[place:])
    if elements and separators[-1].strip() in ("", ","):
        return _Array(elements, [*separators[:-1], ""], separators[-1])
    return _Array(elements, separators) if elements and separators[-1].strip() == "]" else None
