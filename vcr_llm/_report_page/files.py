"""The files of a report: scripts that hand JSON to the page, since `fetch` reads no local files.

JSON stands in a string, which the page parses: an object of a recording that has a member
``__proto__`` is an object like any other. Nothing in such a file but our own call is code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from vcr_llm._redaction import Redaction
from vcr_llm._report_page.recording import PageRecording, Row

ASSETS = (
    "index.html",
    "report.css",
    "theme.js",
    "dom.js",
    "data.js",
    "filters.js",
    "list.js",
    "conversation.js",
    "timeline.js",
    "changes.js",
    "details.js",
    "report.js",
)
"""The files of the page itself, which are the same in every report."""

_FORMAT = 1
_MOST_DETAILS = 256 * 1024  # characters in a file, but that one recording may be larger
_MOST_TEXTS = 2 * 1024 * 1024
_TABLES = ("cassette", "test", "method", "model", "endpoint", "outcome", "state")
"""The columns whose values repeat: each stands in a table once, and rows name its place."""

# A script is closed by its element's end tag even inside of a string, where it stands in a page.
_CODE = re.compile(r"[<>&'\u2028\u2029]")


class Heading(NamedTuple):
    """What a report is about: what it was made of, what it is compared with, whose clock it has."""

    title: str
    base: str | None = None
    now: str | None = None


@dataclass(slots=True)
class _Index:
    rows: list[list[object]] = field(default_factory=list)
    tables: dict[str, dict[object, int]] = field(
        default_factory=lambda: {name: {} for name in _TABLES}
    )
    texts: dict[str, list[int]] = field(default_factory=dict)

    def add(self, recording: PageRecording, shard: int) -> None:
        number = len(self.rows)
        self.rows.append([*map(self._cell, Row._fields, recording.row), shard])
        for text in dict.fromkeys(recording.texts):
            if text:
                self.texts.setdefault(text.lower(), []).append(number)

    def _cell(self, name: str, value: object) -> object:
        table = self.tables.get(name)
        return value if table is None else table.setdefault(value, len(table))


def report_files(
    recordings: Iterable[PageRecording], heading: Heading, problems: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """The data of a report: names of files and their contents, each as soon as it is whole.

    The problems are looked at when all recordings have come.
    """
    index = _Index()
    shard: list[str] = []
    number = size = 0
    for recording in recordings:
        if shard and size + len(recording.details) > _MOST_DETAILS:
            yield _script(f"d{number}", _object(shard))
            shard, number, size = [], number + 1, 0
        index.add(recording, number)
        shard.append(f"{json.dumps(recording.row.id)}:{recording.details}")
        size += len(recording.details)
    if shard:
        yield _script(f"d{number}", _object(shard))
    text_files = list(_text_files(index.texts))
    yield from text_files
    yield _script("index", _compact(_whole(index, heading, problems, len(text_files))))


def _whole(
    index: _Index, heading: Heading, problems: Iterable[tuple[str, str]], text_files: int
) -> dict[str, object]:
    return {
        "format": _FORMAT,
        **heading._asdict(),
        "columns": [*Row._fields, "shard"],
        "tables": {name: list(table) for name, table in index.tables.items()},
        "rows": index.rows,
        "problems": [[*map(Redaction().text, problem)] for problem in problems],
        "text_files": text_files,
    }


def _text_files(texts: dict[str, list[int]]) -> Iterator[tuple[str, str]]:
    """Each text once, with the rows of the recordings in which it is said."""
    pending: list[tuple[str, list[int]]] = []
    number = size = 0
    for entry in texts.items():
        pending.append(entry)
        size += len(entry[0])
        if size > _MOST_TEXTS:
            yield _script(f"t{number}", _compact(pending))
            pending, number, size = [], number + 1, 0
    if pending:
        yield _script(f"t{number}", _compact(pending))


def _script(name: str, content: str) -> tuple[str, str]:
    """A file that hands JSON to the page."""
    escaped = _CODE.sub(_escaped, content.replace("\\", "\\\\"))
    return f"data/{name}.js", f"vcrLlmReport.receive('{name}', '{escaped}');\n"


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _object(members: list[str]) -> str:
    return f"{{{','.join(members)}}}"
