"""What people see in a terminal, and that many files are worked on in several processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.terminal import terminal
from tests.cli.trees import cassette, directories, exchange, summary_of, write
from vcr_llm.cli import _jobs, main
from vcr_llm.cli._output import tracked

_MANY = _jobs._WORTH_PROCESSES


def test_a_pipe_gets_plain_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No colour, no wrapping, one line for each count and each file."""
    name = f"{'long' * 40}[bold].yaml"
    old = write(tmp_path / "old", **{name: "a: [", "test_x.yaml": cassette(exchange())})
    write(old, **{"other.yaml": "text"})
    assert main(["convert", str(old), str(tmp_path / "new")]) == 1
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert len(printed.err.splitlines()) == 1
    assert f"{old / name}: " in printed.err
    assert printed.out.splitlines() == [
        f"skipped {old / 'other.yaml'}: holds text, not a cassette",
        "files: 1",
        "interactions: 1",
        "recordings: 1",
        "unchanged files: 0",
        "secrets removed: 0",
        "deleted files: 0",
        "skipped: 1",
        "failed: 1",
    ]


def test_a_terminal_gets_colour_and_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Problems are red, counts stand in columns."""
    screen = terminal(monkeypatch)
    old = write(tmp_path / "old", bad="a: [", other="text")
    assert main(["convert", str(old), str(tmp_path / "new")]) == 1
    shown = screen.getvalue()
    assert "\x1b[31m" in shown
    assert "\x1b[33m" in shown
    assert "secrets removed" in shown


def test_a_terminal_sees_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long work shows a bar, which goes when the work is done."""
    screen = terminal(monkeypatch)
    assert list(tracked(iter([1, 2, 3]), total=3, what="Working")) == [1, 2, 3]
    assert "Working" in screen.getvalue()


def _process(_job: int) -> int:
    return os.getpid()


@pytest.mark.parametrize(("jobs", "several"), [(_MANY, True), (_MANY - 1, False)])
def test_many_jobs_are_done_in_other_processes(
    jobs: int, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few jobs are done at once, many of them by other processes, in the same order."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    found = list(_jobs.done(_process, range(jobs)))
    assert len(found) == jobs
    assert (os.getpid() not in found) is several


def test_an_interruption_cancels_what_was_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops asking for results stops the work."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    results = _jobs.done(_process, range(_MANY))
    assert isinstance(results, type(_ for _ in ()))
    next(results)
    results.close()


def test_a_tree_of_many_files_is_converted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """More files than are done in one process."""
    text = cassette(exchange())
    old = write(tmp_path / "old", **{f"test_{number}": text for number in range(_MANY)})
    found = summary_of(capsys, "convert", old, tmp_path / "new")
    assert (found["status"], found["files"], found["recordings"]) == (0, _MANY, _MANY)
    assert len(directories(tmp_path / "new")) == _MANY
