"""What each use of a cassette did, for whoever tells of the run when it is over.

Cassettes write into the ledger when they are left, tests' own and all others. Outside pytest
nobody reads it, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CassetteUse:
    """What came of a cassette between the moment it was opened and the one it was left."""

    path: str
    """The directory, from the root of the file system."""
    record_mode: str
    test_id: str | None = None
    """The test in which it was opened, None outside any."""
    is_tests_own: bool = False
    """Whether it is the cassette of a marked test, which pytest-recording opened."""
    is_flat: bool = False
    """Whether many tests share the directory, of which each sees its own recordings."""
    has_passed: bool = True
    played: Mapping[str, int] = field(default_factory=dict)
    """How often each file was played, by its path from the root of the file system."""
    played_elsewhere: int = 0
    """How often something was played that is in no file of ours, as with old cassettes."""
    written: Sequence[str] = ()
    """The files that it wrote; others may have been written when it was left."""
    recorded: int = 0
    missed: int = 0

    @property
    def replayed(self) -> int:
        """How many requests it answered."""
        return sum(self.played.values()) + self.played_elsewhere

    @property
    def is_idle(self) -> bool:
        """Whether it did nothing at all."""
        return not (self.replayed or self.recorded or self.missed)


class Ledger:
    """The uses that nobody has taken yet, of the pytest run that began last."""

    def __init__(self) -> None:
        self._runs: list[list[CassetteUse]] = []  # pytest may run within pytest

    @property
    def is_open(self) -> bool:
        """Whether somebody wants to know."""
        return bool(self._runs)

    def open(self) -> None:
        """A run begins."""
        self._runs.append([])

    def close(self) -> None:
        """It is over."""
        self._runs.pop()

    def note(self, use: CassetteUse) -> None:
        """Write a use down, where somebody wants to know."""
        if self._runs:
            self._runs[-1].append(use)

    def take(self) -> list[CassetteUse]:
        """What was written down since somebody took it last."""
        if not self._runs or not self._runs[-1]:
            return []
        taken, self._runs[-1] = self._runs[-1], []
        return taken


LEDGER = Ledger()
