"""Small recordings for the tests of the commands that keep recordings in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

import vcr_llm
from vcr_llm._address import address_of, file_name
from vcr_llm._json import document_text

URL = "https://api.openai.com/v1/chat/completions"
DEAD_PROCESS = 4_000_000  # above the highest number that Linux gives to one


def recording(
    prompt: str = "hello",
    answer: str = "hi",
    *,
    test_id: str | None = None,
    sequence: int | None = None,
    **response: Any,
) -> dict[str, Any]:
    """A document as the recorder writes it."""
    return {
        "test_id": test_id,
        "request": {
            "method": "POST",
            "url": URL,
            "headers": {},
            "body": {"model": "gpt-4o", "prompt": prompt},
            "endpoint": "/v1/chat/completions",
            "model": "gpt-4o",
        },
        "response": {"body": {"answer": answer}, "is_streaming": False, **response},
        **({} if sequence is None else {"sequence": sequence}),
        "recorded_at": "2026-01-31T12:00:00Z",
    }


def named(document: dict[str, Any], repeat: int = 1) -> str:
    """The name of a recording's file."""
    return file_name(address_of(document), repeat)


def save(folder: Path, documents: Sequence[dict[str, Any]] | dict[str, dict[str, Any]]) -> Path:
    """Write documents as the recorder does, by the names of their files where these are given."""
    folder.mkdir(parents=True, exist_ok=True)
    files = documents if isinstance(documents, dict) else {named(each): each for each in documents}
    for name, document in files.items():
        (folder / name).write_text(document_text(document), encoding="utf-8", newline="\n")
    return folder


def cassette(*prompts: str, test_id: str | None = None) -> dict[str, dict[str, Any]]:
    """The files of a cassette in which these prompts came one after the other."""
    files: dict[str, dict[str, Any]] = {}
    for place, prompt in enumerate(prompts):
        sequence = place if len(prompts) > 1 else None
        document = recording(prompt, f"answer {place}", test_id=test_id, sequence=sequence)
        repeat = 1
        while named(document, repeat) in files:
            repeat += 1
        files[named(document, repeat)] = document
    return files


def answers(folder: Path, *prompts: str) -> list[str]:
    """What a plain client gets that asks these, one after the other."""
    with vcr_llm.use_cassette(str(folder), record_mode="none"), httpx.Client() as client:
        replies = [client.post(URL, json={"model": "gpt-4o", "prompt": each}) for each in prompts]
    return [reply.json()["answer"] for reply in replies]


def read(path: Path) -> Any:
    """The JSON value in a file."""
    return json.loads(path.read_text(encoding="utf-8"))
