"""How a response ended <-> `response.ended`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_json import fuzzed, json_values
from vcr_llm._ending import Ending, decode_ending, encode_ending
from vcr_llm._errors import MalformedRecording
from vcr_llm._json import JSON

# fmt: off  # a table
ENDINGS: list[tuple[Ending, dict[str, JSON]]] = [
    (Ending(), {"by": "client"}),
    (Ending(is_cancelled=True), {"by": "client", "cancelled": True}),
    (
        Ending("ReadTimeout", "timed out"),
        {"by": "error", "type": "ReadTimeout", "message": "timed out"},
    ),
    (Ending("ReadError"), {"by": "error", "type": "ReadError", "message": ""}),
    (
        Ending("ConnectError", "refused", has_response=False),
        {"by": "error", "type": "ConnectError", "message": "refused", "before_response": True},
    ),
]
# fmt: on

WRITTEN_OTHERWISE: list[tuple[dict[str, JSON], Ending]] = [
    ({"by": "client", "note": "added by hand"}, Ending()),
    ({"by": "client", "cancelled": False}, Ending()),
    ({"cancelled": True, "by": "client"}, Ending(is_cancelled=True)),
    (
        {"by": "error", "type": "ReadError", "message": "", "before_response": False},
        Ending("ReadError"),
    ),
    ({"message": "m", "type": "ReadError", "by": "error"}, Ending("ReadError", "m")),
]

SENSELESS: list[JSON] = [
    {},
    [],
    "client",
    True,
    {"by": None},
    {"by": "server"},
    {"by": "Client"},
    {"by": "error"},
    {"by": "error", "type": "ReadTimeout"},
    {"by": "error", "message": "timed out"},
    {"by": "error", "type": None, "message": "timed out"},
    {"by": "error", "type": "ReadTimeout", "message": 1},
]


@pytest.mark.parametrize(("ending", "value"), ENDINGS)
def test_an_ending_is_written(ending: Ending, value: dict[str, JSON]) -> None:
    """Its keys have an order."""
    assert json.dumps(encode_ending(ending)) == json.dumps(value)


@pytest.mark.parametrize(("ending", "value"), ENDINGS)
def test_an_ending_is_read(ending: Ending, value: dict[str, JSON]) -> None:
    """What was written means what it meant."""
    assert decode_ending(value) == ending


@pytest.mark.parametrize(("value", "ending"), WRITTEN_OTHERWISE)
def test_an_ending_of_another_hand_is_read(value: dict[str, JSON], ending: Ending) -> None:
    """The order of keys is nothing, and unknown ones are nobody's business."""
    assert decode_ending(value) == ending


def test_no_ending_is_the_usual_one() -> None:
    """A response that ended as responses do says nothing about it."""
    assert decode_ending(None) is None


@pytest.mark.parametrize("value", SENSELESS, ids=json.dumps)
def test_an_ending_that_makes_no_sense_is_refused(value: JSON) -> None:
    """The error names the place and shows what was expected."""
    with pytest.raises(MalformedRecording, match=r'^response\.ended should be \{"by": "client"\}'):
        decode_ending(value)


def test_an_ending_is_a_value() -> None:
    """Equal ones are equal, and none can be changed."""
    assert Ending("ReadError", "x") == Ending("ReadError", "x")
    assert Ending() != Ending(is_cancelled=True)
    with pytest.raises(AttributeError):
        Ending().error = "ReadError"  # type: ignore[misc]  # the point of the test


endings = st.one_of(
    st.builds(Ending, is_cancelled=st.booleans()),
    st.builds(Ending, st.text(), st.text(), has_response=st.booleans()),
)


@fuzzed
@given(endings)
def test_any_ending_comes_back(ending: Ending) -> None:
    """decode_ending(encode_ending(ending)) is the ending, also through JSON."""
    assert decode_ending(json.loads(json.dumps(encode_ending(ending)))) == ending


@fuzzed
@given(
    st.one_of(
        json_values,
        st.dictionaries(
            st.sampled_from(["by", "type", "message", "cancelled", "before_response"]),
            st.one_of(json_values, st.sampled_from(["client", "error"])),
        ),
    )
)
def test_any_value_is_read_or_refused(value: Any) -> None:
    """Whatever stands in a file; what is read can be written and read again."""
    try:
        ending = decode_ending(value)
    except MalformedRecording:
        return
    assert ending is None or decode_ending(encode_ending(ending)) == ending
