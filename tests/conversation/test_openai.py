"""Conversations with OpenAI's APIs: chat, Responses, assistants.

The payloads are those of the providers' own references, cut to what is read.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.conversation.payloads import (
    CHAT,
    HELLO,
    IMAGE,
    PNG,
    PNG_TEXT,
    RESPONSES,
    WEATHER,
    chunk,
    digest,
    event,
    only,
    read,
)
from vcr_llm._conversation import (
    Answer,
    Conversation,
    Data,
    Media,
    Message,
    Note,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)

# --- OpenAI's Chat Completions ------------------------------------------------------------------


def test_a_plain_chat() -> None:
    """Model, parameters, tools, messages, answer and usage are told apart."""
    tool = {"name": "weather", "description": "The weather.", "parameters": WEATHER, "strict": True}
    body = {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello", "name": "ann"},
        ],
        "temperature": 0.2,
        "response_format": {"type": "text"},
        "tools": [{"type": "function", "function": tool}],
    }
    answer = {
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"message": {"role": "assistant", "content": "Hi!"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    label = "openai.types.chat.chat_completion.ChatCompletion"
    found = read(body, {"__type__": label, "__data__": answer})
    assert found == Conversation(
        dialect="openai.chat",
        method="POST",
        url=CHAT,
        endpoint="/v1/chat/completions",
        model="gpt-4o",
        parameters={"temperature": 0.2, "response_format": {"type": "text"}},
        tools=(Tool("weather", "function", "The weather.", WEATHER, {"strict": True}),),
        messages=(
            Message("system", (Text("Be brief."),)),
            Message("user", (Text("Hello"),), "ann"),
        ),
        answers=(Answer((Text("Hi!"),), "stop"),),
        answered_by="gpt-4o-2024-08-06",
        usage=Usage(3, 2, 5),
        status=200,
        recorded_at="2026-01-01T00:00:00Z",
    )


def test_a_streamed_chat_is_put_together() -> None:
    """Text, and the calls of tools with their arguments parsed, from all events."""
    first = {"index": 0, "id": "call_a", "function": {"name": "weather", "arguments": ""}}
    second = {"index": 1, "id": "call_b", "function": {"name": "time", "arguments": "{}"}}
    found = read(
        {"model": "gpt-4o", "messages": [], "stream": True},
        [
            chunk({"role": "assistant", "content": None, "tool_calls": None}),
            chunk({"content": "Let me "}),
            chunk({"content": "see."}),
            chunk({"tool_calls": [first]}),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]}),
            chunk({"tool_calls": [second]}),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"Rome"}'}}]}),
            chunk({}, "tool_calls"),
            {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
        ],
    )
    assert only(found) == Answer(
        (
            Text("Let me see."),
            ToolCall("weather", {"city": "Rome"}, "call_a"),
            ToolCall("time", {}, "call_b"),
        ),
        "tool_calls",
    )
    assert (found.is_streaming, found.event_count) == (True, 9)
    assert found.usage == Usage(1, 2)


def test_several_choices_are_several_answers() -> None:
    """Each by its index, in whatever order their events come."""
    found = read(
        {"model": "m", "n": 2},
        [
            chunk({"content": "b"}, index=1),
            chunk({"content": "a"}),
            chunk({}, "length", index=1),
            chunk({}, "stop"),
        ],
    )
    assert found.answers == (Answer((Text("a"),), "stop"), Answer((Text("b"),), "length"))


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        ([{"reasoning_content": "Hm"}, {"reasoning_content": "m"}, {"content": "4"}], "Hmm"),
        ([{"reasoning": "Hmm"}, {"content": "4"}], "Hmm"),
        ([{"reasoning_details": [{"text": "Hm"}]}, {"reasoning_details": [{"text": "m"}]}], "Hmm"),
        ([{"content": [{"type": "thinking", "thinking": [{"text": "Hmm"}]}]}], "Hmm"),
        ([{"content": [{"type": "thinking", "thinking": [{"text": t}]}]} for t in "Hm"], "Hm"),
    ],
    ids=["deepseek", "groq", "openrouter", "mistral", "mistral in pieces"],
)
def test_what_compatible_servers_call_thinking(deltas: list[Any], expected: str) -> None:
    """It is thinking, whatever it is called, and stands before the text."""
    assert only(read({"messages": []}, list(map(chunk, deltas)))).parts[0] == Thinking(expected)


def test_a_streamed_refusal() -> None:
    """A refusal is no text."""
    found = read({"messages": []}, [chunk({"refusal": "I can"}), chunk({"refusal": "not."})])
    assert only(found).parts == (Refusal("I cannot."),)


@pytest.mark.parametrize(
    "pieces",
    [
        [
            {"function_call": {"name": "f", "arguments": '{"a"'}},
            {"function_call": {"arguments": ":1}"}},
        ],
        [{"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}],
        [
            {"tool_calls": [{"function": {"name": n, "arguments": a}}]}
            for n, a in (("f", '{"a"'), ("f", ":1}"))
        ],
    ],
    ids=["legacy", "arguments as a value", "no index, the name repeated"],
)
def test_calls_of_tools_in_other_ways(pieces: list[Any]) -> None:
    """Calls as they were before there were several, and as other servers write them."""
    found = read({"messages": []}, list(map(chunk, pieces)))
    assert only(found).parts == (ToolCall("f", {"a": 1}),)


def test_calls_with_the_same_index_and_ids_of_their_own() -> None:
    """Gemini's compatible endpoint gives all calls the index 0."""
    calls = [
        {"index": 0, "id": name, "function": {"name": name, "arguments": "{}"}} for name in "ab"
    ]
    found = read({"messages": []}, [chunk({"tool_calls": [call]}) for call in calls])
    assert only(found).parts == (ToolCall("a", {}, "a"), ToolCall("b", {}, "b"))


