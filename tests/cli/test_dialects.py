"""Every dialect of cassettes, told in small: what `convert --verbatim` makes of it."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import vcr_llm
from tests.cli.trees import JSON_HEADERS, URL, cassette, exchange, interactions, summary_of, write
from vcr_llm._interaction import Interaction, header
from vcr_llm.cli import main

_SENT = {"model": "gpt-4o"}
_RECEIVED = {"answer": "hé"}
_SPACED = json.dumps(_RECEIVED).encode()
_STATUS = {"code": 200, "message": "OK"}
_EVENTS = 'data: {"n":1}\n\ndata: [DONE]\n\n'


def _converted(tmp_path: Path, name: str, content: str | bytes) -> list[Interaction]:
    write(tmp_path / "old", **{name: content})
    assert main(["convert", str(tmp_path / "old"), str(tmp_path / "new"), "--verbatim"]) == 0
    return interactions(tmp_path / "new" / name.partition(".")[0])


_PLAIN: dict[str, Any] = exchange(body={"string": _SPACED.decode()})
_PARSED = {
    "request": {"method": "POST", "uri": URL, "headers": JSON_HEADERS, "parsed_body": _SENT},
    "response": {"status": _STATUS, "headers": JSON_HEADERS, "parsed_body": _RECEIVED},
}
_LEGACY_HTTPX = {
    "request": _PLAIN["request"],
    "response": {
        "content": _SPACED.decode(),
        "headers": JSON_HEADERS,
        "http_version": "HTTP/1.1",
        "status_code": 200,
    },
}
_TEST_AGENT = {
    "request": {
        "method": "POST",
        "url": URL,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(_SENT),
    },
    "response": {
        "status": _STATUS,
        "headers": {"Content-Type": "application/json"},
        "body": _SPACED.decode(),
    },
}
_RECORDING = {
    "test_id": "tests/test_a.py::test_x",
    "request": {
        "method": "POST",
        "url": "https://api.openai.com/v1/v1/chat/completions",
        "headers": {},
        "body": _SENT,
        "endpoint": "/v1/chat/completions",
        "model": "gpt-4o",
    },
    "response": {"body": _RECEIVED, "is_streaming": False},
}
_RUBY = {
    "request": {
        "method": "post",
        "uri": URL,
        "body": {"encoding": "UTF-8", "string": json.dumps(_SENT)},
        "headers": JSON_HEADERS,
    },
    "response": {
        "status": _STATUS,
        "headers": JSON_HEADERS,
        "body": {"encoding": "ASCII-8BIT", "base64_string": "eyJhbnN3ZXIiOiAiaFx1MDBlOSJ9"},
    },
    "recorded_at": "Fri, 17 Oct 2025 18:00:13 GMT",
}
_MULTIDICT = """
interactions:
- request:
    body: '{"model": "gpt-4o"}'
    headers:
      ? !!python/object/apply:multidict._multidict.istr
      - Content-Type
      : - application/json
    method: POST
    uri: https://api.openai.com/v1/chat/completions
  response:
    body: {string: '{"answer": "h\\u00e9"}'}
    headers: {Content-Type: [application/json]}
    status: {code: 200, message: OK}
