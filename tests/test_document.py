"""An exchange as a document and back: the documented keys, and extensions only where needed."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_body import content_types, request_bodies
from tests.test_json import fuzzed, json_texts, json_values
from tests.test_stream_body import DONE, bodies, chunk, chunk_text
from vcr_llm._document import (
    from_document,
    parse_document,
    played_response,
    request_document,
    to_document,
)
from vcr_llm._errors import MalformedRecording
from vcr_llm._interaction import Headers, Interaction, Request, Response, header
from vcr_llm._json import document_text, parse
from vcr_llm._labels import label_of
from vcr_llm._options import Options
from vcr_llm._recording import new_recording, with_sequence
from vcr_llm._tagged import tag

COMPLETION = "openai.types.chat.chat_completion.ChatCompletion"
CHUNK = "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"
JSON_TYPE = ("content-type", "application/json")
SSE_TYPE = ("content-type", "text/event-stream; charset=utf-8")
CHAT_URL = "https://api.openai.com/v1/chat/completions"


class Exchange(NamedTuple):
    """One exchange in both forms."""

    name: str
    interaction: Interaction
    document: dict[str, Any]


def _request(
    body: bytes | None = b'{"model":"gpt-4o"}', url: str = CHAT_URL, **more: Any
) -> Request:
    headers = () if body is None else (JSON_TYPE,)
    return Request(more.get("method", "POST"), url, more.get("headers", headers), body)


def _document(
    response: dict[str, Any], test_id: str | None = None, **request: Any
) -> dict[str, Any]:
    described = {
        "method": "POST",
        "url": CHAT_URL,
        "headers": {},
        "body": {"model": "gpt-4o"},
        "endpoint": "/v1/chat/completions",
        "model": "gpt-4o",
    }
    return {"test_id": test_id, "request": described | request, "response": response}


def _answer(
    body: bytes, *headers: tuple[str, str], status: int = 200, reason: str = "OK"
) -> Response:
    return Response(status, reason, headers, body)


ANSWER: Any = {"object": "chat.completion", "id": "c"}
ANSWER_BYTES = b'{\n  "object": "chat.completion",\n  "id": "c"\n}\n'
ANSWER_DOCUMENT = {"body": tag(COMPLETION, ANSWER), "is_streaming": False}

EXCHANGES = [
    Exchange(
        "an answer",
        Interaction(_request(), _answer(ANSWER_BYTES, JSON_TYPE), "tests/test_a.py::test_b[c]"),
        _document(ANSWER_DOCUMENT, "tests/test_a.py::test_b[c]"),
    ),
    Exchange(
        "a stream",
        Interaction(_request(), _answer(f"data: {chunk_text('a')}\n\n{DONE}".encode(), SSE_TYPE)),
        _document({"body": [tag(CHUNK, chunk("a"))], "is_streaming": True}),
    ),
    Exchange(
        "a stream with framing",
        Interaction(
            _request(), _answer(b'\xef\xbb\xbfdata: {"a": 1, "b": 2 }\r\n\r\n: x\n', SSE_TYPE)
        ),
        _document(
            {
                "body": [{"a": 1, "b": 2}, {"__comment__": "x"}],
                "is_streaming": True,
                "framing": {
                    "line_end": "\r\n",
                    "json": "spaced",
                    "before": "\ufeff",
                    "done": False,
                    "padding": [1, 0],
                    "events": {"1": {"line_end": "\n", "end": "\n"}},
                },
            }
        ),
    ),
    Exchange(
        "Azure, whose URL names the model",
        Interaction(
            _request(
                b"{}",
                "https://x.openai.azure.com/openai/deployments/gpt%204o/embeddings?api-version=1",
            ),
            _answer(b'{"data":[]}\n', JSON_TYPE),
        ),
        _document(
            {
                "body": tag(
                    "openai.types.create_embedding_response.CreateEmbeddingResponse", {"data": []}
                ),
                "is_streaming": False,
            },
            url="https://x.openai.azure.com/openai/deployments/gpt%204o/embeddings?api-version=1",
            body={},
            endpoint="/openai/deployments/gpt%204o/embeddings",
            model="gpt 4o",
        ),
    ),
    Exchange(
        "a request without a body",
        Interaction(
            _request(None, "https://api.openai.com/v1/files/f/content", method="GET"),
            _answer(b"\xff\x00", ("content-type", "application/octet-stream")),
        ),
        _document(
            {"body": tag("bytes", "/wA="), "is_streaming": False},
            method="GET",
            url="https://api.openai.com/v1/files/f/content",
            body=None,
            endpoint="/v1/files/f/content",
            model=None,
        ),
    ),
    Exchange(
        "a rate limit",
        Interaction(
            _request(),
            _answer(
                b"{}\n", JSON_TYPE, ("Retry-After", "2"), status=429, reason="Too Many Requests"
            ),
        ),
        _document(
            {
                "body": {},
                "is_streaming": False,
                "status": 429,
                "headers": {"Retry-After": "2"},
            }
        ),
    ),
    Exchange(
        "a reason of its own, no content",
        Interaction(_request(), _answer(b"", status=204, reason="")),
        _document({"body": None, "is_streaming": False, "status": 204, "reason": ""}),
    ),
    Exchange(
        "a status that nobody assigned",
        Interaction(_request(), _answer(b"", ("location", "/x"), status=599, reason="")),
        _document(
            {"body": None, "is_streaming": False, "status": 599, "headers": {"location": "/x"}}
        ),
    ),
    Exchange(
        "JSON without a content type",
        Interaction(_request(), _answer(b"{}\n")),
        _document({"body": {}, "is_streaming": False, "headers": {"content-type": None}}),
    ),
    Exchange(
        "JSON under another content type",
        Interaction(_request(), _answer(b"{}\n", ("Content-Type", "text/plain"))),
        _document({"body": {}, "is_streaming": False, "headers": {"Content-Type": "text/plain"}}),
    ),
    Exchange(
        "a header that comes twice",
        Interaction(_request(), _answer(b"{}\n", JSON_TYPE, ("Link", "<a>"), ("Link", "<b>"))),
        _document({"body": {}, "is_streaming": False, "headers": {"Link": ["<a>", "<b>"]}}),
    ),
    Exchange(
        "another layout of JSON",
        Interaction(_request(), _answer(b' {"a": 1, "b": 2}', JSON_TYPE)),
        _document(
            {
                "body": {"a": 1, "b": 2},
                "is_streaming": False,
                "framing": {"json": "spaced", "start": " ", "end": ""},
            }
        ),
    ),
    Exchange(
        "no layout of JSON",
        Interaction(_request(), _answer(b'{"a":1,"a":2}', JSON_TYPE)),
        _document({"body": {"a": 2}, "is_streaming": False, "framing": {"raw": '{"a":1,"a":2}'}}),
    ),
    Exchange(
        "lines",
        Interaction(_request(), _answer(b'{"a":1}\n', ("content-type", "application/x-ndjson"))),
        _document(
            {"body": [{"a": 1}], "is_streaming": True, "framing": {"kind": "ndjson"}},
        ),
    ),
    Exchange(
        "two content types, the first of which the body implies",
        Interaction(
            _request(),
            _answer(
                b'{"a":1}\n',
                ("Content-Type", "application/x-ndjson"),
                ("Content-Type", "text/event-stream"),
            ),
        ),
        _document(
            {
                "body": [{"a": 1}],
                "is_streaming": True,
                "headers": {"Content-Type": ["application/x-ndjson", "text/event-stream"]},
                "framing": {"kind": "ndjson"},
            },
        ),
    ),
]

MODELS: list[tuple[bytes, str, str, str | None]] = [
    (b'{"model":"m"}', "application/json", "https://h/v1/x", "m"),
    (b'{"model":1}', "application/json", "https://h/v1/x", None),
    (b"[]", "application/json", "https://h/v1/x", None),
    (b"a=1&model=m", "application/x-www-form-urlencoded", "https://h/v1/x", "m"),
    (
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
        "https://h/v1/x",
        "whisper-1",
    ),
    (b"hello", "text/plain", "https://h/v1/x", None),
    (
        b"{}",
        "application/json",
        "https://h/model/anthropic.claude%3A0/converse",
        "anthropic.claude:0",
    ),
    (
        b"{}",
        "application/json",
        "https://h/v1beta/models/gemini-2:streamGenerateContent",
        "gemini-2",
    ),
]

BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("no request", {"request": None}, "request is missing"),
    ("no response", {"response": None}, "response is missing"),
    ("a request that is a list", {"request": []}, "request should be an object"),
    ("a response that is text", {"response": "x"}, "response should be an object"),
    ("no method", {"request": {"method": None}}, r"request\.method is missing"),
    (
        "a method that is a number",
        {"request": {"method": 1}},
        r"request\.method should be a string",
    ),
    ("no url", {"request": {"url": None}}, r"request\.url is missing"),
    ("a url that is an object", {"request": {"url": {}}}, r"request\.url should be a string"),
    ("a url that is none", {"request": {"url": "http://[x"}}, r"request\.url"),
    (
        "headers that are a list",
        {"request": {"headers": [1]}},
        r"request\.headers should be an object",
    ),
    (
        "a header that is a number",
        {"response": {"headers": {"a": 1}}},
        r"response\.headers\.a should be a string or a list of strings",
    ),
    ("no is_streaming", {"response": {"is_streaming": None}}, r"response\.is_streaming is missing"),
    (
        "is_streaming as text",
        {"response": {"is_streaming": "yes"}},
        r"response\.is_streaming should be true or false",
    ),
    ("a stream that is no list", {"response": {"is_streaming": True}}, "a list of events"),
    ("a status as text", {"response": {"status": "200"}}, r"response\.status should be an integer"),
    ("a status that is true", {"response": {"status": True}}, r"response\.status should be"),
    (
        "a reason that is a number",
        {"response": {"reason": 1}},
        r"response\.reason should be a string",
    ),
    (
        "framing that is a list",
        {"response": {"framing": []}},
        r"response\.framing should be an object",
    ),
    (
        "a kind of stream that does not exist",
        {"response": {"is_streaming": True, "body": [], "framing": {"kind": "xml"}}},
        r"response\.framing\.kind should be one of sse, ndjson",
    ),
    (
        "a layout that does not exist",
        {"response": {"framing": {"json": "x"}}},
        "'x' is no JSON layout",
    ),
    ("raw text that is none", {"response": {"framing": {"raw": "\ud800"}}}, "framing"),
    ("a test that is a number", {"test_id": 1}, "test_id should be a string or null"),
    ("a body that is no base64", {"response": {"body": tag("bytes", "a")}}, "is no base64"),
]


def whole(changes: dict[str, Any]) -> dict[str, Any]:
    """A document of ours with these changes; an object changes the members that it names."""
    document: dict[str, Any] = _document({"body": {}, "is_streaming": False})
    document["recorded_at"] = "2025-01-01T00:00:00Z"
    for key, change in changes.items():
        document[key] = document[key] | change if isinstance(change, dict) else change
    return document


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
def test_an_exchange_is_a_document(exchange: Exchange) -> None:
    """The documented keys in their order, then only the extensions that this exchange needs."""
    document = to_document(exchange.interaction)
    assert document == exchange.document
    assert list(document) == ["test_id", "request", "response"]
    assert list(exchange.document["request"]) == list(
        request_document(exchange.interaction.request)
    )
    response: Any = document["response"]
    assert list(response)[:2] == ["body", "is_streaming"]


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
def test_a_document_is_an_exchange(exchange: Exchange) -> None:
    """What was recorded comes back: status, reason, headers worth keeping, every byte."""
    back = from_document(parse_document(document_text({**exchange.document, "recorded_at": "x"})))
    assert back == exchange.interaction


def test_the_documented_keys_stand_in_their_order() -> None:
    """A plain recording holds the documented keys and the time, nothing else."""
    interaction = Interaction(_request(), _answer(ANSWER_BYTES, JSON_TYPE))
    document: Any = new_recording(interaction, Options()).document
    assert list(document) == ["test_id", "request", "response", "recorded_at"]
    assert list(document["request"]) == ["method", "url", "headers", "body", "endpoint", "model"]
    assert list(document["response"]) == ["body", "is_streaming"]


def test_a_position_stands_before_the_time() -> None:
    """A recording's position is added, changed and taken away; other keys keep their places."""
    document = {**whole({}), "x": 1}
    assert list(with_sequence(document, 0))[-3:] == ["x", "sequence", "recorded_at"]
    assert with_sequence(with_sequence(document, 3), None) == document
    assert list(with_sequence({"request": {}}, 1)) == ["request", "sequence"]