def test_arguments_that_are_no_json_stay_text() -> None:
    """A stream that was cut leaves half of an object."""
    call = {"id": "c", "function": {"name": "f", "arguments": '{"a": '}}
    assert only(read({"messages": []}, [chunk({"tool_calls": [call]})])).parts == (
        ToolCall("f", '{"a": ', "c"),
    )


def test_calls_and_sounds_with_nothing_in_them_are_none() -> None:
    """Snowflake writes every member that there may be."""
    empty: Any = {"tool_calls": [{}], "function_call": {"name": ""}, "audio": {"data": ""}}
    pieces = [chunk({"content": "Hi", **empty}), chunk(empty)]
    assert only(read({"messages": []}, pieces)).parts == (Text("Hi"),)
    plain = {"choices": [{"message": {"role": "assistant", "content": "Hi", **empty}}]}
    assert only(read({"messages": []}, plain)).parts == (Text("Hi"),)


def test_a_custom_tool_is_called_with_text() -> None:
    """OpenAI's custom tools take text instead of JSON."""
    call = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert only(read({"messages": []}, {"choices": [{"message": message}]})).parts == (
        ToolCall("sql", "SELECT 1", "c"),
    )


def test_a_streamed_sound_has_its_words_beside_it() -> None:
    """Each piece is base64 of its own; the transcript is text."""
    pieces = [
        {"audio": {"id": "a", "data": base64.b64encode(sound).decode(), "transcript": word}}
        for sound, word in ((b"one", "Good "), (b"three", "day"))
    ]
    heard = Media("audio", size=8, digest=digest(b"onethree"))
    found = read({"messages": []}, list(map(chunk, pieces)))
    assert only(found).parts == (heard, Text("Good day"))


def test_images_beside_the_content() -> None:
    """OpenRouter's models answer with images of their own."""
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG_TEXT}"}}
    message = {"role": "assistant", "content": "Here:", "images": [image]}
    assert only(read({"messages": []}, {"choices": [{"message": message}]})).parts == (
        Text("Here:"),
        IMAGE,
    )


def test_citations_of_an_answer() -> None:
    """Where a text has it from stands beside it, each source once."""
    cited = {"type": "url_citation", "url_citation": {"title": "A page", "url": "https://x"}}
    message = {"role": "assistant", "content": "So."}
    content = [{"type": "text", "text": "So.", "annotations": [cited, cited]}]
    found = read({"messages": []}, {"choices": [{"message": {**message, "content": content}}]})
    assert only(found).parts == (Text("So.", ("A page <https://x>",)),)


