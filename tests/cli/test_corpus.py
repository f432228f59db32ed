"""The whole corpus of public cassettes, converted and back, and replayed.

``VCR_LLM_CORPUS`` may name a folder of other cassettes, for which all of it is checked, too.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

import vcr_llm
from tests.cli.trees import summary_of
from vcr_llm._address import address_of
from vcr_llm._cassette_files import OLD_SUFFIXES, begins_as_cassette
from vcr_llm._document import from_document, to_document
from vcr_llm._interaction import Headers, Interaction
from vcr_llm._json import JSON, children
from vcr_llm._old_cassette import NotACassette, read_cassette
from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm._secret_shapes import PLACEHOLDER
from vcr_llm.cli import main
from vcr_llm.cli._tree import Found
from vcr_llm.cli.convert import assigned

_SHARED = Path(__file__).parents[3] / "shared" / "corpus"
CORPUS = Path(os.environ.get("VCR_LLM_CORPUS", _SHARED))

pytestmark = pytest.mark.shared

# gRPC samples, logs of WebSockets and of a command's pipes, tokens of a local model: no HTTP.
_NOT_HTTP = ("xai", "_ws/", "test_claude_agent_sdk/", "mlx")
_OWN_HEADERS = frozenset({"content-length", "transfer-encoding", "host"})


class Converted(NamedTuple):
    """The corpus in our format, and what `convert` said about it."""

    root: Path
    summary: dict[str, Any]


class Old(NamedTuple):
    """A cassette of the corpus: what was in its file, and its directory below the new root."""

    path: Path
    interactions: list[Interaction]
    place: Path


def _old_cassettes() -> Iterator[Old]:
    files = [path for path in sorted(CORPUS.rglob("*")) if path.is_file()]
    paths = [file for file in files if file.name.endswith(OLD_SUFFIXES) or begins_as_cassette(file)]
    first, _later = assigned((Found(path, path.relative_to(CORPUS)) for path in paths), Path())
    for path, place in first:
        content = path.read_bytes()
        try:
            old = read_cassette(gzip.decompress(content) if path.suffix == ".gz" else content)
        except NotACassette:
            assert any(part in str(path) for part in _NOT_HTTP), path
            continue
        yield Old(path, [item.interaction for item in old.interactions], place)


@pytest.fixture(scope="module")
def olds() -> list[Old]:
    """Every HTTP cassette of the corpus."""
    return list(_old_cassettes())


@pytest.fixture(scope="module")
def verbatim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus converted with --verbatim."""
    root = tmp_path_factory.mktemp("verbatim")
    main(["convert", str(CORPUS), str(root), "--verbatim"])
    return root


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus converted as a team would convert it."""
    root = tmp_path_factory.mktemp("converted")
    assert main(["convert", str(CORPUS), str(root)]) == 0
    return root


def test_every_http_cassette_is_converted(
    olds: list[Old], converted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """None fails, none is skipped that is an HTTP cassette, and a second run writes nothing."""
    found = summary_of(capsys, "convert", CORPUS, converted)
    assert found["failed"] == []
    assert found["recordings"] == 0
    assert len(olds) > (1700 if CORPUS == _SHARED else 0)
    assert all(any(part in item["path"] for part in _NOT_HTTP) for item in found["skipped"])
    for old in olds:
        count = len(RecordingDirectory(converted / old.place).recordings())
        assert count == len(old.interactions), old.path


def test_conversion_takes_less_than_300_mb(tmp_path: Path) -> None:
    """All processes together, were each as large as the largest of them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.peak_memory", "convert", CORPUS, tmp_path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout.splitlines()[-1]) < 300 * 1024 * 1024


def _sent(interaction: Interaction) -> object:
    """What was sent: JSON by its value, anything else as it was."""
    body = interaction.request.body or b""
    try:
        return json.loads(body)
    except ValueError:
        return body


