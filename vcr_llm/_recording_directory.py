"""The recordings of a directory on disk.

Files are written under a temporary name and then take their own in one step, so that every file
is whole at every moment. A file that is not ours is never read as a recording, overwritten or
removed; one that should be a recording and is none is an error that names it.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vcr_llm._address import parse_file_name
from vcr_llm._document import (
    check_document,
    from_document,
    parse_document,
    played_response,
    request_of,
    written_request,
)
from vcr_llm._errors import MalformedRecording, RecordingError, RecordingNotSaved
from vcr_llm._foreign import Document, is_http_exchange, is_tool_call
from vcr_llm._interaction import Interaction, Request, Response
from vcr_llm._json import write_document
from vcr_llm._keyed_request import WrittenRequest
from vcr_llm._recording import replay_order, says_the_same, sequence_of
from vcr_llm._tool_call import check_tool_document

METADATA = "metadata.json"
"""The file that holds what ``Cassette.get_metadata`` stores."""

FAILED = ".failed"
"""The folder of what tests that failed have recorded."""

_CURE = "Repair it, or delete it and record it again with --record-mode=new_episodes."
_ABANDONED = 3600.0  # seconds after which what another process left belongs to nobody any more
_TEMPORARY = ".tmp"
_BUFFER = 64 * 1024  # bytes
_numbers = itertools.count()


@dataclass(frozen=True)
class Recording:
    """A recording on disk: its file and the document in it."""

    path: Path
    document: Document

    @cached_property
    def interaction(self) -> Interaction:
        """The exchange that the document holds; raises MalformedRecording where it holds none."""
        with self.located():
            return from_document(self.document)

    @cached_property
    def request(self) -> Request:
        """The request alone; raises MalformedRecording where the document holds none."""
        with self.located():
            return request_of(self.document)

    @cached_property
    def written(self) -> WrittenRequest:
        """The request as it is written; raises MalformedRecording where there is none."""
        with self.located():
            return WrittenRequest(written_request(self.document))

    def played(self) -> tuple[Response, list[bytes]]:
        """The response without its body, and the body event by event.

        Raises MalformedRecording where the document holds none.
        """
        with self.located():
            return played_response(self.document)

    def check(self) -> None:
        """Raise MalformedRecording where the document does not hold what it should."""
        with self.located():
            if is_tool_call(self.document):
                check_tool_document(self.document)
            elif is_http_exchange(self.document):
                check_document(self.document)

    @contextmanager
    def located(self) -> Iterator[None]:
        """What is said in here about the document is said about the file."""
        try:
            yield
        except RecordingError as error:
            raise _located(error, self.path) from error


class RecordingDirectory:
    """The recordings of one directory, and the only hand that writes them."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def exists(self) -> bool:
        """Whether the directory is there.

        Raises RecordingError where something else has its name.
        """
        try:
            if stat.S_ISDIR(self.path.stat().st_mode):
                return True
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            msg = f"cannot be the directory of a cassette: {error.strerror}"
            raise RecordingError(msg, path=self.path) from error
        msg = "is a file, where the directory of a cassette was expected; move it away"
        raise RecordingError(msg, path=self.path)

    def recordings(self) -> list[Recording]:
        """The recordings in the order in which they are replayed.

        Raises MalformedRecording for a file that should be one and is none.
        """
        if not self.exists():
            return []
        found = [self.read(path) for path in self.candidates()]
        return sorted(
            (recording for recording in found if recording is not None),
            key=lambda recording: replay_order(recording.path.name, recording.document),
        )

    def metadata(self) -> dict[str, Any]:
        """What was stored beside the recordings, ``{}`` for nothing."""
        path = self.path / METADATA
        return read_document(path) if path.is_file() else {}

    def save_metadata(self, metadata: dict[str, Any]) -> None:
        """Store something beside the recordings; nothing takes no file."""
        with _explained(self.path):
            if not metadata:
                (self.path / METADATA).unlink(missing_ok=True)
                return
            self._make()
            with self._written(metadata, METADATA) as temporary:
                temporary.replace(self.path / METADATA)

    def add(self, document: Document, path: Path) -> Recording | None:
        """Write a recording under a name that nothing has; None where the name is taken."""
        with _explained(self.path):
            if path.exists():
                return None
            self._make()
            with self._written(document, path.name) as temporary:
                return Recording(path, document) if _take_name(temporary, path) else None

    def fill(self, documents: Mapping[str, Document]) -> None:
        """Make the directory, and write files that nobody looks for before it has its last name."""
        with _explained(self.path):
            self.path.mkdir(parents=True)
            for name, document in documents.items():
                _write_new(self.path / name, document)

    def take_name(self, path: Path) -> bool:
        """Give the directory its last name in one step; False where something has that name."""
        with _explained(path):
            try:
                if not os.path.lexists(path):
                    self.path.rename(path)
                    return True
            except OSError:
                if not os.path.lexists(path):
                    raise
            return False

    def rename(self, path: Path, name: str) -> None:
        """Give a file of the directory another name.

        Raises RecordingNotSaved where something has it.
        """
        with _explained(self.path):
            if os.path.lexists(self.path / name):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), self.path / name)
            path.rename(self.path / name)

    def put(self, document: Document, path: Path) -> Recording:
        """Write a recording under its name, over what had it before, in one step.

        Where the file says the same already, it keeps every byte.
        """
        return self.unchanged(path, document) or self.replace(document, path)

    def unchanged(self, path: Path, document: Document) -> Recording | None:
        """The recording in a file that says what this document says, whenever it was recorded."""
        if path.is_file():
            with suppress(RecordingError):
                old = read_document(path)
                is_in_place = (sequence_of(old) or 0) == (sequence_of(document) or 0)
                is_same = is_in_place and says_the_same(old, document)
                return Recording(path, old) if is_same else None
        return None

    def move(self, source: Path, path: Path) -> None:
        """Give a file its name here, over what had it before, in one step."""
        with _explained(self.path):
            self._make()
            source.replace(path)

    def replace(self, document: Document, path: Path) -> Recording:
        """Write a recording under this name, whatever had it before."""
        with _explained(self.path):
            self._make()
            with self._written(document, path.name) as temporary:
                temporary.replace(path)
        return Recording(path, document)

    def remove(self, recordings: Iterable[Recording]) -> None:
        """Remove recordings; a directory that holds nothing any more goes with them."""
        with _explained(self.path):
            for recording in recordings:
                recording.path.unlink(missing_ok=True)
            with suppress(OSError):
                self.path.rmdir()

    def _make(self) -> None:
        if not self.exists():
            self.path.mkdir(parents=True, exist_ok=True)

    def candidates(self) -> Iterator[Path]:
        """The files that may be recordings: visible, ``.json``, not the metadata."""
        for name in sorted(self.file_names()):
            if may_be_recording(name):
                yield self.path / name

    def file_names(self) -> list[str]:
        """The names of the files in the directory, ours or not."""
        with os.scandir(self.path) as entries:
            return [entry.name for entry in entries if entry.is_file()]

    def read(self, path: Path) -> Recording | None:
        """The recording in a file, or None where the file is somebody else's.

        Raises MalformedRecording, with the file, the place in it and the cure.
        """
        recording = self.load(path)
        if recording is not None:
            recording.check()
        return recording

    def load(self, path: Path) -> Recording | None:
        """As `read`, but what is in the JSON object is looked at when somebody needs it."""
        document = read_document(path)
        is_named = parse_file_name(path.name) is not None
        if document and not is_named and not document.keys() & {"request", "response"}:
            return None
        return Recording(path, document)

    @contextmanager
    def _written(self, document: Document, name: str) -> Iterator[Path]:
        """A temporary file in the directory that holds the document; it never stays behind."""
        unique = f".{name}.{os.getpid()}-{next_number()}{_TEMPORARY}"
        temporary = self.path / unique
        try:
            _write_new(temporary, document)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a killed run left half-written."""
        if self.exists():
            remove_abandoned(self.path, f".*{_TEMPORARY}")


def may_be_recording(name: str) -> bool:
    """Whether a file of this name may be a recording: visible, ``.json``, not the metadata."""
    return name.endswith(".json") and not name.startswith(".") and name != METADATA


def is_half_written(name: str) -> bool:
    """Whether this is the name of a file that is being written, or was when its run ended."""
    return name.startswith(".") and name.endswith(_TEMPORARY)


def read_document(path: Path) -> Document:
    """The JSON object in a file.

    Raises MalformedRecording, with the file, the place in it and the cure.
    """
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        problem = MalformedRecording(f"is not UTF-8: byte {error.start} is no part of a character")
        raise _located(problem, path) from None
    except OSError as error:
        raise RecordingError(f"cannot be read: {error.strerror}", path=path) from error
    try:
        return parse_document(text)
    except MalformedRecording as error:
        raise _located(error, path) from None


def _write_new(path: Path, document: Document) -> None:
    # A file of text would ask the system whether it is a terminal, and where it stands, twice.
    with path.open("xb", buffering=_BUFFER) as file:
        write_document(document, lambda text: file.write(text.encode()))


def next_number() -> int:
    """A number that no other temporary name of this process has."""
    return next(_numbers)


def _take_name(temporary: Path, path: Path) -> bool:
    """Give a file its name unless the name is taken; two processes never get the same one."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if path.exists():
            return False
        temporary.replace(path)
    return True


def _located(error: RecordingError, path: Path) -> RecordingError:
    return type(error)(f"{error.problem}. {_CURE}", path=path)


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove what a run that was killed left in a folder; what runs now is left alone."""
    for path in folder.glob(pattern) if folder.is_dir() else ():
        with suppress(OSError):
            if is_abandoned(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def is_abandoned(path: Path) -> bool:
    """Whether the process that a temporary name tells of is gone."""
    owner = re.search(r"\.(\d+)-\d+\.\w+\Z", path.name)
    if owner is not None and os.name == "posix" and int(owner[1]) != os.getpid():
        try:
            os.kill(int(owner[1]), 0)
        except ProcessLookupError:
            return True
        except OSError:  # it runs as somebody else
            return False
    return time.time() - path.stat().st_mtime > _ABANDONED


def escaped(name: str) -> str:
    """A name as a pattern of `glob` that stands for nothing else."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What the operating system refuses, as an error that says which cassette and why."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        msg = f"cannot be saved: {error.strerror or error} ({where}); nothing was overwritten"
        raise RecordingNotSaved(msg, path=path) from error
