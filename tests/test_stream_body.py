"""Streams as lists of events: what each provider sends, and every oddity that a store must hold."""

from __future__ import annotations

import base64
import struct
import zlib
from contextlib import suppress
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_event_stream import streams
from tests.test_json import fuzzed, json_texts, json_values
from vcr_llm import _sse_body
from vcr_llm._errors import MalformedRecording
from vcr_llm._framing import Framing, StreamBody
from vcr_llm._habits import AWS, JSON_ARRAY, NDJSON, SSE, Origin
from vcr_llm._json import JSON, document_text, parse, render
from vcr_llm._stream_body import decode_events, decode_stream, encode_stream
from vcr_llm._tagged import tag

CHAT = Origin("api.openai.com", "/v1/chat/completions")
RESPONSES = Origin("api.openai.com", "/v1/responses")
THREADS = Origin("api.openai.com", "/v1/threads/t/runs")
ANTHROPIC = Origin("api.anthropic.com", "/v1/messages")
GEMINI = Origin(
    "generativelanguage.googleapis.com", "/v1beta/models/g:streamGenerateContent", "alt=sse"
)
OLLAMA = Origin("localhost", "/api/chat")
OTHER = Origin("example.com", "/stream")

CHUNK = "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"
GENERATED = "google.genai.types.GenerateContentResponse"
DELTA = "openai.types.responses.response_text_delta_event.ResponseTextDeltaEvent"


class Stream(NamedTuple):
    """One stream in both forms."""

    name: str
    origin: Origin
    body: str
    entries: list[Any]
    framing: dict[str, Any]
    kind: str = SSE


def chunk(content: str) -> dict[str, Any]:
    """A chunk of a chat completion."""
    return {"object": "chat.completion.chunk", "choices": [{"delta": {"content": content}}]}


def chunk_text(content: str) -> str:
    """A chunk of a chat completion as OpenAI writes it."""
    choices = '[{"delta":{"content":"' + content + '"}}]'
    return '{"object":"chat.completion.chunk","choices":' + choices + "}"


DONE = "data: [DONE]\n\n"
PING = {"type": "ping"}

