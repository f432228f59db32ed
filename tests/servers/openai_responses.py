"""The Responses API.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .loopback import Reply
from .openai_answers import Answer, Question, ToolCall, answer, logprobs, tokens
from .openai_chat import message_text, snapshot
from .openai_wire import (
    ApiError,
    JsonObject,
    frame,
    json_reply,
    now,
    obfuscation,
    random_id,
    stream_reply,
)

_UNSET: JsonObject = {
    "background": False,
    "error": None,
    "frequency_penalty": 0.0,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}


class Responses:
    """The responses that were created so far."""

    def __init__(self) -> None:
        self._responses: dict[str, JsonObject] = {}
        self._prompts: dict[str, str] = {}

    def create(self, body: JsonObject, counter: Iterator[int]) -> Reply:
        """The reply to POST /responses."""
        question = self._question(body)
        response = _response(body, question, answer(question, counter))
        self._responses[response["id"]] = response
        self._prompts[response["id"]] = question.prompt
        return _stream(response) if body.get("stream") else json_reply(response)

    def retrieve(self, response_id: str, query: dict[str, str]) -> Reply:
        """The reply to GET /responses/{id}, whose stream resumes after `starting_after`."""
        response = self._responses.get(response_id)
        if response is None:
            message = f"Response with id '{response_id}' not found."
            raise ApiError(404, message)
        if query.get("stream") == "true":
            return _stream(response, after=int(query.get("starting_after", -1)))
        return json_reply(response)

    def _question(self, body: JsonObject) -> Question:
        items = _input_items(body)
        previous = body.get("previous_response_id")
        if previous is not None and previous not in self._prompts:
            message = f"Previous response with id '{previous}' not found."
            param = "previous_response_id"
            raise ApiError(400, message, param=param, code="previous_response_not_found")
        prompts = [item["content"] for item in items if item.get("role") == "user"]
        is_open = body.get("tool_choice") != "none"
        return Question(
            prompt=message_text(prompts[-1]) if prompts else "",
            tools=tuple(t for t in body.get("tools") or () if is_open and t["type"] == "function"),
            results=_last_results(items),
            schema=(body.get("text") or {}).get("format", {}).get("schema"),
            earlier=self._prompts.get(previous or ""),
            is_parallel=body.get("parallel_tool_calls", True),
        )


def _input_items(body: JsonObject) -> list[JsonObject]:
    items: Any = body.get("input", "")
    return items if isinstance(items, list) else [{"role": "user", "content": items}]


def _last_results(items: list[JsonObject]) -> tuple[str, ...]:
    """What the tools returned since the model last spoke."""
    results: list[str] = []
    for item in reversed(items):
        if item.get("type") != "function_call_output":
            break
        results.insert(0, message_text(item["output"]))
    return tuple(results)


def _response(body: JsonObject, question: Question, one: Answer) -> JsonObject:
    asked = {key: body[key] for key in _UNSET if body.get(key) is not None}
    created = now()
    return {
        "id": random_id("resp_", 50),
        "object": "response",
        "created_at": created,
        "status": "completed",
        **_UNSET,
        **asked,
        "completed_at": created + 1,
        "model": snapshot(body["model"]),
        "output": _output(body, one),
        "text": {"format": {"type": "text"}, "verbosity": "medium", **(body.get("text") or {})},
        "tools": [{"strict": True, **tool} for tool in body.get("tools") or ()],
        "usage": _usage(question, one),
    }


def _output(body: JsonObject, one: Answer) -> list[JsonObject]:
    if one.calls:
        return [_call_item(call) for call in one.calls]
    wants_logprobs = "message.output_text.logprobs" in (body.get("include") or ())
    part = {
        "type": "output_text",
        "annotations": [],
        "logprobs": logprobs(one.text) if wants_logprobs else [],
        "text": one.text,
    }
    return [
        {
            "id": random_id("msg_", 50),
            "type": "message",
            "status": "completed",
            "content": [part],
            "role": "assistant",
        }
    ]


def _call_item(call: ToolCall) -> JsonObject:
    return {
        "id": random_id("fc_", 50),
        "type": "function_call",
        "status": "completed",
        "arguments": call.arguments,
        "call_id": random_id("call_"),
        "name": call.name,
    }


def _usage(question: Question, one: Answer) -> JsonObject:
    prompt = len(tokens(question.prompt)) + sum(len(tokens(text)) for text in question.results)
    written = len(one.tokens())
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": prompt + written,
    }


def _stream(response: JsonObject, *, after: int = -1) -> Reply:
    """The events of a response with a sequence number greater than `after`; no `[DONE]`."""
    frames = []
    for number, (kind, fields) in enumerate(_events(response)):
        event = {"type": kind, **dict(sorted({**fields, "sequence_number": number}.items()))}
        frames.append(frame(event, kind))
    return stream_reply(frames[after + 1 :])


def _events(response: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    begun = {
        **response,
        "status": "in_progress",
        "completed_at": None,
        "output": [],
        "usage": None,
    }
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    for index, item in enumerate(response["output"]):
        yield from _item_events(index, item)
    yield "response.completed", {"response": response}


def _item_events(index: int, item: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    is_call = item["type"] == "function_call"
    empty: JsonObject = {"arguments": ""} if is_call else {"content": []}
    begun = {**item, "status": "in_progress", **empty}
    yield "response.output_item.added", {"item": begun, "output_index": index}
    where = {"item_id": item["id"], "output_index": index}
    yield from _call_events(item, where) if is_call else _text_events(item["content"][0], where)
    yield "response.output_item.done", {"item": item, "output_index": index}


def _call_events(item: JsonObject, where: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    kind = "response.function_call_arguments"
    for token in tokens(item["arguments"]):
        yield f"{kind}.delta", {**where, "delta": token, "obfuscation": obfuscation()}
    yield f"{kind}.done", {**where, "arguments": item["arguments"]}


def _text_events(part: JsonObject, where: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    where = {**where, "content_index": 0}
    empty = {**part, "text": "", "logprobs": []}
    yield "response.content_part.added", {**where, "part": empty}
    for position, token in enumerate(tokens(part["text"])):
        sure = {"logprobs": part["logprobs"][position : position + 1]}
        padding = {"obfuscation": obfuscation()}
        yield "response.output_text.delta", {**where, **sure, **padding, "delta": token}
    done = {"text": part["text"], "logprobs": part["logprobs"]}
    yield "response.output_text.done", {**where, **done}
    yield "response.content_part.done", {**where, "part": part}
