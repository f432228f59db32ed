"""The Model Context Protocol over streamable HTTP, through its own SDK, against its own server."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import vcr_llm

mcp: Any = pytest.importorskip("mcp")
mcpserver: Any = pytest.importorskip("mcp.server.mcpserver")
uvicorn: Any = pytest.importorskip("uvicorn")


def new_server() -> Any:
    """A server with tools that answer, tell of their progress, and fail."""
    server = mcpserver.MCPServer("weather")

    def degrees(city: str) -> int:
        """The temperature."""
        return len(city)

    async def forecast(city: str, ctx: Any) -> list[str]:
        """Tells of its progress before it answers."""
        for day in range(3):
            await ctx.report_progress(day, 3)
        return [f"{city} {day}" for day in range(3)]

    forecast.__annotations__["ctx"] = mcpserver.Context  # the class that makes it the context

    def broken(city: str) -> str:
        """Fails."""
        raise ValueError(f"no weather in {city}")

    for tool in (degrees, forecast, broken):
        server.tool()(tool)
    return server


@contextmanager
def running(port: int = 0) -> Iterator[int]:
    """The port of a running server."""
    listening = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        new_server().streamable_http_app(), log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


async def conversation(url: str, mode: str) -> list[Any]:
    """What a client hears: the tools, answers, progress, an error."""
    heard: list[Any] = []

    async def on_progress(progress: float, total: float | None, _message: str | None) -> None:
        heard.append((progress, total))

    async with mcp.Client(url, mode=mode) as client:
        heard.append([tool.name for tool in (await client.list_tools()).tools])
        heard += [await client.call_tool("degrees", {"city": city}) for city in ("Rome", "Oslo")]
        heard.append(
            await client.call_tool("forecast", {"city": "Rome"}, progress_callback=on_progress)
        )
        heard.append(await client.call_tool("broken", {"city": "Rome"}))
    return heard


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_session_replays_without_a_server(tmp_path: Path, mode: str) -> None:
    """Handshake, answers, notifications before an answer, errors, the end of the session."""
    with running() as port:
        url = f"http://127.0.0.1:{port}/mcp"
        with vcr_llm.use_cassette(tmp_path / "c", record_mode="once"):
            live = asyncio.run(conversation(url, mode))
    before = {path.name: path.read_bytes() for path in (tmp_path / "c").iterdir()}
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="none") as cassette:
        assert asyncio.run(conversation(url, mode)) == live
        assert cassette.misses == []
    assert {path.name: path.read_bytes() for path in (tmp_path / "c").iterdir()} == before
    documents = [json.loads(content) for content in before.values()]
    sent = [(found["request"]["method"], found["request"]["body"]) for found in documents]
    assert "tools/call" in {body["method"] for _method, body in sent if body}
    if mode == "legacy":  # a stream that stays open, and the end of the session
        assert {method for method, _body in sent} == {"POST", "GET", "DELETE"}
        assert 202 in {found["response"].get("status") for found in documents}


def test_a_stream_that_the_server_keeps_open_stays_open(tmp_path: Path) -> None:
    """Until the client closes it; of one that ends the SDK asks again, after a second."""

    async def listen(seconds: float) -> None:
        async with mcp.Client(url, mode="legacy") as client:
            await client.call_tool("degrees", {"city": "Rome"})
            await asyncio.sleep(seconds)
            await client.call_tool("degrees", {"city": "Oslo"})

    with running() as port:
        url = f"http://127.0.0.1:{port}/mcp"
        with vcr_llm.use_cassette(tmp_path / "c"):
            asyncio.run(listen(0))
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="none") as cassette:
        asyncio.run(listen(1.5))
    assert cassette.misses == []
    assert cassette.all_played


def test_another_argument_is_another_call(tmp_path: Path) -> None:
    """What a tool was asked decides, as with any request; the miss says what differs."""

    async def ask(city: str) -> None:
        async with mcp.Client(url, mode="legacy") as client:
            await client.call_tool("degrees", {"city": city})

    with running() as port:
        url = f"http://127.0.0.1:{port}/mcp"
        with vcr_llm.use_cassette(tmp_path / "c"):
            asyncio.run(ask("Rome"))
    with (
        pytest.warns(vcr_llm.VcrLlmWarning, match="arguments.city"),
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none"),
        pytest.raises(BaseExceptionGroup),  # the SDK's own: what is inside is its word for it
    ):
        asyncio.run(ask("Paris"))
