"""``vcr-llm fmt``: recordings get their canonical text, names and order, offline."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from vcr_llm._redaction import Redaction
from vcr_llm._test_renaming import Renaming, contradiction
from vcr_llm.cli import FOUND, OK
from vcr_llm.cli._cassettes import cassette_folders, is_real_cassette
from vcr_llm.cli._formatting import Edit, Job, Outcome, format_cassette
from vcr_llm.cli._jobs import done
from vcr_llm.cli._output import print_counts, print_json, print_line, print_problem, tracked
from vcr_llm.cli._tree import Problem, Walk


@click.command("fmt")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; say what would change, exit with 1.")
@click.option("--redact", is_flag=True, help="Take out the secrets that check finds, too.")
@click.option(
    "--renamed",
    nargs=2,
    multiple=True,
    metavar="OLD NEW",
    help="A test, class or module that has another pytest id now; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    *,
    paths: tuple[Path, ...],
    check: bool,
    redact: bool,
    renamed: tuple[tuple[str, str], ...],
    as_json: bool,
) -> int:
    """Give recordings their canonical text, names and order.

    For after an upgrade, an edit by hand, a merge or a renamed test. Each PATH is a cassette, a
    recording, which stands for the cassette that it is in, or a tree of cassettes. Replay gives the
    same as before. A file that is no recording is named and left alone.

    With --renamed, the recordings get the new ids, and a directory at the place where
    pytest-recording looks for it by default (cassettes/test_a/test_x beside test_a.py) is moved.

    \b
    Example: vcr-llm fmt tests/cassettes
    Example: vcr-llm fmt tests --renamed tests/test_a.py::test_x tests/test_a.py::test_y
    """  # noqa: D301 - click's mark for lines that are not joined
    renamings = _renamings(renamed)
    walk = Walk(is_real_cassette, follows_links=False)
    jobs = [Job(folder, check, redact, renamings) for folder in cassette_folders(walk, paths)]
    outcomes = list(tracked(done(format_cassette, jobs), total=len(jobs), what="Formatting"))
    failed = [*walk.problems, *(problem for outcome in outcomes for problem in outcome.problems)]
    for path, reason in failed:
        print_problem(_shown(path), _shown(reason))
    unknown = [] if failed else _unknown(renamings, outcomes)
    for name in unknown:
        print_problem("--renamed", _shown(f"no recording is of {name}"))
    if as_json:
        print_json(_summary(outcomes, failed))
    else:
        _print_outcomes(outcomes, failed, check=check)
    would_change = check and any(outcome.edits or outcome.moved_to for outcome in outcomes)
    return FOUND if failed or unknown or would_change else OK


def _renamings(renamed: Sequence[tuple[str, str]]) -> tuple[Renaming, ...]:
    """The old and new names; raises UsageError where they do not say one thing."""
    renamings = tuple(Renaming(old.rstrip("/"), new.rstrip("/")) for old, new in renamed)
    if not all(old and new for old, new in renamings):
        msg = "--renamed: a name is empty; give the old and the new pytest id"
        raise click.UsageError(msg)
    if (name := contradiction(renamings)) is not None:
        msg = f"--renamed: {name} is a new name and an old one; rename in two runs"
        raise click.UsageError(msg)
    return renamings


def _unknown(renamings: Sequence[Renaming], outcomes: Sequence[Outcome]) -> list[str]:
    """The old names of tests that have no recordings, neither under these nor under the new."""
    known = frozenset[Renaming]().union(*(outcome.renamings for outcome in outcomes))
    return [renaming.old for renaming in renamings if renaming not in known]


# --- the summary ------------------------------------------------------------------------------


def _print_outcomes(outcomes: Sequence[Outcome], failed: Sequence[Problem], *, check: bool) -> None:
    moved, formatted = ("would move", "would format") if check else ("moved", "formatted")
    for outcome in outcomes:
        if outcome.moved_to is not None:
            print_line(_shown(f"{moved} {outcome.folder} to {outcome.moved_to}"))
        for edit in outcome.edits:
            print_line(_shown(f"{formatted} {edit.path}: {_told(edit)}"))
    print_counts({**_counts(outcomes), "failed": len(failed)})


def _told(edit: Edit) -> str:
    """How a file changes, in words."""
    changes = [change for change in edit.changes if change != "name"]
    return ", ".join([*changes, *([f"name {edit.name}"] if "name" in edit.changes else [])])


def _counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return {
        "cassettes": len(outcomes),
        "recordings": sum(outcome.recordings for outcome in outcomes),
        "changed files": sum(len(outcome.edits) for outcome in outcomes),
        "moved cassettes": sum(outcome.moved_to is not None for outcome in outcomes),
    }


def _summary(outcomes: Sequence[Outcome], failed: Sequence[Problem]) -> dict[str, object]:
    """What was done or would be, for programs."""
    moves = [
        {"path": _shown(outcome.folder), "to": _shown(outcome.moved_to)}
        for outcome in outcomes
        if outcome.moved_to is not None
    ]
    return {
        **{name.replace(" ", "_"): count for name, count in _counts(outcomes).items()},
        "changed": [_as_json(edit) for outcome in outcomes for edit in outcome.edits],
        "moved": moves,
        "failed": [{"path": _shown(path), "reason": _shown(reason)} for path, reason in failed],
    }


def _as_json(edit: Edit) -> dict[str, object]:
    return {"path": _shown(edit.path), "name": edit.name, "changes": list(edit.changes)}


def _shown(text: str | os.PathLike[str]) -> str:
    """A path or a reason without secrets: the parameter of a test may be one."""
    return Redaction().text(os.fspath(text))
