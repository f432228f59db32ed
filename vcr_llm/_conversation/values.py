"""A recording as a conversation: what was asked and what was answered, as values.

Nothing here belongs to one provider. What a provider says differently is said in these words; what
has no word here is `Data`, the JSON value as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TypeAlias

from vcr_llm._json import JSON, Number


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody wrote, and where it says that it has it from."""

    text: str
    citations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thinking:
    """What a model thought; empty where the provider kept it to itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a model does not answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a sound, a video or another file, without its bytes.

    ``size`` counts the bytes, ``digest`` is the beginning of their SHA-256, so that another image
    of the same size is another value.
    """

    kind: str
    media_type: str | None = None
    name: str | None = None
    url: str | None = None
    size: int | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model wants called; arguments that are no JSON stay the text that they are."""

    name: str
    arguments: JSON
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back."""

    parts: tuple[Part, ...]
    id: str | None = None
    name: str | None = None
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What came, in a line of ours, where its content is for no reader: embeddings, listings.

    ``digest`` is the beginning of the content's SHA-256.
    """

    text: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Data:
    """A JSON value as it was."""

    value: JSON


Part: TypeAlias = Text | Thinking | Refusal | Media | ToolCall | ToolResult | Note | Data


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody said. ``name`` is who, where several have the same role."""

    role: str
    parts: tuple[Part, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that was offered: a function with its schema, or one that the provider runs itself."""

    name: str
    kind: str = "function"
    description: str | None = None
    schema: JSON = None
    options: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the answers (choices, candidates), put together from all events of a stream."""

    parts: tuple[Part, ...]
    finish_reason: str | None = None
    role: str = "assistant"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, where the provider says them.

    ``input`` includes those from the cache and ``output`` those of thinking, for every provider
    (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/); ``total`` is the
    provider's own word.
    """

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cached: int | None = None
    cache_written: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, as the provider says it; ``kind`` is its own name for it.

    ``details`` are what it says besides.
    """

    message: str
    kind: str | None = None
    details: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one request asked and what was answered.

    ``dialect`` names the form of the payloads, such as ``openai.chat``; ``answered_by`` is the
    model that the answer names. ``ended`` is how a stream ended, where it did not as usual.
    """

    dialect: str
    method: str
    url: str
    endpoint: str
    model: str | None = None
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    tools: tuple[Tool, ...] = ()
    messages: tuple[Message, ...] = ()
    answers: tuple[Answer, ...] = ()
    answered_by: str | None = None
    usage: Usage | None = None
    status: int | None = None
    failure: Failure | None = None
    ended: JSON = None
    is_streaming: bool = False
    event_count: int | None = None
    test_id: str | None = None
    recorded_at: str | None = None


PART_NAMES: Mapping[type, str] = {
    Text: "text",
    Thinking: "thinking",
    Refusal: "refusal",
    Media: "media",
    ToolCall: "tool_call",
    ToolResult: "tool_result",
    Note: "note",
    Data: "data",
}
"""How parts are called in JSON, as their ``type``."""


def to_json(conversation: Conversation) -> dict[str, object]:
    """A conversation for programs, in values that `json.dumps` takes."""
    return _members(conversation)


def plain(value: object) -> object:
    """A value for programs: values of ours by their fields, parts with their ``type``."""
    if type(value) in PART_NAMES:
        return {"type": PART_NAMES[type(value)], **_members(value)}
    if isinstance(value, Message | Answer | Tool | Usage | Failure | Conversation):
        return _members(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _plain_number(value) if isinstance(value, Number) else value


def _members(value: object) -> dict[str, object]:
    return {
        member.name: plain(getattr(value, member.name))
        for member in fields(value)  # type: ignore[arg-type]  # only dataclasses come here
    }


def _plain_number(number: Number) -> float | str:
    """The nearest float; the digits where none is near."""
    nearest = float(number)
    return nearest if abs(nearest) != float("inf") else number.text
