"""Answers of Ollama's own API (https://docs.ollama.com/api): chat and generate."""

from __future__ import annotations

from vcr_llm._conversation.dialect import Dialect
from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import mapping, text
from vcr_llm._conversation.openai_chat import answers_of
from vcr_llm._conversation.values import Answer
from vcr_llm._json import JSON


def _is_ollama(exchange: Exchange) -> bool:
    """Whether a payload has a message or a response, and whether it is the last."""
    return any(
        "done" in payload and ("message" in payload or "response" in payload)
        for payload in exchange.payloads
    )


def _ollama_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The one answer, put together as one of OpenAI's is."""
    return answers_of([_choice(payload) for payload in exchange.payloads])


def _choice(payload: dict[str, JSON]) -> dict[str, JSON]:
    message = mapping(payload.get("message")) or {
        "content": payload.get("response"),
        "reasoning": payload.get("thinking"),
    }
    thought = message.get("thinking")
    said = message if thought is None else {**message, "reasoning": thought}
    return {"delta": said, "finish_reason": text(payload.get("done_reason"))}


OLLAMA = Dialect("ollama", _is_ollama, _ollama_answers)
