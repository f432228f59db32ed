"""``vcr-llm orphans``: recordings whose test is gone."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from vcr_llm import _collected
from vcr_llm._cassette_files import OLD_SUFFIXES, directory_of
from vcr_llm._orphans import Likeness, alike, missing_tests
from vcr_llm._recording_directory import FAILED
from vcr_llm._redaction import Redaction
from vcr_llm.cli import FOUND, OK
from vcr_llm.cli._cassettes import contents, holds_recordings, is_real_cassette
from vcr_llm.cli._output import print_counts, print_json, print_line, print_problem, tracked
from vcr_llm.cli._recordings import default_path
from vcr_llm.cli._tree import Found, Problem, Walk

_LAST_LINES = 15
_NO_TESTS = 5  # pytest's exit status where it has collected none


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests that pytest collects, and the cassettes that they use."""

    root: Path
    marked: Mapping[str, bool]
    files: frozenset[str]
    """The files that have tests."""
    cassettes: frozenset[str]

    @classmethod
    def of(cls, collected: Mapping[str, Any]) -> Tests:
        """What `_collected` has written."""
        tests = collected["tests"]
        paths = (path for test in tests.values() for path in test["cassettes"])
        return cls(
            Path(collected["root"]),
            {test_id: test["is_marked"] for test_id, test in tests.items()},
            frozenset(os.path.realpath(test["file"]) for test in tests.values()),
            frozenset(os.path.realpath(directory_of(path)) for path in paths),
        )

    def knows(self, file: Path) -> bool:
        """Whether it is certain which tests a file has.

        One that is there and gave none may need a package that is not here, or be left out.
        """
        return os.path.realpath(file) in self.files or not file.exists()

    def uses(self, path: Path) -> bool:
        """Whether a cassette stands where a test's own is, or is named in a mark."""
        return os.path.realpath(directory_of(path)) in self.cassettes


@dataclass(frozen=True, slots=True)
class Orphan:
    """The recordings of a test that is gone: a cassette, or some files of one that tests share."""

    path: Path
    test_id: str | None
    """None for a cassette in one file, which does not say whose it is."""
    recordings: int
    files: tuple[Path, ...]
    is_whole: bool
    """Whether nothing else is in the cassette."""
    looks_like: Likeness | None = None


