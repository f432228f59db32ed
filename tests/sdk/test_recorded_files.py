"""What lies on disk after recording: one readable file per request, and no key in any of them."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import socket
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

import vcr_llm
from tests.sdk import openai_scenarios
from tests.sdk.clients import KINDS, NO_TLS, Scenario, recordings, run
from tests.sdk.openai_errors import failing
from tests.sdk.openai_scenarios import MODEL, ask
from tests.servers.fault_server import FaultServer, Reply
from tests.servers.openai_server import OpenAIServer

OLD = "2001-02-03T04:05:06Z"


def record(cassette: Path, *scenarios: Scenario, **options: Any) -> list[dict[str, Any]]:
    """The documents of a cassette that these scenarios recorded, in the order of recording."""
    options = {"record_mode": "new_episodes", **options}
    with OpenAIServer() as server, vcr_llm.use_cassette(cassette, **options):
        for scenario in scenarios:
            run(scenario, "sync", server.base_url)
    return documents(cassette)


def documents(cassette: Path) -> list[dict[str, Any]]:
    """The documents of a cassette, in the order of recording."""
    found = [json.loads(path.read_text("utf-8")) for path in recordings(cassette)]
    return sorted(found, key=lambda document: document.get("sequence", 0))


def contents(cassette: Path) -> dict[str, bytes]:
    """Every file below a cassette, by name."""
    return {
        str(path.relative_to(cassette)): path.read_bytes()
        for path in cassette.rglob("*")
        if path.is_file()
    }


def address(document: dict[str, Any]) -> str:
    """The address as the format's documentation defines it, for bodies without long decimals."""
    request = document["request"]
    addressed = {
        "body": request["body"],
        "endpoint": urlsplit(request["url"]).path,
        "method": request["method"],
        "test_id": document["test_id"],
    }
    return hashlib.sha256(json.dumps(addressed, sort_keys=True).encode()).hexdigest()


async def count(client: Any) -> list[Any]:
    """The same question three times: each gets an answer of its own."""
    return [
        client.chat.completions.create(model=MODEL, messages=ask("count"))
        .choices[0]
        .message.content
        for _ in range(3)
    ]


async def hello(client: Any) -> list[Any]:
    """The shortest chat."""
    return [client.chat.completions.create(model=MODEL, messages=ask("hello"))]


# One file


def completion(content: str) -> dict[str, Any]:
    """The JSON of a chat completion."""
    message = {"role": "assistant", "content": content, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [choice],
    }


@pytest.mark.parametrize(
    ("host", "spelt"),
    [
        ("127.0.0.1", {"separators": (",", ":")}),
        ("api.openai.com", {"indent": 2}),
    ],
    ids=["compatible", "openai"],
)
def test_plain_chat_has_the_documented_keys_alone(
    host: str,
    spelt: dict[str, Any],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plain chat is written with the documented keys in their order and nothing else."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *more, **kw: resolve("127.0.0.1", *more, **kw)
    )
    text = json.dumps(completion("hi"), **spelt) + "\n" * ("indent" in spelt)
    body = Reply((text.encode(),), headers=(("Content-Type", "application/json"),))
    with FaultServer(body) as server:
        url = server.url.replace("127.0.0.1", host) + "/v1"
        with vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"):
            run(hello, "sync", url)
    (document,) = documents(tmp_path / "cassette")
    assert list(document) == ["test_id", "request", "response", "recorded_at"]
    assert list(document["request"]) == ["method", "url", "headers", "body", "endpoint", "model"]
    assert list(document["response"]) == ["body", "is_streaming"]
    assert document["test_id"] == request.node.nodeid
    assert {key: value for key, value in document["request"].items() if key != "url"} == {
        "method": "POST",
        "headers": {},
        "body": {"messages": ask("hello"), "model": MODEL},
        "endpoint": "/v1/chat/completions",
        "model": MODEL,
    }
    assert document["request"]["url"] == f"{url}/chat/completions"
    assert document["response"]["is_streaming"] is False
    assert document["response"]["body"] == {
        "__type__": "openai.types.chat.chat_completion.ChatCompletion",
        "__data__": {
            **completion("hi"),
            "id": f"rec-{address(document)[:12]}",
            "created": 0,
        },
    }


