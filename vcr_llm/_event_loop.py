"""Waiting for the disk where an event loop may be running."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")


def beside_event_loop(work: Callable[[], Result]) -> Result:
    """Do what waits for the disk, in another thread where this one runs an event loop.

    vcrpy saves when the loop is over. Tools that refuse blocking calls inside a loop, such as
    blockbuster, would refuse ours; it is waited for all the same, so that an exchange is on disk
    before its response is given away.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:  # noqa: SLF001 - the public one raises
        return work()
    done: SimpleQueue[Future[Result]] = SimpleQueue()

    def work_and_tell() -> None:
        future: Future[Result] = Future()
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            future.set_exception(error)
        done.put(future)

    _Beside(target=work_and_tell, name="vcr-llm").start()
    return done.get().result()


def is_beside_event_loop() -> bool:
    """Whether this is a thread for which another one waits: it must wait for nobody."""
    return isinstance(threading.current_thread(), _Beside)


class _Beside(threading.Thread):
    """The thread that does the work."""
