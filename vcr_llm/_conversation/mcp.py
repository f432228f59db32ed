"""Messages of JSON-RPC 2.0, above all of the Model Context Protocol.

https://modelcontextprotocol.io/specification/2025-06-18/server/tools; a stream brings notifications
before the result. And the calls of tools that were recorded without HTTP.
"""

from __future__ import annotations

from vcr_llm._conversation.dialect import Dialect
from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import at, counted, first_text, mapping, mappings
from vcr_llm._conversation.parts import Parts, parts_of
from vcr_llm._conversation.values import Answer, Data, Message, Note, Part, ToolCall, ToolResult
from vcr_llm._foreign import TOOL_SCHEME
from vcr_llm._json import JSON
from vcr_llm._tagged import BYTES, tag_of, untag_json

_CALL = "tools/call"


def _is_rpc(exchange: Exchange) -> bool:
    """Whether the request or a payload is a message of JSON-RPC."""
    return "jsonrpc" in exchange.body or any("jsonrpc" in item for item in exchange.payloads)


def rpc_messages(exchange: Exchange) -> tuple[Message, ...]:
    """What was called, with its parameters."""
    if "jsonrpc" not in exchange.body:
        return ()
    method, parameters = first_text(exchange.body, "method") or "", exchange.body.get("params")
    if method == _CALL:
        call = ToolCall(first_text(parameters, "name") or "", at(parameters, "arguments") or {})
        return (Message("request", (call,)),)
    said: tuple[Part, ...] = () if parameters in (None, {}) else (Data(parameters),)
    return (Message(method, said),)


def _rpc_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """The result; the notifications before it only where there is none."""
    results = [payload["result"] for payload in exchange.payloads if "result" in payload]
    if not results:
        return ()
    return (Answer(_result(results[-1], exchange.body.get("method")), role="answer"),)


def _result(result: JSON, method: JSON) -> Parts:
    held = mapping(result)
    if method == _CALL and "content" in held:
        is_error = held.get("isError") is True
        return (ToolResult(parts_of(held.get("content")), is_error=is_error),)
    if method == "tools/list":
        names = [first_text(tool, "name") or "?" for tool in mappings(held.get("tools"))]
        return (Note(": ".join((counted(len(names), "tool"), ", ".join(names)))),)
    return () if result in (None, {}) else (Data(result),)


# --- calls of tools that were recorded as such --------------------------------------------------


def _is_tool(exchange: Exchange) -> bool:
    """Whether this is the call of a tool instead of an HTTP exchange."""
    return exchange.url.startswith(f"{TOOL_SCHEME}:")


def tool_messages(exchange: Exchange) -> tuple[Message, ...]:
    """The call."""
    name = exchange.path.removeprefix("/")
    arguments: JSON = {} if exchange.sent is None else exchange.sent
    return (Message("request", (ToolCall(name, arguments),)),)


def _tool_answers(exchange: Exchange) -> tuple[Answer, ...]:
    """What the tool gave back; the exception that it raised is told as a failure."""
    parts = tuple(part for event in exchange.events for part in _given_back(event.payload))
    is_error = at(exchange.document, "response", "is_exception") is True
    if is_error and not parts:
        return ()
    return (Answer((ToolResult(parts, is_error=is_error),), role="answer"),)


def _given_back(payload: JSON) -> Parts:
    return parts_of(payload) if isinstance(payload, str) else (Data(_unlabelled(payload)),)


def _unlabelled(value: JSON) -> JSON:
    """A value without the labels that say which classes its parts are of."""
    if isinstance(value, list):
        return [_unlabelled(item) for item in value]
    if not isinstance(value, dict) or tag_of(value) == BYTES:
        return value
    if tag_of(value) is not None:
        return _unlabelled(untag_json(value))
    return {name: _unlabelled(item) for name, item in value.items()}


TOOL = Dialect("tool", _is_tool, _tool_answers)
JSON_RPC = Dialect("json-rpc", _is_rpc, _rpc_answers)
