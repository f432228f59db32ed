"""Texts are cleaned one by one, or the JSON text of a value says that there is nothing to clean."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_json import fuzzed, json_values
from tests.test_redaction import KEYS, planted
from vcr_llm._cleaner import Cleaner
from vcr_llm._json import compact_text, document_text, render, sorted_text
from vcr_llm._redaction import Redaction
from vcr_llm._tagged import BYTES, FORM, MULTIPART, tag

_SPECIAL = frozenset({BYTES, FORM, MULTIPART})
_KEY = KEYS["OpenAI"]
_PARTS = [("user", "me"), ("token", "a1b2c3d4e5f6a7b8c9")]


def cleaner(*literals: str) -> Cleaner:
    """One with a word and a pattern of the user's."""
    return Cleaner(literals, [re.compile("^word [0-9]$")])


@pytest.mark.parametrize(
    "value",
    [
        _KEY,
        [1, [_KEY]],
        {_KEY: 1},
        {"a": f"a\n{_KEY}"},
        {"a": f'say "{_KEY}"'},
        {"a": f"\\{_KEY}"},
        {"a": f"é {_KEY}"},
        {"password": 1},
        {"a": [{"Api-Key": None}]},
        {"pass\\word": {"x\npassword": "a"}},
        {"token": "a1b2c3d4e5f6a7b8c9"},
        {"a": "my own secret"},
        {"a": "my\nown é secret"},
        {"a": "word 7"},
        {"a": b64encode(f"key={_KEY}".encode()).decode()},
        {"arguments": json.dumps({"password": "hunter2-hunter2"})},
        tag(BYTES, b64encode(_KEY.encode()).decode()),
        tag(FORM, [list(pair) for pair in _PARTS]),
        tag(MULTIPART, [{"name": name, "body": tag("str", said)} for name, said in _PARTS]),
    ],
    ids=render,
)
def test_a_text_with_a_secret_needs_a_closer_look(value: Any) -> None:
    """Wherever it stands, and however JSON writes it."""
    clean = cleaner("my own secret", "my\nown é secret")
    for text in (render(value), sorted_text(value), document_text(value)):
        assert text is not None
        assert not clean.finds_nothing(text, _SPECIAL)
        assert not clean.finds_nothing(text, _SPECIAL)  # once more, from memory


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "",
        {"max_tokens": 5, "messages": [{"role": "user", "content": 'a "b" \\ \n é sk-ort'}]},
        [{"word 77": ["word 7 ", 7.5, True]}],
    ],
    ids=render,
)
def test_a_text_without_any_needs_none(value: Any) -> None:
    """Nothing in it is a secret or has the name of one."""
    clean = cleaner("my own secret")
    for text in (render(value), sorted_text(value), document_text(value)):
        assert text is not None
        assert clean.finds_nothing(text, _SPECIAL)


@fuzzed
@given(planted | json_values)
def test_a_text_says_of_a_value_what_a_walk_through_it_says(value: Any) -> None:
    """Where the text finds nothing, nothing changes; and the result is the same in any case."""
    redaction, walking = Redaction(["secret"]), Redaction(["secret"])
    walked = walking.request({"body": value})["body"]
    for text in (compact_text(value), sorted_text(value), document_text(value)):
        assert redaction.request({"body": value}, body_text=text)["body"] == walked
        assert redaction.response({"body": value}, body_text=text)["body"] == walked


@fuzzed
@given(planted | json_values)
def test_what_a_text_is_remembered_for_is_true(value: Any) -> None:
    """A cleaner that has seen a text answers the second time as the first time."""
    clean, text = cleaner("secret"), render(value)
    assert clean.finds_nothing(text, _SPECIAL) == clean.finds_nothing(text, _SPECIAL)
    assert clean.finds_nothing(text, _SPECIAL) == cleaner("secret").finds_nothing(text, _SPECIAL)


def test_a_large_text_is_left_to_the_walk() -> None:
    """Its parts are not made once more, since memory counts for more."""
    large = render(["x" * 100] * 20_000)
    assert not cleaner().finds_nothing(large, _SPECIAL)


def test_what_is_remembered_of_texts_is_bounded() -> None:
    """After more texts than it keeps, it keeps few, and its answers are the same."""
    clean = cleaner()
    for number in range(300):
        assert clean.finds_nothing(render([f"{number} {'x' * 9_000}"]), _SPECIAL)
        assert not clean.finds_nothing(render([_KEY, str(number)]), _SPECIAL)
    assert sum(map(len, clean._ordinary.known)) < 1_100_000
    assert clean.finds_nothing('["a"]', _SPECIAL)


def test_no_special_text_is_overlooked() -> None:
    """What is known to be harmless elsewhere is special here."""
    clean = cleaner()
    assert clean.finds_nothing('["bytes"]', frozenset())
    assert not clean.finds_nothing('["bytes"]', _SPECIAL)


@given(st.text())
def test_a_cleaned_text_is_the_same_object_where_nothing_changed(text: str) -> None:
    """Whoever compares objects sees that a large body need not be in memory twice."""
    clean = cleaner("secret")
    cleaned = clean(text)
    assert cleaned is text or cleaned != text