def test_headers_are_kept_where_they_are_asked_for() -> None:
    """Request headers are left out but for those that are named, response noise likewise."""
    request = _request(headers=(("X-Team", "a"), ("authorization", "Bearer x"), JSON_TYPE))
    response = _answer(b"{}\n", JSON_TYPE, ("date", "today"), ("x-request-id", "1"))
    document: Any = to_document(
        Interaction(request, response),
        keep_request_headers=("x-*",),
        keep_response_headers=("Date",),
    )
    assert document["request"]["headers"] == {"X-Team": "a"}
    assert document["response"]["headers"] == {"date": "today"}


@pytest.mark.parametrize(("body", "content_type", "url", "model"), MODELS)
def test_the_model_is_found(body: bytes, content_type: str, url: str, model: str | None) -> None:
    """The model that was asked for stands in the body, a form's field or the URL."""
    request = Request("POST", url, (("content-type", content_type),), body)
    assert request_document(request)["model"] == model


def test_a_document_without_content_type_gets_the_one_its_body_says() -> None:
    """A client reads the body as what it is, as in recordings that know no headers."""
    assert header(from_document(whole({})).response.headers, "content-type") == "application/json"


def test_a_request_read_back_says_what_its_body_is() -> None:
    """A request out of a document has a content type, its own if it was kept."""
    plain = from_document(whole({})).request
    assert header(plain.headers, "content-type") == "application/json"
    kept = from_document(whole({"request": {"headers": {"Content-Type": "application/x+json"}}}))
    assert kept.request.headers == (("Content-Type", "application/x+json"),)


