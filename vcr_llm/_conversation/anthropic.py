"""Answers of Anthropic's Messages, wherever they are served, and of its older completions.

https://platform.claude.com/docs/en/build-with-claude/streaming; Vertex and Bedrock serve the same
payloads.
"""

from __future__ import annotations

from collections.abc import Iterator

from vcr_llm._conversation.dialect import Dialect, finish_reason_of
from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import at, first_text, items, mapping, text, whole
from vcr_llm._conversation.parts import joined, parts_of
from vcr_llm._conversation.values import Answer, Text
from vcr_llm._json import JSON

_EVENTS = (
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
    *("message_delta", "message_stop"),
)
# What a delta adds to which member of its block.
_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("partial_json", "input"),
    "compaction_delta": ("content", "content"),
}


def _is_message(exchange: Exchange) -> bool:
    """Whether a payload is a message of Anthropic's, or an event of one."""
    return any(
        payload.get("type") in _EVENTS
        or (payload.get("type") == "message" and isinstance(payload.get("content"), list))
        for payload in exchange.payloads
    )


def _is_text_completion(exchange: Exchange) -> bool:
    """Whether a payload is a completion of ``/v1/complete``."""
    return any(isinstance(payload.get("completion"), str) for payload in exchange.payloads)


def _message_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The one answer: its blocks, and why it stopped."""
    payloads = exchange.payloads
    blocks = [block for payload in payloads for block in _whole_blocks(payload)]
    parts = joined(
        tuple(part for block in [*blocks, *_blocks(payloads)] for part in parts_of(block))
    )
    deltas = [mapping(payload.get("delta")) for payload in payloads]
    reason = finish_reason_of([*payloads, *deltas], "stop_reason")
    return (Answer(parts, reason),) if parts or reason else ()


def _text_completion_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The one answer of a completion, its pieces joined."""
    words = "".join(text(payload.get("completion")) or "" for payload in exchange.payloads)
    return (Answer((Text(words),), finish_reason_of(exchange.payloads, "stop_reason")),)


def _whole_blocks(payload: dict[str, JSON]) -> list[JSON]:
    """The blocks of a message in one piece, or of one with which a stream begins."""
    message = payload if payload.get("type") == "message" else mapping(payload.get("message"))
    return items(message.get("content"))


def _blocks(payloads: list[dict[str, JSON]]) -> Iterator[dict[str, JSON]]:
    """The blocks that the events of a stream make, in the order of their indexes."""
    by_index: dict[int, list[dict[str, JSON]]] = {}
    for payload in payloads:
        if payload.get("type") in ("content_block_start", "content_block_delta"):
            by_index.setdefault(whole(payload.get("index")) or 0, []).append(payload)
    for index in sorted(by_index):
        yield _block(by_index[index])


def _block(events: list[dict[str, JSON]]) -> dict[str, JSON]:
    block = next((held for event in events if (held := mapping(event.get("content_block")))), {})
    grown: dict[str, str] = {}
    cited: list[JSON] = items(block.get("citations"))
    for event in events:
        delta = mapping(event.get("delta"))
        piece, name = _DELTAS.get(str(delta.get("type")), ("", ""))
        if added := text(delta.get(piece)):
            grown[name] = grown.get(name, text(block.get(name)) or "") + added
        if citation := at(delta, "citation"):
            cited = [*cited, citation]
    kind = first_text(block, "type") or _KIND_BY_MEMBER.get(next(iter(grown), ""), "text")
    return {**block, "type": kind, **grown, **({"citations": cited} if cited else {})}


# Of a block whose beginning is missing.
_KIND_BY_MEMBER = {"thinking": "thinking", "input": "tool_use"}


MESSAGES = Dialect("anthropic.messages", _is_message, _message_answers)
TEXT_COMPLETIONS = Dialect("anthropic.completions", _is_text_completion, _text_completion_answers)
