"""Two requests are the same or they differ in a place that is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_body import FORM
from tests.test_json import fuzzed, json_values
from vcr_llm._body import encode_request_body
from vcr_llm._errors import ConfigurationError
from vcr_llm._json import JSON, parse, render, sorted_text
from vcr_llm._keyed_request import WrittenRequest
from vcr_llm._request_key import (
    Absent,
    Difference,
    differences,
    normalized_body,
    parse_ignored_path,
    request_key,
    shortened,
)
from vcr_llm._tagged import tag

URL = "https://api.openai.com/v1/chat/completions"


def request(body: Any = None, url: str = URL, method: str = "POST") -> dict[str, Any]:
    """A document's request."""
    return {"method": method, "url": url, "body": body}


def calls(first: str, second: str, answered: str) -> dict[str, Any]:
    """A conversation in which one of two tool calls was answered."""
    return {
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": first}, {"id": second}]},
            {"role": "tool", "tool_call_id": answered, "content": "42"},
        ]
    }


def tool_use(name: str, answered: str) -> dict[str, Any]:
    """The same in Anthropic's words."""
    return {
        "messages": [
            {"content": [{"type": "tool_use", "id": name, "name": "f"}]},
            {"content": [{"type": "tool_result", "tool_use_id": answered}]},
        ]
    }


def bedrock(name: str, answered: str) -> dict[str, Any]:
    """The same as Bedrock's Converse has it."""
    return {
        "messages": [
            {"content": [{"toolUse": {"toolUseId": name, "name": "f"}}]},
            {"content": [{"toolResult": {"toolUseId": answered}}]},
        ]
    }


def gemini(name: str, answered: str) -> dict[str, Any]:
    """The same as Gemini has it."""
    return {
        "contents": [
            {"parts": [{"functionCall": {"id": name, "name": "f"}}]},
            {"parts": [{"functionResponse": {"id": answered, "name": "f"}}]},
        ]
    }


def multipart(boundary: str) -> JSON:
    """A multipart body with this boundary, as a value."""
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--{boundary}--\r\n'
    )
    return encode_request_body(body.encode(), f"multipart/form-data; boundary={boundary}")


SAME: list[tuple[str, Any, Any]] = [
    (
        "key order where an id should be",
        request({"id": 1, "call_id": {"a": 1, "b": 2.0}}),
        request({"call_id": {"b": 2, "a": 1}, "id": 1}),
    ),
    ("key order", request({"a": 1, "b": [2]}), request({"b": [2], "a": 1})),
    ("1 and 1.0", request({"a": 1}), request({"a": 1.0})),
    ("the sixth decimal place", request({"a": 0.1234561}), request({"a": 0.1234559})),
    ("0 and -0", request([0]), request([parse("-0")])),
    ("the default port", request(), request(url="https://api.openai.com:443/v1/chat/completions")),
    ("the host's case", request(), request(url="https://API.openai.com/v1/chat/completions")),
    ("no path and /", request(url="https://h"), request(url="https://h/")),
    (
        "a placeholder in the path",
        request(url="https://h/r/<TEST ü>/é|{a}[0]"),
        request(url="https://h/r/%3CTEST%20%C3%BC%3E/%C3%A9%7C%7Ba%7D%5B0%5D"),
    ),
    ("the order of the query", request(url="http://h/?a=1&b=2"), request(url="http://h/?b=2&a=1")),
    ("a fragment", request(url="http://h/#a"), request(url="http://h/#b")),
    (
        "the order of a form",
        request(tag(FORM, [["b", "2"], ["a", "1"]])),
        request(tag(FORM, [["a", "1"], ["b", "2"]])),
    ),
    ("a multipart boundary", request(multipart("x")), request(multipart("yyy"))),
    (
        "ids of tool calls",
        request(calls("a", "b", "b")),
        request(calls("call_1", "call_2", "call_2")),
    ),
    ("ids of tool uses", request(tool_use("a", "a")), request(tool_use("toolu_1", "toolu_1"))),
    (
        "ids of function calls",
        request({"input": [{"call_id": "a"}, {"call_id": "a"}]}),
        request({"input": [{"call_id": "b"}, {"call_id": "b"}]}),
    ),
    ("Bedrock's tool uses", request(bedrock("a", "a")), request(bedrock("tooluse_1", "tooluse_1"))),
    ("Gemini's function calls", request(gemini("a", "a")), request(gemini("x1", "x1"))),
]

