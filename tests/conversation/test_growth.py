"""What each event of a stream adds, in the dialects of the providers."""

from __future__ import annotations

from typing import Any

import pytest

from vcr_llm._conversation.growth import Voice, growth_of

TEXT, CALL, ARGUMENTS, RESULT = Voice.TEXT, Voice.CALL, Voice.ARGUMENTS, Voice.RESULT


def stream(*events: Any, **request: Any) -> dict[str, Any]:
    """A document of a stream."""
    return {
        "request": {"method": "POST", "url": "https://x/v1", "endpoint": "/v1", "body": request},
        "response": {"body": list(events), "is_streaming": True},
    }


def chat(**delta: Any) -> dict[str, Any]:
    """A chunk of OpenAI's chat."""
    return {"object": "chunk", "choices": [{"index": 0, "delta": delta}]}


def call(name: str | None, arguments: str, own_id: str | None = None) -> dict[str, Any]:
    """A piece of a call in a chunk."""
    function = {"name": name, "arguments": arguments}
    return chat(tool_calls=[{"index": 0, "id": own_id, "function": function}])


def response(kind: str, **more: Any) -> dict[str, Any]:
    """An event of OpenAI's Responses."""
    return {"type": f"response.{kind}", "output_index": 0, **more}


MESSAGE = {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}
CASES: dict[str, tuple[dict[str, Any], list[list[tuple[Voice, str]]]]] = {
    "chat": (
        stream(chat(role="assistant", content=""), chat(content="ha"), chat(content="ha")),
        [[], [(TEXT, "ha")], [(TEXT, "ha")]],
    ),
    "thinking": (
        stream(chat(reasoning_content="hm"), chat(content="yes")),
        [[(Voice.THINKING, "hm")], [(TEXT, "yes")]],
    ),
    "a refusal": (
        stream(chat(refusal="I "), chat(refusal="will not")),
        [[(Voice.REFUSAL, "I ")], [(Voice.REFUSAL, "will not")]],
    ),
    "calls": (
        stream(call("search", "", "a"), call(None, '{"q": '), call(None, '"x"}')),
        [[(CALL, "search")], [(ARGUMENTS, '{"q": ')], [(ARGUMENTS, '"x"}')]],
    ),
    "two answers": (
        stream(
            {"choices": [{"index": 0, "delta": {"content": "one"}}]},
            {"choices": [{"index": 1, "delta": {"content": "two"}}]},
        ),
        [[(TEXT, "one")], [(TEXT, "two")]],
    ),
    "an event that says all once more": (
        stream(
            response("output_text.delta", content_index=0, delta="Hel"),
            response("output_text.delta", content_index=0, delta="lo"),
            response("output_item.done", item=MESSAGE),
            response("completed", response={"object": "response", "output": [MESSAGE]}),
        ),
        [[(TEXT, "Hel")], [(TEXT, "lo")], [], []],
    ),
    "a call of the Responses": (
        stream(
            response(
                "output_item.added",
                item={"type": "function_call", "call_id": "c", "name": "f", "arguments": ""},
            ),
            response("function_call_arguments.delta", delta="{}"),
            response(
                "output_item.done",
                item={"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            ),
        ),
        [[(CALL, "f")], [(ARGUMENTS, "{}")], []],
    ),
    "the whole text so far": (
        stream(
            {"output": {"choices": [{"message": {"content": "He"}}]}},
            {"output": {"choices": [{"message": {"content": "Hello"}}]}},
        ),
        [[(TEXT, "He")], [(TEXT, "llo")]],
    ),
    "Anthropic": (
        stream(
            {"type": "message_start", "message": {"content": []}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "Hi"},
            },
            {
                "type": "content_block_start",
                "index": 1,
                "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            },
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": '{"a": 1}'},
            },
        ),
        [[], [], [(TEXT, "Hi")], [(CALL, "f")], [(ARGUMENTS, '{"a": 1}')]],
    ),
    "a whole call": (
        stream(
            {
                "candidates": [
                    {"content": {"parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]}}
                ]
            }
        ),
        [[(CALL, "f"), (ARGUMENTS, '{"a": 1}')]],
    ),
    "text of nobody's": (
        stream({"__type__": "str", "__data__": "ping"}),
        [[(TEXT, "ping")]],
    ),
    "a tool that yields": (
        {
            "request": {"provider": "p", "tool_name": "f", "kwargs": {}},
            "response": {"body": ["one ", {"a": 1}, {"a": 1}], "is_streaming": True},
        },
        [[(RESULT, "one ")], [(RESULT, '{"a": 1}\n')], [(RESULT, '{"a": 1}\n')]],
    ),
    "media that a tool gives": (
        stream(
            {
                "jsonrpc": "2.0",
                "result": {"content": [{"type": "image", "data": "AA==", "mimeType": "image/png"}]},
            },
            jsonrpc="2.0",
            method="tools/call",
        ),
        [[]],
    ),
    "no stream": (
        {"request": {}, "response": {"body": {"choices": []}, "is_streaming": False}},
        [],
    ),
}


@pytest.mark.parametrize(("document", "expected"), CASES.values(), ids=CASES)
def test_each_event_adds_what_is_new(
    document: dict[str, Any], expected: list[list[tuple[Voice, str]]]
) -> None:
    """The pieces of each event."""
    assert [list(step.pieces) for step in growth_of(document)] == expected


def test_events_are_called_by_what_they_say() -> None:
    """Beside the payload, in it, or not at all; a comment is an entry without a payload."""
    document = stream(
        {"__event__": "ping", "__data__": {}}, {"type": "a"}, {"__comment__": "wait"}, {"b": 1}
    )
    assert [step.label for step in growth_of(document)] == ["ping", "a", "comment", "event"]