def test_text_is_readable(tmp_path: Path) -> None:
    """The file is UTF-8, indented by two, with characters as themselves and a final newline."""
    record(tmp_path / "cassette", openai_scenarios.chat)
    (path,) = recordings(tmp_path / "cassette")
    content = path.read_bytes()
    assert "Grüße nach 東京 🗼".encode() in content
    assert b"\r" not in content
    value = json.loads(content)
    assert content.decode() == json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def test_outside_pytest_there_is_no_test_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that records without pytest has `null` there."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    (document,) = record(tmp_path / "cassette", openai_scenarios.chat)
    assert document["test_id"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_addresses(kind: str, tmp_path: Path) -> None:
    """There is one file per request, named by its address; pages share one, and are counted."""
    cassette = tmp_path / "cassette"
    with OpenAIServer() as server, vcr_llm.use_cassette(cassette, record_mode="new_episodes"):
        run(openai_scenarios.chat_with_tools, kind, server.base_url)
        run(openai_scenarios.files, kind, server.base_url)
        run(openai_scenarios.embeddings, kind, server.base_url)
    assert len(recordings(cassette)) == len(server.requests)
    assert set(contents(cassette)) == {path.name for path in recordings(cassette)}
    for path in recordings(cassette):
        found = address(json.loads(path.read_text("utf-8")))
        assert re.fullmatch(rf"{found}(-\d+)?\.json", path.name)


def test_stream_is_one_entry_per_event(tmp_path: Path) -> None:
    """A chat's chunks are listed one by one, `[DONE]` is implied and nothing is framed."""
    (document,) = record(tmp_path / "cassette", openai_scenarios.chat_stream_with_usage)
    response = document["response"]
    assert list(response) == ["body", "is_streaming"]
    assert response["is_streaming"] is True
    label = "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"
    assert len(response["body"]) > 4
    assert all(list(entry) == ["__type__", "__data__"] for entry in response["body"])
    assert {entry["__type__"] for entry in response["body"]} == {label}


def test_responses_stream_needs_no_framing(tmp_path: Path) -> None:
    """Each event of a response has its own type's label; OpenAI's way of writing it is implied."""
    (document,) = record(tmp_path / "cassette", openai_scenarios.responses_stream)
    response = document["response"]
    assert list(response) == ["body", "is_streaming"]
    first, last = response["body"][0], response["body"][-1]
    types = "openai.types.responses"
    assert first["__type__"] == f"{types}.response_created_event.ResponseCreatedEvent"
    assert last["__type__"] == f"{types}.response_completed_event.ResponseCompletedEvent"


LABELS: dict[Scenario, set[str]] = {
    openai_scenarios.chat: {"chat.chat_completion.ChatCompletion"},
    openai_scenarios.chat_stream: {"chat.chat_completion_chunk.ChatCompletionChunk"},
    openai_scenarios.text_completions: {"completion.Completion"},
    openai_scenarios.responses: {"responses.response.Response"},
    openai_scenarios.embeddings: {"create_embedding_response.CreateEmbeddingResponse"},
    openai_scenarios.moderations: {"moderation_create_response.ModerationCreateResponse"},
    openai_scenarios.images: {"images_response.ImagesResponse"},
}


def labels(value: Any) -> set[str]:
    """Every label in a document."""
    if isinstance(value, list):
        return set().union(*map(labels, value))
    if not isinstance(value, dict):
        return set()
    own = {value["__type__"]} if "__type__" in value else set()
    return own.union(*map(labels, value.values()))


@pytest.mark.parametrize("scenario", LABELS, ids=lambda scenario: scenario.__name__)
def test_labels_are_the_names_of_the_sdks_types(scenario: Scenario, tmp_path: Path) -> None:
    """A payload is labelled with the SDK's own type for it."""
    found = labels([one["response"] for one in record(tmp_path / "cassette", scenario)])
    assert found == {f"openai.types.{label}" for label in LABELS[scenario]}


@pytest.mark.parametrize(
    "scenario", openai_scenarios.SCENARIOS, ids=lambda scenario: scenario.__name__
)
def test_labels_exist_in_the_sdk(scenario: Scenario, tmp_path: Path) -> None:
    """Each dotted label of a recording can be imported from the SDK that recorded it."""
    found = labels([one["response"] for one in record(tmp_path / "cassette", scenario)])
    for label in found - {"str", "bytes", "json"}:
        module, _, name = label.rpartition(".")
        assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [(openai_scenarios.speech, "bytes"), (openai_scenarios.transcriptions, "str")],
    ids=["speech", "transcriptions"],
)
def test_other_bodies_are_tagged(scenario: Scenario, kind: str, tmp_path: Path) -> None:
    """Audio is stored as base64, plain text as text."""
    found = labels([one["response"] for one in record(tmp_path / "cassette", scenario)])
    assert kind in found


