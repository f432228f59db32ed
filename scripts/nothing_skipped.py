"""pytest plugin for .ci/run: of each of these markers there are tests, and none is skipped."""

from __future__ import annotations

from collections.abc import Generator

import pytest

REQUIRED = ("shared", "aimock")
_seen: set[str] = set()


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


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note which markers there are, also where workers run the tests."""
    _seen.update(set(REQUIRED) & report.keywords.keys())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A marker that no test has any more fails the run."""
    is_worker = hasattr(session.config, "workerinput")
    if not is_worker and (absent := set(REQUIRED) - _seen):
        print(f"\nno test is marked {', '.join(sorted(absent))}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
