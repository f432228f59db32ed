"""Answers that are a text under a name of their own: InvokeModel, watsonx, Hugging Face, DashScope.

Titan, Llama, AI21, Mistral and Cohere's Command are served so by Bedrock
(https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vcr_llm._conversation.dialect import Dialect, finish_reason_of
from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import at, first_text, mapping, mappings, text
from vcr_llm._conversation.openai_chat import answers_of
from vcr_llm._conversation.values import Answer
from vcr_llm._json import JSON

_LISTS = ("results", "generations", "completions", "outputs")
_TEXTS = ("outputText", "generated_text", "generation", "text", "completion")
_REASONS = ("completionReason", "stop_reason", "finish_reason", "finishReason")


class _Generated(NamedTuple):
    place: int
    text: str
    reason: str | None


def _is_generation(exchange: Exchange) -> bool:
    """Whether a payload has a text under one of these names, or a list of such texts."""
    return bool(_generated(exchange))


def _generation_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """Each text, its pieces joined."""
    choices: list[dict[str, JSON]] = [
        {"index": found.place, "delta": {"content": found.text}, "finish_reason": found.reason}
        for found in _generated(exchange)
    ]
    return answers_of(choices)


def _generated(exchange: Exchange) -> list[_Generated]:
    return [found for event in exchange.events for found in _found_in(event.payload)]


def _found_in(payload: JSON) -> Iterator[_Generated]:
    """The texts of a payload, or of a list in it (Hugging Face sends the list alone)."""
    if isinstance(payload, list):
        held = mappings(payload)
    else:
        held = next((found for name in _LISTS if (found := mappings(at(payload, name)))), [])
    for place, item in enumerate(held):
        if (words := _text(item) or _text(mapping(item.get("data")))) is not None:  # AI21's
            yield _Generated(place, words, _reason(item))
    top = mapping(payload)
    if not held and (words := first_text(top, *_TEXTS[:3])) is not None:
        yield _Generated(0, words, _reason(top))


def _text(item: dict[str, JSON]) -> str | None:
    return next((words for name in _TEXTS if isinstance(words := item.get(name), str)), None)


def _reason(item: dict[str, JSON]) -> str | None:
    return first_text(item, *_REASONS) or first_text(item.get("finishReason"), "reason")


# --- DashScope (https://help.aliyun.com/zh/model-studio/qwen-api-reference) ----------------------


def _is_dashscope(exchange: Exchange) -> bool:
    """Whether a payload has choices or a text in its output."""
    return any(_choices(payload) for payload in exchange.payloads)


def _dashscope_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """Each choice; events tell the whole text so far unless the request asked for pieces."""
    choices = [choice for payload in exchange.payloads for choice in _choices(payload)]
    is_incremental = at(exchange.body, "parameters", "incremental_output") is True
    if is_incremental or len(choices) == 1:
        return answers_of(choices)
    return answers_of(_last_of_each(choices))


def _choices(payload: dict[str, JSON]) -> list[dict[str, JSON]]:
    output = mapping(payload.get("output"))
    if choices := mappings(output.get("choices")):
        return choices
    if (words := text(output.get("text"))) is None:
        return []
    return [{"message": {"content": words}, "finish_reason": output.get("finish_reason")}]


def _last_of_each(choices: list[dict[str, JSON]]) -> list[dict[str, JSON]]:
    last = {str(choice.get("index", 0)): choice for choice in choices}
    return [
        {**choice, "finish_reason": finish_reason_of([choice], "finish_reason")}
        for choice in last.values()
    ]


DASHSCOPE = Dialect("dashscope", _is_dashscope, _dashscope_answers)
GENERATION = Dialect("generation", _is_generation, _generation_answers)
