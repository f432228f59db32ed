"""What tools give back -> JSON -> what a replay gives; calls -> documents -> calls."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from vcr_llm._ending import Ending
from vcr_llm._errors import ConfigurationError, MalformedRecording
from vcr_llm._json import Number, document_text, parse
from vcr_llm._tool_call import (
    ToolAnswer,
    ToolCall,
    ToolFailure,
    answer_of,
    call_of,
    tool_document,
)
from vcr_llm._tool_failure import failure_of, raised_again
from vcr_llm._tool_values import as_labelled, as_plain, label_of, restored


class Colour(Enum):
    """An enumeration whose values are no text."""

    RED = (1, 0)


class Level(IntEnum):
    """One whose values are numbers."""

    LOW = 1


class Aliased(BaseModel):
    """A model that is called otherwise in JSON."""

    kind: str = Field(alias="type")
    at: datetime
    raw: bytes = b""
    tags: set[str] = set()


@dataclass(frozen=True, slots=True)
class Inner:
    """A part."""

    colour: Colour
    model: Aliased | None = None


@dataclass
class Outer:
    """A whole."""

    parts: list[Inner]
    more: dict[str, Any]
    count: int = 3


class Pair(NamedTuple):
    """A tuple with names."""

    left: int
    right: Inner | None


CLASSES = {label_of(kind): kind for kind in (Colour, Level, Aliased, Inner, Outer, Pair)}
NOON = datetime(2026, 1, 2, 12, 30, 1, 5, tzinfo=UTC)
VALUES: list[Any] = [
    *(None, True, 0, -1, 0.5, "", "é\ud800", [], {}, [1, [2, {"a": None}]]),
    *((1, (2,)), {1, 2}, frozenset({"a"}), b"\x00\xff", {1: "a", "b": 2}, {"a": (1,)}),
    *(
        NOON,
        NOON.replace(tzinfo=None),
        date(2026, 1, 2),
        time(12, 30),
        timedelta(days=-1, seconds=1),
    ),
    *(Decimal("1.10"), UUID(int=7), Path("a/b"), PurePosixPath("/c"), Colour.RED, Level.LOW),
    {"__type__": "set", "__data__": [1]},
    {"__type__": 1},
    {"a": {"__type__": "json", "__data__": {"__type__": "x", "__data__": {1}}}},
    Aliased(type="x", at=NOON, raw=b"y", tags={"b", "a"}),
    Outer([Inner(Colour.RED, Aliased(type="x", at=NOON))], {"when": NOON, "any": Level.LOW}),
    [Pair(1, Inner(Colour.RED)), Pair(2, None)],
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    """Through the text of a recording, and of its own type."""
    text = document_text(as_labelled(value, "value"))
    again = restored(parse(text), CLASSES)
    assert again == value
    assert type(again) is type(value)


KEYS = st.text() | st.integers() | st.sampled_from(["__type__", "__data__"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary()
    | st.datetimes()
    | st.uuids()
    | st.frozensets(st.integers())
)


@given(
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner),
        max_leaves=12,
    )
)
def test_any_value_comes_back(value: Any) -> None:
    """There and back gives an equal value."""
    assert restored(parse(document_text(as_labelled(value, "value"))), {}) == value


PLAIN: list[tuple[Any, Any]] = [
    ((1, {2}), [1, [2]]),
    (NOON, "2026-01-02T12:30:01.000005+00:00"),
    (Colour.RED, [1, 0]),
    ({Level.LOW: 1, None: 2, 3: 4}, {"1": 1, "null": 2, "3": 4}),
    (Path("a"), "a"),
    (Aliased(type="x", at=NOON, tags={"a"}), None),
    (Inner(Colour.RED), {"colour": [1, 0], "model": None}),
    (Pair(1, None), {"left": 1, "right": None}),
    (MappingProxyType({"a": 1}), {"a": 1}),
    (OrderedDict(a=1), {"a": 1}),
    (deque([1]), None),
    (b"x", {"__type__": "bytes", "__data__": "eA=="}),
]


@pytest.mark.parametrize(("value", "expected"), PLAIN)
def test_arguments_are_plain_json(value: Any, expected: Any) -> None:
    """Without labels, since they are only compared."""
    if isinstance(value, deque):
        assert as_plain(value, "x") == [1]
        return
    plain = as_plain(value, "x")
    assert plain == (
        expected if expected is not None else json.loads(value.model_dump_json(by_alias=True))
    )


def endless() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


IMPOSSIBLE: list[tuple[Any, str]] = [
    ({"a": [1, object()]}, r"x\.a\[1\] is a builtins\.object"),
    (float("inf"), "x is inf, which is no number in JSON"),
    ({1: 1, "1": 1}, "x has two keys that are one in JSON"),
    (endless(), "x refers to itself"),
    (print, r"x is a builtins\.builtin_function_or_method"),
    (Inner, r"x is a builtins\.type"),
]


@pytest.mark.parametrize(("value", "problem"), IMPOSSIBLE)
def test_what_json_cannot_say_is_named(value: Any, problem: str) -> None:
    """With the place in the argument."""
    with pytest.raises(ConfigurationError, match=problem):
        as_plain(value, "x")


def test_what_is_nested_too_deep_is_refused() -> None:
    """A recording of it could not be read."""
    value: Any = 1
    for _level in range(250):
        value = [value]
    with pytest.raises(ConfigurationError, match=r"nested (too|more than 200 levels) deep"):
        as_plain(value, "x")


def test_labels_of_nobody_give_their_json() -> None:
    """A class that has moved is found by its own name, where it is the only one."""
    value: Any = {
        "__type__": "elsewhere.Inner",
        "__data__": {"colour": {"__type__": "no.Such", "__data__": [Number("1E0")]}},
    }
    assert restored(value, {}) == {"colour": [1.0]}
    moved: Any = {
        "__type__": "elsewhere.Colour",
        "__data__": {"__type__": "tuple", "__data__": [1, 0]},
    }
    assert restored(moved, CLASSES) is Colour.RED
    two: Mapping[str, type] = {"a.Colour": Colour, "b.Colour": Level}
    assert restored(moved, two) == (1, 0)


BROKEN: list[Any] = [
    {"__type__": "uuid.UUID", "__data__": "x"},
    {"__type__": "set", "__data__": 1},
    {"__type__": "bytes", "__data__": "!"},
    {"__type__": label_of(Outer), "__data__": {"parts": []}},
    {"__type__": label_of(Inner), "__data__": {"colour": 1, "size": 2}},
    {"__type__": label_of(Aliased), "__data__": {"type": 5}},
    {"__type__": label_of(Pair), "__data__": {"left": 1, "middle": 2}},
    {"__type__": label_of(Colour), "__data__": "green"},
]


@pytest.mark.parametrize("value", BROKEN)
def test_what_a_class_takes_no_more_is_an_error(value: Any) -> None:
    """That says which class it is."""
    with pytest.raises(MalformedRecording, match=r"response\.body"):
        restored(value, CLASSES)


ANSWERS = [
    ToolAnswer({"a": 1}),
    ToolAnswer([1, None], is_streaming=True),
    ToolAnswer([1], is_streaming=True, ended=Ending()),
    ToolAnswer([], is_streaming=True, ended=Ending(is_cancelled=True)),
    ToolAnswer(None, failure=ToolFailure("ValueError", "no")),
    ToolAnswer([1], is_streaming=True, failure=ToolFailure("a.B", "", [1, "x"])),
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_call_comes_back_out_of_its_document(answer: ToolAnswer) -> None:
    """The call and what came of it."""
    call = ToolCall("p", "t", {"a": [1]})
    document = tool_document(call, answer, "t.py::x")
    assert (call_of(document), answer_of(document)) == (call, answer)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"request": None}, "request should be an object"),
    ({"request": {"tool_name": "x"}}, r"request\.provider should be a string"),
    ({"request": {"provider": "p", "tool_name": "x", "kwargs": []}}, r"request\.kwargs should be"),
    ({"response": None}, "response should be an object"),
    ({"response": {}}, r"response\.body is missing"),
    ({"response": {"body": 1, "is_streaming": "no"}}, r"response\.is_streaming should be"),
    ({"response": {"body": 1, "is_streaming": True}}, r"response\.body should be a list"),
]


@pytest.mark.parametrize(("change", "problem"), WRONG)
def test_a_document_that_holds_no_call_says_where(change: dict[str, Any], problem: str) -> None:
    """The place, and what was expected there."""
    document = tool_document(ToolCall("p", "t", {}), ToolAnswer(1), None) | change
    with pytest.raises(MalformedRecording, match=problem):
        _ = call_of(document), answer_of(document)


EXCEPTIONS: list[Exception] = [
    ValueError("no"),
    ValueError(),
    KeyError("a"),
    KeyError(("a", 1)),
    FileNotFoundError(2, "No such file", "x"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
    ZeroDivisionError("division by zero"),
    StopIteration(3),
]


@pytest.mark.parametrize("error", EXCEPTIONS)
def test_a_built_in_exception_is_raised_again(error: Exception) -> None:
    """Of the same type, saying the same."""
    document = tool_document(
        ToolCall("p", "t", {}), ToolAnswer(None, failure=failure_of(error)), None
    )
    failure = answer_of(document).failure
    assert failure is not None
    again = raised_again(failure)
    assert type(again) is type(error)
    assert str(again) == str(error)


def test_an_exception_with_parts_that_json_cannot_say_keeps_its_message() -> None:
    """Its type as well, where the message alone makes it."""
    assert failure_of(ValueError(1, object())).arguments is None
    group = failure_of(ExceptionGroup("two", [ValueError("a")]))
    assert str(raised_again(group)) == "ExceptionGroup: two (1 sub-exception)"
    broken = ToolFailure("ValueError", "x", [{"__type__": "uuid.UUID", "__data__": "no"}])
    assert str(raised_again(broken)) == "x"
