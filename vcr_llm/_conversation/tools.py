"""The tools that a request offers, in any provider's words."""

from __future__ import annotations

from collections.abc import Iterator

from vcr_llm._conversation.members import at, first_text, items, mapping, mappings, text, without
from vcr_llm._conversation.values import Tool
from vcr_llm._json import JSON

_SCHEMA = (
    "parameters",  # OpenAI, Gemini, Cohere
    "input_schema",  # Anthropic
    "inputSchema",  # Converse, MCP
    "parametersJsonSchema",
    "parameters_json_schema",
    "parameter_definitions",  # Cohere's first version
    "format",  # OpenAI's custom tools: a grammar instead of a schema
)
_NAME = ("name", "server_label")
_KNOWN = (*_SCHEMA, *_NAME, "type", "description", "function", "custom", "toolSpec")
_DECLARATIONS = ("functionDeclarations", "function_declarations")


def tools_of(offered: JSON) -> tuple[Tool, ...]:
    """The tools of a list, each of which may hold several declarations (Gemini)."""
    return tuple(tool for item in items(offered) for tool in _tools_in(item))


def _tools_in(item: JSON) -> Iterator[Tool]:
    held = mapping(item)
    if not isinstance(item, dict):
        yield Tool(str(item))
    elif "cachePoint" in held:
        return
    elif "type" in held or any(name in held for name in (*_NAME, "function", "toolSpec")):
        yield _tool(held)
    else:
        for name, value in held.items():
            yield from _tools_by_member(name, value)


def _tools_by_member(name: str, value: JSON) -> Iterator[Tool]:
    """Gemini's tools: declarations of functions, or one of its own, such as ``googleSearch``."""
    if name in _DECLARATIONS:
        yield from map(_tool, mappings(value))
    else:
        options = without(value) if isinstance(value, dict) else {}
        yield Tool(name, kind=name, options=options)


def _tool(item: dict[str, JSON]) -> Tool:
    kind = text(item.get("type")) or "function"
    held = next(
        (inner for key in ("function", "custom", "toolSpec") if (inner := mapping(item.get(key)))),
        item,
    )
    schema = next((held[key] for key in _SCHEMA if held.get(key) is not None), None)
    return Tool(
        name=first_text(held, *_NAME) or kind,
        kind=kind,
        description=first_text(held, "description"),
        schema=schema if at(schema, "json") is None else at(schema, "json"),
        options={**without(item, *_KNOWN), **(without(held, *_KNOWN) if held is not item else {})},
    )
