"""Cassettes inside a running event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from blockbuster import blockbuster_ctx

import vcr_llm
from tests.servers.fault_server import FaultServer, Reply

ANSWER = b'{"answer":42}'


async def ask(client: httpx.AsyncClient, url: str) -> bytes:
    """One request. The client is made outside of the loop, since older ones read files then."""
    async with client:
        return (await client.get(f"{url}/v1/models")).content


def test_a_loop_that_is_watched_for_blocking_records_and_replays(tmp_path: Path) -> None:
    """Tools that refuse blocking calls inside a loop meet none of ours."""
    cassette = tmp_path / "cassette"
    with FaultServer(Reply((ANSWER,))) as server:
        url, client = server.url, httpx.AsyncClient()
        with vcr_llm.use_cassette(cassette), blockbuster_ctx():
            assert asyncio.run(ask(client, url)) == ANSWER
        assert len(list(cassette.glob("*.json"))) == 1
    client = httpx.AsyncClient()
    with vcr_llm.use_cassette(cassette, record_mode="none"), blockbuster_ctx():
        assert asyncio.run(ask(client, url)) == ANSWER


def test_an_exchange_is_on_disk_before_the_loop_goes_on(tmp_path: Path) -> None:
    """The file is there when the response is."""
    cassette = tmp_path / "cassette"

    async def count() -> int:
        await ask(httpx.AsyncClient(), server.url)
        return len(list(cassette.glob("*.json")))

    with FaultServer(Reply((ANSWER,))) as server, vcr_llm.use_cassette(cassette):
        assert asyncio.run(count()) == 1
