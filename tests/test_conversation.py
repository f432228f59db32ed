"""Recordings as conversations: every provider's payloads say the same in the same words.

The payloads are those of the providers' own references, cut to what is read.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, NamedTuple

import pytest

from vcr_llm._aws_event_stream import Frame, Header, render_frame
from vcr_llm._conversation import (
    Answer,
    Conversation,
    Data,
    Failure,
    Media,
    Message,
    Note,
    Part,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
    conversation_of,
    numbered,
    to_json,
)
from vcr_llm._document import to_document
from vcr_llm._interaction import Interaction, Request, Response
from vcr_llm._json import Number

CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
MESSAGES = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0"


def digest(content: bytes) -> str:
    """The beginning of the SHA-256."""
    return hashlib.sha256(content).hexdigest()[:8]


def digest_of(value: Any) -> str:
    """The digest of a value, by its text as a recording would have it."""
    return digest(f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode())


PNG = b"\x89PNG\r\n\x1a\n"
PNG_TEXT = base64.b64encode(PNG).decode()
IMAGE = Media("image", "image/png", size=len(PNG), digest=digest(PNG))
WEATHER: Any = {"type": "object", "properties": {"city": {"type": "string"}}}
HELLO = Message("user", (Text("Hello"),))


def recording(
    body: Any = None, answer: Any = None, *, url: str = CHAT, **response: Any
) -> dict[str, Any]:
    """A document; a list as the answer is a stream's entries."""
    path = "/" + url.partition("://")[2].partition("/")[2]
    request = {"method": "POST", "url": url, "headers": {}, "body": body, "endpoint": path}
    head = {"body": answer, "is_streaming": isinstance(answer, list)}
    model = body.get("model") if isinstance(body, dict) else None
    return {
        "test_id": None,
        "request": {**request, "model": model},
        "response": {**head, **response},
        "recorded_at": "2026-01-01T00:00:00Z",
    }


def read(body: Any = None, answer: Any = None, *, url: str = CHAT, **response: Any) -> Conversation:
    """The conversation in a recording."""
    return conversation_of(recording(body, answer, url=url, **response))


def parts(content: Any) -> tuple[Part, ...]:
    """What the content of a message says."""
    (message,) = read({"model": "m", "messages": [{"role": "user", "content": content}]}).messages
    return message.parts


def event(name: str, payload: Any) -> dict[str, Any]:
    """An entry whose event has a name beside its payload."""
    return {"__data__": payload, "__event__": name}


def only(conversation: Conversation) -> Answer:
    """The answer, of which there is one."""
    (answer,) = conversation.answers
    return answer


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


def chunk(delta: dict[str, Any], reason: str | None = None, index: int = 0) -> dict[str, Any]:
    """An event of a streamed chat."""
    return {"choices": [{"index": index, "delta": delta, "finish_reason": reason}]}


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


# --- messages of a request ----------------------------------------------------------------------


def test_a_history_with_calls_and_results() -> None:
    """What the model called and what the tools gave back, in the words of Chat Completions."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    history = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "42", "name": "f"},
        {"role": "assistant", "content": "It is 42.", "refusal": None},
        {"role": "function", "name": "g", "content": "old"},
        {"role": "user", "content": ""},
        "just text",
        None,
        5,
        {"tools": ["?"], "role": "developer"},
    ]
    assert read({"model": "m", "messages": history}).messages == (
        Message("assistant", (ToolCall("f", {"a": 1}, "c1"),)),
        Message("tool", (ToolResult((Text("42"),), "c1", "f"),)),
        Message("assistant", (Text("It is 42."),)),
        Message("function", (Text("old"),), "g"),
        Message("user", ()),
        Message("user", (Text("just text"),)),
        Message("user", (Data(5),)),
        Message("developer", (Data({"tools": ["?"], "role": "developer"}),)),
    )


FILE = Media("file", "application/pdf", size=3, digest=digest(b"pdf"))
PDF = base64.b64encode(b"pdf").decode()
S3 = "s3://bucket/a.mp4"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://x/a.png"}},
            Media("image", url="https://x/a.png"),
        ),
        (
            {"type": "image_url", "image_url": "https://x/a.png"},
            Media("image", url="https://x/a.png"),
        ),
        ({"type": "input_image", "image_url": f"data:image/png;base64,{PNG_TEXT}"}, IMAGE),
        ({"type": "input_image", "file_id": "file-1"}, Media("image", name="file-1")),
        (
            {"type": "input_audio", "input_audio": {"data": PDF, "format": "wav"}},
            Media("audio", "audio/wav", size=3, digest=digest(b"pdf")),
        ),
        (
            {
                "type": "file",
                "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"},
            },
            Media("file", "application/pdf", "a.pdf", None, 3, digest(b"pdf")),
        ),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PNG_TEXT},
            },
            IMAGE,
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x"}},
            Media("image", url="https://x"),
        ),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            },
            FILE,
        ),
        ({"type": "document", "source": {"type": "text", "data": "words"}}, Text("words")),
        ({"type": "document", "source": {"type": "content", "content": "words"}}, Text("words")),
        ({"type": "document", "document": {"text": "words"}}, Text("words")),
        ({"type": "image", "data": PNG_TEXT, "mime_type": "image/png"}, IMAGE),
        ({"inlineData": {"mimeType": "image/png", "data": PNG_TEXT}}, IMAGE),
        ({"inline_data": {"mime_type": "image/png", "data": PNG_TEXT}}, IMAGE),
        (
            {"fileData": {"fileUri": "gs://x", "mimeType": "video/mp4"}},
            Media("video", "video/mp4", url="gs://x"),
        ),
        ({"image": {"format": "png", "source": {"bytes": PNG_TEXT}}}, IMAGE),
        (
            {"video": {"format": "mp4", "source": {"s3Location": {"uri": S3}}}},
            Media("video", "video/mp4", url=S3),
        ),
        (
            {"document": {"format": "pdf", "name": "a", "source": {"bytes": PDF}}},
            Media("file", "pdf", "a", None, 3, digest(b"pdf")),
        ),
        ({"document": {"format": "txt", "name": "a", "source": {"text": "words"}}}, Text("words")),
        ({"type": "input_audio", "input_audio": {"data": "?"}}, Media("audio")),
        ({"type": "image", "data": f"data:image/png;base64,{PNG_TEXT}"}, IMAGE),
    ],
)
def test_media(content: dict[str, Any], expected: Part) -> None:
    """Images, sounds and files in every provider's words: what they are, not their bytes."""
    assert parts([content]) == (expected,)


