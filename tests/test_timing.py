"""When the parts of a body came <-> `response.timing`."""

from __future__ import annotations

import json
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_json import fuzzed, json_values
from vcr_llm._errors import MalformedRecording
from vcr_llm._interaction import Arrival
from vcr_llm._json import JSON
from vcr_llm._timing import decode_timing, encode_timing

# The lengths of the pieces, how much had come by when, the numbers that are written.
ARRIVALS: list[tuple[str, list[int], list[tuple[int, int]], list[int]]] = [
    ("each piece for itself", [10, 20, 30], [(10, 1), (30, 5), (60, 9)], [1, 5, 9]),
    ("several at once", [10, 20, 30], [(60, 4)], [4, 4, 4]),
    ("a piece in two parts", [10, 20], [(15, 1), (30, 7)], [1, 7]),
    ("a piece in many parts", [40], [(10, 1), (20, 2), (30, 3), (40, 4)], [4]),
    ("the middle of a piece", [10, 10, 10], [(5, 1), (15, 2), (25, 3), (30, 4)], [2, 3, 4]),
    ("pieces without a length", [0, 10, 0, 10], [(10, 1), (20, 2)], [1, 2]),
    ("arrivals without a length", [10, 10], [(10, 1), (10, 2), (20, 3)], [1, 3]),
    ("more than came", [10, 10], [(10, 1)], [1, 1]),
    ("less than came", [10], [(10, 1), (20, 2)], [1]),
    ("nothing", [], [], []),
    ("nothing of something", [], [(10, 1)], []),
]


@pytest.mark.parametrize(
    ("lengths", "arrivals", "written"),
    [row[1:] for row in ARRIVALS],
    ids=[row[0] for row in ARRIVALS],
)
def test_a_piece_has_come_when_its_last_byte_has(
    lengths: list[int], arrivals: list[tuple[int, int]], written: list[int]
) -> None:
    """Each number is the time of the first arrival that reaches the end of its piece."""
    assert encode_timing(lengths, [Arrival(*arrival) for arrival in arrivals]) == written


READ: list[tuple[str, list[int], list[JSON], list[tuple[int, int]]]] = [
    ("one for each", [10, 20], [1, 5], [(10, 1), (30, 5)]),
    ("too few", [10, 20, 30], [1], [(10, 1)]),
    ("too many", [10], [1, 5, 9], [(10, 1)]),
    ("none", [10], [], []),
    ("out of order", [10, 10], [5, 1], [(10, 5), (20, 1)]),
    ("zero", [10], [0], [(10, 0)]),
]


@pytest.mark.parametrize(
    ("lengths", "timing", "arrivals"), [row[1:] for row in READ], ids=[row[0] for row in READ]
)
def test_the_numbers_are_those_of_the_pieces_in_their_order(
    lengths: list[int], timing: list[JSON], arrivals: list[tuple[int, int]]
) -> None:
    """Pieces beyond the numbers have no time, and numbers beyond the pieces no meaning."""
    assert decode_timing(lengths, timing) == tuple(Arrival(*arrival) for arrival in arrivals)


@pytest.mark.parametrize(
    "timing", [{}, "1", 1, True, ["1"], [None], [1.5], [-1], [True], [[1]]], ids=json.dumps
)
def test_timing_that_makes_no_sense_is_refused(timing: JSON) -> None:
    """The error names the place and says what was expected."""
    with pytest.raises(MalformedRecording, match=r"^response\.timing should be a list of milli"):
        decode_timing([10, 20], timing)


_lengths = st.lists(st.integers(1, 100), max_size=8)


@fuzzed
@given(_lengths, st.data())
def test_any_times_come_back(lengths: list[int], data: st.DataObject) -> None:
    """encode_timing(lengths, decode_timing(lengths, timing)) is the timing."""
    size = len(lengths)
    timing: list[JSON] = [
        *sorted(data.draw(st.lists(st.integers(0), min_size=size, max_size=size)))
    ]
    assert encode_timing(lengths, decode_timing(lengths, timing)) == timing


@fuzzed
@given(_lengths, _lengths, st.data())
def test_any_chunks_give_each_piece_a_time(
    lengths: list[int], chunks: list[int], data: st.DataObject
) -> None:
    """As many as pieces, never falling, and none that no chunk had."""
    at = sorted(data.draw(st.integers(0, 1000)) for _ in chunks)
    arrivals = list(map(Arrival, accumulate(chunks), at))
    timing = encode_timing(lengths if arrivals else [], arrivals)
    assert len(timing) == (len(lengths) if arrivals else 0)
    assert set(timing) <= set(at)
    assert all(earlier <= later for earlier, later in pairwise(json.loads(json.dumps(timing))))


@fuzzed
@given(_lengths, st.one_of(json_values, st.lists(json_values)))
def test_any_value_is_read_or_refused(lengths: list[int], timing: Any) -> None:
    """Whatever stands in a file."""
    try:
        arrivals = decode_timing(lengths, timing)
    except MalformedRecording:
        return
    assert [arrival.at for arrival in arrivals] == timing[: len(arrivals)]
