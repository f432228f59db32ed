"""Connections, threads and tasks: nothing hangs, is left behind, or is recorded twice."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import vcr_llm
from tests.sdk.clients import entered
from tests.servers.fault_server import Ending, ReceivedRequest, Reply
from tests.streams.callers import LIBRARIES, Caller, Heard, documents, responses
from tests.streams.stream_server import (
    Gate,
    StreamServer,
    endless,
    event,
    events,
    eventually,
    stream,
)

each_library = pytest.mark.parametrize("library", LIBRARIES)


def of_the_path(request: ReceivedRequest) -> Reply:
    """Three events, unless the path asks for another ending."""
    if request.path.startswith("/endless"):
        return endless()
    ending = Ending.CUT if request.path.startswith("/cut") else Ending.COMPLETE
    return stream(events(3), ending)


def pooled(client: Any) -> int:
    """How many connections a client's pool has."""
    return len(client._transport._pool.connections)


def test_a_connection_is_given_back_and_used_again(caller: Caller, cassette: Path) -> None:
    """Ten streams, one after the other, need one connection, recorded or not."""

    async def scenario(url: str) -> int:
        async with caller.client() as client:
            for number in range(10):
                await caller.hear(client, f"{url}/{number}")
                assert client._transport._pool.connections[0].is_idle()
            return pooled(client)

    with StreamServer(of_the_path) as server:
        assert caller.run(scenario(server.url)) == 1
        with vcr_llm.use_cassette(cassette):
            assert caller.run(scenario(server.url)) == 1
        assert server.closes_all_but(0)
    assert len(documents(cassette)) == 10


def test_a_pool_of_one_connection_is_enough(caller: Caller, cassette: Path) -> None:
    """Streams that were left or cut free their place, so that the next does not wait for ever."""

    async def scenario(url: str) -> list[str | None]:
        limits = caller.library.Limits(max_connections=1)
        timeout = caller.library.Timeout(20, pool=5)
        async with caller.client(limits=limits, timeout=timeout) as client:
            errors = [
                (await caller.hear(client, f"{url}/{path}", only=only)).error
                for path, only in (("endless", 2), ("cut", None), ("whole", None), ("endless", 1))
            ]
            await caller.close(await caller.open(client, f"{url}/endless?unread"))
            assert (await caller.hear(client, f"{url}/whole?last")).error is None
        return errors

    with StreamServer(of_the_path) as server, vcr_llm.use_cassette(cassette) as recording:
        errors = caller.run(scenario(server.url))
        assert not recording.tapes
    assert errors == [None, "RemoteProtocolError", None, None]
    assert len(documents(cassette)) == 6


def test_two_streams_at_once_on_one_pool(caller: Caller, cassette: Path) -> None:
    """Read in turn, each has its own events; each is one recording, also on replay."""

    async def scenario(url: str) -> tuple[list[bytes], list[bytes]]:
        found: tuple[list[bytes], list[bytes]] = ([], [])
        async with (
            caller.client() as client,
            entered(client.stream("GET", f"{url}/one")) as one,
            entered(client.stream("GET", f"{url}/two")) as two,
        ):
            streams = caller.chunks(one), caller.chunks(two)
            for _ in range(3):
                for chunks, into, gate in zip(streams, found, gates, strict=True):
                    into.append(await anext(chunks))
                    gate.open()
            for chunks in streams:
                assert await anext(chunks, None) is None
        return found

    gates = Gate(), Gate()
    sent = [event(number, "one") for number in range(3)], [event(n, "two") for n in range(3)]
    pieces = {f"/{name}": gates[i].between(sent[i]) for i, name in enumerate(("one", "two"))}
    with (
        StreamServer(lambda request: stream(pieces[request.path])) as server,
        vcr_llm.use_cassette(cassette),
    ):
        assert caller.run(scenario(server.url)) == sent
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert caller.run(scenario(server.url)) == sent
    assert replayed.all_played
    assert len(documents(cassette)) == 2


@each_library
@pytest.mark.parametrize("mode", ["once", "none"])
def test_a_stream_may_be_read_by_another_thread(library: str, cassette: Path, mode: str) -> None:
    """Opened here, read there, closed here."""
    caller = Caller(library, "sync")
    with StreamServer(of_the_path) as server:
        if mode == "none":
            with vcr_llm.use_cassette(cassette):
                caller.hears(server.url)
        with (
            vcr_llm.use_cassette(cassette, record_mode=mode) as used,
            caller.new_client() as client,
            ThreadPoolExecutor(1) as elsewhere,
        ):
            response = client.send(client.build_request("GET", server.url), stream=True)
            assert elsewhere.submit(lambda: [*response.iter_raw()]).result() == [*events(3)]
            response.close()
            assert not used.tapes
        assert server.closes_all_but(0)
    assert ["ended" in found for found in responses(cassette)] == [False]


