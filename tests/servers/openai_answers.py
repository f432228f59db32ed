"""What the model answers, the same for each API: from a question to an answer, without ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .openai_wire import JsonObject, dump

# Real models send exponents here, too: OpenAI writes -1.9361264e-7, Python -1.9361264e-07.
_LOGPROBS = (-1.9361264e-7, -0.31326166, -1.2842141, 0.0)

_EXAMPLES: dict[str, object] = {
    "array": [],
    "boolean": True,
    "integer": 7,
    "null": None,
    "number": 1.5,
    "object": {},
}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asks for; `arguments` is JSON text, as on the wire."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks, whichever API it came through.

    `tools` are the functions on offer, `results` what the tools just called have returned, `schema`
    what a structured answer has to fit, `earlier` the prompt of the response before.
    """

    prompt: str
    tools: tuple[JsonObject, ...] = ()
    results: tuple[str, ...] = ()
    schema: JsonObject | None = None
    earlier: str | None = None
    is_parallel: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A text, or the tools to call before there is one."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()

    def tokens(self) -> list[str]:
        """All that the model wrote, in pieces."""
        return tokens(self.text) + [t for call in self.calls for t in tokens(call.arguments)]


def answer(question: Question, counter: Iterator[int]) -> Answer:
    """The same answer to the same question, except to the prompt `count`."""
    if question.tools and not question.results:
        return Answer(calls=tuple(_call(tool) for tool in _wanted_tools(question)))
    if question.schema is not None:
        return Answer(dump(example(question.schema, question.schema)))
    if question.results:
        return Answer(f"The tools said: {' | '.join(question.results)}")
    if question.prompt == "count":
        return Answer(f"This is answer {next(counter)}.")
    if question.earlier is not None:
        return Answer(f"You said: {question.prompt} (and before: {question.earlier})")
    return Answer(f"You said: {question.prompt}")


def tokens(text: str) -> list[str]:
    """The text in pieces of about a token each: joining them gives it back."""
    return re.findall(r"\s*\w{1,8}|\s*[^\w\s]+|\s+", text)


def logprobs(text: str) -> list[JsonObject]:
    """How sure the model was of each token."""
    pieces = tokens(text)
    return [
        {**_logprob(token, value), "top_logprobs": [_logprob(token, value)]}
        for token, value in zip(pieces, _LOGPROBS * len(pieces), strict=False)
    ]


def example(schema: Any, root: JsonObject, name: str = "answer") -> object:
    """The same value each time, one that fits the JSON schema."""
    if "$ref" in schema:
        return example(root["$defs"][schema["$ref"].rpartition("/")[2]], root, name)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "anyOf", "oneOf", "allOf"):
        if key in schema:
            return schema[key][0] if key == "enum" else example(schema[key][0], root, name)
    if "properties" in schema:
        return {key: example(value, root, key) for key, value in schema["properties"].items()}
    if "items" in schema:
        return [example(schema["items"], root, name)] * 2
    kind = schema.get("type", "string")
    return _EXAMPLES.get(kind[0] if isinstance(kind, list) else kind, f"some {name}")


def _logprob(token: str, value: float) -> JsonObject:
    return {"token": token, "logprob": value, "bytes": list(token.encode())}


def _wanted_tools(question: Question) -> tuple[JsonObject, ...]:
    """Each tool when the prompt says `parallel`, else the first one that it names."""
    if question.is_parallel and "parallel" in question.prompt:
        return question.tools
    named = [tool for tool in question.tools if tool["name"] in question.prompt]
    return (*named, question.tools[0])[:1]


def _call(tool: JsonObject) -> ToolCall:
    schema = tool.get("parameters") or {"properties": {}}
    return ToolCall(tool["name"], dump(example(schema, schema)))