PROVIDERS = [
    Stream(
        "OpenAI chat",
        CHAT,
        f"data: {chunk_text('a')}\n\ndata: {chunk_text('é')}\n\n{DONE}",
        [tag(CHUNK, chunk("a")), tag(CHUNK, chunk("é"))],
        {},
    ),
    Stream(
        "OpenAI chat, error in the middle and no end",
        CHAT,
        f'data: {chunk_text("a")}\n\ndata: {{"error":{{"message":"overloaded"}}}}\n\n',
        [tag(CHUNK, chunk("a")), {"error": {"message": "overloaded"}}],
        {"done": False},
    ),
    Stream(
        "OpenAI Responses",
        RESPONSES,
        'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
        '"sequence_number":4,"delta":"Hi"}\n\n',
        [
            tag(
                DELTA,
                {"type": "response.output_text.delta", "sequence_number": 4, "delta": "Hi"},
            )
        ],
        {},
    ),
    Stream(
        "OpenRouter's Responses, data first and closed by [DONE]",
        Origin("openrouter.ai", "/api/v1/responses"),
        'data: {"type":"response.output_text.delta","delta":"Hi"}\n'
        f"event: response.output_text.delta\n\n{DONE}",
        [tag(DELTA, {"type": "response.output_text.delta", "delta": "Hi"})],
        {"done": True, "order": ["data", "event"]},
    ),
    Stream(
        "OpenAI Assistants",
        THREADS,
        'event: thread.created\ndata: {"object":"thread","id":"t"}\n\nevent: done\n' + DONE,
        [
            {
                "__type__": "openai.types.beta.thread.Thread",
                "__data__": {"object": "thread", "id": "t"},
                "__event__": "thread.created",
            },
            {"__type__": "str", "__data__": "[DONE]", "__event__": "done"},
        ],
        {},
    ),
    Stream(
        "Azure, first frame with an empty object",
        Origin("x.openai.azure.com", "/openai/deployments/gpt-4o/chat/completions"),
        'data: {"choices":[],"created":0,"id":"","model":"","object":""}\n\n' + DONE,
        [{"choices": [], "created": 0, "id": "", "model": "", "object": ""}],
        {},
    ),
    Stream(
        "a gateway that ends without the blank line",
        Origin("gateway.example.com", "/v1/chat/completions"),
        'data: {"a":1}\n\ndata: [DONE]\n',
        [{"a": 1}],
        {"end": "\n"},
    ),
    Stream(
        "Anthropic: named events, a spaced ping, random padding",
        ANTHROPIC,
        'event: message_start\ndata: {"type":"message_start"   }\n\n'
        'event: ping\ndata: {"type": "ping"}\n\n'
        'event: message_stop\ndata: {"type":"message_stop" }\n\n',
        [
            tag(
                "anthropic.types.raw_message_start_event.RawMessageStartEvent",
                {"type": "message_start"},
            ),
            {"__data__": PING, "__event__": "ping"},
            tag(
                "anthropic.types.raw_message_stop_event.RawMessageStopEvent",
                {"type": "message_stop"},
            ),
        ],
        {"padding": [3, 0, 1]},
    ),
    Stream(
        "Anthropic's old completions, with CRLF",
        Origin("api.anthropic.com", "/v1/complete"),
        'event: completion\r\ndata: {"completion":"Hi"}\r\n\r\n',
        [{"__data__": {"completion": "Hi"}, "__event__": "completion"}],
        {"line_end": "\r\n"},
    ),
    Stream(
        "Gemini",
        GEMINI,
        'data: {"candidates": [{"index": 0}],"n": 1}\r\n\r\n'
        'data: {"text": "a \\u003c b","n": 2}\r\n\r\n',
        [
            tag(GENERATED, {"candidates": [{"index": 0}], "n": 1}),
            {"text": "a < b", "n": 2},
        ],
        {"events": {"1": {"json": "colon-spaced+html"}}},
    ),
    Stream(
        "Gemini's OpenAI endpoint",
        Origin("generativelanguage.googleapis.com", "/v1beta/openai/chat/completions"),
        f"data: {chunk_text('a')}\n\n{DONE}",
        [tag(CHUNK, chunk("a"))],
        {},
    ),
    Stream(
        "Cohere",
        Origin("api.cohere.com", "/v2/chat"),
        f'event: content-delta\ndata: {{"type":"content-delta"}}\n\n{DONE}',
        [
            tag(
                "cohere.v2.types.v2chat_stream_response.ContentDeltaV2ChatStreamResponse",
                {"type": "content-delta"},
            )
        ],
        {},
    ),
    Stream(
        "llama.cpp: a field of its own, keep-alives",
        Origin("localhost", "/v1/chat/completions"),
        ':\n\n: keepalive\n\nerror: {"code":500}\n\n',
        [{"__comment__": ""}, {"__comment__": "keepalive"}, tag("str", 'error: {"code":500}')],
        {
            "colon": ":",
            "done": False,
            "events": {"1": {"colon": ": "}, "2": {"raw": 'error: {"code":500}\n\n'}},
        },
    ),
    Stream(
        "Groq: ends in an error event",
        Origin("api.groq.com", "/openai/v1/chat/completions"),
        'data: {"a":"\\u003cb"}\n\nevent: error\ndata: {"error":{}}\n\n',
        [{"a": "<b"}, {"__data__": {"error": {}}, "__event__": "error"}],
        {"done": False, "json": "compact+html"},
    ),
    Stream(
        "OpenRouter: comments in a row and in the middle",
        Origin("openrouter.ai", "/api/v1/chat/completions"),
        f": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\ndata: {chunk_text('a')}\n\n: \n\n"
        + DONE,
        [
            {"__comment__": "OPENROUTER PROCESSING"},
            {"__comment__": "OPENROUTER PROCESSING"},
            tag(CHUNK, chunk("a")),
            {"__comment__": ""},
        ],
        {},
    ),
    Stream(
        "DashScope: no space after a colon, a comment with a meaning",
        Origin("dashscope.aliyuncs.com", "/api/v1/services/aigc/text-generation/generation"),
        'id:1\nevent:result\n:HTTP_STATUS/200\ndata:{"output":{}}\n\n',
        [
            {
                "__data__": {"output": {}},
                "__event__": "result",
                "__id__": "1",
                "__comment__": "HTTP_STATUS/200",
            }
        ],
        {"colon": ":"},
    ),
    Stream(
        "watsonx: an id and an event named message",
        Origin("us-south.ml.cloud.ibm.com", "/ml/v1/text/chat_stream"),
        'id: 1\nevent: message\ndata: {"a":1}\n\n',
        [{"__data__": {"a": 1}, "__event__": "message", "__id__": "1"}],
        {},
    ),
    Stream(
        "Replicate: text, several lines, a leading space, a strange tail",
        Origin("stream.replicate.com", "/v1/x"),
        "event: output\nid: 1:0\ndata: a\ndata: b\n\nevent: output\nid: 2:0\ndata:  did\n\n"
        ": hi\n\n:408: 408 Request Timeout\n",
        [
            {"__type__": "str", "__data__": "a\nb", "__event__": "output", "__id__": "1:0"},
            {"__type__": "str", "__data__": " did", "__event__": "output", "__id__": "2:0"},
            {"__comment__": "hi"},
            {"__comment__": "408: 408 Request Timeout"},
        ],
        {
            "order": ["event", "id", "data"],
            "events": {"3": {"colon": ":", "end": "\n"}},
        },
    ),
    Stream(
        "an older LangChain server: retry",
        OTHER,
        'event: data\nretry: 3000\ndata: {"a":1}\n\n',
        [{"__data__": {"a": 1}, "__event__": "data", "__retry__": "3000"}],
        {},
    ),
    Stream(
        "MCP: CRLF and time-stamped comments",
        Origin("localhost", "/mcp"),
        'event: message\r\ndata: {"jsonrpc":"2.0"}\r\n\r\n: ping - 2025-01-01\r\n\r\n',
        [
            {"__data__": {"jsonrpc": "2.0"}, "__event__": "message"},
            {"__comment__": "ping - 2025-01-01"},
        ],
        {"line_end": "\r\n"},
    ),
    Stream(
        "Ollama",
        OLLAMA,
        '{"model":"m","message":{"content":"Hi"},"done":false}\n{"error":"stopped"}\n',
        [
            tag(
                "ollama._types.ChatResponse",
                {"model": "m", "message": {"content": "Hi"}, "done": False},
            ),
            {"error": "stopped"},
        ],
        {},
        NDJSON,
    ),
]