SEARCH = {
    "type": "web_search_result",
    "title": "A page",
    "url": "https://x",
    "encrypted_content": "…",
}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], (Text("ab"),)),
        ([{"type": "text", "text": ""}], ()),
        ([{"type": "text", "text": 5}], (Data({"type": "text", "text": 5}),)),
        ([{"text": "a"}], (Text("a"),)),
        ([{"text": 5}], (Data({"text": 5}),)),
        ([{"type": "text", "data": "a", "controls": []}], (Text("a"),)),
        ([{"text": "Hm", "thought": True}], (Thinking("Hm"),)),
        ([{"text": "", "thoughtSignature": "…"}], ()),
        ([{"thoughtSignature": "…"}], ()),
        ([{"type": "thinking", "thinking": "Hm", "signature": "…"}], (Thinking("Hm"),)),
        ([{"type": "redacted_thinking", "data": "…"}], (Thinking(""),)),
        ([{"type": "refusal", "refusal": "No."}], (Refusal("No."),)),
        ([{"reasoningContent": {"reasoningText": {"text": "Hm"}}}], (Thinking("Hm"),)),
        ([{"cachePoint": {"type": "default"}}], ()),
        ([{"guardContent": {"text": {"text": "a"}}}], (Text("a"),)),
        ([{"json": {"a": 1}}], (Data({"a": 1}),)),
        ([{"type": "unheard-of", "a": 1}], (Data({"type": "unheard-of", "a": 1}),)),
        ([{"a": 1}], (Data({"a": 1}),)),
        ([SEARCH], (Note("A page <https://x>"),)),
        ([{"type": "web_search_result"}], (Note("a search result"),)),
        ({"type": "text", "text": {"value": "a", "annotations": []}}, (Text("a"),)),
        ([{"type": "message", "content": "a"}], (Text("a"),)),
        (
            [{"citationsContent": {"content": [{"text": "a"}], "citations": [{"title": "T"}]}}],
            (Text("a", ("T",)),),
        ),
        (
            [
                {"type": "text", "text": "a", "citations": [{"document_title": "T"}]},
                {"type": "text", "text": "b"},
            ],
            (Text("ab", ("T",)),),
        ),
    ],
)
def test_parts(content: Any, expected: tuple[Part, ...]) -> None:
    """A part is known by its type or by its only member; another one is shown as it is."""
    assert parts(content) == expected


RAN = {"type": "bash_code_execution_result", "stdout": "out", "stderr": "", "content": []}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            (ToolCall("f", {"a": 1}, "t"),),
        ),
        (
            {"type": "server_tool_use", "id": "t", "name": "web_search", "input": {}},
            (ToolCall("web_search", {}, "t"),),
        ),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": "42"},
            (ToolResult((Text("42"),), "t"),),
        ),
        (
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [{"type": "text", "text": "x"}],
                "is_error": True,
            },
            (ToolResult((Text("x"),), "t", is_error=True),),
        ),
        (
            {"type": "web_search_tool_result", "tool_use_id": "t", "content": [SEARCH]},
            (ToolResult((Note("A page <https://x>"),), "t", "web_search"),),
        ),
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "t",
                "content": {"type": "web_search_tool_result_error"},
            },
            (
                ToolResult(
                    (Data({"type": "web_search_tool_result_error"}),),
                    "t",
                    "web_search",
                    is_error=True,
                ),
            ),
        ),
        (
            {"type": "bash_code_execution_tool_result", "tool_use_id": "t", "content": RAN},
            (ToolResult((Text("out"),), "t", "bash_code_execution"),),
        ),
        (
            {
                "type": "bash_code_execution_tool_result",
                "tool_use_id": "t",
                "content": {**RAN, "stdout": "", "return_code": 0},
            },
            (
                ToolResult(
                    (Data({"stdout": "", "stderr": "", "content": [], "return_code": 0}),),
                    "t",
                    "bash_code_execution",
                ),
            ),
        ),
        (
            {"functionCall": {"name": "f", "args": {"a": 1}, "id": "i"}},
            (ToolCall("f", {"a": 1}, "i"),),
        ),
        (
            {"functionResponse": {"name": "f", "response": {"b": 2}, "id": "i"}},
            (ToolResult((Data({"b": 2}),), "i", "f"),),
        ),
        (
            {"functionResponse": {"name": "f", "parts": [{"text": "x"}]}},
            (ToolResult((Text("x"),), None, "f"),),
        ),
        ({"toolCall": {"args": {"a": 1}}}, (ToolCall("toolCall", {"a": 1}),)),
        (
            {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "args": {}}},
            (ToolCall("GOOGLE_SEARCH_WEB", {}),),
        ),
        (
            {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
            (ToolCall("f", {"a": 1}, "t"),),
        ),
        (
            {"toolResult": {"toolUseId": "t", "content": [{"json": {"b": 2}}], "status": "error"}},
            (ToolResult((Data({"b": 2}),), "t", is_error=True),),
        ),
        (
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            (ToolCall("code_execution", {"language": "PYTHON", "code": "1"}),),
        ),
        (
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            (ToolResult((Text("1"),), name="code_execution"),),
        ),
        (
            {"codeExecutionResult": {"outcome": "OUTCOME_FAILED"}},
            (ToolResult((), name="code_execution", is_error=True),),
        ),
    ],
)
def test_calls_and_results(content: dict[str, Any], expected: tuple[Part, ...]) -> None:
    """Calls of tools and what they gave back, in every provider's words."""
    assert parts([content]) == expected


# --- tools --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (
            {"tools": [{"type": "function", "name": "f", "parameters": WEATHER}]},
            Tool("f", schema=WEATHER),
        ),
        (
            {"tools": [{"name": "f", "description": "d", "input_schema": WEATHER}]},
            Tool("f", "function", "d", WEATHER),
        ),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]},
            Tool("web_search", "web_search_20250305", options={"max_uses": 3}),
        ),
        (
            {"tools": [{"type": "web_search_preview"}]},
            Tool("web_search_preview", "web_search_preview"),
        ),
        (
            {"tools": [{"type": "mcp", "server_label": "wiki", "server_url": "https://x"}]},
            Tool("wiki", "mcp", options={"server_url": "https://x"}),
        ),
        (
            {"tools": [{"functionDeclarations": [{"name": "f", "parameters": WEATHER}]}]},
            Tool("f", schema=WEATHER),
        ),
        (
            {"tools": [{"googleSearch": {"a": 1}}]},
            Tool("googleSearch", "googleSearch", options={"a": 1}),
        ),
        ({"tools": [{"codeExecution": None}]}, Tool("codeExecution", "codeExecution")),
        (
            {
                "toolConfig": {
                    "tools": [
                        {"toolSpec": {"name": "f", "inputSchema": {"json": WEATHER}}},
                        {"cachePoint": {}},
                    ]
                }
            },
            Tool("f", schema=WEATHER),
        ),
        ({"functions": [{"name": "f", "parameters": WEATHER}]}, Tool("f", schema=WEATHER)),
        ({"parameters": {"tools": [{"type": "function", "function": {"name": "f"}}]}}, Tool("f")),
        ({"tools": ["f"]}, Tool("f")),
        (
            {"tools": [{"type": "custom", "name": "sql", "format": {"type": "text"}}]},
            Tool("sql", "custom", schema={"type": "text"}),
        ),
    ],
)
def test_tools(offered: dict[str, Any], expected: Tool) -> None:
    """The tools that a request offers, in every provider's words; none is left as a parameter."""
    found = read({"model": "m", "messages": [], **offered})
    assert (found.tools, dict(found.parameters)) == ((expected,), {})


def test_settings_in_a_group_are_parameters_one_by_one() -> None:
    """Gemini's, Converse's and Ollama's settings stand in groups."""
    found = read({"model": "m", "messages": [], "generationConfig": {"temperature": 1}, "tools": 5})
    assert found.parameters == {"generationConfig.temperature": 1, "tools": 5}


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


