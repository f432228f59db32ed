"""Libraries on vcrpy's own stubs: their streams are buffered, as docs/streams.md says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vcr_llm
from tests.servers.fault_server import Ending, FaultServer
from tests.streams.callers import Caller, documents, record
from tests.streams.stream_server import PATIENCE, SILENCE, events, stream

EVENTS = events(3)
WHOLE = b"".join(EVENTS)


def with_urllib3(url: str, timeout: float = PATIENCE) -> list[bytes]:
    """The pieces in which urllib3 gives a body."""
    urllib3 = pytest.importorskip("urllib3")
    with urllib3.PoolManager() as pool:
        response = pool.request("GET", url, preload_content=False, retries=False, timeout=timeout)
        return [piece for piece in response.stream() if piece]


def with_requests(url: str, timeout: float = PATIENCE) -> list[bytes]:
    """The pieces in which requests gives a body."""
    requests = pytest.importorskip("requests")
    with requests.Session() as session:
        response = session.get(url, stream=True, timeout=timeout)
        return [piece for piece in response.iter_content(None) if piece]


def with_aiohttp(url: str, timeout: float = PATIENCE) -> list[bytes]:
    """The pieces in which aiohttp gives a body."""
    aiohttp: Any = pytest.importorskip("aiohttp")

    async def scenario() -> list[bytes]:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=timeout)) as session,
            session.get(url) as response,
        ):
            return [piece async for piece in response.content.iter_any()]

    return asyncio.run(scenario())


def with_tornado(url: str, timeout: float = PATIENCE) -> list[bytes]:
    """The body, which tornado gives whole."""
    client: Any = pytest.importorskip("tornado.httpclient")

    async def scenario() -> list[bytes]:
        fetcher = client.AsyncHTTPClient(force_instance=True)
        try:
            return [(await fetcher.fetch(url, request_timeout=timeout)).body]
        finally:
            fetcher.close()

    return asyncio.run(scenario())


LIBRARIES = [with_urllib3, with_requests, with_aiohttp, with_tornado]
each_library = pytest.mark.parametrize("pieces", LIBRARIES, ids=lambda one: one.__name__)
Pieces = Callable[..., list[bytes]]


@each_library
def test_a_stream_is_replayed_as_one_block(pieces: Pieces, cassette: Path) -> None:
    """The bytes are the same; nothing is known of when they came."""
    with FaultServer(stream(EVENTS)) as server, vcr_llm.use_cassette(cassette, timing=True):
        assert pieces(server.url) == [WHOLE]
    with vcr_llm.use_cassette(cassette, record_mode="none", replay_speed=1.0):
        assert pieces(server.url) == [WHOLE]
    (document,) = documents(cassette)
    assert len(document["response"]["body"]) == 3
    assert not {"ended", "timing"} & document["response"].keys()


@each_library
@pytest.mark.parametrize("ending", [Ending.CUT, Ending.STALL])
def test_a_stream_that_breaks_is_not_recorded(
    pieces: Pieces, cassette: Path, ending: Ending
) -> None:
    """Its error comes instead of the response, with `record_errors` as well."""
    with (
        FaultServer(stream(EVENTS, ending)) as server,
        vcr_llm.use_cassette(cassette, record_errors=True),
        pytest.raises(Exception, match=r"(?i)timed? ?out|IncompleteRead|not completed|closed"),
    ):
        pieces(server.url, SILENCE if ending is Ending.STALL else PATIENCE)
    if pieces is with_tornado:  # whose own word for no response is kept
        assert [found["response"]["status"] for found in documents(cassette)] == [599]
    elif (pieces, ending) != (with_aiohttp, Ending.STALL):  # taken for a body that is empty
        assert documents(cassette) == []


@each_library
@pytest.mark.parametrize(
    "ended",
    [{"by": "client"}, {"by": "error", "type": "ReadError", "message": ""}],
    ids=["left", "cut"],
)
def test_what_httpx_recorded_of_a_broken_stream_is_all_there_is(
    pieces: Pieces, cassette: Path, ended: dict[str, str]
) -> None:
    """The body as far as it came, and no error behind it."""
    record(cassette, "http://stream.test/", [{"n": 0}], ended=ended)
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert pieces("http://stream.test/") == [b'data: {"n":0}\n\n']


@each_library
def test_what_they_recorded_is_replayed_event_by_event(pieces: Pieces, cassette: Path) -> None:
    """A client of httpx has the events one by one, whoever recorded them."""
    with FaultServer(stream(EVENTS)) as server, vcr_llm.use_cassette(cassette):
        pieces(f"{server.url}/")
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert Caller("httpx", "sync").hears(f"{server.url}/").chunks == [*EVENTS]
