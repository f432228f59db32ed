"""``vcr-llm report``: recordings as static pages, and what changed in them side by side."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import click

from vcr_llm._report_page import (
    ASSETS,
    Heading,
    PageRecording,
    Source,
    page_recording,
    report_files,
)
from vcr_llm.cli import FOUND, OK
from vcr_llm.cli._cassettes import is_cassette
from vcr_llm.cli._comparisons import Comparison, by_place, compare, loaded_or_empty
from vcr_llm.cli._jobs import done
from vcr_llm.cli._output import print_json, print_line, print_problem, tracked
from vcr_llm.cli._recordings import default_path
from vcr_llm.cli._revision import RevisionError, copy_revision
from vcr_llm.cli._tree import Problem, Walk
from vcr_llm.cli._whole_directory import write_whole
from vcr_llm.cli.show import NO_RECORDINGS

_OWN_FILE = re.compile(r"data/(?:index|[dt]\d+)\.js")
_INDEX = "data/index.js"
_BEGINNING = "vcrLlmReport.receive('index',"


@click.command("report")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the pages go; a report that is there is replaced.",
)
@click.option(
    "--base",
    metavar="REV|DIR",
    help="Show what changed since this revision of git's, or from the cassettes of a directory.",
)
@click.option(
    "--now",
    metavar="TIME",
    help="Tell ages as of this time (2026-11-25T12:00:00Z) instead of the reader's clock.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(
    *, path: Path | None, output: Path, base: str | None, now: str | None, as_json: bool
) -> int:
    """Write recordings as static pages for a browser, and what changed side by side.

    PATH is a cassette, a recording, or a tree of cassettes; without one it is the directory
    "cassettes", or where there is none the current directory. Open DIR/index.html: the pages
    need no server and no network. Exit status 1 where a file could not be read, which the pages
    name as well.

    Example: vcr-llm report tests -o report --base origin/main
    """
    path = path or default_path()
    _check_replaceable(output)
    heading = Heading(_title(path), base, _moment(now))
    with tempfile.TemporaryDirectory() as folder:
        old = None if base is None else _Base.of(base, path, Path(folder))
        found = _read(path, output, old)
        _write(output, report_files(found, heading, found.told_problems()))
    for problem in found.problems:
        print_problem(*problem)
    if as_json:
        print_json(_as_json(output, found, has_base=base is not None))
    else:
        print_line(_summary(output, found))
    return FOUND if found.problems else OK


# --- what is read -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Base:
    """What the recordings are compared with: a directory, and what readers call it."""

    path: Path
    name: str

    @classmethod
    def of(cls, base: str, path: Path, folder: Path) -> _Base:
        """The directory that was named, or one that holds what a revision has of the path."""
        if base and Path(base).exists():  # an empty one is the current directory, to pathlib
            return cls(Path(base), base)
        try:
            copy_revision(base, path, folder)
        except RevisionError as error:
            msg = f"'{base}' is no directory, and git says: {error}"
            raise click.BadParameter(msg, param_hint="--base") from None
        return cls(folder if path.is_dir() else folder / path.name, f"{base}:{path}")

    def named(self, problem: Problem) -> Problem:
        """A problem with the path that readers know."""
        if not problem.path.is_relative_to(self.path):
            return problem
        place = problem.path.relative_to(self.path)
        return problem._replace(path=Path(self.name) / place)


class _Job(NamedTuple):
    """The cassettes to read, the one that is there and the one before it, and how it is called."""

    name: str
    new: Path | None
    old: Path | None
    has_base: bool


class _Pages(NamedTuple):
    """What a cassette came to."""

    recordings: tuple[PageRecording, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Found:
    """The recordings as they are read, counted and with the problems noted as they come by."""

    pages: Iterator[_Pages]
    base: _Base | None
    problems: list[Problem]
    path: Path
    cassettes: int = 0
    states: Counter[str | None] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[PageRecording]:
        for recordings, problems in self.pages:
            self.problems += problems if self.base is None else map(self.base.named, problems)
            self.cassettes += bool(recordings)
            self.states.update(recording.row.state for recording in recordings)
            yield from recordings
        if not self.states and not self.problems:
            self.problems.append(Problem(self.path, NO_RECORDINGS))

    def told_problems(self) -> Iterator[tuple[str, str]]:
        """The problems for the page."""
        yield from ((os.fspath(path), reason) for path, reason in self.problems)


def _read(path: Path, output: Path, base: _Base | None) -> _Found:
    walk = Walk(is_cassette, excluded=output)
    new = by_place(path, walk)
    old = {} if base is None else by_place(base.path, walk)
    jobs = [
        _Job(_name(place, path), new.get(place), old.get(place), base is not None)
        for place in sorted(new.keys() | old.keys())
    ]
    pages = tracked(done(_pages, jobs), total=len(jobs), what="Reading")
    return _Found(pages, base, walk.problems, path)


def _name(place: Path, path: Path) -> str:
    """What a cassette is called: its place in the tree, or the path that it is."""
    return os.fspath(path if place == Path() else place)


def _pages(job: _Job) -> _Pages:
    """What the page shows of a cassette; whatever is wrong with it is told in the result."""
    new = loaded_or_empty(job.new, Path(job.name))
    old = loaded_or_empty(job.old, Path(job.name))
    found = compare(old, new) if job.has_base else [Comparison(None, one) for one in new.recordings]
    sources = (_source(job.name, one, has_base=job.has_base) for one in found)
    return _Pages(tuple(map(page_recording, sources)), (*old.problems, *new.problems))


def _source(cassette: str, one: Comparison, *, has_base: bool) -> Source:
    shown = one.new or one.old
    assert shown is not None  # noqa: S101 - a comparison has at least one side
    return Source(
        cassette,
        shown.name,
        shown.document,
        has_secrets=shown.has_secrets,
        state=one.state if has_base else None,
        old_name=one.old.name if one.old is not None and one.new is not None else None,
        changes=(*one.changes, *one.remainder.changes),
        meaningless=one.remainder.meaningless,
    )


def _title(path: Path) -> str:
    return os.fspath(path) if path != Path() else path.absolute().name


def _moment(now: str | None) -> str | None:
    if now is None:
        return None
    try:
        moment = datetime.fromisoformat(now)
    except ValueError:
        msg = f"'{now}' is no time such as 2026-11-25T12:00:00Z"
        raise click.BadParameter(msg, param_hint="--now") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


# --- what is written ----------------------------------------------------------------------------


def _check_replaceable(output: Path) -> None:
    """Raises BadParameter for what is there and is no report: nothing of it may be lost."""
    if not output.exists() and not output.is_symlink():
        return
    if not output.is_dir():
        msg = f"'{output}' is a file, where a directory was expected"
        raise click.BadParameter(msg, param_hint="--output")
    foreign = _foreign_file(output)
    if foreign is not None:
        msg = (
            f"'{output}' is there and is no report, or holds more than one: '{foreign}' is not of "
            "a report. Name another directory, or move it away."
        )
        raise click.BadParameter(msg, param_hint="--output")


def _foreign_file(output: Path) -> str | None:
    """A file that no report has; None where all there is, is a report's, or there is nothing."""
    names = sorted(
        path.relative_to(output).as_posix() for path in output.rglob("*") if not path.is_dir()
    )
    foreign = [name for name in names if name not in ASSETS and not _OWN_FILE.fullmatch(name)]
    if foreign:
        return foreign[0]
    return None if not names or _is_ours(output / _INDEX) else names[0]


