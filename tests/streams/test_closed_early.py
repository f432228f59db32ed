"""A client that reads no more: what came is kept, and reading past it is an error that helps."""

from __future__ import annotations

import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import vcr_llm
from tests.sdk.clients import entered
from tests.servers.fault_server import FaultServer, Framing, Reply
from tests.streams.callers import LIBRARIES, Caller, Heard, record, responses
from tests.streams.stream_server import EVENT_STREAM, StreamServer, endless, event, events, stream

URL = "http://stream.test/"
CLIENT = {"by": "client"}

Leaving = Callable[[Caller, Any, str], Coroutine[Any, Any, int]]


async def breaks(caller: Caller, client: Any, url: str) -> int:
    """Leaves the loop, and then the `with`."""
    return len((await caller.hear(client, url, only=2)).chunks)


async def raises(caller: Caller, client: Any, url: str) -> int:
    """Leaves both with an error of its own."""
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the loop raises
        async with entered(client.stream("GET", url)) as response:
            async for _chunk in caller.chunks(response):
                raise ZeroDivisionError
    return 1


async def closes(caller: Caller, client: Any, url: str) -> int:
    """Closes the response inside the loop; httpx lets the loop end."""
    response = await caller.open(client, url)
    count = 0
    async for _chunk in caller.chunks(response):
        count += 1
        await caller.close(response)
        break
    return count


async def closes_unread(caller: Caller, client: Any, url: str) -> int:
    """Closes without reading."""
    await caller.close(await caller.open(client, url))
    return 0


async def closes_twice(caller: Caller, client: Any, url: str) -> int:
    """Closes again, and once more."""
    response = await caller.open(client, url)
    async for _chunk in caller.chunks(response):
        break
    for _ in range(3):
        await caller.close(response)
    return 1


async def leaves_unread(caller: Caller, client: Any, url: str) -> int:
    """Only looks at the head."""
    async with entered(client.stream("GET", url)) as response:
        assert response.status_code == 200
    return 0


async def forgets(caller: Caller, client: Any, url: str) -> int:
    """Reads an event and drops the response without a word."""
    response = await caller.open(client, url)
    async for _chunk in caller.chunks(response):
        break
    del response
    gc.collect()
    return 1


async def never_reads(caller: Caller, client: Any, url: str) -> int:
    """Drops the response unread."""
    await caller.open(client, url)
    gc.collect()
    return 0


LEAVINGS = [
    breaks,
    raises,
    closes,
    closes_unread,
    closes_twice,
    leaves_unread,
    forgets,
    never_reads,
]
each_leaving = pytest.mark.parametrize("leave", LEAVINGS, ids=lambda leave: leave.__name__)


def left(caller: Caller, leave: Leaving, url: str) -> tuple[int, int]:
    """How many events a client had that leaves this way, and what stays in its pool."""

    async def scenario() -> tuple[int, int]:
        async with caller.client() as client:
            count = await leave(caller, client, url)
            return count, len(client._transport._pool.connections)

    return caller.run(scenario())


@each_leaving
def test_an_endless_stream_can_be_left_in_every_way(
    caller: Caller, cassette: Path, leave: Leaving
) -> None:
    """What came is one recording, marked; no connection stays open that would not stay anyway."""
    with StreamServer(lambda _request: endless()) as server:
        raw = left(caller, leave, server.url)
        with vcr_llm.use_cassette(cassette) as recording:
            live = left(caller, leave, server.url)
        assert live == raw
        assert server.closes_all_but(0)
    assert not recording.tapes
    (response,) = responses(cassette)
    assert response["ended"] == CLIENT
    assert [entry["number"] for entry in response["body"]] == [*range(live[0])]
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        again, _connections = left(caller, leave, server.url)
    assert again == live[0]
    assert replayed.all_played


@pytest.mark.parametrize(
    "leave",
    [breaks, raises, closes, closes_unread, closes_twice, leaves_unread],
    ids=lambda leave: leave.__name__,
)
def test_what_came_is_on_disk_when_the_client_has_left(
    caller: Caller, cassette: Path, leave: Leaving
) -> None:
    """The recording does not wait for the end of the cassette, nor is it kept in memory."""
    with (
        StreamServer(lambda _request: endless()) as server,
        vcr_llm.use_cassette(cassette) as recording,
    ):
        left(caller, leave, server.url)
        assert len(responses(cassette)) == 1
        assert not recording.tapes


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_forgotten_is_let_go(library: str, cassette: Path) -> None:
    """A sync client that drops a response gives its connection back; no tape holds it either."""
    caller = Caller(library, "sync")
    with (
        StreamServer(lambda _request: endless()) as server,
        vcr_llm.use_cassette(cassette) as recording,
    ):
        left(caller, forgets, server.url)
        assert len(responses(cassette)) == 1
        assert not recording.tapes


def test_a_compressed_stream_that_is_left_is_readable(caller: Caller, cassette: Path) -> None:
    """What came of it is decoded, though the end that gzip wants never came."""

    async def scenario(url: str) -> str:
        async with caller.client() as client, entered(client.stream("GET", url)) as response:
            async for text in caller.texts(response):
                return str(text)
        return ""

    pieces = tuple(stream(events(4), is_gzipped=True).pieces)
    headers = (*EVENT_STREAM, ("Content-Encoding", "gzip"))
    with FaultServer(Reply(pieces, headers=headers, framing=Framing.CHUNKED)) as server:
        with vcr_llm.use_cassette(cassette):
            assert caller.run(scenario(server.url)) == event(0).decode()
        (response,) = responses(cassette)
        assert response["body"][0]["number"] == 0
        assert response["ended"] == CLIENT
        with vcr_llm.use_cassette(cassette, record_mode="none"):
            assert caller.run(scenario(server.url)) == event(0).decode()


