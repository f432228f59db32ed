"""Recordings of the system whose shape ours has: all load, and the SDKs get what the files hold."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ollama
import openai
import pytest

import vcr_llm
from tests.sdk.clients import plain
from vcr_llm._address import address_of

SHARED = Path(__file__).parents[3] / "shared"
CORPUS = SHARED / "corpus" / "llama-stack-seed"
FILES = sorted([*SHARED.glob("seed/*.json"), *CORPUS.rglob("*.json")])
FLAT_DIRECTORIES = sorted({path.parent for path in FILES})

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FILES, reason="the folder ../shared is not here"),
]

OLLAMA_PATHS = {"/api/ps": "ps", "/api/chat": "chat", "/api/generate": "generate"}


def name(path: Path) -> str:
    """A short name for a recording: its folder, and both ends of its file's name."""
    return f"{path.parent.parent.name}-{path.stem[:12]}-{path.stem[-8:]}"


def document_of(path: Path) -> dict[str, Any]:
    """The JSON of a recording."""
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def is_tool_call(document: dict[str, Any]) -> bool:
    """Whether no HTTP was involved."""
    return "tool_name" in document["request"]


EXCHANGES = [path for path in FILES if not is_tool_call(document_of(path))]


def held(value: Any) -> Any:
    """What a file holds, without its tags."""
    if isinstance(value, list):
        return [held(item) for item in value]
    if isinstance(value, dict) and "__data__" in value:
        return held(value["__data__"])
    if isinstance(value, dict):
        return {key: held(item) for key, item in value.items()}
    return value


def without_nulls(value: Any) -> Any:
    """The value without absent fields, which the files write as null."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def is_same_request(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two recordings have the same request, the ids of tool calls aside."""
    texts = (json.dumps(document["request"], sort_keys=True) for document in (one, other))
    first, second = (re.sub(r'"(tool_call_)?id": "[^"]*"', "", text) for text in texts)
    return first == second


@pytest.fixture(scope="module")
def client() -> Iterator[openai.OpenAI]:
    """One client for all: making one takes longer than a replay."""
    with openai.OpenAI(base_url="http://nowhere", api_key="none", max_retries=0) as one:
        yield one


def sdk_objects(document: dict[str, Any], client: openai.OpenAI) -> Any:
    """What the SDK gives for the recorded request, as plain values."""
    request = document["request"]
    origin = request["url"].removesuffix(request["endpoint"])
    if request["endpoint"].startswith("/api/"):
        return _ollama_objects(origin, request)
    return _openai_objects(client.with_options(base_url=origin), request)


def _ollama_objects(host: str, request: dict[str, Any]) -> Any:
    client = ollama.Client(host)
    reply = getattr(client, OLLAMA_PATHS[request["endpoint"]])(**request["body"])
    if isinstance(reply, Iterator):
        return [item.model_dump(mode="json") for item in reply]
    return reply.model_dump(mode="json")


def _openai_objects(client: openai.OpenAI, request: dict[str, Any]) -> Any:
    calls: dict[str, Any] = {
        "/v1/models": client.models.list,
        "/v1/chat/completions": client.chat.completions.create,
        "/v1/completions": client.completions.create,
    }
    arguments = dict(request["body"])
    if request["endpoint"] == "/v1/completions" and "messages" in arguments:
        # Sent so by a test of theirs; the SDK's method has no such argument.
        arguments["extra_body"] = {"messages": arguments.pop("messages")}
        arguments["prompt"] = openai.NOT_GIVEN
    reply = calls[request["endpoint"]](**arguments)
    if arguments.get("stream") or request["endpoint"] == "/v1/models":
        return [plain(item) for item in reply]
    return plain(reply)


def test_nothing_is_missing() -> None:
    """The seed and its corpus are all here."""
    assert len(list(SHARED.glob("seed/*.json"))) == 1
    assert len(EXCHANGES) > 150


@pytest.mark.parametrize("path", FILES, ids=map(name, FILES))
def test_value_survives(path: Path) -> None:
    """Reading and writing a recording gives the same JSON value."""
    text = path.read_text("utf-8")
    cassette = vcr_llm.serializer.deserialize(text)
    assert json.loads(vcr_llm.serializer.serialize(cassette)) == json.loads(text)


def test_seeds_address_is_its_name() -> None:
    """The address of the seed's document is its file's name."""
    (path,) = SHARED.glob("seed/*.json")
    assert f"{address_of(document_of(path))}.json" == path.name


@pytest.mark.parametrize("layout", ["directory", "flat"])
@pytest.mark.parametrize(
    "directory", FLAT_DIRECTORIES, ids=[path.parent.name for path in FLAT_DIRECTORIES]
)
def test_directory_loads_in_place(directory: Path, layout: str) -> None:
    """Every exchange of a directory is there, and no file is touched."""
    before = {path: path.read_bytes() for path in directory.iterdir()}
    flat: Any = {"cassette_library_dir": str(directory), "layout": "flat"}
    where, options = ("any_test", flat) if layout == "flat" else (directory, {})
    with vcr_llm.use_cassette(where, record_mode="none", **options) as cassette:
        assert len(cassette) == len([path for path in EXCHANGES if path.parent == directory])
    assert {path: path.read_bytes() for path in directory.iterdir()} == before


@pytest.mark.parametrize("path", EXCHANGES, ids=map(name, EXCHANGES))
def test_sdk_gets_what_the_file_holds(path: Path, tmp_path: Path, client: openai.OpenAI) -> None:
    """The recorded arguments, given to the SDK's method, give the recorded objects."""
    cassette = tmp_path / "cassette"
    cassette.mkdir()
    shutil.copy(path, cassette)
    document = document_of(path)
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        objects = sdk_objects(document, client)
    assert replayed.play_count == 1
    assert without_nulls(objects) == without_nulls(held(document["response"]["body"]))


@pytest.mark.parametrize(
    "directory", FLAT_DIRECTORIES, ids=[path.parent.name for path in FLAT_DIRECTORIES]
)
def test_sdk_gets_everything_from_a_flat_directory(directory: Path, client: openai.OpenAI) -> None:
    """With all recordings in one directory, each request gets one of its own answers, each once."""
    documents = [document_of(path) for path in EXCHANGES if path.parent == directory]
    flat: Any = {"cassette_library_dir": str(directory), "layout": "flat"}
    with vcr_llm.use_cassette("any_test", record_mode="none", **flat) as replayed:
        for document in documents:
            answers = [
                without_nulls(held(other["response"]["body"]))
                for other in documents
                if is_same_request(other, document)
            ]
            assert without_nulls(sdk_objects(document, client)) in answers
    assert replayed.all_played
    assert replayed.play_count == len(documents)
