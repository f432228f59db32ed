"""The shape of two answers is compared in the dialects of providers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vcr_llm._conversation.exchange import exchange_of
from vcr_llm._json import JSON
from vcr_llm._shape import differences

ROOT = Path(__file__).parent.parent


def whole(body: JSON, **more: JSON) -> dict[str, JSON]:
    """The recording of an answer in one piece."""
    request: JSON = {"method": "POST", "url": "https://api.example.com/v1", "body": None}
    return {"request": request, "response": {"body": body, "is_streaming": False, **more}}


def stream(*events: JSON, **more: JSON) -> dict[str, JSON]:
    """The recording of a stream."""
    return whole(list(events), **{**more, "is_streaming": True})


def found(recorded: dict[str, JSON], now: dict[str, JSON]) -> list[str]:
    """What is said of the differences."""
    return list(map(str, differences(exchange_of(recorded), exchange_of(now))))


def chat(**more: Any) -> dict[str, Any]:
    """An answer of OpenAI's chat completions."""
    message = {"role": "assistant", "content": "Rome", "refusal": None, **more.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": more.pop("reason", "stop")}
    return {"object": "chat.completion", "id": "1", "choices": [choice], "usage": {"n": 1}, **more}


def chunk(*deltas: JSON, reason: str | None = None) -> JSON:
    """A chunk of OpenAI's chat completions."""
    choices: list[JSON] = [
        {"index": index, "delta": delta, "finish_reason": reason}
        for index, delta in enumerate(deltas)
    ]
    return {"object": "chat.completion.chunk", "choices": choices}


def message(*content: JSON, reason: str = "end_turn") -> JSON:
    """An answer of Anthropic's."""
    return {"type": "message", "content": list(content), "stop_reason": reason}


def block(index: int, kind: str, *deltas: JSON) -> list[JSON]:
    """The events of one block of Anthropic's."""
    return [
        {"type": "content_block_start", "index": index, "content_block": {"type": kind}},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def gemini(*parts: JSON, reason: str = "STOP") -> JSON:
    """An answer of Gemini's."""
    content: JSON = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": reason}]}


def said(text: str) -> JSON:
    """A delta of Anthropic's."""
    return {"type": "text_delta", "text": text}


CALL: JSON = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USE: JSON = {"type": "tool_use", "id": "t1", "name": "f", "input": {"city": "Rome"}}
START: JSON = {"type": "message_start", "message": {"role": "assistant", "content": []}}
LINE: JSON = {"message": {"content": "R"}, "done": False}
STOP: JSON = {"type": "message_stop"}

SAME = {
    "words, ids and numbers": (whole(chat()), whole(chat(id="2", message={"content": "Paris"}))),
    "whole numbers and fractions": (whole({"score": 1}), whole({"score": 0.5})),
    "a null is any type": (whole(chat()), whole(chat(message={"refusal": "No."}))),
    "a null or nothing": (whole({"a": 1, "b": None}), whole({"a": 1, "c": None})),
    "the length of arrays": (whole({"data": [[1.5, 2]]}), whole({"data": [[1], [2, 3, 4]]})),
    "an empty array": (whole({"data": []}), whole({"data": [{"a": 1}]})),
    "fewer of several reasons": (
        whole({"choices": [{"finish_reason": "stop"}, {"finish_reason": "length"}]}),
        whole({"choices": [{"finish_reason": "stop"}]}),
    ),
    "what a model calls a tool with": (
        whole(message(USE)),
        whole(message({"type": "tool_use", "id": "2", "name": "g", "input": {"x": [1]}})),
    ),
    "the arguments of Gemini and Ollama": (
        whole(gemini({"functionCall": {"name": "f", "args": {"a": 1}}})),
        whole(gemini({"functionCall": {"name": "f", "args": {"b": "c"}}})),
    ),
    "the number of chunks and where they are cut": (
        stream(chunk({"role": "assistant"}), chunk({"content": "Rome"}), chunk({}, reason="stop")),
        stream(
            chunk({"role": "assistant", "content": "R"}),
            *(chunk({"content": "o"}),) * 40,
            chunk({}, reason="stop"),
        ),
    ),
    "the number of blocks, and pings": (
        stream(START, *block(0, "text", said("Rome")), STOP),
        stream(
            START,
            {"type": "ping"},
            *block(0, "text", *[said("R")] * 9),
            {"type": "ping"},
            *block(1, "text", said("?")),
            STOP,
        ),
    ),
    "lines of Ollama": (
        stream(LINE, {"done": True, "done_reason": "stop"}),
        stream(*(LINE,) * 3, {"done": True, "done_reason": "stop"}),
    ),
    "a job that is done sooner": (whole({"status": "completed"}), whole({"status": "queued"})),
    "text": (
        whole({"__type__": "str", "__data__": "a"}),
        whole({"__type__": "str", "__data__": "b"}),
    ),
    "what came after the client had stopped reading": (
        stream(START, *block(0, "text", said("R"))[:2], ended={"by": "client"}),
        stream(START, *block(0, "text", said("R")), STOP),
    ),
}

DRIFT = {
    "status": (
        whole(chat()),
        whole({"error": {"message": "No."}}, status=404),
        ["status was 200, is 404"],
    ),
    "a stream no more": (
        stream(chunk({"content": "a"})),
        whole(chat()),
        ["body was a stream, is in one piece"],
    ),
    "members": (
        whole({"a": {"b": 1}, "content type": ""}),
        whole({"a": {"c": "", "d": [1]}, "e": True}),
        [
            "body.a.b is gone: a number",
            "body.a.c is new: a string",
            "body.a.d is new: an array",
            'body["content type"] is gone: a string',
            "body.e is new: a boolean",
        ],
    ),
    "types": (
        whole({"a": 1, "b": [""], "c": {}, "d": ""}),
        whole({"a": "1", "b": [1, ""], "c": [], "d": None}),
        [
            "body.a was a number, is a string",
            "body.b[*] was a string, is a number or a string",
            "body.c was an object, is an array",
            "body.d was a string, is null",
        ],
    ),
    "OpenAI: a tool is called": (
        whole(chat()),
        whole(chat(message={"content": None, "tool_calls": [CALL]}, reason="tool_calls")),
        [
            'body.choices[*].finish_reason was "stop", is "tool_calls"',
            "body.choices[*].message.content was a string, is null",
            "body.choices[*].message.tool_calls is new: an array",
        ],
    ),
    "OpenAI: another object": (
        whole(chat()),
        whole(chat(object="chat.answer")),
        ['body.object was "chat.completion", is "chat.answer"'],
    ),
    "OpenAI: chunks": (
        stream(chunk({"role": "assistant"}), chunk({"content": "a"}), chunk({}, reason="stop")),
        stream(chunk({"role": "assistant"}), chunk({"text": "a"}), chunk({}, reason="length")),
        [
            "body[*].choices[*].delta.content is gone: a string",
            "body[*].choices[*].delta.text is new: a string",
            'body[*].choices[*].finish_reason was "stop", is "length"',
        ],
    ),
    "Responses: status and parts": (
        whole({"object": "response", "status": "completed", "output": [{"type": "message"}]}),
        whole(
            {
                "object": "response",
                "status": "incomplete",
                "output": [{"type": "reasoning"}, {"type": "message", "id": "m"}],
            }
        ),
        [
            "body.output[message].id is new: a string",
            "body.output[reasoning] is new: an object",
            'body.status was "completed", is "incomplete"',
        ],
    ),
    "Anthropic: parts": (
        whole(message({"type": "text", "text": "Rome"})),
        whole(message(USE, reason="tool_use")),
        [
            "body.content[text] is gone: an object",
            "body.content[tool_use] is new: an object",
            'body.stop_reason was "end_turn", is "tool_use"',
        ],
    ),
    "Anthropic: an error in its place": (
        whole(message({"type": "text", "text": "Rome"})),
        whole({"type": "error", "error": {"type": "overloaded_error"}}),
        ["body[error] is new: an object", "body[message] is gone: an object"],
    ),
    "Anthropic: deltas": (
        stream(START, *block(0, "text", said("Rome")), STOP),
        stream(START, *block(0, "text", said("R"), {"type": "citations_delta", "c": {}}), STOP),
        ["body[content_block_delta].delta[citations_delta] is new: an object"],
    ),
    "Gemini": (
        whole(gemini({"text": "Rome"})),
        whole(gemini({"text": "Rome"}, {"inlineData": {}}, reason="MAX_TOKENS")),
        [
            "body.candidates[*].content.parts[*].inlineData is new: an object",
            'body.candidates[*].finishReason was "STOP", is "MAX_TOKENS"',
        ],
    ),
    "Ollama": (
        stream({"message": {}, "done": False}, {"done": True, "done_reason": "stop"}),
        stream({"message": {}, "done": False}),
        ["body[done] is gone: an event"],
    ),
    "events": (
        stream(START, {"type": "a"}, STOP),
        stream(START, {"type": "b"}, STOP),
        ["body[a] is gone: an event", "body[b] is new: an event"],
    ),
    "the order of events": (
        stream(START, {"type": "a"}, {"type": "b"}, {"type": "b"}, STOP),
        stream(START, {"type": "b"}, {"type": "a"}, STOP),
        ["body was a → b → message_stop, is b → a → message_stop"],
    ),
    "an event that comes once more": (
        stream(START, {"type": "a"}, STOP),
        stream(START, {"type": "a"}, STOP, {"type": "a"}),
        ["body was at its end, is a"],
    ),
    "a page instead of JSON": (
        whole(chat()),
        whole({"__type__": "str", "__data__": "<html>"}),
        ["body was an object, is a string"],
    ),
    "bytes": (
        whole({"__type__": "bytes", "__data__": "AAAA"}),
        whole({"error": "no"}),
        ["body was bytes, is an object"],
    ),
    "what had come before the client stopped reading": (
        stream(START, {"type": "a"}, ended={"by": "client"}),
        stream(START, {"type": "b"}, STOP),
        ["body[a] is gone: an event"],
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_this_is_the_same_shape(name: str) -> None:
    """What a model may say another way is no drift."""
    assert found(*SAME[name]) == []


@pytest.mark.parametrize("name", DRIFT)
def test_this_is_another_shape(name: str) -> None:
    """What a client relies on is told by its path."""
    recorded, now, expected = DRIFT[name]
    assert found(recorded, now) == expected


def recordings() -> Iterator[Path]:
    """The recordings that this project keeps."""
    return (ROOT / "cassettes").rglob("*.json")


def test_every_recording_has_its_own_shape() -> None:
    """No answer differs from itself, in whatever dialect it is."""
    documents = [json.loads(path.read_text("utf-8")) for path in recordings()]
    assert documents
    assert [found(document, document) for document in documents] == [[]] * len(documents)