def test_events_come_one_by_one() -> None:
    """A replay can send what the server sent, event by event."""
    document = whole({"response": {"is_streaming": True, "body": [1, 2]}})
    assert played_response(document)[1] == [
        b"data: 1\n\n",
        b"data: 2\n\n",
        DONE.encode(),
    ]


@pytest.mark.parametrize(
    ("changes", "message"), [r[1:] for r in BROKEN], ids=[r[0] for r in BROKEN]
)
def test_a_broken_document_is_refused_with_its_place(changes: dict[str, Any], message: str) -> None:
    """A key that is missing or of the wrong type is named, with what was expected."""
    with pytest.raises(MalformedRecording, match=message):
        from_document(whole(changes))


@pytest.mark.parametrize("key", ["method", "url", "body"])
def test_a_missing_key_of_the_request_is_named(key: str) -> None:
    """The request needs its method, URL and body."""
    document = whole({})
    del document["request"][key]
    with pytest.raises(MalformedRecording, match=rf"request\.{key} is missing"):
        from_document(document)


@pytest.mark.parametrize("key", ["body", "is_streaming"])
def test_a_missing_key_of_the_response_is_named(key: str) -> None:
    """The response needs its body and whether it is a stream."""
    document = whole({})
    del document["response"][key]
    with pytest.raises(MalformedRecording, match=rf"response\.{key} is missing"):
        from_document(document)


