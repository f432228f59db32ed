"""What a request asked: its messages, the tools that it offered, and all else as parameters.

The members of a body say what they are by their names, which providers share: ``messages`` are
OpenAI's, Anthropic's, Converse's, Ollama's, Cohere's and Mistral's. Whatever is neither a message
nor a tool is a parameter, so that nothing of a request is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from vcr_llm._conversation.exchange import Exchange, bytes_of
from vcr_llm._conversation.media import media_of_bytes
from vcr_llm._conversation.members import (
    at,
    first_text,
    items,
    mapping,
    mappings,
    text,
    without,
)
from vcr_llm._conversation.messages import messages_of
from vcr_llm._conversation.parts import parts_of
from vcr_llm._conversation.tools import tools_of
from vcr_llm._conversation.values import Data, Message, Part, Text, Tool
from vcr_llm._json import JSON
from vcr_llm._tagged import BYTES, DATA, FORM, MULTIPART, TYPE, untag_json

Messages = tuple[Message, ...]


class Asked(NamedTuple):
    """What a request asked."""

    messages: Messages = ()
    tools: tuple[Tool, ...] = ()
    parameters: Mapping[str, JSON] = {}


_EMPTY: tuple[JSON, ...] = (None, "", [], {})
# Members that are the settings of a whole group, which are parameters one by one.
_GROUPS = (
    *("generationConfig", "generation_config", "inferenceConfig", "textGenerationConfig"),
    *("options", "parameters", "toolConfig"),
)
_TOOLS = ("tools", "functions")
_MODEL = ("model", "modelId", "model_id")
# A body with one of these is a request to a model, whatever its URL; with others, it is one where
# it names a model or the answer is a model's.
_TELLING = ("messages", "contents", "prompt", "inputText", "chat_history", "texts")


def asked(exchange: Exchange, *, is_answered: bool) -> Asked:
    """What a request asked; ``is_answered`` says that the answer is one of a model's."""
    if exchange.sent_label == MULTIPART:
        return _asked_in_form(exchange)
    if exchange.sent_label == FORM:
        return Asked(parameters=_pairs(exchange.sent))
    body = exchange.body
    if is_answered or _is_for_a_model(body):
        return asked_in(body)
    return _unread(exchange)


def asked_in(body: dict[str, JSON]) -> Asked:
    """What the body of a request to a model asks."""
    nested = mapping(body.get("input"))
    if any(name in nested for name in _SOURCES):  # DashScope, Replicate
        body = {**without(body, "input"), **nested}
    said = {name: read(body.get(name)) for name, read in _SOURCES.items()}
    messages = tuple(message for found in said.values() for message in found)
    read = {name for name, found in said.items() if found or body.get(name) in _EMPTY}
    rest = {name: value for name, value in body.items() if name not in read}
    if said["requests"]:
        more = [without(item, "content", "model") for item in mappings(body["requests"])]
        rest |= {"requests": [*more]} if any(more) else {}
    return Asked(messages, _tools(body), dict(_parameters(rest)))


def _is_for_a_model(body: dict[str, JSON]) -> bool:
    if any(mappings(body.get(name)) or text(body.get(name)) for name in _TELLING):
        return True
    return any(name in body for name in _MODEL) and any(name in body for name in _SOURCES)


# --- messages ---------------------------------------------------------------------------------


def _one(role: str, value: JSON) -> Messages:
    parts = parts_of(value)
    return (Message(role, parts),) if parts else ()


def _system(value: JSON) -> Messages:
    """What the model is told beforehand; OpenAI's Responses also take messages there."""
    if any("role" in item for item in mappings(value)):
        return messages_of(value)
    return _one("system", value)


def _input(value: JSON) -> Messages:
    """A text, several, or items, of which those without a role are parts of one message."""
    if _is_tokens(value):
        return (Message("user", (Data(value),)),)
    if all(_is_content(item) for item in mappings(value)):
        return _one("user", value)
    return messages_of(value)


def _is_content(item: dict[str, JSON]) -> bool:
    kind = text(item.get("type")) or ""
    is_item = kind.endswith(("_call", "_output", "reasoning", "message", "reference", "response"))
    return "role" not in item and not is_item


def _prompt(value: JSON) -> Messages:
    """A text, several, or tokens; one that is stored with the provider is a parameter."""
    if isinstance(value, dict):
        return ()
    return (Message("user", (Data(value),)),) if _is_tokens(value) else _one("user", value)


def _is_tokens(value: JSON) -> bool:
    """Whether a prompt, or several of them, are written as numbers of tokens."""
    first = at(value, 0)
    return isinstance(at(first, 0) if isinstance(first, list) else first, int)


