"""Which files and directories a command works on, and where in the other tree their results go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from vcr_llm._recording_directory import FAILED

_NEVER_ENTERED = frozenset({".git", ".hg", ".svn", ".venv", "__pycache__", "node_modules"})


class Found(NamedTuple):
    """Something to work on, and its place below the root under which it was found."""

    path: Path
    place: Path


class Problem(NamedTuple):
    """A path with which something is wrong, and what it is."""

    path: Path
    reason: str


@dataclass(slots=True)
class Walk:
    """A walk over trees. Links are followed, but for those that lead back to where they are."""

    is_wanted: Callable[[os.DirEntry[str]], bool]
    excluded: Path | None = None
    follows_links: bool = True
    sees_failed: bool = False
    """Whether it sees what failed tests have recorded, which is in no cassette yet."""
    problems: list[Problem] = field(default_factory=list)
    _followed: set[str] = field(default_factory=set)

    def over(self, roots: Sequence[Path]) -> Iterator[Found]:
        """All that is wanted below the roots, in the order of names."""
        for root in roots:
            if root.is_dir():
                for path in self._below(root):
                    yield Found(path, path.relative_to(root))
            else:
                yield Found(root, Path(root.name))

    def _below(self, folder: Path) -> Iterator[Path]:
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            self.problems.append(Problem(folder, f"cannot be read: {error.strerror}"))
            return
        for entry in entries:
            if entry.name == FAILED and not self.sees_failed:
                continue
            path = folder / entry.name
            if self.is_wanted(entry):
                yield path
            if self._is_entered(entry, path):
                yield from self._below(path)

    def _is_entered(self, entry: os.DirEntry[str], path: Path) -> bool:
        if entry.name in _NEVER_ENTERED or not _is_dir(entry) or self._is_excluded(path):
            return False
        if not entry.is_symlink():
            return True
        if not self.follows_links:
            return False
        target = os.path.realpath(path)
        if Path(os.path.realpath(path.parent)).is_relative_to(target):
            self.problems.append(Problem(path, "is a link to a directory that it is in; left out"))
            return False
        is_first = target not in self._followed
        self._followed.add(target)
        return is_first

    def _is_excluded(self, path: Path) -> bool:
        return self.excluded is not None and path.absolute() == self.excluded.absolute()


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
