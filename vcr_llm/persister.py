"""vcrpy's persister: one cassette is a directory, one recording is a JSON file in it.

The only module that touches the files of cassettes. Files are written under a temporary name and
then take their own in one step, so that every file is whole at every moment. A file that is not
ours is never read as a recording, overwritten or removed; one that should be a recording and is
none is an error that names it.
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import os
import re
import shutil
import stat
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.request import Request as VcrRequest

from vcr_llm import serializer as llm_serializer
from vcr_llm._address import address_of, file_name, parse_file_name
from vcr_llm._document import from_document
from vcr_llm._errors import MalformedRecording, RecordingError, RecordingNotSaved
from vcr_llm._foreign import Document, is_http_exchange
from vcr_llm._interaction import Interaction
from vcr_llm._json import write_document
from vcr_llm._options import Options
from vcr_llm._recording import new_recording, says_the_same, sequence_of, with_sequence
from vcr_llm._vcrpy import VcrResponse, from_vcrpy, to_vcrpy

SUFFIX = ".llm"
"""What pytest-recording appends to a cassette's name for the serializer ``llm``."""

OLD_SUFFIXES = (".yaml", ".yml", ".json", ".yaml.gz", ".yml.gz", ".json.gz")
"""The suffixes of cassettes in one file."""

METADATA = "metadata.json"
"""The file that holds what ``Cassette.get_metadata`` stores."""

_CURE = "Repair it, or delete it and record it again with --record-mode=new_episodes."
_LONGEST_NAME = 255  # bytes: the limit of ext4, APFS and NTFS
_ABANDONED = 3600.0  # seconds after which what another process left belongs to nobody any more
_TEMPORARY = ".tmp"
_WAITING = ".recording"
_ROOM_FOR_PROCESS = 40
_temporary_names = itertools.count()


