"""Newline-delimited JSON <-> entries (https://github.com/ndjson/ndjson-spec)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vcr_llm._event_stream import Syntax
from vcr_llm._framing import (
    Framing,
    Looks,
    StreamBody,
    decode_each,
    decode_payload,
    encode_payload,
    text_of,
    with_events,
)
from vcr_llm._habits import Origin, StreamHabit
from vcr_llm._json import JSON
from vcr_llm._labels import label_of
from vcr_llm._tagged import DATA, TEXT, tag, tag_json

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_HABIT = StreamHabit("\n", "compact", done=False)


def split_lines(body: bytes) -> Iterator[str]:
    """The lines of a body with their ends; what comes after the last end is a line, too."""
    for line in _LINE.finditer(body):
        yield line[0].decode(errors="surrogateescape")


def encode_ndjson(body: bytes, origin: Origin) -> StreamBody:
    """Newline-delimited JSON (https://github.com/ndjson/ndjson-spec): one value per line."""
    looks = Looks(_HABIT)
    entries: list[JSON] = []
    differences: dict[int, Framing] = {}
    for index, line in enumerate(split_lines(body)):
        text = line.rstrip("\r\n")
        payload = encode_payload(text, looks)
        end = line[len(text) :]
        if index == 0 and end:
            looks.syntax = Syntax(line_end=end)
        difference: Framing = {"data": text} if payload.padding else payload.differences
        if payload.is_text:
            entries.append(tag(TEXT, payload.value))
        else:
            label = label_of(payload.value, origin.path, is_event=True)
            entries.append(tag_json(payload.value, label))
        if end != looks.syntax.line_end:
            difference["end"] = end
        if difference:
            differences[index] = difference
    return StreamBody(entries, with_events(looks.framing(), differences, []))


def decode_ndjson(entries: list[JSON], framing: Framing, _origin: Origin) -> Iterator[str]:
    looks = Looks.from_framing(_HABIT, framing)

    def decode_line(entry: JSON, differences: Framing, _padding: int) -> str:
        wrapped = entry if isinstance(entry, dict) and DATA in entry else {DATA: entry}
        text = decode_payload(wrapped, differences, 0, looks)
        return text + text_of(differences, "end", looks.syntax.line_end)

    yield from decode_each(entries, framing, decode_line)
