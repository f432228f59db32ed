"""A server whose answers wait for the client, never end, and whose connections are counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from tests.servers.fault_server import Ending, Framing, ReceivedRequest, Reply
from tests.servers.loopback import LoopbackServer, _gzipped

EVENT_STREAM = (("Content-Type", "text/event-stream"),)
GZIPPED = (("Content-Encoding", "gzip"),)
PATIENCE = 20.0
"""Seconds after which something that waits for the other side gives up; no test gets there."""

SILENCE = 0.2
"""Seconds that a client waits for a server that says no more: enough to hear what it did say."""

Answer = Callable[[ReceivedRequest], Reply]


class StreamServer(LoopbackServer):
    """Answers each request by what its function says, and knows its open connections."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def answer(self, request: ReceivedRequest) -> Reply:
        """What the function says."""
        return self._answer(request)

    @property
    def connections(self) -> int:
        """How many connections are open now, as the server sees it."""
        return 0 if self._http is None else len(self._http._connections)

    def closes_all_but(self, expected: int) -> bool:
        """Whether no more connections stay open: a server hears of a closed one a moment later."""
        return eventually(lambda: self.connections <= expected)


class Gate:
    """Lets the server send the next event when the client says that it has the last one."""

    def __init__(self) -> None:
        self._passes = threading.Semaphore(0)

    def open(self) -> None:
        """Let one event pass."""
        self._passes.release()

    def between(self, events: Iterable[bytes]) -> Iterator[bytes]:
        """The events: the first at once, each other one when the gate was opened for it.

        Raises TimeoutError where nobody opens it, which cuts the stream.
        """
        for number, event in enumerate(events):
            if number and not self._passes.acquire(timeout=PATIENCE):
                msg = "the client never had the event before this one"
                raise TimeoutError(msg)
            yield event


def event(number: int, text: str = "") -> bytes:
    """A server-sent event."""
    return f'data: {{"number":{number},"text":"{text}"}}\n\n'.encode()


def events(count: int) -> tuple[bytes, ...]:
    """That many events."""
    return tuple(map(event, range(count)))


def stream(
    pieces: Iterable[bytes | float], ending: Ending = Ending.COMPLETE, *, is_gzipped: bool = False
) -> Reply:
    """A chunked event stream; the pieces are made, and compressed, while they are sent."""
    return Reply(
        _gzipped(pieces) if is_gzipped else pieces,  # type: ignore[arg-type]  # any iterable will do
        headers=(*EVENT_STREAM, *GZIPPED) if is_gzipped else EVENT_STREAM,
        framing=Framing.CHUNKED,
        ending=ending,
    )


def endless() -> Reply:
    """An event stream that ends when the client leaves, or the server stops."""
    return stream(_endless())


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true within the time that all tests have."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def _endless() -> Iterator[bytes | float]:
    number = 0
    while True:
        yield event(number)
        yield 0.0005  # so that a client that reads slowly is not flooded
        number += 1