def test_completions() -> None:
    """The legacy completions, plain and streamed."""
    body = {"model": "gpt-3.5-turbo-instruct", "prompt": ["Hello", "Bye"], "max_tokens": 5}
    plain = {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}]}
    found = read(body, plain, url="https://api.openai.com/v1/completions")
    assert found.dialect == "openai.completions"
    assert found.messages == (Message("user", (Text("Hello"), Text("Bye"))),)
    assert found.parameters == {"max_tokens": 5}
    pieces = [{"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in "Hi"]
    assert only(read(body, pieces)) == Answer((Text("Hi"),))
    assert only(found) == Answer((Text("Hi"),), "stop")


@pytest.mark.parametrize("tokens", [[1, 2], [[1], [2]]])
@pytest.mark.parametrize("name", ["prompt", "input"])
def test_a_prompt_of_tokens_is_shown_as_it_is(name: str, tokens: list[Any]) -> None:
    """Numbers of tokens are no text."""
    found = read({"model": "m", name: tokens})
    assert found.messages == (Message("user", (Data(tokens),)),)


def test_a_message_with_the_call_of_a_time_when_there_was_one_per_answer() -> None:
    """OpenAI's legacy calls, and the results that Cohere's first version takes."""
    history = [
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "TOOL", "tool_results": [{"call": {}, "outputs": [{"text": "42"}]}]},
    ]
    assert read({"model": "m", "messages": history}).messages == (
        Message("assistant", (ToolCall("f", {}),)),
        Message("tool", (ToolResult((Text("42"),)),)),
    )


def test_a_stored_prompt_is_a_parameter() -> None:
    """OpenAI's Responses refer to prompts that are stored."""
    found = read({"model": "m", "prompt": {"id": "pmpt_1"}, "input": "Hello"})
    assert (found.messages, found.parameters) == ((HELLO,), {"prompt": {"id": "pmpt_1"}})


# --- OpenAI's Responses -------------------------------------------------------------------------

REASONING = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "Hm"}],
    "encrypted_content": "…",
}
CALL = {"type": "function_call", "name": "f", "arguments": '{"a":1}', "call_id": "c"}
SAID = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
}


def test_a_plain_response() -> None:
    """Thinking, text and calls stand in the order of the output."""
    answer = {"object": "response", "status": "completed", "output": [REASONING, SAID, CALL]}
    found = read(
        {"model": "m", "input": "Hello", "instructions": "Be brief."}, answer, url=RESPONSES
    )
    assert found.dialect == "openai.responses"
    assert found.messages == (Message("system", (Text("Be brief."),)), HELLO)
    assert only(found) == Answer(
        (Thinking("Hm"), Text("Hi"), ToolCall("f", {"a": 1}, "c")), "completed"
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"role": "user", "content": "Hello"}, HELLO),
        ({"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}, HELLO),
        (REASONING, Message("assistant", (Thinking("Hm"),))),
        ({"type": "reasoning", "summary": []}, Message("assistant", (Thinking(""),))),
        (CALL, Message("assistant", (ToolCall("f", {"a": 1}, "c"),))),
        (
            {"type": "function_call_output", "call_id": "c", "output": "42"},
            Message("tool", (ToolResult((Text("42"),), "c"),)),
        ),
        (
            {"type": "custom_tool_call", "name": "sql", "input": "SELECT", "call_id": "c"},
            Message("assistant", (ToolCall("sql", "SELECT", "c"),)),
        ),
        (
            {
                "type": "web_search_call",
                "id": "w",
                "action": {"type": "search"},
                "status": "completed",
            },
            Message("assistant", (ToolCall("web_search", {"type": "search"}, "w"),)),
        ),
        (
            {
                "type": "code_interpreter_call",
                "id": "i",
                "code": "1",
                "outputs": [{"type": "logs", "logs": "1"}],
            },
            Message(
                "assistant",
                (
                    ToolCall("code_interpreter", 1, "i"),
                    ToolResult((Data({"type": "logs", "logs": "1"}),), "i"),
                ),
            ),
        ),
        (
            {"type": "mcp_call", "id": "m", "name": "f", "arguments": "", "error": "lost"},
            Message(
                "assistant",
                (ToolCall("f", {}, "m"), ToolResult((Text("lost"),), "m", is_error=True)),
            ),
        ),
        (
            {"type": "mcp_list_tools", "server_label": "wiki", "tools": [{"name": "a"}, {}]},
            Message("user", (Note("tools of wiki: a, ?"),)),
        ),
        (
            {"type": "tool_search_output", "call_id": "s", "tools": [{"name": "a"}]},
            Message("tool", (ToolResult((Note("tools: a"),), "s"),)),
        ),
        (
            {"type": "image_generation_call", "result": PNG_TEXT},
            Message("assistant", (Media("image", size=8, digest=digest(PNG)),)),
        ),
        (
            {
                "type": "computer_call_output",
                "call_id": "c",
                "output": {"type": "computer_screenshot", "image_url": "https://x"},
            },
            Message("tool", (ToolResult((Media("image", url="https://x"),), "c"),)),
        ),
        (
            {"type": "item_reference", "id": "x"},
            Message("user", (Data({"type": "item_reference", "id": "x"}),)),
        ),
    ],
)
def test_items_of_a_response(item: dict[str, Any], expected: Message) -> None:
    """Every kind of item is read where it is sent back."""
    assert read({"model": "m", "input": [item]}, url=RESPONSES).messages == (expected,)