def test_upload_is_a_list_of_parts(tmp_path: Path) -> None:
    """A multipart request lists its parts, each with its name, its file's name and its body."""
    first, *_ = record(tmp_path / "cassette", openai_scenarios.transcriptions)
    body = first["request"]["body"]
    assert body["__type__"] == "multipart/form-data"
    parts = {part["name"]: part for part in body["__data__"]}
    assert first["request"]["model"] == "whisper-1"
    assert parts["model"]["body"] == {"__type__": "str", "__data__": "whisper-1"}
    assert parts["file"]["filename"] == "hällo.wav"
    assert parts["file"]["body"]["__type__"] == "bytes"


def test_request_without_body_has_null(tmp_path: Path) -> None:
    """A listing sends no body and no model."""
    first, *_ = record(tmp_path / "cassette", openai_scenarios.models)
    assert first["request"]["method"] == "GET"
    assert first["request"]["body"] is None
    assert first["request"]["model"] is None


def test_azure_model_stands_in_the_url(tmp_path: Path) -> None:
    """A body without a model has that of the deployment in the path."""
    path = "/openai/deployments/my-gpt/chat/completions"
    with (
        OpenAIServer() as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        httpx.post(f"{server.url}{path}?api-version=1", json={"messages": ask("hi")}, verify=NO_TLS)
    (document,) = documents(tmp_path / "cassette")
    assert document["request"]["endpoint"] == path
    assert document["request"]["model"] == "my-gpt"


# Status and headers


def test_status_is_written_when_it_is_not_200(tmp_path: Path) -> None:
    """An error has its status; a standard reason is not written, nor is noise."""
    (document,) = record(tmp_path / "cassette", failing("not-found"))
    assert document["response"]["status"] == HTTPStatus.NOT_FOUND
    assert not {"reason", "headers", "ended"} & set(document["response"])


def test_retry_after_is_kept(tmp_path: Path) -> None:
    """What a client acts on stays; request ids, limits, cookies and dates go."""
    (document,) = record(tmp_path / "cassette", failing("rate-limited"))
    assert document["response"]["headers"] == {"retry-after": "1", "retry-after-ms": "20"}


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (b"HTTP/1.1 200 OK", {}),
        (b"HTTP/1.1 200 Fine", {"reason": "Fine"}),
        (b"HTTP/1.1 404 Not Found", {"status": 404}),
        (b"HTTP/1.1 404 Gone Fishing", {"status": 404, "reason": "Gone Fishing"}),
    ],
    ids=["200", "200-reason", "404", "404-reason"],
)
def test_reason_is_written_when_it_is_not_the_usual_one(
    line: bytes, written: dict[str, Any], tmp_path: Path
) -> None:
    """The status line comes back as it was, and only what is unusual takes a key."""
    head = line + b"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    with (
        FaultServer(Reply((head + b"{}",), status=None)) as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        live = httpx.get(server.url, verify=NO_TLS)
    with vcr_llm.use_cassette(tmp_path / "cassette", record_mode="none"):
        replayed = httpx.get(server.url, verify=NO_TLS)
    (document,) = documents(tmp_path / "cassette")
    status, reason = live.status_code, live.reason_phrase
    assert (replayed.status_code, replayed.reason_phrase) == (status, reason)
    said = {key: document["response"].get(key) for key in ("status", "reason")}
    assert {key: value for key, value in said.items() if value is not None} == written


def test_kept_headers_are_those_that_are_named(tmp_path: Path) -> None:
    """A user may keep headers of both sides by name or pattern."""
    (document,) = record(
        tmp_path / "cassette",
        openai_scenarios.chat,
        keep_request_headers=["x-stainless-lang"],
        keep_response_headers=["openai-ver*"],
    )
    assert {name.lower(): value for name, value in document["request"]["headers"].items()} == {
        "x-stainless-lang": "python"
    }
    assert document["response"]["headers"] == {"openai-version": "2020-10-01"}


# Repeats and order


