"""Answers that are no conversation, tools without HTTP, JSON-RPC, and anything else.

The payloads are those of the providers' own references, cut to what is read.
"""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import pytest

from tests.conversation.payloads import (
    FILE,
    HELLO,
    IMAGE,
    PDF,
    PNG,
    PNG_TEXT,
    digest,
    digest_of,
    event,
    only,
    read,
)
from vcr_llm._conversation import (
    Answer,
    Data,
    Media,
    Message,
    Note,
    Part,
    Text,
    ToolCall,
    ToolResult,
    conversation_of,
)

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


@pytest.mark.parametrize(
    ("items", "answers"),
    [
        (None, ()),
        ([{"i": 0}], (Answer((ToolResult((Data({"i": 0}),), is_error=True),), role="answer"),)),
    ],
)
def test_a_recorded_tool_that_raised(items: Any, answers: tuple[Answer, ...]) -> None:
    """The exception is the failure; only what came before it is an answer."""
    request: Any = {"provider": "search", "tool_name": "web", "kwargs": {}}
    raised = {"type": "KeyError", "message": "no"}
    response = {
        "body": items,
        "is_streaming": items is not None,
        "is_exception": True,
        "exception_data": raised,
    }
    found = conversation_of({"test_id": None, "request": request, "response": response})
    assert found.answers == answers
    assert found.failure is not None
    assert (found.failure.kind, found.failure.message) == ("KeyError", "no")


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
