"""No document takes the reader of conversations with it, whatever stands in whatever place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conversation.payloads import BEDROCK, GEMINI, PNG_TEXT, WEATHER, chunk, event, recording
from tests.conversation.test_openai import CALL, REASONING, SAID, cut_response, thread_message
from tests.conversation.test_others import FLOATS, VERDICT
from tests.conversation.test_providers import (
    ANTHROPIC_STREAM,
    CONVERSE_STREAM,
    STEPS,
    candidate,
    told_so_far,
)
from tests.conversation.test_requests import RAN, SEARCH
from vcr_llm._conversation import (
    changes_between,
    conversation_of,
    numbered,
    paired,
    remainder_of,
    to_json,
)
from vcr_llm._json import JSON
from vcr_llm._redaction import Redaction
from vcr_llm.cli._conversation_text import conversation_lines

TOOL_CALL = {"id": "c", "function": {"name": "f", "arguments": '{"a": 1}'}}
IMAGE_URL = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG_TEXT}"}}
HISTORY = [
    {"role": "user", "content": [{"type": "text", "text": "Hello"}, IMAGE_URL, RAN, SEARCH]},
    {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL], "reasoning": "Hm"},
    {"role": "tool", "tool_call_id": "c", "content": "42"},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": []}]},
]
OFFERED = [
    {"type": "function", "function": {"name": "f", "parameters": WEATHER}},
    {"functionDeclarations": [{"name": "f"}]},
    {"toolSpec": {"name": "f", "inputSchema": {"json": WEATHER}}},
]
GENERATED = candidate(
    {"text": "Hi", "thought": True},
    {"functionCall": {"name": "f", "args": {}}},
    {"functionResponse": {"name": "f", "response": {}, "parts": [{"text": "x"}]}},
    {"inlineData": {"mimeType": "image/png", "data": PNG_TEXT}},
    finishReason="STOP",
    groundingMetadata={"groundingChunks": [{"web": {"title": "t", "uri": "u"}}]},
)
COUNTS = {
    "promptTokenCount": 1,
    "candidatesTokenCount": 2,
    "prompt_tokens_details": {"cached_tokens": 1},
}
FORM = [
    {"name": "model", "body": {"__type__": "str", "__data__": "m"}},
    {"name": "file", "filename": "a", "body": {"__type__": "bytes", "__data__": PNG_TEXT}},
]
RPC = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "f", "arguments": {}}}
COHERE = {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": TOOL_CALL}}}

DOCUMENTS: dict[str, dict[str, Any]] = {
    "chat": recording(
        {"model": "m", "messages": HISTORY, "tools": OFFERED, "stream": True},
        [
            chunk({"content": "Hi", "tool_calls": [TOOL_CALL]}),
            chunk({"audio": {"data": "", "transcript": "x"}}, "stop"),
        ],
    ),
    "plain chat": recording(
        {"messages": HISTORY}, {"choices": [{"message": HISTORY[1]}], "usage": COUNTS}
    ),
    "response": recording(
        {"input": [SAID, CALL, REASONING], "tools": OFFERED}, cut_response(is_done=True)
    ),
    "plain response": recording(
        {"input": "x"}, {"object": "response", "output": [SAID, CALL, REASONING]}
    ),
    "anthropic": recording({"system": [{"text": "x"}], "messages": HISTORY}, ANTHROPIC_STREAM),
    "gemini": recording(
        {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {}}, [GENERATED], url=GEMINI
    ),
    "interaction": recording(
        {"input": "x"}, {"object": "interaction", "steps": STEPS, "status": "x"}
    ),
    "streamed interaction": recording(
        {"input": "x"},
        [
            {
                "event_type": "step.delta",
                "index": 0,
                "step": {"type": "thought"},
                "delta": {"content": {"text": "x"}},
            }
        ],
    ),
    "converse": recording(
        {"messages": HISTORY, "toolConfig": {"tools": OFFERED}},
        [event(*item) for item in CONVERSE_STREAM],
    ),
    "invoke": recording(
        {"inputText": "x"},
        [event("chunk", {"bytes": {"__type__": "json", "__data__": {"outputText": "x"}}})],
        url=f"{BEDROCK}/invoke-with-response-stream",
    ),
    "assistants": recording({"role": "user", "content": "x"}, {"data": [thread_message("x")]}),
    "ollama": recording(
        {"prompt": "x", "images": [PNG_TEXT]}, [{"message": HISTORY[1], "done": True}]
    ),
    "cohere": recording(
        {"message": "x", "chat_history": [{"role": "USER", "message": "x"}]}, [COHERE]
    ),
    "cohere 1": recording(
        {"message": "x"},
        [{"event_type": "stream-end", "response": {"text": "x", "tool_calls": [TOOL_CALL]}}],
    ),
    "dashscope": recording(
        {"input": {"messages": HISTORY}, "parameters": {}}, [told_so_far("x", "stop")]
    ),
    "embeddings": recording(
        {"input": ["x"]}, {"data": [{"embedding": [0.5]}, {"embedding": FLOATS}]}
    ),
    "moderation": recording({"input": "x"}, {"results": [VERDICT]}),
    "rerank": recording(
        {"query": "x", "documents": ["y"]}, {"results": [{"index": 0, "relevance_score": 0.5}]}
    ),
    "images": recording({"prompt": "x"}, {"data": [{"b64_json": PNG_TEXT, "revised_prompt": "y"}]}),
    "models": recording(None, {"object": "list", "data": [{"id": "m", "object": "model"}]}),
    "file": recording(
        {"__type__": "multipart/form-data", "__data__": FORM},
        {"id": "f", "object": "file", "bytes": 3},
    ),
    "form": recording(
        {"__type__": "application/x-www-form-urlencoded", "__data__": [["a", "b"]]},
        {"__type__": "str", "__data__": "x"},
    ),
    "rpc": recording(
        RPC, {"jsonrpc": "2.0", "result": {"content": [{"type": "text", "text": "x"}]}}
    ),
    "error": recording({"messages": HISTORY}, {"error": {"message": "x", "code": 1}}, status=429),
    "validation": recording(
        {"messages": HISTORY}, {"detail": [{"loc": ["body"], "msg": "x"}]}, status=422
    ),
    "bytes": recording(
        None, {"__type__": "bytes", "__data__": PNG_TEXT}, headers={"Content-Type": "image/png"}
    ),
    "tool": {
        "request": {"provider": "p", "tool_name": "f", "kwargs": {"a": 1}},
        "response": {"body": {"b": 2}},
    },
    "exception": {
        "request": {
            "method": "POST",
            "url": "https://x/v1/chat",
            "endpoint": "/v1/chat",
            "body": {"messages": HISTORY},
        },
        "response": {
            "is_exception": True,
            "exception_data": {"status_code": 400, "body": {"message": "x"}},
        },
    },
}

STRINGS = st.sampled_from(
    [
        "",
        "x",
        "text",
        "tool_use",
        "message",
        "{",
        "null",
        "\ud800",
        "\x1b[2J",
        "data:image/png;base64,%%",
    ]
)
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | STRINGS
)
KEYS = st.sampled_from(
    ["type", "text", "role", "content", "index", "id", "name", "__type__", "__data__", "error"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
Place = tuple[str | int, ...]


def places(value: Any, place: Place = ()) -> list[Place]:
    """Every place in a value but the whole of it."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    found = [(*place, key) for key, _item in pairs]
    return found + [inner for key, item in pairs for inner in places(item, (*place, key))]


