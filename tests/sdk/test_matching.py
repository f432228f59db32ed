"""Which requests a recording answers, and what an unanswered one is told."""

from __future__ import annotations

import copy
import json
import re
import traceback
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from vcr.errors import CannotOverwriteExistingCassetteException

import vcr_llm
from tests.sdk.clients import KINDS, NO_TLS, recordings, run
from tests.sdk.openai_scenarios import CLOCK, MODEL, WEATHER, ask
from tests.servers.fault_server import FaultServer, Reply
from tests.servers.openai_server import OpenAIServer

REPLY = Reply((b'{"ok":true}',), headers=(("Content-Type", "application/json"),))
PATH = "/v1/chat/completions"

BODY: dict[str, Any] = {
    "model": MODEL,
    "temperature": 1,
    "stream": False,
    "messages": [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "How is the weather in Zürich? " * 20},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_first",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Zürich"}'},
                },
                {
                    "id": "call_second",
                    "type": "function",
                    "function": {"name": "clock", "arguments": "{}"},
                },
            ],
        },
        {"role": "tool", "tool_call_id": "call_first", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_second", "content": "12:00"},
    ],
    "tools": [WEATHER, CLOCK],
    "metadata": {"run": "one"},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The body with another value at a path; the value `...` takes the place away."""
    body = copy.deepcopy(BODY)
    *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"\w+", path)]
    place: Any = body
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return body


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A server's address, with BODY recorded in `cassette`; the server is gone."""
    with (
        FaultServer(REPLY) as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        httpx.post(server.url + PATH, json=BODY, verify=NO_TLS)
    return server.url + PATH


def replay(cassette: Path, url: str, *, method: str = "POST", **request: Any) -> httpx.Response:
    """The answer to a request, from the recordings alone."""
    options = {name: request.pop(name) for name in ("ignore", "match_on") if name in request}
    with vcr_llm.use_cassette(cassette, record_mode="none", **options):
        return httpx.request(method, url, **request, verify=NO_TLS)


def miss(cassette: Path, url: str, **request: Any) -> str:
    """What an unanswered request is told."""
    with pytest.raises(CannotOverwriteExistingCassetteException) as error:
        replay(cassette, url, **request)
    return str(error.value)


DIFFERENT = {
    "messages[1].content": "How is the weather in Zürich? " * 19 + "How was it?",
    "messages[0].role": "developer",
    "messages[3].content": "rainy",
    "messages[4].tool_call_id": "call_first",
    "messages[5]": {"role": "user", "content": "And?"},
    "messages[2].tool_calls[0].function.arguments": '{"city":"Bern"}',
    "tools[0].function.name": "forecast",
    "tools[1].function.parameters.properties.zone.type": "integer",
    "tools[1]": ...,
    "temperature": 0.5,
    "stream": True,
    "model": "gpt-4o-mini",
    "metadata.run": "two",
    "metadata.user": "ada",
    "seed": 7,
}


@pytest.mark.parametrize("path", DIFFERENT)
def test_difference_is_named_by_its_path(path: str, url: str, tmp_path: Path) -> None:
    """A request that differs in one place misses, and the error names that place alone."""
    text = miss(tmp_path / "cassette", url, json=changed(path, DIFFERENT[path]))
    named = re.findall(r"^  (\S+): recorded", text, re.MULTILINE)
    assert named == [path]
    assert recordings(tmp_path / "cassette")[0].name in text


def test_difference_shows_both_values_around_it(url: str, tmp_path: Path) -> None:
    """Long values are cut to the neighbourhood of their difference; it says how to record."""
    other = changed("messages[1].content", DIFFERENT["messages[1].content"])
    text = miss(tmp_path / "cassette", url, json=other)
    (line,) = [line for line in text.splitlines() if line.startswith("  messages[1].content")]
    assert "How is the w" in line.partition("this request has")[0]
    assert "How was it?" in line.partition("this request has")[2]
    assert len(line) < 300
    assert "new_episodes" in text


def test_two_differences_are_both_named(url: str, tmp_path: Path) -> None:
    """Each place that differs has its line."""
    body = {**changed("messages[0].content", "Be long."), "temperature": 0}
    text = miss(tmp_path / "cassette", url, json=body)
    assert re.findall(r"^  (\S+): recorded", text, re.MULTILINE) == [
        "messages[0].content",
        "temperature",
    ]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda url: url.replace("/chat/", "/"), "path"),
        (lambda url: url.replace("127.0.0.1", "localhost"), "host"),
        (lambda url: f"{url}?version=2", "query.version"),
        (lambda url: re.sub(r":\d+", ":9", url), "port"),
        (lambda url: url.replace("http:", "https:"), "scheme"),
    ],
    ids=["path", "host", "query", "port", "scheme"],
)
def test_difference_in_the_url_is_named(change: Any, path: str, url: str, tmp_path: Path) -> None:
    """Another address misses, and the error says which part of it is another."""
    text = miss(tmp_path / "cassette", change(url), json=BODY)
    assert re.findall(r"^  (\S+): recorded", text, re.MULTILINE) == [path]


