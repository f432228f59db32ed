"""Records an async stream while sync ones that were dropped are collected: run as a program.

Arguments: the library, the cassette. The collector runs wherever a recording is written or read,
as it may at any time; a lock that waits for itself then shows as a program that does not end.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from typing import Any

import vcr_llm
from tests.servers.fault_server import ReceivedRequest, Reply
from tests.streams.callers import Caller
from tests.streams.stream_server import StreamServer, endless, events, stream
from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm._recording_writer import RecordingWriter


def collecting(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, with the collector before it."""

    def replacement(*arguments: Any, **options: Any) -> Any:
        gc.collect()
        return method(*arguments, **options)

    return replacement


def drop(client: Any, url: str) -> None:
    """Reads an event of a stream, and drops it in a cycle, as SDKs do."""
    response = client.send(client.build_request("GET", url), stream=True)
    chunks = response.iter_raw()
    next(chunks)
    cycle: list[Any] = [chunks]
    cycle.append(cycle)


def of_the_path(request: ReceivedRequest) -> Reply:
    """Streams without end, and with one."""
    return endless() if request.path == "/endless" else stream(events(2))


async def scenario(library: str, url: str) -> None:
    """Drops sync streams between async ones."""
    asynchronous = Caller(library, "async")
    with Caller(library, "sync").new_client() as client:
        for _ in range(3):
            drop(client, f"{url}/endless")
            async with asynchronous.client() as other:
                assert (await asynchronous.hear(other, f"{url}/whole")).chunks == [*events(2)]


def main(library: str, cassette: str) -> None:
    """Record, and replay."""
    gc.disable()  # so that it runs where it is to run
    RecordingWriter.write = collecting(RecordingWriter.write)  # type: ignore[method-assign]
    RecordingDirectory.read = collecting(RecordingDirectory.read)  # type: ignore[method-assign]
    with StreamServer(of_the_path) as server:
        for mode in ("once", "none"):
            with vcr_llm.use_cassette(cassette, record_mode=mode) as used:
                asyncio.run(scenario(library, server.url))
                gc.collect()
            assert not used.tapes
        assert len(server.requests) == 6


if __name__ == "__main__":
    main(*sys.argv[1:])
