"""The end of a run: the summary in a line, and in the file that the user asked for."""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vcr_llm._drift_report import VERIFY, DriftReport
from vcr_llm._errors import RecordingError
from vcr_llm._run_uses import RunUses
from vcr_llm._whole_run import WholeRun

if TYPE_CHECKING:
    from vcr_llm._pruning import Pruned
    from vcr_llm._run_summary import Summary

SUMMARY = "--vcr-llm-summary"
PRUNE = "--vcr-llm-prune"


class RunEnd:
    """What is told when all tests are over, in the process that the user started.

    What cannot be written is told at the very end, and fails a run that has not failed anyway.
    """

    def __init__(self, config: pytest.Config, uses: RunUses, whole: WholeRun) -> None:
        self._config = config
        self._uses = uses
        self._whole = whole
        self._problems: list[str] = []
        self._pruned: Pruned | None = None
        self._not_pruned: str | None = None
        self._drift = DriftReport(config, uses) if config.getoption(VERIFY) else None
        given = config.getoption(SUMMARY)
        # Tests may change the working directory.
        self._file = config.invocation_params.dir / given if given else None
        if self._file is not None and self._file.exists() and not self._file.is_file():
            raise pytest.UsageError(f"{SUMMARY}={given}: is no regular file, which it has to be")

    def settle(self, session: pytest.Session) -> None:
        """Remove and write what is to be removed and written."""
        if self._drift is not None and self._drift.has_failed:
            self._problems.append(self._drift.summary)
        self._fail_for_problems(session)
        if self._config.getoption(PRUNE):
            self._prune(session)
        if self._file is not None:
            self._write_summary(self._file, int(session.exitstatus))
            self._fail_for_problems(session)
        if not self._config.pluginmanager.has_plugin("terminalreporter"):
            for problem in self._problems:
                print(problem, file=sys.stderr)  # noqa: T201 - there is no other way to tell

    def tell(self, terminal: pytest.TerminalReporter) -> None:
        """Say in a line what the run did, and what went wrong at its end."""
        terminal.ensure_newline()
        if self._is_told:
            from vcr_llm._run_summary import line_of

            terminal.write_line(line_of(self._summary))
        if self._drift is not None:
            self._drift.tell(terminal)
        for line in self._pruning_lines():
            terminal.write_line(line)
        for problem in self._problems:
            terminal.write_line(problem, red=True)

    def _fail_for_problems(self, session: pytest.Session) -> None:
        if self._problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @property
    def _is_told(self) -> bool:
        return bool(self._uses.all) and self._config.getoption("verbose") >= 0

    def _prune(self, session: pytest.Session) -> None:
        from vcr_llm._pruning import prune

        self._not_pruned = self._whole.lacks(int(session.exitstatus))
        if self._not_pruned is None:
            skipped = self._whole.skipped
            self._pruned = prune(self._uses.all, skipped=skipped, spared=self._uses.spared)

    def _pruning_lines(self) -> list[str]:
        if self._not_pruned is not None:
            return [f"vcr-llm: nothing was pruned, since the run was not whole: {self._not_pruned}"]
        if self._pruned is None:
            return []
        from vcr_llm._pruning import told

        return told(self._pruned, self._config.rootpath)

    @cached_property
    def _summary(self) -> Summary:
        from vcr_llm._run_summary import summary_of

        return summary_of(self._uses.all)

    def _write_summary(self, path: Path, exit_status: int) -> None:
        from vcr_llm._recording_directory import RecordingDirectory
        from vcr_llm._run_summary import summary_json

        root = self._config.rootpath
        pruned = [] if self._pruned is None else self._pruned.removed
        document = summary_json(self._summary, root=root, exit_status=exit_status, pruned=pruned)
        try:
            RecordingDirectory(path.parent).replace(document, path)
        except RecordingError as error:
            self._problems.append(f"vcr-llm: {SUMMARY}={path}: {error.problem}")
