"""One marked test: how its cassette is to be used, and what came of it.

pytest-recording's hook says neither which test it is called for nor what its marks merge into, so
both are taken from the fixtures that pytest-recording documents (0.14.1).
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcr_llm._config import SERIALIZER, unknown_options
from vcr_llm._modes import LIVE, mode_from_environment, mode_word
from vcr_llm._test_names import name_in_command, test_id_of

if TYPE_CHECKING:
    import pytest
    import vcr

    from vcr_llm._cassette import RecordingCassette
    from vcr_llm._network_watch import NetworkWatch


@dataclass(slots=True)
class TestRun:
    """A test that is marked with ``vcr``."""

    __test__ = False  # pytest, this is not a test

    test_id: str
    name_in_command: str
    merged: dict[str, Any]
    record_mode: str
    cassette_name: str
    takes_environment: bool
    """Whether ``VCR_LLM_MODE`` decides: neither the command line nor the test's marks do."""
    has_passed: bool = False
    """Whether the test's body has run and has not failed; an interrupted one has not."""
    is_green: bool = False
    """Whether the body has also run to its end: it was not skipped, nor did it fail as expected."""
    cassette: RecordingCassette | None = None
    _told_misses: int = 0
    _watch: NetworkWatch | None = None

    @classmethod
    def of(cls, request: pytest.FixtureRequest) -> TestRun:
        """The run of the test that a fixture is set up for."""
        node: pytest.Item = request.node
        merged = dict(request.getfixturevalue("vcr_config"))
        for mark in reversed(request.getfixturevalue("vcr_markers")):
            merged.update(mark.kwargs)
        asked = request.config.getoption("--record-mode")
        return cls(
            test_id=test_id_of(node),
            name_in_command=name_in_command(node),
            merged=merged,
            record_mode=merged.get("record_mode", request.getfixturevalue("record_mode")),
            cassette_name=request.getfixturevalue("default_cassette_name"),
            takes_environment=asked is None and "record_mode" not in merged,
        )

    @property
    def is_ours(self) -> bool:
        """Whether the test's configuration names our serializer."""
        return self.merged.get("serializer") == SERIALIZER

    def take_environment(self, marks: list[pytest.Mark]) -> None:
        """Add the mode of ``VCR_LLM_MODE`` to the test's marks, as the weakest of them.

        pytest-recording looks at the marks wherever it asks for the mode: before it blocks the
        network, and before it opens the cassette.
        """
        mode = mode_from_environment() if self.is_ours and self.takes_environment else None
        if mode is not None:
            import pytest

            marks.append(pytest.mark.vcr(record_mode=mode).mark)

    def finish(self, *, has_raised: bool) -> None:
        """Settle the cassette of a test that has passed, now that its fixtures are gone."""
        if self.cassette is not None and self.has_passed:
            self.cassette.finish(has_raised=has_raised)

    def watch(self, root: Path, cassette: RecordingCassette) -> None:
        """Begin to look for what the test sends past its cassette."""
        from vcr_llm._network_watch import NetworkWatch
        from vcr_llm._tools_at_work import is_tools_own

        self.cassette = cassette
        is_recorded = partial(is_tools_own, cassette)
        self._watch = NetworkWatch(root, self.merged, is_recorded=is_recorded)
        self._watch.start()

    def end_watch(self) -> None:
        """The cassette is about to be left."""
        if self._watch is not None:
            self._watch.stop()

    def judge(self, item: pytest.Item, *, has_others: bool) -> None:
        """Say what is odd about a test that is over; fail it where its options say so.

        ``has_others`` says that cassettes beside the test's own were used in it.
        """
        if self.cassette is None:
            return
        from vcr_llm._expiry import judge_age
        from vcr_llm._interception import warn_of_connections, warn_of_nothing
        from vcr_llm._leftovers import judge_unplayed

        connections = self._watch.found if self._watch is not None else []
        warn_of_connections(item, connections)
        if not self.is_green:
            return
        is_idle = (
            not self.cassette.has_been_asked and self.cassette.account(has_failed=False).is_idle
        )
        if is_idle and not has_others and not connections:
            warn_of_nothing(item, self.cassette)
        judge_age(item, self.cassette)
        judge_unplayed(item, self.cassette)

    def use_cassette(
        self,
        host: vcr.VCR,
        use_host_cassette: Callable[..., AbstractContextManager[Any]],
        options: Mapping[str, Any],
    ) -> AbstractContextManager[Any]:
        """The context of the test's cassette."""
        from vcr_llm._errors import VcrLlmWarning
        from vcr_llm._plan import Plan
        from vcr_llm._recorder import open_cassette

        if self.takes_environment and mode_word() == LIVE:
            return nullcontext(None)
        for sentence in unknown_options(options):
            warnings.warn(sentence, VcrLlmWarning, stacklevel=2)
        plan = Plan(
            test_id=self.test_id,
            name_in_command=self.name_in_command,
            is_test=True,
            extra_paths=tuple(getattr(host.persister, "extra_paths", ())),
            old_names=_old_names(self.cassette_name),
            has_failed=lambda: not self.has_passed,
            is_finished_later=lambda: self.has_passed,
        )
        # pytest-recording has made "new_episodes" of "rewrite" before it asks.
        options = {**options, "record_mode": self.record_mode}
        context: AbstractContextManager[Any]
        context = open_cassette(host, use_host_cassette, options, lambda: plan)
        return context

    def misses(self, *, has_failed: bool) -> str:
        """A text about the requests that no recording answered, empty for none.

        A failure is shown with all of them, each report of what passed with those since the last.
        """
        if self.cassette is None:
            return ""
        told, self._told_misses = self._told_misses, len(self.cassette.misses)
        return "\n\n".join(self.cassette.misses[0 if has_failed else told :])


def _old_names(name: str) -> tuple[str, ...]:
    """What pytest-recording calls the cassette of a test whose name is too long for a file.

    How much it cuts depends on the serializer's name (pytest-recording 0.14.1).
    """
    from pytest_recording._vcr import MAX_FILENAME_LEN

    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return tuple(
        f"{name[: MAX_FILENAME_LEN - len(suffix) - len(digest) - 3]}...{digest}"
        for suffix in (".yaml", "yaml")
        if len(name) + len(suffix) > MAX_FILENAME_LEN
    )
