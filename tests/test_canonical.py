"""What the files of a cassette should be: keys, numbers, names; as values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.recordings import named, recording
from vcr_llm._canonical import Named, canonical, changes, in_order, positions
from vcr_llm._recording import replay_order

_ONE, _TWO = "t.py::test_one", "t.py::test_two"


def _carried_over(**options: Any) -> dict[str, Any]:
    document = recording(**options)
    del document["recorded_at"]
    return document


def _sorted(recordings: list[Named]) -> list[Named]:
    return sorted(recordings, key=lambda each: replay_order(*each))


# --- keys -------------------------------------------------------------------------------------


def test_documented_keys_come_first_and_in_their_order() -> None:
    """Those of others between them and the number; what is nested deeper is not ours to order."""
    document = recording(status=500, framing={"z": 1, "a": 2}, sequence=3)
    shuffled: dict[str, Any] = {"x": 1, **dict(reversed(document.items())), "y": 2}
    shuffled["response"] = {"z": 0, **dict(reversed(document["response"].items()))}
    ordered = in_order(shuffled)
    assert list(ordered) == [
        *("test_id", "request", "response", "x", "y", "sequence", "recorded_at"),
    ]
    assert list(ordered["response"]) == ["body", "is_streaming", "status", "framing", "z"]  # type: ignore[arg-type]  # JSON
    assert ordered == shuffled
    assert in_order(ordered) == ordered


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"request": 1, "response": None},
        {"request": {}, "response": {}},
        {"request": {"url": 5}, "recorded_at": "x"},
        {"request": {"tool_name": "x", "kwargs": {}, "provider": "p"}, "recorded_at": "x"},
    ],
)
def test_what_is_no_exchange_gets_no_keys_of_one(document: dict[str, Any]) -> None:
    """Only the test, which every recording of ours has."""
    ordered = in_order(document)
    assert {**ordered, "test_id": None} == {**document, "test_id": None}


def test_derived_keys_say_what_url_and_body_say() -> None:
    """In recordings of our own; those of others have their quirks."""
    document = recording()
    document["request"] |= {"endpoint": "old", "model": "old"}
    assert in_order(document) == recording()
    del document["recorded_at"]
    assert in_order(document) == document


# --- numbers ----------------------------------------------------------------------------------


def _documents(*rows: tuple[str | None, int | None]) -> list[dict[str, Any]]:
    return [
        recording(f"{place}", test_id=test, sequence=number)
        for place, (test, number) in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([(_ONE, None)], [None]),
        ([(_ONE, 3)], [None]),
        ([(_ONE, 1), (_ONE, 5)], [0, 1]),
        # one numbering, shared by two tests
        ([(_ONE, 0), (_TWO, 1), (_ONE, 4)], [0, 1, 2]),
        ([(_ONE, 0), (_TWO, 2), (_TWO, 2)], [0, 1, 2]),
        # a numbering for each test
        ([(_ONE, 0), (_TWO, 0), (_ONE, 3)], [0, None, 1]),
        ([(_ONE, None), (_TWO, None)], [None, None]),
        ([(_ONE, 0), (_TWO, 0), (_ONE, 1), (_TWO, 1)], [0, 0, 1, 1]),
        # recordings of no test beside them
        ([(_ONE, 0), (_TWO, 0), (None, 1), (_ONE, 2)], [0, 0, 1, 2]),
        ([(_ONE, 0), (_TWO, 0), (None, 0)], [0, 1, 2]),
        ([(_ONE, 0), (_TWO, 0), (None, 1), (None, 1)], [0, 1, 2, 3]),
        ([(_ONE, None), (_TWO, None), (None, None)], [None, None, None]),
    ],
)
def test_numbers_are_those_that_the_recorder_would_give(
    rows: list[tuple[str | None, int | None]], expected: list[int | None]
) -> None:
    """In the order in which the recordings come."""
    assert positions(_documents(*rows)) == expected


def test_recordings_of_the_carried_over_system_are_not_numbered() -> None:
    """Unless one of the same test's is our own."""
    theirs = [_carried_over(prompt=prompt, test_id=_ONE) for prompt in "ab"]
    assert positions(theirs) == [None, None]
    assert positions([*theirs, recording(test_id=_ONE, sequence=2)]) == [0, 1, 2]
    assert positions([*theirs, recording(test_id=_TWO)]) == [None, None, None]


