"""What the cassettes of a whole run did, wherever its tests ran.

A test's report carries what was written into the ledger since the report before, so that nothing
is lost of a worker of pytest-xdist that dies. What comes after the last report, such as the end
of a cassette of the whole session, a worker sends when it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vcr_llm._ledger import LEDGER

if TYPE_CHECKING:
    from vcr_llm._cassette_use import CassetteUse

_CARRIED = "vcr_llm_uses"
_NAMED = "vcr_llm_named_cassettes"


class RunUses:
    """The uses of cassettes, gathered where the run is told of."""

    def __init__(self) -> None:
        self.all: list[CassetteUse] = []
        self.spared: set[str] = set()
        """The names of cassettes that skipped tests name in their marks."""
        self.last_busy: str | None = None
        """The last test in which another cassette than its mark's did something."""

    def attach(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Give a report what was written down in this process, as plain values."""
        taken = LEDGER.take()
        if taken:
            setattr(report, _CARRIED, _carried(taken))
        if any(not (use.is_tests_own or use.is_idle) for use in taken):
            self.last_busy = item.nodeid
        if report.skipped and (named := _named_cassettes(item)):
            setattr(report, _NAMED, named)

    def gather(self, report: pytest.TestReport) -> None:
        """Take what a report carries."""
        self._add(getattr(report, _CARRIED, ()))
        self.spared.update(getattr(report, _NAMED, ()))

    def gather_from_worker(self, output: dict[str, Any]) -> None:
        """Take what a worker sent when it ended."""
        self._add(output.get(_CARRIED, ()))

    def end(self, config: pytest.Config) -> None:
        """The tests are over: take the rest, or send it to the process that tells of the run."""
        output: dict[str, Any] | None = getattr(config, "workeroutput", None)
        if output is None:
            self._add(_carried(LEDGER.take()))
        else:
            output[_CARRIED] = _carried(LEDGER.take())

    def _add(self, carried: Any) -> None:
        if carried:
            from vcr_llm._cassette_use import CassetteUse

            self.all += [CassetteUse(**values) for values in carried]


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one that tells of them."""
    return hasattr(config, "workerinput")


def _named_cassettes(item: pytest.Item) -> list[str]:
    """The names of the cassettes that a test's marks name, with and without a suffix."""
    marks = [mark for name in ("vcr", "default_cassette") for mark in item.iter_markers(name)]
    paths = [Path(arg) for mark in marks for arg in mark.args if isinstance(arg, str)]
    return [name for path in paths for name in (path.name, path.stem)]


def _carried(uses: Sequence[CassetteUse]) -> list[dict[str, Any]]:
    return list(map(asdict, uses))
