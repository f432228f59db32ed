"""The pytest plugin: hooks, nothing else.

It is loaded in every run, so it imports nothing of vcrpy, httpx or ours until a test asks for our
serializer. Its entry point is called ``vcr_llm``: pytest-recording refuses to start beside a
plugin called ``vcr``.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from vcr_llm._drift_report import VERIFY, verify_problem
from vcr_llm._ledger import LEDGER
from vcr_llm._miss_reports import MissListing, add_misses
from vcr_llm._modes import mode_problem
from vcr_llm._run_end import PRUNE, SUMMARY, RunEnd
from vcr_llm._run_uses import RunUses, is_worker
from vcr_llm._whole_run import WholeRun

if TYPE_CHECKING:
    import vcr

    from vcr_llm._test_run import TestRun

_RUN: pytest.StashKey[TestRun] = pytest.StashKey()
_USES = pytest.StashKey[RunUses]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of a run."""
    group = parser.getgroup("vcr-llm", "recordings of LLM traffic (vcr-llm)")
    group.addoption(
        SUMMARY,
        metavar="FILE",
        help="Write what was replayed, recorded, missed and not spent as JSON.",
    )
    group.addoption(
        PRUNE,
        action="store_true",
        help="After a whole and green run, remove the recordings that no test played.",
    )
    group.addoption(
        VERIFY,
        action="store_true",
        help="Send what is replayed, too; fail if the shape of an answer is not the recorded one.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot work before any test runs, and begin to keep the books."""
    if problem := mode_problem() or verify_problem(config):
        raise pytest.UsageError(problem)
    uses = config.stash[_USES] = RunUses()
    config.pluginmanager.register(_Run(config, uses), "vcr_llm_run")
    LEDGER.open(verifies=config.getoption(VERIFY))
    config.add_cleanup(LEDGER.close)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """Note which test pytest-recording opens a cassette for."""
    if fixturedef.argname not in ("vcr", "block_network") or not _is_recorded(request):
        return (yield)
    from vcr_llm._test_run import TestRun

    run = TestRun.of(request)
    run.take_environment(request.getfixturevalue("vcr_markers"))
    if fixturedef.argname == "block_network":
        return (yield)
    run = TestRun.of(request)
    request.config.stash[_RUN] = request.node.stash[_RUN] = run
    try:
        cassette = yield
    finally:
        del request.config.stash[_RUN]
    if hasattr(cassette, "misses"):
        run.watch(request.config.rootpath, cassette)
        request.addfinalizer(run.end_watch)  # runs before the cassette is left
    return cassette


@pytest.hookimpl(optionalhook=True)
def pytest_recording_configure(config: pytest.Config, vcr: vcr.VCR) -> None:
    """Give our serializer its cassette; every other one stays vcrpy's."""
    run = config.stash.get(_RUN, None)
    if run is None:
        return
    use_host_cassette = vcr._use_cassette

    def use_cassette(**options: Any) -> Any:
        if options.get("serializer", vcr.serializer) == "llm":
            from vcr_llm._recorder import equip

            equip(vcr)
            return run.use_cassette(vcr, use_host_cassette, options)
        if "llm_body" in (*options.get("match_on", ()), *options.get("additional_matchers", ())):
            from vcr_llm.matchers import llm_body

            vcr.register_matcher("llm_body", llm_body)
        return use_host_cassette(**options)

    # The one point at which the merged options and the path are known (pytest-recording 0.14.1).
    setattr(vcr, "_use_cassette", use_cassette)  # noqa: B010 - mypy lets no method be replaced


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what an SDK may have hidden, keep secrets out, remember whether the test failed."""
    report = yield
    run = item.stash.get(_RUN, None)
    misses = _misses_of_fixtures(item.config)
    if run is not None:
        misses = "\n\n".join(filter(None, (misses, run.misses(has_failed=report.failed))))
    if run is not None and call.when != "teardown":
        run.has_passed = call.when == "call" and not report.failed
        run.is_green = call.when == "call" and report.passed and not hasattr(report, "wasxfail")
    if misses:
        add_misses(report, misses)
    if run is not None and run.cassette is not None and report.failed:
        from vcr_llm._redaction import Redaction
        from vcr_llm._report import redact_report

        redact_report(report, Redaction(run.cassette.plan.options.redact))
    item.config.stash[_USES].attach(item, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Settle the cassette when the end of every fixture has told how the test went."""
    run = item.stash.get(_RUN, None)
    if run is None:
        return (yield)
    try:
        yield
    except BaseException:
        run.finish(has_raised=True)
        raise
    run.finish(has_raised=False)
    run.judge(item, has_others=item.config.stash[_USES].last_busy == item.nodeid)


class _Run:
    """Tells what the cassettes of the whole run did."""

    def __init__(self, config: pytest.Config, uses: RunUses) -> None:
        self._uses = uses
        self._whole = WholeRun(config)
        self._misses = MissListing()
        self._end = None if is_worker(config) else RunEnd(config, uses, self._whole)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note that tests are left out."""
        self._whole.deselected(len(items))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note how many are not."""
        self._whole.collected(len(session.items))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note modules that are skipped."""
        self._whole.reported(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test's report carries, from whatever process it comes."""
        if self._end is not None:
            self._whole.reported(report)
            self._uses.gather(report)
            self._misses.take(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker of pytest-xdist sent with its end; one that died sent nothing."""
        output = getattr(node, "workeroutput", {})
        self._uses.gather_from_worker(output)
        self._whole.received(output)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Settle the run when its last fixture is gone and before the terminal tells of it."""
        yield
        self._uses.end(session.config)
        if self._end is None:
            self._whole.send()
        else:
            self._end.settle(session)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell of it."""
        if self._end is not None:
            self._misses.tell(terminalreporter)
            self._end.tell(terminalreporter)


def _misses_of_fixtures(config: pytest.Config) -> str:
    """What `cassette_fixture` has to tell, where anybody has imported it."""
    fixtures = sys.modules.get("vcr_llm._fixtures")
    return "" if fixtures is None else str(fixtures.take_misses(config))


def _is_recorded(request: pytest.FixtureRequest) -> bool:
    """Whether the test is marked, and pytest-recording is there and not switched off."""
    if request.node.get_closest_marker("vcr") is None:
        return False
    return request.config.getoption("--disable-recording", default=True) is False
