"""Work on many files, in as many processes as help."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

_WORTH_PROCESSES = 100  # jobs; fewer are done before another process is ready
_MOST_PROCESSES = 4  # each takes memory, and they wait for the same disk
_AT_A_TIME = 8


def processes() -> int:
    """As many as help on this machine."""
    return min(_MOST_PROCESSES, os.cpu_count() or 1)


def done(work: Callable[[Job], Outcome], jobs: Sequence[Job]) -> Iterator[Outcome]:
    """What the work makes of each job, in the order of the jobs."""
    if processes() == 1 or len(jobs) < _WORTH_PROCESSES:
        yield from map(work, jobs)
        return
    context = multiprocessing.get_context(_start_method())
    with ProcessPoolExecutor(processes(), mp_context=context) as pool:
        try:
            yield from pool.map(work, jobs, chunksize=_AT_A_TIME)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _start_method() -> str:
    """A fork needs no second import; with threads about it is not safe (Python 3.12 warns)."""
    is_safe = sys.platform == "linux" and threading.active_count() == 1
    return "fork" if is_safe else "spawn"
