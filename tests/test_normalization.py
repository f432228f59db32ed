"""Ids and times that change with every recording are made constant; all others stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.test_document import documents, interactions
from tests.test_json import fuzzed
from vcr_llm._address import address_of
from vcr_llm._document import from_document, to_document
from vcr_llm._interaction import Interaction, Request, Response
from vcr_llm._json import document_text
from vcr_llm._normalization import normalized
from vcr_llm._options import Options
from vcr_llm._recording import new_recording
from vcr_llm._tagged import tag

ADDRESS = "fcf8b46b3df5c6bf9f47c2506a3ab8aeea95e27f8d517e4983b2e901f8f394ad"
ID = "rec-fcf8b46b3df5"
EPOCH = "1970-01-01T00:00:00.000000Z"

PAYLOADS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "a chat completion",
        "/v1/chat/completions",
        {"id": "chatcmpl-1", "object": "chat.completion", "created": 17, "model": "m"},
        {"id": ID, "object": "chat.completion", "created": 0, "model": "m"},
    ),
    (
        "a chunk",
        "/v1/chat/completions",
        {"object": "chat.completion.chunk", "created": 17, "id": "c", "choices": [{"id": "x"}]},
        {"object": "chat.completion.chunk", "created": 0, "id": ID, "choices": [{"id": "x"}]},
    ),
    (
        "a text completion",
        "/v1/completions",
        {"id": "cmpl-1", "object": "text_completion", "created": 17},
        {"id": ID, "object": "text_completion", "created": 0},
    ),
    (
        "Azure's first frame, whose id is empty",
        "/v1/chat/completions",
        {"id": "", "object": "chat.completion.chunk", "created": None},
        {"id": "", "object": "chat.completion.chunk", "created": None},
    ),
    (
        "Ollama",
        "/api/chat",
        {"created_at": "2025-01-01", "message": {}, "total_duration": 5, "eval_duration": None},
        {"created_at": EPOCH, "message": {}, "total_duration": 0, "eval_duration": None},
    ),
    (
        "Ollama's embeddings",
        "/api/embed",
        {"embeddings": [], "total_duration": 5, "load_duration": 6, "prompt_eval_count": 7},
        {"embeddings": [], "total_duration": 0, "load_duration": 0, "prompt_eval_count": 7},
    ),
]

KEPT: list[tuple[str, str, dict[str, Any]]] = [
    ("a response", "/v1/responses", {"id": "resp_1", "object": "response", "created_at": 17}),
    ("a file", "/v1/files", {"id": "file-1", "object": "file", "created_at": 17}),
    ("a thread", "/v1/threads", {"id": "thread_1", "object": "thread", "created_at": 17}),
    ("a model", "/v1/models/m", {"id": "m", "object": "model", "created": 17}),
    ("nothing known", "/x", {"id": "a", "created": 17, "created_at": "2025", "total_duration": 5}),
]


def document(body: Any, endpoint: str = "/v1/chat/completions", **response: Any) -> dict[str, Any]:
    """A document with this response body."""
    request: dict[str, Any] = {
        "method": "POST",
        "url": f"https://example.com{endpoint}",
        "headers": {},
        "body": {},
        "endpoint": endpoint,
        "model": None,
    }
    return {
        "test_id": None,
        "request": request,
        "response": {"body": body, "is_streaming": False} | response,
    }


@pytest.mark.parametrize(
    ("endpoint", "payload", "expected"), [row[1:] for row in PAYLOADS], ids=[r[0] for r in PAYLOADS]
)
@pytest.mark.parametrize("label", [None, "some.Label"])
def test_what_changes_with_every_recording_is_constant(
    endpoint: str, payload: dict[str, Any], expected: dict[str, Any], label: str | None
) -> None:
    """Ids and times of completions are constant, in one piece and streamed, tagged or not."""
    before, after = (tag(label, part) if label else part for part in (payload, expected))
    assert normalized(document(before, endpoint), ADDRESS) == document(after, endpoint)
    streamed = {"is_streaming": True}
    changed = normalized(document([before, 1, before], endpoint, **streamed), ADDRESS)
    assert changed == document([after, 1, after], endpoint, **streamed)


@pytest.mark.parametrize(
    ("endpoint", "payload"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT]
)
def test_what_a_later_request_may_send_back_stays(endpoint: str, payload: dict[str, Any]) -> None:
    """Ids of responses, files, threads and models are needed again."""
    before = document(payload, endpoint)
    assert normalized(before, ADDRESS) is before


@pytest.mark.parametrize("broken", [{}, {"request": [], "response": {}}, {"request": {}}])
def test_what_is_no_document_stays_as_it_is(broken: dict[str, Any]) -> None:
    """Normalising never fails: reading the document will say what is wrong."""
    assert normalized(broken, ADDRESS) == broken


def _recorded(body: bytes, content_type: str) -> dict[str, Any]:
    request = Request("POST", "https://example.com/v1/chat/completions")
    response = Response(200, "OK", (("content-type", content_type),), body)
    return to_document(Interaction(request, response))


def test_normalising_can_be_turned_off() -> None:
    """With normalize=False the ids of an answer are those of the server."""
    request = Request("POST", "https://example.com/v1/chat/completions")
    body = b'{"id":"c-1","object":"chat.completion"}'
    interaction = Interaction(request, Response(200, "OK", (), body))
    kept: Any = new_recording(interaction, Options(normalize=False)).document
    assert kept["response"]["body"]["__data__"]["id"] == "c-1"


def test_raw_text_follows_its_value() -> None:
    """A body kept as raw text says the same constants as its value, and is otherwise unchanged."""
    body = b'{ "id":"c-1", "created": 17,  "object":"chat.completion", "n":17 }'
    after: Any = normalized(_recorded(body, "application/json"), ADDRESS)
    expected = f'{{ "id":"{ID}", "created": 0,  "object":"chat.completion", "n":17 }}'
    assert after["response"]["framing"] == {"raw": expected}
    assert from_document({**after, "recorded_at": "x"}).response.body.decode() == expected


def test_the_raw_text_of_an_event_follows_its_value() -> None:
    """An event kept as raw text says the same constants as its value."""
    event = '{"id":"c-1","created":17,"object":"chat.completion.chunk","p":-1.5E-7, "x":1}'
    body = f"data: {event}\n\ndata: {{}}\n\n"
    after: Any = normalized(_recorded(body.encode(), "text/event-stream"), ADDRESS)
    replayed = from_document({**after, "recorded_at": "x"}).response.body.decode()
    assert replayed == body.replace("c-1", ID).replace('"created":17', '"created":0')


def test_raw_text_that_cannot_follow_is_left_out() -> None:
    """Where an escape hides the old value, the body is written the usual way instead."""
    body = b'{ "id":"c-\\u0031","created":17,"object":"chat.completion"}'
    after: Any = normalized(_recorded(body, "application/json"), ADDRESS)
    assert "framing" not in after["response"]
    expected = f'{{"id":"{ID}","created":0,"object":"chat.completion"}}'
    assert from_document({**after, "recorded_at": "x"}).response.body.decode() == expected


@fuzzed
@given(interactions)
def test_normalising_twice_is_normalising_once(interaction: Interaction) -> None:
    """A normalised document is its own normal form, and still replays."""
    document_ = to_document(interaction)
    once = normalized(document_, address_of(document_))
    assert document_text(normalized(once, address_of(once))) == document_text(once)
    from_document({**once, "recorded_at": "x"})


@fuzzed
@given(documents)
def test_any_document_can_be_normalised(document: dict[str, Any]) -> None:
    """Whatever a file holds, normalising does not fail on it and does not change it twice."""
    once = normalized(document, ADDRESS)
    assert document_text(normalized(once, ADDRESS)) == document_text(once)
