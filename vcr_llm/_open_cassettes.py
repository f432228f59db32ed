"""Which cassettes are open, and whose tools are running.

vcrpy's patches hold for the whole process, so the cassette that was opened last gets the calls of
every thread and every task. What a tool sends while it runs belongs to its own recording; that is
known in the tool's context, in its tasks, and in threads that are started with its context.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcr_llm._cassette import RecordingCassette

_open: list[RecordingCassette] = []
_at_work: ContextVar[tuple[object, ...]] = ContextVar("vcr_llm_tools_at_work", default=())


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


@contextmanager
def tool_at_work() -> Iterator[None]:
    """While this lasts, what is sent in this context is part of a tool's recording."""
    token = _at_work.set(tuple(_open))
    try:
        yield
    finally:
        _at_work.reset(token)


def is_tools_own(cassette: object) -> bool:
    """Whether what is sent in this context belongs to a running tool of this cassette."""
    return any(other is cassette for other in _at_work.get())