# --- names ------------------------------------------------------------------------------------


def test_names_count_up_and_pass_over_those_that_are_taken() -> None:
    """By the order of replay."""
    documents = [recording("a", str(place), sequence=place) for place in range(3)]
    before = [Named(f"{place}.json", each) for place, each in enumerate(documents)]
    after = canonical(before, taken={named(documents[0], 2)})
    assert [name for name, _document in after] == [
        named(documents[0]),
        named(documents[0], 3),
        named(documents[0], 4),
    ]


def test_numbers_keep_the_order_where_names_alone_would_change_it() -> None:
    """Of two tests that asked the same, whoever reads both got this answer first."""
    first, second = sorted(
        (recording(test_id=_ONE), recording(test_id=_TWO)), key=named, reverse=True
    )
    before = [Named("0.json", first), Named("1.json", second)]
    after = canonical(before)
    assert [document["sequence"] for _name, document in after] == [0, 1]
    assert canonical(after) == after


def test_names_stay_where_numbers_may_not_change() -> None:
    """In a cassette of which a part is not known, and where nothing is our own."""
    for make in (recording, _carried_over):
        first, second = sorted((make(test_id=_ONE), make(test_id=_TWO)), key=named, reverse=True)
        before = [Named("0.json", first), Named("1.json", second)]
        assert canonical(before, is_whole=False) == before


# --- what is told -----------------------------------------------------------------------------


def test_changes_are_told_in_words() -> None:
    """Each thing that is different, the name last."""
    old = _carried_over(prompt="a", sequence=3) | {"mine": 1}
    new = {
        **recording("a", test_id=_ONE, sequence=None),
        "mine": "REDACTED",
    }
    new["request"] = {**new["request"], "model": "x", "endpoint": "/y"}
    del new["recorded_at"]
    told = changes(Named("a.json", old), Named("b.json", new))
    assert told == [
        "test_id",
        "request.endpoint",
        "request.model",
        "sequence 3 -> none",
        "secrets",
        "order of keys",
        "name",
    ]
    assert changes(Named("a.json", old), Named("a.json", dict(old))) == []
    assert changes(Named("a", {"request": 1}), Named("a", {"request": 1})) == []


# --- any cassette -----------------------------------------------------------------------------


@st.composite
def _cassettes(draw: st.DrawFn) -> list[Named]:
    names = draw(
        st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6, unique=True).map(sorted)
    )
    found: list[Named] = []
    for name in names:
        document = recording(
            draw(st.sampled_from("xy")),
            name,
            test_id=draw(st.sampled_from([None, _ONE, _TWO])),
            sequence=draw(st.none() | st.integers(0, 3)),
        )
        if draw(st.booleans()):
            del document["recorded_at"]
        is_named = draw(st.booleans())
        taken = {each.name for each in found}
        own = next(own for own in (named(document, n) for n in range(1, 9)) if own not in taken)
        found.append(Named(own if is_named else f"{name}.json", document))
    return _sorted(found)


@given(_cassettes(), st.booleans())
def test_any_cassette_replays_alike_and_is_canonical_then(
    before: list[Named], is_whole: bool
) -> None:
    """No recording is lost, no name is given twice, one request's answers keep their order."""
    after = canonical(before, is_whole=is_whole)
    assert len({name for name, _document in after}) == len(before)

    def answers(recordings: list[Named]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for _name, document in _sorted(recordings):
            request: Any = document["request"]
            response: Any = document["response"]
            found.setdefault(request["body"]["prompt"], []).append(response["body"]["answer"])
        return found

    assert answers(after) == answers(before)
    again = canonical(_sorted(after), is_whole=is_whole)
    assert again == _sorted(after)
