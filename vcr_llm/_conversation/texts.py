"""What changed in a text: line by line, and word by word where a line is still much the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 1000  # comparing takes time with their square
_SIMILAR = 0.5
_CONTEXT = 1


class Fate(StrEnum):
    """What became of a piece of text."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


class Piece(NamedTuple):
    """A piece of a line, and what became of it."""

    text: str
    fate: Fate = Fate.KEPT


class ChangedLine(NamedTuple):
    """A line of a text that changed: one that is there before and after has pieces of all fates.

    ``fate`` is None for such a line, and for the place where lines that stayed are left out, which
    has no pieces.
    """

    pieces: tuple[Piece, ...]
    fate: Fate | None = None


def changed_lines(old: str, new: str) -> list[ChangedLine]:
    """The lines of two texts that differ, with a line around them that does not."""
    before, after = old.split("\n"), new.split("\n")
    matcher = SequenceMatcher(None, before, after, autojunk=len(before) > _MOST_WORDS)
    lines: list[ChangedLine] = []
    for operation, first, last, start, stop in matcher.get_opcodes():
        if operation == "equal":
            is_last = (last, stop) == (len(before), len(after))
            lines += _kept(before[first:last], is_first=first == start == 0, is_last=is_last)
        else:
            lines += _changed(before[first:last], after[start:stop])
    return lines


def similarity(old: str, new: str) -> float:
    """How alike two texts are, from 0 to 1, by their words."""
    before, after = _words(old), _words(new)
    if max(len(before), len(after)) > _MOST_WORDS:
        before, after = before[:_MOST_WORDS], after[:_MOST_WORDS]
    return SequenceMatcher(None, before, after, autojunk=False).ratio()


def _kept(lines: Sequence[str], *, is_first: bool, is_last: bool) -> Iterator[ChangedLine]:
    """The lines that stayed, all but those next to a change left out."""
    head = 0 if is_first else _CONTEXT
    tail = 0 if is_last else _CONTEXT
    if len(lines) <= head + tail + (not is_first and not is_last):
        yield from map(_whole, lines)
        return
    yield from map(_whole, lines[:head])
    yield ChangedLine(())
    yield from map(_whole, lines[len(lines) - tail :])


def _whole(line: str, fate: Fate = Fate.KEPT) -> ChangedLine:
    return ChangedLine((Piece(line, fate),), fate)


def _changed(before: Sequence[str], after: Sequence[str]) -> Iterator[ChangedLine]:
    """Lines instead of others; as many as before are compared one with one."""
    pairs = list(zip(before, after, strict=True)) if len(before) == len(after) else []
    if pairs and all(_is_similar(old, new) for old, new in pairs):
        yield from (ChangedLine(tuple(_pieces(old, new))) for old, new in pairs)
        return
    yield from (_whole(line, Fate.REMOVED) for line in before)
    yield from (_whole(line, Fate.ADDED) for line in after)


def _is_similar(old: str, new: str) -> bool:
    longest = max(len(_words(old)), len(_words(new)))
    return longest <= _MOST_WORDS and similarity(old, new) >= _SIMILAR


class _Run(NamedTuple):
    """Words that stayed, or words and what came instead of them."""

    before: str
    after: str
    is_kept: bool


def _pieces(old: str, new: str) -> Iterator[Piece]:
    for run in _joined(list(_runs(old, new))):
        if run.is_kept:
            yield Piece(run.before)
            continue
        if run.before:
            yield Piece(run.before, Fate.REMOVED)
        if run.after:
            yield Piece(run.after, Fate.ADDED)


def _runs(old: str, new: str) -> Iterator[_Run]:
    before, after = _words(old), _words(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for operation, first, last, start, stop in matcher.get_opcodes():
        words = "".join(before[first:last]), "".join(after[start:stop])
        yield _Run(*words, is_kept=operation == "equal")


def _joined(runs: Sequence[_Run]) -> list[_Run]:
    """The runs, of which those with nothing but a space between them are one."""
    joined: list[_Run] = []
    for run in runs:
        match joined[-2:], run:
            case [_Run(is_kept=False) as last, _Run(is_kept=True, before=space)], _Run(
                is_kept=False
            ) if space.isspace():
                both = last.before + space + run.before, last.after + space + run.after
                joined[-2:] = [_Run(*both, is_kept=False)]
            case _:
                joined.append(run)
    return joined


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