@each_library
@pytest.mark.parametrize("mode", ["once", "none"])
async def test_a_stream_may_be_read_by_another_task(
    library: str, cassette: Path, mode: str
) -> None:
    """The task that opened it is over by then, and a third one closes it."""
    caller = Caller(library, "async")

    async def read(response: Any) -> list[bytes]:
        return [chunk async for chunk in caller.chunks(response)]

    with StreamServer(of_the_path) as server:
        if mode == "none":
            with vcr_llm.use_cassette(cassette):
                await asyncio.to_thread(caller.hears, server.url)
        with vcr_llm.use_cassette(cassette, record_mode=mode) as used:
            async with caller.client() as client:
                response = await asyncio.create_task(caller.open(client, server.url))
                assert await asyncio.create_task(read(response)) == [*events(3)]
                await asyncio.create_task(caller.close(response))
                assert not used.tapes
        assert server.closes_all_but(0)
    assert ["ended" in found for found in responses(cassette)] == [False]


@each_library
async def test_a_stream_may_be_closed_while_another_task_reads(
    library: str, cassette: Path
) -> None:
    """The reader meets what it meets without us; one recording says that the client closed it."""
    caller = Caller(library, "async")

    async def scenario(url: str) -> str:
        has_begun = asyncio.Event()
        async with caller.client() as client:
            response = await caller.open(client, url)

            async def read() -> None:
                async for _chunk in caller.chunks(response):
                    has_begun.set()

            reader = asyncio.create_task(read())
            await has_begun.wait()
            await caller.close(response)
            (outcome,) = await asyncio.gather(reader, return_exceptions=True)
            return type(outcome).__name__

    with StreamServer(lambda _request: stream(events(1), Ending.STALL)) as server:
        raw = await scenario(server.url)
        with vcr_llm.use_cassette(cassette) as recording:
            assert await scenario(server.url) == raw
            assert not recording.tapes
        assert server.closes_all_but(0)
    (response,) = responses(cassette)
    assert "ended" in response


def test_a_client_that_is_closed_under_a_stream(caller: Caller, cassette: Path) -> None:
    """The connection goes with its pool; what came is kept when the cassette is left."""

    async def scenario(url: str) -> None:
        async with caller.client() as client:
            response = await caller.open(client, url)
            assert await anext(caller.chunks(response)) == event(0)

    with StreamServer(lambda _request: endless()) as server, vcr_llm.use_cassette(cassette):
        caller.run(scenario(server.url))
        assert server.closes_all_but(0)
    (response,) = responses(cassette)
    assert response["ended"] == {"by": "client"}


async def use_in_every_way(caller: Caller, url: str, times: int) -> None:
    """Streams that are read, left, cut, closed unread, and dropped."""
    for number in range(times):
        async with caller.client() as client:
            for _ in range(2):
                await caller.hear(client, f"{url}/whole?{number}")
            await caller.hear(client, f"{url}/endless?{number}", only=1)
            await caller.hear(client, f"{url}/cut?{number}")
            await caller.close(await caller.open(client, f"{url}/endless?unread{number}"))
            assert pooled(client) <= 1
    gc.collect()
    if caller.is_async:
        assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    "times", [10, pytest.param(200, marks=pytest.mark.heavy)], ids=["quick", "thousands"]
)
def test_nothing_grows_with_the_number_of_streams(
    caller: Caller, cassette: Path, times: int
) -> None:
    """Neither open connections nor threads, tasks, and responses that are still being recorded."""
    before = threading.active_count()
    with StreamServer(of_the_path) as server:
        with vcr_llm.use_cassette(cassette) as recording:
            caller.run(use_in_every_way(caller, server.url, times))
            assert not recording.tapes
            assert len(recording) == 5 * times
        assert server.closes_all_but(0)
        assert len(server.requests) == 5 * times
        with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
            caller.run(use_in_every_way(caller, server.url, times))
            assert replayed.play_count == 5 * times
            assert not replayed.tapes
        assert server.connections == 0
    assert eventually(lambda: threading.active_count() <= before)
    assert len(documents(cassette)) == 5 * times


def test_a_cassette_lets_go_of_what_it_recorded(caller: Caller, cassette: Path) -> None:
    """Once a stream has ended, nothing of ours holds its response, nor the client."""
    import weakref

    alive: list[weakref.ref[Any]] = []

    async def scenario(url: str) -> None:
        async with caller.client() as client:
            response = await caller.open(client, url)
            alive.extend([weakref.ref(response), weakref.ref(client)])
            await caller.read(response)

    with StreamServer(of_the_path) as server, vcr_llm.use_cassette(cassette):
        caller.run(scenario(server.url))
        gc.collect()
        assert [reference() for reference in alive] == [None, None]


def test_a_huge_event_passes(caller: Caller, cassette: Path) -> None:
    """An event of a megabyte comes in many chunks, and is one event on replay."""
    huge = event(0, "x" * 1_000_000)
    with (
        StreamServer(lambda _request: stream((huge, event(1)))) as server,
        vcr_llm.use_cassette(cassette),
    ):
        live = caller.hears(server.url)
    assert live.body == huge + event(1)
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == Heard([huge, event(1)])
