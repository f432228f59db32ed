"""The project that each test of the plugin works in."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator

import pytest

from tests.servers.openai_server import OpenAIServer

from .project import Project, talk_to

_TRANSPORTS = [
    getattr(importlib.import_module(library), transport)
    for library in ("httpx", "httpx2")
    if importlib.util.find_spec(library)
    for transport in ("HTTPTransport", "AsyncHTTPTransport")
]


def _patched_methods() -> list[object]:
    """The methods that vcrpy replaces while a cassette is open."""
    names = ("handle_request", "handle_async_request")
    return [getattr(transport, name, None) for transport in _TRANSPORTS for name in names]


_ORIGINAL_METHODS = _patched_methods()


@pytest.fixture(autouse=True)
def http_is_restored() -> Iterator[None]:
    """After every test, whatever went wrong in it, the HTTP libraries are as they were."""
    yield
    assert _patched_methods() == _ORIGINAL_METHODS


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """A running server, to which openai's clients in the project talk."""
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def project(
    pytester: pytest.Pytester,
    server: OpenAIServer,
    monkeypatch: pytest.MonkeyPatch,
    everything_is_imported: None,
) -> Project:
    """A project with the documented conftest and no test yet."""
    monkeypatch.delenv("VCR_LLM_MODE", raising=False)
    talk_to(server, monkeypatch)
    return Project(pytester, server)