# --- Anthropic ----------------------------------------------------------------------------------


def test_a_plain_message() -> None:
    """The system prompt stands apart, and tokens from the cache count as input."""
    answer = {
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 3,
            "cache_read_input_tokens": 4,
            "cache_creation_input_tokens": 5,
            "output_tokens": 2,
        },
    }
    body = {
        "model": "claude-x",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "Hello"}],
    }
    found = read(body, answer, url=MESSAGES)
    assert found.dialect == "anthropic.messages"
    assert found.messages == (Message("system", (Text("Be brief."),)), HELLO)
    assert only(found) == Answer((Text("Hi"),), "end_turn")
    assert found.usage == Usage(input=12, output=2, cached=4, cache_written=5)


def block(index: int, *deltas: dict[str, Any], **content: Any) -> list[dict[str, Any]]:
    """The events of a block."""
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


ANTHROPIC_STREAM = [
    {
        "type": "message_start",
        "message": {
            "model": "claude-x",
            "content": [],
            "usage": {"input_tokens": 3, "output_tokens": 1},
        },
    },
    {"type": "ping"},
    *block(
        0,
        {"type": "thinking_delta", "thinking": "Hm"},
        {"type": "signature_delta", "signature": "…"},
        type="thinking",
        thinking="",
    ),
    *block(
        1,
        {"type": "text_delta", "text": "H"},
        {"type": "citations_delta", "citation": {"title": "T", "url": "https://x"}},
        {"type": "text_delta", "text": "i"},
        type="text",
        text="",
    ),
    *block(
        2,
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"a":'},
        {"type": "input_json_delta", "partial_json": "1}"},
        type="tool_use",
        id="t",
        name="f",
        input={},
    ),
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
]
ANTHROPIC_ANSWER = Answer(
    (Thinking("Hm"), Text("Hi", ("T <https://x>",)), ToolCall("f", {"a": 1}, "t")), "tool_use"
)


def test_a_streamed_message() -> None:
    """Blocks are put together in the order of their indexes, usage from first and last event."""
    found = read(
        {"model": "claude-x", "messages": [], "stream": True}, ANTHROPIC_STREAM, url=MESSAGES
    )
    assert only(found) == ANTHROPIC_ANSWER
    assert found.usage == Usage(3, 9)


def test_a_streamed_message_in_events_of_amazon() -> None:
    """InvokeModel wraps the same events; they are read the same."""
    entries = [
        event("chunk", {"bytes": {"__type__": "json", "__data__": payload}, "p": "abc"})
        for payload in ANTHROPIC_STREAM
    ]
    found = read({"messages": []}, entries, url=f"{BEDROCK}/invoke-with-response-stream")
    assert only(found) == ANTHROPIC_ANSWER


def test_a_streamed_message_without_its_beginning() -> None:
    """Pieces of blocks say what block they belong to."""
    deltas = [
        {"type": "thinking_delta", "thinking": "Hm"},
        {"type": "input_json_delta", "partial_json": "{}"},
        {"type": "text_delta", "text": "Hi"},
        {"type": "unheard_of_delta"},
    ]
    events = [
        {"type": "content_block_delta", "index": place, "delta": delta}
        for place, delta in enumerate(deltas)
    ]
    assert only(read({"messages": []}, events)).parts == (
        Thinking("Hm"),
        ToolCall("tool_use", {}),
        Text("Hi"),
        Data({"type": "text"}),
    )


def test_old_completions_of_anthropic() -> None:
    """``/v1/complete``, plain and streamed."""
    body = {"model": "claude-2.1", "prompt": "\n\nHuman: Hello\n\nAssistant:"}
    plain = read(body, {"type": "completion", "completion": "Hi", "stop_reason": "stop_sequence"})
    pieces = [{"type": "completion", "completion": text, "stop_reason": None} for text in "Hi"]
    assert only(plain) == Answer((Text("Hi"),), "stop_sequence")
    assert only(read(body, pieces)) == Answer((Text("Hi"),))


# --- Gemini -------------------------------------------------------------------------------------


def candidate(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A payload with one candidate."""
    return {"candidates": [{"content": {"role": "model", "parts": list(found)}, **more}]}


def test_generated_content() -> None:
    """System instruction, contents, settings; thinking counts as output."""
    body = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "generationConfig": {"temperature": 0.5},
    }
    counts = {
        "promptTokenCount": 4,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 9,
    }
    answer = candidate({"text": "Hm", "thought": True}, {"text": "Hi"}, finishReason="STOP")
    found = read(body, {**answer, "usageMetadata": counts, "modelVersion": "gemini-x"}, url=GEMINI)
    assert found.dialect == "gemini"
    assert found.messages == (Message("system", (Text("Be brief."),)), HELLO)
    assert found.parameters == {"generationConfig.temperature": 0.5}
    assert only(found) == Answer((Thinking("Hm"), Text("Hi")), "STOP", "model")
    assert (found.usage, found.answered_by) == (Usage(4, 5, 9, reasoning=3), "gemini-x")


def test_streamed_content() -> None:
    """The elements of a stream, or of an array, are put together."""
    entries = [
        candidate({"text": "H"}),
        candidate({"text": "i"}),
        candidate({"functionCall": {"name": "f", "args": {}}}, finishReason=1),
    ]
    assert only(read({"contents": []}, entries, url=GEMINI)) == Answer(
        (Text("Hi"), ToolCall("f", {})), "1", "model"
    )


def test_grounded_content() -> None:
    """The pages that an answer rests on are those of its last text."""
    grounds = {"groundingChunks": [{"web": {"title": "x.org", "uri": "https://x"}}]}
    found = read({"contents": []}, candidate({"text": "Hi"}, groundingMetadata=grounds))
    assert only(found).parts == (Text("Hi", ("x.org <https://x>",)),)
    silent = read({"contents": []}, candidate(groundingMetadata=grounds))
    assert only(silent).parts == ()


def test_a_blocked_prompt() -> None:
    """Why there is no candidate is the finish reason."""
    found = read({"contents": []}, {"promptFeedback": {"blockReason": "SAFETY"}})
    assert only(found) == Answer((), "blocked: SAFETY", "model")
    assert read({"contents": []}, {"usageMetadata": {}}).answers == ()


STEPS = [
    {"type": "thought", "signature": "…"},
    {"type": "model_output", "content": [{"type": "text", "text": "Hi"}]},
]


def test_an_interaction() -> None:
    """Gemini's interactions, whose steps are read as parts."""
    answer = {
        "object": "interaction",
        "status": "completed",
        "steps": STEPS,
        "usage": {"total_input_tokens": 1, "total_thought_tokens": 2, "total_output_tokens": 3},
    }
    found = read({"model": "gemini-x", "input": "Hello"}, answer)
    assert (found.dialect, found.messages) == ("gemini.interactions", (HELLO,))
    assert only(found) == Answer((Thinking(""), Text("Hi")), "completed", "model")
    assert found.usage == Usage(1, 5, reasoning=2)


def test_a_streamed_interaction() -> None:
    """Steps are put together from their deltas."""

    def step(index: int, *deltas: dict[str, Any], **begun: Any) -> list[dict[str, Any]]:
        return [
            event("step.start", {"event_type": "step.start", "index": index, "step": begun}),
            *(
                event("step.delta", {"event_type": "step.delta", "index": index, "delta": delta})
                for delta in deltas
            ),
        ]

    summary = {"type": "thought_summary", "content": {"type": "text", "text": "Hm"}}
    found = read(
        {"model": "gemini-x", "input": "Hello"},
        [
            event(
                "interaction.created",
                {"interaction": {"object": "interaction", "status": "in_progress", "model": "g"}},
            ),
            *step(0, summary, {"type": "thought_signature", "signature": "…"}, type="thought"),
            *step(
                1,
                {"type": "text", "text": "Hi"},
                {"type": "thought_signature"},
                type="model_output",
            ),
            *step(
                2,
                {"type": "arguments", "arguments": '{"a":1}'},
                type="function_call",
                name="f",
                id="c",
            ),
            event(
                "interaction.completed",
                {"interaction": {"object": "interaction", "status": "completed"}},
            ),
            event("done", "[DONE]"),
        ],
    )
    assert only(found) == Answer(
        (Thinking("Hm"), Text("Hi"), ToolCall("f", {"a": 1}, "c")), "completed", "model"
    )
    assert found.answered_by == "g"


# --- Bedrock ------------------------------------------------------------------------------------


def test_converse() -> None:
    """A message, its reason and its tokens, of which those from the cache are part of the input."""
    message = {
        "role": "assistant",
        "content": [{"text": "Hi"}, {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}],
    }
    answer = {
        "output": {"message": message},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 9, "cacheReadInputTokens": 4},
    }
    body = {
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
        "system": [{"text": "Be brief."}],
    }
    found = read(body, answer, url=f"{BEDROCK}/converse")
    assert (found.dialect, found.messages[1:]) == ("bedrock.converse", (HELLO,))
    assert only(found) == Answer((Text("Hi"), ToolCall("f", {}, "t")), "tool_use")
    assert found.usage == Usage(7, 2, 9, cached=4)


