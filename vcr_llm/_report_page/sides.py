"""Changes side by side: what a thing was, and what it is now, with the words that differ."""

from __future__ import annotations

from collections.abc import Sequence

from vcr_llm._conversation import Change, Data, Thing, plain
from vcr_llm._conversation.abridging import abridged, abridged_words
from vcr_llm._conversation.texts import ChangedLine, changed_lines


def sides_of(changes: Sequence[Change]) -> list[dict[str, object]]:
    """The changes for the page: texts by their lines, everything else as it was and is."""
    return [_sides(change) for change in changes]


def _sides(change: Change) -> dict[str, object]:
    old, new = change.old, change.new
    told: dict[str, object] = {"kind": str(change.kind), "subject": change.subject}
    if isinstance(old, str) and isinstance(new, str):
        lines = changed_lines(abridged_words(old), abridged_words(new))
        return {**told, "lines": [_line(line) for line in lines]}
    return {**told, "old": _plain(old), "new": _plain(new)}


def _line(line: ChangedLine) -> list[list[str]] | None:
    """The pieces of a line with their fates; None where lines that stayed are left out."""
    return [[str(piece.fate), piece.text] for piece in line.pieces] or None


def _plain(value: Thing | None) -> object:
    """A thing by its kind: ``data`` holds a JSON value, texts and numbers among them."""
    if value is None:
        return None
    if isinstance(value, Data):
        return {"type": "data", "value": plain(abridged(value.value))}
    if isinstance(value, str | int | tuple):
        return {"type": "data", "value": plain(value)}
    return {"type": type(value).__name__.lower(), **_members(plain(value))}


def _members(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