def changed(value: Any, place: Place, new: Any) -> Any:
    """The value with another one in a place."""
    head, *rest = place
    inner = changed(value[head], tuple(rest), new) if rest else new
    if isinstance(value, dict):
        return {**value, head: inner}
    return [inner if index == head else item for index, item in enumerate(value)]


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A document of any provider's, and the same one with something else in one or two places."""
    document = DOCUMENTS[draw(st.sampled_from(sorted(DOCUMENTS)))]
    other = document
    for _change in range(draw(st.integers(1, 2))):
        other = changed(other, draw(st.sampled_from(places(other))), draw(VALUES))
    return document, other


def read_in_every_way(document: dict[str, JSON]) -> None:
    """What the commands do with a document."""
    conversation = conversation_of(Redaction().document(document))
    json.dumps(to_json(conversation), allow_nan=False)
    assert list(conversation_lines(numbered(conversation)))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(spoiled())
def test_anything_may_stand_anywhere(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """What makes no sense is left as it is; nothing raises, neither reading nor comparing."""
    document, other = pair
    read_in_every_way(other)
    for old, new in (pair, (other, document)):
        changes_between(conversation_of(old), conversation_of(new))
        remainder_of(old, new)
        paired([old], [new])


@given(st.dictionaries(KEYS | st.sampled_from(["request", "response", "body", "url"]), VALUES))
def test_any_object_is_a_document(document: dict[str, Any]) -> None:
    """Even one that has nothing of a recording."""
    read_in_every_way(document)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_the_documents_that_are_spoiled_say_something(name: str) -> None:
    """Each is read by a dialect, or it would prove nothing to spoil it."""
    found = conversation_of(DOCUMENTS[name])
    assert found.answers or found.failure
    assert found.dialect != "http" or name in ("bytes", "error", "exception", "form", "validation")


@pytest.mark.parametrize("kind", ["list", "message", "tool_result", "parts"])
def test_what_is_nested_deep_is_no_trouble(kind: str) -> None:
    """A document may be as deep as a recording may be."""
    deep: Any = "x"
    for _level in range(105 if kind == "parts" else 205):
        deep = {
            "list": [deep],
            "message": {"type": "message", "content": deep},
            "tool_result": {"type": "tool_result", "content": deep},
            "parts": [{"parts": deep}],
        }[kind]
    for place in ("content", "messages", "input", "error", "choices"):
        document = recording(
            {"model": "m", place: deep}, {place: deep, "type": "message"}, status=500
        )
        read_in_every_way(document)
        other = recording({"model": "m", place: [deep]}, {place: [deep]})
        assert changes_between(conversation_of(document), conversation_of(other))
        remainder_of(document, other)
        paired([document], [other])
