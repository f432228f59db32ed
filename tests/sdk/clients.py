"""One scenario for both of the SDK's clients: written once, run with either, live and replayed."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import openai
import pytest

import vcr_llm
from tests.servers.openai_server import OpenAIServer

Scenario = Callable[[Any], Coroutine[Any, Any, list[Any]]]

KINDS = ("sync", "async")

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Spares each new HTTP client the reading of all certificates, which takes longer than a replay."""

_COMPLETIONS = ("chat.completion", "chat.completion.chunk", "text_completion")


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a response, as the HTTP library gave them to the SDK, and what they are."""

    status: int
    content_type: str | None
    content: bytes


@dataclass(slots=True)
class Outcome:
    """What a scenario saw: the SDK's objects as plain values, and the bodies behind them."""

    objects: list[Any] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)


def meaning(content_type: str | None) -> str | None:
    """A content type without what makes no difference: case, blanks, and that it is UTF-8."""
    if content_type is None:
        return None
    return content_type.lower().replace(" ", "").removesuffix(";charset=utf-8")


async def settled(value: Any) -> Any:
    """What a call gives, from a client of either kind."""
    return await value if inspect.isawaitable(value) else value


async def each(stream: Any) -> AsyncIterator[Any]:
    """The items of a stream or of a paginator, from a client of either kind."""
    if hasattr(stream, "__aiter__"):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item


@asynccontextmanager
async def entered(manager: Any) -> AsyncIterator[Any]:
    """What a context manager of either kind gives."""
    if hasattr(manager, "__aenter__"):
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value


def plain(value: Any) -> Any:
    """One of the SDK's objects, and what it holds, as plain values."""
    return value.model_dump(warnings=False) if hasattr(value, "model_dump") else value


async def dumped(stream: Any) -> list[Any]:
    """Each item of a stream as plain values."""
    return [plain(item) async for item in each(await settled(stream))]


def api(client: Any, *paths: str) -> Any:
    """The first of these methods that the SDK has; a version that has none skips the test."""
    for path in paths:
        found = reduce(lambda owner, name: getattr(owner, name, None), path.split("."), client)
        if found is not None:
            return found
    pytest.skip(f"openai {openai.__version__} has no {' or '.join(paths)}")


def masked(value: Any) -> Any:
    """The value without what normalising makes constant: `id` and `created` of completions."""
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    if not isinstance(value, dict):
        return value
    is_completion = value.get("object") in _COMPLETIONS
    return {
        key: masked(item)
        for key, item in value.items()
        if not (is_completion and key in ("id", "created"))
    }


def run(scenario: Scenario, kind: str, base_url: str, **options: Any) -> Outcome:
    """What a scenario sees with a client of that kind."""
    return asyncio.run(_run(scenario, kind, {"base_url": base_url, **options}))


def run_azure(scenario: Scenario, kind: str, endpoint: str) -> Outcome:
    """What a scenario sees with Azure's client of that kind."""
    options = {"azure_endpoint": endpoint, "api_version": "2024-10-21"}
    return asyncio.run(_run(scenario, kind, options, "Azure"))


def record_and_replay(
    scenario: Scenario,
    kind: str,
    cassette: Path,
    *,
    server: OpenAIServer | None = None,
    runner: Callable[[Scenario, str, str], Outcome] | None = None,
    **options: Any,
) -> tuple[Outcome, Outcome]:
    """What a scenario sees while it is recorded, and again with the server stopped."""
    with server or OpenAIServer() as live:
        address = live.url if runner else live.base_url
        with vcr_llm.use_cassette(cassette, record_mode="new_episodes", **options) as recorded:
            first = (runner or run)(scenario, kind, address)
        assert len(recorded) == len(live.requests)
    with vcr_llm.use_cassette(cassette, record_mode="none", **options) as replayed:
        second = (runner or run)(scenario, kind, address)
        assert replayed.all_played
    return first, second


def recordings(cassette: Path) -> list[Path]:
    """The files of a cassette."""
    return sorted(cassette.glob("*.json"))


async def _run(scenario: Scenario, kind: str, options: dict[str, Any], family: str = "") -> Outcome:
    outcome = Outcome()
    async with _http_client(kind, outcome) as http_client:
        options = {"api_key": "sk-none", "timeout": 10, "http_client": http_client, **options}
        name = f"{'Async' if kind == 'async' else ''}{family}OpenAI"
        outcome.objects = await scenario(getattr(openai, name)(**options))
    return outcome


@asynccontextmanager
async def _http_client(kind: str, outcome: Outcome) -> AsyncIterator[Any]:
    """The SDK's own HTTP client, which also notes the body of each response."""

    def note(response: Any) -> None:
        content_type = meaning(response.headers.get("content-type"))
        outcome.bodies.append(Body(response.status_code, content_type, response.content))

    def read(response: Any) -> None:
        response.read()
        note(response)

    async def aread(response: Any) -> None:
        await response.aread()
        note(response)

    if kind == "async":
        make, hook = openai.DefaultAsyncHttpxClient, aread
    else:
        make, hook = openai.DefaultHttpxClient, read  # type: ignore[assignment]  # sync or async
    async with entered(make(event_hooks={"response": [hook]}, verify=NO_TLS)) as client:
        yield client