version: 1
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vcrpy.yaml", cassette(_PLAIN)),
        ("vcrpy.yml", cassette(_PLAIN)),
        ("vcrpy.json", json.dumps({"version": 1, "interactions": [_PLAIN]})),
        ("in_one_line.yaml", json.dumps({"version": 1, "interactions": [_PLAIN]})),
        ("flow.yaml", f"{{version: 1, interactions: [{json.dumps(_PLAIN)}]}}"),
        ("marked.yaml", b"\xef\xbb\xbf" + cassette(_PLAIN).encode()),
        ("gzipped.yaml.gz", gzip.compress(cassette(_PLAIN).encode())),
        ("parsed_body.yaml", cassette(_PARSED)),
        (
            "langchain.yaml.gz",
            gzip.compress(
                yaml.safe_dump(
                    {"requests": [_PLAIN["request"]], "responses": [_PLAIN["response"]]}
                ).encode()
            ),
        ),
        ("legacy_httpx.yaml", cassette(_LEGACY_HTTPX)),
        ("multidict.yaml", _MULTIDICT),
        ("test_agent.json", json.dumps(_TEST_AGENT)),
        ("recording.json", json.dumps(_RECORDING)),
        ("recordings.json", json.dumps({"recordings": [_RECORDING]})),
        ("ruby.yml", yaml.safe_dump({"http_interactions": [_RUBY]})),
        ("list.yaml", yaml.safe_dump([_PLAIN])),
    ],
)
def test_every_dialect_says_the_same(tmp_path: Path, name: str, content: str | bytes) -> None:
    """An exchange is the same exchange, whoever wrote it down."""
    (found,) = _converted(tmp_path, name, content)
    assert found.request.method.upper() == "POST"
    assert found.request.url == URL
    assert json.loads(found.request.body or b"")["model"] == "gpt-4o"
    assert (found.response.status, found.response.reason) == (200, "OK")
    assert header(found.response.headers, "content-type") == "application/json"
    assert json.loads(found.response.body) == _RECEIVED


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ({"string": "text"}, {}, b"text"),
        ({"string": b"\xff\x00"}, {}, b"\xff\x00"),
        ({"string": None}, {}, b""),
        ({"string": ""}, {}, b""),
        ({}, {}, b""),
        (None, {}, b""),
        ("text", {}, b"text"),
        ({"string": _EVENTS}, {"Content-Type": ["text/plain"]}, _EVENTS.encode()),
        (
            {"string": gzip.compress(b'{"a": 1}')},
            {"Content-Encoding": ["gzip"], "Content-Length": ["28"]},
            b'{"a": 1}',
        ),
        ({"string": zlib.compress(b"text")}, {"content-encoding": ["deflate"]}, b"text"),
        ({"string": '{"a": 1}'}, {"Content-Encoding": ["gzip"]}, b'{"a": 1}'),
        ({"string": '{"a": 1}'}, {"Content-Length": ["99"]}, b'{"a": 1}'),
        ({"string": [b"one", b"two"]}, {}, b"onetwo"),
    ],
)
def test_a_response_body_is_what_the_client_read(
    tmp_path: Path, body: Any, headers: dict[str, list[str]], expected: bytes
) -> None:
    """Text, bytes, nothing, compressed, and compressed in name only: the bytes come out."""
    text = yaml.safe_dump({"interactions": [exchange(body=body, headers=headers)]})
    (found,) = _converted(tmp_path, "test_x.yaml", text)
    assert found.response.body == expected
    assert header(found.response.headers, "content-encoding") is None


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ('"a": 1', "text/plain", b'"a": 1'),
        (b"\xff\x00", "application/x-protobuf", b"\xff\x00"),
        (None, "application/json", None),
        ("", "application/json", None),
        ({"a": [1, {"b": None}]}, "application/json", b'{"a":[1,{"b":null}]}'),
        ([{"a": 1}], "application/json", b'[{"a":1}]'),
        ({"a": "b c"}, "application/x-www-form-urlencoded", b"a=b+c"),
        ([b"one", b"two"], "text/plain", b"onetwo"),
        ({"a": float("nan")}, "application/json", b'{"a": NaN}'),
        ({"a": b"\xff"}, "application/json", b'{"a":"\xc3\xbf"}'),
        ({b"a": [{(1, 2): 1}]}, "application/json", b'{"a":[{"(1, 2)":1}]}'),
        ({1: {None: {b"x": True}}}, "application/json", b'{"1":{"null":{"x":true}}}'),
    ],
)
def test_a_request_body_of_any_type_is_kept(
    tmp_path: Path, body: Any, content_type: str, expected: bytes | None
) -> None:
    """Clients hand over text, bytes, dictionaries and lists; JSON is kept by value."""
    item = exchange()
    item["request"] |= {"body": body, "headers": {"Content-Type": content_type}}
    (found,) = _converted(tmp_path, "test_x.yaml", yaml.dump({"interactions": [item]}))
    assert found.request.body == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-A": ["one", "two"]}, [("X-A", "one"), ("X-A", "two")]),
        ({"X-A": "one"}, [("X-A", "one")]),
        ({"X-A": [b"one"]}, [("X-A", "one")]),
        ({b"X-A": b"\xe9"}, [("X-A", "é")]),
        ({"X-A": ["one"], "x-a": ["two"]}, [("X-A", "one"), ("x-a", "two")]),
        ({"X-A": 12}, [("X-A", "12")]),
        ({"X-A": [True, None]}, [("X-A", "true"), ("X-A", "")]),
        ({"X-A": []}, []),
        ([["X-A", "one"]], [("X-A", "one")]),
        (None, []),
    ],
)
def test_headers_of_any_type_are_kept(
    tmp_path: Path, headers: Any, expected: list[tuple[str, str]]
) -> None:
    """A header's value is text or bytes, one or several, and its name in any case."""
    item = exchange(headers=headers, body=None)
    (found,) = _converted(tmp_path, "test_x.yaml", yaml.dump({"interactions": [item]}))
    assert sorted(found.response.headers) == sorted(expected)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"status": {"code": 404, "message": "Nope"}}, (404, "Nope")),
        ({"status": {"code": 404, "message": None}}, (404, "Not Found")),
        ({"status": {"code": "404"}}, (404, "Not Found")),
        ({"status": {"code": 299, "message": b"Fine"}}, (299, "Fine")),
        ({"status": 404, "reason": "Gone?"}, (404, "Gone?")),
    ],
)
def test_a_status_without_a_message_has_the_standard_one(
    tmp_path: Path, status: dict[str, Any], expected: tuple[int, str]
) -> None:
    """A status may be a number, or lack its reason."""
    (found,) = _converted(tmp_path, "test_x.yaml", cassette(exchange(**status)))
    assert (found.response.status, found.response.reason) == expected


def test_a_method_in_lower_case_replays(tmp_path: Path) -> None:
    """What aiohttp's users wrote as "post" answers the POST that httpx sends."""
    item = exchange()
    item["request"]["method"] = "post"
    (found,) = _converted(tmp_path, "test_x.yaml", cassette(item))
    assert found.request.method == "post"
    with vcr_llm.use_cassette(str(tmp_path / "new" / "test_x"), record_mode="none"):
        answer = httpx.post(URL, json=json.loads(item["request"]["body"]))
    assert answer.json() == {"answer": "hi"}


