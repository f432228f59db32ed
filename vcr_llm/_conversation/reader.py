"""A document -> the conversation in it.

What a payload is, it says itself: each dialect has a test of its form, and the first that fits
reads it. No dialect is known by its host. What fits none is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable

from vcr_llm._conversation.anthropic import MESSAGES, TEXT_COMPLETIONS
from vcr_llm._conversation.asked import Asked, asked
from vcr_llm._conversation.assistants import ASSISTANTS
from vcr_llm._conversation.bedrock import AGENT, CONVERSE
from vcr_llm._conversation.cohere import COHERE_1, COHERE_2
from vcr_llm._conversation.dialect import Answers, Dialect
from vcr_llm._conversation.exchange import Exchange, bytes_of, exchange_of
from vcr_llm._conversation.failures import failure_of
from vcr_llm._conversation.gemini import GENERATED, INTERACTIONS
from vcr_llm._conversation.generation import DASHSCOPE, GENERATION
from vcr_llm._conversation.listings import listing_answers, listing_of
from vcr_llm._conversation.mcp import JSON_RPC, TOOL, rpc_messages, tool_messages
from vcr_llm._conversation.media import media_of_bytes
from vcr_llm._conversation.members import at, first_text, text
from vcr_llm._conversation.ollama import OLLAMA
from vcr_llm._conversation.openai_chat import CHAT, COMPLETIONS
from vcr_llm._conversation.openai_responses import RESPONSES
from vcr_llm._conversation.parts import Parts, joined
from vcr_llm._conversation.usage import usage_of
from vcr_llm._conversation.values import Answer, Conversation, Data, Text
from vcr_llm._foreign import Document
from vcr_llm._json import JSON

# In this order: a payload that fits several is read by the first.
DIALECTS = (
    TOOL,
    JSON_RPC,
    RESPONSES,
    ASSISTANTS,
    CHAT,
    COMPLETIONS,
    MESSAGES,
    TEXT_COMPLETIONS,
    INTERACTIONS,
    GENERATED,
    CONVERSE,
    AGENT,
    OLLAMA,
    COHERE_2,
    COHERE_1,
    DASHSCOPE,
    GENERATION,
)
_PLAIN = "http"
# Where an answer names the model that gave it.
_MODEL_PLACES = (
    ("model",),
    ("message", "model"),
    ("response", "model"),
    ("modelVersion",),
    ("interaction", "model"),
    ("model_id",),
    ("model_version",),
)


def conversation_of(document: Document) -> Conversation:
    """The conversation in a document, whatever it holds: what makes no sense is left as it is."""
    exchange = exchange_of(document)
    failure = failure_of(exchange)
    dialect, answers = _answered(exchange)
    if failure is not None and dialect == _PLAIN:
        answers = ()
    question = _asked(exchange, dialect)
    return Conversation(
        dialect=dialect,
        method=exchange.method,
        url=exchange.url,
        endpoint=exchange.path,
        model=_model(exchange),
        parameters=question.parameters,
        tools=question.tools,
        messages=question.messages,
        answers=answers,
        answered_by=_answered_by(exchange),
        usage=usage_of(exchange.payloads),
        status=None if dialect == TOOL.name else exchange.status,
        failure=failure,
        ended=at(exchange.document, "response", "ended"),
        is_streaming=exchange.is_streaming,
        event_count=len(exchange.events) if exchange.is_streaming else None,
        test_id=text(exchange.document.get("test_id")),
        recorded_at=text(exchange.document.get("recorded_at")),
    )


def _model(exchange: Exchange) -> str | None:
    named = first_text(exchange.document.get("request"), "model")
    return named or first_text(exchange.body, "model", "modelId", "model_id")


def _asked(exchange: Exchange, dialect: str) -> Asked:
    if dialect == TOOL.name:
        return Asked(tool_messages(exchange))
    if dialect == JSON_RPC.name:
        return Asked(rpc_messages(exchange))
    return asked(exchange, is_answered=dialect not in (_PLAIN, "listing", "object"))


def _answered(exchange: Exchange) -> tuple[str, Answers]:
    if dialect := _dialect_of(exchange):
        return dialect.name, dialect.answers(exchange)
    if listing := listing_of(exchange):
        return listing.name, listing_answers(exchange, listing)
    return _PLAIN, _plain_answers(exchange)


def answers_reader(exchange: Exchange) -> Callable[[Exchange], Answers]:
    """What reads the answers of an exchange, and any part of its events."""
    dialect = _dialect_of(exchange)
    return _plain_answers if dialect is None else dialect.answers


def _dialect_of(exchange: Exchange) -> Dialect | None:
    return next((dialect for dialect in DIALECTS if dialect.fits(exchange)), None)


def _plain_answers(exchange: Exchange) -> Answers:
    parts = tuple(
        part for event in exchange.events for part in _plain_parts(event.payload, exchange)
    )
    return (Answer(joined(parts), role="response"),) if parts else ()


def _plain_parts(payload: JSON, exchange: Exchange) -> Parts:
    """A payload that no dialect knows: a file, a text, or a JSON value."""
    content = bytes_of(payload)
    if content is not None:
        return (media_of_bytes(content, exchange.media_type),)
    if isinstance(payload, str):
        return (Text(payload),) if payload else ()
    return () if payload is None else (Data(payload),)


def _answered_by(exchange: Exchange) -> str | None:
    found = (text(at(payload, *place)) for payload in exchange.payloads for place in _MODEL_PLACES)
    return next((model for model in found if model is not None), None)