SSE_ODDITIES = [
    Stream("nothing", OTHER, "", [], {}),
    Stream("nothing where [DONE] is usual", CHAT, "", [], {"done": False}),
    Stream("nothing but [DONE]", CHAT, DONE, [], {}),
    Stream("[DONE] without a space", CHAT, "data:[DONE]\n\n", [], {"colon": ":"}),
    Stream("[DONE] after CRLF", CHAT, "data: [DONE]\r\n\r\n", [], {"line_end": "\r\n"}),
    Stream("[DONE] without any line end", CHAT, "data: [DONE]", [], {"end": ""}),
    Stream(
        "[DONE] written unlike the rest",
        CHAT,
        'data: {"a":1}\n\ndata:[DONE]\n\n',
        [{"a": 1}, tag("str", "[DONE]")],
        {"done": False, "events": {"1": {"colon": ":"}}},
    ),
    Stream(
        "text after [DONE]",
        CHAT,
        f'{DONE}data: {{"a":1}}\n\n',
        [tag("str", "[DONE]"), {"a": 1}],
        {"done": False},
    ),
    Stream("[DONE] twice", CHAT, DONE + DONE, [tag("str", "[DONE]")], {}),
    Stream("a BOM", OTHER, '\ufeffdata: {"a":1}\n\n', [{"a": 1}], {"before": "\ufeff"}),
    Stream("blank lines first", OTHER, '\n\ndata: {"a":1}\n\n', [{"a": 1}], {"before": "\n\n"}),
    Stream("only blank lines", OTHER, "\n\n\n", [], {"before": "\n\n\n"}),
    Stream(
        "more than one blank line",
        OTHER,
        'data: {"a":1}\n\n\ndata: 2\n\n',
        [{"a": 1}, 2],
        {"events": {"0": {"end": "\n\n\n"}}},
    ),
    Stream("no last blank line", OTHER, "data: 1\n", [1], {"events": {"0": {"end": "\n"}}}),
    Stream("no last line end", OTHER, "data: 1", [1], {"events": {"0": {"end": ""}}}),
    Stream(
        "a partial last event",
        OTHER,
        "data: 1\n\nda",
        [1, tag("str", "da")],
        {"events": {"1": {"raw": "da"}}},
    ),
    Stream(
        "JSON cut in the middle",
        OTHER,
        'data: 1\n\ndata: {"a":',
        [1, tag("str", '{"a":')],
        {"events": {"1": {"end": ""}}},
    ),
    Stream(
        "LF in a stream of CR",
        OTHER,
        "data: 1\r\rdata: 2\n\n",
        [1, 2],
        {"line_end": "\r", "events": {"1": {"line_end": "\n"}}},
    ),
    Stream(
        "line ends mixed in one end",
        OTHER,
        "data: 1\n\r\n",
        [1],
        {"events": {"0": {"end": "\n\r\n"}}},
    ),
    Stream("empty data", OTHER, "data: \n\n", [tag("str", "")], {}),
    Stream("empty data without the space", OTHER, "data:\n\n", [tag("str", "")], {"colon": ":"}),
    Stream("an event without data", OTHER, "event: ping\n\n", [{"__event__": "ping"}], {}),
    Stream("an empty id", OTHER, "id: \ndata: 1\n\n", [{"__data__": 1, "__id__": ""}], {}),
    Stream("null", OTHER, "data: null\n\n", [None], {}),
    Stream(
        "several comments",
        OTHER,
        ": a\n: b\ndata: 1\n\n",
        [{"__data__": 1, "__comment__": ["a", "b"]}],
        {},
    ),
    Stream(
        "a comment between",
        OTHER,
        "data: 1\n: a\nid: 2\n\n",
        [{"__data__": 1, "__id__": "2", "__comment__": "a"}],
        {"order": ["data", "comment", "id"]},
    ),
    Stream(
        "lines of data apart from each other",
        OTHER,
        "data: 1\nid: 2\ndata: 3\n\n",
        [tag("str", "1")],
        {"events": {"0": {"raw": "data: 1\nid: 2\ndata: 3\n\n"}}},
    ),
    Stream(
        "a field named twice",
        OTHER,
        "id: 1\nid: 2\ndata: 3\n\n",
        [tag("str", "3")],
        {"events": {"0": {"raw": "id: 1\nid: 2\ndata: 3\n\n"}}},
    ),
    Stream(
        "JSON over several lines of data",
        OTHER,
        'data: {\ndata: "a":1}\n\n',
        [{"a": 1}],
        {"events": {"0": {"data": '{\n"a":1}'}}},
    ),
    Stream(
        "a duplicate key",
        OTHER,
        'data: {"a":1,"a":2}\n\n',
        [{"a": 2}],
        {"events": {"0": {"data": '{"a":1,"a":2}'}}},
    ),
    Stream(
        "padding after what no layout gives",
        OTHER,
        'data: {"a": 1,"b":2 }\n\n',
        [{"a": 1, "b": 2}],
        {"events": {"0": {"data": '{"a": 1,"b":2 }'}}},
    ),
    Stream(
        "upper-case escapes",
        OTHER,
        'data: "\\u00E9"\n\n',
        ["é"],
        {"events": {"0": {"data": '"\\u00E9"'}}},
    ),
    Stream(
        "two orders of fields",
        OTHER,
        "event: a\ndata: 1\n\ndata: 2\nevent: b\n\n",
        [{"__data__": 1, "__event__": "a"}, {"__data__": 2, "__event__": "b"}],
        {"events": {"1": {"order": ["data", "event"]}}},
    ),
    Stream(
        "an event of a Responses stream without its name",
        RESPONSES,
        'data: {"type":"response.output_text.delta","delta":"Hi"}\n\n',
        [
            {
                "__type__": DELTA,
                "__data__": {"type": "response.output_text.delta", "delta": "Hi"},
                "__event__": None,
            }
        ],
        {},
    ),
    Stream(
        "a payload that looks like one of our tags",
        OTHER,
        'data: {"__type__":"bytes","__data__":"x"}\n\ndata: {"__event__":"x"}\n\n',
        [
            tag("json", {"__type__": "bytes", "__data__": "x"}),
            tag("json", {"__event__": "x"}),
        ],
        {},
    ),
    Stream(
        "a payload with our keys in an event with a name",
        OTHER,
        'event: a\ndata: {"__id__":1}\n\n',
        [{"__type__": "json", "__data__": {"__id__": 1}, "__event__": "a"}],
        {},
    ),
    Stream(
        "NaN, which is no JSON",
        OTHER,
        'data: {"a":NaN}\n\n',
        [tag("str", '{"a":NaN}')],
        {},
    ),
]

