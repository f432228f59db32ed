"""Which cassettes are open.

vcrpy's patches hold for the whole process, so the cassette that was opened last gets the calls of
every thread and every task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcr_llm._cassette import RecordingCassette

_open: list[RecordingCassette] = []


def opened(cassette: RecordingCassette) -> None:
    """From now on, this one gets the calls of tools."""
    _open.append(cassette)


def closed(cassette: RecordingCassette) -> None:
    """From now on, the one that was opened before gets them."""
    if cassette in _open:
        _open.remove(cassette)


def innermost() -> RecordingCassette | None:
    """The cassette that was opened last and is still open, if there is one."""
    try:
        return _open[-1]
    except IndexError:
        return None


def all_open() -> tuple[RecordingCassette, ...]:
    """The cassettes that are open now."""
    return tuple(_open)
