"""Recordings of a small team's tests, as the recorder writes them, to show the report with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.cli.recordings import save
from vcr_llm._address import address_of
from vcr_llm._normalization import normalized

_CHAT = "/v1/chat/completions"
_CHUNK = "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"
_SYSTEM = (
    "You are the assistant of a travel agency. Answer in one or two sentences, in the language of "
    "the question. Look up flights and weather with the tools; never invent a price."
)
FLIGHTS = {
    "type": "function",
    "function": {
        "name": "find_flights",
        "description": "The flights between two cities on a day, the cheapest first.",
        "parameters": {
            "type": "object",
            "properties": {
                "origin": {"type": "string", "description": "An IATA code, such as ZRH"},
                "destination": {"type": "string"},
                "day": {"type": "string", "format": "date"},
            },
            "required": ["origin", "destination", "day"],
        },
    },
}


def exchange(
    body: dict[str, Any],
    answer: Any,
    *,
    test: str | None,
    endpoint: str = _CHAT,
    host: str = "api.openai.com",
    recorded_at: str | None = "2026-11-20T09:30:00Z",
    **response: Any,
) -> dict[str, Any]:
    """A document of one request and its response."""
    document: dict[str, Any] = {
        "test_id": test and f"tests/test_travel.py::{test}",
        "request": {
            "method": "POST",
            "url": f"https://{host}{endpoint}",
            "headers": {},
            "body": body,
            "endpoint": endpoint,
            "model": body.get("model"),
        },
        "response": {"body": answer, "is_streaming": isinstance(answer, list), **response},
    }
    document = normalized(document, address_of(document))
    return document if recorded_at is None else {**document, "recorded_at": recorded_at}


def streamed(*deltas: dict[str, Any], finish: str = "stop", tokens: tuple[int, int]) -> list[Any]:
    """The chunks of an answer of OpenAI's chat, with its usage at the end."""
    choices: list[list[dict[str, Any]]] = [
        [{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas
    ]
    prompt, completion = tokens
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    closing: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}], "usage": None},
        {"choices": [], "usage": usage},
    ]
    chunks = [*({"choices": held, "usage": None} for held in choices), *closing]
    return [
        {
            "__type__": _CHUNK,
            "__data__": {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1763630000,
                "model": "gpt-4o-2024-08-06",
                **chunk,
            },
        }
        for chunk in chunks
    ]


def words(text: str) -> Iterator[dict[str, Any]]:
    """A text as the pieces in which a model gives it."""
    yield {"role": "assistant", "content": ""}
    yield from ({"content": word} for word in re.findall(r"\s*\S+", text))


def pauses(count: int) -> list[int]:
    """When events came: a wait for the first, then one after the other, with a halt."""
    return [412 + 31 * place + (380 if place > count // 2 else 0) for place in range(count)]


def _asked(*messages: dict[str, Any], model: str = "gpt-4o", **more: Any) -> dict[str, Any]:
    system = {"role": "system", "content": _SYSTEM}
    return {"model": model, "messages": [system, *messages], "temperature": 0.2, **more}


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def agent(*, question: str, reply: str, test: str) -> list[dict[str, Any]]:
    """An agent that looks a flight up and answers: two requests."""
    arguments = '{"origin": "ZRH", "destination": "LIS", "day": "2026-12-04"}'
    call = {
        "id": "call_9f2",
        "type": "function",
        "function": {"name": "find_flights", "arguments": arguments},
    }
    pieces = [
        {"index": 0, "function": {"arguments": part}} for part in re.findall(r".{1,9}", arguments)
    ]
    begun = {**call, "index": 0, "function": {"name": "find_flights", "arguments": ""}}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "tool_calls": [begun]},
        *({"tool_calls": [one]} for one in pieces),
    ]
    first = streamed(*deltas, finish="tool_calls", tokens=(214, 31))
    flights = [
        {"flight": "TP 933", "departs": "06:55", "price": "CHF 142", "seats": 4},
        {"flight": "LX 2086", "departs": "12:30", "price": "CHF 189", "seats": 9},
    ]
    asked = _asked(_user(question), stream=True, tools=[FLIGHTS])
    told = [
        *asked["messages"],
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_9f2", "content": json.dumps(flights)},
    ]
    second = streamed(*words(reply), tokens=(322, 47))
    return [
        exchange(asked, first, test=test, timing=pauses(len(first))),
        exchange({**asked, "messages": told}, second, test=test, timing=pauses(len(second))),
    ]


def answered(
    question: str, reply: str, *, test: str, model: str = "gpt-4o", **more: Any
) -> dict[str, Any]:
    """A plain answer in one piece."""
    body = {
        "__type__": "openai.types.chat.chat_completion.ChatCompletion",
        "__data__": {
            "id": "chatcmpl-2",
            "object": "chat.completion",
            "created": 1763630001,
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": reply},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 88, "completion_tokens": 24, "total_tokens": 112},
        },
    }
    return exchange(_asked(_user(question), model=model), body, test=test, **more)