async def read_on(caller: Caller, url: str) -> list[bytes]:
    """Reads all there is, whatever error comes."""
    async with caller.client() as client, entered(client.stream("GET", url)) as response:
        return [chunk async for chunk in caller.chunks(response)]


def test_reading_past_a_recording_says_what_to_do(caller: Caller, cassette: Path) -> None:
    """The error names the file, what happened when it was recorded, and how to record it again."""
    with FaultServer(stream(events(5))) as server:
        with vcr_llm.use_cassette(cassette):
            caller.hears(server.url, only=2)
        (path,) = cassette.glob("*.json")
        with (
            pytest.raises(vcr_llm.RecordingEnds) as caught,
            vcr_llm.use_cassette(cassette, record_mode="none") as replayed,
        ):
            caller.run(read_on(caller, server.url))
    message = str(caught.value)
    assert path.name in message
    assert "closed this stream after 2 events" in message
    assert 'record_mode="rewrite"' in message
    assert caught.value.path == str(path)
    assert len(replayed.misses) == 1
    assert getattr(caught.value, "__notes__", []) == []


def test_reading_past_a_recording_comes_after_all_that_is_in_it(
    caller: Caller, cassette: Path
) -> None:
    """The events that are known are given first."""
    record(cassette, URL, [{"n": 0}, {"n": 1}], ended=CLIENT)
    chunks: list[bytes] = []

    async def scenario() -> None:
        async with caller.client() as client, entered(client.stream("GET", URL)) as response:
            async for chunk in caller.chunks(response):
                chunks.append(chunk)  # noqa: PERF401 - the loop ends with an error

    with (
        pytest.raises(vcr_llm.RecordingError),
        vcr_llm.use_cassette(cassette, record_mode="none"),
    ):
        caller.run(scenario())
    assert chunks == [b'data: {"n":0}\n\n', b'data: {"n":1}\n\n']


def test_code_that_hides_the_error_is_told_when_the_cassette_is_left(
    caller: Caller, cassette: Path
) -> None:
    """As with a request that no recording answers: a warning says it again."""
    record(cassette, URL, [{"n": 0}], ended=CLIENT)
    with (
        pytest.warns(vcr_llm.VcrLlmWarning, match=r"closed this stream after 1 event\b"),
        vcr_llm.use_cassette(cassette, record_mode="none"),
        pytest.raises(vcr_llm.RecordingError),
    ):
        caller.run(read_on(caller, URL))


LAST_EVENTS = [
    b"data: [DONE]\n\n",
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    b'event: response.completed\ndata: {"type":"response.completed"}\n\n',
    b'event: response.incomplete\ndata: {"type":"response.incomplete"}\n\n',
    b"event: done\ndata: [DONE]\n\n",
    b'event: message-end\ndata: {"type":"message-end"}\n\n',
]


@pytest.mark.parametrize("last", LAST_EVENTS)
def test_a_client_that_stops_at_the_last_event_had_everything(
    caller: Caller, cassette: Path, last: bytes
) -> None:
    """SDKs stop there, and close the connection before the server does."""
    with (
        FaultServer(stream((event(0), last, b": nobody reads this\n\n"))) as server,
        vcr_llm.use_cassette(cassette),
    ):
        live = caller.hears(server.url, only=2)
    assert "ended" not in responses(cassette)[0]
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == Heard([event(0), last])
    assert live.chunks == [event(0), last]


def test_a_client_that_has_every_byte_had_everything(caller: Caller, cassette: Path) -> None:
    """With a length that is reached, closing is no leaving."""
    with (
        FaultServer(Reply(events(1), headers=EVENT_STREAM)) as server,
        vcr_llm.use_cassette(cassette),
    ):
        caller.hears(server.url, only=1)
    assert "ended" not in responses(cassette)[0]


@pytest.mark.parametrize("status", [204, 304])
def test_nothing_is_missing_where_no_content_can_be(
    caller: Caller, cassette: Path, status: int
) -> None:
    """204 and 304 have none (RFC 9110, 6.4.1): closing them unread is as good as reading."""

    async def scenario(url: str) -> None:
        async with caller.client() as client:
            await closes_unread(caller, client, url)

    head = f"HTTP/1.1 {status} X\r\nETag: a\r\n\r\n".encode()
    with FaultServer(Reply((head,), status=None)) as server, vcr_llm.use_cassette(cassette):
        caller.run(scenario(server.url))
    assert "ended" not in responses(cassette)[0]
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == Heard([])


def test_nothing_is_missing_in_the_answer_to_head(caller: Caller, cassette: Path) -> None:
    """The length is that of a GET, and no content comes (RFC 9110, 9.3.2)."""

    async def scenario(url: str) -> bytes:
        async with caller.client() as client:
            async with entered(client.stream("HEAD", url)) as response:
                assert int(response.headers.get("content-length", 1)) > 0
            async with entered(client.stream("HEAD", url)) as response:
                return await caller.read(response)

    # The server does not know HEAD, and says so with a length and without a body.
    with StreamServer(lambda _request: stream(())) as server, vcr_llm.use_cassette(cassette):
        assert caller.run(scenario(server.url)) == b""
    assert ["ended" in response for response in responses(cassette)] == [False, False]
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.run(scenario(server.url)) == b""
