"""Which headers a recording keeps, and how they are written."""

from __future__ import annotations

import re
from typing import Any

import pytest

from vcr_llm._errors import MalformedRecording
from vcr_llm._headers import decode_headers, encode_headers, is_named, named, worth_keeping
from vcr_llm._interaction import Headers, header, standard_reason

NOISE = [
    *[
        "Date",
        "Server",
        "Via",
        "Age",
        "Vary",
        "ETag-time",
        "Connection",
        "Keep-Alive",
        "Transfer-Encoding",
        "Alt-Svc",
    ],
    *[
        "Content-Encoding",
        "Content-Length",
        "Set-Cookie",
        "CF-RAY",
        "cf-cache-status",
        "X-Request-Id",
    ],
    *["request-id", "apim-request-id", "x-amzn-requestid", "x-ratelimit-limit-requests"],
    *["anthropic-ratelimit-tokens-remaining", "openai-organization", "openai-version"],
    *["openai-processing-ms", "x-envoy-upstream-service-time", "strict-transport-security"],
    *["x-content-type-options", "access-control-allow-origin", "azureml-model-session"],
    *["x-ms-region", "anthropic-organization-id", "traceparent", "X-Cloud-Trace-Context"],
]
KEPT = [
    *[
        "Retry-After",
        "retry-after-ms",
        "Location",
        "Content-Type",
        "x-should-retry",
        "WWW-Authenticate",
    ],
    *["Link", "ETag", "Content-Disposition", "x-ms-error-code", "Allow", "deprecation"],
]

GROUPED: list[tuple[Headers, dict[str, Any]]] = [
    ((), {}),
    ((("a", "1"),), {"a": "1"}),
    ((("a", "1"), ("b", "2"), ("a", "3")), {"a": ["1", "3"], "b": "2"}),
    ((("A", "1"), ("a", "2")), {"A": "1", "a": "2"}),
]


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_left_out(name: str) -> None:
    """Dates, ids, limits, cookies, CDN, hop-by-hop, encoding and length say nothing to a client."""
    assert worth_keeping(((name, "x"),), ()) == ()


@pytest.mark.parametrize("name", KEPT)
def test_what_a_client_acts_on_is_kept(name: str) -> None:
    """Retries, redirects, types and whatever nobody knows stay."""
    assert worth_keeping(((name, "x"),), ()) == ((name, "x"),)


@pytest.mark.parametrize("pattern", ["date", "DATE", "da*", re.compile("dat.")])
def test_noise_that_the_user_names_is_kept(pattern: Any) -> None:
    """A name, a name with a star or a regular expression, in any case."""
    headers: Headers = (("Date", "today"), ("Server", "x"))
    assert worth_keeping(headers, (pattern,)) == (("Date", "today"),)
    assert named(headers, (pattern,)) == (("Date", "today"),)


@pytest.mark.parametrize("pattern", ["at", "dat", re.compile("da")])
def test_a_pattern_names_whole_headers(pattern: Any) -> None:
    """Part of a name is not the name."""
    assert not is_named("date", (pattern,))


@pytest.mark.parametrize(("headers", "value"), GROUPED)
def test_headers_are_an_object(headers: Headers, value: dict[str, Any]) -> None:
    """A name that occurs several times has a list of its values."""
    assert encode_headers(headers) == value
    assert sorted(decode_headers(value, "x")) == sorted(headers)


def test_a_header_that_is_null_is_left_out() -> None:
    """Null says that the server sent none."""
    assert decode_headers({"a": None, "b": ["1", None]}, "x") == (("b", "1"),)


@pytest.mark.parametrize("value", [[], "a", None, {"a": 1}, {"a": [1]}, {"a": {}}])
def test_what_is_no_header_is_refused(value: Any) -> None:
    """A mistake is an error that names the place."""
    with pytest.raises(MalformedRecording, match=r"^place(\.a)? should be"):
        decode_headers(value, "place")


def test_a_header_is_found_in_any_case() -> None:
    """Names are compared without case, and the first value counts."""
    headers: Headers = (("Content-Type", "a"), ("content-type", "b"))
    assert header(headers, "CONTENT-TYPE") == "a"
    assert header(headers, "x") is None


@pytest.mark.parametrize(("status", "reason"), [(200, "OK"), (429, "Too Many Requests"), (599, "")])
def test_a_status_has_its_standard_reason(status: int, reason: str) -> None:
    """An unassigned status has none."""
    assert standard_reason(status) == reason