NDJSON_ODDITIES = [
    Stream("no lines", OTHER, "", [], {}, NDJSON),
    Stream(
        "lines without the last line end",
        OTHER,
        "1\n2",
        [1, 2],
        {"events": {"1": {"end": ""}}},
        NDJSON,
    ),
    Stream("one line without an end", OTHER, "1", [1], {"events": {"0": {"end": ""}}}, NDJSON),
    Stream("CRLF", OTHER, "1\r\n2\r\n", [1, 2], {"line_end": "\r\n"}, NDJSON),
    Stream("an empty line", OTHER, '{"a":1}\n\n2\n', [{"a": 1}, tag("str", ""), 2], {}, NDJSON),
    Stream(
        "spaced",
        OTHER,
        '{"a": 1}\n{"b":2}\n',
        [{"a": 1}, {"b": 2}],
        {"json": "spaced", "events": {"1": {"json": "compact"}}},
        NDJSON,
    ),
    Stream(
        "padded",
        OTHER,
        '{"a":1  }\n',
        [{"a": 1}],
        {"events": {"0": {"data": '{"a":1  }'}}},
        NDJSON,
    ),
    Stream("text", OTHER, "{oops\n", [tag("str", "{oops")], {}, NDJSON),
    Stream(
        "a line that looks like one of our tags",
        OTHER,
        '{"__data__":1}\n',
        [tag("json", {"__data__": 1})],
        {},
        NDJSON,
    ),
]

ARRAY = Origin("generativelanguage.googleapis.com", "/v1beta/models/g:streamGenerateContent")
ARRAYS = [
    Stream(
        "Gemini without alt=sse",
        ARRAY,
        '[{\n  "candidates": [],\n  "n": 1\n}\n,\r\n{\n  "n": 2\n}\n]',
        [tag(GENERATED, {"candidates": [], "n": 1}), {"n": 2}],
        {},
        JSON_ARRAY,
    ),
    Stream(
        "compact, with other separators",
        ARRAY,
        '[ {"a":1},{"b":2},\n{"c":3 }]\n',
        [{"a": 1}, {"b": 2}, {"c": 3}],
        {
            "json": "compact",
            "before": "[ ",
            "between": ",",
            "end": "]\n",
            "events": {"2": {"data": '{"c":3 }', "before": ",\n"}},
        },
        JSON_ARRAY,
    ),
]
CONVERSE = Origin(
    "bedrock-runtime.us-east-1.amazonaws.com", "/model/anthropic.claude/converse-stream"
)
INVOKE = Origin(CONVERSE.host, "/model/anthropic.claude/invoke-with-response-stream")


