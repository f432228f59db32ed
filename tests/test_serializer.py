"""vcrpy's serializer: what is read and not changed is written as it was."""

from __future__ import annotations

from typing import Any

import pytest
import vcr
from hypothesis import given
from hypothesis import strategies as st

from tests.test_document import EXCHANGES, whole
from tests.test_foreign import FOREIGN, TOOL_CALL
from tests.test_json import fuzzed, json_values
from vcr_llm import MalformedRecording, serializer
from vcr_llm._json import document_text, parse
from vcr_llm._options import Options
from vcr_llm._recording import new_recording
from vcr_llm._tagged import tag

UNREADABLE: list[tuple[str, str, str]] = [
    ("nothing", "", r"is empty, where a recording \(a JSON object\) was expected"),
    ("blank lines", " \n\n", "is empty"),
    ("a byte order mark", "\ufeff{}", "begins with a byte order mark"),
    ("no JSON", '{"a": 1,\n "b" 2}', r"is not valid JSON: line 2, column 6"),
    ("cut off", '{"test_id": null, "req', r"is not valid JSON: line 1, column 19"),
    ("NaN", '{"a": NaN}', "NaN is not JSON"),
    ("too deep", "[" * 1_000_000, "nested more than"),
    ("a list", "[1]", r"holds a list, where a recording \(a JSON object\) was expected"),
    ("a word", '"x"', "holds a single value"),
    ("no recording", "{}", "request is missing|response is missing"),
    ("a cassette of no list", '{"recordings": {}}', "recordings should be a list"),
    ("a cassette of numbers", '{"recordings": [1]}', "list of JSON objects"),
]


def written(document: Any) -> Any:
    """The value that a document's text has after it went through the serializer."""
    return parse(serializer.serialize(serializer.deserialize(document_text(document))))


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
@pytest.mark.parametrize("recorded_at", [{}, {"recorded_at": "2025-01-01T00:00:00Z"}])
def test_a_recording_is_written_as_it_was_read(exchange: Any, recorded_at: dict[str, str]) -> None:
    """Reading and writing a recording changes no value in it."""
    document = {**exchange.document, **recorded_at}
    text = document_text(document)
    assert serializer.serialize(serializer.deserialize(text)) == text


@pytest.mark.parametrize("document", [row[1] for row in FOREIGN], ids=[row[0] for row in FOREIGN])
def test_a_recording_of_others_is_written_as_it_was_read(document: dict[str, Any]) -> None:
    """Quirks, unknown keys, nulls, tool calls and exceptions come back."""
    assert document_text(written(document)) == document_text(document)


@pytest.mark.parametrize(
    "response",
    [
        {"headers": {"content-encoding": "gzip"}},
        {"headers": {"Content-Encoding": "br", "content-length": "7", "x": "y"}},
        {"headers": {"content-length": "2"}},
        {"headers": {"a": None, "b": ["1", None]}},
        {"headers": {"A": "1", "a": "2"}},
        {"reason": None},
        {"status": 299},
        {"body": None},
        {"body": tag("str", "")},
        {"body": tag("bytes", "")},
    ],
)
def test_headers_and_bodies_of_any_kind_are_written_as_they_were(response: dict[str, Any]) -> None:
    """What vcrpy's own shape cannot say is still in the file afterwards."""
    document = whole({"response": response})
    assert written(document) == document


@pytest.mark.parametrize(
    "request_",
    [
        {"body": tag("str", "")},
        {"body": tag("application/x-www-form-urlencoded", [])},
        {"body": tag("multipart/form-data", [])},
        {"headers": {"X": "1", "x": "2"}},
        {"headers": {"X": ["1", "2"]}},
        {"headers": {"content-type": "text/plain"}},
        {"headers": None},
        {"method": "post"},
        {"url": "HTTPS://API.openai.com:443/v1/x?b=1&a=%20#f"},
        {"url": "__databricks__/serving-endpoints"},
        {"url": ""},
    ],
)
def test_requests_of_any_kind_are_written_as_they_were(request_: dict[str, Any]) -> None:
    """Spelling that does not matter to HTTP is still in the file afterwards."""
    document = whole({"request": request_})
    assert written(document) == document


def test_a_cassette_of_several_recordings_is_a_list_of_them() -> None:
    """Several recordings, or metadata, stand in one object."""
    documents: Any = [exchange.document for exchange in EXCHANGES]
    text = document_text({"recordings": documents, "metadata": {"a": 1}})
    cassette = serializer.deserialize(text)
    assert len(cassette["interactions"]) == len(EXCHANGES)
    assert cassette["metadata"] == {"a": 1}
    assert serializer.serialize(cassette) == text


def test_an_empty_cassette_comes_back() -> None:
    """A cassette without recordings is one."""
    assert written({"recordings": []}) == {"recordings": []}


@pytest.mark.parametrize(
    ("text", "message"), [r[1:] for r in UNREADABLE], ids=[r[0] for r in UNREADABLE]
)
def test_what_is_no_recording_is_refused(text: str, message: str) -> None:
    """The error says where in the text, and what was expected."""
    with pytest.raises(MalformedRecording, match=message):
        serializer.deserialize(text)


def test_a_changed_response_is_recorded_anew() -> None:
    """What a hook changes is in the file; test, position and unknown keys stay."""
    document = whole({"test_id": "t", "sequence": 3, "team": "ours"})
    cassette = serializer.deserialize(document_text(document))
    cassette["interactions"][0]["response"]["body"]["string"] = b'{\n  "a": 1\n}\n'
    changed: Any = parse(serializer.serialize(cassette))
    assert changed["response"] == {"body": {"a": 1}, "is_streaming": False}
    assert (changed["test_id"], changed["sequence"], changed["team"]) == ("t", 3, "ours")