CONVERSE_STREAM = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm"}}}),
    (
        "contentBlockDelta",
        {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "…"}}},
    ),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "H"}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "i"}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"citation": {"title": "T"}}}),
    (
        "contentBlockStart",
        {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}},
    ),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"a"'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": ":1}"}}}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2}}),
]


@pytest.mark.parametrize("is_nova", [False, True], ids=["ConverseStream", "InvokeModel of Nova"])
def test_a_streamed_conversation(is_nova: bool) -> None:
    """The names of the events stand beside the payloads, or in them."""
    entries = [
        event("chunk", {"bytes": {"__type__": "json", "__data__": {name: payload}}})
        if is_nova
        else event(name, payload)
        for name, payload in CONVERSE_STREAM
    ]
    found = read({"messages": []}, entries, url=f"{BEDROCK}/converse-stream")
    assert only(found) == Answer(
        (Thinking("Hm"), Text("Hi", ("T",)), ToolCall("f", {"a": 1}, "t")), "tool_use"
    )
    assert found.usage == Usage(3, 2)


def test_an_agent_of_bedrock() -> None:
    """The pieces of its text; the traces between them are for no reader."""
    entries = [
        event("trace", {"trace": {}}),
        event("chunk", {"bytes": {"__type__": "str", "__data__": "H"}}),
        event("chunk", {"bytes": {"__type__": "str", "__data__": "i"}}),
    ]
    found = read({"inputText": "Hello"}, entries)
    assert (found.dialect, found.messages) == ("bedrock.agent", (HELLO,))
    assert only(found).parts == (Text("Hi"),)


# --- Ollama, Cohere, DashScope ------------------------------------------------------------------


def test_ollama_chat() -> None:
    """Its calls have their arguments as values; its counts stand in the payload."""
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    entries = [
        {
            "model": "llama3.2",
            "message": {"role": "assistant", "content": "H", "thinking": "Hm"},
            "done": False,
        },
        {"message": {"role": "assistant", "content": "i", "tool_calls": [call]}, "done": False},
        {
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 3,
            "eval_count": 2,
        },
    ]
    found = read({"model": "llama3.2", "messages": [], "options": {"seed": 1}}, entries)
    assert only(found) == Answer((Thinking("Hm"), Text("Hi"), ToolCall("f", {"a": 1})), "stop")
    assert (found.usage, found.parameters) == (Usage(3, 2), {"options.seed": 1})


def test_ollama_generate() -> None:
    """A prompt with images beside it."""
    body = {"model": "llava", "prompt": "Hello", "images": [PNG_TEXT], "system": "Be brief."}
    answer = {"response": "Hi", "thinking": "Hm", "done": True, "done_reason": "stop"}
    found = read(body, answer)
    image = Media("image", size=len(PNG), digest=digest(PNG))
    assert found.messages[1:] == (HELLO, Message("user", (image,)))
    assert only(found) == Answer((Thinking("Hm"), Text("Hi")), "stop")


def test_cohere() -> None:
    """Version 2: the plan is thinking."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    message = {
        "role": "assistant",
        "tool_plan": "I will.",
        "tool_calls": [call],
        "content": [{"type": "text", "text": "Hi"}],
    }
    answer = {
        "id": "x",
        "message": message,
        "finish_reason": "TOOL_CALL",
        "usage": {"tokens": {"input_tokens": 3.0, "output_tokens": 2.0}},
    }
    found = read({"model": "command-a", "messages": []}, answer)
    assert only(found) == Answer(
        (Thinking("I will."), Text("Hi"), ToolCall("f", {"a": 1}, "c")), "TOOL_CALL"
    )
    assert found.usage == Usage(3, 2)


def test_cohere_streamed() -> None:
    """Version 2, in events."""

    def told(kind: str, index: int = 0, **message: Any) -> dict[str, Any]:
        return {"type": kind, "index": index, "delta": {"message": message}}

    entries = [
        told("message-start", role="assistant", content=[], tool_calls=[]),
        told("tool-plan-delta", tool_plan="I "),
        told("tool-plan-delta", tool_plan="will."),
        told("content-start", content={"type": "text", "text": ""}),
        told("content-delta", content={"text": "H"}),
        told("content-delta", content={"text": "i"}),
        told("content-delta", content={"thinking": "Hm"}),
        told(
            "tool-call-start", 1, tool_calls={"id": "c", "function": {"name": "f", "arguments": ""}}
        ),
        told("tool-call-delta", 1, tool_calls={"function": {"arguments": '{"a":1}'}}),
        {
            "type": "message-end",
            "delta": {"finish_reason": "COMPLETE", "usage": {"billed_units": {"input_tokens": 3}}},
        },
    ]
    found = read({"model": "command-a", "messages": [], "stream": True}, entries)
    assert only(found) == Answer(
        (Thinking("I will."), Text("Hi"), Thinking("Hm"), ToolCall("f", {"a": 1}, "c")), "COMPLETE"
    )
    assert found.usage == Usage(3)


def test_cohere_version_1() -> None:
    """A message, a history with roles in capitals, a preamble; plain, streamed, and cut."""
    body = {
        "model": "command",
        "preamble": "Be brief.",
        "chat_history": [{"role": "CHATBOT", "message": "Yes?"}],
        "message": "Hello",
    }
    calls = [{"name": "f", "parameters": {"a": 1}}]
    whole = {"text": "Hi", "generation_id": "g", "finish_reason": "COMPLETE", "tool_calls": calls}
    entries = [
        {"event_type": "stream-start"},
        {"event_type": "text-generation", "text": "H"},
        {"event_type": "text-generation", "text": "i"},
    ]
    end = {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": whole}
    plain, streamed, cut = (read(body, found) for found in (whole, [*entries, end], entries))
    assert [message.role for message in plain.messages] == ["system", "assistant", "user"]
    assert only(plain) == Answer((Text("Hi"), ToolCall("f", {"a": 1})), "COMPLETE")
    assert only(streamed) == only(plain)
    assert only(cut) == Answer((Text("Hi"),))


def told_so_far(text: str, reason: str) -> dict[str, Any]:
    """An event of DashScope's."""
    message = {"role": "assistant", "content": text}
    return {"output": {"choices": [{"message": message, "finish_reason": reason}]}}


