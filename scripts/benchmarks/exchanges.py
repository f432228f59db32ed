"""Exchanges with a chat model, of the size that an agent's have.

A request is 3 kB: a conversation with one finished tool call, and two tools. Its answer is a stream
of 16 events, together 6 kB, or one body of 1 kB. An embedding is asked for with a text of 1.3 kB,
and has 1,536 numbers in 33 kB. Every request has a prompt of its own.
"""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple

ORIGIN = "http://127.0.0.1:8124"
CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
MODEL, EMBEDDING_MODEL = "gpt-4o", "text-embedding-3-small"
STREAMED, PLAIN, EMBEDDING = KINDS = ("streamed", "plain", "embedding")
DIMENSIONS = 1_536
EVENT_STREAM = "text/event-stream; charset=utf-8"
JSON = "application/json"

_PADDING = (
    "First find the id of the user, then check whether that id may read the file. "
    "Call one tool at a time, wait for its result, and explain in one sentence what you found. "
)


class Exchange(NamedTuple):
    """A request and its answer, as bytes."""

    request: bytes
    response: bytes
    content_type: str
    path: str = CHAT


def messages(number: int) -> list[dict[str, Any]]:
    """The conversation of the request with this number."""
    function = {"name": "get_user_id", "arguments": json.dumps({"username": f"user-{number}"})}
    call = {"id": "call_YwdbhUad8cJJrVELSGDp1LVy", "type": "function", "function": function}
    return [
        {"role": "user", "content": f"May user-{number} read report-{number}.txt? {_PADDING * 8}"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": f"user_{number}"},
    ]


def tool(name: str, *parameters: str) -> dict[str, Any]:
    """A tool as frameworks describe it: with a docstring and titles."""
    properties = {key: {"title": key.title(), "type": "string"} for key in parameters}
    lines = "".join(f"\n    :param {key}: the {key} that is meant" for key in parameters)
    schema = {"properties": properties, "required": [*parameters], "title": name, "type": "object"}
    description = f"\n    {_PADDING}{lines}\n    :return: what was found\n    "
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


TOOLS = [
    tool("get_user_id", "username"),
    tool("check_file_access", "user_id", "filename"),
]


def exchange(number: int, kind: str) -> Exchange:
    """The exchange of this kind with this number."""
    if kind == EMBEDDING:
        request = json.dumps(embedding_question(number)).encode()
        return Exchange(request, _EMBEDDED, JSON, EMBEDDINGS)
    question = {"messages": messages(number), "model": MODEL, "tools": TOOLS}
    if kind == STREAMED:
        request = json.dumps({**question, "stream": True}).encode()
        return Exchange(request, event_stream(number), EVENT_STREAM)
    return Exchange(json.dumps(question).encode(), completion(number), JSON)


def embedding_question(number: int) -> dict[str, Any]:
    """What is asked for the embedding with this number, in numbers and not in base64."""
    text = f"report-{number}.txt: {_PADDING * 8}"
    return {"input": text, "model": EMBEDDING_MODEL, "encoding_format": "float"}


def event_stream(number: int, *, events: int = 16) -> bytes:
    """A stream of a tool call's arguments, in so many events."""
    function: dict[str, Any] = {"arguments": "", "name": "check_file_access"}
    head = {"role": "assistant", "content": None, "tool_calls": [_call("call_2mpz", function)]}
    pieces = [f"{number}-{position}" for position in range(events - 2)]
    deltas: list[dict[str, Any]] = [
        head,
        *({"tool_calls": [_call(None, {"arguments": piece})]} for piece in pieces),
    ]
    chunks = [*(_chunk(delta, None) for delta in deltas), _chunk({}, "tool_calls")]
    frames = [f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n" for chunk in chunks]
    return "".join([*frames, "data: [DONE]\n\n"]).encode()


def completion(number: int) -> bytes:
    """A chat completion in one piece."""
    arguments = json.dumps({"user_id": f"user_{number}", "filename": f"report-{number}.txt"})
    call = _call("call_2mpz", {"name": "check_file_access", "arguments": arguments})
    message = {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}
    details = {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0}
    value = {
        "id": "chatcmpl-BmK2sBJ5dCqv4d4EGdBSZ2Hb1cXCf",
        "object": "chat.completion",
        "created": 1_750_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}
        ],
        "usage": {
            "prompt_tokens": 350,
            "completion_tokens": 25,
            "total_tokens": 375,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": details,
        },
        "service_tier": "default",
        "system_fingerprint": "fp_a288987b44",
    }
    return json.dumps(value, indent=2).encode()


def embedding() -> bytes:
    """An embedding, with as many digits as OpenAI's have."""
    source = random.Random(DIMENSIONS)  # noqa: S311 - the same in each run
    numbers = [round(source.gauss(0, 0.025), 9) for _ in range(DIMENSIONS)]
    value = {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": numbers}],
        "model": EMBEDDING_MODEL,
        "usage": {"prompt_tokens": 240, "total_tokens": 240},
    }
    return json.dumps(value, indent=2).encode()


_EMBEDDED = embedding()


def _call(call_id: str | None, function: dict[str, Any]) -> dict[str, Any]:
    return {"index": 0, "id": call_id, "function": function, "type": call_id and "function"}


def _chunk(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-BmK2sBJ5dCqv4d4EGdBSZ2Hb1cXCf",
        "object": "chat.completion.chunk",
        "created": 1_750_000_000,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_a288987b44",
        "choices": [choice],
        "usage": None,
        "obfuscation": "4nijv4DpfQd87S",
    }
