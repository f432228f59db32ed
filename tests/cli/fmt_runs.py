"""What the tests of ``vcr-llm fmt`` share: a run of it, and what a cassette holds afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm.cli import main

OLD, NEW = "tests/test_a.py::test_x", "tests/test_a.py::test_y"


def fmt(*arguments: str | Path) -> int:
    """The exit status of a run with these arguments."""
    return main(["fmt", *map(str, arguments)])


def documents_in(folder: Path) -> list[dict[str, Any]]:
    """The documents of a cassette, in the order of replay."""
    return [found.document for found in RecordingDirectory(folder).recordings()]


def sequences_in(folder: Path) -> list[int | None]:
    """The numbers of its recordings, in that order."""
    return [document.get("sequence") for document in documents_in(folder)]


def place_of(root: Path, *parts: str) -> Path:
    """Where pytest-recording looks for the cassettes of ``tests``."""
    return root.joinpath("tests", "cassettes", *parts)
