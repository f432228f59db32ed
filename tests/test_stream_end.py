"""Whether a client that stopped reading had everything all the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_json import fuzzed
from vcr_llm._interaction import Response
from vcr_llm._stream_end import says_its_end

SSE = "text/event-stream; charset=utf-8"
NDJSON = "application/x-ndjson"

# A content type, a body, and whether nothing comes behind it. Where the providers say so:
# https://platform.openai.com/docs/api-reference/chat-streaming, .../responses-streaming,
# .../assistants-streaming/events; https://docs.anthropic.com/en/docs/build-with-claude/streaming;
# https://docs.cohere.com/docs/streaming; https://github.com/ollama/ollama/blob/main/docs/api.md.
ENDS: list[tuple[str, str, str, bool]] = [
    ("OpenAI's chat", SSE, "data: {}\n\ndata: [DONE]\n\n", True),
    ("without a space", SSE, "data:{}\n\ndata:[DONE]\n\n", True),
    ("CRLF", SSE, "data: {}\r\n\r\ndata: [DONE]\r\n\r\n", True),
    ("without a blank line", SSE, "data: {}\n\ndata: [DONE]\n", True),
    ("torn", SSE, "data: {}\n\ndata: [DONE]", False),
    ("not the last", SSE, "data: [DONE]\n\ndata: {}\n\n", False),
    ("in the text", SSE, 'data: {"text":"[DONE]"}\n\n', False),
    ("an ordinary event", SSE, 'data: {"choices":[]}\n\n', False),
    ("Responses", SSE, 'event: response.completed\ndata: {"type":"response.completed"}\n\n', True),
    ("failed", SSE, 'event: response.failed\ndata: {"type":"response.failed"}\n\n', True),
    ("incomplete", SSE, 'data: {"type":"response.incomplete"}\n\n', True),
    ("in progress", SSE, 'data: {"type":"response.in_progress"}\n\n', False),
    ("Assistants", SSE, "event: done\ndata: [DONE]\n\n", True),
    ("Anthropic", SSE, 'event: message_stop\ndata: {"type":"message_stop" }\n\n', True),
    ("ping", SSE, 'event: ping\ndata: {"type": "ping"}\n\n', False),
    ("Cohere", SSE, 'event: message-end\ndata: {"type":"message-end"}\n\n', True),
    ("Anthropic's error", SSE, 'event: error\ndata: {"type":"error","error":{}}\n\n', True),
    ("OpenAI's error", SSE, 'data: {"error":{"message":"x"}}\n\n', True),
    ("an error in words", SSE, 'data: {"error":"overloaded"}\n\n', True),
    ("no error", SSE, 'data: {"error":null,"choices":[]}\n\n', False),
    ("an empty error", SSE, 'data: {"error":"","choices":[]}\n\n', False),
    ("a comment", SSE, ": keep-alive\n\n", False),
    ("a comment behind the last", SSE, "data: [DONE]\n\n: bye\n\n", False),
    ("not JSON", SSE, "data: hello\n\n", False),
    ("a list", SSE, "data: []\n\n", False),
    ("a type that is no text", SSE, 'data: {"type":["error"]}\n\n', False),
    ("an event without data", SSE, "event: message_stop\n\n", True),
    ("no frame", SSE, "no frame\n\n", False),
    ("nothing", SSE, "", False),
    ("Ollama", NDJSON, '{"done":false}\n{"done":true}\n', True),
    ("without a line end", NDJSON, '{"done":false}\n{"done":true}', True),
    ("blank lines behind", NDJSON, '{"done":true}\r\n\r\n', True),
    ("not done", NDJSON, '{"done":true}\n{"done":false}\n', False),
    ("Ollama's error", NDJSON, '{"error":"model not found"}\n', True),
    ("torn line", NDJSON, '{"done":false}\n{"done":tr', False),
    ("done in words", NDJSON, '{"done":"true"}\n', False),
    ("no line", NDJSON, "\n\n", False),
    ("no stream", "application/json", '{"done":true}', False),
    ("no type", "", "data: {}\n\n", False),
]


def response(content_type: str, body: bytes) -> Response:
    """A response of that type."""
    return Response(200, "OK", (("Content-Type", content_type),) if content_type else (), body)


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [row[1:] for row in ENDS],
    ids=[row[0] for row in ENDS],
)
def test_the_last_event_says_that_it_is_the_last(
    content_type: str, body: str, expected: bool
) -> None:
    """Each provider in its own words; a torn event says nothing."""
    assert says_its_end(response(content_type, body.encode())) is expected


def test_bytes_that_are_no_text_say_nothing() -> None:
    """A stream that was cut in a character is one that was cut."""
    assert not says_its_end(response(SSE, b'data: {"text":"\xc3'))
    assert says_its_end(response(SSE, b'data: "\xc3"\n\ndata: [DONE]\n\n'))


@fuzzed
@given(st.binary(), st.sampled_from([SSE, NDJSON, "text/plain", ""]))
def test_any_body_says_yes_or_no(body: bytes, content_type: str) -> None:
    """No body is an error."""
    assert says_its_end(response(content_type, body)) in (True, False)


@fuzzed
@given(st.lists(st.sampled_from(["data: {}\n\n", ": c\n\n", "data: x\r\n\r\n"])), st.data())
def test_whatever_came_before_the_last_event_does_not_matter(
    frames: list[str], data: st.DataObject
) -> None:
    """Only the last event counts, and only when it is whole."""
    last = "data: [DONE]\n\n"
    body = "".join([*frames, last]).encode()
    assert says_its_end(response(SSE, body))
    missing = data.draw(st.integers(2, len(last)))
    assert not says_its_end(response(SSE, body[:-missing]))
