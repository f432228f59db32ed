"""16 threads and 200 tasks on one cassette: each exchange is recorded once and played once."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

import vcr_llm
from tests.servers.fault_server import ReceivedRequest, Reply
from tests.streams.callers import LIBRARIES, Caller, documents
from tests.streams.stream_server import StreamServer, event, stream

THREADS = 16
TASKS = 200
JSON = (("Content-Type", "application/json"),)

Asking = Callable[[str, list[str]], list[bytes]]


class Numbering:
    """A server's answers, of which no two are equal: plain ones, and streams of three events."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def __call__(self, request: ReceivedRequest) -> Reply:
        """The next answer."""
        number = next(self._numbers)
        if request.path.startswith("/plain"):
            return Reply((b'{"answer":%d}' % number,), headers=JSON)
        return stream(tuple(event(number, f"part {part}") for part in range(3)))


def in_threads(library: str, urls: list[str]) -> list[bytes]:
    """The answers to these requests, sent by 16 threads that begin at the same moment."""
    caller, barrier = Caller(library, "sync"), Barrier(THREADS)
    shares = [urls[number::THREADS] for number in range(THREADS)]

    def work(client: Any, share: list[str]) -> list[bytes]:
        barrier.wait()
        bodies = []
        for url in share:
            with client.stream("GET", url) as response:
                bodies.append(b"".join(response.iter_raw()))
        return bodies

    with caller.new_client() as client, ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(work, [client] * THREADS, shares)
        return [*itertools.chain.from_iterable(found)]


def in_tasks(library: str, urls: list[str]) -> list[bytes]:
    """The answers to these requests, each sent in a task of its own."""
    caller = Caller(library, "async")

    async def work(client: Any, url: str) -> bytes:
        async with client.stream("GET", url) as response:
            return b"".join([chunk async for chunk in response.aiter_raw()])

    async def scenario() -> list[bytes]:
        limits = caller.library.Limits(max_connections=50)
        async with caller.client(limits=limits) as client:
            return await asyncio.gather(*(work(client, url) for url in urls))

    return asyncio.run(scenario())


@pytest.fixture(params=[(in_threads, THREADS * 4), (in_tasks, TASKS)], ids=["threads", "tasks"])
def asking(request: pytest.FixtureRequest) -> tuple[Asking, int]:
    """A way of asking, and how many requests it makes."""
    way: tuple[Asking, int] = request.param
    return way


each_library = pytest.mark.parametrize("library", LIBRARIES)


def alternating(url: str, number: int) -> list[str]:
    """So many requests; equal ones for a plain answer, and equal ones for a stream."""
    return [f"{url}/plain", f"{url}/stream"] * (number // 2)


@each_library
def test_equal_requests_share_the_recordings(
    library: str, cassette: Path, asking: tuple[Asking, int]
) -> None:
    """Every answer is recorded once, and each recording is played exactly once."""
    ask, number = asking
    with StreamServer(Numbering()) as server:
        urls = alternating(server.url, number)
        with vcr_llm.use_cassette(cassette) as recording:
            live = ask(library, urls)
            assert not recording.tapes
        assert len(server.requests) == number
    assert len(set(live)) == number
    assert sorted(found["sequence"] for found in documents(cassette)) == [*range(number)]
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        again = ask(library, urls)
    assert sorted(again) == sorted(live)
    assert Counter(replayed.play_counts.values()) == {1: number}


@each_library
def test_each_request_has_its_own_recording(
    library: str, cassette: Path, asking: tuple[Asking, int]
) -> None:
    """Different requests at once: each is answered by what was recorded for it."""
    ask, number = asking
    with StreamServer(Numbering()) as server:
        urls = [f"{url}?{index}" for index, url in enumerate(alternating(server.url, number))]
        with vcr_llm.use_cassette(cassette):
            live = ask(library, urls)
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert ask(library, urls) == live
    assert replayed.all_played


@each_library
def test_half_of_the_recordings_answer_half_of_the_requests(
    library: str, cassette: Path, asking: tuple[Asking, int]
) -> None:
    """What is there is played once, and only the rest goes to the server and is recorded."""
    ask, number = asking
    with StreamServer(Numbering()) as server:
        urls = alternating(server.url, number)
        with vcr_llm.use_cassette(cassette):
            first = ask(library, urls[: number // 2])
        with vcr_llm.use_cassette(cassette, record_mode="new_episodes") as both:
            second = ask(library, urls)
        assert len(server.requests) == number
    assert set(first) < set(second)
    assert len(set(second)) == number
    assert len(both) == len(documents(cassette)) == number
