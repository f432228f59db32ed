"""A directory that is written whole or not at all: beside its place, which it then takes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def write_whole(directory: Path, files: Iterable[tuple[str, str]]) -> None:
    """Write the files of a directory, and put it into the place of what is there.

    Whatever goes wrong, what was there stays, and nothing is left beside it.
    """
    place = Path(os.path.realpath(directory))
    place.parent.mkdir(parents=True, exist_ok=True)
    new, old = (place.with_name(f".{place.name}.{os.getpid()}-{number}.tmp") for number in (0, 1))
    try:
        new.mkdir()
        for name, text in files:
            path = new / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        _swap(new, place, old)
    finally:
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)


def _swap(new: Path, place: Path, old: Path) -> None:
    """Put what is new into the place; what was there comes back where that fails."""
    with suppress(FileNotFoundError):
        place.rename(old)
    try:
        new.rename(place)
    except BaseException:
        with suppress(FileNotFoundError):
            old.rename(place)
        raise
