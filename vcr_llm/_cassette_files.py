"""Where a cassette is: its directory, and the file that it was before it was a directory."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from pathlib import Path
from typing import Any

from vcr_llm._errors import MalformedRecording, RecordingError
from vcr_llm._interaction import Interaction

SUFFIX = ".llm"
"""What pytest-recording appends to a cassette's name for the serializer ``llm``."""

OLD_SUFFIXES = (".yaml", ".yml", ".json", ".yaml.gz", ".yml.gz", ".json.gz")
"""The suffixes of cassettes in one file."""

# What vcrpy writes first, in YAML and in JSON.
_BEGINNING = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*(?:interactions:\s|\{\s*"(?:version": 1,\s*")?interactions":)'
)
_HEAD = 100  # bytes

_LONGEST_NAME = 255  # bytes: the limit of ext4, APFS and NTFS


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


def begins_as_cassette(path: Path) -> bool:
    """Whether a file is a cassette of vcrpy's by its first bytes, since vcrpy takes any name.

    A file that cannot be read is none.
    """
    if not _is_file(path):
        return False
    try:
        with path.open("rb") as file:
            return _BEGINNING.match(file.read(_HEAD)) is not None
    except OSError:
        return False


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


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name with its suffix is too long for the file system
        return False