def _is_ours(index: Path) -> bool:
    try:
        with index.open(encoding="utf-8", errors="replace") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False


def _write(output: Path, data: Iterable[tuple[str, str]]) -> None:
    try:
        write_whole(output, _all_files(data))
    except OSError as error:
        msg = f"{output}: cannot be written: {error.strerror}"
        raise click.ClickException(msg) from error


def _all_files(data: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    assets = files("vcr_llm._report_page") / "assets"
    yield from ((name, (assets / name).read_text(encoding="utf-8")) for name in ASSETS)
    yield from data


def _summary(output: Path, found: _Found) -> str:
    count = found.states.total()
    told = f"{output / 'index.html'}: {count:,} recordings of {found.cassettes:,} cassettes"
    states = [f"{found.states[state]:,} {state}" for state in _STATES if found.states[state]]
    return f"{told}; {', '.join(states)}" if states else told


_STATES = ("added", "removed", "changed", "same")


def _as_json(output: Path, found: _Found, *, has_base: bool) -> dict[str, object]:
    return {
        "page": os.fspath(output / "index.html"),
        "cassettes": found.cassettes,
        "recordings": found.states.total(),
        "changes": {state: found.states[state] for state in _STATES} if has_base else None,
        "failed": [{"path": os.fspath(path), "reason": reason} for path, reason in found.problems],
    }
