"""When the parts of a body came <-> ``response.timing``: milliseconds since the request.

One number for each event, and one more for what closes a stream without being an event of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from vcr_llm._errors import MalformedRecording
from vcr_llm._interaction import Arrival
from vcr_llm._json import JSON


def encode_timing(lengths: Iterable[int], arrivals: Iterable[Arrival]) -> list[JSON]:
    """The milliseconds at which each piece of these lengths was there as a whole.

    Pieces without a length are left out.
    """
    return list(_times(accumulate(filter(None, lengths)), list(arrivals)))


def decode_timing(lengths: Iterable[int], timing: JSON) -> tuple[Arrival, ...]:
    """When each piece of these lengths came.

    Raises MalformedRecording where the numbers make no sense. Where they are fewer than the
    pieces, as after an edit by hand, the last ones come at once.
    """
    if not isinstance(timing, list):
        raise _wrong()
    return tuple(map(Arrival, accumulate(lengths), map(_time, timing)))


def _times(ends: Iterable[int], arrivals: list[Arrival]) -> Iterator[JSON]:
    """For each end the time of the first arrival that reaches it."""
    place = 0
    for end in ends:
        while place < len(arrivals) - 1 and arrivals[place].end < end:
            place += 1
        yield arrivals[place].at


def _time(value: JSON) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _wrong()
    return value


def _wrong() -> MalformedRecording:
    return MalformedRecording(
        "response.timing should be a list of milliseconds, one for each event"
    )
