"""Bodies as JSON values: requests come back by value, responses byte for byte."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.test_json import fuzzed, json_texts, json_values
from tests.test_stream_body import CHAT, OLLAMA, OTHER, RESPONSES, STREAMS, bodies, origins
from vcr_llm._body import (
    ResponseBody,
    decode_request_body,
    decode_response_events,
    encode_request_body,
    encode_response_body,
    implied_content_type,
)
from vcr_llm._errors import MalformedRecording
from vcr_llm._habits import NDJSON, SSE, Origin, usual_content_type
from vcr_llm._json import document_text, parse
from vcr_llm._tagged import tag

FORM = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"
BINARY_TYPE = "application/octet-stream"
AZURE = Origin("x.openai.azure.com", "/openai/deployments/gpt-4o/chat/completions")
GOOGLE = Origin("aiplatform.googleapis.com", "/v1/models/g:generateContent")
OPENAI = Origin("api.openai.com", "/v1/other")

REQUESTS: list[tuple[str, bytes | None, str | None, Any]] = [
    ("none", None, None, None),
    ("JSON", b'{"a":1,"b":[true,null]}', JSON_TYPE, {"a": 1, "b": [True, None]}),
    ("text", "héllo".encode(), TEXT_TYPE, tag("str", "héllo")),
    ("binary", b"\xff\x00\x01", BINARY_TYPE, tag("bytes", "/wAB")),
    ("a form", b"a=1&b=x+y&b=%26", FORM, tag(FORM, [["a", "1"], ["b", "x y"], ["b", "&"]])),
    ("a form with an empty value", b"a=", FORM, tag(FORM, [["a", ""]])),
    ("a form with bytes", b"a=%FF", FORM, tag(FORM, [["a", "\udcff"]])),
    ("a list", b"[1,2]", JSON_TYPE, [1, 2]),
    ("a single value", b'"x"', JSON_TYPE, "x"),
    (
        "a value that looks like a tag",
        b'{"__type__":"x"}',
        JSON_TYPE,
        tag("json", {"__type__": "x"}),
    ),
]

REQUESTS_BY_VALUE: list[tuple[str, bytes, str | None, Any]] = [
    ("spaced JSON", b'{ "a" : 1 }', JSON_TYPE, {"a": 1}),
    ("JSON of a special kind", b'{"a":1}', "application/vnd.api+json; charset=utf-8", {"a": 1}),
    ("JSON under no content type", b' {"a":1}', None, {"a": 1}),
    ("JSON under a wrong content type", b'[{"a":1}]', FORM, [{"a": 1}]),
    ("nothing", b"", JSON_TYPE, None),
    ("text that only begins like JSON", b"[draft] hello", None, tag("str", "[draft] hello")),
    ("broken JSON", b'{"a":', JSON_TYPE, tag("str", '{"a":')),
    ("a duplicate key", b'{"a":1,"a":2}', JSON_TYPE, tag("str", '{"a":1,"a":2}')),
    ("a form that is no ASCII", "a=é".encode(), FORM, tag("str", "a=é")),
    ("a number under no content type", b"1", None, tag("str", "1")),
]


class Answer(NamedTuple):
    """One response body in both forms."""

    name: str
    origin: Origin
    content_type: str | None
    body: bytes
    value: Any
    framing: dict[str, Any]
    kind: str | None = None


CHUNKED = b'data: {"a":1}\n\n'

ANSWERS = [
    Answer("nothing", OTHER, None, b"", None, {}),
    Answer("compact JSON", OTHER, JSON_TYPE, b'{"a":[1,2]}', {"a": [1, 2]}, {}),
    Answer(
        "OpenAI: indented, with a line break", OPENAI, JSON_TYPE, b'{\n  "a": 1\n}\n', {"a": 1}, {}
    ),
    Answer("OpenAI's Responses: indented", RESPONSES, JSON_TYPE, b'{\n  "a": 1\n}', {"a": 1}, {}),
    Answer(
        "OpenAI: compact", OPENAI, JSON_TYPE, b'{"a":1}', {"a": 1}, {"json": "compact", "end": ""}
    ),
    Answer("Azure: compact, with a line break", AZURE, JSON_TYPE, b'{"a":1}\n', {"a": 1}, {}),
    Answer(
        "Google: indented, with a line break", GOOGLE, JSON_TYPE, b'{\n  "a": 1\n}\n', {"a": 1}, {}
    ),
    Answer(
        "space around",
        OTHER,
        JSON_TYPE,
        b' \r\n{"a": 1, "b": 2} \t',
        {"a": 1, "b": 2},
        {"json": "spaced", "start": " \r\n", "end": " \t"},
    ),
    Answer("space inside", OTHER, JSON_TYPE, b'{ "a":1}', {"a": 1}, {"raw": '{ "a":1}'}),
    Answer(
        "a duplicate key",
        OTHER,
        JSON_TYPE,
        b'{"a":1,"a":2}\n',
        {"a": 2},
        {"raw": '{"a":1,"a":2}\n'},
    ),
    Answer("a lone surrogate", OTHER, JSON_TYPE, b'["\\ud83d"]', ["\ud83d"], {}),
    Answer("null", OTHER, JSON_TYPE, b"null", tag("json", None), {}),
    Answer("NaN", OTHER, JSON_TYPE, b'{"a":NaN}', tag("str", '{"a":NaN}'), {}),
    Answer("broken JSON", OTHER, JSON_TYPE, b'{"a":', tag("str", '{"a":'), {}),
    Answer("a BOM", OTHER, JSON_TYPE, b"\xef\xbb\xbf{}", tag("str", "\ufeff{}"), {}),
    Answer("text", OTHER, "text/html", b"<p>Hi</p>", tag("str", "<p>Hi</p>"), {}),
    Answer("binary", OTHER, "audio/mpeg", b"\xff\xfb\x90", tag("bytes", "//uQ"), {}),
    Answer(
        "a value that looks like a tag",
        OTHER,
        JSON_TYPE,
        b'{"__type__":"bytes","__data__":"no base64"}',
        tag("json", {"__type__": "bytes", "__data__": "no base64"}),
        {},
    ),
    Answer(
        "a completion",
        OTHER,
        JSON_TYPE,
        b'{"object":"chat.completion"}',
        tag("openai.types.chat.chat_completion.ChatCompletion", {"object": "chat.completion"}),
        {},
    ),
    Answer("a stream", OTHER, "text/event-stream", CHUNKED, [{"a": 1}], {}, SSE),
    Answer("a stream as plain text", OTHER, "text/plain", CHUNKED, [{"a": 1}], {}, SSE),
    Answer("a stream without a content type", OTHER, None, CHUNKED, [{"a": 1}], {}, SSE),
    Answer("a stream as JSON", OTHER, JSON_TYPE, CHUNKED, [{"a": 1}], {}, SSE),
    Answer(
        "a stream under Ollama's path, as plain text",
        OLLAMA,
        "text/plain",
        CHUNKED,
        [{"a": 1}],
        {"kind": "sse"},
        SSE,
    ),
    Answer(
        "text that looks like a stream's id", OTHER, "text/plain", b"id: 7", tag("str", "id: 7"), {}
    ),
    Answer(
        "an error under a stream's content type",
        CHAT,
        "text/event-stream",
        b'{\n  "error": {}\n}\n',
        {"error": {}},
        {},
    ),
    Answer(
        "lines",
        OTHER,
        "application/x-ndjson",
        b'{"a":1}\n2\n',
        [{"a": 1}, 2],
        {"kind": "ndjson"},
        NDJSON,
    ),
    Answer("Ollama's lines", OLLAMA, "application/x-ndjson", b'{"a":1}\n', [{"a": 1}], {}, NDJSON),
    Answer("lines as application/jsonl", OTHER, "application/jsonl", b"1\n", [1], {}, NDJSON),
    Answer("an empty stream", OTHER, "text/event-stream", b"", [], {}, SSE),
    Answer(
        "AWS's event stream",
        OTHER,
        "application/vnd.amazon.eventstream",
        b"\x00\x00\x00\x10\xff",
        tag("bytes", "AAAAEP8="),
        {},
    ),
]

MALFORMED_REQUESTS: list[tuple[str, Any, str]] = [
    ("text that is none", tag("str", 1), r"request\.body should be text or bytes"),
    ("no base64", tag("bytes", "a"), r"request\.body\.__data__ is no base64"),
    ("a form that is text", tag(FORM, "a=1"), r"a list of \[name, value\]"),
    ("a form with a number", tag(FORM, [["a", 1]]), r"a list of \[name, value\]"),
    ("a form that nobody can send", tag(FORM, [["a", "\ud800"]]), r"request\.body"),
    ("parts that are text", tag("multipart/form-data", "x"), r'a list of \{"name"'),
    ("a part without a body", tag("multipart/form-data", [{"name": "a"}]), r'a list of \{"name"'),
    (
        "a part that nobody can send",
        tag("multipart/form-data", [{"name": "\ud800", "body": None}]),
        r"request\.body",
    ),
]

MALFORMED_ANSWERS: list[tuple[str, ResponseBody, str]] = [
    (
        "text that is none",
        ResponseBody(tag("str", None), {}, None),
        r"response\.body should be text",
    ),
    ("no base64", ResponseBody(tag("bytes", "é"), {}, None), "is no base64"),
    ("a stream that is no list", ResponseBody({}, {}, SSE), "should be a list of events"),
    ("a start that is no text", ResponseBody({}, {"start": 1}, None), "should be strings"),
    (
        "a layout that does not exist",
        ResponseBody({}, {"json": "x"}, None),
        "'x' is no JSON layout",
    ),
    ("raw text that nobody can send", ResponseBody({}, {"raw": "\ud800"}, None), r"framing\.raw"),
    ("an end that nobody can send", ResponseBody({}, {"end": "\ud800"}, None), r"framing"),
]


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [row[1:] for row in (*REQUESTS, *REQUESTS_BY_VALUE)],
    ids=[row[0] for row in (*REQUESTS, *REQUESTS_BY_VALUE)],
)
def test_a_request_body_is_a_value(
    body: bytes | None, content_type: str | None, value: Any
) -> None:
    """JSON, text, forms and bytes are told apart by content type and by what they are."""
    assert encode_request_body(body, content_type) == value


@pytest.mark.parametrize(
    ("body", "content_type", "value"), [row[1:] for row in REQUESTS], ids=[r[0] for r in REQUESTS]
)
def test_a_value_is_a_request_body(
    body: bytes | None, content_type: str | None, value: Any
) -> None:
    """A value gives its body in the canonical spelling, and the content type that fits."""
    assert decode_request_body(value) == (body, content_type)


def test_null_is_a_body() -> None:
    """A request that says null is not a request that says nothing."""
    value = encode_request_body(b"null", JSON_TYPE)
    assert value == tag("json", None)
    assert decode_request_body(value) == (b"null", JSON_TYPE)


@pytest.mark.parametrize(
    ("value", "message"),
    [r[1:] for r in MALFORMED_REQUESTS],
    ids=[r[0] for r in MALFORMED_REQUESTS],
)
def test_a_malformed_request_body_is_refused(value: Any, message: str) -> None:
    """A tag that does not hold what it promises is an error that says what was expected."""
    with pytest.raises(MalformedRecording, match=message):
        decode_request_body(value)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_a_response_body_is_a_value(answer: Answer) -> None:
    """A body is a stream, JSON, text or bytes, and the framing says only what is unusual."""
    encoded = encode_response_body(answer.body, answer.content_type, answer.origin)
    assert encoded == ResponseBody(answer.value, answer.framing, answer.kind)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_a_value_is_a_response_body(answer: Answer) -> None:
    """Value and framing give the very bytes."""
    body = ResponseBody(answer.value, answer.framing, answer.kind)
    assert b"".join(decode_response_events(body, answer.origin)) == answer.body


@pytest.mark.parametrize(
    ("body", "message"), [r[1:] for r in MALFORMED_ANSWERS], ids=[r[0] for r in MALFORMED_ANSWERS]
)
def test_a_malformed_response_body_is_refused(body: ResponseBody, message: str) -> None:
    """A mistake in an edited body is an error that says what was expected."""
    with pytest.raises(MalformedRecording, match=message):
        list(decode_response_events(body, OTHER))


@pytest.mark.parametrize(
    ("value", "kind", "content_type"),
    [
        ([], SSE, "text/event-stream; charset=utf-8"),
        ([], NDJSON, "application/x-ndjson"),
        (None, None, None),
        ({}, None, JSON_TYPE),
        (tag("str", ""), None, TEXT_TYPE),
        (tag("bytes", ""), None, BINARY_TYPE),
        (tag("openai.types.model.Model", {}), None, JSON_TYPE),
    ],
)
def test_a_body_says_its_content_type(value: Any, kind: str | None, content_type: str) -> None:
    """A content type that the body shows by itself need not be written."""
    assert implied_content_type(ResponseBody(value, {}, kind)) == content_type


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_stream_is_recognised_by_its_content_type(stream: Any) -> None:
    """Every stream of the table is one under its own content type, and comes back."""
    body = stream.body.encode()
    encoded = encode_response_body(body, usual_content_type(stream.kind), stream.origin)
    assert (encoded.kind, encoded.value) == (stream.kind, stream.entries)
    assert b"".join(decode_response_events(encoded, stream.origin)) == body


content_types = st.sampled_from(
    [
        None,
        "",
        "text/event-stream",
        "text/event-stream; charset=utf-8",
        "text/plain",
        JSON_TYPE,
        "application/x-ndjson",
        "application/stream+json",
        "application/octet-stream",
        "text/html; charset=latin-1",
    ]
)
_request_types = st.one_of(
    content_types,
    st.sampled_from([FORM, "multipart/form-data; boundary=b", "multipart/form-data"]),
)
_parts = st.lists(
    st.tuples(
        st.sampled_from(['name="a"', 'name="a"; filename="b.txt"', 'name=""', "name=a", ""]),
        st.sampled_from(
            [b"", b"Content-Type: text/plain\r\n", b"Content-Type: application/json\r\n"]
        ),
        st.one_of(
            json_texts.map(lambda text: text.encode(errors="replace")), st.binary(max_size=9)
        ),
    ),
    max_size=3,
).map(
    lambda parts: (
        b"".join(
            b"--b\r\nContent-Disposition: form-data; %s\r\n%s\r\n%s\r\n"
            % (disposition.encode(), head, body)
            for disposition, head, body in parts
        )
        + b"--b--\r\n"
    )
)
request_bodies = st.one_of(
    bodies,
    _parts,
    json_texts.map(lambda text: text.encode(errors="replace")),
    st.text("a=&%+;1é").map(str.encode),
)


@fuzzed
@given(bodies | json_texts.map(lambda text: text.encode(errors="replace")), content_types, origins)
def test_any_response_body_comes_back(
    body: bytes, content_type: str | None, origin: Origin
) -> None:
    """Whatever a server sends, value and framing give it back, also out of a file."""
    encoded = encode_response_body(body, content_type, origin)
    read: Any = parse(document_text([encoded.value, encoded.framing]))
    decoded = ResponseBody(read[0], read[1], encoded.kind)
    assert b"".join(decode_response_events(decoded, origin)) == body


@fuzzed
@given(request_bodies, _request_types)
@example(b"&", FORM)
@example(b"--b--\r\n", "multipart/form-data; boundary=b")
def test_a_request_body_keeps_its_value(body: bytes, content_type: str | None) -> None:
    """encode(decode(value)) is the value, for every value that a request can have."""
    value = parse(document_text(encode_request_body(body, content_type)))
    assert encode_request_body(*decode_request_body(value)) == value


@fuzzed
@given(json_values)
def test_any_value_is_a_request_body_or_refused(value: Any) -> None:
    """Any JSON value in the place of a request body is one, or an error of ours."""
    with suppress(MalformedRecording):
        decode_request_body(value)