def test_other_method_is_named(url: str, tmp_path: Path) -> None:
    """PUT is not POST."""
    text = miss(tmp_path / "cassette", url, method="PUT", json=BODY)
    assert "  method: recorded" in text


def ask_twice(cassette: Path, url: str) -> None:
    """The same request two times in one cassette."""
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        for _ in range(2):
            httpx.post(url, json=BODY, verify=NO_TLS)


def test_played_recording_is_said_to_be_played(url: str, tmp_path: Path) -> None:
    """A request that was answered already is told which recording that was."""
    with pytest.raises(CannotOverwriteExistingCassetteException, match="already played") as error:
        ask_twice(tmp_path / "cassette", url)
    assert recordings(tmp_path / "cassette")[0].name in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_sdk_tells_the_path(kind: str, tmp_path: Path) -> None:
    """Whatever the SDK makes of a miss, what is printed of it names the path."""

    async def asking(client: Any, prompt: str) -> list[Any]:
        client = client.with_options(max_retries=0)
        reply = client.chat.completions.create(model=MODEL, messages=ask(prompt))
        return [await reply if kind == "async" else reply]

    async def first(client: Any) -> list[Any]:
        return await asking(client, "What is the capital?")

    async def other(client: Any) -> list[Any]:
        return await asking(client, "What is the capital of France?")

    with (
        OpenAIServer() as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        run(first, kind, server.base_url)
    with (
        pytest.raises((openai.OpenAIError, CannotOverwriteExistingCassetteException)) as error,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="none"),
    ):
        run(other, kind, server.base_url)
    printed = "".join(traceback.format_exception(error.value))
    assert "messages[0].content: recorded" in printed


# What is the same


def test_key_order_and_spacing_are_nothing(url: str, tmp_path: Path) -> None:
    """JSON is compared by value."""
    backwards = json.loads(json.dumps(BODY), object_pairs_hook=lambda pairs: dict(pairs[::-1]))
    text = json.dumps(backwards, indent=7, ensure_ascii=True)
    reply = replay(
        tmp_path / "cassette", url, content=text, headers={"content-type": "application/json"}
    )
    assert reply.json() == {"ok": True}


def test_other_tool_call_ids_are_nothing(url: str, tmp_path: Path) -> None:
    """The ids that a model invents may be others, as long as they refer to the same calls."""
    text = json.dumps(BODY).replace("call_first", "call_9x").replace("call_second", "tool-1")
    assert replay(tmp_path / "cassette", url, json=json.loads(text)).json() == {"ok": True}


def test_exchanged_tool_call_ids_are_something(url: str, tmp_path: Path) -> None:
    """A result given to the other call is another request."""
    body = changed("messages[3].tool_call_id", "call_second")
    body["messages"][4]["tool_call_id"] = "call_first"
    assert "tool_call_id" in miss(tmp_path / "cassette", url, json=body)


