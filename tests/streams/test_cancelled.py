"""A task that is cancelled while it reads: recorded as far as it came, and cancelled on replay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest

import vcr_llm
from tests.sdk.clients import entered
from tests.servers.fault_server import Ending, Reply
from tests.streams.callers import LIBRARIES, Caller, Heard, documents, record, responses
from tests.streams.stream_server import PATIENCE, StreamServer, endless, event, events, stream

URL = "http://stream.test/"
CANCELLED = {"by": "client", "cancelled": True}
SOON = 0.03
"""Seconds that a scenario waits for a server that stalls."""

pytestmark = pytest.mark.filterwarnings(
    # Trio says this of httpx's own generators, with and without a recorder.
    "ignore:Async generator .* was garbage collected:ResourceWarning"
)


@pytest.fixture(params=LIBRARIES)
def caller(request: pytest.FixtureRequest) -> Caller:
    """Each library, async: no sync client is ever cancelled."""
    return Caller(request.param, "async")


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each event loop that the libraries run on."""
    pytest.importorskip(request.param)
    return str(request.param)


# Ways of being cancelled, each with what the code around meets. All begin when two chunks have
# come, so that no slow machine is too slow for them.
Way = Callable[[Caller, str, list[bytes]], Coroutine[Any, Any, None]]


async def read(
    caller: Caller, url: str, chunks: list[bytes], at_two: Callable[[], object] = bool
) -> None:
    """Reads all there is, and does something when two chunks have come."""
    async with (
        caller.client(timeout=PATIENCE) as client,
        entered(client.stream("GET", url)) as response,
    ):
        async for chunk in caller.chunks(response):
            chunks.append(chunk)
            if len(chunks) == 2:
                at_two()


def bring_forward(scope: anyio.CancelScope) -> None:
    """Lets the time of a scope run out soon."""
    scope.deadline = anyio.current_time() + SOON


async def by_timeout(caller: Caller, url: str, chunks: list[bytes]) -> None:
    """A timeout of the code around."""
    with pytest.raises(TimeoutError), anyio.fail_after(PATIENCE) as scope:
        await read(caller, url, chunks, lambda: bring_forward(scope))


async def by_moving_on(caller: Caller, url: str, chunks: list[bytes]) -> None:
    """A timeout without an error."""
    with anyio.move_on_after(PATIENCE) as scope:
        await read(caller, url, chunks, lambda: bring_forward(scope))
    assert scope.cancelled_caught


async def by_itself(caller: Caller, url: str, chunks: list[bytes]) -> None:
    """The task cancels its own scope with a chunk in its hands, and asks for the next."""
    with anyio.CancelScope() as scope:
        await read(caller, url, chunks, scope.cancel)
    assert scope.cancelled_caught


async def by_a_failing_neighbour(caller: Caller, url: str, chunks: list[bytes]) -> None:
    """Another task of the same group fails."""
    has_come = anyio.Event()

    async def fail() -> None:
        await has_come.wait()
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012 - the group raises at its end
        async with anyio.create_task_group() as group:
            group.start_soon(fail)
            await read(caller, url, chunks, has_come.set)
    assert caught.group_contains(ZeroDivisionError)


WAYS = [by_timeout, by_moving_on, by_itself, by_a_failing_neighbour]
each_way = pytest.mark.parametrize("cancel", WAYS, ids=lambda way: way.__name__)


def meets(way: Way, caller: Caller, url: str, backend: str) -> list[bytes]:
    """What a task has read until it is cancelled this way."""
    chunks: list[bytes] = []
    anyio.run(way, caller, url, chunks, backend=backend)
    return chunks


@each_way
def test_a_cancelled_task_is_cancelled_on_replay(
    caller: Caller, cassette: Path, cancel: Way, backend: str
) -> None:
    """The code meets its own timeout or failure again, with the same events in its hands."""
    with StreamServer(lambda _request: stream(events(2), Ending.STALL)) as server:
        with vcr_llm.use_cassette(cassette) as recording:
            live = meets(cancel, caller, server.url, backend)
            assert not recording.tapes
        assert server.closes_all_but(0)
    assert live == [*events(2)]
    (response,) = responses(cassette)
    assert len(response["body"]) == 2
    assert response["ended"] == CANCELLED
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert meets(cancel, caller, server.url, backend) == live
    assert replayed.all_played


