"""One cassette, or a part of a large one, looked through for what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vcr_llm._canonical import Named, canonical
from vcr_llm._errors import MalformedRecording, RecordingError
from vcr_llm._findings import (
    Finding,
    Rule,
    broken_findings,
    cassette_findings,
    document_findings,
    metadata_findings,
    name_finding,
)
from vcr_llm._recording_directory import METADATA, Recording, RecordingDirectory
from vcr_llm._secrets_left import kind_in
from vcr_llm.cli._cassettes import Contents, contents, document_in, recording_in

_AT_ONCE = 100  # files of a cassette that are looked at in one job


class Job(NamedTuple):
    """Files of a cassette to look at."""

    folder: Path
    names: tuple[str, ...]
    has_whole: bool = True
    """Whether this job also looks at the cassette as a whole; one of its jobs does."""
    are_named: bool = False
    """Whether somebody named these files, and asks for nothing else."""


class Located(NamedTuple):
    """A finding and its file."""

    path: Path
    finding: Finding


class Report(NamedTuple):
    """What a job has looked at, and what it has found."""

    recordings: int = 0
    found: tuple[Located, ...] = ()


def jobs_for(folder: Path) -> Iterator[Job]:
    """The jobs that look a cassette through; a large one keeps several processes busy."""
    try:
        names = [path.name for path in RecordingDirectory(folder).candidates()]
    except OSError:
        yield Job(folder, ())  # which says why
        return
    for start in range(0, len(names), _AT_ONCE):
        yield Job(folder, tuple(names[start : start + _AT_ONCE]), has_whole=start == 0)


def job_for_files(folder: Path, names: Iterable[str]) -> Job:
    """The job that looks at these files of a cassette and tells of no others."""
    return Job(folder, tuple(names), are_named=True)


def look_through(job: Job) -> Report:
    """What is wrong in a part of a cassette; whatever cannot be looked at is a finding, too."""
    try:
        with warnings.catch_warnings():  # google-genai warns of words that are new to it
            warnings.simplefilter("ignore")
            return _looked_through(job)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except MemoryError:
        problem = "needs more memory than there is"
    return Report(0, (Located(job.folder, Finding("", Rule.UNREADABLE, problem)),))


def _looked_through(job: Job) -> Report:
    if not job.has_whole:
        return _report(_recordings(job))
    held = contents(job.folder)
    report = _report([each for each in held.recordings if each.path.name in job.names])
    found = list(_of_whole(job.folder, held))
    if job.are_named:
        found = [each for each in found if each.path.name in job.names]
        found += _of_no_recordings(job, held)
    return Report(report.recordings, (*found, *report.found))


def _report(recordings: Sequence[Recording]) -> Report:
    found = [
        Located(recording.path, finding)
        for recording in recordings
        for finding in document_findings(recording.document)
    ]
    return Report(len(recordings), tuple(found))


def _of_no_recordings(job: Job, held: Contents) -> Iterator[Located]:
    """Files that were named and are no recordings, which is nothing to complain of elsewhere."""
    known = {found.path for found in held.recordings} | {Path(str(e.path)) for e in held.broken}
    for path in {job.folder / name for name in job.names} - known:
        try:
            if path.name != METADATA and recording_in(path) is None:
                message = "is no recording: a JSON object with request and response"
                yield Located(path, Finding("", Rule.MALFORMED, message))
        except RecordingError as error:
            yield from _of_broken(error)


def _recordings(job: Job) -> list[Recording]:
    """The recordings of a part of a cassette; the job for the whole tells what is broken."""
    found: list[Recording] = []
    for name in job.names:
        with suppress(RecordingError):
            recording = recording_in(job.folder / name)
            found += [] if recording is None else [recording]
    return found


def _of_whole(folder: Path, held: Contents) -> Iterator[Located]:
    """What is wrong with a cassette beside the documents in it."""
    before = [Named(found.path.name, found.document) for found in held.own]
    after = canonical(
        before,
        taken={entry.name for entry in folder.iterdir()} - {name for name, _document in before},
        is_whole=held.is_whole,
    )
    for name, finding in cassette_findings(before, after):
        yield Located(folder / name, finding)
    for error in held.broken:
        yield from _of_broken(error)
    if held.recordings:
        yield from _of_metadata(folder / METADATA)
    yield from _of_names([folder, *(found.path for found in held.recordings)])


def _of_broken(error: RecordingError) -> Iterator[Located]:
    path = Path(str(error.path))
    if not isinstance(error, MalformedRecording):
        yield Located(path, Finding("", Rule.UNREADABLE, error.problem))
        return
    text = path.read_bytes().decode(errors="replace")
    for finding in broken_findings(error.problem, text):
        yield Located(path, finding)


def _of_metadata(path: Path) -> Iterator[Located]:
    try:
        metadata = document_in(path) if path.is_file() else {}
    except RecordingError as error:
        yield from _of_broken(error)
        return
    for finding in metadata_findings(metadata):
        yield Located(path, finding)


def _of_names(paths: Iterable[Path]) -> Iterator[Located]:
    """Secrets in the names of files: those of tests that have one as their parameter."""
    for path in paths:
        kind = kind_in(path.name)
        if kind is not None:
            yield Located(path, name_finding(kind))
