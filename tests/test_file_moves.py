"""The order in which files are rewritten and renamed: whenever a run is killed, all is there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcr_llm._file_moves import order_of_renames, order_of_writes


@pytest.mark.parametrize(
    ("wanted", "others", "steps"),
    [
        ({}, [], []),
        ({"a": "a"}, [], []),
        ({"a": "b"}, ["x"], [("a", "b")]),
        ({"a": "b", "b": "c"}, [], [("b", "c"), ("a", "b")]),
        ({"a": "b", "b": "a"}, [], [("a", "moving-a"), ("b", "a"), ("moving-a", "b")]),
        (
            {"a": "b", "b": "a"},
            ["moving-a"],
            [("a", "moving-moving-a"), ("b", "a"), ("moving-moving-a", "b")],
        ),
    ],
)
def test_names_are_given_one_after_the_other(
    wanted: dict[str, str], others: list[str], steps: list[tuple[str, str]]
) -> None:
    """A name is left before another file takes it; in a ring, one steps aside."""
    assert order_of_renames(wanted, [*wanted, *others]) == steps


@given(st.data())
def test_no_step_lands_on_another_file(data: st.DataObject) -> None:
    """Chains, rings and both: at every moment each file has a name of its own."""
    names = data.draw(st.lists(st.sampled_from("abcdefghij"), unique=True))
    targets = data.draw(st.permutations("abcdefghijklmn"))
    wanted = dict(zip(names, targets, strict=False))
    kept = [name for name in "opq" if data.draw(st.booleans())]
    files = {name: name for name in (*wanted, *kept)}
    for old, new in order_of_renames(wanted, files):
        assert new not in files
        files[new] = files.pop(old)
    assert files == {wanted.get(name, name): name for name in (*wanted, *kept)}


@given(st.lists(st.none() | st.integers(0, 9), min_size=1))
def test_at_every_moment_the_numbers_are_in_order(numbers: list[int | None]) -> None:
    """Written one after the other, however they were before."""
    present = sorted(numbers, key=lambda number: number or 0)
    pairs = list(zip(present, range(len(present)), strict=True))
    order = order_of_writes(pairs)
    assert sorted(order) == list(range(len(present)))
    # Equal numbers are told apart by the names of the files, which do not change meanwhile.
    now = [(number or 0, place) for place, number in enumerate(present)]
    for place in order:
        now[place] = (place, place)
        assert now == sorted(now)
