"""Names and places for recordings that are written: into a cassette, or beside it for a while."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from vcr_llm._address import address_of, file_name
from vcr_llm._cassette_files import shortened_name
from vcr_llm._foreign import Document
from vcr_llm._recording import sequence_of, with_sequence
from vcr_llm._recording_directory import (
    Recording,
    RecordingDirectory,
    escaped,
    next_number,
    remove_abandoned,
)

_WAITING = ".recording"
_ROOM_FOR_PROCESS = 40


class RecordingWriter:
    """Gives recordings their names and their places in a cassette, one after the other.

    ``before`` are the recordings that the cassette goes on with, in the order of replay.
    ``replaceable`` are those whose files may be written over, since the cassette begins anew.
    Where it ``is_shared`` with other processes, what one of them has recorded is not recorded by
    the next one.
    """

    def __init__(
        self,
        directory: RecordingDirectory,
        *,
        before: Sequence[Recording] = (),
        replaceable: Sequence[Recording] = (),
        is_shared: bool = False,
    ) -> None:
        self._directory = directory
        self._replaceable = {recording.path for recording in replaceable}
        # To make a set of 10,000 paths takes longer than to save ten recordings.
        self._known = {recording.path for recording in before} if is_shared else frozenset()
        self._is_shared = is_shared
        self._first = before[0] if before else None
        self._position = _position_after(before)
        self._repeats: Counter[str] = Counter()
        self.written: set[Path] = set()

    def write(self, address: str, document: Document) -> Recording:
        """Write the next recording."""
        position, self._position = self._position, self._position + 1
        if position == 1:
            self._number_first()
        recording = self._write(with_sequence(document, position or None), address)
        self.written.add(recording.path)
        self._first = self._first or recording
        return recording

    def _write(self, document: Document, address: str) -> Recording:
        while True:
            path = self._next_path(address)
            if path in self._replaceable:
                return self._directory.put(document, path)
            recording = self._directory.add(document, path)
            if recording is None and self._is_shared and path not in self._known:
                return Recording(path, document)  # another process has it since we began
            if recording is not None:
                return recording

    def renew(self, document: Document, old: Recording) -> Recording:
        """Write a recording in the place and under the name of an old one."""
        numbered = with_sequence(document, sequence_of(old.document))
        self.written.add(old.path)
        return self._directory.replace(numbered, old.path)

    def move(self, recording: Recording) -> None:
        """Give a recording that waits elsewhere its name here; a full disk does not matter.

        A file that says the same keeps every byte.
        """
        address = address_of(recording.document)
        while True:
            path = self._next_path(address)
            if path in self._replaceable or not path.exists():
                break
        if self._directory.unchanged(path, recording.document) is None:
            self._directory.move(recording.path, path)
        self.written.add(path)

    def _next_path(self, address: str) -> Path:
        self._repeats[address] += 1
        return self._directory.path / file_name(address, self._repeats[address])

    def _number_first(self) -> None:
        """The first recording is told that it is the first, now that there is a second."""
        if self._first is not None and sequence_of(self._first.document) is None:
            numbered = with_sequence(self._first.document, 0)
            self._directory.replace(numbered, self._first.path)


def _position_after(recordings: Sequence[Recording]) -> int:
    """The place of the next recording in a cassette that has these, in the order of replay."""
    if not recordings:
        return 0
    last = sequence_of(recordings[-1].document) or 0
    return max(last + 1, len(recordings))


class Staging:
    """A directory beside a cassette, where recordings wait until a test is over."""

    def __init__(self, cassette: RecordingDirectory) -> None:
        # The name says whose it is, and hides it from tools that list cassettes.
        owner = shortened_name(f".{cassette.path.name}", room=_ROOM_FOR_PROCESS)
        name = f"{owner}.{os.getpid()}-{next_number()}{_WAITING}"
        self.directory = RecordingDirectory(cassette.path.parent / name)
        self.writer = RecordingWriter(self.directory)
        self._pattern = f"{escaped(owner)}.*{_WAITING}"

    def sweep(self) -> None:
        """Remove what runs that were killed left beside the cassette."""
        remove_abandoned(self.directory.path.parent, self._pattern)

    def discard(self) -> None:
        """Remove the directory and what is left in it."""
        shutil.rmtree(self.directory.path, ignore_errors=True)


def write_whole(cassette: RecordingDirectory, documents: Mapping[str, Document]) -> bool:
    """Write a cassette that is not there yet, by the names of its files, all in one step.

    False where something has its name; it is left as it is.
    """
    staging = Staging(cassette)
    is_there = False
    try:
        staging.directory.fill(documents)
        is_there = staging.directory.take_name(cassette.path)
    finally:
        if not is_there:
            staging.discard()
    return is_there


def sweep(folder: Path) -> None:
    """Remove what runs that were killed left beside the cassettes of a folder."""
    remove_abandoned(folder, f".*{_WAITING}")
