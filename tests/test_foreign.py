"""Recordings of the system whose shape this one carries over are read as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vcr_llm._document import from_document, parse_document
from vcr_llm._foreign import as_documented, is_http_exchange, is_tool_call
from vcr_llm._json import document_text, parse
from vcr_llm._tagged import tag
from vcr_llm.serializer import deserialize, serialize

SHARED = Path(__file__).parents[2] / "shared"
CHAT_URL = "https://api.openai.com/v1/v1/chat/completions"
MODEL = "openai.types.model.Model"


def recording(
    url: str, endpoint: str, body: Any, response: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A recording as the other system writes one."""
    request = {
        "method": "POST",
        "url": url,
        "headers": {},
        "body": body,
        "endpoint": endpoint,
        "model": "m",
    }
    answer = response or {"body": {}, "is_streaming": False}
    return {"test_id": None, "request": request, "response": answer, **more}


def failed(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A recorded SDK exception."""
    response: dict[str, Any] = {
        "body": None,
        "is_streaming": False,
        "is_exception": True,
        "exception_data": data,
        "exception_message": "it failed",
    }
    return recording(CHAT_URL, "/v1/chat/completions", {"model": "m"}, response | more)


TOOL_CALL: dict[str, Any] = {
    "test_id": None,
    "request": {
        "test_id": "t",
        "provider": "search",
        "tool_name": "web_search",
        "kwargs": {"query": "x"},
    },
    "response": {"body": {"results": []}, "is_streaming": False},
}
AIOHTTP: dict[str, Any] = {
    "request": {"url": "https://h/v1/rerank", "method": "POST", "payload": {"query": "x"}},
    "response": {"body": {"rankings": []}, "is_streaming": False},
}

FOREIGN: list[tuple[str, dict[str, Any]]] = [
    ("chat, /v1 twice", recording(CHAT_URL, "/v1/chat/completions", {"model": "m"})),
    (
        "no test, a mapping of ids",
        {
            "request": recording(CHAT_URL, "/v1/chat/completions", {})["request"],
            "response": {"body": [tag("a.B", {"id": None})], "is_streaming": True},
            "id_normalization_mapping": {"rec-1": "chatcmpl-1"},
        },
    ),
    ("a tool call", TOOL_CALL),
    ("aiohttp's shape", AIOHTTP),
    ("an exception", failed({"type": "BadRequestError", "status_code": 400, "body": {"a": 1}})),
    ("an exception without an answer", failed({"type": "APIConnectionError"})),
    (
        "models",
        recording(
            "https://api.openai.com/v1/v1/models",
            "/v1/models",
            {},
            {"body": [tag(MODEL, {"id": "m"})], "is_streaming": False},
        ),
    ),
    (
        "provider metadata",
        recording(
            CHAT_URL,
            "/v1/chat/completions",
            {},
            {"body": {}, "is_streaming": False, "provider_metadata": {"a": None}},
        ),
    ),
    (
        "a URL of its own kind",
        recording("__databricks__/serving-endpoints", "/serving-endpoints", {}),
    ),
    (
        "an unknown label",
        recording(CHAT_URL, "/x", {}, {"body": tag("os.system", 1), "is_streaming": False}),
    ),
]

REQUESTS: list[tuple[str, dict[str, Any], tuple[str, str, Any]]] = [
    (
        "the endpoint repeats what the base URL ends in",
        recording(CHAT_URL, "/v1/chat/completions", {"model": "m"}),
        ("POST", "https://api.openai.com/v1/chat/completions", {"model": "m"}),
    ),
    (
        "a base URL of another kind",
        recording("https://h/openai/v1/chat/completions", "/v1/chat/completions", {}),
        ("POST", "https://h/openai/chat/completions", {}),
    ),
    (
        "options of the SDK are no part of the body",
        recording(
            CHAT_URL,
            "/v1/chat/completions",
            {"model": "m", "timeout": 3, "extra_headers": {}, "extra_body": {"top_k": 1}},
        ),
        ("POST", "https://api.openai.com/v1/chat/completions", {"model": "m", "top_k": 1}),
    ),
    (
        "embeddings, which the SDK asks for in base64",
        recording("https://h/v1/v1/embeddings", "/v1/embeddings", {"input": "x"}),
        ("POST", "https://h/v1/embeddings", {"input": "x", "encoding_format": "base64"}),
    ),
    (
        "a list of models",
        recording("https://h/v1/v1/models", "/v1/models", {}),
        ("GET", "https://h/v1/models", None),
    ),
    (
        "Ollama's processes",
        recording("http://h:11434/api/ps", "/api/ps", {}),
        ("GET", "http://h:11434/api/ps", None),
    ),
    (
        "Ollama's chat",
        recording("http://h:11434/api/chat", "/api/chat", {"model": "m", "format": None}),
        ("POST", "http://h:11434/api/chat", {"model": "m", "tools": [], "stream": False}),
    ),
    (
        "Ollama's embeddings under their old path",
        recording("http://h:11434/api/embeddings", "/api/embeddings", {"input": "x"}),
        ("POST", "http://h:11434/api/embed", {"input": "x"}),
    ),
    (
        "a body that is no object",
        recording(CHAT_URL, "/v1/chat/completions", [1]),
        ("POST", "https://api.openai.com/v1/chat/completions", [1]),
    ),
    (
        "no endpoint",
        {
            "request": {"method": "POST", "url": "https://h/x", "body": {"a": 1}},
            "response": {"body": {}, "is_streaming": False},
        },
        ("POST", "https://h/x", {"a": 1}),
    ),
    ("aiohttp's shape", AIOHTTP, ("POST", "https://h/v1/rerank", {"query": "x"})),
    ("a tool call", TOOL_CALL, ("CALL", "tool://search/web_search", {"query": "x"})),
]

RESPONSES: list[tuple[str, dict[str, Any], tuple[int, str]]] = [
    (
        "models without their envelope",
        FOREIGN[6][1],
        (200, '{"object":"list","data":[{"id":"m"}]}'),
    ),
    (
        "no models",
        recording("https://h/v1/v1/models", "/v1/models", {}, {"body": [], "is_streaming": False}),
        (200, '{"object":"list","data":[]}'),
    ),
    (
        "a list that is none of models",
        recording("https://h/x", "/x", {"a": 1}, {"body": [], "is_streaming": False}),
        (200, "[]"),
    ),
    (
        "an error with its body",
        failed({"status_code": 429, "body": {"error": {"code": "slow"}}}),
        (429, '{"error":{"code":"slow"}}'),
    ),
    (
        "an error whose body lacks the envelope",
        failed({"status_code": 400, "body": {"code": "bad"}}),
        (400, '{"error":{"code":"bad"}}'),
    ),
    (
        "an error with a message",
        failed({"status_code": 404, "message": "no such model"}),
        (404, '{"error":{"message":"no such model"}}'),
    ),
    ("an error of no kind", failed({}), (500, '{"error":{"message":"it failed"}}')),
    (
        "an error that cut a stream",
        failed({"message": "stop"}, body=[{"a": 1}], is_streaming=True),
        (200, 'data: {"a":1}\n\ndata: {"error":{"message":"stop"}}\n\n'),
    ),
    (
        "a stream that failed before its first event",
        failed({"status_code": 401}, body=[], is_streaming=True),
        (401, '{"error":{"message":"it failed"}}'),
    ),
]


def _compact(text: str) -> str:
    return text if text.startswith("data:") else document_text(parse(text))


@pytest.mark.parametrize(
    ("document", "expected"), [r[1:] for r in REQUESTS], ids=[r[0] for r in REQUESTS]
)
def test_a_request_is_read_as_the_wire_had_it(
    document: dict[str, Any], expected: tuple[str, str, Any]
) -> None:
    """Method, URL and body are those that the SDK sends today."""
    request = from_document(document).request
    body = None if request.body is None else parse(request.body.decode())
    assert (request.method, request.url, body) == expected


@pytest.mark.parametrize(
    ("document", "expected"), [r[1:] for r in RESPONSES], ids=[r[0] for r in RESPONSES]
)
def test_a_response_is_read_as_the_wire_had_it(
    document: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Envelopes are put back, and a recorded exception is the answer behind it."""
    response = from_document(document).response
    assert (response.status, _compact(response.body.decode())) == (
        expected[0],
        _compact(expected[1]),
    )


def test_a_document_of_ours_is_left_alone() -> None:
    """What we recorded ourselves is already as the wire had it."""
    document = recording(CHAT_URL, "/v1/chat/completions", {}, recorded_at="2025-01-01T00:00:00Z")
    assert as_documented(document) is document


@pytest.mark.parametrize(
    ("document", "tool", "http"),
    [
        (TOOL_CALL, True, False),
        (FOREIGN[0][1], False, True),
        (failed({"status_code": 400}), False, True),
        (failed({}), False, False),
        (failed([]), False, False),  # type: ignore[arg-type]  # list of str
        ({"request": {}}, False, True),
        ({}, False, True),
    ],
)
def test_what_kind_of_recording_it_is(document: dict[str, Any], tool: bool, http: bool) -> None:
    """A tool call and an error before any response are none over HTTP; what is broken should be."""
    assert is_tool_call(document) is tool
    assert is_http_exchange(document) is http


def _shared_files() -> list[Path]:
    roots = (SHARED / "seed", SHARED / "corpus" / "llama-stack-seed")
    return sorted(path for root in roots for path in root.rglob("*.json"))


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_every_shared_recording_is_read_and_written_as_it_was() -> None:
    """The seed and its kin load, and come back as the same JSON value."""
    paths = _shared_files()
    assert len(paths) > 100
    for path in paths:
        document = parse_document(path.read_text(encoding="utf-8"))
        assert from_document(document).response.status == 200, path.name
        text = document_text(document)
        assert serialize(deserialize(text)) == text, path.name
