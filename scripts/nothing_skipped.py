"""pytest plugin for .ci/run: no test of these markers is skipped."""

from __future__ import annotations

from collections.abc import Generator

import pytest

REQUIRED = ("shared", "aimock")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test of a required marker counts as failed; an expected failure stays one."""
    report = yield
    marked = any(map(item.get_closest_marker, REQUIRED))
    if marked and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"must not be skipped here: {report.longreprtext}"
    return report
