"""What must be reached, and whether it is, by what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, TypeAlias

from scripts.benchmarks.tables import NOT_RUN, OURS, Results, milliseconds, times

# The rows and columns of the tables.
CLIENT = "no cassette"
IN_EVENTS, IN_ONE_BLOCK = "MockTransport, event by event", "MockTransport, in one block"
VCRPY_YAML, CASSETTER = "vcrpy YAML", "cassetter, body matched"
PYTEST_ALONE = "pytest-recording alone"
BODY = "the body itself"
ALL_READ = ", all read"
FIRST_EVENT, MANY_EVENTS, LONGER = "first event", "many events", "twice as many events"
IN_DIRECTORIES, FLAT = 'layout="directory"', 'layout="flat"'

# The paragraphs of docs/benchmarks.md that say what limits a figure that is not reached.
REPLAY = "A replay, beside the client alone."
LONG_STREAM = "Recording a long stream."
MEMORY = "Memory of a long stream."
FIRST_SAVE = "Saving the first recording."
SAVES = "Every further recording."
LOADING = "The first request that no name answers."
START = "The plugin in a run without cassettes."
FLAT_LAYOUT = "A flat directory."

SAVED_KINDS = ("plain", "streamed")
"""The kinds of chats of which saving is measured."""


def first_save_of(kind: str) -> str:
    """The table of the first save into an opened cassette."""
    return f"first save, {kind}"


def save_of(kind: str) -> str:
    """The table of every further save."""
    return f"save, {kind}"


Measure: TypeAlias = Callable[[Results], float | None]


class Target(NamedTuple):
    """A figure that must be reached."""

    title: str
    most: float
    measured: Measure
    shown: Callable[[float], str]
    limit: str
    """The paragraph that says what limits it."""
    is_strict: bool = False
    """Whether the figure must stay below, and not reach, what is given."""

    def row(self, results: Results) -> str:
        """What must be reached, what was measured, and whether that is enough."""
        value = self.measured(results)
        required = f"{'below' if self.is_strict else 'at most'} {self.shown(self.most)}"
        if value is None:
            return f"| {self.title} | {required} | {NOT_RUN} | |"
        return f"| {self.title} | {required} | {self.shown(value)} | {self._verdict(value)} |"

    def _verdict(self, value: float) -> str:
        is_reached = value < self.most if self.is_strict else value <= self.most
        return "yes" if is_reached else f"**no**: {self.limit.rstrip('.')}"


def beside(table: str, other: str, results: Results, *, all_read: bool = False) -> float | None:
    """How many times theirs our time is, in the column where that is most.

    Loading has two kinds of columns: until a cassette is open, and until all of it is read.
    """
    columns = [
        name for name in results.tables.get(table, {}) if name.endswith(ALL_READ) == all_read
    ]
    return _most(_ratio(results, table, (name, OURS), (name, other)) for name in columns)


def growth(table: str, results: Results) -> float | None:
    """How many times our time in the first column the one in the last is."""
    columns = list(results.tables.get(table, ()))
    return _ratio(results, table, (columns[-1], OURS), (columns[0], OURS)) if columns else None


def spread(table: str, results: Results) -> float | None:
    """How many times our least time the most is."""
    found = _own(table, results)
    return max(found) / min(found) if found else None


def slowest(table: str, results: Results) -> float | None:
    """Our most time in any column."""
    return _most(iter(_own(table, results)))


def column_beside(table: str, column: str, other: str, results: Results) -> float | None:
    """How many times theirs ours is, in one column."""
    return _ratio(results, table, (column, OURS), (column, other))


def column_growth(table: str, first: str, last: str, results: Results) -> float | None:
    """How many times ours in one column ours in another is."""
    return _ratio(results, table, (last, OURS), (first, OURS))


def over(table: str, column: str, ours: str, other: str, results: Results) -> float | None:
    """How much more time one row takes than the other."""
    own, theirs = results.median(table, column, ours), results.median(table, column, other)
    return None if own is None or theirs is None else own - theirs


def _own(table: str, results: Results) -> list[float]:
    found = (results.median(table, name, OURS) for name in results.tables.get(table, ()))
    return [value for value in found if value is not None]


def _ratio(
    results: Results, table: str, one: tuple[str, str], other: tuple[str, str]
) -> float | None:
    above, below = results.median(table, *one), results.median(table, *other)
    return above / below if above is not None and below else None


def _most(values: Iterator[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


_A_TENTH_MORE = 1.10

TARGETS = (
    *(
        Target(
            f"a streamed chat, in a cassette of any size, beside {limit}",
            1.05,
            partial(beside, "streamed", limit),
            times,
            REPLAY,
        )
        for limit in (IN_EVENTS, IN_ONE_BLOCK)
    ),
    Target(
        "a streamed chat, the largest cassette beside the smallest",
        _A_TENTH_MORE,
        partial(growth, "streamed"),
        times,
        REPLAY,
    ),
    Target(
        "a plain chat, in a cassette of any size, beside MockTransport",
        1.15,
        partial(beside, "plain", IN_ONE_BLOCK),
        times,
        REPLAY,
    ),
    *(
        Target(
            f"{title}, beside {other}",
            most,
            partial(beside, "load", row, all_read=all_read),
            times,
            LOADING,
            is_strict=is_strict,
        )
        for title, all_read in (("loading", False), ("loading until all is read", True))
        for other, row, most, is_strict in (
            ("vcrpy YAML", VCRPY_YAML, 0.5, False),
            ("cassetter", CASSETTER, 1, True),
        )
    ),
    Target(
        "the first event of a live stream, over the client without a recorder",
        0.005,
        partial(over, "live", FIRST_EVENT, OURS, CLIENT),
        milliseconds,
        LONG_STREAM,
    ),
    Target(
        "recording a long stream, beside the client without a recorder",
        1.3,
        partial(column_beside, "live", MANY_EVENTS, CLIENT),
        times,
        LONG_STREAM,
    ),
    Target(
        "memory of a long stream, beside its body",
        4,
        partial(column_beside, "memory", MANY_EVENTS, BODY),
        times,
        MEMORY,
        is_strict=True,
    ),
    Target(
        "memory of a stream of twice the length",
        2 * _A_TENTH_MORE,
        partial(column_growth, "memory", MANY_EVENTS, LONGER),
        times,
        MEMORY,
    ),
    *(
        target
        for table_of, save, limit in (
            (first_save_of, "the first save of an opened cassette", FIRST_SAVE),
            (save_of, "every further save", SAVES),
        )
        for kind in SAVED_KINDS
        for target in (
            Target(
                f"{save}, {kind} chats",
                0.001,
                partial(slowest, table_of(kind)),
                milliseconds,
                limit,
                is_strict=True,
            ),
            Target(
                f"{save}, {kind} chats, the slowest size beside the fastest",
                _A_TENTH_MORE,
                partial(spread, table_of(kind)),
                times,
                limit,
            ),
        )
    ),
    Target(
        "the plugin in a run without cassettes, over pytest-recording",
        0.010,
        partial(over, "start", "pytest", OURS, PYTEST_ALONE),
        milliseconds,
        START,
        is_strict=True,
    ),
    Target(
        "a test that uses one of many recordings in a flat directory, over a directory of its own",
        0.001,
        partial(over, "flat", "a test", FLAT, IN_DIRECTORIES),
        milliseconds,
        FLAT_LAYOUT,
        is_strict=True,
    ),
)


def verdicts(results: Results) -> Iterator[str]:
    """A Markdown table of what must be reached."""
    yield "| | must be | is | reached |"
    yield "| --- | ---: | ---: | --- |"
    for target in TARGETS:
        yield target.row(results)