@pytest.mark.parametrize("depth", [190, 195, 196, 197, 198, 199, 200, 201])
@pytest.mark.parametrize("kind", ["json", "event", "part"])
def test_the_deepest_body_that_is_kept_as_a_value_can_be_read_again(depth: int, kind: str) -> None:
    """What is written is never nested deeper than what is read."""
    nested = b"[" * depth + b"]" * depth
    request, response = _request(), _answer(nested, JSON_TYPE)
    if kind == "event":
        response = _answer(b"event: a\ndata: " + nested + b"\n\n", SSE_TYPE)
    elif kind == "part":
        head = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
        form = (("content-type", "multipart/form-data; boundary=b"),)
        request = _request(head + nested + b"\r\n--b--\r\n", headers=form)
    text = document_text(to_document(Interaction(request, response)))
    assert from_document(parse_document(text)).response.body == response.body


def _headers(content_type: str | None, more: list[tuple[str, str]]) -> Headers:
    return (*more, *([] if content_type is None else [("Content-Type", content_type)]))


_urls = st.sampled_from(
    [
        CHAT_URL,
        "https://api.openai.com/v1/responses?a=1",
        "http://localhost:11434/api/chat",
        "https://x.openai.azure.com/openai/deployments/m/chat/completions",
        "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse",
        "https://example.com",
        "__databricks__/serving-endpoints",
    ]
)
_more_headers = st.lists(
    st.tuples(st.sampled_from(["location", "Link", "retry-after"]), st.text(max_size=4)), max_size=3
).map(lambda pairs: sorted(pairs, key=lambda pair: pair[0]))
_response_bodies = bodies | json_texts.map(lambda text: text.encode(errors="replace"))
interactions = st.builds(
    Interaction,
    st.builds(
        Request,
        st.sampled_from(["POST", "GET"]),
        _urls,
        content_types.map(lambda kind: _headers(kind, [])),
        st.none() | request_bodies,
    ),
    st.builds(
        Response,
        st.sampled_from([200, 201, 404, 429, 500, 599]),
        st.sampled_from(["OK", "", "Not Found"]),
        st.builds(_headers, content_types, _more_headers),
        _response_bodies,
    ),
    st.none() | st.just("tests/test_x.py::test_é[1]"),
)

