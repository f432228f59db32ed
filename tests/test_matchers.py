"""The matcher that compares bodies, as vcrpy calls it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import vcr
from vcr.request import Request

from vcr_llm import matchers
from vcr_llm._options import Options

URL = "https://api.openai.com/v1/chat/completions"
JSON_TYPE = {"content-type": "application/json"}


def request(body: Any, headers: dict[str, str] | None = None, url: str = URL) -> Request:
    """A request as vcrpy has it; a value that is no text or bytes is its JSON."""
    sent = body if isinstance(body, str | bytes | None) else json.dumps(body)
    return Request("POST", url, sent, JSON_TYPE if headers is None else headers)


SAME: list[tuple[str, Request, Request]] = [
    ("spacing and order", request('{"a":1,"b":2}'), request('{ "b": 2, "a": 1 }')),
    ("text and bytes", request('{"a":1}'), request(b'{"a":1}')),
    ("no body", request(None), request(b"")),
    ("what only the URL says", request({}), request({}, url="https://h/other")),
    (
        "another key of the same shape",
        request({"api_key": "a" * 20}),
        request({"api_key": "b" * 20}),
    ),
    (
        "iterators of bytes",
        Request("POST", URL, iter([b'{"a"', b":1}"]), JSON_TYPE),
        request({"a": 1}),
    ),
]


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_requests_that_say_the_same_match(one: Request, other: Request) -> None:
    """Spelling and secrets never decide a match."""
    matchers.llm_body(one, other)


def test_a_difference_is_told_by_its_path() -> None:
    """The recorded request comes second and is named so."""
    incoming = request({"messages": [{"content": "Hi"}], "n": 1})
    recorded = request({"messages": [{"content": "Hello"}], "n": 2})
    with pytest.raises(AssertionError) as error:
        matchers.llm_body(incoming, recorded)
    assert str(error.value).splitlines() == [
        'messages[0].content: recorded "Hello", this request has "Hi"',
        "n: recorded 2, this request has 1",
    ]


def test_a_difference_shows_no_secret() -> None:
    """What is told of a miss is redacted like a file."""
    secret = "sk-" + "a1b2" * 8
    with pytest.raises(AssertionError) as error:
        matchers.llm_body(request({"a": f"{secret} x"}), request({"a": f"{secret} y"}))
    assert secret not in str(error.value)


def test_what_is_ignored_decides_nothing() -> None:
    """A matcher made for a cassette's options keeps to them."""
    matcher = matchers.BodyMatcher(Options(ignore=(("metadata",),)))
    matcher(request({"metadata": 1}), request({"metadata": 2}))
    with pytest.raises(AssertionError, match="other"):
        matcher(request({"other": 1}), request({"other": 2}))


def test_null_does_not_match_nothing() -> None:
    """A member that is null is told apart from one that is not there, and named."""
    with pytest.raises(AssertionError, match=r"^a: recorded nothing, this request has null$"):
        matchers.llm_body(request({"a": None}), request({}))


def test_vcrpy_takes_it_by_name() -> None:
    """The matcher has the name that vcrpy and its messages need."""
    host = vcr.VCR()
    host.register_matcher(matchers.BODY, matchers.llm_body)
    config = host.get_merged_config(match_on=[matchers.BODY])
    assert config["match_on"] == (matchers.llm_body,) or list(config["match_on"]) == [
        matchers.llm_body
    ]
    assert matchers.llm_body.__name__ == "llm_body"
