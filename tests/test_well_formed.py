"""Whether a document is what the format says, and where it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.recordings import recording
from vcr_llm._foreign import Document
from vcr_llm._well_formed import Fault, faults, key_named_twice, located


@pytest.mark.parametrize(
    ("problem", "fault"),
    [
        ("request is missing", ("request", "is missing")),
        ("response.body.__data__ is no base64 (x)", ("response.body.__data__", "is no base64 (x)")),
        ("response.framing: x. Repair it.", ("response.framing", "x. Repair it.")),
        (
            "is not valid JSON: line 3, column 5: Expecting value. Repair it.",
            ("line 3, column 5", "is not valid JSON: Expecting value. Repair it."),
        ),
        ("is empty", ("", "is empty")),
        ("is not UTF-8:\nbyte 3", ("", "is not UTF-8:\nbyte 3")),
    ],
)
def test_an_error_is_parted_into_place_and_problem(problem: str, fault: tuple[str, str]) -> None:
    """Where it begins with one."""
    assert located(problem) == fault


def test_a_good_document_has_no_fault() -> None:
    """Ours, a tool's call, a recorded exception."""
    call: Document = {"provider": "p", "tool_name": "x", "kwargs": {}}
    tool: Document = {"test_id": "t.py::x", "request": call, "response": {"body": 1}}
    exception: Document = {"request": {"url": "x"}, "response": {"is_exception": True}}
    assert [*faults(recording(sequence=0)), *faults(tool), *faults(exception)] == []


def test_the_first_fault_of_an_exchange_and_those_of_its_extensions_are_told() -> None:
    """What stops a replay stops further reading, the rest is looked at all the same."""
    document = recording() | {"response": {}, "sequence": -1, "recorded_at": None}
    assert list(faults(document)) == [
        Fault("response.body", "is missing"),
        Fault("sequence", "should be a whole number from 0"),
        Fault("recorded_at", "should be a UTC second such as 2026-01-31T12:00:00Z"),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1, "b": {"a": 1}}', None),
        ('{"a": 1, "a": 2}', "a"),
        ('{"x": [1, {"y z": {"a": [], "a": []}}]}', 'x[1]["y z"].a'),
        ('{"a": 1, "a": 2, "a": 3, "b": 1, "b": 1}', "a"),
        (f'{{"a": 1e400, "b": {"9" * 5000}}}', None),
        ("5", None),
    ],
)
def test_a_key_that_is_named_twice_is_found(text: str, place: str | None) -> None:
    """By its place."""
    assert key_named_twice(text) == place


@given(st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_what_json_writes_names_no_key_twice(value: Any) -> None:
    """There is no false alarm."""
    assert key_named_twice(json.dumps(value)) is None
