"""HTTP/2 and WebSocket, against a server that is not ours (https://hypercorn.readthedocs.io)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

import vcr_llm
from tests.sdk.clients import KINDS, entered, settled
from tests.streams.callers import LIBRARIES, Caller, Heard, documents, responses
from tests.streams.stream_server import PATIENCE, SILENCE, Gate, event, events, eventually

pytest.importorskip("h2", reason="needs httpx[http2]")
serving: Any = pytest.importorskip("hypercorn.asyncio", reason="needs hypercorn")
settings: Any = pytest.importorskip("hypercorn.config")

EVENTS = events(4)
HTTP2 = {"http1": False, "http2": True}


class Hypercorn:
    """A server of HTTP/1.1, HTTP/2 and WebSocket on loopback, in a thread of its own.

    `/` sends the events through the gate, `/endless` never ends, `/stalls` sends one; a
    WebSocket is an echo.
    """

    def __init__(self) -> None:
        self.gate = Gate()
        self.requests = 0
        self.open_streams = 0
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        self._listener = listener.detach()  # hypercorn closes it
        self._stop: Callable[[], object] = bool
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_up.wait(PATIENCE)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop()
        self._thread.join(PATIENCE)

    async def _serve(self) -> None:
        config, stopped = settings.Config(), asyncio.Event()
        config.bind = [f"fd://{self._listener}"]
        config.graceful_timeout = 0
        config.accesslog = config.errorlog = None
        loop = asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        self._is_up.set()
        await serving.serve(self._answer, config, shutdown_trigger=stopped.wait)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        self.requests += 1
        self.open_streams += 1
        try:
            if scope["type"] == "websocket":
                await self._echo(receive, send)
            else:
                await self._stream(scope["path"], receive, send)
        finally:
            self.open_streams -= 1

    async def _stream(self, path: str, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if path == "/endless":
            gone = asyncio.create_task(_disconnected(receive))
            while not gone.done():
                await send(_body(event(0)))
                await asyncio.sleep(0.0005)
            return
        if path == "/stalls":
            await send(_body(event(0)))
            await _disconnected(receive)
            return
        pieces = self.gate.between(EVENTS)
        while (piece := await asyncio.to_thread(next, pieces, b"")) != b"":
            await send(_body(piece))
        await send({"type": "http.response.body"})

    async def _echo(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _body(piece: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": piece, "more_body": True}


@pytest.fixture
def server() -> Iterator[Hypercorn]:
    """A running server."""
    with Hypercorn() as running:
        yield running


def test_a_stream_of_http2_streams_while_it_is_recorded(
    caller: Caller, cassette: Path, server: Hypercorn
) -> None:
    """Each event reaches the client before the next is sent; a replay gives them one by one."""

    async def scenario() -> tuple[str, list[bytes]]:
        chunks = []
        async with (
            caller.client(**HTTP2) as client,
            entered(client.stream("GET", url)) as response,
        ):
            async for chunk in caller.chunks(response):
                chunks.append(chunk)
                server.gate.open()
        return response.http_version, chunks

    url = f"http://{server.address}/"
    with vcr_llm.use_cassette(cassette):
        assert caller.run(scenario()) == ("HTTP/2", [*EVENTS])
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(url) == Heard([*EVENTS])
    assert server.requests == 1
    assert "ended" not in responses(cassette)[0]


def test_a_stream_of_http2_is_left_without_its_connection(
    caller: Caller, cassette: Path, server: Hypercorn
) -> None:
    """Leaving resets the stream; the connection serves the next request."""
    url = f"http://{server.address}/endless"

    async def scenario() -> list[Heard]:
        async with caller.client(**HTTP2) as client:
            heard = [await caller.hear(client, url, only=1) for _ in range(3)]
            assert len(client._transport._pool.connections) == 1
            assert client._transport._pool.connections[0].is_idle()
        return heard

    with vcr_llm.use_cassette(cassette) as recording:
        live = caller.run(scenario())
        assert not recording.tapes
    assert eventually(lambda: server.open_streams == 0)
    assert [response["ended"] for response in responses(cassette)] == [{"by": "client"}] * 3
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:

        async def again() -> list[Heard]:
            async with caller.client(**HTTP2) as client:
                return [await caller.hear(client, url, only=1) for _ in range(3)]

        assert caller.run(again()) == live
    assert replayed.play_count == server.requests == 3


def test_a_stream_of_http2_that_stalls(caller: Caller, cassette: Path, server: Hypercorn) -> None:
    """The same timeout behind the same event; the server hears that nobody waits any more."""
    url = f"http://{server.address}/stalls"
    options = {**HTTP2, "timeout": caller.library.Timeout(PATIENCE, read=SILENCE)}
    raw = caller.hears(url, **options)
    with vcr_llm.use_cassette(cassette):
        live = caller.hears(url, **options)
    assert live == raw
    assert eventually(lambda: server.open_streams == 0)
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(url, **HTTP2) == live
    assert (live.chunks, live.error) == ([event(0)], "ReadTimeout")


@pytest.mark.parametrize("library", LIBRARIES)
def test_streams_share_one_connection(library: str, cassette: Path, server: Hypercorn) -> None:
    """Two streams at once on one connection of HTTP/2, read in turn, are two recordings."""
    caller = Caller(library, "async")
    url = f"http://{server.address}/endless"

    async def scenario() -> None:
        async with caller.client(**HTTP2) as client:
            one, two = await caller.open(client, f"{url}?1"), await caller.open(client, f"{url}?2")
            first, second = caller.chunks(one), caller.chunks(two)
            for _ in range(3):
                assert await anext(first) == await anext(second) == event(0)
            assert len(client._transport._pool.connections) == 1
            await caller.close(one)
            assert await anext(second) == event(0)
            await caller.close(two)

    with vcr_llm.use_cassette(cassette) as recording:
        caller.run(scenario())
        assert not recording.tapes
    assert [len(response["body"]) for response in responses(cassette)] == [3, 4]
    assert eventually(lambda: server.open_streams == 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_websocket_passes(kind: str, cassette: Path, server: Hypercorn) -> None:
    """What is no HTTP any more is not recorded, and does not hang."""
    caller = Caller("httpx2", kind)
    pytest.importorskip("wsproto", reason="needs httpx2[ws]")

    async def scenario() -> list[str]:
        said = []
        async with (
            caller.client() as client,
            entered(client.websocket(f"ws://{server.address}/")) as session,
        ):
            for text in ("one", "two"):
                await settled(session.send_text(text))
                said.append(await settled(session.receive_text()))
        return said

    with vcr_llm.use_cassette(cassette) as recording:
        assert caller.run(scenario()) == ["one", "two"]
        assert not recording.tapes
    assert len(recording) == 0
    assert documents(cassette) == []
    assert eventually(lambda: server.open_streams == 0)
