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
    compared: int = 0
    """How many answers were compared with what the server says now."""
    drift: Sequence[tuple[str, str]] = ()
    """What differs: the path of a recording, and what is said of it."""

    @property
    def replayed(self) -> int:
        """How many requests it answered."""
        return sum(self.played.values()) + self.played_elsewhere

    @property
    def is_idle(self) -> bool:
        """Whether it did nothing at all."""
        return not (self.replayed or self.recorded or self.missed)

    @property
    def is_verified(self) -> bool:
        """Whether what it answered was sent all the same, to compare the answers."""
        return bool(self.compared or self.drift)


@dataclass(slots=True)
class _Run:
    verifies: bool
    uses: list[CassetteUse] = field(default_factory=list)


class Ledger:
    """The uses that nobody has taken yet, of the pytest run that began last."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []  # pytest may run within pytest

    @property
    def is_open(self) -> bool:
        """Whether somebody wants to know."""
        return bool(self._runs)

    @property
    def verifies(self) -> bool:
        """Whether the run is one that sends recorded requests again, to compare the answers."""
        return bool(self._runs) and self._runs[-1].verifies

    def open(self, *, verifies: bool = False) -> None:
        """A run begins."""
        self._runs.append(_Run(verifies=verifies))

    def close(self) -> None:
        """It is over."""
        self._runs.pop()

    def note(self, use: CassetteUse) -> None:
        """Write a use down, where somebody wants to know."""
        if self._runs:
            self._runs[-1].uses.append(use)

    def take(self) -> list[CassetteUse]:
        """What was written down since somebody took it last."""
        if not self._runs:
            return []
        taken, self._runs[-1].uses = self._runs[-1].uses, []
        return taken


LEDGER = Ledger()