def test_metadata_is_kept(tmp_path: Path) -> None:
    """What vcrpy stored beside the interactions is stored beside the recordings."""
    write(tmp_path / "old", test_x=cassette(exchange(), metadata={"version": 3}))
    main(["convert", str(tmp_path / "old"), str(tmp_path / "new")])
    stored = (tmp_path / "new" / "test_x" / "metadata.json").read_text(encoding="utf-8")
    assert json.loads(stored) == {"version": 3}


@pytest.mark.parametrize(
    ("interactions_", "reason"),
    [
        ([{"request_sample": {}, "response_sample": {}}], "gRPC"),
        ([{"kind": "message", "direction": "sent", "data": {}}], "WebSocket"),
        ([{"something": "else"}], "no cassette"),
        (None, "no interactions"),
    ],
)
def test_what_is_no_cassette_of_http_is_named_and_skipped(
    tmp_path: Path,
    interactions_: list[Any] | None,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Samples of gRPC and logs of WebSockets look like cassettes; each is skipped with a reason."""
    value = {"version": 1} if interactions_ is None else {"interactions": interactions_}
    source = write(tmp_path / "old", other=yaml.safe_dump(value))
    found = summary_of(capsys, "convert", source, tmp_path / "new")
    assert (found["status"], found["files"]) == (0, 0)
    (skipped,) = found["skipped"]
    assert skipped["path"] == str(source / "other.yaml")
    assert reason in skipped["reason"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("just text", "text"),
        ('{"messages": [{"direction": "send"}]}', "two directions"),
        ('{"messages": []}', "no interactions"),
        ('{"interactions": {"1be2": [{"text": " the"}]}}', "interactions that are no list"),
        ('{"request": 1, "response": 2}', "no objects"),
        ('{"request": {"tool_name": "x"}, "response": {"body": 1}}', "tool"),
        (
            (
                '{"request": {"method": "POST"}, "response": {"body": [], "is_streaming": false, '
                '"is_exception": true}}'
            ),
            "before any response",
        ),
    ],
)
def test_other_files_are_named_and_skipped(
    tmp_path: Path, content: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tree holds other YAML and JSON as well."""
    found = summary_of(capsys, "convert", write(tmp_path / "old", x=content), tmp_path / "new")
    assert (found["status"], found["failed"]) == (0, [])
    assert reason in found["skipped"][0]["reason"]


_WITH_BODY = """
request: {method: GET, url: "http://h/", body: null}
response: {is_streaming: false, body: %s}
"""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\xff", "UTF-8"),
        ("a: [", "not valid YAML: line "),
        ("a: \x00", "not valid YAML"),
        ("? [1]\n: 2", "a key that is no text"),
        ('{"interactions": [', "not valid JSON"),
        ('{"interactions": 5}', "should be a list"),
        ('{"requests": 5, "responses": []}', "should be lists"),
        ('{"requests": [{}], "responses": []}', "1 requests and 0 responses"),
        ('{"interactions": [{"request": {}}]}', "interactions[0]: response is missing"),
        ('{"interactions": [{"request": {}, "response": {}}]}', "request.uri is missing"),
        (
            '{"interactions": [{"request": {"uri": "/"}, "response": {}}]}',
            "response.status is missing",
        ),
        (
            '{"interactions": [{"request": {"uri": "/"}, "response": {"status": "fine"}}]}',
            "no status code",
        ),
        (
            (
                '{"interactions": [{"request": {"uri": "/", "body": {"base64_string": "a"}}, '
                '"response": {"status": 200}}]}'
            ),
            "no base64",
        ),
        (
            '{"interactions": [{"request": {"uri": "/", "headers": ["a"]}, "response": {}}]}',
            "headers should be an object, or a list of [name, value]",
        ),
        (_WITH_BODY % "{a: !!binary YQ==}", "what JSON does not have"),
        (_WITH_BODY % "{!!binary YQ==: 1}", "what JSON does not have"),
        ("a: !!python/object/apply:os.system ['exit 1']", "!!python/object/apply:os.system"),
        ("a: !!python/name:os.system ''", "!!python/name:os.system"),
        ("a: !!python/object:some.Class {x: 1}", "!!python/object:some.Class"),
        ("&a [*a]", "contains itself"),
        ("[" * 10_000, "nested"),
        ("- " * 10_000, "nested"),
        (
            "a0: &a0 [x, x]\n"
            + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
            "YAML bomb",
        ),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    tmp_path: Path, content: str | bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bombs, objects of Python and broken files: one line each, and the rest is converted."""
    source = write(tmp_path / "old", bad=content, good=cassette(exchange()))
    found = summary_of(capsys, "convert", source, tmp_path / "new")
    assert (found["status"], found["files"]) == (1, 1)
    (failed,) = found["failed"]
    assert failed["path"] == str(source / "bad.yaml")
    assert reason in failed["reason"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["good"]
