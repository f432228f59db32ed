"""What each use of a cassette did, for whoever tells of the run when it is over.

Cassettes write into the ledger when they are left, tests' own and all others. Outside pytest
nobody reads it, and nothing is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcr_llm._cassette_use import CassetteUse


class _Run:
    def __init__(self, *, verifies: bool) -> None:
        self.verifies = verifies
        self.uses: list[CassetteUse] = []


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