DIFFERENT: list[tuple[str, Any, Any, list[str]]] = [
    ("the method", request(), request(method="GET"), ["method"]),
    ("the scheme", request(), request(url=URL.replace("https", "http")), ["scheme", "port"]),
    ("the host", request(), request(url="https://x/v1/chat/completions"), ["host"]),
    ("the port", request(), request(url=URL.replace(".com", ".com:8443")), ["port"]),
    ("the path", request(), request(url="https://api.openai.com/v1/responses"), ["path"]),
    (
        "a query parameter",
        request(url="http://h/?a=1&b=1"),
        request(url="http://h/?a=2&b=1"),
        ["query.a"],
    ),
    ("a path that says %", request(url="http://h/%25"), request(url="http://h/%"), ["path"]),
    ("an encoded slash", request(url="http://h/a%2Fb"), request(url="http://h/a/b"), ["path"]),
    ("a missing parameter", request(url="http://h/?a=1"), request(url="http://h/"), ["query.a"]),
    ("true and 1", request({"a": 1}), request({"a": True}), ["a"]),
    ("false and 0", request([0]), request([False]), ["[0]"]),
    ("null and nothing", request({"a": None}), request({}), ["a"]),
    ("text and a number", request({"a": "1"}), request({"a": 1}), ["a"]),
    ("a body and none", request({}), request(None), ["body"]),
    (
        "a changed prompt",
        request({"messages": [{"content": "a"}, {"content": "b"}]}),
        request({"messages": [{"content": "a"}, {"content": "c"}]}),
        ["messages[1].content"],
    ),
    (
        "an added message",
        request({"messages": [{"content": "a"}]}),
        request({"messages": [{"content": "a"}, {"content": "b"}]}),
        ["messages[1]"],
    ),
    ("a longer list", request([1, 2]), request([1]), ["[1]"]),
    (
        "an answer to another tool call",
        request(calls("a", "b", "b")),
        request(calls("a", "b", "a")),
        ["messages[1].tool_call_id"],
    ),
    (
        "a form's pair",
        request(tag(FORM, [["a", "1"]])),
        request(tag(FORM, [["a", "2"]])),
        ["__data__[0][1]"],
    ),
    ("an id that is none of a tool call", request({"id": "a"}), request({"id": "b"}), ["id"]),
]

NUMBERS = [
    ("1", "1.0", "1e0", "1.00", "10E-1"),
    ("100000000000000000000", "1e20", "1e+20", "1E20", "100000000000000000000.0"),
    ("0", "-0", "0.0", "-0.0", "0e5", "1e-400"),
    ("1e400", "1E400", "10e399", "1e+400"),
    ("-1.93e-3", "-1.93e-03", "-0.00193"),
]

UNEQUAL_NUMBERS = [
    ("123456789012345678901234567890123456.0", "123456789012345678901234567890123457.0"),
    ("1e400", "1e401"),
    ("1e400", "-1e400"),
    ("9007199254740993", "9007199254740992"),
    ("9007199254740993.0", "9007199254740995.0"),
]

PATHS: list[tuple[str, tuple[str | int, ...]]] = [
    ("metadata", ("metadata",)),
    ("messages[*].name", ("messages", "*", "name")),
    ("messages[0]", ("messages", 0)),
    ("a.b.c", ("a", "b", "c")),
    ("[1].a", (1, "a")),
    ("a[0][*]", ("a", 0, "*")),
]

