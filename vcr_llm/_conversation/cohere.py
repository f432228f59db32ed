"""Answers of Cohere's chat, in both versions (https://docs.cohere.com/reference/chat)."""

from __future__ import annotations

from collections.abc import Iterator

from vcr_llm._conversation.dialect import Dialect, finish_reason_of
from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import first_text, mapping, mappings, text
from vcr_llm._conversation.openai_chat import answers_of
from vcr_llm._conversation.parts import citations_of, joined, tool_call
from vcr_llm._conversation.values import Answer, Part, Text
from vcr_llm._json import JSON

_MESSAGE_EVENTS = frozenset(
    {
        *("message-start", "content-start", "content-delta", "tool-plan-delta"),
        *("tool-call-start", "tool-call-delta", "message-end"),
    }
)


def _is_message(exchange: Exchange) -> bool:
    """Whether a payload is a message of version 2, or an event of one."""
    return any(
        str(payload.get("type")) in _MESSAGE_EVENTS
        or ("finish_reason" in payload and "role" in mapping(payload.get("message")))
        for payload in exchange.payloads
    )


def _message_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The one answer: the plan, the text, the calls of tools."""
    pieces = [_piece(payload) for payload in exchange.payloads]
    return answers_of(pieces)


def _piece(payload: dict[str, JSON]) -> dict[str, JSON]:
    """A payload as a choice of OpenAI's, whose tool calls are the same."""
    delta = mapping(payload.get("delta"))
    message = mapping(payload.get("message")) or mapping(delta.get("message"))
    calls = message.get("tool_calls")
    return {
        "delta": {
            **message,
            "content": _content(message.get("content")),
            "reasoning": first_text(message, "tool_plan"),
            "tool_calls": [{**calls, "index": payload.get("index")}]
            if isinstance(calls, dict)
            else calls,
        },
        "finish_reason": first_text(payload, "finish_reason") or first_text(delta, "finish_reason"),
    }


def _content(content: JSON) -> JSON:
    """Content; a piece of it says what it is by its member only."""
    if isinstance(content, dict) and text(content.get("thinking")) is not None:
        return {"type": "thinking", **content}
    return content


# --- version 1 --------------------------------------------------------------------------------


def _is_chat(exchange: Exchange) -> bool:
    """Whether a payload is an answer of version 1, or an event of one."""
    return any(
        "event_type" in payload or ("generation_id" in payload and "text" in payload)
        for payload in exchange.payloads
    )


def _chat_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The one answer: the one that closes a stream, or its pieces where it was cut."""
    payloads = exchange.payloads
    closing = [held for payload in payloads if (held := mapping(payload.get("response")))]
    wholes = closing[-1:] or [payload for payload in payloads if "event_type" not in payload]
    parts = joined(tuple(_parts(wholes or payloads)))
    return (Answer(parts, finish_reason_of([*payloads, *wholes], "finish_reason")),)


def _parts(payloads: list[dict[str, JSON]]) -> Iterator[Part]:
    for payload in payloads:
        if words := text(payload.get("text")):
            yield Text(words, citations_of(payload.get("documents")))
        yield from (tool_call(call) for call in mappings(payload.get("tool_calls")))


COHERE_2 = Dialect("cohere.v2", _is_message, _message_answers)
COHERE_1 = Dialect("cohere.v1", _is_chat, _chat_answers)
