"""JSON texts come back character for character, whatever their numbers and layout look like."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vcr_llm import _json
from vcr_llm._json import (
    JSON,
    MAX_DEPTH,
    Number,
    children,
    document_text,
    layout_of,
    map_strings,
    parse,
    render,
    render_each,
    sorted_text,
    write_document,
)

# A quick, repeatable run by default; VCR_LLM_FUZZ=10000 looks at that many new examples of each.
_EXAMPLES = int(os.environ.get("VCR_LLM_FUZZ", "0"))
fuzzed = settings(
    max_examples=_EXAMPLES or 40,
    derandomize=not _EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

LAYOUTS = [
    "+".join((base, *escapes))
    for base in ("compact", "spaced", "colon-spaced", "comma-spaced", "indent-2", "indent-tab")
    for escapes in ((), ("ascii",), ("html",), ("html", "quotes"), ("slash", "delete"))
]

NUMBERS = [
    "0",
    "-0",
    "-0.0",
    "1.0",
    "1.50",
    "1E5",
    "1e5",
    "1e+5",
    "1e-05",
    "-1.93e-7",
    "-1.93e-07",
    "1e400",
    "-1e400",
    "1e-400",
    "0.1000",
    "12345678901234567890123456789012345678901234567890",
    "9" * 5000,
    "0.30000000000000004",
    "0.300000000000000044",
]

TEXTS: list[tuple[str, str, str]] = [
    ("compact", '{"a":[1,2,{}],"b":[]}', "compact"),
    ("spaced, as Python writes it", '{"type": "ping", "n": [1, 2]}', "spaced"),
    ("spaced after the colon only, as Google writes it", '{"a": [1,2],"b": 3}', "colon-spaced"),
    ("spaced after the comma only", '{"a":[1, 2], "b":3}', "comma-spaced"),
    ("indented by two", '{\n  "a": [\n    1\n  ],\n  "b": {}\n}', "indent-2"),
    ("indented by four", "[\n    1,\n    2\n]", "indent-4"),
    ("indented by tabs", '{\n\t"a": 1\n}', "indent-tab"),
    ("ASCII only", '{"a":"caf\\u00e9 \\ud83d\\ude00"}', "compact+ascii"),
    ("ASCII only, spaced", '{"a": "\\u00e9", "b": 1}', "spaced+ascii"),
    ("HTML escapes, as Go writes them", '{"a":"\\u003cb\\u003e \\u0026 é"}', "compact+html"),
    ("HTML escapes and ASCII", '{"a":"\\u003cb\\u003e \\u00e9"}', "compact+ascii+html"),
    ("escaped quotes too", '{"a":"\\u003c\\u0027\\u003d"}', "compact+html+quotes"),
    ("escaped slashes, as PHP writes them", '{"a":"https:\\/\\/x"}', "compact+slash"),
    ("escaped DEL", '{"a":"\\u007f"}', "compact+delete"),
    ("lone surrogate", '{"a":"\\ud83d"}', "compact"),
    ("line separators as themselves", '{"a":"\u2028\u2029\x85"}', "compact"),
    ("line separators escaped", '{"a":"\\u2028 \\u2029"}', "compact+html"),
    ("a backslash before what looks like an escape", '{"a":"\\\\u003c"}', "compact"),
    ("the empty object", "{}", "compact"),
    ("a single string", '"x"', "compact"),
    ("null", "null", "compact"),
]

UNUSUAL = [
    ("upper-case escapes", '{"a":"\\u00E9"}'),
    ("an escape that JSON does not ask for", '{"a":"\\u0041"}'),
    ("spaces inside brackets", "{ }"),
    ("a trailing space in an object", '{"a":1 }'),
    ("a duplicate key", '{"a":1,"a":2}'),
    ("indented with CRLF", '{\r\n  "a": 1\r\n}'),
    ("only some slashes escaped", '{"a":"\\/ /"}'),
]


def _is_paired(text: str) -> bool:
    """Whether two surrogates stand side by side that any UTF-16 reader joins into one character."""
    return any(
        "\ud800" <= high <= "\udbff" and "\udc00" <= low <= "\udfff" for high, low in pairwise(text)
    )


characters = st.one_of(
    st.characters(exclude_categories=()),
    st.sampled_from("\"\\/<>&'= \n\r\t\x7f\u2028\u2029\x85\ud83d\ude00é{}[]:,"),
)
strings = st.one_of(
    st.text(characters, max_size=12).filter(lambda text: not _is_paired(text)),
    st.sampled_from(["", "\\u003c", "\\/", "[DONE]", "data: x", "__data__", "sk-no", "1.23456789"]),
)
numbers = st.one_of(
    st.integers(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([parse(text) for text in NUMBERS]),
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, strings),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(strings, st.sampled_from("abc")), inner, max_size=4),
    ),
    max_leaves=12,
)

_space = st.sampled_from(["", "", "", " ", "  ", "\n", "\r\n", "\t"])
_spelled = st.one_of(
    strings.map(lambda text: render(text, "compact")),
    strings.map(lambda text: render(text, "compact+ascii+html")),
    st.sampled_from([*NUMBERS, "true", "false", "null", '"\\u00E9"', '"\\/"', '"\\u0041"']),
)


def _spelled_container(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    member = st.tuples(_space, strings.map(render), _space, _space, inner, _space).map(
        lambda part: f"{part[0]}{part[1]}{part[2]}:{part[3]}{part[4]}{part[5]}"
    )
    item = st.tuples(_space, inner, _space).map("".join)
    return st.one_of(
        st.lists(member, min_size=1, max_size=4).map(lambda parts: "{" + ",".join(parts) + "}"),
        st.lists(item, min_size=1, max_size=4).map(lambda parts: "[" + ",".join(parts) + "]"),
    )


json_texts = st.one_of(
    st.tuples(_space, st.recursive(_spelled, _spelled_container, max_leaves=10), _space).map(
        "".join
    ),
    st.tuples(json_values, st.sampled_from(LAYOUTS)).map(lambda pair: render(*pair)),
)


@pytest.mark.parametrize("text", NUMBERS, ids=lambda text: text[:20])
def test_a_number_keeps_its_spelling(text: str) -> None:
    """A number comes back as it was spelled, alone and in a document."""
    assert render(parse(text)) == text
    assert document_text(parse(f"[{text}]")) == f"[\n  {text}\n]\n"


@pytest.mark.parametrize(("text", "layout"), [row[1:] for row in TEXTS], ids=[r[0] for r in TEXTS])
def test_a_layout_has_a_name_that_gives_the_text_back(text: str, layout: str) -> None:
    """Each usual way of writing JSON is recognised, and its name renders the same text."""
    value = parse(text)
    assert layout_of(text, value) == layout
    assert render(value, layout) == text


@pytest.mark.parametrize("text", [row[1] for row in UNUSUAL], ids=[row[0] for row in UNUSUAL])
def test_a_layout_without_a_name_is_none(text: str) -> None:
    """A text that no layout gives is said to have none, so that its writer keeps it raw."""
    assert layout_of(text, parse(text)) is None


def test_the_usual_layout_is_tried_first() -> None:
    """Where several layouts give the same text, the stream's own one is named."""
    assert layout_of("{}", {}, first="spaced") == "spaced"


