"""One test for httpx and httpx2, sync and async: written once, run with any client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

from tests.sdk.clients import KINDS, NO_TLS, entered, settled
from tests.streams.stream_server import PATIENCE

LIBRARIES = ("httpx", "httpx2")

Result = TypeVar("Result")


class Heard(NamedTuple):
    """What a client had of a response: its chunks, and the error that ended it."""

    chunks: list[bytes]
    error: str | None = None
    message: str = ""

    @property
    def body(self) -> bytes:
        """The chunks in one piece."""
        return b"".join(self.chunks)


class Each(AsyncIterator[Any]):
    """The items of an iterator of either kind, with no generator of its own in between."""

    def __init__(self, items: Any) -> None:
        self._is_async = hasattr(items, "__aiter__")
        self._items = aiter(items) if self._is_async else iter(items)

    async def __anext__(self) -> Any:
        if self._is_async:
            return await anext(self._items)
        try:
            return next(self._items)
        except StopIteration:
            raise StopAsyncIteration from None


class Caller:
    """A library, and whether its clients are sync or async."""

    def __init__(self, library: str, kind: str) -> None:
        self.library = pytest.importorskip(library)
        self.is_async = kind == "async"

    def client(self, **options: Any) -> AbstractAsyncContextManager[Any]:
        """A client of this kind, open."""
        return entered(self.new_client(**options))

    def new_client(self, **options: Any) -> Any:
        """A client of this kind."""
        make = self.library.AsyncClient if self.is_async else self.library.Client
        given = {"timeout": PATIENCE, "trust_env": False, "verify": NO_TLS}
        return make(**{**given, **options})

    def run(self, scenario: Coroutine[Any, Any, Result]) -> Result:
        """What a scenario returns; with a sync client no event loop runs, as nothing waits."""
        if self.is_async:
            return asyncio.run(scenario)
        try:
            scenario.send(None)
        except StopIteration as done:
            returned: Result = done.value
            return returned
        msg = "a scenario with a sync client waited for something else"
        raise AssertionError(msg)

    def chunks(self, response: Any) -> Each:
        """The chunks of a response as its transport gives them."""
        return Each(response.aiter_raw() if self.is_async else response.iter_raw())

    def texts(self, response: Any) -> Each:
        """The content of a response, decoded, piece by piece as it comes."""
        return Each(response.aiter_text() if self.is_async else response.iter_text())

    async def open(self, client: Any, url: str) -> Any:
        """The response to a request, of which nothing is read yet."""
        return await settled(client.send(client.build_request("GET", url), stream=True))

    async def close(self, response: Any) -> None:
        """Closes a response."""
        await settled(response.aclose() if self.is_async else response.close())

    async def read(self, response: Any) -> bytes:
        """Reads what is left of a response."""
        body: bytes = await settled(response.aread() if self.is_async else response.read())
        return body

    async def hear(self, client: Any, url: str, *, only: int | None = None) -> Heard:
        """What comes of a response; with `only`, the client stops reading after that many chunks.

        Of what the transport raises, its own errors are heard, and no other.
        """
        chunks: list[bytes] = []
        try:
            async with entered(client.stream("GET", url)) as response:
                async for chunk in self.chunks(response):
                    chunks.append(chunk)
                    if len(chunks) == only:
                        break
        except self.library.TransportError as error:
            return Heard(chunks, type(error).__name__, str(error))
        return Heard(chunks)

    def hears(self, url: str, *, only: int | None = None, **options: Any) -> Heard:
        """What a client made for this one request hears."""

        async def scenario() -> Heard:
            async with self.client(**options) as client:
                return await self.hear(client, url, only=only)

        return self.run(scenario())


ALL_CALLERS = [(library, kind) for library in LIBRARIES for kind in KINDS]


def documents(cassette: Path) -> list[dict[str, Any]]:
    """The recordings of a cassette, in the order of their replay."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(cassette.glob("*.json"))]
    return sorted(found, key=lambda document: document.get("sequence", 0))


def responses(cassette: Path) -> list[dict[str, Any]]:
    """What the recordings of a cassette say about the responses."""
    return [document["response"] for document in documents(cassette)]


def record(cassette: Path, url: str, body: Any, **response: Any) -> None:
    """Makes a cassette by hand, of one recording: a GET of this URL, and a streamed answer."""
    document: dict[str, Any] = {
        "test_id": None,
        "request": {
            "method": "GET",
            "url": url,
            "headers": {},
            "body": None,
            "endpoint": "/",
            "model": None,
        },
        "response": {"body": body, "is_streaming": True, **response},
        "recorded_at": "2025-11-03T09:30:00Z",
    }
    cassette.mkdir()
    (cassette / "0.json").write_text(json.dumps(document, indent=2), "utf-8")