def _requests(value: JSON) -> Messages:
    """What Gemini's ``batchEmbedContents`` asks to embed."""
    contents = (request.get("content") for request in mappings(value))
    return tuple(message for content in contents for message in _one("user", at(content, "parts")))


def _images(value: JSON) -> Messages:
    """Images that stand beside a prompt (Ollama's ``generate``)."""
    return _one("user", [_image(item) for item in items(value)])


def _image(item: JSON) -> JSON:
    return item if isinstance(item, dict) else {"type": "image", "data": item}


# Members that hold messages, in the order in which a model reads them.
_SOURCES: Mapping[str, Callable[[JSON], Messages]] = {
    "instructions": _system,
    "system": _system,
    "system_prompt": _system,
    "preamble": _system,
    "systemInstruction": lambda value: _system(at(value, "parts") or value),
    "system_instruction": lambda value: _system(at(value, "parts") or value),
    "chat_history": messages_of,
    "context_messages": messages_of,
    "documents": lambda value: _one("documents", value),
    "messages": messages_of,
    "additional_messages": messages_of,
    "contents": messages_of,
    "input": _input,
    "inputs": _input,
    "prompt": _prompt,
    "message": lambda value: _one("user", value),
    "query": lambda value: _one("query", value),
    "texts": lambda value: _one("user", value),
    "inputText": lambda value: _one("user", value),
    "requests": _requests,
    "content": lambda value: _input(at(value, "parts") or value),
    "images": _images,
}


# --- tools and parameters ---------------------------------------------------------------------


def _tools(body: dict[str, JSON]) -> tuple[Tool, ...]:
    held = (body.get("tools"), at(body, "toolConfig", "tools"), at(body, "parameters", "tools"))
    offered = tuple(tool for found in held for tool in tools_of(found))
    legacy: list[JSON] = [{"function": item} for item in mappings(body.get("functions"))]
    return offered + tools_of(legacy)


def _parameters(body: dict[str, JSON]) -> Iterator[tuple[str, JSON]]:
    for name, value in body.items():
        if (name in _MODEL and isinstance(value, str)) or _is_tools(name, value):
            continue
        if name in _GROUPS and isinstance(value, dict):
            members = ((key, item) for key, item in value.items() if not _is_tools(key, item))
            yield from ((f"{name}.{key}", item) for key, item in members)
        else:
            yield name, value


def _is_tools(name: str, value: JSON) -> bool:
    return name in _TOOLS and isinstance(value, list | None)


# --- forms, and what is no request to a model ---------------------------------------------------


def _asked_in_form(exchange: Exchange) -> Asked:
    """The fields of a form as parameters, its files and its prompt as a message."""
    fields = [part for part in mappings(exchange.sent) if "filename" not in part]
    files = [part for part in mappings(exchange.sent) if "filename" in part]
    values = [(first_text(part, "name") or "", _field(part)) for part in fields]
    message = tuple(Text(str(value)) for name, value in values if name == "prompt")
    held: tuple[Part, ...] = (*message, *map(_file, files))
    parameters = {name: value for name, value in values if name not in ("model", "prompt")}
    return Asked((Message("user", held),) if held else (), parameters=parameters)


def _field(part: dict[str, JSON]) -> JSON:
    content = bytes_of(part.get("body"))
    return untag_json(part.get("body")) if content is None else f"{len(content):,} bytes"


def _file(part: dict[str, JSON]) -> Part:
    body = part.get("body")
    content = bytes_of(body)
    if content is None:
        held = untag_json(body)
        content = (held if isinstance(held, str) else str(held)).encode(errors="replace")
    return media_of_bytes(content, first_text(part, "content_type"), first_text(part, "filename"))


def _pairs(sent: JSON) -> dict[str, JSON]:
    """The fields of a form; a name that comes several times has a list."""
    fields: dict[str, list[JSON]] = {}
    for pair in items(sent):
        fields.setdefault(str(at(pair, 0)), []).append(at(pair, 1))
    return {name: held[0] if len(held) == 1 else held for name, held in fields.items()}


def _unread(exchange: Exchange) -> Asked:
    """A body that is for no model, as it is."""
    sent = exchange.sent
    if sent is None:
        return Asked()
    if exchange.sent_label == BYTES:
        content = bytes_of({TYPE: BYTES, DATA: sent}) or b""
        return Asked((Message("request", (media_of_bytes(content, None),)),))
    part: Part = Text(sent) if isinstance(sent, str) else Data(sent)
    return Asked((Message("request", (part,)),))
