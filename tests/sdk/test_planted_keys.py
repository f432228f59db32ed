"""Keys of every provider's shape, wherever they stand: in no file, no log line and no error."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from vcr.errors import CannotOverwriteExistingCassetteException

import vcr_llm
from tests.sdk.clients import NO_TLS, recordings, run
from tests.sdk.openai_keys import KEYS, PEM, SHAPELESS
from tests.sdk.openai_scenarios import MODEL, ask
from tests.servers.fault_server import FaultServer, Reply
from tests.servers.openai_server import OpenAIServer

ALL = {**KEYS, "pem": PEM}
HEADERS = (
    "authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "cookie",
    "x-amz-security-token",
)

Request = dict[str, Any]


def spellings(key: str) -> set[str]:
    """The forms in which a key may stand in a text."""
    encoded = base64.b64encode(key.encode()).decode()
    return {key, quote(key), quote(key, safe=""), json.dumps(key)[1:-1], encoded}


def altered(key: str) -> str:
    """Another key of the same shape."""
    middle = len(key) * 2 // 3
    return f"{key[:middle]}QQQ{key[middle + 3 :]}"


def found_in(text: str, keys: dict[str, str]) -> list[str]:
    """The names of the keys that a text gives away."""
    return [name for name, key in keys.items() if any(form in text for form in spellings(key))]


def files_text(cassette: Path) -> str:
    """Everything that a cassette's files hold, their names included."""
    paths = [path for path in cassette.rglob("*") if path.is_file()]
    return "\n".join(f"{path.name}\n{path.read_text('utf-8')}" for path in paths)


def log_text(caplog: pytest.LogCaptureFixture) -> str:
    """What vcrpy and we logged, at any level."""
    ours = [record for record in caplog.records if record.name.startswith("vcr")]
    return "\n".join(record.getMessage() for record in ours)


def prompt(keys: dict[str, str], word: str) -> Request:
    """The keys in a chat's prompt, one to a line."""
    text = f"{word}: " + "\n".join(f"{name} is '{key}', ok?" for name, key in keys.items())
    return {"json": {"model": MODEL, "messages": ask(text)}}


def json_fields(keys: dict[str, str], word: str) -> Request:
    """The keys as fields of a JSON body, one of them nested."""
    return {"json": {"word": word, **keys, "deeper": [{"still": keys}]}}


def json_list(keys: dict[str, str], word: str) -> Request:
    """The keys in a list of a JSON body, where no name says what they are."""
    return {"json": [word, *keys.values()]}


def query(keys: dict[str, str], word: str) -> Request:
    """The keys as values of the URL's query."""
    return {"params": {"word": word, **keys}}


def path(keys: dict[str, str], word: str) -> Request:
    """The keys as a part of the URL's path."""
    return {"path": "/" + "/".join([word, *(quote(key, safe="") for key in keys.values())])}


def form(keys: dict[str, str], word: str) -> Request:
    """The keys as fields of a form."""
    return {"data": {"word": word, **keys}}


def multipart(keys: dict[str, str], word: str) -> Request:
    """The keys as fields of a multipart form."""
    return {"data": {"word": word, **keys}, "files": {"file": ("a.txt", b"a")}}


def uploads(keys: dict[str, str], word: str) -> Request:
    """The keys in two uploaded files, one of text and one of bytes."""
    lines = "\n".join(keys.values()).encode()
    files = {"text": ("a.txt", lines), "bytes": ("a.bin", b"\xff\x00" + lines)}
    return {"data": {"word": word}, "files": files}


def plain_text(keys: dict[str, str], word: str) -> Request:
    """The keys in a body of plain text."""
    text = "\n".join([word, *keys.values()])
    return {"content": text.encode(), "headers": {"content-type": "text/plain"}}


def tool_arguments(keys: dict[str, str], word: str) -> Request:
    """The keys in the arguments of a tool call: JSON in JSON."""
    arguments = json.dumps({"word": word, **keys})
    function = {"name": "log_in", "arguments": arguments}
    call = {"id": "call_1", "type": "function", "function": function}
    return {"json": {"messages": [{"role": "assistant", "tool_calls": [call]}]}}


def headers(keys: dict[str, str], word: str) -> Request:
    """The keys in the headers that carry credentials."""
    names = HEADERS * len(keys)
    usual = {
        f"{name}": f"Bearer {key}" if name == "authorization" else key
        for name, key in zip(names, keys.values(), strict=False)
        if "\n" not in key
    }
    return {"headers": usual, "params": {"word": word}}


Place = Callable[[dict[str, str], str], Request]
NAMED = (json_fields, query, form, multipart, tool_arguments)
ANYWHERE = (*NAMED, prompt, json_list, path, uploads, plain_text, headers)


def post(url: str, request: Request) -> httpx.Response:
    """A plain request, as no SDK would change it."""
    return httpx.post(url + request.pop("path", "/v1/any"), **request, verify=NO_TLS)


def chunks(texts: Iterable[str]) -> bytes:
    """A stream with one of these texts in each event."""
    events = [json.dumps({"choices": [{"index": 0, "delta": {"content": t}}]}) for t in texts]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()


ANSWERS: dict[str, tuple[str, Callable[[dict[str, str]], bytes]]] = {
    "json": ("application/json", lambda keys: json.dumps({"said": [*keys], **keys}).encode()),
    "text": ("text/plain", lambda keys: "\n".join(keys.values()).encode()),
    "stream": ("text/event-stream; charset=utf-8", lambda keys: chunks(keys.values())),
    "binary": ("audio/mpeg", lambda keys: b"\xff\x00" + "\n".join(keys.values()).encode()),
    "broken": ("application/json", lambda keys: b'{"a": ' + "\n".join(keys.values()).encode()),
}


