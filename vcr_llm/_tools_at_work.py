"""Which tools are running: what one sends while it runs belongs to its own recording.

That is known in the tool's context, in its tasks, and in the threads to which it gives work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from threading import Thread
from typing import ParamSpec, TypeAlias, TypeVar

from vcr_llm._open_cassettes import all_open

Cassettes: TypeAlias = tuple[object, ...]
Given = ParamSpec("Given")
Result = TypeVar("Result")

_at_work: ContextVar[Cassettes] = ContextVar("vcr_llm_tools_at_work", default=())


@contextmanager
def tool_at_work() -> Iterator[None]:
    """While this lasts, what is sent in this context is part of a tool's recording."""
    _follow_into_threads()
    with _work_of(all_open()):
        yield


def is_tools_own(cassette: object) -> bool:
    """Whether what is sent in this context belongs to a running tool of this cassette."""
    return any(other is cassette for other in _at_work.get())


@contextmanager
def _work_of(cassettes: Cassettes) -> Iterator[None]:
    token = _at_work.set(cassettes)
    try:
        yield
    finally:
        _at_work.reset(token)


def _do(
    cassettes: Cassettes,
    work: Callable[Given, Result],
    *args: Given.args,
    **options: Given.kwargs,
) -> Result:
    with _work_of(cassettes):
        return work(*args, **options)


@cache
def _follow_into_threads() -> None:
    """From now on, a thread that works for a tool knows it.

    A new thread has a context of its own, with nothing of the one that started it in it (PEP 567;
    free-threaded Python 3.14 hands it on). Where no tool runs, everything is as ever.
    """
    their_submit, their_start = ThreadPoolExecutor.submit, Thread.start

    def submit(
        pool: ThreadPoolExecutor,
        work: Callable[Given, Result],
        /,
        *args: Given.args,
        **options: Given.kwargs,
    ) -> Future[Result]:
        if not (cassettes := _at_work.get()):
            return their_submit(pool, work, *args, **options)
        with _work_of(()):  # the pool's threads work for others, too
            return their_submit(pool, partial(_do, cassettes, work), *args, **options)

    def start(thread: Thread) -> None:
        if cassettes := _at_work.get():
            thread.run = partial(_do, cassettes, thread.run)  # type: ignore[method-assign]
        their_start(thread)

    ThreadPoolExecutor.submit = submit  # type: ignore[method-assign,assignment]
    Thread.start = start  # type: ignore[method-assign,assignment]