def test_a_streamed_response_closes_with_the_whole() -> None:
    """The last event has everything."""
    whole = {"object": "response", "status": "completed", "model": "m-1", "output": [SAID]}
    events = [
        {"type": "response.created", "response": {"object": "response", "status": "in_progress"}},
        {"type": "response.output_text.delta", "output_index": 0, "delta": "something else"},
        {"type": "response.completed", "response": {**whole, "usage": {"input_tokens": 1}}},
    ]
    found = read({"model": "m", "input": "Hello"}, events, url=RESPONSES)
    assert only(found) == Answer((Text("Hi"),), "completed")
    assert (found.answered_by, found.usage) == ("m-1", Usage(1))


def cut_response(*, is_done: bool) -> list[dict[str, Any]]:
    """The events of a response that was cut before its end."""
    text = {"type": "response.output_text.delta", "output_index": 1, "content_index": 0}
    done = {"type": "response.output_item.done", "output_index": 1, "item": SAID}
    return [
        {"type": "response.created", "response": {"object": "response", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning"}},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "H"},
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "m"},
        {**text, "delta": "H"},
        {**text, "delta": "i"},
        *([done] if is_done else []),
        {
            "type": "response.output_item.added",
            "output_index": 2,
            "item": {**CALL, "arguments": ""},
        },
        {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": '{"a"'},
        {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": ":1}"},
        {"type": "response.output_text.delta", "output_index": 3},
    ]


@pytest.mark.parametrize("is_done", [True, False])
def test_a_response_that_was_cut_is_put_together_from_its_events(is_done: bool) -> None:
    """Items that were finished as they were, the others from their pieces."""
    found = read({"model": "m", "input": "Hello"}, cut_response(is_done=is_done), url=RESPONSES)
    assert only(found).parts == (Thinking("Hm"), Text("Hi"), ToolCall("f", {"a": 1}, "c"))


def test_a_response_that_ended_early_says_why() -> None:
    """The status and its reason are the finish reason."""
    answer = {
        "object": "response",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [],
    }
    assert only(read({"input": "x"}, answer)).finish_reason == "incomplete: max_output_tokens"
    assert read({"input": "x"}, {"object": "response"}).answers == ()


def test_instructions_may_be_messages() -> None:
    """Where a list with roles stands for a text."""
    found = read({"model": "m", "instructions": [{"role": "user", "content": "Hello"}]})
    assert found.messages == (HELLO,)


# --- OpenAI's assistants ------------------------------------------------------------------------


def thread_message(text: str, **more: Any) -> dict[str, Any]:
    """A message of a thread."""
    content = [{"type": "text", "text": {"value": text, "annotations": []}}] if text else []
    return {
        "id": "msg",
        "object": "thread.message",
        "role": "assistant",
        "content": content,
        **more,
    }


def test_messages_of_a_thread() -> None:
    """A list of messages is an answer each."""
    answer = {
        "object": "list",
        "data": [thread_message("b", id="m2", role="user"), thread_message("a")],
    }
    found = read(None, answer, url="https://api.openai.com/v1/threads/t/messages")
    assert found.answers == (Answer((Text("b"),), role="user"), Answer((Text("a"),)))


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_streamed_run(is_whole: bool) -> None:
    """A message is its last state, or its pieces where the stream was cut."""
    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    pieces = [
        {
            "id": "msg",
            "object": "thread.message.delta",
            "delta": {"content": [{"type": "text", "text": {"value": text}}]},
        }
        for text in ("H", "i")
    ]
    waiting = {"submit_tool_outputs": {"tool_calls": [call]}}
    found = read(
        {"assistant_id": "a", "stream": True},
        [
            event("thread.run.created", {"id": "run", "object": "thread.run", "status": "queued"}),
            event("thread.message.created", thread_message("")),
            *(event("thread.message.delta", piece) for piece in pieces),
            *([event("thread.message.completed", thread_message("Hi"))] if is_whole else []),
            event("thread.run.step.created", {"id": "step", "object": "thread.run.step"}),
            event(
                "thread.run.requires_action",
                {
                    "id": "run",
                    "object": "thread.run",
                    "status": "requires_action",
                    "required_action": waiting,
                },
            ),
        ],
    )
    assert found.answers == (
        Answer((ToolCall("f", {}, "c"),), "requires_action", "run"),
        Answer((Text("Hi"),)),
    )
