"""Which recordings a directory has, by the names of their files.

A request finds its recording by its address, so that a test which uses one of 10,000 recordings
reads one file. What is in the others is read when no name helps: content decides, names only
find. A directory is listed once in a run, and again when it has changed.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from vcr_llm._address import file_name, parse_file_name
from vcr_llm._event_loop import beside_event_loop
from vcr_llm._recording import replay_order
from vcr_llm._recording_directory import (
    FAILED,
    Recording,
    RecordingDirectory,
    is_half_written,
    may_be_recording,
)

# The first key of a recording, which says whose it is without parsing the rest.
_OWNER = re.compile(rb'\s*\{\s*"test_id":\s*(null|"(?:[^"\\]|\\.)*")\s*,')
_HEAD = 2048  # bytes
_TICK = 0.1  # seconds within which a file system may give two changes the same time


class Catalogue:
    """The names of a directory's recordings."""

    def __init__(self, path: Path) -> None:
        self._directory = RecordingDirectory(path)
        self.names: frozenset[str] = frozenset()
        """The files that may be recordings. Each change makes another set."""
        self.has_other_names = False
        """Whether some are called otherwise than by an address, so that names find not all."""
        self.has_leftovers = False
        """Whether some were not written to their end when the directory was listed."""
        self.exists = False
        self._owners: dict[tuple[str, int, int], str | None] = {}
        self._changed: int | None = None

    def refresh(self) -> None:
        """List the directory again if it has changed.

        Raises RecordingError where something else has its name.
        """
        self.exists = self._directory.exists()
        changed = self._directory.path.stat().st_mtime_ns if self.exists else None
        if changed is not None and changed == self._changed:
            return
        self._owners.clear()
        found = self._directory.file_names() if self.exists else []
        # What only a failed test has recorded makes no cassette.
        self.exists = bool(found) or (self.exists and not (self._directory.path / FAILED).is_dir())
        self.names = frozenset(filter(may_be_recording, found))
        self.has_leftovers = any(map(is_half_written, found))
        self.has_other_names = not all(map(parse_file_name, self.names))
        # What changes within the same tick of the clock would not be seen.
        is_settled = changed is None or time.time() - changed / 1e9 > _TICK
        self._changed = changed if is_settled else None

    def named(self, address: str) -> list[str]:
        """The files that have this address, in the order of replay."""
        found: list[str] = []
        while (name := file_name(address, len(found) + 1)) in self.names:
            found.append(name)
        return found

    def owner(self, name: str) -> str | None:
        """The test that a recording is of, as far as its first bytes tell; None for no test."""
        path = self._directory.path / name
        try:
            status = path.stat()
            version = name, status.st_mtime_ns, status.st_size
            if version not in self._owners:
                self._owners[version] = _owner(path)
            return self._owners[version]
        except (OSError, ValueError):  # whoever reads the whole file says what is wrong with it
            return None


class DirectoryView:
    """The recordings of a directory that a test sees, as they were when its cassette was opened.

    ``test_ids`` are those under which it looks for a recording by its name. Where many tests
    share the directory, ``is_shared``, the first bytes of a file say whether to read the rest.
    """

    def __init__(
        self,
        directory: RecordingDirectory,
        catalogue: Catalogue,
        *,
        test_ids: tuple[str | None, ...],
        is_visible: Callable[[object], bool],
        is_shared: bool,
    ) -> None:
        self.test_ids = test_ids
        self.has_other_names = catalogue.has_other_names
        self._directory = directory
        self._catalogue = catalogue
        self._names = catalogue.names
        self._is_visible = is_visible
        self._is_shared = is_shared
        self._recordings: dict[str, Recording | None] = {}
        self._all: list[Recording] | None = None

    def named(self, address: str) -> list[Recording]:
        """Those whose files have this address, in the order of replay.

        Raises MalformedRecording for a file that should be a recording and is none.
        """
        names = [name for name in self._catalogue.named(address) if name in self._names]
        return self._read(names) if names else []

    def all(self) -> list[Recording]:
        """All of them, in the order of replay, each of them whole.

        Raises MalformedRecording as `named` does, and for what is wrong inside of one.
        """
        if self._all is None:
            recordings = self._read(beside_event_loop(self._names_of_visible))
            for recording in recordings:
                recording.check()
            self._all = sorted(recordings, key=_order)
        return self._all

    def _read(self, names: Iterable[str]) -> list[Recording]:
        missing = [name for name in names if name not in self._recordings]
        if missing:
            self._recordings |= beside_event_loop(lambda: dict(self._read_now(missing)))
        found = (self._recordings[name] for name in names)
        return [recording for recording in found if recording is not None]

    def _names_of_visible(self) -> list[str]:
        if not self._is_shared:
            return list(self._names)
        return [name for name in self._names if self._is_visible(self._catalogue.owner(name))]

    def _read_now(self, names: Iterable[str]) -> Iterator[tuple[str, Recording | None]]:
        for name in names:
            recording = self._directory.load(self._directory.path / name)
            is_seen = recording is not None and self._is_visible(recording.document.get("test_id"))
            yield name, recording if is_seen else None


def _order(recording: Recording) -> tuple[int, str, int]:
    return replay_order(recording.path.name, recording.document)


@lru_cache(maxsize=8)
def catalogue_of(path: Path) -> Catalogue:
    """The catalogue of a directory, which tests that share the directory share, too."""
    return Catalogue(path)


def _owner(path: Path) -> str | None:
    with path.open("rb") as file:
        found = _OWNER.match(file.read(_HEAD))
    return json.loads(found[1]) if found else None
