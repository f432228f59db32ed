"""Directories of recordings, for the commands that keep them in order: each file on its own.

A file that cannot be read hides none of the others. A directory is a cassette by what is in it,
whatever its files are called.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vcr_llm._address import parse_file_name
from vcr_llm._errors import MalformedRecording, RecordingError
from vcr_llm._foreign import Document
from vcr_llm._json import document_text
from vcr_llm._recording import replay_order
from vcr_llm._recording_directory import Recording, RecordingDirectory, read_document
from vcr_llm._well_formed import key_named_twice
from vcr_llm.cli._conversion import LARGEST
from vcr_llm.cli._tree import Walk

_LEFT_BEHIND = re.compile(r"\..+\.\d+-\d+\.(?:tmp|recording)")
_PARTS = (b'"request"', b'"response"')


@dataclass(frozen=True, slots=True)
class Contents:
    """What a directory holds: its recordings in the order of their replay, and what is broken."""

    recordings: tuple[Recording, ...] = ()
    broken: tuple[RecordingError, ...] = ()

    @property
    def own(self) -> list[Recording]:
        """The recordings that are in the directory itself, and not at the end of a link."""
        return [found for found in self.recordings if not found.path.is_symlink()]

    @property
    def is_whole(self) -> bool:
        """Whether these are all of the cassette."""
        return not self.broken and len(self.own) == len(self.recordings)


def cassette_folders(walk: Walk, paths: Sequence[Path]) -> list[Path]:
    """The cassettes that paths stand for, each once; a file stands for the one that it is in."""
    found: dict[str, Path] = {}
    for path in paths:
        for folder in _folders(walk, path):
            found.setdefault(os.path.realpath(folder), folder)
    return list(found.values())


def _folders(walk: Walk, path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path.parent
        return
    try:
        if holds_recordings(path):
            yield path
    except OSError:
        pass  # the walk complains of it
    yield from (found.path for found in walk.over([path]))


def is_cassette(entry: os.DirEntry[str]) -> bool:
    """Whether a walk has come to a directory of recordings."""
    if is_left_behind(entry.name):
        return False
    try:
        return entry.is_dir() and holds_recordings(Path(entry.path))
    except OSError:  # a link to itself, or a directory that the walk complains of
        return False


def is_real_cassette(entry: os.DirEntry[str]) -> bool:
    """Whether a walk that leaves the tree by no link has come to a directory of recordings."""
    return not entry.is_symlink() and is_cassette(entry)


def is_left_behind(name: str) -> bool:
    """Whether a file or directory has a name that only a killed run leaves."""
    return _LEFT_BEHIND.fullmatch(name) is not None


def holds_recordings(folder: Path) -> bool:
    """Whether a directory has a file that is a recording or was one before it broke."""
    files = list(RecordingDirectory(folder).candidates())
    return any(parse_file_name(file.name) for file in files) or any(map(_says_recording, files))


def contents(folder: Path) -> Contents:
    """What a directory holds. Broken files of somebody else's are not mentioned."""
    recordings: list[Recording] = []
    broken: dict[Path, RecordingError] = {}
    for path in RecordingDirectory(folder).candidates():
        try:
            recording = recording_in(path)
        except RecordingError as error:
            broken[path] = error
        else:
            recordings += [] if recording is None else [recording]
    recordings.sort(key=lambda found: replay_order(found.path.name, found.document))
    ours = [error for path, error in broken.items() if recordings or _was_recording(path)]
    return Contents(tuple(recordings), tuple(ours))


def recording_in(path: Path) -> Recording | None:
    """The recording in a file, None where the file is somebody else's.

    Raises RecordingError, with the file, where it cannot be read or says two things in one place.
    """
    _check_size(path)
    recording = RecordingDirectory(path.parent).read(path)
    if recording is not None:
        _check_whole(path, recording.document)
    return recording


def document_in(path: Path) -> Document:
    """The JSON object in a file; raises RecordingError as `recording_in` does."""
    _check_size(path)
    document = read_document(path)
    _check_whole(path, document)
    return document


def _check_size(path: Path) -> None:
    """Raises RecordingError for a file that would not fit in memory."""
    try:
        size = path.stat().st_size
    except OSError as error:
        msg = f"cannot be read: {error.strerror}"
        raise RecordingError(msg, path=path) from None
    if size > LARGEST:
        msg = f"is larger than {LARGEST // 2**20} MB, more than can be looked at"
        raise RecordingError(msg, path=path)


def _check_whole(path: Path, document: Document) -> None:
    """Raises MalformedRecording where a key is named twice, whose first value reading loses."""
    text = path.read_bytes().decode()
    if document_text(document) == text:
        return
    place = key_named_twice(text)
    if place is not None:
        msg = f"{place} is there twice, and only one of them can be kept. Remove the other."
        raise MalformedRecording(msg, path=path)


def _was_recording(path: Path) -> bool:
    return parse_file_name(path.name) is not None or _says_recording(path)


def _says_recording(path: Path) -> bool:
    """Whether a file has the words of a recording, whole or not; one that cannot be read may."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST)
    except OSError:
        return True
    return all(part in content for part in _PARTS)