@pytest.mark.parametrize("kind", KINDS)
def test_repeats_are_numbered_and_replay_in_order(kind: str, tmp_path: Path) -> None:
    """The second recording of a request is `-2`, the third `-3`, and each replays in its turn."""
    cassette = tmp_path / "cassette"
    found = record(cassette, count)
    name = address(found[0])
    assert set(contents(cassette)) == {f"{name}{end}.json" for end in ("", "-2", "-3")}
    first, second, third = recordings(cassette)[-1:] + recordings(cassette)[:-1]
    assert [first.name, second.name] == [f"{name}.json", f"{name}-2.json"]
    assert [json.loads(p.read_text("utf-8"))["sequence"] for p in (first, second, third)] == [
        0,
        1,
        2,
    ]
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        outcome = run(count, "sync", found[0]["request"]["url"].removesuffix("/chat/completions"))
    assert outcome.objects == [f"This is answer {number}." for number in (1, 2, 3)]


def test_one_recording_has_no_sequence(tmp_path: Path) -> None:
    """The order is written from the second recording on, between the response and the time."""
    cassette = tmp_path / "cassette"
    (alone,) = record(cassette, openai_scenarios.chat)
    assert "sequence" not in alone
    both = record(cassette, openai_scenarios.chat_with_choices)
    assert [document["sequence"] for document in both] == list(range(3))
    assert list(both[1]) == ["test_id", "request", "response", "sequence", "recorded_at"]


# Recording again


def with_old_time(cassette: Path) -> dict[str, bytes]:
    """The cassette's files, after each was said to be recorded long ago."""
    for path in recordings(cassette):
        document = json.loads(path.read_text("utf-8"))
        path.write_text(path.read_text("utf-8").replace(document["recorded_at"], OLD), "utf-8")
    return contents(cassette)


async def repeatable(client: Any) -> list[Any]:
    """What has the same answer each time, but for what normalising makes constant."""
    options: Any = {"model": MODEL, "messages": ask("again")}
    quiet = {"include_obfuscation": False}
    stream = client.chat.completions.create(
        **options, stream=True, extra_body={"stream_options": quiet}
    )
    return [
        *stream,
        *[client.chat.completions.create(**options) for _ in range(2)],
        client.embeddings.create(model="m", input="one", dimensions=8),
        *client.models.list(),
    ]


@pytest.mark.parametrize("mode", ["rewrite", "all"])
def test_recording_again_changes_no_byte(mode: str, tmp_path: Path) -> None:
    """The same answers leave every file as it was, the time of its recording included."""
    cassette = tmp_path / "cassette"
    with OpenAIServer() as server:
        with vcr_llm.use_cassette(cassette, record_mode="new_episodes"):
            run(repeatable, "sync", server.base_url)
        before = with_old_time(cassette)
        with vcr_llm.use_cassette(cassette, record_mode=mode):
            run(repeatable, "sync", server.base_url)
    assert len(server.requests) == 10
    assert contents(cassette) == before


@pytest.mark.parametrize("mode", ["rewrite", "all"])
def test_recording_again_changes_only_new_answers(mode: str, tmp_path: Path) -> None:
    """A file changes when its answer did; its neighbours keep every byte."""
    cassette = tmp_path / "cassette"
    with OpenAIServer() as server:
        with vcr_llm.use_cassette(cassette, record_mode="new_episodes"):
            run(repeatable, "sync", server.base_url)
            run(count, "sync", server.base_url)
        before = with_old_time(cassette)
        with vcr_llm.use_cassette(cassette, record_mode=mode):
            run(repeatable, "sync", server.base_url)
            run(count, "sync", server.base_url)
    after = contents(cassette)
    changed = [name for name in before if after[name] != before[name]]
    assert set(after) == set(before)
    assert len(changed) == 3
    answers = "".join(after[name].decode() for name in changed)
    assert all(f"This is answer {number}." in answers for number in (4, 5, 6))


def test_rewrite_removes_what_was_not_recorded_again(tmp_path: Path) -> None:
    """Only the recordings of a rewritten cassette go; files of other people stay."""
    cassette = tmp_path / "cassette"
    record(cassette, openai_scenarios.chat, openai_scenarios.chat_stream)
    (cassette / "NOTES.md").write_text("ours", "utf-8")
    after = record(cassette, openai_scenarios.moderations, record_mode="rewrite")
    assert [document["request"]["endpoint"] for document in after] == ["/v1/moderations"]
    assert (cassette / "NOTES.md").read_text("utf-8") == "ours"