IGNORED: list[tuple[str, Any, Any, list[str]]] = [
    ("a member", {"a": 1, "m": 2}, {"a": 1, "m": 3}, ["m"]),
    ("a missing member", {"a": 1}, {"a": 1, "m": 3}, ["m"]),
    ("a member of every item", [{"n": 1}, {"n": 2}], [{"n": 3}, {}], ["[*].n"]),
    ("an item", [1, 2], [3, 2], ["[0]"]),
    ("every member", {"m": {"a": 1}}, {"m": {"b": 2}}, ["m.*"]),
    ("what is not there", {"a": 1}, {"a": 1}, ["a.b.c", "b[3]", "a[0]", "[5]"]),
]

IDS = [row[0] for row in SAME]


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in SAME], ids=IDS)
def test_what_says_the_same_has_one_key(one: Any, other: Any) -> None:
    """Spelling, order and random ids do not count, and no difference is named."""
    assert request_key(one) == request_key(other)
    assert differences(one, other) == []


@pytest.mark.parametrize(
    ("one", "other", "paths"), [row[1:] for row in DIFFERENT], ids=[row[0] for row in DIFFERENT]
)
def test_what_says_something_else_is_named_by_its_path(
    one: Any, other: Any, paths: list[str]
) -> None:
    """A difference has the path of its place, seen from either side."""
    assert request_key(one) != request_key(other)
    assert [found.path for found in differences(one, other)] == paths
    assert [found.path for found in differences(other, one)] == paths


@pytest.mark.parametrize("spellings", NUMBERS)
def test_one_number_has_one_key(spellings: tuple[str, ...]) -> None:
    """However a number is spelled, it is that number."""
    assert len({request_key(request([parse(text)])) for text in spellings}) == 1


@pytest.mark.parametrize(("one", "other"), UNEQUAL_NUMBERS)
def test_two_numbers_have_two_keys(one: str, other: str) -> None:
    """Numbers beyond a float's precision are still told apart."""
    assert request_key(request([parse(one)])) != request_key(request([parse(other)]))


@pytest.mark.parametrize(
    "text",
    ["1e1000000", "1e99999999999999999999", "-1e-99999999999999999999", "9" * 400 + ".5"],
    ids=["large", "larger", "small", "large with a fraction"],
)
def test_a_number_of_any_size_has_a_key(text: str) -> None:
    """No number is too large to be compared."""
    assert request_key(request([parse(text)])) == request_key(request([parse(text)]))


@pytest.mark.parametrize(("path", "segments"), PATHS)
def test_an_ignored_path_has_segments(path: str, segments: tuple[str | int, ...]) -> None:
    """Names, indexes and stars are told apart."""
    assert parse_ignored_path(path) == segments


