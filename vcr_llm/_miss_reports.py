"""Requests that no recording answered, where pytest tells of a test and of the run."""

from __future__ import annotations

from typing import Any

import pytest

TITLE = "vcr-llm: requests that no recording answered"
_CARRIED = "vcr_llm_misses"
# Ways to print failures that leave out the sections of a report.
_SHORT_STYLES = ("no", "line")


def add_misses(report: pytest.TestReport, text: str) -> None:
    """Make the misses a section of a report.

    In a failure's own text it is told whatever pytest prints beside that, and in JUnit's XML too.
    """
    setattr(report, _CARRIED, text)
    shown: Any = report.longrepr
    if report.failed and hasattr(shown, "addsection"):
        shown.addsection(TITLE, text)
    elif report.failed and isinstance(shown, str):
        report.longrepr = f"{shown}\n\n{TITLE}\n{text}"
    else:
        report.sections.append((TITLE, text))


class MissListing:
    """The misses that no failure shows, listed when the run is over.

    Reports come here from every worker of pytest-xdist.
    """

    def __init__(self) -> None:
        self._passed: dict[str, str] = {}
        self._failed: dict[str, str] = {}

    def take(self, report: pytest.TestReport) -> None:
        """Keep what a report tells; of a test that fails, its failure tells it."""
        text: str | None = getattr(report, _CARRIED, None)
        if report.failed:
            self._passed.pop(report.nodeid, None)
        if text is not None and not report.skipped:
            (self._failed if report.failed else self._passed)[report.nodeid] = text

    def tell(self, terminal: pytest.TerminalReporter) -> None:
        """List those of tests that passed, and of others where failures are printed shortly."""
        _tell(terminal, "passed", self._passed)
        if terminal.config.getoption("tbstyle") in _SHORT_STYLES:
            _tell(terminal, "failed", self._failed)


def _tell(terminal: pytest.TerminalReporter, outcome: str, misses: dict[str, str]) -> None:
    if not misses:
        return
    terminal.section(f"{TITLE}, in tests that {outcome}")
    for nodeid, text in misses.items():
        terminal.line(nodeid, bold=True)
        terminal.line(text)
