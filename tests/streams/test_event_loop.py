"""Inside a running event loop: nothing of ours blocks it, whatever becomes of a stream."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

import vcr_llm
from tests.sdk.clients import entered
from tests.servers.fault_server import Ending, ReceivedRequest, Reply
from tests.streams.callers import LIBRARIES, Caller, documents, responses
from tests.streams.stream_server import (
    PATIENCE,
    StreamServer,
    endless,
    events,
    stream,
)


@pytest.fixture(params=LIBRARIES)
def caller(request: pytest.FixtureRequest) -> Caller:
    """Each library, async."""
    return Caller(request.param, "async")


def of_the_path(request: ReceivedRequest) -> Reply:
    """The ending that the path names."""
    match request.path:
        case "/endless":
            return endless()
        case "/cut":
            return stream(events(2), Ending.CUT)
        case "/none":
            return Reply(status=None, ending=Ending.CUT)
        case _:
            return stream(events(2))


async def stall(caller: Caller, client: Any, url: str) -> None:
    """Reads an event, and then does something else for longer than it may."""
    async with asyncio.timeout(PATIENCE) as timeout:
        async with entered(client.stream("POST", url)) as response:
            await anext(caller.chunks(response))
            timeout.reschedule(asyncio.get_running_loop().time())
            await asyncio.sleep(PATIENCE)


async def listen(caller: Caller, made: Any, url: str) -> list[tuple[bytes, str | None]]:
    """A stream of each ending."""
    async with made as client:
        heard = [
            await caller.hear(client, f"{url}/whole"),
            await caller.hear(client, f"{url}/endless", only=1),
            await caller.hear(client, f"{url}/cut"),
            await caller.hear(client, f"{url}/none"),
        ]
        with pytest.raises(TimeoutError):
            await stall(caller, client, f"{url}/endless")
    return [(each.body, each.error) for each in heard]


def test_a_loop_that_is_watched_for_blocking_streams(caller: Caller, cassette: Path) -> None:
    """Tools that refuse blocking calls inside a loop meet none of ours."""
    clients = caller.new_client(), caller.new_client()  # which read files when they are made
    with StreamServer(of_the_path) as server:
        with vcr_llm.use_cassette(cassette, record_errors=True), blockbuster_ctx():
            live = asyncio.run(listen(caller, clients[0], server.url))
        assert len(documents(cassette)) == 5
        with vcr_llm.use_cassette(cassette, record_mode="none"), blockbuster_ctx():
            assert asyncio.run(listen(caller, clients[1], server.url)) == live
    assert [error for _body, error in live] == [None, None, *["RemoteProtocolError"] * 2]


def test_a_group_of_tasks_fails_together(caller: Caller, cassette: Path) -> None:
    """One task of an asyncio.TaskGroup fails; the one that reads is cancelled, again on replay."""

    async def scenario(url: str) -> list[bytes]:
        chunks: list[bytes] = []
        has_come = asyncio.Event()

        async def read(client: Any) -> None:
            async with entered(client.stream("GET", url)) as response:
                async for chunk in caller.chunks(response):
                    chunks.append(chunk)
                    has_come.set()

        async def fail() -> None:
            await has_come.wait()
            raise ZeroDivisionError

        with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012 - the group raises at its end
            async with caller.client() as client, asyncio.TaskGroup() as group:
                group.create_task(read(client))
                group.create_task(fail())
        assert caught.group_contains(ZeroDivisionError)
        return chunks

    with StreamServer(lambda _request: stream(events(1), Ending.STALL)) as server:
        with vcr_llm.use_cassette(cassette):
            live = asyncio.run(scenario(server.url))
        with vcr_llm.use_cassette(cassette, record_mode="none"):
            assert asyncio.run(scenario(server.url)) == live
    assert responses(cassette)[0]["ended"] == {"by": "client", "cancelled": True}


async def in_disorder(caller: Caller, url: str, count: int, dice: random.Random) -> None:
    """Tasks that read to the end, leave, close unread, and are cancelled at any time."""

    async def read(client: Any, path: str, only: int | None) -> None:
        await caller.hear(client, f"{url}{path}", only=only)

    async with caller.client(limits=caller.library.Limits(max_connections=20)) as client:
        tasks = []
        for _ in range(count):
            path = dice.choice(["/whole", "/cut", "/endless"])
            only = dice.choice([1, 2]) if path == "/endless" else None
            tasks.append(asyncio.create_task(read(client, path, only)))
        for task in dice.sample(tasks, count // 3):
            await asyncio.sleep(dice.choice([0, 0, 0.001]))
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if caller.library.__name__ == "httpx2":  # httpx forgets some, without us as well
            assert all(used.is_idle() for used in client._transport._pool.connections)


@pytest.mark.parametrize("seed", range(3))
def test_disorder_leaves_whole_recordings_and_no_connection(
    caller: Caller, cassette: Path, seed: int
) -> None:
    """Whatever is cancelled when: each file is whole, and no answer is recorded twice."""
    with StreamServer(of_the_path) as server:
        with vcr_llm.use_cassette(cassette) as recording:
            asyncio.run(in_disorder(caller, server.url, 60, random.Random(seed)))
            assert not recording.tapes
        assert server.closes_all_but(0)
        found = documents(cassette)
        assert 0 < len(found) <= len(server.requests)
    assert sorted(document["sequence"] for document in found) == [*range(len(found))]
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert len(replayed) == len(found)
        assert [bool(response) for response in replayed.responses] == [True] * len(found)
