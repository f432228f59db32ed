"""Recordings of two cassettes, or of two trees of them, compared one with one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from vcr_llm._conversation import (
    Change,
    Kind,
    Remainder,
    changes_between,
    conversation_of,
    paired,
    remainder_of,
)
from vcr_llm._recording import says_the_same
from vcr_llm.cli._recordings import Cassette, Loaded, cassettes_below, load_cassette
from vcr_llm.cli._tree import Walk

SAME = "same"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two recordings that belong together, or one that has no other, and what changed."""

    old: Loaded | None
    new: Loaded | None
    changes: tuple[Change, ...] = ()
    remainder: Remainder = field(default_factory=Remainder)

    @property
    def state(self) -> str:
        """What became of the recording."""
        if self.old is None or self.new is None:
            return str(Kind.ADDED if self.old is None else Kind.REMOVED)
        return str(Kind.CHANGED) if self.changes or self.remainder.changes else SAME


def by_place(root: Path, walk: Walk) -> dict[Path, Path]:
    """The cassettes below a path, by their places in its tree."""
    found = cassettes_below([root], walk)
    return {place if root.is_dir() else Path(): path for path, place in found}


def loaded_or_empty(path: Path | None, otherwise: Path) -> Cassette:
    """A cassette; one that is not there, or is git's empty file, has no recordings."""
    if path is None or os.fspath(path) == os.devnull:
        return Cassette(path or otherwise)
    return load_cassette(path)


def compare(old: Cassette, new: Cassette) -> list[Comparison]:
    """What became of each recording of a cassette."""
    befores, afters = old.recordings, new.recordings
    pairs = paired([one.document for one in befores], [one.document for one in afters])
    return [
        _comparison(
            None if pair.old is None else befores[pair.old],
            None if pair.new is None else afters[pair.new],
        )
        for pair in pairs
    ]


def _comparison(old: Loaded | None, new: Loaded | None) -> Comparison:
    if old is None or new is None or says_the_same(old.document, new.document):
        return Comparison(old, new)
    changes = changes_between(conversation_of(old.document), conversation_of(new.document))
    rest = Remainder() if changes else remainder_of(old.document, new.document)
    return Comparison(old, new, tuple(changes), rest)
