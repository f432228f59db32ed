"""What vcrpy's own stub of httpx offers, ours offers: the same requests, answers and recordings.

Most tests here run vcrpy itself beside ours and compare.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import vcr
from vcr.errors import CannotOverwriteExistingCassetteException

import vcr_llm
from tests.sdk.clients import KINDS, entered, settled
from tests.servers.fault_server import Framing, ReceivedRequest, Reply
from tests.streams.callers import LIBRARIES, Caller, Heard, documents, responses
from tests.streams.stream_server import (
    EVENT_STREAM,
    StreamServer,
    endless,
    event,
    events,
    stream,
)

JSON = (("Content-Type", "application/json"),)
TEXT = (("Content-Type", "text/plain"),)


def answer(request: ReceivedRequest) -> Reply:
    """An answer of each kind, by the path."""
    path = request.path.partition("?")[0]
    if path == "/stream":
        return stream(events(3))
    if path == "/gzip":
        return Reply((b'{"packed": true}',), headers=JSON, is_gzipped=True)
    if path == "/moved":
        return Reply((b"",), 302, (("Location", "/plain"),))
    if path == "/missing":
        return Reply((b"nothing",), 404, TEXT)
    if path == "/cookies":
        return Reply((b"{}",), headers=(*JSON, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")))
    if path == "/endless":
        return endless()
    return Reply((b'{"path": "' + path.encode() + b'"}',), headers=JSON, framing=Framing.CHUNKED)


@pytest.fixture
def server() -> Any:
    """A running server."""
    with StreamServer(answer) as running:
        yield running


class Session(NamedTuple):
    """What a client met in a cassette, and what the cassette holds then."""

    answers: list[tuple[int, bytes]]
    requests: list[tuple[str, str, bytes | None, dict[str, str]]]
    responses: list[tuple[int, bytes]]


Script = Callable[[Caller, str], Coroutine[Any, Any, list[tuple[int, bytes]]]]


async def visit(caller: Caller, url: str) -> list[tuple[int, bytes]]:
    """A request of each kind."""
    headers = {"authorization": "Bearer none", "x-kept": "kept"}
    async with caller.client(follow_redirects=True, headers=headers) as client:
        answers = [
            await settled(client.get(f"{url}/plain?key=k&other=o")),
            await settled(client.post(f"{url}/posted", data={"password": "p", "name": "n"})),
            await settled(client.put(f"{url}/put", content=iter_of(caller, b"a", b"b"))),
            await settled(client.get(f"{url}/stream")),
            await settled(client.get(f"{url}/gzip")),
            await settled(client.get(f"{url}/moved")),
            await settled(client.get(f"{url}/missing")),
            await settled(client.get(f"{url}/cookies")),
        ]
    return [(response.status_code, response.content) for response in answers]


def iter_of(caller: Caller, *parts: bytes) -> Any:
    """A request body that is sent in pieces."""
    if not caller.is_async:
        return iter(parts)

    async def pieces() -> Any:
        for part in parts:
            yield part

    return pieces()


def session(caller: Caller, context: Any, url: str, script: Script = visit) -> Session:
    """What happens to a client inside a cassette."""
    with context as opened:
        answers = caller.run(script(caller, url))
        return Session(
            answers,
            [
                (request.method, request.uri, request.body, dict(request.headers))
                for request in opened.requests
            ],
            [
                (response["status"]["code"], response["body"]["string"])
                for response in opened.responses
            ],
        )


def drop_plain(request: Any) -> Any:
    """A hook that leaves out one path."""
    return None if request.path == "/plain" else request


def rename(request: Any) -> Any:
    """A hook that changes what is recorded."""
    request.uri = re.sub(r"(key=)\w+", r"\1changed", request.uri)
    request.headers["x-kept"] = "changed"
    return request


def drop_errors(response: Any) -> Any:
    """A hook that leaves out answers."""
    return None if response["status"]["code"] >= 400 else response


def shorten(response: Any) -> Any:
    """A hook that changes an answer."""
    if b"number" in response["body"]["string"]:
        response["body"]["string"] = event(7)
    return response


OPTIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "before_record_request drops": {"before_record_request": drop_plain},
    "before_record_request changes": {"before_record_request": rename},
    "before_record_response drops": {"before_record_response": drop_errors},
    "before_record_response changes": {"before_record_response": shorten},
    "filter_headers": {"filter_headers": ["authorization", ("x-kept", "changed")]},
    "filter_query_parameters": {"filter_query_parameters": ["key", ("other", "changed")]},
    "filter_post_data_parameters": {"filter_post_data_parameters": ["password"]},
    "ignore_hosts": {"ignore_hosts": ["127.0.0.1"]},
    "ignore_hosts by pattern": {"ignore_hosts": [re.compile(r"127\..*")]},
    "ignore_localhost": {"ignore_localhost": True},
    "decode_compressed_response": {"decode_compressed_response": True},
    "record_mode all": {"record_mode": "all"},
    "skip_patchers": {"skip_patchers": ["httpx", "httpx2"]},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_vcrpy_do_what_they_do_in_vcrpy(
    caller: Caller, tmp_path: Path, server: StreamServer, name: str
) -> None:
    """The same answers, the same requests and responses in the cassette, the same from there."""
    options = OPTIONS[name]
    again = {"record_mode": "new_episodes", **options}
    seen = []
    for use, path in ((vcr.use_cassette, "a.yaml"), (vcr_llm.use_cassette, "b")):
        recorded = session(caller, use(tmp_path / path, **options), server.url)
        server.requests.clear()
        replayed = session(caller, use(tmp_path / path, **again), server.url).answers
        seen.append((recorded, replayed, [request.path for request in server.requests]))
    theirs, ours = seen
    assert ours == theirs


async def ask_twice(caller: Caller, url: str) -> list[tuple[int, bytes]]:
    """Two equal requests."""
    async with caller.client() as client:
        answers = [await settled(client.get(f"{url}/stream")) for _ in range(2)]
    return [(response.status_code, response.content) for response in answers]


def test_playback_repeats_only_where_that_is_allowed(
    caller: Caller, cassette: Path, server: StreamServer
) -> None:
    """One recording of a stream answers many requests, event by event each time."""
    with vcr_llm.use_cassette(cassette):
        caller.hears(f"{server.url}/stream")
    with vcr_llm.use_cassette(cassette, record_mode="none", allow_playback_repeats=True) as twice:
        caller.run(ask_twice(caller, server.url))
        assert caller.hears(f"{server.url}/stream") == Heard([*events(3)])
    assert twice.play_count == 3
    with (
        pytest.raises(CannotOverwriteExistingCassetteException),
        vcr_llm.use_cassette(cassette, record_mode="none"),
    ):
        caller.run(ask_twice(caller, server.url))


# Record modes


@pytest.mark.parametrize("mode", ["once", "none"])
def test_a_protected_cassette_refuses_a_request(
    caller: Caller, cassette: Path, server: StreamServer, mode: str
) -> None:
    """vcrpy's own exception, and nothing reaches the server."""
    with vcr_llm.use_cassette(cassette):
        caller.hears(f"{server.url}/stream")
    with (
        pytest.raises(CannotOverwriteExistingCassetteException),
        vcr_llm.use_cassette(cassette, record_mode=mode),
    ):
        caller.hears(f"{server.url}/other")
    assert len(server.requests) == 1