@each_way
def test_an_endless_stream_is_cancelled(
    caller: Caller, cassette: Path, cancel: Way, backend: str
) -> None:
    """What came until then is one recording; the connection is closed."""
    with StreamServer(lambda _request: endless()) as server:
        with vcr_llm.use_cassette(cassette) as recording:
            live = meets(cancel, caller, server.url, backend)
            assert not recording.tapes
        assert server.closes_all_but(0)
    (response,) = responses(cassette)
    assert [entry["number"] for entry in response["body"]] == [*range(len(live))]
    assert response["ended"] == CANCELLED


def test_a_task_that_had_the_last_event_had_everything(
    caller: Caller, cassette: Path, backend: str
) -> None:
    """SDKs drain what comes behind it; a task that is cancelled meanwhile has missed nothing."""
    sent = (event(0), b"data: [DONE]\n\n")
    with (
        StreamServer(lambda _request: stream(sent, Ending.STALL)) as server,
        vcr_llm.use_cassette(cassette),
    ):
        assert meets(by_timeout, caller, server.url, backend) == [*sent]
    assert "ended" not in responses(cassette)[0]
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == Heard([*sent])


def test_a_task_that_nobody_cancels_is_told_so(caller: Caller, cassette: Path) -> None:
    """It waits for the next event as long as its client waits for a byte, and no longer."""
    record(cassette, URL, [{"n": 0}], ended=CANCELLED)
    with (
        pytest.raises(vcr_llm.RecordingError, match="cancelled"),
        vcr_llm.use_cassette(cassette, record_mode="none"),
    ):
        caller.hears(URL, timeout=SOON)


def test_a_sync_client_does_not_wait_to_be_cancelled(cassette: Path) -> None:
    """It cannot be: reading on is the error at once."""
    record(cassette, URL, [{"n": 0}], ended=CANCELLED)
    with (
        pytest.raises(vcr_llm.RecordingError, match="cancelled"),
        vcr_llm.use_cassette(cassette, record_mode="none"),
    ):
        Caller("httpx", "sync").hears(URL, timeout=None)


async def test_a_task_is_cancelled_from_outside(caller: Caller, cassette: Path) -> None:
    """`task.cancel()` is met as CancelledError, live and on replay."""
    with StreamServer(lambda _request: stream(events(2), Ending.STALL)) as server:
        for mode in ("once", "none"):
            chunks: list[bytes] = []
            with vcr_llm.use_cassette(cassette, record_mode=mode):
                task = asyncio.create_task(read(caller, server.url, chunks))
                while len(chunks) < 2:  # noqa: ASYNC110 - it is another task's list
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert chunks == [*events(2)]
    assert len(server.requests) == 1


async def in_vain(caller: Caller, url: str, chunks: list[bytes]) -> None:
    """Waits for a response that does not come."""
    with anyio.move_on_after(SOON) as scope:
        await read(caller, url, chunks)
    assert scope.cancelled_caught


def test_a_task_that_is_cancelled_before_the_answer_records_nothing(
    caller: Caller, cassette: Path, backend: str
) -> None:
    """There is no response yet of which anything could be kept."""
    with StreamServer(lambda _request: Reply(status=None, ending=Ending.STALL)) as server:
        with vcr_llm.use_cassette(cassette) as recording:
            assert meets(in_vain, caller, server.url, backend) == []
            assert not recording.tapes
        assert server.closes_all_but(0)
    assert len(recording) == 0
    assert documents(cassette) == []


MCP = {"mcp-session-id": "1"}


@pytest.mark.parametrize(
    ("headers", "response", "stays"),
    [(MCP, {}, True), ({}, {}, False), (MCP, {"status": 405}, False)],
)
def test_a_stream_of_an_mcp_session_stays_open(
    caller: Caller,
    cassette: Path,
    backend: str,
    *,
    headers: dict[str, str],
    response: dict[str, Any],
    stays: bool,
) -> None:
    """On it the server may speak until the session ends, so a replay does not end it before."""
    record(cassette, URL, [{"__data__": {"a": 1}}], **response)
    chunks: list[bytes] = []

    async def listen() -> bool:
        async with caller.client(headers=headers, timeout=PATIENCE) as client:
            with anyio.move_on_after(PATIENCE) as scope:
                async with entered(client.stream("GET", URL)) as stream:
                    async for chunk in caller.chunks(stream):
                        chunks.append(chunk)
                        if stays:
                            bring_forward(scope)
        return scope.cancelled_caught

    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert anyio.run(listen, backend=backend) is stays
    assert len(chunks) == 1
