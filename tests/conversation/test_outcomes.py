"""Failures, usage, and conversations as JSON.

The payloads are those of the providers' own references, cut to what is read.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conversation.payloads import (
    BEDROCK,
    GEMINI,
    chunk,
    event,
    only,
    read,
    recording,
)
from vcr_llm._aws_event_stream import Frame, Header, render_frame
from vcr_llm._conversation import (
    Failure,
    Message,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    conversation_of,
    numbered,
    to_json,
)
from vcr_llm._document import to_document
from vcr_llm._interaction import Interaction, Request, Response
from vcr_llm._json import Number

# --- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"error": {"message": "Slow down.", "type": "requests", "code": "rate_limit"}},
            Failure("Slow down.", "requests", {"code": "rate_limit"}),
        ),
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            Failure("Overloaded", "overloaded_error"),
        ),
        (
            {"error": {"code": 404, "message": "No such model.", "status": "NOT_FOUND"}},
            Failure("No such model.", "404", {"status": "NOT_FOUND"}),
        ),
        ({"error": "model not found"}, Failure("model not found")),
        ({"message": "invalid api token"}, Failure("invalid api token")),
        (
            {"Message": "Not allowed", "__type": "AccessDenied"},
            Failure("Not allowed", "AccessDenied"),
        ),
        ({"detail": "Not Found"}, Failure("Not Found")),
        (
            {
                "detail": [
                    {"loc": ["body", "model"], "msg": "missing", "type": "value_error"},
                    {"msg": "x"},
                ]
            },
            Failure("body.model: missing; x", "value_error"),
        ),
        ({"object": "error", "message": "No.", "type": "BadRequest"}, Failure("No.", "BadRequest")),
        ({"error": {"error": {"message": "inner"}}}, Failure("inner")),
        ({"error": {"odd": True}}, Failure('{"odd": true}')),
        (
            {"error": {"message": {"odd": True}, "code": True}},
            Failure('{"message": {"odd": true}, "code": true}'),
        ),
        ({"__type__": "str", "__data__": "Bad Gateway"}, Failure("Bad Gateway")),
        ({}, Failure("Too Many Requests")),
        (None, Failure("Too Many Requests")),
        ({"errors": [5, 1e300]}, Failure("5; 1e+300")),
    ],
)
def test_errors(answer: Any, expected: Failure) -> None:
    """What the provider says, and its own name for it; else its text, else the status's words."""
    found = read({"model": "m", "messages": []}, answer, status=429)
    assert (found.failure, found.status, found.answers) == (expected, 429, ())


def test_an_error_with_a_status_of_its_own() -> None:
    """A status that no standard names."""
    assert read(None, None, status=799).failure == Failure("no reason given")
    assert read(None, Number("1e400"), status=500).failure == Failure("1e400")


def test_an_error_in_a_list() -> None:
    """Gemini's streams fail with a list of one."""
    document = recording({"contents": []}, None, url=GEMINI, status=400)
    document["response"]["body"] = [{"error": {"code": 400, "message": "No."}}]
    assert conversation_of(document).failure == Failure("No.", "400")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({"error": {"message": "Broken."}}, Failure("Broken.")),
        (
            event("error", {"error": {"message": "Broken.", "status_code": 400}}),
            Failure("Broken.", None, {"status_code": 400}),
        ),
        (
            {"type": "error", "error": {"type": "api_error", "message": "Broken."}},
            Failure("Broken.", "api_error"),
        ),
        (
            {
                "type": "response.failed",
                "response": {"error": {"code": "server_error", "message": "Broken."}},
            },
            Failure("Broken.", "server_error"),
        ),
        (
            event("throttlingException", {"message": "Broken."}),
            Failure("Broken.", "throttlingException"),
        ),
        ({"error": "Broken."}, Failure("Broken.")),
    ],
)
def test_an_error_in_the_middle_of_a_stream(last: Any, expected: Failure) -> None:
    """What came before it stays."""
    is_response = "response" in last
    piece = {"type": "response.output_text.delta", "delta": "Hi"}
    first = piece if is_response else chunk({"content": "Hi"})
    found = read({"model": "m", "messages": []}, [first, last])
    assert (found.failure, only(found).parts, found.status) == (expected, (Text("Hi"),), 200)


def test_an_exception_in_a_stream_of_amazons() -> None:
    """Its name stands in a header of its own, which a document keeps in the framing."""
    exception = (
        Header(":exception-type", "throttlingException"),
        Header(":content-type", "application/json"),
        Header(":message-type", "exception"),
    )
    usual = Header(":event-type", "contentBlockDelta")
    delta = {"contentBlockIndex": 0, "delta": {"text": "Hi"}}
    frames = [
        Frame((usual, *exception[1:2]), json.dumps(delta, separators=(",", ":")).encode()),
        Frame(exception, b'{"message":"Too many requests."}'),
    ]
    headers = (("Content-Type", "application/vnd.amazon.eventstream"),)
    request = Request("POST", f"{BEDROCK}/converse-stream", (), b'{"messages": []}')
    response = Response(200, "OK", headers, b"".join(map(render_frame, frames)))
    found = conversation_of(to_document(Interaction(request, response)))
    assert found.failure == Failure("Too many requests.", "throttlingException")
    assert only(found).parts == (Text("Hi"),)


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "response", "error": None, "output": []},
        {"detail": "high", "choices": []},
        {"errors": [], "ok": True},
        {"message": "Success"},
    ],
)
def test_what_is_no_error(answer: Any) -> None:
    """Members that are null or mean something else."""
    assert read(None, answer).failure is None


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ({"by": "client"}, None),
        (
            {"by": "error", "type": "ReadTimeout", "message": "timed out"},
            Failure("timed out", "ReadTimeout"),
        ),
        (
            {"by": "error", "type": "ReadTimeout", "message": ""},
            Failure("ReadTimeout", "ReadTimeout"),
        ),
        ({"by": "error"}, Failure("")),
    ],
)
def test_how_a_stream_ended(ended: Any, expected: Failure | None) -> None:
    """An error that cut it is a failure; a client that had enough is none."""
    found = read({"model": "m", "messages": []}, [chunk({"content": "Hi"})], ended=ended)
    assert (found.ended, found.failure) == (ended, expected)


