"""Errors before any response: recorded when the user asks for that, and raised again on replay."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

import vcr_llm
from tests.sdk.clients import settled
from tests.servers.fault_server import Ending, FaultServer, Reply
from tests.streams.callers import Caller, Heard, documents, record
from tests.streams.stream_server import PATIENCE, StreamServer, events, stream

SOON = 0.05
"""Seconds that a client waits for what never comes; whatever else it does has all the time."""


@contextmanager
def refusing() -> Iterator[str]:
    """An address that is taken, and at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


@contextmanager
def mute() -> Iterator[str]:
    """A server of https that never says a word, so that no connection comes about."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}/"


@contextmanager
def stalling() -> Iterator[str]:
    """A server that takes the request and does not answer."""
    with FaultServer(Reply(status=None, ending=Ending.STALL)) as server:
        yield f"{server.url}/"


@contextmanager
def hanging_up() -> Iterator[str]:
    """A server that takes the request and closes the connection."""
    with FaultServer(Reply(status=None, ending=Ending.CUT)) as server:
        yield f"{server.url}/"


@contextmanager
def talking_nonsense() -> Iterator[str]:
    """A server whose answer is not HTTP."""
    with FaultServer(Reply((b"SSH-2.0-OpenSSH_9.6\r\n\r\n",), status=None)) as server:
        yield f"{server.url}/"


CASES = [
    (refusing, "ConnectError"),
    (mute, "ConnectTimeout"),
    (stalling, "ReadTimeout"),
    (hanging_up, "RemoteProtocolError"),
    (talking_nonsense, "RemoteProtocolError"),
]
each_case = pytest.mark.parametrize(
    ("place", "error"), CASES, ids=[place.__name__ for place, _error in CASES]
)


def patience(caller: Caller, error: str) -> Any:
    """Little where the error is that it runs out."""
    short = {"ConnectTimeout": {"connect": SOON}, "ReadTimeout": {"read": SOON}}.get(error, {})
    return caller.library.Timeout(PATIENCE, **short)


@each_case
def test_an_error_instead_of_a_response_is_recorded_on_request(
    caller: Caller, cassette: Path, place: Any, error: str
) -> None:
    """`record_errors=True` keeps it; a replay raises the same class and message."""
    with place() as url:
        raw = caller.hears(url, timeout=patience(caller, error))
        with vcr_llm.use_cassette(cassette, record_errors=True):
            live = caller.hears(url, timeout=patience(caller, error))
    assert raw == live == Heard([], error, raw.message)
    (document,) = documents(cassette)
    assert document["request"]["url"] == url
    assert document["response"] == {
        "body": None,
        "is_streaming": False,
        "ended": {
            "by": "error",
            "type": error,
            "message": raw.message,
            "before_response": True,
        },
    }
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert caller.hears(url) == raw
    assert replayed.all_played


@each_case
def test_by_default_no_such_error_is_recorded(
    caller: Caller, cassette: Path, place: Any, error: str
) -> None:
    """A network that was away for a moment must not get into a test for ever."""
    with place() as url, vcr_llm.use_cassette(cassette) as recording:
        assert caller.hears(url, timeout=patience(caller, error)).error == error
    assert len(recording) == 0
    assert documents(cassette) == []


def test_an_error_is_raised_by_send_and_knows_its_request(caller: Caller, cassette: Path) -> None:
    """Not while the body is read: the client has no response yet."""

    async def scenario(url: str) -> tuple[str, str, str]:
        async with caller.client() as client:
            request = client.build_request("POST", url, json={"a": 1})
            with pytest.raises(caller.library.ConnectError) as caught:
                await settled(client.send(request, stream=True))
            sent = caught.value.request
            return sent.method, str(sent.url), type(caught.value).__name__

    with refusing() as url, vcr_llm.use_cassette(cassette, record_errors=True):
        live = caller.run(scenario(url))
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.run(scenario(url)) == live == ("POST", url, "ConnectError")


def test_errors_and_answers_are_replayed_in_their_order(caller: Caller, cassette: Path) -> None:
    """Code that tries again meets the errors first, then the answer, as it did live."""

    async def scenario(url: str) -> list[tuple[bytes, str | None]]:
        async with caller.client() as client:
            heard = [await caller.hear(client, url) for _attempt in range(3)]
        return [(each.body, each.error) for each in heard]

    hang_up = Reply(status=None, ending=Ending.CUT)
    with (
        FaultServer(hang_up, hang_up, stream(events(2))) as server,
        vcr_llm.use_cassette(cassette, record_errors=True),
    ):
        live = caller.run(scenario(server.url))
    assert [error for _body, error in live] == ["RemoteProtocolError"] * 2 + [None]
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert caller.run(scenario(server.url)) == live
    assert (len(documents(cassette)), replayed.play_count) == (3, 3)


@pytest.mark.parametrize(
    "options",
    [
        {"ignore_localhost": True},
        {"ignore_hosts": ["127.0.0.1"]},
        {"before_record_request": lambda _request: None},
        {"before_record_response": lambda _response: None},
    ],
    ids=["localhost", "hosts", "request", "response"],
)
def test_an_error_that_the_user_does_not_record_passes(
    caller: Caller, cassette: Path, options: dict[str, Any]
) -> None:
    """What filters and hooks leave out, they leave out here as well."""
    with refusing() as url, vcr_llm.use_cassette(cassette, record_errors=True, **options):
        assert caller.hears(url).error == "ConnectError"
    assert documents(cassette) == []


def test_secrets_in_the_message_of_an_error_are_redacted(caller: Caller, cassette: Path) -> None:
    """A message may repeat a key that the server sent; on disk it does not."""
    secret = "sk-" + "a1B2" * 12
    nonsense = f"{secret}\r\n\r\n".encode()
    with (
        FaultServer(Reply((nonsense,), status=None)) as server,
        vcr_llm.use_cassette(cassette, record_errors=True),
    ):
        live = caller.hears(server.url)
    assert secret in live.message
    (text,) = [path.read_text("utf-8") for path in cassette.iterdir()]
    assert secret not in text
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url).error == live.error


def test_an_error_that_is_no_error_of_the_client_is_not_recorded(
    caller: Caller, cassette: Path
) -> None:
    """A mistake of the caller's own transport is raised, and is nobody's answer."""

    def mistaken(_request: Any) -> Any:
        raise ZeroDivisionError

    transport = caller.library.MockTransport(mistaken)
    with vcr_llm.use_cassette(cassette, record_errors=True), pytest.raises(ZeroDivisionError):
        caller.hears("http://mock.test/", transport=transport)
    assert documents(cassette) == []


def test_a_library_that_vcrpy_buffers_gets_no_empty_answer_for_an_error(cassette: Path) -> None:
    """Recorded through httpx, asked for through urllib3: an error, not a 200 without a body."""
    ended = {"by": "error", "type": "ConnectError", "message": "x", "before_response": True}
    url = "http://stream.test/"
    record(cassette, url, None, is_streaming=False, ended=ended)
    with (
        pytest.raises(vcr_llm.RecordingError, match="ConnectError"),
        vcr_llm.use_cassette(cassette, record_mode="none"),
    ):
        urllib3.PoolManager().request("GET", url, retries=False)


def test_no_connection_is_left_behind(caller: Caller, cassette: Path) -> None:
    """Neither in the pool nor at the server."""

    async def scenario(url: str) -> int:
        async with caller.client(timeout=patience(caller, "ReadTimeout")) as client:
            for _attempt in range(3):
                await caller.hear(client, url)
            return len(client._transport._pool.connections)

    with StreamServer(lambda _request: Reply(status=None, ending=Ending.STALL)) as server:
        with vcr_llm.use_cassette(cassette, record_errors=True):
            assert caller.run(scenario(server.url)) == 0
        assert server.closes_all_but(0)
    assert len(documents(cassette)) == 3
