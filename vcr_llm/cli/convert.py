"""``vcr-llm convert``: cassettes in files become directories of recordings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import click

from vcr_llm._cassette_files import OLD_SUFFIXES, begins_as_cassette, directory_of
from vcr_llm._recording_directory import METADATA
from vcr_llm._recording_writer import sweep
from vcr_llm.cli import FOUND, OK
from vcr_llm.cli._conversion import Job, Outcome, Status, convert_file
from vcr_llm.cli._jobs import done
from vcr_llm.cli._output import print_counts, print_json, print_line, print_problem, tracked
from vcr_llm.cli._tree import Found, Problem, Walk


@click.command("convert")
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.argument("destination", metavar="DEST", type=click.Path(file_okay=False, path_type=Path))
@click.option("--verbatim", is_flag=True, help="Change nothing: no redaction, all headers kept.")
@click.option(
    "--delete", is_flag=True, help="Remove each old file once its directory was read back."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    *, sources: tuple[Path, ...], destination: Path, verbatim: bool, delete: bool, as_json: bool
) -> int:
    """Turn cassettes of vcrpy and others into directories of readable JSON.

    Each SOURCE is a file or a tree; a tree becomes a tree of the same shape, in which
    a/test_x.yaml (.yml, .json, .gz) is the directory a/test_x/. A cassette without such a suffix
    is known by its first line. DEST may be the source's own tree. Secrets go; ids and times of
    answers stay, since tests may know them.

    Example: vcr-llm convert tests/cassettes tests/cassettes --delete
    """
    walk = Walk(_may_be_cassette, excluded=_inside(destination, sources))
    first, later = assigned(walk.over(sources), destination)
    for folder in {directory.parent for _path, directory in first}:
        sweep(folder)
    total = len(first) + len(later)
    waves = chain.from_iterable(
        done(convert_file, [Job(*pair, verbatim=verbatim, delete=delete) for pair in wave])
        for wave in (first, later)
    )
    outcomes = list(tracked(waves, total=total, what="Converting"))
    failed = [*walk.problems, *_told(outcomes, Status.FAILED)]
    for path, reason in failed:
        print_problem(path, reason)
    if as_json:
        print_json(summary(outcomes, failed))
    else:
        _print_summary(outcomes, failed)
    return FOUND if failed else OK


_Assigned = list[tuple[Path, Path]]


def assigned(found: Iterable[Found], destination: Path) -> tuple[_Assigned, _Assigned]:
    """Each file with its directory; second, the files whose directory is that of another one.

    The one that a test would replay comes first (`OLD_SUFFIXES` is the order). Another one is
    fine where it says the same.
    """
    directories: dict[Path, dict[Path, None]] = {}
    for path, place in found:
        directories.setdefault(directory_of(destination / place), {})[path] = None
    first: _Assigned = []
    later: _Assigned = []
    for directory, paths in directories.items():
        replayed, *others = sorted(paths, key=_precedence)
        first.append((replayed, directory))
        later += [(path, directory) for path in others]
    return first, later


def _precedence(path: Path) -> int:
    return next(
        (place for place, suffix in enumerate(OLD_SUFFIXES) if path.name.endswith(suffix)),
        len(OLD_SUFFIXES),
    )


def summary(outcomes: Sequence[Outcome], failed: Sequence[Problem]) -> dict[str, object]:
    """What was done, for programs."""
    return {
        **{name.replace(" ", "_"): count for name, count in counts(outcomes).items()},
        "skipped": [_as_json(problem) for problem in _told(outcomes, Status.SKIPPED)],
        "failed": [_as_json(problem) for problem in failed],
    }


def counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many of what there were."""
    done = [
        outcome for outcome in outcomes if outcome.status in (Status.CONVERTED, Status.UNCHANGED)
    ]
    return {
        "files": len(done),
        "interactions": sum(outcome.interactions for outcome in done),
        "recordings": sum(outcome.written for outcome in done),
        "unchanged files": sum(outcome.status is Status.UNCHANGED for outcome in done),
        "secrets removed": sum(outcome.secrets for outcome in done),
        "deleted files": sum(outcome.is_deleted for outcome in done),
    }


def _print_summary(outcomes: Sequence[Outcome], failed: Sequence[Problem]) -> None:
    skipped = list(_told(outcomes, Status.SKIPPED))
    for path, reason in skipped:
        print_line(f"skipped {path}: {reason}", style="yellow")
    print_counts({**counts(outcomes), "skipped": len(skipped), "failed": len(failed)})


def _told(outcomes: Iterable[Outcome], status: Status) -> Iterator[Problem]:
    return (
        Problem(outcome.path, outcome.reason) for outcome in outcomes if outcome.status is status
    )


def _as_json(problem: Problem) -> dict[str, str]:
    return {"path": os.fspath(problem.path), "reason": problem.reason}


def _may_be_cassette(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    if name.startswith(".") or name == METADATA:
        return False
    if name.endswith(OLD_SUFFIXES):
        return entry.is_symlink() or not entry.is_dir()
    return begins_as_cassette(Path(entry.path))


def _inside(destination: Path, sources: Iterable[Path]) -> Path | None:
    """The destination where it is part of a source, whose results are no sources."""
    real = destination.resolve()
    roots = [source.resolve() for source in sources]
    return destination if any(root != real and root in real.parents for root in roots) else None
