"""The messages of a request or of a history, in any provider's words."""

from __future__ import annotations

from collections.abc import Iterator

from vcr_llm._conversation.members import (
    at,
    first_text,
    items,
    mapping,
    mappings,
    says_something,
    text,
)
from vcr_llm._conversation.parts import Parts, joined, parts_of, tool_call
from vcr_llm._conversation.values import Data, Message, Part, Refusal, Thinking, ToolResult
from vcr_llm._json import JSON

_CONTENT = ("content", "parts", "message")
_THINKING = ("reasoning_content", "reasoning", "thinking")
_ROLES = {"USER": "user", "CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool"}
"""Cohere's first version writes its roles so."""

# Items of OpenAI's Responses that have no role, by the end of their type.
_ROLE_BY_ENDING = (
    ("_output", "tool"),
    ("_call", "assistant"),
    ("reasoning", "assistant"),
    ("_response", "user"),
)


def messages_of(value: JSON, role: str = "user") -> tuple[Message, ...]:
    """The messages of a list; a text alone is a message of this role."""
    held = value if isinstance(value, list) else [value]
    return tuple(_message(item, role) for item in held if item is not None)


def message_parts(message: dict[str, JSON]) -> Parts:
    """What a message says: thinking first, then content, then the calls of tools."""
    return joined(tuple(_parts(message)))


def _message(item: JSON, role: str) -> Message:
    if not isinstance(item, dict):
        return Message(role, parts_of(item))
    role = _role(item) or role
    parts = message_parts(item) or (() if _says_nothing(item) else (Data(item),))
    call_id, name = first_text(item, "tool_call_id"), first_text(item, "name", "tool_name")
    is_told = any(isinstance(part, ToolResult) for part in parts)
    if role == "tool" and "role" in item and not is_told:
        return Message(role, (ToolResult(parts, call_id, name),))
    return Message(role, parts, name if "role" in item else None)


def _role(item: dict[str, JSON]) -> str | None:
    role = text(item.get("role"))
    if role is not None:
        return _ROLES.get(role, role)
    kind = text(item.get("type")) or ""
    return next((name for ending, name in _ROLE_BY_ENDING if kind.endswith(ending)), None)


def _says_nothing(item: dict[str, JSON]) -> bool:
    """Whether a message has a place for what it says, with nothing in it."""
    return "role" in item and any(name in item for name in _CONTENT)


def _parts(message: dict[str, JSON]) -> Iterator[Part]:
    if "role" not in message and "type" in message:
        yield from parts_of(message)
        return
    if thought := first_text(message, *_THINKING):
        yield Thinking(thought)
    elif details := "".join(_details(message)):
        yield Thinking(details)
    for name in _CONTENT:
        yield from parts_of(message.get(name))
    if refused := first_text(message, "refusal"):
        yield Refusal(refused)
    yield from _other_parts(message)
    for call in (*mappings(message.get("tool_calls")), mapping(message.get("function_call"))):
        if says_something(call):
            yield tool_call(call)


def _other_parts(message: dict[str, JSON]) -> Iterator[Part]:
    """Images beside the content (Ollama, OpenRouter), a sound, results of tools (Cohere)."""
    for image in items(message.get("images")):
        yield from parts_of(image if isinstance(image, dict) else {"type": "image", "data": image})
    if says_something(sound := mapping(message.get("audio"))):
        yield from parts_of({**sound, "type": "audio"})
        yield from parts_of(sound.get("transcript"))
    for result in mappings(message.get("tool_results")):
        yield ToolResult(parts_of(at(result, "outputs")))


def _details(message: dict[str, JSON]) -> Iterator[str]:
    """OpenRouter's ``reasoning_details``, where it is not said in one text as well."""
    for detail in mappings(message.get("reasoning_details")):
        yield first_text(detail, "text", "summary") or ""
