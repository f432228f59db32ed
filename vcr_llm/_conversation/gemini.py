"""Answers of Gemini's ``generateContent``, from Google's two services, and of its interactions.

https://ai.google.dev/api/generate-content; the elements of a stream are answers like the whole.
"""

from __future__ import annotations

from vcr_llm._conversation.dialect import Dialect, finish_reason_of
from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import at, first_text, items, mapping, mappings, whole
from vcr_llm._conversation.parts import Parts, citations_of, joined, parts_of
from vcr_llm._conversation.values import Answer, Text, Thinking
from vcr_llm._json import JSON


def _is_generated(exchange: Exchange) -> bool:
    """Whether a payload has candidates, or says why there are none."""
    return any(_has_candidates(payload) for payload in exchange.payloads)


def _generated_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """Each candidate, put together; a prompt that was blocked is an answer with that reason."""
    by_index: dict[int, list[dict[str, JSON]]] = {}
    for payload in exchange.payloads:
        for candidate in mappings(payload.get("candidates")):
            by_index.setdefault(whole(candidate.get("index")) or 0, []).append(candidate)
    answers = tuple(_answer(by_index[index]) for index in sorted(by_index))
    return answers or _blocked(exchange.payloads)


def _has_candidates(payload: dict[str, JSON]) -> bool:
    if "promptFeedback" in payload or "usageMetadata" in payload:
        return "name" not in payload
    return any("content" in candidate for candidate in mappings(payload.get("candidates")))


def _answer(pieces: list[dict[str, JSON]]) -> Answer:
    parts = joined(
        tuple(part for piece in pieces for part in parts_of(items(at(piece, "content", "parts"))))
    )
    role = first_text(at(pieces[0], "content"), "role") or "model"
    return Answer(_cited(parts, pieces), finish_reason_of(pieces, "finishReason"), role)


def _cited(parts: Parts, pieces: list[dict[str, JSON]]) -> Parts:
    """The parts, the last text with the pages that the answer rests on."""
    cited = tuple(
        dict.fromkeys(
            citation
            for piece in pieces
            for citation in citations_of(at(piece, "groundingMetadata", "groundingChunks"))
        )
    )
    last = max((place for place, part in enumerate(parts) if isinstance(part, Text)), default=None)
    if not cited or last is None:
        return parts
    words = parts[last]
    grounded = Text(words.text, cited) if isinstance(words, Text) else words
    return (*parts[:last], grounded, *parts[last + 1 :])


def _blocked(payloads: list[dict[str, JSON]]) -> tuple[Answer, ...]:
    feedback = [mapping(payload.get("promptFeedback")) for payload in payloads]
    reason = finish_reason_of(feedback, "blockReason")
    return (Answer((), f"blocked: {reason}", "model"),) if reason else ()


# --- interactions (https://ai.google.dev/gemini-api/docs/interactions) --------------------------


def _is_interaction(exchange: Exchange) -> bool:
    """Whether a payload is an interaction or an event of one."""
    return any(
        payload.get("object") == "interaction"
        or "interaction" in payload
        or str(payload.get("event_type")).startswith(("interaction.", "step.", "content."))
        for payload in exchange.payloads
    )


def _interaction_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The one answer: its steps, from the whole interaction or from the events of a stream."""
    payloads = exchange.payloads
    held = [mapping(payload.get("interaction")) or payload for payload in payloads]
    wholes = [
        step for state in held for name in ("steps", "outputs") for step in items(state.get(name))
    ]
    parts = tuple(part for step in wholes for part in parts_of(step)) or _steps(payloads)
    reason = finish_reason_of(held, "status")
    return (Answer(joined(parts), reason, "model"),) if parts or reason else ()


def _steps(payloads: list[dict[str, JSON]]) -> Parts:
    by_index: dict[int, list[dict[str, JSON]]] = {}
    for payload in payloads:
        if "step" in payload or "delta" in payload or "content" in payload:
            by_index.setdefault(whole(payload.get("index")) or 0, []).append(payload)
    return tuple(part for index in sorted(by_index) for part in _step(by_index[index]))


def _step(events: list[dict[str, JSON]]) -> Parts:
    """One step: how it begins, and what its pieces add to it."""
    begun = [mapping(event.get("step")) or mapping(event.get("content")) for event in events]
    step = next((held for held in begun if held), {})
    deltas = [mapping(event.get("delta")) for event in events]
    kind = str(step.get("type"))
    if kind == "thought":
        texts = (first_text(delta.get("content"), "text") or "" for delta in deltas)
        return (Thinking("".join(texts)),)
    if kind.endswith("_call"):
        pieces = (first_text(delta, "arguments", "partial_arguments") or "" for delta in deltas)
        return parts_of({**step, "arguments": step.get("arguments") or "".join(pieces)})
    said = (parts_of(delta) for delta in deltas if delta and delta.get("type") not in _UNSAID)
    return (*parts_of(step.get("content")), *(part for parts in said for part in parts))


_UNSAID = ("thought_signature",)


INTERACTIONS = Dialect("gemini.interactions", _is_interaction, _interaction_answers)
GENERATED = Dialect("gemini", _is_generated, _generated_answers)
