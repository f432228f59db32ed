"""What tests of the command line share: small cassettes, and what is in a tree afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from vcr_llm._interaction import Interaction
from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm.cli import main

URL = "https://api.openai.com/v1/chat/completions"
JSON_HEADERS = {"Content-Type": ["application/json"]}


def exchange(prompt: str = "hello", answer: str = "hi", **response: Any) -> dict[str, Any]:
    """An interaction as vcrpy writes it."""
    return {
        "request": {
            "method": "POST",
            "uri": URL,
            "body": json.dumps({"model": "gpt-4o", "prompt": prompt}),
            "headers": dict(JSON_HEADERS),
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": dict(JSON_HEADERS),
            "body": {"string": json.dumps({"answer": answer})},
            **response,
        },
    }


def cassette(*exchanges: dict[str, Any], **more: Any) -> str:
    """The text of vcrpy's YAML."""
    return str(yaml.safe_dump({"version": 1, "interactions": list(exchanges), **more}))


def write(root: Path, **files: str | bytes) -> Path:
    """A tree of files; ``__`` in a name is a slash, and ``.yaml`` is added where it has none."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path = path if path.suffix else path.with_suffix(".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a directory with its content."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def directories(root: Path) -> set[str]:
    """The directories below a directory that hold files."""
    return {str(path.parent.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def interactions(directory: Path) -> list[Interaction]:
    """What a directory of recordings holds, in order."""
    return [recording.interaction for recording in RecordingDirectory(directory).recordings()]


def documents(directory: Path) -> Iterator[dict[str, Any]]:
    """The documents of a directory, in order."""
    for recording in RecordingDirectory(directory).recordings():
        yield recording.document


def summary_of(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    """The JSON that a command prints, and its exit status as ``status``."""
    capsys.readouterr()
    status = main([*map(str, arguments), "--json"])
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {**printed, "status": status}