def test_a_protected_cassette_lets_ignored_hosts_through(
    caller: Caller, cassette: Path, server: StreamServer
) -> None:
    """They are none of its business."""
    with vcr_llm.use_cassette(cassette, record_mode="none", ignore_localhost=True):
        assert caller.hears(f"{server.url}/stream").body == b"".join(events(3))
    assert len(server.requests) == 1
    assert documents(cassette) == []


def test_new_episodes_are_added_to_those_that_are_there(
    caller: Caller, cassette: Path, server: StreamServer
) -> None:
    """What is recorded is played, the rest is recorded."""
    for mode in ("once", "new_episodes"):
        with vcr_llm.use_cassette(cassette, record_mode=mode):
            caller.hears(f"{server.url}/stream")
            if mode == "new_episodes":
                caller.hears(f"{server.url}/other")
    assert [request.path for request in server.requests] == ["/stream", "/other"]
    assert [document["sequence"] for document in documents(cassette)] == [0, 1]


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_recording_anew_replaces_a_stream_that_was_left(
    caller: Caller, cassette: Path, server: StreamServer, mode: str
) -> None:
    """As the error of a stream that ends too early says, recording it again mends it."""
    url = f"{server.url}/stream"
    with vcr_llm.use_cassette(cassette):
        caller.hears(url, only=1)
    assert "ended" in responses(cassette)[0]
    with vcr_llm.use_cassette(cassette, record_mode=mode):
        caller.hears(url)
    assert ["ended" in response for response in responses(cassette)] == [False]
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(url) == Heard([*events(3)])