@click.command("orphans")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--pytest", "arguments", metavar="ARGUMENTS", default="", help="What to add to pytest's call."
)
@click.option("--delete", is_flag=True, help="Remove those that look like no test.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(*, paths: tuple[Path, ...], arguments: str, delete: bool, as_json: bool) -> int:
    """Find recordings whose test is gone, and the test that they look like.

    The tests are those that pytest collects in the current directory; none is run. Each PATH is a
    tree of cassettes; without one it is the directory "cassettes", or where there is none the
    current directory. A recording says itself which test it is of; a cassette in one file is
    known by its place. Where pytest cannot collect everything, nothing is called an orphan; nor is
    anything of a module that is there and gave no test, since a package for it may be missing.

    Example: vcr-llm orphans tests
    """
    tests = _collect(shlex.split(arguments))
    walk = Walk(_is_cassette, follows_links=False)
    found = list(_cassettes(walk, paths or (default_path(),)))
    orphans: list[Orphan] = []
    recorded: set[str] = set()
    for one in tracked(found, total=len(found), what="Reading"):
        if one.path.is_dir():
            orphans += _orphans_in(one.path, tests, recorded, walk.problems)
        elif _is_orphaned_file(one.path, tests):
            orphans.append(Orphan(one.path, None, 1, (one.path,), is_whole=True))
    orphans = _likened(orphans, tests, recorded)
    for path, reason in walk.problems:
        print_problem(_shown(path), _shown(reason))
    deleted = [orphan for orphan in orphans if delete and orphan.looks_like is None]
    for orphan in deleted:
        _remove(orphan)
    _print(orphans, deleted, len(found), walk.problems, as_json=as_json)
    is_left = len(deleted) < len(orphans)
    return FOUND if walk.problems or is_left else OK


# --- pytest -----------------------------------------------------------------------------------


def _collect(arguments: Sequence[str]) -> Tests:
    """The tests of the project; raises UsageError where pytest cannot tell all of them."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "collected.json"
        done = subprocess.run(  # noqa: S603 - the user's own pytest
            [
                *(sys.executable, "-m", "pytest", "--collect-only", "-q"),
                *("-p", _collected.__name__, "-o", f"cache_dir={folder}/cache", *arguments),
            ],
            env={**os.environ, _collected.FILE: str(written)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        is_complete = done.returncode == 0 and written.exists()
        collected = json.loads(written.read_text(encoding="utf-8")) if is_complete else {}
    if collected and collected["tests"]:
        return Tests.of(collected)
    why = "no test was found" if done.returncode in (0, _NO_TESTS) else "pytest failed"
    said = "\n".join(done.stdout.strip().splitlines()[-_LAST_LINES:])
    msg = f"{why}, so nobody can say which recordings are orphans:\n\n{_shown(said)}"
    raise click.UsageError(msg)


# --- cassettes --------------------------------------------------------------------------------


def _cassettes(walk: Walk, paths: Sequence[Path]) -> Iterator[Found]:
    """The cassettes that paths stand for, a path itself among them."""
    seen: set[str] = set()
    for path in paths:
        own = [Found(path, Path())] if _holds_recordings(path) else []
        for found in (*own, *walk.over([path])):
            if (real := os.path.realpath(found.path)) not in seen:
                seen.add(real)
                yield found


def _holds_recordings(path: Path) -> bool:
    try:
        return holds_recordings(path)
    except OSError:  # which the walk will say
        return False


def _is_cassette(entry: os.DirEntry[str]) -> bool:
    is_file = entry.name.endswith(OLD_SUFFIXES) and entry.is_file()
    return is_real_cassette(entry) or (is_file and _is_at_a_tests_place(Path(entry.path)))


def _is_at_a_tests_place(path: Path) -> bool:
    """Whether pytest-recording would put the cassette of a test there: cassettes/test_a/test_x."""
    function = path.name.rpartition("[")[0] or path.name
    is_named = path.name.startswith("test") or ".test" in function
    return is_named and path.parent.parent.name == "cassettes"


def _is_orphaned_file(path: Path, tests: Tests) -> bool:
    module = path.parent.parent.parent / f"{path.parent.name}.py"
    is_gone = tests.knows(module) and not tests.uses(path)
    return is_gone and not directory_of(path).is_dir()


def _orphans_in(
    folder: Path, tests: Tests, recorded: set[str], problems: list[Problem]
) -> Iterator[Orphan]:
    """The tests that are gone of a cassette; ``recorded`` learns of those that are not."""
    holds = contents(folder)
    problems += [Problem(Path(error.path or folder), error.problem) for error in holds.broken]
    owners = [(_owner(one.document), one.path) for one in holds.recordings]
    missing = missing_tests(Counter(owner for owner, _path in owners), tests.marked)
    recorded.update(owner for owner, _path in owners if owner and owner not in missing)
    known = {
        test_id: count
        for test_id, count in missing.items()
        if tests.knows(tests.root / test_id.partition("::")[0])
    }
    if tests.uses(folder):  # the test that is there replays them, whoever recorded them
        return
    for test_id, count in known.items():
        files = tuple(path for owner, path in owners if owner == test_id)
        others = {path.name for path in folder.iterdir()} - {path.name for path in files}
        is_whole = not others - {FAILED}
        yield Orphan(folder, test_id, count, files, is_whole=is_whole)


def _owner(document: Mapping[str, Any]) -> str | None:
    owner = document.get("test_id")
    return owner if isinstance(owner, str) else None


def _likened(orphans: Sequence[Orphan], tests: Tests, recorded: set[str]) -> list[Orphan]:
    """The orphans with the tests that they look like: marked ones that have no recordings.

    No test is named twice; who looks most like it has it.
    """
    new = {test for test, is_marked in tests.marked.items() if is_marked and test not in recorded}
    gone = {orphan: orphan.test_id or _test_at(orphan.path, sorted(new)) for orphan in orphans}
    found: dict[Orphan, Likeness] = {}
    by_likeness = sorted(orphans, key=lambda one: _score(alike(gone[one], sorted(new))))
    for orphan in reversed(by_likeness):
        likeness = alike(gone[orphan], sorted(new))
        if likeness is not None:
            found[orphan] = likeness
            new.remove(likeness.test_id)
    return [replace(orphan, looks_like=found.get(orphan)) for orphan in orphans]


def _score(likeness: Likeness | None) -> float:
    return 0.0 if likeness is None else likeness.score


def _test_at(path: Path, tests: Sequence[str]) -> str:
    """The id that the test of a cassette in one file would have had."""
    module, name = path.parent.name, directory_of(path).name
    in_module = (test.partition("::")[0] for test in tests)
    file = next((file for file in in_module if Path(file).stem == module), f"{module}.py")
    scope, _dot, function = name.rpartition(".") if "[" not in name else ("", "", name)
    return "::".join(filter(None, (file, scope, function)))


def _remove(orphan: Orphan) -> None:
    """Remove the recordings, and their folder where nothing else is in it."""
    for file in orphan.files:
        file.unlink(missing_ok=True)
    if orphan.is_whole and orphan.path.is_dir():
        shutil.rmtree(orphan.path / FAILED, ignore_errors=True)
        with suppress(OSError):
            orphan.path.rmdir()


# --- the report -------------------------------------------------------------------------------


def _print(
    orphans: Sequence[Orphan],
    deleted: Sequence[Orphan],
    cassettes: int,
    problems: Sequence[Problem],
    *,
    as_json: bool,
) -> None:
    counts = {"cassettes": cassettes, "orphans": len(orphans), "deleted": len(deleted)}
    if as_json:
        found = [_as_json(orphan, is_deleted=orphan in deleted) for orphan in orphans]
        failed = [{"path": _shown(path), "reason": _shown(why)} for path, why in problems]
        print_json({**counts, "found": found, "failed": failed})
        return
    for orphan in orphans:
        print_line(_shown(_told(orphan)))
        print_line(_shown(f"  {'removed' if orphan in deleted else _advice(orphan)}"))
    print_counts({**counts, "failed": len(problems)})


def _told(orphan: Orphan) -> str:
    if orphan.test_id is None:
        return f"{orphan.path}: no test has its cassette here"
    what = f"{orphan.recordings} recording{'' if orphan.recordings == 1 else 's'}"
    return f"{orphan.path}: {what} of {orphan.test_id}, which does not exist"


def _advice(orphan: Orphan) -> str:
    path = shlex.quote(os.fspath(orphan.path))
    if orphan.looks_like is None:
        files = path if orphan.is_whole else " ".join(shlex.quote(str(one)) for one in orphan.files)
        return f"it looks like no test; to remove it: rm -r {files}"
    new = orphan.looks_like.test_id
    if orphan.test_id is None:
        return f"it looks like {new}"
    renamed = f"--renamed {shlex.quote(orphan.test_id)} {shlex.quote(new)}"
    return f"it looks like {new}; to take it along: vcr-llm fmt {path} {renamed}"


def _as_json(orphan: Orphan, *, is_deleted: bool) -> dict[str, object]:
    likeness = orphan.looks_like
    return {
        "path": _shown(orphan.path),
        "test_id": None if orphan.test_id is None else _shown(orphan.test_id),
        "recordings": orphan.recordings,
        "looks_like": None if likeness is None else _shown(likeness.test_id),
        "score": None if likeness is None else likeness.score,
        "deleted": is_deleted,
    }


def _shown(text: str | os.PathLike[str]) -> str:
    """A text without secrets: the parameter of a test may be one."""
    return Redaction().text(os.fspath(text))
