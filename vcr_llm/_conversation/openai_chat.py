"""Answers of OpenAI's Chat Completions and Completions, and of all servers that speak like them.

https://platform.openai.com/docs/api-reference/chat; DeepSeek, Groq, OpenRouter and vLLM add
``reasoning_content`` or ``reasoning``, Mistral a content made of parts.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from vcr_llm._conversation.dialect import Dialect, finish_reason_of
from vcr_llm._conversation.exchange import Exchange, base64_bytes
from vcr_llm._conversation.members import (
    at,
    first_text,
    mapping,
    mappings,
    says_something,
    text,
    whole,
)
from vcr_llm._conversation.messages import message_parts
from vcr_llm._conversation.values import Answer
from vcr_llm._json import JSON

_JOINED = ("reasoning_content", "reasoning", "refusal")


def _is_chat(exchange: Exchange) -> bool:
    """Whether a payload has choices with a message or a piece of one."""
    return any("message" in choice or "delta" in choice for choice in _choices(exchange))


def _is_completion(exchange: Exchange) -> bool:
    """Whether a payload has choices with a text."""
    return any("text" in choice for choice in _choices(exchange))


def _chat_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """Each choice, put together."""
    return answers_of(_choices(exchange))


def answers_of(choices: list[dict[str, JSON]]) -> tuple[Answer, ...]:
    """Each choice, put together from the pieces with its index."""
    by_index: dict[int, list[dict[str, JSON]]] = {}
    for choice in choices:
        by_index.setdefault(whole(choice.get("index")) or 0, []).append(choice)
    return tuple(_answer(by_index[index]) for index in sorted(by_index))


def _completion_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """Each choice of a legacy completion, put together."""
    choices: list[dict[str, JSON]] = [
        {**choice, "delta": {"content": choice.get("text")}} for choice in _choices(exchange)
    ]
    return answers_of(choices)


def _choices(exchange: Exchange) -> list[dict[str, JSON]]:
    return [choice for payload in exchange.payloads for choice in mappings(payload.get("choices"))]


def _answer(pieces: list[dict[str, JSON]]) -> Answer:
    messages = [_message(piece) for piece in pieces]
    whole_message = messages[0] if len(messages) == 1 else _put_together(messages)
    role = next((role for message in messages if (role := text(message.get("role")))), "assistant")
    parts = message_parts({"role": role, **whole_message})
    return Answer(parts, finish_reason_of(pieces, "finish_reason"), role)


def _message(piece: dict[str, JSON]) -> dict[str, JSON]:
    held = piece.get("message") or piece.get("delta")
    return held if isinstance(held, dict) else {}


def _put_together(deltas: list[dict[str, JSON]]) -> dict[str, JSON]:
    """The message that the pieces of a stream make."""
    message: dict[str, JSON] = {
        name: "".join(text(delta.get(name)) or "" for delta in deltas) for name in _JOINED
    }
    for name in ("content", "images", "reasoning_details"):
        message[name] = [item for delta in deltas for item in _pieces(delta.get(name))]
    if calls := list(_calls(deltas)):
        message["tool_calls"] = [*calls]
    message["audio"] = _audio(deltas)
    return message


def _pieces(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _calls(deltas: list[dict[str, JSON]]) -> Iterator[dict[str, JSON]]:
    """The calls of tools, each put together from its pieces."""
    calls: list[list[dict[str, JSON]]] = []
    for delta in deltas:
        for piece in [*mappings(delta.get("tool_calls")), *_legacy_call(delta)]:
            begun = next((call for call in reversed(calls) if _continues(piece, call[0])), None)
            if begun is None:
                calls.append([piece])
            else:
                begun.append(piece)
    yield from map(_call, calls)


def _continues(piece: dict[str, JSON], first: dict[str, JSON]) -> bool:
    """Whether a piece belongs to the call that another one began: the same index, no other name.

    Gemini's compatible endpoint gives all calls the index 0, and each an id.
    """
    own_id = text(piece.get("id"))
    if own_id not in (None, text(first.get("id"))) and at(piece, "function", "name"):
        return False
    index = whole(piece.get("index"))
    return index is None or index == whole(first.get("index"))


def _legacy_call(delta: dict[str, JSON]) -> list[dict[str, JSON]]:
    """The ``function_call`` of a time when there was one per answer."""
    call = mapping(delta.get("function_call"))
    return [{"index": 0, "function": call}] if says_something(call) else []


def _call(pieces: list[dict[str, JSON]]) -> dict[str, JSON]:
    functions = [at(piece, "function") or at(piece, "custom") or piece for piece in pieces]
    arguments = [
        value
        for function in functions
        for name in ("arguments", "input")
        if (value := at(function, name)) not in (None, "")
    ]
    texts = [argument for argument in arguments if isinstance(argument, str)]
    names = [name for function in functions if (name := first_text(function, "name"))]
    return {
        "id": next((own_id for piece in pieces if (own_id := text(piece.get("id")))), None),
        "name": "".join(dict.fromkeys(names)),
        "arguments": "".join(texts) if len(texts) == len(arguments) else arguments[-1],
    }


def _audio(deltas: list[dict[str, JSON]]) -> JSON:
    """A sound that came in pieces, with what is said in it."""
    sounds = (mapping(delta.get("audio")) for delta in deltas)
    pieces = [sound for sound in sounds if says_something(sound)]
    if not pieces:
        return None
    content = b"".join(base64_bytes(piece.get("data")) or b"" for piece in pieces)
    spoken = "".join(text(piece.get("transcript")) or "" for piece in pieces)
    return {"data": base64.b64encode(content).decode(), "transcript": spoken}


CHAT = Dialect("openai.chat", _is_chat, _chat_answers)
COMPLETIONS = Dialect("openai.completions", _is_completion, _completion_answers)