@pytest.mark.parametrize(("is_incremental", "texts"), [(True, ("H", "i")), (False, ("H", "Hi"))])
def test_dashscope(is_incremental: bool, texts: tuple[str, ...]) -> None:
    """Its events tell the whole so far, unless the request asks for pieces."""
    entries = [
        told_so_far(text, reason) for text, reason in zip(texts, ("null", "stop"), strict=True)
    ]
    body = {
        "model": "qwen-max",
        "input": {"messages": [{"role": "user", "content": "Hello"}]},
        "parameters": {"incremental_output": is_incremental},
    }
    found = read(body, entries)
    assert (found.messages, only(found)) == ((HELLO,), Answer((Text("Hi"),), "stop"))
    assert found.parameters == {"parameters.incremental_output": is_incremental}


def test_dashscope_with_a_text() -> None:
    """The older result format."""
    found = read(
        {"input": {"prompt": "Hello"}}, {"output": {"text": "Hi", "finish_reason": "stop"}}
    )
    assert (found.messages, only(found)) == ((HELLO,), Answer((Text("Hi"),), "stop"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"results": [{"outputText": "Hi", "completionReason": "FINISH", "tokenCount": 2}]},
            Answer((Text("Hi"),), "FINISH"),
        ),
        (
            [
                {"outputText": "H", "completionReason": None},
                {"outputText": "i", "completionReason": "FINISH"},
            ],
            Answer((Text("Hi"),), "FINISH"),
        ),
        ({"generation": "Hi", "stop_reason": "length"}, Answer((Text("Hi"),), "length")),
        (
            {"generations": [{"text": "Hi", "finish_reason": "COMPLETE"}]},
            Answer((Text("Hi"),), "COMPLETE"),
        ),
        ({"outputs": [{"text": "Hi", "stop_reason": "stop"}]}, Answer((Text("Hi"),), "stop")),
        (
            {"completions": [{"data": {"text": "Hi"}, "finishReason": {"reason": "endoftext"}}]},
            Answer((Text("Hi"),), "endoftext"),
        ),
        (
            {"completions": [{"completion": "Hi", "finish_reason": "maximum_tokens"}]},
            Answer((Text("Hi"),), "maximum_tokens"),
        ),
        (
            {"results": [{"generated_text": "Hi", "stop_reason": "eos"}]},
            Answer((Text("Hi"),), "eos"),
        ),
    ],
)
def test_texts_under_other_names(answer: Any, expected: Answer) -> None:
    """The models of Bedrock and watsonx, each with words of its own."""
    assert only(read({"prompt": "Hello"}, answer)) == expected


def test_a_list_of_texts_is_hugging_faces() -> None:
    """Its inference servers send nothing but the list."""
    document = recording({"inputs": "Hello"}, None)
    document["response"] = {"body": [{"generated_text": "Hi"}], "is_streaming": False}
    found = conversation_of(document)
    assert (found.messages, only(found)) == ((HELLO,), Answer((Text("Hi"),)))


# --- answers that are no conversation -----------------------------------------------------------

FLOATS = base64.b64encode(bytes(8)).decode()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"data": [{"object": "embedding", "embedding": [0.1, 0.2]}] * 3},
            ("3 embeddings of 2 numbers", [[0.1, 0.2]] * 3),
        ),
        ({"data": [{"embedding": FLOATS}]}, ("1 embedding of 2 numbers", [FLOATS])),
        ({"embeddings": [[1], [1, 2]]}, ("2 embeddings of 1 or 2 numbers", [[1], [1, 2]])),
        (
            {"embeddings": {"float": [[1, 2]], "int8": [[1, 2]]}},
            ("2 embeddings of 2 numbers", [[1, 2], [1, 2]]),
        ),
        ({"embeddings": [{"values": [1, 2]}]}, ("1 embedding of 2 numbers", [[1, 2]])),
        ({"embedding": {"values": [1, 2]}}, ("1 embedding of 2 numbers", [[1, 2]])),
        ({"embedding": [1, 2], "inputTextTokenCount": 3}, ("1 embedding of 2 numbers", [[1, 2]])),
        ({"results": [{"embedding": [1, 2]}]}, ("1 embedding of 2 numbers", [[1, 2]])),
    ],
)
def test_embeddings(answer: Any, expected: tuple[str, Any]) -> None:
    """How many there are and of how many numbers; others have another digest."""
    text, vectors = expected
    found = read({"model": "e", "input": ["Hello", "Bye"]}, answer)
    assert found.dialect == "embeddings"
    assert only(found).parts == (Note(text, digest_of(vectors)),)
    assert found.messages == (Message("user", (Text("Hello"), Text("Bye"))),)


def test_what_gemini_is_to_embed() -> None:
    """The contents are messages; what else a request of the batch says is a parameter."""
    request = {"model": "m", "content": {"parts": [{"text": "Hello"}]}, "taskType": "QUERY"}
    found = read({"requests": [request]}, {"embeddings": [{"values": [1]}]})
    assert (found.messages, found.parameters) == ((HELLO,), {"requests": [{"taskType": "QUERY"}]})
    bare = read({"requests": [{"content": {"parts": [{"text": "Hello"}]}}]}, {"embedding": [1]})
    assert (bare.messages, bare.parameters) == ((HELLO,), {})
    alone = read({"content": {"parts": [{"text": "Hello"}]}}, {"embedding": {"values": [1]}})
    assert alone.messages == (HELLO,)


VERDICT: Any = {"flagged": True, "categories": {"hate": False, "violence": True}}
ORDER = {"results": [{"index": 2, "relevance_score": 0.87426}, {"index": 0, "relevance_score": 1}]}
MODELS: list[Any] = [{"id": f"m{number}", "object": "model"} for number in range(22)]
MODEL_NAMES = ", ".join(f"m{number}" for number in range(20))
UPLOADED: Any = {
    "id": "file-1",
    "object": "file",
    "filename": "a.txt",
    "bytes": 1200,
    "status": "processed",
}