@pytest.mark.parametrize(
    ("recorded", "sent", "is_same"),
    [
        ("1", "1.0", True),
        ("1.0", "1", True),
        ("0.1", "0.10000000000000001", True),
        ("1e2", "100", True),
        ("-0.0", "0", True),
        ("0.123456", "0.1234561", True),
        ("9007199254740993", "9007199254740993", True),
        ("true", "1", False),
        ("1", "true", False),
        ("false", "0", False),
        ("null", "0", False),
        ('"1"', "1", False),
        ("1.1", "1.2", False),
        ("9007199254740993", "9007199254740992", False),
        ("[]", "{}", False),
        ('""', "null", False),
        ("[1, 2]", "[2, 1]", False),
        ('{"a": null}', "{}", False),
    ],
)
def test_numbers_match_by_value(recorded: str, sent: str, tmp_path: Path, *, is_same: bool) -> None:
    """`1` and `1.0` are one number; `true` is not `1`, and the like."""
    headers = {"content-type": "application/json"}
    with (
        FaultServer(REPLY) as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        httpx.post(server.url, content=f'{{"x": {recorded}}}', headers=headers, verify=NO_TLS)
    request: Any = {"content": f'{{"x": {sent}}}', "headers": headers}
    if is_same:
        assert replay(tmp_path / "cassette", server.url, **request).json() == {"ok": True}
    else:
        text = miss(tmp_path / "cassette", server.url, **request)
        assert re.search(r"^  x\S*: recorded", text, re.MULTILINE)


# Bodies that are not JSON


def multipart(boundary: str, content: bytes = b"RIFF\xff", name: str = "a.wav") -> dict[str, Any]:
    """A multipart request with this boundary."""
    head = b'--%b\r\nContent-Disposition: form-data; name="' % boundary.encode()
    body = (
        head
        + b'model"\r\n\r\nwhisper-1\r\n'
        + head
        + b'file"; filename="%b"\r\nContent-Type: audio/wav\r\n\r\n%b\r\n--%b--\r\n'
        % (name.encode(), content, boundary.encode())
    )
    return {
        "content": body,
        "headers": {"content-type": f"multipart/form-data; boundary={boundary}"},
    }


FORM: Any = {"headers": {"content-type": "application/x-www-form-urlencoded"}}
TEXT: Any = {"headers": {"content-type": "text/plain"}}
SAME: dict[str, tuple[Any, Any]] = {
    "boundary": (multipart("one"), multipart("another-0123")),
    "form-order": ({"content": b"a=1&b=2", **FORM}, {"content": b"b=2&a=1", **FORM}),
    "form-spelling": ({"content": b"a=x+y%C3%BC", **FORM}, {"content": b"a=x%20y%c3%bc", **FORM}),
    "text": ({"content": b"a b", **TEXT}, {"content": b"a b", **TEXT}),
    "binary": ({"content": b"\xff\x00"}, {"content": b"\xff\x00"}),
    "query-order": ({"params": {"a": 1, "b": 2}}, {"params": {"b": 2, "a": 1}}),
    "nothing": ({}, {}),
}
OTHER: dict[str, tuple[Any, Any]] = {
    "part": (multipart("one"), multipart("one", b"RIFF\xfe")),
    "filename": (multipart("one"), multipart("one", name="b.wav")),
    "form": ({"content": b"a=1", **FORM}, {"content": b"a=2", **FORM}),
    "form-repeat": ({"content": b"a=1", **FORM}, {"content": b"a=1&a=1", **FORM}),
    "text": ({"content": b"a b", **TEXT}, {"content": b"a  b", **TEXT}),
    "binary": ({"content": b"\xff\x00"}, {"content": b"\xff\x01"}),
    "none": ({}, {"content": b"\xff"}),
}


@pytest.mark.parametrize("case", SAME)
def test_same_body_matches(case: str, tmp_path: Path) -> None:
    """Forms match by their pairs, multipart by its parts, text and bytes exactly."""
    first, second = SAME[case]
    with (
        FaultServer(REPLY) as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        httpx.post(server.url, **first, verify=NO_TLS)
    assert replay(tmp_path / "cassette", server.url, **second).json() == {"ok": True}


@pytest.mark.parametrize("case", OTHER)
def test_other_body_misses(case: str, tmp_path: Path) -> None:
    """One other byte, pair or part is another request."""
    first, second = OTHER[case]
    with (
        FaultServer(REPLY) as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        httpx.post(server.url, **first, verify=NO_TLS)
    assert "recorded" in miss(tmp_path / "cassette", server.url, **second)


# What the user leaves out


@pytest.mark.parametrize(
    ("ignore", "path"),
    [
        (["metadata"], "metadata.run"),
        (["metadata.run"], "metadata.run"),
        (["messages[*].content"], "messages[1].content"),
        (["messages[1].content"], "messages[1].content"),
        (["seed", "temperature"], "seed"),
        ("tools[*].function.name", "tools[0].function.name"),
    ],
    ids=str,
)
def test_ignored_place_decides_nothing(ignore: Any, path: str, url: str, tmp_path: Path) -> None:
    """A path that the user names is left out on both sides."""
    body = changed(path, DIFFERENT[path])
    reply = replay(tmp_path / "cassette", url, json=body, ignore=ignore)
    assert reply.json() == {"ok": True}


def test_neighbour_of_an_ignored_place_decides(url: str, tmp_path: Path) -> None:
    """Ignoring one place says nothing about the next."""
    body = changed("messages[1].content", "other")
    text = miss(tmp_path / "cassette", url, json=body, ignore=["messages[0].content"])
    assert re.findall(r"^  (\S+): recorded", text, re.MULTILINE) == ["messages[1].content"]


def test_body_may_be_left_out_of_matching(url: str, tmp_path: Path) -> None:
    """`match_on` without `llm_body` is vcrpy's own matching."""
    reply = replay(tmp_path / "cassette", url, json={"model": "other"}, match_on=["method", "path"])
    assert reply.json() == {"ok": True}