def fail_after_a_stream(caller: Caller, context: Any, url: str) -> None:
    """A test that records a stream, and then fails."""
    with context:
        caller.hears(f"{url}/stream")
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "options", [{"record_on_exception": False}, {"record_mode": "rewrite"}], ids=["once", "rewrite"]
)
def test_what_must_wait_for_a_good_end_waits(
    caller: Caller, cassette: Path, server: StreamServer, options: dict[str, Any]
) -> None:
    """A stream that was recorded in a test that fails is not kept, if the user wants it so."""
    with pytest.raises(ZeroDivisionError):
        fail_after_a_stream(caller, vcr_llm.use_cassette(cassette, **options), server.url)
    assert documents(cassette) == []
    with vcr_llm.use_cassette(cassette, **options):
        caller.hears(f"{server.url}/stream")
    assert len(documents(cassette)) == 1


# Transports


def wsgi(_environ: Any, start_response: Any) -> list[bytes]:
    """An application of WSGI."""
    start_response("200 OK", [*EVENT_STREAM])
    return [*events(3)]


async def asgi(_scope: Any, _receive: Any, send: Any) -> None:
    """An application of ASGI."""
    headers = [(name.lower().encode(), value.encode()) for name, value in EVENT_STREAM]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in events(3):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


def transport_of_an_app(caller: Caller) -> Any:
    """The application of its own kind."""
    if caller.is_async:
        return caller.library.ASGITransport(asgi)
    return caller.library.WSGITransport(wsgi)


def ready_mock(caller: Caller) -> Any:
    """Answers that were made whole."""
    return caller.library.MockTransport(
        lambda _request: caller.library.Response(
            200, headers=EVENT_STREAM, content=b"".join(events(3))
        )
    )


def streaming_mock(caller: Caller) -> Any:
    """Answers that are made while they are read."""
    return caller.library.MockTransport(
        lambda _request: caller.library.Response(
            200, headers=EVENT_STREAM, content=iter_of(caller, *events(3))
        )
    )


@pytest.mark.parametrize("make", [transport_of_an_app, ready_mock, streaming_mock])
def test_transports_that_need_no_network_are_recorded(
    caller: Caller, tmp_path: Path, make: Callable[[Caller], Any]
) -> None:
    """As in vcrpy: applications and mocks are recorded, and replayed without being asked."""

    async def script(caller: Caller, url: str) -> list[tuple[int, bytes]]:
        async with caller.client(transport=make(caller)) as client:
            response = await settled(client.get(url))
        return [(response.status_code, response.content)]

    url, body = "http://app.test/", b"".join(events(3))
    theirs = session(caller, vcr.use_cassette(tmp_path / "a.yaml"), url, script)
    ours = session(caller, vcr_llm.use_cassette(tmp_path / "b"), url, script)
    assert ours == theirs
    assert ours.answers == ours.responses == [(200, body)]
    with vcr_llm.use_cassette(tmp_path / "b", record_mode="none"):
        assert caller.hears(url) == Heard([*events(3)])
    (response,) = responses(tmp_path / "b")
    assert "ended" not in response


