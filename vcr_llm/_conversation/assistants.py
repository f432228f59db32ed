"""Answers of OpenAI's assistants: messages and runs, plain and streamed.

https://platform.openai.com/docs/api-reference/assistants-streaming/events
"""

from __future__ import annotations

from vcr_llm._conversation.dialect import Dialect
from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import at, first_text, mapping, mappings
from vcr_llm._conversation.parts import joined, parts_of, tool_call
from vcr_llm._conversation.values import Answer
from vcr_llm._json import JSON


def _is_assistants(exchange: Exchange) -> bool:
    """Whether a payload is a message or a run of a thread, a piece of one, or a list of such."""
    return any(
        str(state.get("object")).startswith(("thread.message", "thread.run"))
        for payload in exchange.payloads
        for state in (payload, mapping(at(payload, "data", 0)))
    )


def _assistants_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """Each message in its last state, then each run with the calls that it waits for."""
    states: dict[str, list[dict[str, JSON]]] = {}
    for payload in exchange.payloads:
        for state in mappings(payload.get("data")) or [payload]:
            states.setdefault(first_text(state, "id") or "", []).append(state)
    answers = (_answer(found) for found in states.values())
    return tuple(answer for answer in answers if answer is not None)


def _answer(states: list[dict[str, JSON]]) -> Answer | None:
    """A message or a run, from the states that it went through and the pieces of it."""
    kind = str(states[-1].get("object"))
    if kind.startswith("thread.message"):
        wholes = [parts for state in states if (parts := parts_of(state.get("content")))]
        pieces = (part for state in states for part in parts_of(at(state, "delta", "content")))
        role = next((role for state in states if (role := first_text(state, "role"))), "assistant")
        return Answer(wholes[-1] if wholes else joined(tuple(pieces)), role=role)
    if kind == "thread.run":
        calls = mappings(at(states[-1], "required_action", "submit_tool_outputs", "tool_calls"))
        return Answer(tuple(map(tool_call, calls)), first_text(states[-1], "status"), "run")
    return None


ASSISTANTS = Dialect("openai.assistants", _is_assistants, _assistants_answers)
