"""Recordings on disk, for the commands that read them: what can be read, and what cannot.

One that is broken never hides the others. Whatever was not redacted when it was recorded is
redacted here, so that no command prints it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vcr_llm._address import parse_file_name
from vcr_llm._cassette_files import OLD_SUFFIXES, begins_as_cassette
from vcr_llm._errors import RecordingError
from vcr_llm._foreign import Document
from vcr_llm._recording import replay_order
from vcr_llm._recording_directory import RecordingDirectory, read_document
from vcr_llm._redaction import Redaction
from vcr_llm.cli._cassettes import holds_recordings
from vcr_llm.cli._tree import Found, Problem, Walk

_JSON = ".json"
_DEFAULT = "cassettes"
_LARGEST = 100 * 1024 * 1024  # bytes of text beyond which a file would not fit in memory


class Loaded(NamedTuple):
    """A recording that was read: the name of its file, and its document without secrets.

    ``has_secrets`` says that the file itself holds some.
    """

    name: str
    document: Document
    has_secrets: bool = False


@dataclass(frozen=True, slots=True)
class Cassette:
    """The recordings of a directory or of a file, in the order in which they are replayed."""

    path: Path
    recordings: tuple[Loaded, ...] = ()
    problems: tuple[Problem, ...] = ()
    is_directory: bool = True


def default_path() -> Path:
    """Where cassettes are looked for that no path names."""
    return Path(_DEFAULT) if Path(_DEFAULT).is_dir() else Path()


def cassettes_below(paths: Sequence[Path], walk: Walk) -> Iterator[Found]:
    """The cassettes that paths stand for: files, directories of recordings, trees of these."""
    for path in paths:
        if not path.is_dir():
            yield Found(path, Path(path.name))
        elif _is_cassette(path):
            yield Found(path, Path())
            yield from walk.over([path])
        else:
            yield from walk.over([path])


def recording_files(path: Path) -> list[Path]:
    """The files of a cassette that may be recordings; a file is its own only one.

    Raises OSError where the directory cannot be read.
    """
    return list(RecordingDirectory(path).candidates()) if path.is_dir() else [path]


def load_recording(path: Path) -> Loaded | None:
    """The recording in a file, None where the file is somebody else's.

    Raises RecordingError where it cannot be read.
    """
    document = document_in(path)
    if document is None:
        return None
    redacted = Redaction().document(document)
    return Loaded(path.name, redacted, has_secrets=redacted != document)


def document_in(path: Path) -> Document | None:
    """The document of a recording as it is, secrets and all; None where a file is somebody else's.

    Raises RecordingError where it cannot be read.
    """
    _check_readable(path)
    document = read_document(path)
    is_named = parse_file_name(path.name) is not None
    return document if is_named or document.keys() & {"request", "response"} else None


def load_cassette(path: Path) -> Cassette:
    """What can be read of a cassette: a directory, a recording, or a cassette of vcrpy's."""
    if not path.is_dir():
        return _load_file(path)
    loaded: list[Loaded] = []
    problems: list[Problem] = []
    try:
        files = recording_files(path)
    except OSError as error:
        return Cassette(path, problems=(Problem(path, f"cannot be read: {error.strerror}"),))
    for file in files:
        try:
            recording = load_recording(file)
        except RecordingError as error:
            problems.append(Problem(file, error.problem))
            continue
        loaded += [] if recording is None else [recording]
    return Cassette(path, tuple(in_order(loaded)), tuple(problems))


def in_order(recordings: Iterable[Loaded]) -> list[Loaded]:
    """The recordings in the order in which they are replayed."""
    return sorted(recordings, key=lambda one: replay_order(one.name, one.document))


def _load_file(path: Path) -> Cassette:
    try:
        recording = None if _is_old(path) else load_recording(path)
        recordings = _load_old(path) if recording is None else (recording,)
    except RecordingError as error:
        return Cassette(path, problems=(Problem(path, error.problem),), is_directory=False)
    return Cassette(path, recordings, is_directory=False)


def _is_old(path: Path) -> bool:
    if path.name.endswith(OLD_SUFFIXES):
        return not path.name.endswith(_JSON)
    return begins_as_cassette(path)


def _load_old(path: Path) -> tuple[Loaded, ...]:
    """The recordings that `convert` would make of a cassette of vcrpy's."""
    from vcr_llm._old_cassette import read_cassette  # it brings YAML
    from vcr_llm.cli._conversion import planned, read_source

    content, modified = read_source(path)
    plan = planned(read_cassette(content), verbatim=False, otherwise_recorded_at=modified)
    return tuple(Loaded(name, document) for name, document in plan.documents.items())


def _check_readable(path: Path) -> None:
    """Raises RecordingError for what would not end, or not fit in memory."""
    try:
        status = path.stat()
    except OSError as error:
        msg = f"cannot be read: {error.strerror}"
        raise RecordingError(msg, path=path) from None
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISFIFO(status.st_mode):
        msg = "is no regular file"
        raise RecordingError(msg, path=path)
    if status.st_size > _LARGEST:
        msg = f"is larger than {_LARGEST // 2**20} MB, more than can be shown"
        raise RecordingError(msg, path=path)


def _is_cassette(path: Path) -> bool:
    try:
        return holds_recordings(path)
    except OSError:  # which the walk will say
        return False