def _told(interaction: Interaction) -> dict[str, object]:
    request, response = interaction.request, interaction.response
    return {
        "method": request.method,
        "url": request.url,
        "request headers": sorted(request.headers),
        "sent": _sent(interaction),
        "status": (response.status, response.reason),
        "response headers": sorted(response.headers),
        "body": response.body,
    }


def test_verbatim_and_back_changes_nothing(olds: list[Old], verbatim: Path, tmp_path: Path) -> None:
    """Method, URL, status, headers and decoded body, in the same order; vcrpy reads each file."""
    assert main(["export", str(verbatim), str(tmp_path)]) == 0
    differing: dict[str, list[str]] = {}
    for old in olds:
        path = tmp_path / old.place.with_name(old.place.name + ".yaml")
        text = path.read_text(encoding="utf-8")
        deserialize(text, yamlserializer)
        back = [item.interaction for item in read_cassette(text.encode()).interactions]
        assert len(back) == len(old.interactions), old.path
        for before, after in zip(map(_told, old.interactions), map(_told, back), strict=True):
            for part in before:
                if before[part] != after[part]:
                    differing.setdefault(part, []).append(str(old.place))
    assert {part: (len(places), places[:3]) for part, places in differing.items()} == {}


def _differences(before: JSON, after: JSON, name: str = "") -> Iterator[tuple[str, JSON, JSON]]:
    """The values that differ, with the name of the field that they stand in."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from _differences(before.get(key), after.get(key), key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for old, new in zip(before, after, strict=True):
            yield from _differences(old, new, name)
    else:
        yield name, before, after


def _is_redacted(value: JSON) -> bool:
    if isinstance(value, str):
        return PLACEHOLDER in value or PLACEHOLDER in _said_in_base64(value)
    return any(map(_is_redacted, children(value)))


def _said_in_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _is_meant(after: JSON, framing: JSON) -> bool:
    """Whether a difference is one that conversion is for."""
    # Raw text goes where the value that it spelled has changed.
    return _is_redacted(after) or (after is None and framing is not None)


def test_nothing_but_secrets_changes(olds: list[Old], converted: Path) -> None:
    """Each document is what the exchange says, redacted."""
    for old in olds:
        recordings = RecordingDirectory(converted / old.place).recordings()
        for interaction, recording in zip(old.interactions, recordings, strict=True):
            whole: Any = to_document(interaction)
            after = {key: recording.document[key] for key in ("request", "response")}
            before = {key: whole[key] for key in ("request", "response")}
            framing = whole["response"].get("framing")
            for name, was, is_now in _differences(before, after):
                assert _is_meant(is_now, framing), (old.path, name, was, is_now)
            assert recording.path.name.startswith(address_of(recording.document)), old.path


def _replayed(client: httpx.Client, request: Any) -> httpx.Response:
    """What a plain client gets that sends the request again."""
    pairs = [(name.encode(), value.encode()) for name, value in _ordinary(request.headers)]
    headers = httpx.Headers(pairs)
    again = client.build_request(request.method, request.url, headers=headers, content=request.body)
    return client.send(again)


def _ordinary(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() not in _OWN_HEADERS)


def test_every_converted_cassette_replays(olds: list[Old], converted: Path) -> None:
    """A plain httpx client that sends the old requests gets every answer, in order."""
    unanswered: list[str] = []
    with httpx.Client() as client:
        for old in olds:
            expected = [
                from_document(recording.document).response
                for recording in RecordingDirectory(converted / old.place).recordings()
            ]
            with vcr_llm.use_cassette(str(converted / old.place), record_mode="none"):
                for interaction, response in zip(old.interactions, expected, strict=True):
                    if "://" not in interaction.request.url:  # redacted: no client can send it
                        continue
                    try:
                        answer = _replayed(client, interaction.request)
                    except httpx.InvalidURL:  # longer than 65,536 characters: it sends none
                        continue
                    except Exception as error:  # noqa: BLE001 - all of them are shown together
                        unanswered.append(f"{old.place}: {str(error)[:80]}")
                        continue
                    assert answer.status_code == response.status, old.path
                    assert answer.content == response.body, old.path
    assert unanswered == []