# --- usage --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {
                "usage": {
                    "prompt_tokens": 9,
                    "completion_tokens": 5,
                    "total_tokens": 14,
                    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
                    "completion_tokens_details": {"reasoning_tokens": 3},
                }
            },
            Usage(9, 5, 14, 4, 1, 3),
        ),
        ({"usage": {"prompt_tokens": 9, "prompt_cache_hit_tokens": 8}}, Usage(9, cached=8)),
        (
            {"usage": {"prompt_tokens": 9, "input_tokens": 3, "cache_read_input_tokens": 6}},
            Usage(9, cached=6),
        ),
        (
            {
                "usage": {
                    "input_tokens": 9,
                    "output_tokens": 5,
                    "input_tokens_details": {"cached_tokens": 4},
                    "output_tokens_details": {"reasoning_tokens": 3},
                }
            },
            Usage(9, 5, cached=4, reasoning=3),
        ),
        (
            {
                "usage": {
                    "input_tokens": 1,
                    "output_tokens": 2,
                    "output_tokens_details": {"thinking_tokens": 1},
                }
            },
            Usage(1, 2, reasoning=1),
        ),
        (
            {
                "usageMetadata": {
                    "promptTokenCount": 3,
                    "toolUsePromptTokenCount": 4,
                    "thoughtsTokenCount": 2,
                }
            },
            Usage(7, 2, reasoning=2),
        ),
        ({"meta": {"tokens": {"input_tokens": 3}, "billed_units": {"input_tokens": 1}}}, Usage(3)),
        ({"meta": {"billed_units": {"input_tokens": 1.0, "output_tokens": 0.5}}}, Usage(1)),
        ({"prompt_token_count": 3, "generation_token_count": 2}, Usage(3, 2)),
        ({"inputTextTokenCount": 3, "results": [{"tokenCount": 2}]}, Usage(3, 2)),
        ({"results": [{"input_token_count": 3, "generated_token_count": 2}]}, Usage(3, 2)),
        (
            {
                "amazon-bedrock-invocationMetrics": {
                    "inputTokenCount": 3,
                    "outputTokenCount": 2,
                    "cacheReadInputTokenCount": 1,
                }
            },
            Usage(4, 2, cached=1),
        ),
        ({"x_groq": {"usage": {"prompt_tokens": 3}}}, Usage(3)),
        ({"usage": {}}, None),
        ({"usage": None}, None),
        ({"usage": {"prompt_tokens": "3", "completion_tokens": True}}, None),
        ({"input_tokens": 3}, None),
        ({}, None),
    ],
)
def test_usage(answer: Any, expected: Usage | None) -> None:
    """Input counts what came from the cache, output what was thought, for every provider."""
    assert read({"model": "m", "messages": []}, answer).usage == expected


def test_usage_of_a_stream_is_the_highest() -> None:
    """Counts go upwards; some servers write 0 again at the end."""
    entries = [
        {"usage": {"prompt_tokens": 3, "completion_tokens": 1}},
        {"usage": {"prompt_tokens": 0, "completion_tokens": 2}},
    ]
    assert read({"messages": []}, entries).usage == Usage(3, 2)


# --- for programs -------------------------------------------------------------------------------


def test_as_json() -> None:
    """Every value by its fields, parts with their type; numbers that Python has not as text."""
    call = {"id": "c", "function": {"name": "f", "arguments": '{"n": 1e400, "m": 1E2}'}}
    found = read(
        {
            "model": "m",
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": [{"name": "f"}],
        },
        {"choices": [{"message": {"tool_calls": [call]}}], "usage": {"prompt_tokens": 1}},
    )
    told: dict[str, Any] = json.loads(json.dumps(to_json(found), allow_nan=False))
    assert told["messages"] == [
        {
            "role": "user",
            "parts": [{"type": "text", "text": "Hello", "citations": []}],
            "name": None,
        }
    ]
    assert told["answers"][0]["parts"] == [
        {"type": "tool_call", "name": "f", "arguments": {"n": "1e400", "m": 100.0}, "id": "c"}
    ]
    assert told["tools"][0]["name"] == "f"
    assert told["usage"]["input"] == 1


def test_ids_of_calls_as_numbers() -> None:
    """Which result belongs to which call is what they say."""
    use = {"type": "tool_use", "id": "toolu_x", "name": "f", "input": {}}
    back = [
        {"type": "tool_result", "tool_use_id": "toolu_x", "content": [use]},
        {"type": "text", "text": "x"},
    ]
    history = [{"role": "assistant", "content": [use]}, {"role": "user", "content": back}]
    answer = {"type": "message", "content": [{**use, "id": "toolu_y"}, {**use, "id": None}]}
    found = numbered(read({"model": "m", "messages": history}, answer))
    call = ToolCall("f", {}, "#1")
    assert found.messages == (
        Message("assistant", (call,)),
        Message("user", (ToolResult((call,), "#1"), Text("x"))),
    )
    assert only(found).parts == (ToolCall("f", {}, "#2"), ToolCall("f", {}))