def aws_header(name: str, value: bytes, kind: int = 7) -> bytes:
    """A header of a frame; the types 6 and 7 say how long their value is."""
    length = struct.pack(">H", len(value)) if kind in (6, 7) else b""
    return bytes([len(name)]) + name.encode() + bytes([kind]) + length + value


def aws_sealed(content: bytes) -> bytes:
    """Bytes and their checksum."""
    return content + struct.pack(">I", zlib.crc32(content))


def aws_frame(payload: bytes, *headers: bytes) -> bytes:
    """A frame of Amazon's event stream."""
    head = b"".join(headers)
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    return aws_sealed(aws_sealed(prelude) + head + payload)


def aws_event(name: str, payload: bytes, *more: bytes) -> bytes:
    """A frame as Bedrock sends them."""
    return aws_frame(
        payload,
        aws_header(":event-type", name.encode()),
        aws_header(":content-type", b"application/json"),
        aws_header(":message-type", b"event"),
        *more,
    )


def _inner(content: bytes) -> bytes:
    return b'{"bytes":"' + base64.b64encode(content) + b'","p":"abcd"}'


EXCEPTION_HEADERS: list[tuple[str, str, int]] = [
    (":exception-type", "throttlingException", 7),
    (":content-type", "application/json", 7),
    (":message-type", "exception", 7),
]
AWS_STREAMS: list[tuple[str, Origin, bytes, list[Any], dict[str, Any]]] = [
    (
        "a stream that was cut in the middle of a frame",
        CONVERSE,
        aws_event("messageStart", b"{}") + b"x",
        [{"__data__": {}, "__event__": "messageStart"}, tag("bytes", "eA==")],
        {"events": {"1": {"rest": True}}},
    ),
    (
        "Converse",
        CONVERSE,
        aws_event("messageStart", b'{"p":"ab","role":"assistant"}')
        + aws_event("messageStop", b"{}"),
        [
            {"__data__": {"p": "ab", "role": "assistant"}, "__event__": "messageStart"},
            {"__data__": {}, "__event__": "messageStop"},
        ],
        {},
    ),
    (
        "InvokeModel: the provider's event shows decoded",
        INVOKE,
        aws_event("chunk", _inner(b'{"completion":"Hi"}')),
        [
            {
                "__data__": {"bytes": tag("json", {"completion": "Hi"}), "p": "abcd"},
                "__event__": "chunk",
            }
        ],
        {},
    ),
    (
        "InvokeModel: text, and bytes that are no base64",
        INVOKE,
        aws_event("chunk", _inner(b"hello")) + aws_event("chunk", b'{"bytes":"no base64!"}'),
        [
            {"__data__": {"bytes": tag("str", "hello"), "p": "abcd"}, "__event__": "chunk"},
            {"__data__": {"bytes": "no base64!"}, "__event__": "chunk"},
        ],
        {},
    ),
    (
        "a member `bytes` that is no base64 but an object, or looks like a tagged value",
        INVOKE,
        aws_event("a", b'{"bytes":{"b":1}}')
        + aws_event("b", b'{"bytes":{"__type__":"str","__data__":"c"}}')
        + aws_event("c", b'{"__type__":"str","__data__":1,"bytes":"e30="}'),
        [
            {"__data__": {"bytes": {"b": 1}}, "__event__": "a"},
            {"__type__": "json", "__data__": {"bytes": tag("str", "c")}, "__event__": "b"},
            {"__type__": "json", "__data__": {**tag("str", 1), "bytes": "e30="}, "__event__": "c"},
        ],
        {},
    ),
    (
        "an exception",
        CONVERSE,
        aws_frame(
            b'{"message":"slow down"}',
            *(aws_header(name, value.encode()) for name, value, _kind in EXCEPTION_HEADERS),
        ),
        [{"__data__": {"message": "slow down"}}],
        {"events": {"0": {"headers": [list(row) for row in EXCEPTION_HEADERS]}}},
    ),
    (
        "payloads that are no compact JSON",
        CONVERSE,
        aws_event("a", b'{"a": 1}') + aws_event("b", b"\xff") + aws_event("c", b""),
        [
            {"__type__": "str", "__data__": '{"a": 1}', "__event__": "a"},
            {"__type__": "bytes", "__data__": "/w==", "__event__": "b"},
            {"__type__": "str", "__data__": "", "__event__": "c"},
        ],
        {},
    ),
    (
        "headers of every type",
        CONVERSE,
        aws_frame(
            b"{}",
            aws_header("true", b"", 0),
            aws_header("byte", b"\x01", 2),
            aws_header("short", b"\x01\x02", 3),
            aws_header("time", b"\x00" * 8, 8),
            aws_header("uuid", b"\x00" * 16, 9),
            aws_header("bytes", b"\xff", 6),
        ),
        [{"__data__": {}}],
        {
            "events": {
                "0": {
                    "headers": [
                        ["true", "", 0],
                        ["byte", "AQ==", 2],
                        ["short", "AQI=", 3],
                        ["time", "AAAAAAAAAAA=", 8],
                        ["uuid", "AAAAAAAAAAAAAAAAAAAAAA==", 9],
                        ["bytes", "/w==", 6],
                    ]
                }
            }
        },
    ),
]
_FRAME = aws_event("a", b"{}")
NO_AWS = [
    ("nothing", b""),
    ("cut off", _FRAME[:-1]),
    ("a wrong checksum", _FRAME[:-1] + bytes([_FRAME[-1] ^ 1])),
    ("a wrong checksum of the prelude", _FRAME[:8] + b"\x00\x00\x00\x00" + _FRAME[12:]),
    (
        "headers that are longer than the frame",
        aws_sealed(aws_sealed(struct.pack(">II", 16, 99))),
    ),
    ("a header of no known type", aws_frame(b"{}", aws_header("a", b"", 10))),
    ("a header that is too long", aws_frame(b"", b"\x01a\x07\xff\xffx")),
    ("a name that is no UTF-8", aws_frame(b"", b"\x01\xff\x07\x00\x00")),
    ("JSON", b'{"message":"denied"}'),
]
WRONG_AWS: list[tuple[list[Any], dict[str, Any]]] = [
    ([1], {}),
    ([{}], {}),
    ([{"__event__": "a"}], {}),
    ([{"__data__": {}, "__event__": 1}], {}),
    ([{"__data__": {}}], {"events": {"0": []}}),
    ([{"__data__": {}}], {"events": {"0": {"headers": [["a"]]}}}),
    ([{"__data__": {}}], {"events": {"0": {"headers": [["a", "b", 99]]}}}),
    ([{"__data__": {}}], {"events": {"0": {"headers": [["a", "no base64", 6]]}}}),
    ([{"__data__": {}}], {"events": {"0": {"headers": [["a" * 300, "b", 7]]}}}),
    ([{"__data__": {}}], {"events": {"0": {"headers": [["\ud800", "b", 7]]}}}),
    ([{"__data__": {}, "__event__": "x" * 70_000}], {}),
    ([{"__type__": "bytes", "__data__": "x", "__event__": "a"}], {}),
    ([{"__data__": {"bytes": tag("bytes", "x")}, "__event__": "a"}], {}),
]
NO_ARRAYS = ["", "[]", "{}", '[{"a":1} {"b":2}]', "[1]", '[{"a":}]']