@pytest.mark.parametrize("layout", ["", "pretty", "indent-9", "indent-0", "compact+", "compact+x"])
def test_an_unknown_layout_is_refused(layout: str) -> None:
    """A layout that does not exist is a ValueError that names it."""
    with pytest.raises(ValueError, match="is no JSON layout"):
        render({}, layout)


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", '{"a":-Infinity}', "", "{", "{'a':1}", "1 2"]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """NaN and the infinities are no JSON, although Python reads them."""
    with pytest.raises(ValueError, match=r"JSON|Expect|Extra"):
        parse(text)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1_000, 1_000_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_value_nested_too_deep_is_refused(opening: str, closing: str, depth: int) -> None:
    """Depth is an error of ours, never Python's RecursionError."""
    with pytest.raises(ValueError, match="nested more than"):
        parse(opening * depth + "1" + closing * depth)


def test_a_value_nested_as_deep_as_allowed_comes_back() -> None:
    """The deepest value that is read can be written."""
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert render(parse(text)) == text


def test_many_brackets_side_by_side_are_not_deep() -> None:
    """Width is no depth."""
    text = "[" + ",".join(["{}"] * (MAX_DEPTH + 1)) + "]"
    assert render(parse(text)) == text


def test_a_key_named_twice_is_refused_where_keys_must_be_unique() -> None:
    """Matching compares by value, which a duplicate key has not."""
    with pytest.raises(ValueError, match="twice"):
        parse('{"a":{"b":1,"b":2}}', unique_keys=True)


def test_a_long_integer_is_the_same_value_however_it_is_read() -> None:
    """An object is read in another way than a document, with the same result."""
    for digits in (4_200, 4_301):
        text = f'{{"a":-{"9" * digits}}}'
        assert parse(text) == parse(text, unique_keys=True)


def test_a_number_of_unusual_spelling_still_has_a_value() -> None:
    """Number is a float to whoever asks for one."""
    assert float(Number("1E5")) == 100_000.0
    assert float(Number("1e400")) == float("inf")


def test_children_are_the_values_directly_inside() -> None:
    """An object has its members' values, a list its items, anything else nothing."""
    assert list(children({"a": 1, "b": [2]})) == [1, [2]]
    assert list(children([1, {"a": 2}])) == [1, {"a": 2}]
    assert list(children("ab")) == []


def test_every_string_is_mapped() -> None:
    """Keys and values are replaced at every depth; other values stay what they are."""
    value: JSON = {"a": ["b", 1, None, {"c": True}]}
    assert map_strings(value, str.upper) == {"A": ["B", 1, None, {"C": True}]}


def test_a_large_document_is_written_in_pieces() -> None:
    """The text of a long recording is never in memory as a whole."""
    pieces: list[str] = []
    value: JSON = [{"index": index} for index in range(10_000)]
    write_document(value, pieces.append)
    assert len(pieces) > 2
    assert parse("".join(pieces)) == value


@pytest.mark.parametrize("text", ["-0", "[-0]", "[1,-0]", '{"a":-0}', '{"a": -0}', "\n-0\n"])
def test_minus_zero_is_a_number_of_its_own_wherever_it_stands(text: str) -> None:
    """Where text in a string looks like it, nothing else becomes one."""
    beside = parse(f'["-0","1-0",":-0",{text},0,-0.5,10]')
    assert isinstance(beside, list)
    assert [beside[:3], beside[4:]] == [["-0", "1-0", ":-0"], [0, -0.5, 10]]
    for value in (parse(text), beside[3]):
        assert render(value) == "".join(text.split())


@fuzzed
@given(json_values)
def test_a_sorted_text_says_the_value(value: JSON) -> None:
    """It is Python's own, and reads back as an equal value; there is none with foreign numbers."""
    text = sorted_text(value)
    if text is None:
        with pytest.raises(TypeError):
            json.dumps(value)
        return
    assert text == json.dumps(value, sort_keys=True)
    assert sorted_text(parse(text)) == text
    assert parse(text) == value


def test_a_document_is_indented_and_ends_with_a_line_break() -> None:
    """Indent 2, non-ASCII as itself, lone surrogates escaped, a final newline."""
    value: JSON = {"a": ["é😀", "\ud83d"], "b": {}, "c": []}
    expected = '{\n  "a": [\n    "é😀",\n    "\\ud83d"\n  ],\n  "b": {},\n  "c": []\n}\n'
    assert document_text(value) == expected


@fuzzed
@given(json_values)
def test_a_document_reads_back_as_the_same_value(value: JSON) -> None:
    """parse(document_text(value)) is the value, down to the spelling of its numbers."""
    text = document_text(value)
    assert render(parse(text)) == render(value)
    assert document_text(parse(text)) == text
    text.encode()


@fuzzed
@given(json_values, st.sampled_from(LAYOUTS))
def test_a_rendered_value_reads_back_in_every_layout(value: JSON, layout: str) -> None:
    """parse(render(value, layout)) is the value, and the layout found for the text gives it."""
    text = render(value, layout)
    assert render(parse(text)) == render(value)
    found = layout_of(text, parse(text))
    assert found is not None
    assert render(parse(text), found) == text


_NEXT = _json._NEXT
_NEAR_NEXT = st.sampled_from([_NEXT, f'"{_NEXT}"', [_NEXT], [1, _NEXT, 2], {"a": _NEXT, "b": 1}])


@fuzzed
@given(st.lists(json_values | _NEAR_NEXT, max_size=8), st.sampled_from(LAYOUTS))
def test_values_rendered_in_one_go_are_what_each_is(values: list[JSON], layout: str) -> None:
    """Even where the values hold the text that stands between them."""
    assert render_each(values, layout) == [render(value, layout) for value in values]


@fuzzed
@given(json_texts)
def test_a_large_text_has_the_same_value(text: str) -> None:
    """What is equal in a large value is one object, and that is all that size changes."""
    usual = parse(text)
    with patch.multiple(_json, _LARGE=0, _MOST_SHARED=3):
        large = parse(text)
    assert (large, document_text(large)) == (usual, document_text(usual))


def test_equal_texts_of_a_large_value_are_one_object() -> None:
    """A value of a million characters is kept small: what repeats is in memory once."""
    row = '{"token":" the","logprob":-0.25}'
    value: Any = parse(f"[{','.join([row] * 40_000)}]")
    assert len({id(member) for item in value for member in item.values()}) == 2
    assert value[0] == {"token": " the", "logprob": -0.25}


@fuzzed
@given(json_texts)
def test_a_layout_found_gives_the_very_text(text: str) -> None:
    """Whatever layout is named for a text, it renders that text and no other."""
    value = parse(text)
    layout = layout_of(text, value)
    assert layout is None or render(value, layout) == text
    assert render(parse(render(value))) == render(value)
