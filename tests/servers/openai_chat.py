"""Chat completions and text completions.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from .loopback import Reply
from .openai_answers import Answer, Question, ToolCall, answer, logprobs, tokens
from .openai_wire import (
    DONE,
    JsonObject,
    frame,
    json_reply,
    now,
    obfuscation,
    random_id,
    stream_reply,
)


def chat(body: JsonObject, counter: Iterator[int]) -> Reply:
    """The reply to POST /chat/completions."""
    question = _question(body)
    answers = [_choice_answer(i, question, counter) for i in range(body.get("n") or 1)]
    if body.get("stream"):
        chunks = _chat_chunks(body, question, answers)
        return stream_reply([*map(frame, chunks), DONE])
    choices = [_chat_choice(i, one, body) for i, one in enumerate(answers)]
    return json_reply(
        {
            "id": random_id("chatcmpl-", 29),
            "object": "chat.completion",
            "created": now(),
            "model": snapshot(body["model"]),
            "choices": choices,
            "usage": chat_usage(question, answers),
            "service_tier": "default",
            "system_fingerprint": "fp_560af6e559",
        }
    )


def completion(body: JsonObject, counter: Iterator[int]) -> Reply:
    """The reply to POST /completions."""
    question = Question(_first(body["prompt"]))
    answers = [_choice_answer(i, question, counter) for i in range(body.get("n") or 1)]
    base = {
        "id": random_id("cmpl-", 29),
        "object": "text_completion",
        "created": now(),
        "model": body["model"],
    }
    if body.get("stream"):
        chunks = _completion_chunks(base, body, question, answers)
        return stream_reply([*map(frame, chunks), DONE])
    choices = [_text_choice(i, one.text, "stop") for i, one in enumerate(answers)]
    return json_reply({**base, "choices": choices, "usage": chat_usage(question, answers)})


def snapshot(model: str) -> str:
    """The dated model that stands behind a name."""
    return model if model[-1].isdigit() and "-20" in model else f"{model}-2024-08-06"


def message_text(content: Any) -> str:
    """The text of a message, whose content is a string, a list of parts or null."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def chat_usage(question: Question, answers: list[Answer]) -> JsonObject:
    """How many tokens went in and out."""
    prompt = len(tokens(question.prompt)) + sum(len(tokens(text)) for text in question.results)
    written = sum(len(one.tokens()) for one in answers)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _question(body: JsonObject) -> Question:
    messages = body["messages"]
    format_ = body.get("response_format") or {}
    is_open = body.get("tool_choice") != "none"
    return Question(
        prompt=_last_prompt(messages),
        tools=tuple(tool["function"] for tool in body.get("tools") or () if is_open),
        results=_last_results(messages),
        schema=_schema(format_),
        is_parallel=body.get("parallel_tool_calls", True),
    )


def _schema(format_: JsonObject) -> JsonObject | None:
    if format_.get("type") == "json_object":
        return {"properties": {"answer": {"type": "string"}}}
    schema: JsonObject | None = format_.get("json_schema", {}).get("schema")
    return schema


def _last_prompt(messages: list[JsonObject]) -> str:
    prompts = [message["content"] for message in messages if message["role"] == "user"]
    return message_text(prompts[-1]) if prompts else ""


def _last_results(messages: list[JsonObject]) -> tuple[str, ...]:
    """What the tools returned since the model last spoke."""
    results: list[str] = []
    for message in reversed(messages):
        if message["role"] != "tool":
            break
        results.insert(0, message_text(message["content"]))
    return tuple(results)


def _choice_answer(index: int, question: Question, counter: Iterator[int]) -> Answer:
    first = answer(question, counter)
    if index and first.text and question.schema is None:
        return replace(first, text=f"{first.text} (choice {index + 1})")
    return first


def _chat_choice(index: int, one: Answer, body: JsonObject) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": None if one.calls else one.text}
    if one.calls:
        message["tool_calls"] = [_tool_call(call) for call in one.calls]
    return {
        "index": index,
        "message": {**message, "refusal": None, "annotations": []},
        "logprobs": _logprobs(one.text, body),
        "finish_reason": _finish_reason(one),
    }


def _tool_call(call: ToolCall) -> JsonObject:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": random_id("call_"), "type": "function", "function": function}


def _finish_reason(one: Answer) -> str:
    return "tool_calls" if one.calls else "stop"


def _logprobs(text: str, body: JsonObject) -> JsonObject | None:
    return {"content": logprobs(text), "refusal": None} if body.get("logprobs") else None


def _chat_chunks(
    body: JsonObject, question: Question, answers: list[Answer]
) -> Iterator[JsonObject]:
    options = body.get("stream_options") or {}
    includes_usage = options.get("include_usage", False)
    base = {
        "id": random_id("chatcmpl-", 29),
        "object": "chat.completion.chunk",
        "created": now(),
        "model": snapshot(body["model"]),
        "service_tier": "default",
        "system_fingerprint": "fp_b547601dbd",
    }
    for choice in _interleaved([_choice_deltas(i, a, body) for i, a in enumerate(answers)]):
        usage = {"usage": None} if includes_usage else {}
        yield {**base, "choices": [choice], **usage, **_padding(options)}
    if includes_usage:
        usage_value = chat_usage(question, answers)
        yield {**base, "choices": [], "usage": usage_value, **_padding(options)}


def _padding(options: JsonObject) -> JsonObject:
    return {"obfuscation": obfuscation()} if options.get("include_obfuscation", True) else {}


def _interleaved(choices: list[Iterator[JsonObject]]) -> Iterator[JsonObject]:
    """The choices in turns, as OpenAI sends them for n > 1."""
    for deltas in zip_longest(*choices):
        yield from (delta for delta in deltas if delta is not None)


def _choice_deltas(index: int, one: Answer, body: JsonObject) -> Iterator[JsonObject]:
    def choice(delta: JsonObject, text: str = "", finish: str | None = None) -> JsonObject:
        probabilities = _logprobs(text, body) if text else None
        return {
            "index": index,
            "delta": delta,
            "logprobs": probabilities,
            "finish_reason": finish,
        }

    start = None if one.calls else ""
    yield choice({"role": "assistant", "content": start, "refusal": None})
    for token in tokens(one.text):
        yield choice({"content": token}, token)
    for position, call in enumerate(one.calls):
        for delta in _call_deltas(call):
            yield choice({"tool_calls": [{"index": position, **delta}]})
    yield choice({}, finish=_finish_reason(one))


def _call_deltas(call: ToolCall) -> Iterator[JsonObject]:
    yield _tool_call(ToolCall(call.name, ""))
    for token in tokens(call.arguments):
        yield {"function": {"arguments": token}}


def _first(prompt: Any) -> str:
    return str(prompt[0]) if isinstance(prompt, list) else str(prompt)


def _text_choice(index: int, text: str, finish: str | None) -> JsonObject:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _completion_chunks(
    base: JsonObject, body: JsonObject, question: Question, answers: list[Answer]
) -> Iterator[JsonObject]:
    includes_usage = (body.get("stream_options") or {}).get("include_usage", False)
    usage = {"usage": None} if includes_usage else {}
    for index, one in enumerate(answers):
        for token in tokens(one.text):
            yield {**base, "choices": [_text_choice(index, token, None)], **usage}
        yield {**base, "choices": [_text_choice(index, "", "stop")], **usage}
    if includes_usage:
        yield {**base, "choices": [], "usage": chat_usage(question, answers)}
