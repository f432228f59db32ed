"""Answers of OpenAI's Responses (https://platform.openai.com/docs/api-reference/responses).

A stream closes with the whole response. Where it was cut, or the server leaves its items out, they
are put together from the events before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vcr_llm._conversation.dialect import Dialect
from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import at, first_text, mapping, mappings, text, whole
from vcr_llm._conversation.parts import joined, parts_of
from vcr_llm._conversation.values import Answer
from vcr_llm._json import JSON

_CLOSING = ("response.completed", "response.incomplete", "response.failed", "response.done")

# The member of an item, or of one of its parts, that the pieces of a kind of event add to.
_ITEM_DELTAS: Mapping[str, str] = {
    "response.function_call_arguments.delta": "arguments",
    "response.mcp_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
    "response.code_interpreter_call_code.delta": "code",
}
_PART_DELTAS: Mapping[str, tuple[str, str, str]] = {
    "response.output_text.delta": ("content", "output_text", "text"),
    "response.refusal.delta": ("content", "refusal", "refusal"),
    "response.reasoning_text.delta": ("content", "reasoning_text", "text"),
    "response.reasoning_summary_text.delta": ("summary", "summary_text", "text"),
}


def _is_response(exchange: Exchange) -> bool:
    """Whether a payload is a response or an event of one."""
    return any(
        payload.get("object") == "response" or str(payload.get("type")).startswith("response.")
        for payload in exchange.payloads
    )


def _response_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The one answer: all items of the output."""
    response = _response(exchange.payloads)
    items = mappings(response.get("output")) or list(_items(exchange.payloads))
    parts = joined(tuple(part for item in items for part in parts_of(item)))
    reason = _finish_reason(response)
    return (Answer(parts, reason),) if parts or reason else ()


def _response(payloads: list[dict[str, JSON]]) -> dict[str, JSON]:
    """The response in its last state."""
    states = [
        payload if payload.get("object") == "response" else mapping(payload.get("response"))
        for payload in payloads
    ]
    return next((state for state in reversed(states) if state), {})


def _finish_reason(response: dict[str, JSON]) -> str | None:
    reason = first_text(response.get("incomplete_details"), "reason")
    status = first_text(response, "status")
    return f"{status}: {reason}" if status and reason else status


def _items(payloads: list[dict[str, JSON]]) -> Iterator[dict[str, JSON]]:
    """The items that the events of a stream make, in the order of their indexes."""
    by_index: dict[int, list[dict[str, JSON]]] = {}
    for payload in payloads:
        by_index.setdefault(whole(payload.get("output_index")) or 0, []).append(payload)
    for index in sorted(by_index):
        yield from _item(by_index[index])


def _item(events: list[dict[str, JSON]]) -> Iterator[dict[str, JSON]]:
    done = [event for event in events if event.get("type") == "response.output_item.done"]
    if done:
        yield mapping(done[-1].get("item"))
        return
    item = next((held for event in events if (held := mapping(event.get("item")))), {})
    grown = {**item, **_grown_members(events), **_grown_parts(events)}
    if grown:
        yield {"type": "message", **grown}


def _grown_members(events: list[dict[str, JSON]]) -> dict[str, JSON]:
    members: dict[str, str] = {}
    for event in events:
        if name := _ITEM_DELTAS.get(str(event.get("type"))):
            members[name] = members.get(name, "") + (text(event.get("delta")) or "")
    return {**members}


def _grown_parts(events: list[dict[str, JSON]]) -> dict[str, JSON]:
    """The parts of an item, each with the text that its pieces make."""
    texts: dict[tuple[str, int, str, str], list[str]] = {}
    for event in events:
        if place := _PART_DELTAS.get(str(event.get("type"))):
            holder, kind, name = place
            index = whole(at(event, f"{holder}_index")) or 0
            texts.setdefault((holder, index, kind, name), []).append(text(event.get("delta")) or "")
    parts: dict[str, list[JSON]] = {}
    for (holder, _index, kind, name), pieces in sorted(texts.items()):
        parts.setdefault(holder, []).append({"type": kind, name: "".join(pieces)})
    return {**parts}


RESPONSES = Dialect("openai.responses", _is_response, _response_answers)