def test_a_mock_is_on_disk_at_once_and_may_answer_with_anything(
    caller: Caller, cassette: Path
) -> None:
    """An error, an empty body, a compressed one."""
    library, packed = caller.library, __import__("gzip").compress(b'{"a":1}')
    made = [
        library.Response(503, json={"error": "x"}),
        library.Response(204),
        library.Response(200, headers={"content-encoding": "gzip", **dict(JSON)}, content=packed),
    ]
    given = iter(made)

    async def scenario() -> list[tuple[int, bytes]]:
        transport = library.MockTransport(lambda _request: next(given))
        async with caller.client(transport=transport) as client:
            answers = [await settled(client.get("http://mock.test/")) for _ in made]
        return [(response.status_code, response.content) for response in answers]

    with vcr_llm.use_cassette(cassette) as recording:
        live = caller.run(scenario())
        assert len(documents(cassette)) == 3
        assert not recording.tapes
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.run(scenario()) == live
    assert [response.get("body") for response in responses(cassette)] == [
        {"error": "x"},
        None,
        {"a": 1},
    ]


def test_a_transport_that_derives_from_a_real_one_is_recorded_once(
    caller: Caller, cassette: Path, server: StreamServer
) -> None:
    """What it does around the request it also does on replay."""
    library, seen = caller.library, []

    class Sync(library.HTTPTransport):  # type: ignore[misc, name-defined]  # of either library
        def handle_request(self, request: Any) -> Any:
            response = super().handle_request(request)
            seen.append(response.status_code)
            return response

    class Async(library.AsyncHTTPTransport):  # type: ignore[misc, name-defined]  # the same
        async def handle_async_request(self, request: Any) -> Any:
            response = await super().handle_async_request(request)
            seen.append(response.status_code)
            return response

    make = Async if caller.is_async else Sync
    for mode in ("once", "none"):
        with vcr_llm.use_cassette(cassette, record_mode=mode):
            heard = caller.hears(f"{server.url}/stream", transport=make())
            assert heard.body == b"".join(events(3))
    assert seen == [200, 200]
    assert len(documents(cassette)) == len(server.requests) == 1


def test_a_transport_of_its_own_passes(caller: Caller, cassette: Path) -> None:
    """As in vcrpy, what derives from the base alone is not intercepted."""
    library = caller.library

    class Sync(library.BaseTransport):  # type: ignore[misc, name-defined]  # of either library
        def handle_request(self, _request: Any) -> Any:
            return library.Response(200, text="own")

    class Async(library.AsyncBaseTransport):  # type: ignore[misc, name-defined]  # the same
        async def handle_async_request(self, _request: Any) -> Any:
            return library.Response(200, text="own")

    make = Async if caller.is_async else Sync

    async def scenario() -> str:
        async with caller.client(transport=make()) as client:
            return str((await settled(client.get("http://own.test/"))).text)

    with vcr_llm.use_cassette(cassette) as recording:
        assert caller.run(scenario()) == "own"
    assert len(recording) == 0