STREAMS = [*PROVIDERS, *ARRAYS, *SSE_ODDITIES, *NDJSON_ODDITIES]

WRONG: list[tuple[str, list[Any], dict[str, Any], str]] = [
    ("the colon is a number", [1], {"colon": 1}, r"response\.framing\.colon should be a string"),
    ("the line end is null", [1], {"line_end": None}, r"response\.framing\.line_end"),
    ("the order is of numbers", [1], {"order": [1]}, r"response\.framing\.order"),
    (
        "the order names what the event has not",
        [1],
        {"events": {"0": {"order": ["event", "data"]}}},
        r"orders \['event', 'data'\], but the event has \['data'\]",
    ),
    ("an event's framing is a list", [1], {"events": {"0": []}}, "event 0 makes no sense"),
    ("padding is a string", [1], {"padding": ["2"]}, "event 0 makes no sense"),
    ("an id is a number", [{"__data__": 1, "__id__": 2}], {}, "__id__ should be a string"),
    ("a comment is a number", [{"__comment__": [2]}], {}, "__comment__ should be a string"),
    ("text that is none", [tag("str", 1)], {}, "__data__ should be a string"),
    ("raw that is none", [1], {"events": {"0": {"raw": 1}}}, "raw should be a string"),
    ("a lone surrogate", [tag("str", "\ud83d")], {}, "no server can send"),
    ("a layout that does not exist", [1], {"json": "pretty"}, r"'pretty' is no JSON layout"),
    ("padding without end", [{}], {"padding": [10**14]}, "event 0"),
    ("padding below nothing", [{}], {"padding": [-1]}, "event 0"),
]


def encoded(body: bytes, kind: str, origin: Origin) -> StreamBody:
    """The entries and the framing of a body that is a stream of this kind."""
    found = encode_stream(body, kind, origin)
    assert found is not None
    return found


def ids(stream: Stream) -> str:
    """The name of a case."""
    return stream.name


@pytest.mark.parametrize("stream", STREAMS, ids=ids)
def test_a_stream_is_a_list_of_events(stream: Stream) -> None:
    """Each block is an entry, and the framing says only what is unusual."""
    entries, framing = encoded(stream.body.encode(), stream.kind, stream.origin)
    assert entries == stream.entries
    assert framing == stream.framing


@pytest.mark.parametrize("stream", STREAMS, ids=ids)
def test_a_list_of_events_is_the_stream(stream: Stream) -> None:
    """Entries and framing give the very bytes, also after they were written as JSON."""
    read: Any = parse(document_text([stream.entries, stream.framing]))
    body = decode_stream(read[0], read[1], stream.kind, stream.origin)
    assert body.decode() == stream.body


