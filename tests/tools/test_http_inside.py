"""What a tool sends while it runs belongs to its own recording, whichever library sends it."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

import vcr_llm
from tests.sdk.clients import NO_TLS
from tests.servers.loopback import LoopbackServer, ReceivedRequest, Reply


class Server(LoopbackServer):
    """Says which of its requests this is."""

    def answer(self, request: ReceivedRequest) -> Reply:
        """The path and the number of requests so far."""
        said = f'"{request.path} {len(self.requests)}"'.encode()
        return Reply((said,), headers=(("content-type", "application/json"),))


@pytest.fixture
def server() -> Iterator[Server]:
    """A running server."""
    with Server() as running:
        yield running


def kinds_of_recordings(path: Path) -> list[str]:
    """The tools and paths that a cassette has recordings of, in the order of replay."""
    documents = [json.loads(file.read_text("utf-8")) for file in path.glob("*.json")]
    requests = [
        found["request"] for found in sorted(documents, key=lambda found: found.get("sequence", 0))
    ]
    return [request.get("tool_name") or request["endpoint"] for request in requests]


def by_httpx(url: str) -> str:
    """With a client of its own."""
    with httpx.Client(verify=NO_TLS) as client:
        return str(client.get(url).json())


def by_urllib(url: str) -> str:
    """Through http.client."""
    with urllib.request.urlopen(url) as response:  # noqa: S310 - a server on loopback
        return str(json.load(response))


def by_http_client(url: str) -> str:
    """On a connection of its own."""
    host, _slash, path = url.removeprefix("http://").partition("/")
    connection = HTTPConnection(host)
    try:
        connection.request("GET", f"/{path}")
        return str(json.load(connection.getresponse()))
    finally:
        connection.close()


def in_a_thread(url: str) -> str:
    """In a thread that was started with the tool's context."""
    found: list[str] = []
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(lambda: found.append(by_httpx(url)),))
    thread.start()
    thread.join()
    return found[0]


def in_a_plain_thread(url: str) -> str:
    """In a thread that knows nothing of who started it."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(by_httpx(url)))
    thread.start()
    thread.join()
    return found[0]


def in_a_pool(url: str) -> str:
    """In the threads of a pool of its own."""
    with ThreadPoolExecutor(2) as pool:
        return str(sorted(text[:2] for text in pool.map(by_httpx, [url, url, url])))


SHARED_POOL = ThreadPoolExecutor(1)


def in_a_shared_pool(url: str) -> str:
    """In a pool whose only thread works for others, too."""
    return SHARED_POOL.submit(by_httpx, url).result()


async def in_an_executor(url: str) -> str:
    """In the loop's own pool, which hands on no context."""
    return await asyncio.get_running_loop().run_in_executor(None, by_httpx, url)


async def by_async_httpx(url: str) -> str:
    """With an async client."""
    async with httpx.AsyncClient(verify=NO_TLS) as client:
        return str((await client.get(url)).json())


async def by_aiohttp(url: str) -> str:
    """With a session of its own."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return str(await response.json())


async def in_a_task(url: str) -> str:
    """In a task and in a thread of asyncio's."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(by_async_httpx(url))
        thread = group.create_task(asyncio.to_thread(by_httpx, url))
    return f"{task.result()[:2]}{thread.result()[:2]}"


WAYS: list[Callable[[str], Any]] = [
    *(by_httpx, by_urllib, by_http_client, in_a_thread),
    *(in_a_plain_thread, in_a_pool, in_a_shared_pool, in_an_executor),
    *(by_async_httpx, by_aiohttp, in_a_task),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_http_of_a_tool_is_not_recorded_twice(
    tmp_path: Path, server: Server, way: Callable[[str], Any]
) -> None:
    """Whatever the tool sends; what is sent beside it is recorded as ever."""
    fetch = vcr_llm.recorded_tool(provider="web", name="fetch")(way)

    def scenario() -> list[str]:
        found = fetch(f"{server.url}/a")
        found = asyncio.run(found) if asyncio.iscoroutine(found) else found
        beside = SHARED_POOL.submit(by_httpx, f"{server.url}/b").result()
        return [found, beside, by_httpx(f"{server.url}/c")]

    with vcr_llm.use_cassette(tmp_path / "c", record_mode="once"):
        live = scenario()
    assert kinds_of_recordings(tmp_path / "c") == ["fetch", "/b", "/c"]
    server.stop()
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="none") as cassette:
        assert scenario() == live
        assert cassette.all_played
        assert (len(cassette), cassette.play_count, len(cassette.requests)) == (3, 3, 2)


def test_the_tool_sends_anew_although_its_request_is_recorded(
    tmp_path: Path, server: Server
) -> None:
    """A recording of the same request, made beside the tool, does not answer the tool."""
    fetch = vcr_llm.recorded_tool(provider="web", name="fetch")(by_httpx)
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="new_episodes"):
        assert by_httpx(f"{server.url}/a") == "/a 1"
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="new_episodes"):
        assert fetch(f"{server.url}/a") == "/a 2"
        assert by_httpx(f"{server.url}/a") == "/a 1"


def test_streaming_tools_send_between_their_items(tmp_path: Path, server: Server) -> None:
    """What the caller sends between two items is recorded, what the tool sends is not."""

    @vcr_llm.recorded_tool(provider="web")
    def pages(count: int) -> Iterator[str]:
        for number in range(count):
            yield by_httpx(f"{server.url}/tool/{number}")

    @vcr_llm.recorded_tool(provider="web")
    async def async_pages(count: int) -> AsyncIterator[str]:
        for number in range(count):
            yield await by_async_httpx(f"{server.url}/tool/{number}")

    async def scenario() -> list[str]:
        found = []
        for page in pages(2):
            found += [page, await asyncio.to_thread(by_httpx, f"{server.url}/beside")]
        async for page in async_pages(2):
            found += [page, await by_async_httpx(f"{server.url}/beside")]
        return found

    with vcr_llm.use_cassette(tmp_path / "c"):
        live = asyncio.run(scenario())
    recorded = kinds_of_recordings(tmp_path / "c")
    assert sorted(recorded) == ["/beside"] * 4 + ["async_pages", "pages"]
    server.stop()
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="none"):
        assert asyncio.run(scenario()) == live


def test_a_response_that_ends_while_a_tool_runs_is_recorded(tmp_path: Path, server: Server) -> None:
    """It was asked for beside the tool."""
    with (
        httpx.Client(verify=NO_TLS) as client,
        vcr_llm.use_cassette(tmp_path / "c"),
        client.stream("GET", f"{server.url}/beside") as response,
    ):
        finish = vcr_llm.recorded_tool(provider="web", name="finish")(response.read)
        finish()
    assert sorted(kinds_of_recordings(tmp_path / "c")) == ["/beside", "finish"]


def test_nested_cassettes_leave_a_tools_requests_alone(tmp_path: Path, server: Server) -> None:
    """The outer one, too; a cassette that the tool itself opens records as ever."""

    @vcr_llm.recorded_tool(provider="web")
    def fetch() -> str:
        with vcr_llm.use_cassette(tmp_path / "tools_own"):
            inner = by_httpx(f"{server.url}/inner")
        return inner + by_httpx(f"{server.url}/a")

    with vcr_llm.use_cassette(tmp_path / "outer"), vcr_llm.use_cassette(tmp_path / "c"):
        fetch()
    assert kinds_of_recordings(tmp_path / "c") == ["fetch"]
    assert kinds_of_recordings(tmp_path / "tools_own") == ["/inner"]
    assert not (tmp_path / "outer").exists()
