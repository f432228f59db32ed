"""The address of a recording: the name of its file."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tests.test_document import documents, interactions
from tests.test_json import fuzzed, json_values
from vcr_llm._address import (
    _as_python_writes,
    _may_have_long_decimals,
    _rounded,
    address_of,
    file_name,
    parse_file_name,
)
from vcr_llm._document import to_document
from vcr_llm._errors import MalformedRecording
from vcr_llm._interaction import Interaction
from vcr_llm._json import Number, document_text, parse, sorted_text

ADDRESS = "fcf8b46b3df5c6bf9f47c2506a3ab8aeea95e27f8d517e4983b2e901f8f394ad"
SEED = Path(__file__).parents[2] / "shared" / "seed"

NAMES: list[tuple[str, tuple[str, int] | None]] = [
    (f"{ADDRESS}.json", (ADDRESS, 1)),
    (f"{ADDRESS}-2.json", (ADDRESS, 2)),
    (f"{ADDRESS}-12.json", (ADDRESS, 12)),
    (f"{ADDRESS}-0.json", None),
    (f"{ADDRESS}-02.json", None),
    (f"{ADDRESS.upper()}.json", None),
    (f"{ADDRESS[1:]}.json", None),
    (f"{ADDRESS}.yaml", None),
    ("notes.json", None),
]


def described(body: Any = None, test_id: str | None = None, **request: Any) -> dict[str, Any]:
    """A document as far as its address needs it."""
    url = "https://api.openai.com/v1/chat/completions"
    return {"test_id": test_id, "request": {"method": "POST", "url": url, "body": body} | request}


SAME: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("key order", described({"a": 1, "b": 2}), described({"b": 2, "a": 1})),
    ("a float's sixth place", described({"a": 0.1234567}), described({"a": 0.1234568})),
    ("a decimal in a string", described("x 0.1234567 y"), described("x 0.12346 y")),
    ("a float's spelling", described([parse("1E1")]), described([10.0])),
    ("minus zero", described([parse("-0")]), described([0])),
    ("the host", described(), described(url="http://localhost/v1/chat/completions?a=1")),
]

DIFFERENT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("the body", described({"a": 1}), described({"a": 2})),
    ("the test", described(), described(test_id="t")),
    ("the method", described(), described(method="GET")),
    ("the path", described(), described(url="https://api.openai.com/v1/responses")),
    ("an integer and a float", described([1]), described([1.0])),
    ("a short decimal in a string", described("0.123"), described("0.1230")),
]


@pytest.mark.shared
@pytest.mark.skipif(not SEED.is_dir(), reason="../shared/seed is not there")
def test_the_address_of_the_seed_is_its_file_name() -> None:
    """The documented shape's own recording has the address that its file is called by."""
    (path,) = SEED.glob("*.json")
    document: Any = parse(path.read_text(encoding="utf-8"))
    assert file_name(address_of(document)) == path.name


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_what_does_not_count_changes_no_address(one: Any, other: Any) -> None:
    """The order of keys, digits after the fifth place, and all but the URL's path."""
    assert address_of(one) == address_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [r[1:] for r in DIFFERENT], ids=[r[0] for r in DIFFERENT]
)
def test_what_counts_changes_the_address(one: Any, other: Any) -> None:
    """Body, path, method and test id each have a part in it."""
    assert address_of(one) != address_of(other)


@pytest.mark.parametrize("document", [{}, {"request": []}])
def test_a_document_without_a_request_has_no_address(document: Any) -> None:
    """What has no request to speak of is refused with an error of ours."""
    with pytest.raises(MalformedRecording, match="request"):
        address_of(document)


@pytest.mark.parametrize(("name", "parsed"), NAMES)
def test_a_file_name_says_address_and_repeat(name: str, parsed: tuple[str, int] | None) -> None:
    """A name is an address and which repeat of it, or it is somebody else's."""
    assert parse_file_name(name) == parsed
    assert parsed is None or file_name(*parsed) == name


@fuzzed
@given(interactions)
def test_the_address_survives_the_file(interaction: Interaction) -> None:
    """A document has the same address before it was written and after it was read."""
    document = to_document(interaction)
    read: Any = parse(document_text(document))
    assert address_of(read) == address_of(document)


@fuzzed
@given(documents)
def test_any_document_has_an_address_or_is_refused(document: Any) -> None:
    """The address of any JSON value is 64 digits or an error of ours."""
    with suppress(MalformedRecording):
        assert parse_file_name(file_name(address_of(document))) is not None


@fuzzed
@given(json_values, json_values)
def test_an_address_is_what_the_format_says(body: Any, test_id: Any) -> None:
    """The digest of the rounded body, path, method and test id, whoever has the text already."""
    document = described(body, test_id)
    endpoint = "/v1/chat/completions"
    whole = {"body": _rounded(body), "endpoint": endpoint, "method": "POST", "test_id": test_id}
    text = json.dumps(whole, sort_keys=True, default=_as_python_writes)
    assert address_of(document) == hashlib.sha256(text.encode()).hexdigest()
    assert address_of(document, body_text=sorted_text(body)) == address_of(document)


@given(json_values)
def test_rounding_is_left_out_only_where_it_changes_nothing(value: Any) -> None:
    """The look at the text is never wrong about a value that would change."""
    if not _may_have_long_decimals(json.dumps(value, default=_as_python_writes)):
        assert json.dumps(_rounded(value), default=_as_python_writes) == json.dumps(
            value, default=_as_python_writes
        )


@pytest.mark.parametrize(
    "value", [0.12345678, 1e-7, 1e22, "a 3.14159", "٣.١٤١٥٩", Number("-0"), Number("1E-9")]
)
def test_what_may_be_rounded_is_looked_at(value: Any) -> None:
    """Digits of other scripts are digits, too."""
    text = json.dumps([{"a": value}], default=_as_python_writes)
    assert _may_have_long_decimals(text)