@pytest.mark.parametrize("stream", PROVIDERS, ids=ids)
def test_an_event_is_sent_by_itself(stream: Stream) -> None:
    """A replay gives each event separately, and [DONE] after them."""
    pieces = list(decode_events(stream.entries, stream.framing, stream.kind, stream.origin))
    assert len([piece for piece in pieces if piece]) - len(stream.entries) in (0, 1)


@pytest.mark.parametrize(
    ("origin", "body", "entries", "framing"),
    [row[1:] for row in AWS_STREAMS],
    ids=[row[0] for row in AWS_STREAMS],
)
def test_amazons_event_stream_is_a_list_of_events(
    origin: Origin, body: bytes, entries: list[Any], framing: dict[str, Any]
) -> None:
    """Frames are shown as events, and come back with their lengths and checksums."""
    assert encoded(body, AWS, origin) == (entries, framing)
    read: Any = parse(document_text([entries, framing]))
    assert decode_stream(read[0], read[1], AWS, origin) == body


@pytest.mark.parametrize("body", [row[1] for row in NO_AWS], ids=[row[0] for row in NO_AWS])
def test_what_is_no_whole_frame_is_no_stream(body: bytes) -> None:
    """A stream that was cut or changed is left to be bytes."""
    assert encode_stream(body, AWS, CONVERSE) is None


@pytest.mark.parametrize(("entries", "framing"), WRONG_AWS, ids=range(len(WRONG_AWS)))
def test_a_frame_that_makes_no_sense_is_refused(
    entries: list[Any], framing: dict[str, Any]
) -> None:
    """A mistake in an edited stream is an error of ours."""
    with pytest.raises(MalformedRecording, match=r"event|headers|body|base64|framing|bytes"):
        decode_stream(entries, framing, AWS, CONVERSE)


def test_a_label_that_no_sdk_here_knows_implies_its_event() -> None:
    """A document written with a newer SDK gives the same bytes without it."""
    entry: Any = tag("openai.types.responses.response_new_event.New", {"type": "response.new"})
    body = decode_stream([entry], {}, SSE, RESPONSES)
    assert body == b'event: response.new\ndata: {"type":"response.new"}\n\n'
    anthropic: Any = tag("anthropic.types.raw_new_event.RawNewEvent", {"type": "new"})
    assert decode_stream([anthropic], {}, SSE, ANTHROPIC) == b'event: new\ndata: {"type":"new"}\n\n'


@pytest.mark.parametrize("cut", range(9, 26))
def test_an_array_that_was_cut_keeps_what_came(cut: int) -> None:
    """The whole elements are entries, and what had come of the next one is the last entry."""
    body = '[{"a":1}\n,\r\n{"b": "\u00e9"}\n]'[:cut]
    entries, framing = encoded(body.encode(), JSON_ARRAY, GEMINI)
    assert entries[0] == {"a": 1}
    assert decode_stream(entries, framing, JSON_ARRAY, GEMINI) == body.encode()


@pytest.mark.parametrize("body", NO_ARRAYS)
def test_what_is_no_array_of_objects_is_no_stream(body: str) -> None:
    """Whatever cannot be split into its elements is left to be JSON or text."""
    assert encode_stream(body.encode(), JSON_ARRAY, ARRAY) is None


@pytest.mark.parametrize("kind", [SSE, NDJSON])
def test_bytes_that_are_no_utf_8_come_back(kind: str) -> None:
    """Invalid UTF-8 in data, in a name, or cut off at the end survives."""
    body = b'data: "\xff\xfe"\n\nevent: \xe9\ndata: 1\n\ndata: \xc3'
    entries, framing = encoded(body, kind, OTHER)
    read: Any = parse(document_text([entries, framing]))
    assert decode_stream(read[0], read[1], kind, OTHER) == body


def test_an_entry_added_by_hand_needs_no_framing() -> None:
    """An event that a user adds to a recording is written the stream's usual way."""
    framing: Any = {"line_end": "\r\n", "padding": [2]}
    body = decode_stream([{"a": 1}, {"b": 2}], framing, SSE, OTHER)
    assert body == b'data: {"a":1  }\r\n\r\ndata: {"b":2}\r\n\r\n'


def test_framing_of_the_wrong_kind_is_as_good_as_none() -> None:
    """Framing that is no list or object where one belongs is left out of account."""
    framing: Any = {"padding": 3, "events": [], "order": "data"}
    assert decode_stream([{"a": 1}], framing, SSE, OTHER) == b'data: {"a":1}\n\n'