@pytest.mark.parametrize("path", ["", "a[", "a[x]", "a..b", "[]", "a]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    """A mistake in a path is an error that shows how one is written."""
    with pytest.raises(ConfigurationError, match=r'is no path; write "metadata"'):
        parse_ignored_path(path)


@pytest.mark.parametrize(
    ("one", "other", "ignore"), [row[1:] for row in IGNORED], ids=[row[0] for row in IGNORED]
)
def test_what_is_ignored_decides_nothing(one: Any, other: Any, ignore: list[str]) -> None:
    """Places that the user names are left out of the key and of the differences."""
    paths = [parse_ignored_path(path) for path in ignore]
    assert request_key(request(one), paths) == request_key(request(other), paths)
    assert differences(request(one), request(other), paths) == []


def test_ignoring_leaves_the_request_as_it_is() -> None:
    """What is left out of a comparison is not taken out of the document."""
    body: Any = {"m": {"a": 1}, "l": [1]}
    normalized_body(body, [("m", "a"), ("l", 0)])
    assert body == {"m": {"a": 1}, "l": [1]}


def test_a_difference_reads_as_a_sentence() -> None:
    """Both values are shown, and what one side lacks is nothing."""
    assert str(Difference("a.b", "x", 2)) == 'a.b: recorded "x", this request has 2'
    assert str(Difference("a", None, {"b": 1})) == 'a: recorded null, this request has {"b": 1}'
    assert str(Difference("a", Absent.ABSENT, "")) == 'a: recorded nothing, this request has ""'


def test_long_values_are_cut_to_where_they_differ() -> None:
    """The neighbourhood of the first difference is enough."""
    one, other = shortened("a" * 500 + "X" + "b" * 500, "a" * 500 + "Y" + "b" * 500)
    assert one.startswith("…aaa")
    assert "X" in one
    assert "Y" in other
    assert other.endswith("bbb…")
    assert max(len(one), len(other)) < 200
    assert shortened("a" * 300, "a" * 299)[1].endswith("a")
    assert shortened("short", "texts") == ("short", "texts")


@pytest.mark.parametrize("calls_", [None, {}, "x", [1, None], [{}], [{"id": 3}], [{"id": None}]])
def test_tool_calls_of_any_kind_have_a_key(calls_: Any) -> None:
    """What is no list of calls with ids is compared like any other value."""
    one, other = request({"tool_calls": calls_}), request({"tool_calls": calls_, "n": 1})
    assert request_key(one) == request_key(request({"tool_calls": calls_}))
    assert request_key(one) != request_key(other)


@pytest.mark.parametrize("url", ["http://[x", "http://h:x/", "", None, 1])
def test_a_url_of_any_kind_has_a_key(url: Any) -> None:
    """A URL that is none can still be compared, or is refused by an error of ours."""
    assert request_key(request(url=url)) == request_key(request(url=url))


@pytest.mark.parametrize("data", [None, "a=1", [1], [["a"]], {}])
def test_a_form_of_any_kind_has_a_key(data: Any) -> None:
    """A form that was edited by hand into something else can still be compared."""
    assert request_key(request(tag(FORM, data))) == request_key(request(tag(FORM, data)))


@fuzzed
@given(json_values)
def test_a_key_is_of_the_value_not_of_the_text(value: Any) -> None:
    """A value has the same key however its text is laid out and its members are ordered."""
    again: Any = parse(render(value, "indent-2+ascii"))
    assert request_key(request(again)) == request_key(request(value))
    assert differences(request(again), request(value)) == []


@fuzzed
@given(json_values, json_values)
def test_unequal_keys_are_explained(one: Any, other: Any) -> None:
    """Where two bodies do not match, there is a difference to name, and none where they do."""
    same = request_key(request(one)) == request_key(request(other))
    assert same == (differences(request(one), request(other)) == [])
    for found in differences(request(one), request(other)):
        assert str(found)


@fuzzed
@given(json_values, st.lists(st.sampled_from(["a", "[*].a", "*", "[0]", "a[0].b"]), max_size=2))
def test_normalising_twice_is_normalising_once(value: Any, ignore: list[str]) -> None:
    """What matching sees of a body does not change when it is looked at again."""
    paths = [parse_ignored_path(path) for path in ignore]
    once = normalized_body(value, paths)
    assert render(normalized_body(once, paths)) == render(once)


@fuzzed
@given(json_values, st.data())
def test_what_is_written_alike_has_one_key(value: Any, data: st.DataObject) -> None:
    """The shorter comparison never says yes where the keys say no."""
    near = [value, parse(render(value)), [value], data.draw(json_values), True, 1, 1.0, "1"]
    other = data.draw(st.sampled_from(near))
    one, two = WrittenRequest(request(value)), WrittenRequest(request(other))
    assert not one.is_like(two) or request_key(one.request) == request_key(two.request)
    if sorted_text(value) is not None:
        assert one.is_like(WrittenRequest(request(parse(render(value)))))


def test_key_order_does_not_renumber_tool_calls() -> None:
    """The order in which a client writes its members does not change who refers to whom."""
    one: Any = calls("a", "b", "b")
    other = json.loads(json.dumps(one, sort_keys=True))
    assert request_key(request(one)) == request_key(request(other))
