"""One cassette made canonical: what would change, and the steps that change it.

A run may be killed between any two steps; running again finishes the work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vcr_llm._canonical import Named, canonical, changes
from vcr_llm._cassette_files import SUFFIX, directory_of
from vcr_llm._errors import RecordingError
from vcr_llm._file_moves import order_of_renames, order_of_writes
from vcr_llm._foreign import Document
from vcr_llm._json import document_text
from vcr_llm._recording import sequence_of
from vcr_llm._recording_directory import METADATA, RecordingDirectory
from vcr_llm._recording_writer import sweep
from vcr_llm._test_renaming import (
    Renaming,
    merged_test,
    names_test,
    renamed_document,
    renamed_test,
    usual_place,
)
from vcr_llm.cli._cassettes import Contents, contents, document_in
from vcr_llm.cli._tree import Problem

_Transform = Callable[[Document], Document]


class Job(NamedTuple):
    """A cassette to make canonical."""

    folder: Path
    check: bool = False
    """Whether nothing is written."""
    redact: bool = False
    renamings: tuple[Renaming, ...] = ()


class Edit(NamedTuple):
    """A file that changes: how, and the name that it has afterwards."""

    path: Path
    name: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    folder: Path
    recordings: int = 0
    edits: tuple[Edit, ...] = ()
    moved_to: Path | None = None
    problems: tuple[Problem, ...] = ()
    renamings: frozenset[Renaming] = frozenset()
    """Those that are about tests of these recordings."""


class _Step(NamedTuple):
    """A file, and what it is to become; its text stays where there is no document."""

    edit: Edit
    document: Document | None
    numbers: tuple[int | None, int | None] = (None, None)


def format_cassette(job: Job) -> Outcome:
    """Make one cassette canonical; whatever goes wrong is told in the outcome."""
    try:
        return _format_cassette(job)
    except RecordingError as error:
        problem = _problem(error, job.folder)
    except OSError as error:
        problem = Problem(job.folder, f"cannot be formatted: {error.strerror or error}")
    except MemoryError:
        problem = Problem(job.folder, "needs more memory than there is")
    return Outcome(job.folder, problems=(problem,))


def _format_cassette(job: Job) -> Outcome:
    folder = job.folder
    if not job.check:
        RecordingDirectory(folder).sweep()
        sweep(folder.parent)
    held = contents(folder)
    target = _new_place(job, held)
    if target is not None and not job.check:
        _move(folder, target)
        folder, held = target, contents(target)
    problems = [_problem(error, folder) for error in held.broken]
    transform = _transformation(job)
    steps = _planned(folder, held, transform)
    try:
        steps += _planned_metadata(folder, transform) if held.recordings else []
    except RecordingError as error:
        problems.append(_problem(error, folder))
    if not job.check:
        _carry_out(folder, steps)
    edits = tuple(step.edit for step in steps if step.edit.changes)
    return Outcome(
        job.folder, len(held.recordings), edits, target, tuple(problems), _in_use(job, held)
    )


def _in_use(job: Job, held: Contents) -> frozenset[Renaming]:
    test_ids = {found.document.get("test_id") for found in held.recordings}
    return frozenset(
        renaming
        for renaming in job.renamings
        if any(names_test(renaming, test_id) for test_id in test_ids)
    )


def _problem(error: RecordingError, folder: Path) -> Problem:
    return Problem(folder if error.path is None else Path(error.path), error.problem)


# --- what is to change ------------------------------------------------------------------------


def _planned(folder: Path, held: Contents, transform: _Transform) -> list[_Step]:
    """What becomes of each recording, in the order of replay; links to files elsewhere stay."""
    before = [Named(found.path.name, found.document) for found in held.own]
    after = canonical(
        before,
        transform,
        taken={entry.name for entry in folder.iterdir()} - {name for name, _document in before},
        is_whole=held.is_whole,
    )
    return [_step(folder, *each) for each in zip(before, after, strict=True)]


def _transformation(job: Job) -> _Transform:
    def transform(document: Document) -> Document:
        if job.redact:
            from vcr_llm._secrets_left import without_secrets  # it brings detect-secrets

            document = without_secrets(document)
        return renamed_document(document, job.renamings)

    return transform


def _step(folder: Path, before: Named, after: Named) -> _Step:
    path = folder / before.name
    told = changes(before, after)
    is_written = not _says(path, after.document)
    if is_written and not told:
        told = ["text"]
    return _Step(
        Edit(path, after.name, tuple(told)),
        after.document if is_written else None,
        (sequence_of(before.document), sequence_of(after.document)),
    )


def _planned_metadata(folder: Path, transform: _Transform) -> list[_Step]:
    """What becomes of the metadata, whose keys are somebody's own.

    Raises RecordingError where it cannot be read.
    """
    path = folder / METADATA
    if not path.is_file() or path.is_symlink():
        return []
    before = document_in(path)
    after = transform({METADATA: before})[METADATA]
    if not isinstance(after, dict) or _says(path, after):
        return []
    return [_Step(Edit(path, path.name, ("text" if after == before else "secrets",)), after)]


def _says(path: Path, document: Document) -> bool:
    return path.read_bytes() == document_text(document).encode()


# --- the steps --------------------------------------------------------------------------------


def _carry_out(folder: Path, steps: list[_Step]) -> None:
    """Write what changes under the names that the files have, then give them their names."""
    directory = RecordingDirectory(folder)
    for place in order_of_writes([step.numbers for step in steps]):
        edit, document, _numbers = steps[place]
        if document is not None:
            directory.replace(document, edit.path)
    wanted = {step.edit.path.name: step.edit.name for step in steps}
    present = {entry.name for entry in folder.iterdir()}
    for old, new in order_of_renames(wanted, present):
        directory.rename(folder / old, new)


# --- renamed tests ----------------------------------------------------------------------------


def _new_place(job: Job, held: Contents) -> Path | None:
    """Where the directory belongs when its test has its new name; None where it stays.

    Raises RecordingError where something is there, or where a test would get another one's
    recordings.
    """
    documents = [found.document for found in held.recordings]
    merged = merged_test(documents, job.renamings)
    if merged is not None:
        msg = f"{merged} has recordings here already; nothing was renamed"
        raise RecordingError(msg, path=job.folder)
    tests = {document.get("test_id") for document in documents}
    test_id = tests.pop() if len(tests) == 1 else None
    if not isinstance(test_id, str):
        return None
    target = _moved(job.folder, test_id, renamed_test(test_id, job.renamings))
    if target is not None and os.path.lexists(target):
        msg = f"belongs in {target}, which is there already; nothing was renamed"
        raise RecordingError(msg, path=job.folder)
    return target


def _moved(folder: Path, old_id: str, new_id: str) -> Path | None:
    """The usual place of a test's cassette, for one that was in its usual place until now."""
    old, new = _usual_directory(old_id), _usual_directory(new_id)
    absolute = folder.absolute()
    if old is None or new is None or old == new or absolute.parts[-len(old.parts) :] != old.parts:
        return None
    root = absolute.parents[len(old.parts) - 1]
    target = root / new
    return target if folder.is_absolute() else Path(os.path.relpath(target))


def _usual_directory(test_id: str) -> Path | None:
    parts = usual_place(test_id)
    return None if parts is None else directory_of(Path(*parts[:-1], parts[-1] + SUFFIX))


def _move(folder: Path, target: Path) -> None:
    """Move a cassette, and remove the folders that hold nothing any more."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not RecordingDirectory(folder).take_name(target):
        msg = f"belongs in {target}, which is there already; nothing was renamed"
        raise RecordingError(msg, path=folder)
    with suppress(OSError):
        folder.parent.rmdir()
        folder.parent.parent.rmdir()