@pytest.mark.parametrize("skipped", LIBRARIES)
@pytest.mark.parametrize("used", LIBRARIES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_library_can_be_left_alone(
    skipped: str, used: str, kind: str, cassette: Path, server: StreamServer
) -> None:
    """`skip_patchers` takes one of the two out, and leaves the other."""
    caller = Caller(used, kind)
    with vcr_llm.use_cassette(cassette, skip_patchers=[skipped]):
        assert caller.hears(f"{server.url}/stream").body == b"".join(events(3))
    assert len(documents(cassette)) == (0 if used == skipped else 1)


# Cassettes inside cassettes, and streams that outlive them


def use_plain(path: Path) -> Any:
    """A cassette of vcrpy's own."""
    return vcr.use_cassette(path.with_suffix(".yaml"))


def use_serializer(path: Path) -> Any:
    """A cassette of ours that keeps vcrpy's format."""
    return vcr_llm.use_cassette(path.with_suffix(".json"), serializer="json")


USES: list[Callable[[Path], Any]] = [vcr_llm.use_cassette, use_plain, use_serializer]


@pytest.mark.parametrize("inner", USES)
@pytest.mark.parametrize("outer", USES)
def test_the_inner_cassette_records(
    caller: Caller,
    tmp_path: Path,
    server: StreamServer,
    inner: Callable[[Path], Any],
    outer: Callable[[Path], Any],
) -> None:
    """As in vcrpy: while a cassette is open inside another one, the other one hears nothing."""
    url = f"{server.url}/stream"
    with outer(tmp_path / "outer") as around:
        caller.hears(f"{url}?before")
        with inner(tmp_path / "inner") as within:
            assert caller.hears(f"{url}?within").body == b"".join(events(3))
        caller.hears(f"{url}?after")
    assert [request.uri.partition("?")[2] for request in around.requests] == ["before", "after"]
    assert [request.uri.partition("?")[2] for request in within.requests] == ["within"]


def test_a_stream_may_outlive_its_cassette(
    caller: Caller, cassette: Path, server: StreamServer
) -> None:
    """What came until then is kept; the client reads on as if nothing had happened."""
    url = f"{server.url}/endless"

    async def scenario() -> list[bytes]:
        async with caller.client() as client:
            with vcr_llm.use_cassette(cassette) as recording:
                response = await caller.open(client, url)
                chunks = caller.chunks(response)
                for _ in range(2):
                    await anext(chunks)
            assert not recording.tapes
            rest = [await anext(chunks) for _ in range(3)]
            await caller.close(response)
            assert len(client._transport._pool.connections) == 0
            return rest

    assert caller.run(scenario()) == [event(2), event(3), event(4)]
    (response,) = responses(cassette)
    assert [entry["number"] for entry in response["body"]] == [0, 1]
    assert response["ended"] == {"by": "client"}


def test_a_replay_may_outlive_its_cassette(
    caller: Caller, cassette: Path, server: StreamServer
) -> None:
    """The rest of the events come all the same."""
    with vcr_llm.use_cassette(cassette):
        caller.hears(f"{server.url}/stream")

    async def scenario() -> list[bytes]:
        async with caller.client() as client:
            with vcr_llm.use_cassette(cassette, record_mode="none"):
                chunks = caller.chunks(await caller.open(client, f"{server.url}/stream"))
                found = [await anext(chunks)]
            return [*found, *[chunk async for chunk in chunks]]

    assert caller.run(scenario()) == [*events(3)]


def test_a_request_that_outlives_its_cassette_is_not_recorded(
    caller: Caller, cassette: Path, server: StreamServer
) -> None:
    """The answer comes to the client, and to nobody else."""
    transport = (
        caller.library.AsyncHTTPTransport if caller.is_async else caller.library.HTTPTransport
    )
    name = "handle_async_request" if caller.is_async else "handle_request"
    with vcr_llm.use_cassette(cassette) as recording:
        inside = getattr(transport, name)

    async def scenario() -> bytes:
        async with caller.client() as client:
            request = client.build_request("GET", f"{server.url}/stream")
            response = await settled(inside(client._transport, request))
            return await caller.read(response)

    assert caller.run(scenario()) == b"".join(events(3))
    assert not recording.tapes
    assert documents(cassette) == []


def test_hooks_of_a_stream_run_when_it_has_ended(
    caller: Caller, cassette: Path, server: StreamServer
) -> None:
    """They see it whole, in vcrpy's shape, once."""
    seen: list[Any] = []

    def look(response: Any) -> Any:
        seen.append(json.loads(json.dumps(response, default=bytes.decode)))
        return response

    async def scenario() -> None:
        async with (
            caller.client() as client,
            entered(client.stream("GET", f"{server.url}/stream")) as response,
        ):
            async for _chunk in caller.chunks(response):
                assert seen == []

    with vcr_llm.use_cassette(cassette, before_record_response=look):
        caller.run(scenario())
        assert len(seen) == 1
    (response,) = seen
    assert response["status"] == {"code": 200, "message": "OK"}
    assert response["headers"]["content-type"] == ["text/event-stream"]
    assert response["body"] == {"string": b"".join(events(3)).decode()}
