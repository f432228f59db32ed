"""What was measured, and how it is shown: medians, and how many times ours the others' are."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple, TypeAlias

OURS = "vcr-llm"
NOT_RUN = "not run"
_BIG = 10  # a ratio from which on decimals say nothing

Samples: TypeAlias = dict[str, list[float]]
"""Seconds or bytes, by contestant."""
Table: TypeAlias = dict[str, Samples]
"""Samples, by column."""


class Results(NamedTuple):
    """What was measured, and what was not, with the reason."""

    tables: dict[str, Table]
    notes: list[str]

    def median(self, table: str, column: str, contestant: str) -> float | None:
        """The median of what was measured there, None where nothing was."""
        samples = self.tables.get(table, {}).get(column, {}).get(contestant)
        return median(samples) if samples else None


def milliseconds(seconds: float) -> str:
    """A time as a reader wants it: with decimals where they say something."""
    value = seconds * 1000
    digits = 0 if seconds >= 1 else 1 if value >= 1 else 2
    return f"{value:,.{digits}f} ms"


def megabytes(size: float) -> str:
    """A size in millions of bytes."""
    return f"{size / 1e6:,.1f} MB"


def times(ratio: float) -> str:
    """How many times one is the other."""
    return f"{ratio:,.{0 if ratio >= _BIG else 2}f} x"


def rows(table: Table, *, is_memory: bool = False) -> Iterator[str]:
    """A Markdown table: a row for each contestant, ours first."""
    contestants = list(dict.fromkeys(name for column in table.values() for name in column))
    contestants.sort(key=lambda name: name != OURS)
    yield f"| | {' | '.join(table)} |"
    yield f"| --- |{' ---: |' * len(table)}"
    for name in contestants:
        columns = table.values()
        cells = (cell(column, name, contestants[0], is_memory=is_memory) for column in columns)
        yield f"| {name} | {' | '.join(cells)} |"


def cell(column: Samples, name: str, first: str, *, is_memory: bool = False) -> str:
    """A median, and its ratio to that of the first row."""
    if not column.get(name):
        return NOT_RUN
    own = median(column[name])
    text = megabytes(own) if is_memory else milliseconds(own)
    base = median(column.get(first) or [0])
    return text if name == first or not base else f"{text} ({times(own / base)})"
