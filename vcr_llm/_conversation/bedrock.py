"""Answers of Amazon Bedrock: Converse, and what only its agents send.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html. Nova uses
the same payloads in InvokeModel, where the name of an event is the only member of its payload.
"""

from __future__ import annotations

from collections.abc import Iterator

from vcr_llm._conversation.dialect import Dialect, finish_reason_of
from vcr_llm._conversation.exchange import Event, Exchange
from vcr_llm._conversation.members import at, mapping, text, whole
from vcr_llm._conversation.parts import joined, parts_of
from vcr_llm._conversation.values import Answer, Text
from vcr_llm._json import JSON

_EVENTS = frozenset(
    {
        *("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop"),
        *("messageStop", "metadata"),
    }
)


def _is_converse(exchange: Exchange) -> bool:
    """Whether the answer is a message of Converse's, or the events of one."""
    if any("content" in _message(payload) for payload in exchange.payloads):
        return True
    return any(name != "metadata" for name, _payload in _events(exchange))


def _converse_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The one answer: its blocks, and why it stopped."""
    events = list(_events(exchange))
    payloads = [*exchange.payloads, *(payload for _name, payload in events)]
    wholes = [part for payload in payloads for part in parts_of(_message(payload).get("content"))]
    parts = joined((*wholes, *(part for block in _blocks(events) for part in parts_of(block))))
    reason = finish_reason_of(payloads, "stopReason")
    return (Answer(parts, reason),) if parts or reason else ()


def _is_agent(exchange: Exchange) -> bool:
    """Whether the answer is the stream of an agent: pieces of text between traces."""
    return any(_is_piece(event) for event in exchange.events)


def _agent_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The one answer: its text."""
    pieces = [text(event.payload) or "" for event in exchange.events if _is_piece(event)]
    return (Answer((Text("".join(pieces)),)),)


def _is_piece(event: Event) -> bool:
    return event.name == "chunk" and isinstance(event.payload, str)


def _message(payload: dict[str, JSON]) -> dict[str, JSON]:
    return mapping(at(payload, "output", "message"))


def _events(exchange: Exchange) -> Iterator[tuple[str, dict[str, JSON]]]:
    """The events by their names, which stand beside the payload or in it."""
    for event in exchange.events:
        payload = mapping(event.payload)
        if event.name in _EVENTS:
            yield event.name or "", payload
        for name in _EVENTS & payload.keys():
            yield name, mapping(payload[name])


def _blocks(events: list[tuple[str, dict[str, JSON]]]) -> Iterator[dict[str, JSON]]:
    """The blocks of a streamed message, in the order of their indexes."""
    by_index: dict[int, list[dict[str, JSON]]] = {}
    for name, payload in events:
        if name in ("contentBlockStart", "contentBlockDelta"):
            index = whole(payload.get("contentBlockIndex")) or 0
            by_index.setdefault(index, []).append(payload)
    for index in sorted(by_index):
        yield from _block(by_index[index])


def _block(events: list[dict[str, JSON]]) -> Iterator[dict[str, JSON]]:
    start = next((held for event in events if (held := mapping(event.get("start")))), {})
    deltas = [mapping(event.get("delta")) for event in events]
    called = mapping(start.get("toolUse"))
    pieces = _joined(deltas, "toolUse", "input")
    if called or pieces:
        yield {"toolUse": {**called, "input": pieces}}
    thoughts = [delta for delta in deltas if "reasoningContent" in delta]
    if thoughts:
        yield {"reasoningContent": {"text": _joined(thoughts, "reasoningContent", "text")}}
    cited: list[JSON] = [delta["citation"] for delta in deltas if "citation" in delta]
    words = _joined(deltas, "text")
    if words or cited:
        yield {"type": "text", "text": words, "citations": cited}


def _joined(deltas: list[dict[str, JSON]], *path: str) -> str:
    return "".join(text(at(delta, *path)) or "" for delta in deltas)


CONVERSE = Dialect("bedrock.converse", _is_converse, _converse_answers)
AGENT = Dialect("bedrock.agent", _is_agent, _agent_answers)