@pytest.mark.parametrize(
    ("answer", "dialect", "expected"),
    [
        ({"results": [VERDICT]}, "moderations", Note("flagged: violence", digest_of(VERDICT))),
        (
            {"results": [{"categories": {}}]},
            "moderations",
            Note("not flagged", digest_of({"categories": {}})),
        ),
        (ORDER, "rerank", Note("2 documents ranked: 2 (0.8743), 0 (1)")),
        ({"input_tokens": 16}, "tokens", Note("16 input tokens")),
        ({"totalTokens": 1}, "tokens", Note("1 input token")),
        (
            {"object": "list", "data": MODELS},
            "listing",
            Note(f"22 models: {MODEL_NAMES} and 2 more", digest_of(MODELS)),
        ),
        ({"object": "list", "data": []}, "listing", Note("an empty list")),
        (
            {"models": [{"model": "llama3.2"}]},
            "listing",
            Note("1 model: llama3.2", digest_of([{"model": "llama3.2"}])),
        ),
        (
            UPLOADED,
            "object",
            Note("file file-1 (a.txt, 1,200 bytes, processed)", digest_of({**UPLOADED})),
        ),
        (
            {"id": "file-1", "object": "file", "deleted": True},
            "object",
            Note("file file-1 deleted"),
        ),
        ({"id": "f", "type": "file_deleted"}, "object", Note("file f deleted")),
        (
            {"id": "m", "object": "model"},
            "object",
            Note("model m", digest_of({"id": "m", "object": "model"})),
        ),
        ({"data": [{"b64_json": PNG_TEXT}]}, "images", Media("image", size=8, digest=digest(PNG))),
        (
            {"type": "image_generation.completed", "b64_json": PNG_TEXT, "output_format": "png"},
            "images",
            IMAGE,
        ),
        ({"images": [PNG_TEXT]}, "images", Media("image", size=8, digest=digest(PNG))),
        ({"text": "Hello"}, "transcription", Text("Hello")),
        ({"type": "transcript.text.done", "text": "Hello", "x": 1}, "transcription", Text("Hello")),
    ],
)
def test_other_answers_in_a_line(answer: Any, dialect: str, expected: Part) -> None:
    """What came, for those who need no more."""
    found = read({"model": "m", "input": "Hello"}, answer)
    assert (found.dialect, only(found).parts) == (dialect, (expected,))


def test_an_image_with_its_prompt() -> None:
    """The prompt that the provider made of it is text."""
    answer = {"data": [{"url": "https://x", "revised_prompt": "A cat, sitting"}]}
    assert only(read({"model": "dall-e-3", "prompt": "A cat"}, answer)).parts == (
        Media("image", url="https://x"),
        Text("A cat, sitting"),
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"models": [{"name": "a"}, {"unnamed": 1}]},
        {"data": [{"id": "a", "object": "model"}, {"id": "b", "object": "file"}]},
        {"data": [{"id": "a"}]},
        {"text": 5},
        {"text": "Hello", "somebody": "else's"},
        {"object": "file"},
        {"embedding": "no base64!"},
        {"embedding": []},
    ],
)
def test_what_only_looks_like_a_listing_is_shown_as_it_is(answer: Any) -> None:
    """Nothing is told in a line that the line does not tell."""
    assert only(read(None, answer)) == Answer((Data(answer),), role="response")


# --- tools without HTTP, JSON-RPC ---------------------------------------------------------------


def test_a_recorded_tool() -> None:
    """The call of a tool that was recorded as such."""
    request: Any = {
        "test_id": "t",
        "provider": "search",
        "tool_name": "web",
        "kwargs": {"query": "x"},
    }
    document = {
        "test_id": "t",
        "request": request,
        "response": {"body": {"hits": []}, "is_streaming": False},
    }
    found = conversation_of(document)
    assert (found.dialect, found.status, found.method) == ("tool", None, "CALL")
    assert found.messages == (Message("request", (ToolCall("web", {"query": "x"}),)),)
    assert only(found).parts == (ToolResult((Data({"hits": []}),)),)


def test_a_recorded_tool_without_arguments() -> None:
    """A text that it gives back is text."""
    request: Any = {"provider": "search", "tool_name": "now", "kwargs": None}
    found = conversation_of(
        {"request": request, "response": {"body": {"__type__": "str", "__data__": "noon"}}}
    )
    assert found.messages == (Message("request", (ToolCall("now", {}),)),)
    assert only(found).parts == (ToolResult((Text("noon"),)),)


class Called(NamedTuple):
    """A call over JSON-RPC, and how it reads."""

    method: str
    params: Any
    result: Any
    message: Message
    parts: tuple[Part, ...]


@pytest.mark.parametrize(
    "called",
    [
        Called(
            "tools/call",
            {"name": "ask", "arguments": {"q": 1}},
            {"content": [{"type": "text", "text": "42"}], "isError": True},
            Message("request", (ToolCall("ask", {"q": 1}),)),
            (ToolResult((Text("42"),), is_error=True),),
        ),
        Called(
            "tools/list",
            None,
            {"tools": [{"name": "a"}, {}]},
            Message("tools/list", ()),
            (Note("2 tools: a, ?"),),
        ),
        Called(
            "initialize",
            {"v": 1},
            {"w": 2},
            Message("initialize", (Data({"v": 1}),)),
            (Data({"w": 2}),),
        ),
        Called("ping", {}, {}, Message("ping", ()), ()),
    ],
    ids=lambda called: called.method,
)
def test_json_rpc(called: Called) -> None:
    """MCP and its like: what was called and what came, behind the notifications."""
    body = {"jsonrpc": "2.0", "id": 1, "method": called.method, "params": called.params}
    note = {"jsonrpc": "2.0", "method": "notifications/message"}
    entries = [
        {"__comment__": "ping"},
        event("message", note),
        event("message", {"jsonrpc": "2.0", "result": called.result}),
    ]
    found = read(body, entries, url="https://mcp.example/mcp")
    assert (found.dialect, found.messages) == ("json-rpc", (called.message,))
    assert only(found).parts == called.parts


def test_json_rpc_without_a_request_or_an_answer() -> None:
    """A notification has no answer, a listening client asks nothing."""
    quiet = read({"jsonrpc": "2.0", "method": "notifications/initialized"}, None, status=202)
    assert quiet.answers == ()
    listening = read(None, [event("message", {"jsonrpc": "2.0", "result": {}})])
    assert (listening.dialect, listening.messages) == ("json-rpc", ())


# --- anything else ------------------------------------------------------------------------------


def test_what_is_for_no_model_is_shown_as_it_is() -> None:
    """Method, URL, and the bodies."""
    found = read({"name": "x"}, {"ok": True}, url="https://example.org/things")
    assert found.dialect == "http"
    assert found.messages == (Message("request", (Data({"name": "x"}),)),)
    assert only(found) == Answer((Data({"ok": True}),), role="response")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, ()),
        ({"__type__": "str", "__data__": "text"}, (Message("request", (Text("text"),)),)),
        (
            {"__type__": "bytes", "__data__": PNG_TEXT},
            (Message("request", (Media("file", size=8, digest=digest(PNG)),)),),
        ),
        (["a"], (Message("request", (Data(["a"]),)),)),
    ],
)
def test_bodies_of_other_requests(body: Any, expected: tuple[Message, ...]) -> None:
    """Text is text, bytes are a file."""
    assert read(body, None, url="https://example.org/").messages == expected


def test_a_form() -> None:
    """Its fields are parameters; a name that comes twice has both values."""
    pairs = [["q", "x"], ["a", "1"], ["a", "2"]]
    found = read({"__type__": "application/x-www-form-urlencoded", "__data__": pairs})
    assert found.parameters == {"q": "x", "a": ["1", "2"]}