def test_a_changed_request_is_recorded_anew() -> None:
    """A body that a hook rewrote is the one that is written, with the address it then has."""
    cassette = serializer.deserialize(document_text(whole({})))
    cassette["interactions"][0]["request"]["body"] = '{"model": "other"}'
    changed: Any = parse(serializer.serialize(cassette))
    assert changed["request"]["body"] == {"model": "other"}
    assert changed["request"]["model"] == "other"


def test_an_interaction_of_vcrpy_is_a_new_recording() -> None:
    """What no document came with is redacted and normalised like any new exchange."""
    exchange = EXCHANGES[1]
    cassette = serializer.deserialize(document_text(exchange.document))
    del cassette["interactions"][0]["response"]["recording"]
    fresh: Any = parse(serializer.serialize(cassette))
    expected: Any = new_recording(exchange.interaction, Options()).document
    assert fresh["response"] == expected["response"]
    assert fresh["test_id"] is None


def test_vcrpy_takes_it_by_name(tmp_path: Any) -> None:
    """The serializer works with vcrpy's own persister: a cassette in one file, read and kept."""
    path = tmp_path / "cassette.json"
    text = document_text(whole({}))
    path.write_text(text, encoding="utf-8")
    host = vcr.VCR(serializer="llm", record_mode=vcr.mode.NONE)
    host.register_serializer("llm", serializer)
    with host.use_cassette(str(path)) as cassette:
        assert cassette.requests[0].uri == "https://api.openai.com/v1/chat/completions"
        assert cassette.responses[0]["body"]["string"] == b"{}\n"
    assert path.read_text(encoding="utf-8") == text


_keys = st.sampled_from(["id_normalization_mapping", "sequence", "recorded_at", "x", "metadata"])
_labels = st.sampled_from(["a.b.C", "os.system", "str2", "", "openai.types.model.Model", "é"])
_payloads = st.one_of(
    json_values,
    st.builds(tag, _labels, json_values),
    st.just(tag("str", "hello")),
    st.just(tag("bytes", "/wA=")),
)
_requests = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["POST", "GET"]),
        "url": st.sampled_from(
            [
                "https://api.openai.com/v1/v1/chat/completions",
                "http://0.0.0.0:11434/api/ps",
                "http://0.0.0.0:11434/v1/models",
                "__databricks__/serving-endpoints",
                "https://h/x?a=b",
            ]
        ),
        "headers": st.sampled_from([{}, {"x": "y"}]),
        "body": st.one_of(
            st.just({}), st.dictionaries(st.text(max_size=3), json_values, max_size=3), json_values
        ),
        "endpoint": st.sampled_from(
            ["/v1/chat/completions", "/api/ps", "/v1/models", "/v1/embeddings", "/api/chat"]
        ),
        "model": st.none() | st.text(max_size=4),
    }
)
_aiohttp_requests = st.fixed_dictionaries(
    {"url": st.just("https://h/v1/rerank"), "method": st.just("POST"), "payload": json_values}
)
_tools = st.fixed_dictionaries(
    {
        "test_id": st.none() | st.just("t"),
        "provider": st.sampled_from(["search", "é", "", "a/b"]),
        "tool_name": st.text(max_size=5),
        "kwargs": st.dictionaries(st.text(max_size=3), json_values, max_size=3),
    }
)
_responses = st.one_of(
    st.fixed_dictionaries({"body": _payloads, "is_streaming": st.just(False)}),
    st.fixed_dictionaries(
        {"body": st.lists(_payloads, max_size=3), "is_streaming": st.booleans()},
        optional={"provider_metadata": json_values},
    ),
    st.fixed_dictionaries(
        {
            "body": st.lists(_payloads, max_size=2) | st.none(),
            "is_streaming": st.booleans(),
            "is_exception": st.just(True),
            "exception_data": st.fixed_dictionaries(
                {"type": st.just("E"), "message": json_values},
                optional={"status_code": st.sampled_from([400, 429]), "body": json_values},
            ),
            "exception_message": st.text(max_size=4),
        }
    ),
)
recordings = st.builds(
    lambda parts, more: {**parts, **more},
    st.fixed_dictionaries(
        {"request": _requests | _aiohttp_requests | _tools, "response": _responses},
        optional={"test_id": st.none() | st.text(max_size=5)},
    ),
    st.dictionaries(_keys, json_values, max_size=2),
)


@fuzzed
@given(recordings)
def test_any_recording_of_the_documented_shape_is_written_as_it_was(
    document: dict[str, Any],
) -> None:
    """Unknown keys, odd labels, nulls, tool calls, exceptions and odd URLs: the same JSON value."""
    try:
        cassette = serializer.deserialize(document_text(document))
    except MalformedRecording as error:
        # Only text and bytes promise something that their content may not keep.
        assert "should be" in str(error) or "base64" in str(error) or "no server" in str(error)  # noqa: PT017
        return
    assert document_text(parse(serializer.serialize(cassette))) == document_text(document)


def test_a_tool_call_carries_its_request() -> None:
    """A tool call reads as an exchange of its own kind, which no HTTP request is ever taken for."""
    (interaction,) = serializer.deserialize(document_text(TOOL_CALL))["interactions"]
    assert interaction["request"]["uri"] == "tool://search/web_search"
    assert interaction["request"]["method"] == "CALL"
