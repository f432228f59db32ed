"""Tools over HTTP: the SDK of the Model Context Protocol, and its own server.

https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vcr_llm

mcp: Any = pytest.importorskip("mcp")
streamable_http: Any = pytest.importorskip("mcp.client.streamable_http")
mcpserver: Any = pytest.importorskip("mcp.server.mcpserver")
uvicorn: Any = pytest.importorskip("uvicorn")


class SearchServer:
    """A server with one tool, which counts its calls."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/mcp"
        served = mcpserver.MCPServer("search")
        served.tool()(self.web_search)
        config = uvicorn.Config(served.streamable_http_app(), log_config=None)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def web_search(self, query: str) -> list[str]:
        """Search the web."""
        self.queries.append(query)
        return [f"About {query}"]

    def start(self) -> None:
        """Listen, in a thread."""
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        """End, and listen no more; a second time it does nothing."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture
def server() -> Iterator[SearchServer]:
    """A running server."""
    running = SearchServer()
    running.start()
    yield running
    running.stop()


async def _search(url: str, query: str) -> tuple[list[str], str]:
    """The tools that a server offers, and what one of them says."""
    async with (
        streamable_http.streamable_http_client(url) as streams,
        mcp.ClientSession(*streams[:2]) as session,
    ):
        await session.initialize()
        offered = await session.list_tools()
        result = await session.call_tool("web_search", {"query": query})
        return [tool.name for tool in offered.tools], result.model_dump_json()


def test_calls_of_tools_replay(tmp_path: Path, server: SearchServer) -> None:
    """The handshake, the list and the call are recordings; a replay reaches no server."""
    cassette = tmp_path / "cassette"
    with vcr_llm.use_cassette(cassette):
        live = asyncio.run(_search(server.url, "Rome"))
    assert live[0] == ["web_search"]
    server.stop()
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert asyncio.run(_search(server.url, "Rome")) == live
        assert replayed.play_count
    assert server.queries == ["Rome"]
    asked = [json.loads(path.read_bytes())["request"]["body"] for path in cassette.glob("*.json")]
    methods = {body["method"] for body in asked if body}
    assert methods == {"initialize", "notifications/initialized", "tools/list", "tools/call"}


def test_another_argument_is_another_call(tmp_path: Path, server: SearchServer) -> None:
    """What the tool was asked decides, as with any request; the miss says what differs."""
    cassette = tmp_path / "cassette"
    with vcr_llm.use_cassette(cassette):
        asyncio.run(_search(server.url, "Rome"))
    with (
        pytest.warns(vcr_llm.VcrLlmWarning, match="arguments.query"),
        vcr_llm.use_cassette(cassette, record_mode="none"),
        pytest.raises(BaseExceptionGroup),  # the SDK's own: what is inside is its word for it
    ):
        asyncio.run(_search(server.url, "Paris"))
    assert server.queries == ["Rome"]