def test_a_form_with_a_file() -> None:
    """Fields are parameters, files and the prompt what is asked."""
    form = [
        {"name": "model", "body": {"__type__": "str", "__data__": "whisper-1"}},
        {"name": "prompt", "body": {"__type__": "str", "__data__": "A talk"}},
        {"name": "raw", "body": {"__type__": "bytes", "__data__": PNG_TEXT}},
        {
            "name": "file",
            "filename": "a.png",
            "content_type": "image/png",
            "body": {"__type__": "bytes", "__data__": PNG_TEXT},
        },
        {"name": "more", "filename": "b.txt", "body": {"__type__": "str", "__data__": "pdf"}},
        {"name": "odd", "filename": "c.json", "body": {"a": 1}},
    ]
    found = read({"__type__": "multipart/form-data", "__data__": form}, {"text": "Hello"})
    (message,) = found.messages
    assert message.parts[:3] == (
        Text("A talk"),
        Media("image", "image/png", "a.png", None, 8, digest(PNG)),
        Media("file", None, "b.txt", None, 3, digest(b"pdf")),
    )
    assert found.parameters == {"raw": "8 bytes"}
    fields = {"__type__": "multipart/form-data", "__data__": form[2:3]}
    assert read(fields).messages == ()


@pytest.mark.parametrize(
    ("answer", "headers", "expected"),
    [
        ({"__type__": "str", "__data__": "text"}, {}, (Text("text"),)),
        (
            {"__type__": "bytes", "__data__": PDF},
            {"Content-Type": "audio/mpeg; x=1"},
            (Media("audio", "audio/mpeg", size=3, digest=digest(b"pdf")),),
        ),
        (
            {"__type__": "bytes", "__data__": PDF},
            {"a": "b", "content-type": ["application/pdf"]},
            (FILE,),
        ),
        (
            {"__type__": "bytes", "__data__": PDF},
            {"content-type": None},
            (Media("file", size=3, digest=digest(b"pdf")),),
        ),
        (
            [event("output", {"__type__": "str", "__data__": text}) for text in "Hi"]
            + [{"__comment__": "hi"}, {"__retry__": "1", "stray": 1}],
            {},
            (Text("Hi"), Data({"stray": 1})),
        ),
        ([{"__type__": "str", "__data__": ""}], {}, ()),
        (
            {"__type__": "json", "__data__": {"__type__": "x", "__data__": 1}},
            {},
            (Data({"__type__": "x", "__data__": 1}),),
        ),
        (
            [event("chunk", {"bytes": {"__type__": "bytes", "__data__": PDF}})],
            {},
            (Media("file", size=3, digest=digest(b"pdf")),),
        ),
    ],
)
def test_bodies_of_other_answers(answer: Any, headers: Any, expected: tuple[Part, ...]) -> None:
    """Text is text, bytes are a file of the type that the header names."""
    found = read(None, answer, headers=headers, url="https://example.org/")
    assert tuple(part for answer in found.answers for part in answer.parts) == expected


def test_what_is_nested_too_deep_is_its_text() -> None:
    """No message of anybody's is; what is, cannot take the reader with it."""
    deep: Any = "x"
    for _level in range(150):
        deep = [deep]
    found = read({"messages": deep}, {"choices": deep})
    assert found.messages == (
        Message("request", (Text('{"messages":' + "[" * 150 + '"x"' + "]" * 150 + "}"),)),
    )
    assert isinstance(only(found).parts[0], Text)


@pytest.mark.parametrize(
    "document", [{}, {"request": 5, "response": []}, {"request": {}, "response": {}}]
)
def test_a_document_without_anything(document: dict[str, Any]) -> None:
    """Nothing is asked and nothing answered."""
    found = conversation_of(document)
    assert (found.method, found.url, found.messages, found.answers) == ("", "", (), ())


# --- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"error": {"message": "Slow down.", "type": "requests", "code": "rate_limit"}},
            Failure("Slow down.", "requests", {"code": "rate_limit"}),
        ),
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            Failure("Overloaded", "overloaded_error"),
        ),
        (
            {"error": {"code": 404, "message": "No such model.", "status": "NOT_FOUND"}},
            Failure("No such model.", "404", {"status": "NOT_FOUND"}),
        ),
        ({"error": "model not found"}, Failure("model not found")),
        ({"message": "invalid api token"}, Failure("invalid api token")),
        (
            {"Message": "Not allowed", "__type": "AccessDenied"},
            Failure("Not allowed", "AccessDenied"),
        ),
        ({"detail": "Not Found"}, Failure("Not Found")),
        (
            {
                "detail": [
                    {"loc": ["body", "model"], "msg": "missing", "type": "value_error"},
                    {"msg": "x"},
                ]
            },
            Failure("body.model: missing; x", "value_error"),
        ),
        ({"object": "error", "message": "No.", "type": "BadRequest"}, Failure("No.", "BadRequest")),
        ({"error": {"error": {"message": "inner"}}}, Failure("inner")),
        ({"error": {"odd": True}}, Failure('{"odd": true}')),
        (
            {"error": {"message": {"odd": True}, "code": True}},
            Failure('{"message": {"odd": true}, "code": true}'),
        ),
        ({"__type__": "str", "__data__": "Bad Gateway"}, Failure("Bad Gateway")),
        ({}, Failure("Too Many Requests")),
        (None, Failure("Too Many Requests")),
        ({"errors": [5, 1e300]}, Failure("5; 1e+300")),
    ],
)
def test_errors(answer: Any, expected: Failure) -> None:
    """What the provider says, and its own name for it; else its text, else the status's words."""
    found = read({"model": "m", "messages": []}, answer, status=429)
    assert (found.failure, found.status, found.answers) == (expected, 429, ())


def test_an_error_with_a_status_of_its_own() -> None:
    """A status that no standard names."""
    assert read(None, None, status=799).failure == Failure("no reason given")
    assert read(None, Number("1e400"), status=500).failure == Failure("1e400")


def test_an_error_in_a_list() -> None:
    """Gemini's streams fail with a list of one."""
    document = recording({"contents": []}, None, url=GEMINI, status=400)
    document["response"]["body"] = [{"error": {"code": 400, "message": "No."}}]
    assert conversation_of(document).failure == Failure("No.", "400")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({"error": {"message": "Broken."}}, Failure("Broken.")),
        (
            event("error", {"error": {"message": "Broken.", "status_code": 400}}),
            Failure("Broken.", None, {"status_code": 400}),
        ),
        (
            {"type": "error", "error": {"type": "api_error", "message": "Broken."}},
            Failure("Broken.", "api_error"),
        ),
        (
            {
                "type": "response.failed",
                "response": {"error": {"code": "server_error", "message": "Broken."}},
            },
            Failure("Broken.", "server_error"),
        ),
        (
            event("throttlingException", {"message": "Broken."}),
            Failure("Broken.", "throttlingException"),
        ),
        ({"error": "Broken."}, Failure("Broken.")),
    ],
)
def test_an_error_in_the_middle_of_a_stream(last: Any, expected: Failure) -> None:
    """What came before it stays."""
    is_response = "response" in last
    piece = {"type": "response.output_text.delta", "delta": "Hi"}
    first = piece if is_response else chunk({"content": "Hi"})
    found = read({"model": "m", "messages": []}, [first, last])
    assert (found.failure, only(found).parts, found.status) == (expected, (Text("Hi"),), 200)