def thinking() -> dict[str, Any]:
    """A stream of Anthropic's that thinks first."""
    label = "anthropic.types.raw_content_block_delta_event.RawContentBlockDeltaEvent"
    said = [("thinking", "The trip is three days, "), ("thinking", "so carry-on is enough.")]
    said += [("text", "Take"), ("text", " carry-on only:"), ("text", " a jacket for the evenings.")]
    places = {"thinking": 0, "text": 1}
    deltas = [
        {
            "__type__": label,
            "__data__": {
                "type": "content_block_delta",
                "index": places[kind],
                "delta": {"type": f"{kind}_delta", kind: text},
            },
        }
        for kind, text in said
    ]
    start = {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 61}}}
    begun = [
        {"type": "content_block_start", "index": place, "content_block": {"type": kind, kind: ""}}
        for kind, place in places.items()
    ]
    body = {"model": "claude-sonnet-4-5", "max_tokens": 1024, "stream": True}
    asked = {**body, "messages": [_user("What should I pack for three days in Lisbon?")]}
    return exchange(
        asked,
        [start, *begun, *deltas],
        test="test_packing",
        endpoint="/v1/messages",
        host="api.anthropic.com",
    )


def failed() -> dict[str, Any]:
    """A request too many."""
    error = {"message": "Rate limit reached for gpt-4o. Try again in 20s.", "type": "tokens"}
    body = {"error": {**error, "code": "rate_limit_exceeded"}}
    return exchange(_asked(_user("And the day after?")), body, test="test_retries", status=429)


def cut() -> dict[str, Any]:
    """A stream that broke off."""
    chunks = streamed(*words("The tram 28 leaves from Martim Moniz every"), tokens=(1, 1))[:-2]
    ended = {"by": "error", "type": "ReadTimeout", "message": "timed out"}
    return exchange(
        _asked(_user("How do I get to Alfama?"), stream=True), chunks, test="test_cut", ended=ended
    )


def upload() -> dict[str, Any]:
    """A form with a file, whose key was redacted."""
    parts = [
        {"name": "model", "body": {"__type__": "str", "__data__": "whisper-1"}},
        {
            "name": "file",
            "filename": "a.wav",
            "body": {"__type__": "bytes", "__data__": "UklGRg=="},
        },
    ]
    body = {"__type__": "multipart/form-data", "__data__": parts}
    document = exchange(
        {}, {"text": "Good morning"}, test="test_voice", endpoint="/v1/audio/transcriptions"
    )
    document["request"] |= {"body": body, "headers": {"Authorization": "Bearer REDACTED"}}
    return document


def tool() -> dict[str, Any]:
    """The call of a tool that was recorded without HTTP."""
    kwargs = {"query": "weather in Lisbon on 4 December"}
    return {
        "test_id": "tests/test_travel.py::test_search",
        "request": {
            "test_id": "tests/test_travel.py::test_search",
            "provider": "search",
            "tool_name": "web_search",
            "kwargs": kwargs,
        },
        "response": {"body": {"results": [{"title": "Lisbon: 16 degrees"}]}, "is_streaming": False},
    }


_QUESTION = "Find me the cheapest flight from Zurich to Lisbon on 4 December."
_NOW = (
    "TP 933 at 06:55 is the cheapest, for CHF 142. Four seats are left: shall I hold one for you?"
)
_BEFORE = "The cheapest flight is TP 933 at 06:55, for CHF 142. Shall I book it for you?"


def cassettes(*, is_old: bool = False) -> dict[str, Sequence[dict[str, Any]]]:
    """The cassettes of the project, now or before a pull request."""
    reply, opening = (_BEFORE, "08:00") if is_old else (_NOW, "09:00")
    found: dict[str, Sequence[dict[str, Any]]] = {
        "test_books_a_flight": agent(question=_QUESTION, reply=reply, test="test_books_a_flight"),
        "test_opening_hours": [
            answered(
                "When does the museum open on Sundays?",
                f"The museum opens at {opening} on Sundays.",
                test="test_opening_hours",
                recorded_at="2025-03-02T08:00:00Z",
            )
        ],
        "test_packing": [thinking()],
        "test_retries": [failed()],
        "test_cut": [cut()],
        "test_voice": [upload()],
        "test_search": [tool()],
        "test_greeting": [
            answered(
                "Guten Tag!",
                "Guten Tag! Wohin soll die Reise gehen?",
                test="test_greeting",
                model="gpt-4o-mini",
            )
        ],
    }
    if is_old:
        found["test_small_talk"] = [
            answered("Tell me a joke.", "Why did the plane …", test="test_small_talk")
        ]
        del found["test_greeting"]
    return found


def save_project(folder: Path, *, is_old: bool = False) -> Path:
    """The cassettes of the project on disk."""
    for name, documents in cassettes(is_old=is_old).items():
        count = len(documents)
        placed = [
            {**document, "sequence": place} if count > 1 else document
            for place, document in enumerate(documents)
        ]
        save(folder / "test_travel" / name, placed)
    return folder
