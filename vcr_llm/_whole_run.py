"""Whether a run was the whole of a project's tests, and all of it went well."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

_SENT = "vcr_llm_collection"


class WholeRun:
    """What was collected, what of it was left out, and what ran.

    Where pytest-xdist runs the tests, each worker collects all of them, and sends what it saw.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._collected = 0
        self._deselected = 0
        self._ran: set[str] = set()
        self.skipped: set[str] = set()
        """The tests and modules that were skipped, or that failed as expected."""

    def collected(self, count: int) -> None:
        """So many tests are to run."""
        self._collected = count

    def deselected(self, count: int) -> None:
        """So many more are not."""
        self._deselected += count

    def reported(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """A test or a module is told of."""
        if report.skipped:
            self.skipped.add(report.nodeid)
        if isinstance(report, pytest.TestReport):
            self._ran.add(report.nodeid)

    def send(self) -> None:
        """Give what this worker collected to the process that tells of the run."""
        output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined] # xdist
        output[_SENT] = [self._collected, self._deselected]

    def received(self, output: dict[str, Any]) -> None:
        """Take what a worker sent."""
        collected, deselected = output.get(_SENT, (0, 0))
        self._collected = max(self._collected, collected)
        self._deselected = max(self._deselected, deselected)

    def lacks(self, exit_status: int) -> str | None:
        """What the run lacks to be whole, None for nothing."""
        if exit_status != pytest.ExitCode.OK:
            return "it was not green"
        if self._config.getoption("lf", default=False):
            return "--last-failed leaves tests out"
        if self._deselected:
            return f"{_count(self._deselected)} deselected"
        if missing := self._collected - len(self._ran):
            return f"{_count(missing)} not run"
        return self._left_out()

    def _left_out(self) -> str | None:
        given = self._config.invocation_params.args
        ignoring = [arg for arg in map(str, given) if arg.startswith("--ignore")]
        if ignoring:
            return f"{ignoring[0]} leaves tests out"
        selected = _selected(self._config)
        if nodes := [arg for arg in selected if "::" in arg]:
            return f"{nodes[0]} is a part of the tests"
        folders = [self._config.invocation_params.dir / arg for arg in selected]
        for path in _test_files(self._config):
            if not any(path.is_relative_to(folder) for folder in folders):
                return f"{path.relative_to(self._config.rootpath).as_posix()} was left out"
        return None


def _selected(config: pytest.Config) -> Sequence[str]:
    """What was asked for, or where pytest looks if nothing is."""
    return config.args or [os.fspath(config.invocation_params.dir)]


def _test_files(config: pytest.Config) -> Iterator[Path]:
    """The files that pytest would take tests from if it were asked for all."""
    roots = [path for given in config.getini("testpaths") for path in config.rootpath.glob(given)]
    for root in roots or [config.rootpath]:
        yield from _test_files_below(config, root)


def _test_files_below(config: pytest.Config, root: Path) -> Iterator[Path]:
    names, left_out = config.getini("python_files"), config.getini("norecursedirs")
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not _is_left_out(Path(folder, name), left_out)]
        yield from (
            Path(folder, file) for file in files if any(fnmatch(file, name) for name in names)
        )


def _is_left_out(folder: Path, patterns: Sequence[str]) -> bool:
    is_environment = (folder / "pyvenv.cfg").exists() or (folder / "conda-meta").is_dir()
    return is_environment or any(fnmatch(folder.name, pattern) for pattern in patterns)


def _count(number: int) -> str:
    return "1 test was" if number == 1 else f"{number} tests were"