@dataclass(frozen=True)
class Recording:
    """A recording on disk: its file and the document in it."""

    path: Path
    document: Document

    @cached_property
    def interaction(self) -> Interaction:
        """The exchange that the document holds; raises MalformedRecording where it holds none."""
        try:
            return from_document(self.document)
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
        found = [self._read(path) for path in self._candidates()]
        return sorted((recording for recording in found if recording is not None), key=_order)

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
                return Recording(path, old) if says_the_same(old, document) else None
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
        self.exists()
        self.path.mkdir(parents=True, exist_ok=True)

    def _candidates(self) -> Iterator[Path]:
        """The files that may be recordings: visible, ``.json``, not the metadata."""
        with os.scandir(self.path) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file())
        for name in names:
            if name.endswith(".json") and not name.startswith(".") and name != METADATA:
                yield self.path / name

    def _read(self, path: Path) -> Recording | None:
        """The recording in a file, or None where the file is somebody else's."""
        document = read_document(path)
        is_named = parse_file_name(path.name) is not None
        if document and not is_named and not document.keys() & {"request", "response"}:
            return None
        recording = Recording(path, document)
        if is_http_exchange(document):
            _ = recording.interaction  # raises where it is malformed
        return recording

    @contextmanager
    def _written(self, document: Document, name: str) -> Iterator[Path]:
        """A temporary file in the directory that holds the document; it never stays behind."""
        unique = f".{name}.{os.getpid()}-{next(_temporary_names)}{_TEMPORARY}"
        temporary = self.path / unique
        try:
            with temporary.open("x", encoding="utf-8", newline="\n") as file:
                write_document(document, file.write)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a killed run left half-written."""
        if self.exists():
            _remove_abandoned(self.path, f".*{_TEMPORARY}")


class RecordingWriter:
    """Gives recordings their names and their places in a cassette, one after the other.

    ``before`` are the recordings that the cassette goes on with. ``replaceable`` are those whose
    files may be written over, since the cassette begins anew.
    """

    def __init__(
        self,
        directory: RecordingDirectory,
        *,
        before: Sequence[Recording] = (),
        replaceable: Sequence[Recording] = (),
    ) -> None:
        self._directory = directory
        self._replaceable = {recording.path for recording in replaceable}
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
            if recording is not None:
                return recording

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
    """The place of the next recording in a cassette that has these."""
    numbers = [sequence_of(recording.document) or 0 for recording in recordings]
    return max(max(numbers) + 1, len(recordings)) if numbers else 0


class Staging:
    """A directory beside a cassette, where recordings wait until a test is over."""

    def __init__(self, cassette: RecordingDirectory) -> None:
        # The name says whose it is, and hides it from tools that list cassettes.
        owner = shortened_name(f".{cassette.path.name}", room=_ROOM_FOR_PROCESS)
        name = f"{owner}.{os.getpid()}-{next(_temporary_names)}{_WAITING}"
        self.directory = RecordingDirectory(cassette.path.parent / name)
        self.writer = RecordingWriter(self.directory)
        _remove_abandoned(cassette.path.parent, f"{_escaped(owner)}.*{_WAITING}")

    def discard(self) -> None:
        """Remove the directory and what is left in it."""
        shutil.rmtree(self.directory.path, ignore_errors=True)


class DirectoryPersister:
    """The persister for a plain ``vcr.VCR``: loads and saves whole cassettes as directories.

    ``vcr_llm.VCR`` and the pytest plugin do more than vcrpy asks of a persister: they save each
    recording when it is complete. They give this one where vcrpy wants to see a persister.
    """

    @classmethod
    def load_cassette(
        cls,
        cassette_path: str | os.PathLike[str],
        serializer: ModuleType,  # noqa: ARG003 - vcrpy passes it; a directory has one format
    ) -> tuple[list[VcrRequest], list[VcrResponse], dict[str, Any]]:
        """The requests, responses and metadata of a cassette."""
        directory = RecordingDirectory(directory_of(cassette_path))
        if not directory.exists():
            raise CassetteNotFoundError
        requests, responses = [], []
        for recording in directory.recordings():
            if is_http_exchange(recording.document):
                request, response = to_vcrpy(recording.interaction)
                requests.append(request)
                responses.append({**response, llm_serializer.RECORDING: recording.document})
        return requests, responses, directory.metadata()

    @classmethod
    def save_cassette(
        cls,
        cassette_path: str | os.PathLike[str],
        cassette_dict: dict[str, Any],
        serializer: ModuleType,  # noqa: ARG003 - vcrpy passes it; a directory has one format
    ) -> None:
        """Make the directory hold exactly these interactions, besides what is not ours."""
        directory = RecordingDirectory(directory_of(cassette_path))
        before = directory.recordings()
        documents = [
            _document_of(request, response)
            for request, response in zip(
                cassette_dict["requests"], cassette_dict["responses"], strict=True
            )
        ]
        writer = RecordingWriter(directory, replaceable=before)
        for document in documents:
            writer.write(address_of(document), document)
        directory.remove(recording for recording in before if recording.path not in writer.written)
        if cassette_dict.get("metadata"):
            directory.save_metadata(cassette_dict["metadata"])


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
        return llm_serializer.load_json(text)
    except MalformedRecording as error:
        raise _located(error, path) from None


def read_old_cassette(path: Path) -> tuple[list[Interaction], dict[str, Any]]:
    """The interactions and metadata of a cassette in one file, in any dialect that we know.

    Raises RecordingError, with the file, where it cannot be read; the file is left as it is.
    """
    from vcr_llm._old_cassette import read_cassette  # it brings YAML

    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingError(f"cannot be read: {error}", path=path) from error
    if not content.strip():
        return [], {}
    try:
        cassette = read_cassette(content)
    except RecordingError as error:
        msg = f"{error.problem}; the file is left as it is"
        raise MalformedRecording(msg, path=path) from None
    return [old.interaction for old in cassette.interactions], cassette.metadata


def directory_of(cassette_path: str | os.PathLike[str]) -> Path:
    """The directory of a cassette's path, which hosts may end in a serializer's suffix."""
    path = Path(os.fspath(cassette_path).removesuffix(SUFFIX))
    for suffix in sorted(OLD_SUFFIXES, key=len, reverse=True):
        if path.name.endswith(suffix) and path.name != suffix:
            path = path.with_name(path.name.removesuffix(suffix))
            break
    return path.with_name(shortened_name(path.name)) if path.name else path


def old_cassette_of(directory: Path, *other_names: str) -> Path | None:
    """The cassette in one file that stands where the directory would, or None."""
    candidates = (
        directory.with_name(name + suffix)
        for name in (directory.name, *other_names)
        for suffix in OLD_SUFFIXES
    )
    return next((path for path in candidates if _is_file(path)), None)


def shortened_name(name: str, *, room: int = 0) -> str:
    """A file name that every file system takes: at most 255 bytes, still different from others.

    ``room`` bytes of them are left for what will be appended.
    """
    encoded = os.fsencode(name)
    if len(encoded) <= _LONGEST_NAME - room:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:16]
    head = encoded[: _LONGEST_NAME - room - len(digest) - 3].decode(errors="ignore")
    return f"{head}...{digest}"


def _document_of(request: VcrRequest, response: VcrResponse) -> Document:
    carried = response.get(llm_serializer.RECORDING)
    item = {"request": request._to_dict(), "response": response}
    if isinstance(carried, dict):
        return llm_serializer.load_json(llm_serializer.serialize({"interactions": [item]}))
    return new_recording(from_vcrpy(request, response), Options()).document


def _order(recording: Recording) -> tuple[int, str, int]:
    named = parse_file_name(recording.path.name)
    address, repeat = named or (recording.path.name, 1)
    return sequence_of(recording.document) or 0, address, repeat


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name with its suffix is too long for the file system
        return False


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


def _remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove what a run that was killed left in a folder; what runs now is left alone."""
    for path in folder.glob(pattern) if folder.is_dir() else ():
        with suppress(OSError):
            if _is_abandoned(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_abandoned(path: Path) -> bool:
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


def _escaped(name: str) -> str:
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