def test_an_exception_in_a_stream_of_amazons() -> None:
    """Its name stands in a header of its own, which a document keeps in the framing."""
    exception = (
        Header(":exception-type", "throttlingException"),
        Header(":content-type", "application/json"),
        Header(":message-type", "exception"),
    )
    usual = Header(":event-type", "contentBlockDelta")
    delta = {"contentBlockIndex": 0, "delta": {"text": "Hi"}}
    frames = [
        Frame((usual, *exception[1:2]), json.dumps(delta, separators=(",", ":")).encode()),
        Frame(exception, b'{"message":"Too many requests."}'),
    ]
    headers = (("Content-Type", "application/vnd.amazon.eventstream"),)
    request = Request("POST", f"{BEDROCK}/converse-stream", (), b'{"messages": []}')
    response = Response(200, "OK", headers, b"".join(map(render_frame, frames)))
    found = conversation_of(to_document(Interaction(request, response)))
    assert found.failure == Failure("Too many requests.", "throttlingException")
    assert only(found).parts == (Text("Hi"),)


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "response", "error": None, "output": []},
        {"detail": "high", "choices": []},
        {"errors": [], "ok": True},
        {"message": "Success"},
    ],
)
def test_what_is_no_error(answer: Any) -> None:
    """Members that are null or mean something else."""
    assert read(None, answer).failure is None


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ({"by": "client"}, None),
        (
            {"by": "error", "type": "ReadTimeout", "message": "timed out"},
            Failure("timed out", "ReadTimeout"),
        ),
        (
            {"by": "error", "type": "ReadTimeout", "message": ""},
            Failure("ReadTimeout", "ReadTimeout"),
        ),
        ({"by": "error"}, Failure("")),
    ],
)
def test_how_a_stream_ended(ended: Any, expected: Failure | None) -> None:
    """An error that cut it is a failure; a client that had enough is none."""
    found = read({"model": "m", "messages": []}, [chunk({"content": "Hi"})], ended=ended)
    assert (found.ended, found.failure) == (ended, expected)


# --- usage --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {
                "usage": {
                    "prompt_tokens": 9,
                    "completion_tokens": 5,
                    "total_tokens": 14,
                    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
                    "completion_tokens_details": {"reasoning_tokens": 3},
                }
            },
            Usage(9, 5, 14, 4, 1, 3),
        ),
        ({"usage": {"prompt_tokens": 9, "prompt_cache_hit_tokens": 8}}, Usage(9, cached=8)),
        (
            {"usage": {"prompt_tokens": 9, "input_tokens": 3, "cache_read_input_tokens": 6}},
            Usage(9, cached=6),
        ),
        (
            {
                "usage": {
                    "input_tokens": 9,
                    "output_tokens": 5,
                    "input_tokens_details": {"cached_tokens": 4},
                    "output_tokens_details": {"reasoning_tokens": 3},
                }
            },
            Usage(9, 5, cached=4, reasoning=3),
        ),
        (
            {
                "usage": {
                    "input_tokens": 1,
                    "output_tokens": 2,
                    "output_tokens_details": {"thinking_tokens": 1},
                }
            },
            Usage(1, 2, reasoning=1),
        ),
        (
            {
                "usageMetadata": {
                    "promptTokenCount": 3,
                    "toolUsePromptTokenCount": 4,
                    "thoughtsTokenCount": 2,
                }
            },
            Usage(7, 2, reasoning=2),
        ),
        ({"meta": {"tokens": {"input_tokens": 3}, "billed_units": {"input_tokens": 1}}}, Usage(3)),
        ({"meta": {"billed_units": {"input_tokens": 1.0, "output_tokens": 0.5}}}, Usage(1)),
        ({"prompt_token_count": 3, "generation_token_count": 2}, Usage(3, 2)),
        ({"inputTextTokenCount": 3, "results": [{"tokenCount": 2}]}, Usage(3, 2)),
        ({"results": [{"input_token_count": 3, "generated_token_count": 2}]}, Usage(3, 2)),
        (
            {
                "amazon-bedrock-invocationMetrics": {
                    "inputTokenCount": 3,
                    "outputTokenCount": 2,
                    "cacheReadInputTokenCount": 1,
                }
            },
            Usage(4, 2, cached=1),
        ),
        ({"x_groq": {"usage": {"prompt_tokens": 3}}}, Usage(3)),
        ({"usage": {}}, None),
        ({"usage": None}, None),
        ({"usage": {"prompt_tokens": "3", "completion_tokens": True}}, None),
        ({"input_tokens": 3}, None),
        ({}, None),
    ],
)
def test_usage(answer: Any, expected: Usage | None) -> None:
    """Input counts what came from the cache, output what was thought, for every provider."""
    assert read({"model": "m", "messages": []}, answer).usage == expected


def test_usage_of_a_stream_is_the_highest() -> None:
    """Counts go upwards; some servers write 0 again at the end."""
    entries = [
        {"usage": {"prompt_tokens": 3, "completion_tokens": 1}},
        {"usage": {"prompt_tokens": 0, "completion_tokens": 2}},
    ]
    assert read({"messages": []}, entries).usage == Usage(3, 2)


# --- for programs -------------------------------------------------------------------------------


def test_as_json() -> None:
    """Every value by its fields, parts with their type; numbers that Python has not as text."""
    call = {"id": "c", "function": {"name": "f", "arguments": '{"n": 1e400, "m": 1E2}'}}
    found = read(
        {
            "model": "m",
            "messages": [{"role": "user", "content": "Hello"}],
            "tools": [{"name": "f"}],
        },
        {"choices": [{"message": {"tool_calls": [call]}}], "usage": {"prompt_tokens": 1}},
    )
    told: dict[str, Any] = json.loads(json.dumps(to_json(found), allow_nan=False))
    assert told["messages"] == [
        {
            "role": "user",
            "parts": [{"type": "text", "text": "Hello", "citations": []}],
            "name": None,
        }
    ]
    assert told["answers"][0]["parts"] == [
        {"type": "tool_call", "name": "f", "arguments": {"n": "1e400", "m": 100.0}, "id": "c"}
    ]
    assert told["tools"][0]["name"] == "f"
    assert told["usage"]["input"] == 1


def test_ids_of_calls_as_numbers() -> None:
    """Which result belongs to which call is what they say."""
    use = {"type": "tool_use", "id": "toolu_x", "name": "f", "input": {}}
    back = [
        {"type": "tool_result", "tool_use_id": "toolu_x", "content": [use]},
        {"type": "text", "text": "x"},
    ]
    history = [{"role": "assistant", "content": [use]}, {"role": "user", "content": back}]
    answer = {"type": "message", "content": [{**use, "id": "toolu_y"}, {**use, "id": None}]}
    found = numbered(read({"model": "m", "messages": history}, answer))
    call = ToolCall("f", {}, "#1")
    assert found.messages == (
        Message("assistant", (call,)),
        Message("user", (ToolResult((call,), "#1"), Text("x"))),
    )
    assert only(found).parts == (ToolCall("f", {}, "#2"), ToolCall("f", {}))
