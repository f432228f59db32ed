"""What went wrong, in a provider's own words: an error instead of an answer, or in a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import at, first_text, items, mapping, text, whole, without
from vcr_llm._conversation.values import Failure
from vcr_llm._interaction import standard_reason
from vcr_llm._json import JSON, Number, render

_FAILED = 400  # RFC 9110, 15.5: statuses from here on are errors
_MESSAGES = ("message", "Message", "msg", "detail", "error_msg", "errorMessage", "title", "reason")
_KINDS = ("type", "code", "status", "__type", "error_code", "errorCode")
_ERRORS = ("error", "errors", "detail")
# OpenAI's Responses, Anthropic's messages and Converse's exceptions name their failures so.
_EVENTS = ("error", "response.failed", "response.error")
_LONGEST = 2000


def failure_of(exchange: Exchange) -> Failure | None:
    """The failure that an answer tells of, None where it tells of none."""
    response = exchange.document.get("response")
    told = next(_told(exchange), None) or _cut(at(response, "ended")) or _raised(response)
    if told is not None or exchange.status is None or exchange.status < _FAILED:
        return told
    return Failure(_without_words(exchange))


def _cut(ended: JSON) -> Failure | None:
    """The error that cut a stream, or came instead of an answer."""
    if at(ended, "by") != "error":
        return None
    kind = first_text(ended, "type")
    return Failure(first_text(ended, "message") or kind or "", kind)


def _raised(response: JSON) -> Failure | None:
    """The exception that a tool raised; those of HTTP clients are told as answers."""
    if at(response, "is_exception") is not True:
        return None
    data = at(response, "exception_data")
    return Failure(first_text(data, "message") or "", first_text(data, "type"))


def _told(exchange: Exchange) -> Iterator[Failure]:
    is_error = exchange.status is not None and exchange.status >= _FAILED
    for event in exchange.events:
        exception = _exception(event.name)
        found = _in_payload(event.payload, is_error=is_error or exception is not None)
        if found is not None:
            yield replace(found, kind=found.kind or _word(exception))


def _exception(name: str | None) -> str | None:
    """The name of an event, where it is one of an error's."""
    return name if name == "error" or (name or "").endswith("Exception") else None


def _in_payload(payload: JSON, *, is_error: bool) -> Failure | None:
    """The failure in a payload; a message alone is one only where the answer is an error."""
    if isinstance(payload, list):
        payload = at(payload, 0)  # Gemini's streams
    held = mapping(payload)
    for holder in (held, mapping(held.get("response"))):
        for name in _ERRORS if is_error else _ERRORS[:1]:
            if error := holder.get(name):
                return _failure(error)
    if is_error or held.get("type") in _EVENTS or held.get("object") == "error":
        return _failure(payload) if payload else None
    return None


def _failure(error: JSON) -> Failure:
    if isinstance(error, list) and error:  # of FastAPI's kind: each with the place it is about
        told = [_failure(item) for item in error]
        return Failure("; ".join(item.message for item in told), told[0].kind)
    if not isinstance(error, dict):
        return Failure(error if isinstance(error, str) else _rendered(error))
    if nested := error.get("error"):
        return _failure(nested)
    said = next((name for name in _MESSAGES if text(error.get(name))), None)
    named = next((name for name in _KINDS if _word(error.get(name))), None)
    if said is None:
        return Failure(_rendered(error), _word(error.get(named or "")))
    place = ".".join(str(step) for step in items(error.get("loc")))
    words = ": ".join(filter(None, (place, text(error.get(said)))))
    details = without(error, said, named or "", "loc", "object")
    return Failure(words, _word(error.get(named or "")), details)


def _word(value: JSON) -> str | None:
    """A name for a failure, or its number; "error" says nothing."""
    found = text(value) or whole(value)
    return None if found in (None, "error") else str(found)


def _without_words(exchange: Exchange) -> str:
    """What an error says that has no words for itself: its text, or what its status means."""
    texts = [event.payload for event in exchange.events if isinstance(event.payload, str)]
    return "".join(texts)[:_LONGEST] or standard_reason(exchange.status or 0) or "no reason given"


def _rendered(value: JSON) -> str:
    return value.text if isinstance(value, Number) else render(value, "spaced")[:_LONGEST]