@pytest.mark.parametrize(
    ("entries", "framing", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_what_makes_no_sense_is_refused(
    entries: list[Any], framing: dict[str, Any], message: str
) -> None:
    """A mistake in an edited stream is an error that names its place."""
    with pytest.raises(MalformedRecording, match=message):
        decode_stream(entries, framing, SSE, OTHER)


origins = st.sampled_from([CHAT, RESPONSES, THREADS, ANTHROPIC, GEMINI, OLLAMA, OTHER])
kinds = st.sampled_from([SSE, NDJSON, JSON_ARRAY, AWS])
lines = st.lists(json_texts, max_size=5).map("\n".join)
bodies = st.one_of(
    streams.map(lambda body: body.encode(errors="surrogateescape")),
    lines.map(lambda body: body.encode(errors="surrogateescape")),
    st.binary(max_size=60),
    st.lists(
        st.builds(
            aws_event,
            st.text(max_size=5),
            st.one_of(
                json_texts.map(lambda text: text.encode(errors="replace")),
                json_texts.map(lambda text: _inner(text.encode(errors="replace"))),
                st.binary(max_size=9),
            ),
        ),
        max_size=3,
    ).map(b"".join),
    st.lists(json_texts, max_size=3).map(
        lambda texts: f"[{','.join(texts)}]".encode(errors="replace")
    ),
    st.lists(st.sampled_from([b"data", b":", b" ", b"\n", b"\r", b"1", b"\xff", b"{}"])).map(
        b"".join
    ),
)


@fuzzed
@given(bodies, kinds, origins)
def test_any_stream_comes_back(body: bytes, kind: str, origin: Origin) -> None:
    """Whatever the bytes are, entries and framing give them back, also out of a file."""
    found = encode_stream(body, kind, origin)
    if found is not None:
        read: Any = parse(document_text(list(found)))
        assert decode_stream(read[0], read[1], kind, origin) == body


@fuzzed
@given(st.lists(json_values, max_size=3), json_values, kinds, origins)
def test_any_entries_are_written_or_refused(
    entries: list[Any], framing: Any, kind: str, origin: Origin
) -> None:
    """A list of any JSON values is a stream or an error of ours."""
    with suppress(MalformedRecording):
        decode_stream(entries, framing if isinstance(framing, dict) else {}, kind, origin)


_LABELS = st.sampled_from(["str", "json", "x.Y", "anthropic.types.E", "openai.types.responses.E"])
_PAYLOADS = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from(["ping", "a", 7, None]), "value": json_values}
)


@fuzzed
@given(
    st.lists(st.builds(tag, _LABELS, _PAYLOADS | json_values), max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "json": st.sampled_from(["compact", "spaced", "indent-2", "no layout"]),
            "order": st.sampled_from([["event", "data"], ["data", "event"]]),
            "padding": st.lists(st.sampled_from([0, 2, -1, "x"]), max_size=3),
            "events": st.sampled_from([{"1": {"colon": ":"}}, {"0": {"data": "{ }"}}, {"0": 1}]),
        },
    ),
)
def test_a_usual_event_is_rendered_as_any_other(entries: list[JSON], framing: Framing) -> None:
    """The short way for events that are nothing but a payload gives what the long one gives."""

    def decoded() -> bytes | str:
        try:
            return decode_stream(entries, framing, SSE, CHAT)
        except MalformedRecording as error:
            return str(error)

    short = decoded()
    with mock.patch.object(_sse_body, "_usual_event", return_value=None):
        assert decoded() == short


_ODD_LEADS = [
    "data:",
    "event: a\ndata: ",
    "data: {}\nevent: a\ndata: ",
    "id: 1\ndata: ",
    ": a\ndata: ",
]
_NAMES = ["content_block_delta", "response.created", "message_stop", "ping", "a", " a"]
_NAMED = st.fixed_dictionaries(
    {"type": st.sampled_from(_NAMES)}, optional={"value": st.integers() | json_values}
)


@st.composite
def _mostly_usual_streams(draw: st.DrawFn) -> bytes:
    """Events of which most are alike, as a server writes them, and some are not."""
    line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    colon = draw(st.sampled_from([": ", ":"]))
    layout = draw(st.sampled_from(["compact", "spaced", "compact+ascii"]))
    is_named = draw(st.booleans())

    def event(payload: dict[str, JSON]) -> str:
        name = f"event{colon}{payload['type']}\n" if is_named else ""
        return f"{name}data{colon}{render(payload, layout)}\n\n"

    def odd_event(payload: JSON) -> str:
        text = render(payload, draw(st.sampled_from([layout, "spaced"])))
        end = draw(st.sampled_from(["\n\n", "\n\n\n", " \n\n", "\n"]))
        return f"{draw(st.sampled_from(_ODD_LEADS))}{text}{end}"

    events = _NAMED.map(event) | _NAMED.map(event) | (_NAMED | json_values).map(odd_event)
    frames = draw(st.lists(events, max_size=6))
    return "".join(frames).replace("\n", line_end).encode(errors="replace")


@fuzzed
@given(_mostly_usual_streams(), st.sampled_from([CHAT, RESPONSES, ANTHROPIC, OTHER]))
def test_a_usual_event_is_read_as_any_other(body: bytes, origin: Origin) -> None:
    """The short way for events that are nothing but a payload finds what the long one finds."""
    found = encode_stream(body, SSE, origin)
    with mock.patch.object(_sse_body, "_usual_entry", return_value=None):
        assert encode_stream(body, SSE, origin) == found
    assert found is not None
    assert decode_stream(*found, SSE, origin) == body