@pytest.mark.parametrize(
    ("place", "keys"),
    [(place, ALL) for place in ANYWHERE] + [(place, SHAPELESS) for place in NAMED],
    ids=[f"{place.__name__}-shape" for place in ANYWHERE]
    + [f"{place.__name__}-name" for place in NAMED],
)
def test_key_in_a_request_is_nowhere(
    place: Place, keys: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A key that a request carries is in no file, log or error, and decides no match."""
    caplog.set_level(logging.DEBUG)
    cassette = tmp_path / "cassette"
    other = {name: altered(key) for name, key in keys.items()}
    with (
        FaultServer(
            Reply((b'{"ok": true}',), headers=(("Content-Type", "application/json"),))
        ) as server,
        vcr_llm.use_cassette(cassette, record_mode="new_episodes"),
    ):
        post(server.url, place(keys, "one"))
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert post(server.url, place(other, "one")).json() == {"ok": True}
    with (
        pytest.raises(CannotOverwriteExistingCassetteException) as error,
        vcr_llm.use_cassette(cassette, record_mode="none"),
    ):
        post(server.url, place(keys, "two"))
    shown = "\n".join([str(error.value), *getattr(error.value, "__notes__", ())])
    assert len(recordings(cassette)) == 1
    assert not found_in(files_text(cassette), keys)
    assert not found_in(shown, keys)
    assert not found_in(log_text(caplog), {**keys, **other})


@pytest.mark.parametrize("kind", ANSWERS)
def test_key_in_an_answer_is_nowhere(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A key that an answer carries, in its body or a header, is in no file and no log."""
    caplog.set_level(logging.DEBUG)
    content_type, body = ANSWERS[kind]
    echoed = tuple((f"x-echo-{name}", key) for name, key in KEYS.items())
    reply = Reply((body(ALL),), headers=(("Content-Type", content_type), *echoed))
    with (
        FaultServer(reply) as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        live = httpx.get(server.url, verify=NO_TLS)
    with vcr_llm.use_cassette(tmp_path / "cassette", record_mode="none"):
        replayed = httpx.get(server.url, verify=NO_TLS)
    assert live.content == body(ALL)
    assert replayed.status_code == live.status_code
    assert not found_in(files_text(tmp_path / "cassette"), ALL)
    assert not found_in(log_text(caplog), ALL)
    assert not found_in(replayed.content.decode("latin-1"), ALL)


@pytest.mark.parametrize("keep", [(), ("*",)], ids=["default", "keep-all"])
def test_sdks_key_is_nowhere(keep: tuple[str, ...], tmp_path: Path) -> None:
    """The SDK's own key, of no known shape and echoed by the server, is in no file."""
    key = SHAPELESS["api_key"]

    async def echo(client: Any) -> list[Any]:
        client = client.with_options(default_headers={"x-api-key": KEYS["anthropic"]})
        return [client.chat.completions.create(model=MODEL, messages=ask(f"my key: {key}"))]

    with (
        OpenAIServer() as server,
        vcr_llm.use_cassette(
            tmp_path / "cassette",
            record_mode="new_episodes",
            keep_request_headers=keep,
            keep_response_headers=keep,
        ),
    ):
        (reply,) = run(echo, "sync", server.base_url, api_key=key).objects
    assert key in reply.choices[0].message.content
    assert not found_in(files_text(tmp_path / "cassette"), {"own": key, **KEYS})


def test_streamed_key_is_not_whole_anywhere(tmp_path: Path) -> None:
    """A key that the model repeats in a stream is in no file, its final event included."""

    async def echo(client: Any) -> list[Any]:
        responses = getattr(client, "responses", None)
        if responses is None:
            pytest.skip("this openai has no Responses API")
        return [*responses.create(model=MODEL, input=" ".join(KEYS.values()), stream=True)]

    with (
        OpenAIServer() as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        run(echo, "sync", server.base_url)
    assert not found_in(files_text(tmp_path / "cassette"), KEYS)


def test_users_patterns_are_redacted_too(tmp_path: Path) -> None:
    """`redact` takes strings away beside the built-in shapes."""
    reply = Reply((b'{"name": "Ada Lovelace"}',), headers=(("Content-Type", "application/json"),))
    with (
        FaultServer(reply) as server,
        vcr_llm.use_cassette(
            tmp_path / "cassette", record_mode="new_episodes", redact=["Ada Lovelace"]
        ),
    ):
        post(server.url, prompt({**ALL, "name": "Ada Lovelace"}, "who"))
    assert not found_in(files_text(tmp_path / "cassette"), {**ALL, "name": "Ada Lovelace"})


def test_counts_of_tokens_are_no_secrets(tmp_path: Path) -> None:
    """`max_tokens`, `logprobs` and the like are left as they are."""
    body = {"model": MODEL, "max_tokens": 5, "token": "hello", "key": "user", "tokens": ["a"]}
    reply = Reply((b'{"total_tokens":7}',), headers=(("Content-Type", "application/json"),))
    with (
        FaultServer(reply) as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        httpx.post(server.url, json=body, verify=NO_TLS)
    (path,) = recordings(tmp_path / "cassette")
    document = json.loads(path.read_text("utf-8"))
    assert document["request"]["body"] == body
    assert document["response"]["body"] == {"total_tokens": 7}
