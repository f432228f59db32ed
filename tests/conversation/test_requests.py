"""What requests say: messages of every provider, and the tools that are offered.

The payloads are those of the providers' own references, cut to what is read.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.conversation.payloads import (
    FILE,
    IMAGE,
    PDF,
    PNG_TEXT,
    WEATHER,
    digest,
    parts,
    read,
)
from vcr_llm._conversation import (
    Data,
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
)

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