_words = st.sampled_from(
    [
        "test_id request response method url headers body endpoint model is_streaming",
        "status reason framing kind json raw start end before done order colon line_end padding",
        "recorded_at sequence payload provider tool_name kwargs is_exception message",
        "events data 0 exception_data status_code error",
        "exception_message __type__ __data__ __event__ __id__ __comment__ name",
    ]
).flatmap(lambda line: st.sampled_from(line.split()))
_leaves = st.one_of(
    json_values,
    st.sampled_from(
        [
            *[
                "str",
                "bytes",
                "json",
                "sse",
                "ndjson",
                "multipart/form-data",
                "spaced",
                "http://[",
                "https://h/v1/v1/models",
            ],
            *[
                "application/x-www-form-urlencoded",
                "/v1/models",
                "/api/chat",
                "https://h/",
                "/v1/embeddings",
            ],
            [],
            {},
            True,
            200,
            0,
            "",
            "\ud800",
            "POST",
        ]
    ),
)
_plausible: st.SearchStrategy[Any] = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_words, inner, max_size=6)
    ),
    max_leaves=20,
)


@st.composite
def _mangled(draw: st.DrawFn) -> dict[str, Any]:
    """A good document in which some members were replaced, added or removed."""
    source = draw(st.sampled_from(EXCHANGES)).document
    document: dict[str, Any] = {
        key: dict(part) if isinstance(part, dict) else part for key, part in source.items()
    }
    for _ in range(draw(st.integers(1, 4))):
        part = draw(
            st.sampled_from([document, *(p for p in document.values() if isinstance(p, dict))])
        )
        if part and draw(st.booleans()):
            part[draw(st.sampled_from(sorted(part)))] = deepcopy(draw(_plausible))
        else:
            part[draw(_words)] = deepcopy(draw(_plausible))
    return document


documents = st.one_of(
    _mangled(),
    st.fixed_dictionaries({"request": _plausible, "response": _plausible}),
    st.dictionaries(_words, _plausible),
)


@fuzzed
@given(interactions)
def test_any_exchange_comes_back_out_of_its_file(interaction: Interaction) -> None:
    """Every byte of the response, its status and its content type; the request by value."""
    written = parse_document(document_text({**to_document(interaction), "recorded_at": "x"}))
    back = from_document(written)
    before, after = interaction.response, back.response
    assert (after.status, after.reason, after.body) == (before.status, before.reason, before.body)
    assert header(after.headers, "location") == header(before.headers, "location")
    assert (back.request.method, back.request.url) == (
        interaction.request.method,
        interaction.request.url,
    )
    assert back.test_id == interaction.test_id
    again = to_document(back)
    assert again["request"] == written["request"]


@fuzzed
@given(documents)
def test_any_json_value_is_read_or_refused_by_an_error_of_ours(document: dict[str, Any]) -> None:
    """Whatever stands in a file, reading it gives an exchange or says what is wrong."""
    with suppress(MalformedRecording):
        assert isinstance(from_document(document), Interaction)


@fuzzed
@given(json_values, st.sampled_from(["/v1/chat/completions", "/api/chat", "/v1/responses"]))
def test_a_label_never_depends_on_luck(payload: Any, path: str) -> None:
    """Any JSON value has a label or none, the same after it was written and read."""
    assert label_of(payload, path) == label_of(parse(document_text(payload)), path)
