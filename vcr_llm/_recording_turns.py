"""Recording one exchange after the other, whichever thread it ends in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from vcr_llm._event_loop import is_beside_event_loop


class Tape(Protocol):
    """A response that is still being recorded."""

    def close(self) -> None:
        """Nobody will read more of it: save what came."""


class RecordingTurns:
    """Who records in a cassette; ``lock`` is the cassette's own."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self.are_over = False
        """Whether the cassette is closed, so that nothing is recorded any more."""
        self.problems: list[Exception] = []
        """What prevented recordings from being saved."""
        self._saver: int | None = None
        self._put_off: list[Tape] = []

    @contextmanager
    def take(self) -> Iterator[bool]:
        """While this lasts, something is recorded; False where the cassette is closed already.

        What prevents it is raised by the cassette's `finish`, when the HTTP libraries are restored,
        and not in the middle of somebody's request.
        """
        with self._lock:
            if self.are_over:  # a thread of an earlier test is still at work
                yield False
                return
            self._saver = threading.get_ident()
            try:
                yield True
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the end
                self.problems.append(error)
            finally:
                self._saver = None
        while self._put_off:
            self._put_off.pop().close()

    def puts_off(self, tape: Tape) -> bool:
        """Whether this thread is in the middle of saving, so that a tape is closed later.

        The generator of a stream that somebody dropped is closed wherever garbage is collected.
        """
        is_saving = self._saver == threading.get_ident() or is_beside_event_loop()
        if is_saving:
            self._put_off.append(tape)
        return is_saving
