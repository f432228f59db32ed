"""A replay gives one event at a time: at once, or as slowly as they came."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

import vcr_llm
from tests.sdk.clients import entered, settled
from tests.servers.fault_server import FaultServer, Framing, ReceivedRequest, Reply
from tests.streams.callers import Caller, Heard, documents, record, responses
from tests.streams.stream_server import Gate, StreamServer, event, events, stream
from tests.test_stream_body import aws_event

URL = "http://stream.test/"
HOUR = 3_600_000
AWS = "application/vnd.amazon.eventstream"
FRAMES = tuple(aws_event("contentBlockDelta", b'{"delta":{"text":"a"}}') for _ in range(3))
OBJECTS = tuple(f'{{"done":{done}}}\n'.encode() for done in ("false", "false", "true"))

BODIES: list[tuple[str, str, tuple[bytes, ...]]] = [
    ("events", "text/event-stream", (b": hello\n\n", event(0), b"event: ping\ndata: {}\n\n")),
    (
        "CRLF and [DONE]",
        "text/event-stream",
        (b"data: one\r\n\r\n", b"data: two\r\n\r\n", b"data: [DONE]\r\n\r\n"),
    ),
    ("byte order mark", "text/event-stream", (b"\xef\xbb\xbf", event(0), event(1))),
    ("ndjson", "application/x-ndjson", OBJECTS),
    ("amazon", AWS, FRAMES),
    ("json", "application/json", (b'{\n  "whole": true\n}',)),
    ("text", "text/plain", (b"one\n\ntwo\n\n",)),
    ("bytes", "audio/mpeg", (b"\xff\xfb\x90\xc4",)),
]


@pytest.mark.parametrize(
    ("content_type", "pieces"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
def test_each_kind_of_body_is_replayed_in_its_own_pieces(
    caller: Caller, cassette: Path, content_type: str, pieces: tuple[bytes, ...]
) -> None:
    """Streams by their events, all else in one piece, whatever the network's chunks were."""
    reply = Reply((b"".join(pieces),), headers=(("Content-Type", content_type),))
    with FaultServer(reply) as server, vcr_llm.use_cassette(cassette):
        assert caller.hears(server.url).body == b"".join(pieces)
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == Heard([*pieces])


def test_an_empty_body_is_replayed_as_none(caller: Caller, cassette: Path) -> None:
    """No event is invented where none came."""
    with FaultServer(stream(())) as server, vcr_llm.use_cassette(cassette):
        assert caller.hears(server.url) == Heard([])
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == Heard([])
    assert "ended" not in responses(cassette)[0]


def test_a_redirect_to_a_signed_url_is_followed_on_replay(caller: Caller, cassette: Path) -> None:
    """What signs it is in no file, neither where it was sent to nor where it was asked for."""
    signed = "/file?X-Amz-Credential=AKIA%2F20260101&X-Amz-Signature=0123456789abcdef&part=1"

    def answer(request: ReceivedRequest) -> Reply:
        if request.path == signed:
            return Reply((b"the file",), headers=(("Content-Type", "text/plain"),))
        return Reply((b"",), 302, (("Location", signed),))

    async def download(url: str) -> bytes:
        async with caller.client(follow_redirects=True) as client:
            response = await settled(client.get(url))
        return bytes(response.content)

    with StreamServer(answer) as server:
        with vcr_llm.use_cassette(cassette):
            assert caller.run(download(server.url)) == b"the file"
        assert not any(b"0123456789abcdef" in path.read_bytes() for path in cassette.iterdir())
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.run(download(server.url)) == b"the file"


async def header_of(caller: Caller, url: str) -> str:
    """The header of an answer that is not ASCII."""
    async with caller.client() as client:
        response = await settled(client.get(url))
    return str(response.headers["x-error"])


@pytest.mark.parametrize("sent", ["アクセス".encode(), "ü".encode(), b"\xfc", b"\xff\x80", b"\xe3"])
def test_a_header_that_is_not_ascii_is_replayed(
    caller: Caller, cassette: Path, sent: bytes
) -> None:
    """A client reads the same as live, whether its library recorded it or one that reads bytes."""
    in_latin = sent.decode("latin-1")
    reply = Reply((b"",), headers=(("X-Error", in_latin),))
    keeping = vcr_llm.use_cassette(cassette, keep_response_headers=("x-error",))
    with FaultServer(reply) as server, keeping:
        live = caller.run(header_of(caller, server.url))
    for recorded in (live, in_latin):
        (path,) = cassette.glob("*.json")
        document = json.loads(path.read_text("utf-8"))
        document["response"]["headers"]["x-error"] = recorded
        path.write_text(json.dumps(document), "utf-8")
        with vcr_llm.use_cassette(cassette, record_mode="none"):
            assert caller.run(header_of(caller, server.url)) == live


def test_a_client_reads_a_replay_in_every_way_that_it_knows(caller: Caller, cassette: Path) -> None:
    """As a whole, by lines, by pieces of a size of its own."""
    record(cassette, URL, [{"number": 0}, {"number": 1}])
    body = b'data: {"number":0}\n\ndata: {"number":1}\n\n'

    async def scenario() -> None:
        async with caller.client() as client:
            async with entered(client.stream("GET", URL)) as response:
                assert await caller.read(response) == body
                assert response.content == body
            async with entered(client.stream("GET", URL)) as response:
                text = "".join([piece async for piece in caller.texts(response)])
            assert text == body.decode()
            assert response.is_closed
            assert response.num_bytes_downloaded == len(body)
            assert response.elapsed.total_seconds() >= 0
            assert response.http_version == "HTTP/1.1"

    with vcr_llm.use_cassette(cassette, record_mode="none", allow_playback_repeats=True):
        caller.run(scenario())


async def hear_slowly(gate: Gate, caller: Caller, url: str) -> list[float]:
    """Opens the gate a moment after each event; the moments in seconds since the response."""
    opened = []
    async with caller.client() as client, entered(client.stream("GET", url)) as response:
        began = time.perf_counter()
        async for _chunk in caller.chunks(response):
            time.sleep(0.003)  # noqa: ASYNC251 - it only has to pass, whatever runs beside it
            opened.append(time.perf_counter() - began)
            gate.open()
    return opened


@pytest.mark.parametrize("options", [{}, {"decode_compressed_response": True}], ids=["", "decoded"])
@pytest.mark.parametrize("is_gzipped", [False, True], ids=["plain", "gzip"])
def test_timing_says_when_each_event_came(
    caller: Caller, cassette: Path, is_gzipped: bool, options: dict[str, bool]
) -> None:
    """No event came before the server was allowed to send it, and each later than the last."""
    gate, sent = Gate(), (*events(6), b"data: [DONE]\n\n")
    with (
        FaultServer(stream(gate.between(sent), is_gzipped=is_gzipped)) as server,
        vcr_llm.use_cassette(cassette, timing=True, **options),
    ):
        opened = caller.run(hear_slowly(gate, caller, server.url))
    timing = responses(cassette)[0]["timing"]
    assert len(timing) == len(sent)
    allowed = [0, *(int(at * 1000) for at in opened[: len(sent) - 1])]
    assert [at for at, earliest in zip(timing, allowed, strict=True) if at < earliest] == []
    assert timing == sorted(set(timing))


def test_timing_of_a_cut_event_is_that_of_its_last_byte(caller: Caller, cassette: Path) -> None:
    """An event has come when it is whole; events that come together have the same time."""
    gate, body = Gate(), b"".join(events(3))
    torn = (body[:10], body[10:50], body[50:])
    with (
        FaultServer(stream(gate.between(torn))) as server,
        vcr_llm.use_cassette(cassette, timing=True),
    ):
        opened = caller.run(hear_slowly(gate, caller, server.url))
    first, second, third = responses(cassette)[0]["timing"]
    assert first >= int(opened[0] * 1000)
    assert second == third >= int(opened[1] * 1000)


def test_timing_is_measured_before_secrets_are_taken_out(caller: Caller, cassette: Path) -> None:
    """What is shorter on disk than it was on the wire does not shift the times."""
    gate = Gate()
    sent = tuple(f'data: {{"api_key":"{"k" * 300}","n":{n}}}\n\n'.encode() for n in range(4))
    with (
        FaultServer(stream(gate.between(sent))) as server,
        vcr_llm.use_cassette(cassette, timing=True),
    ):
        caller.run(hear_slowly(gate, caller, server.url))
    response = responses(cassette)[0]
    assert [entry["api_key"] for entry in response["body"]] == ["REDACTED"] * 4
    assert len(set(response["timing"])) == 4


def test_timing_is_recorded_only_when_it_is_asked_for(caller: Caller, cassette: Path) -> None:
    """It changes with every recording, so it is not there by default."""
    with FaultServer(stream(events(2))) as server, vcr_llm.use_cassette(cassette):
        caller.hears(server.url)
    assert "timing" not in responses(cassette)[0]


async def times_of_replay(caller: Caller) -> list[float]:
    """The milliseconds after which each event of a replay comes."""
    began = time.perf_counter()
    async with caller.client() as client, entered(client.stream("GET", URL)) as response:
        return [(time.perf_counter() - began) * 1000 async for _ in caller.chunks(response)]


@pytest.mark.parametrize("speed", [1.0, 2.0, 0.5, 3])
def test_replay_speed_scales_the_recorded_times(
    caller: Caller, cassette: Path, speed: float
) -> None:
    """No event comes before its time."""
    timing = [4, 8, 8, 16]
    record(cassette, URL, [{"n": n} for n in range(4)], timing=timing)
    with vcr_llm.use_cassette(cassette, record_mode="none", replay_speed=speed):
        times = caller.run(times_of_replay(caller))
    late = [at >= due / speed for at, due in zip(times, timing, strict=True)]
    assert late == [True] * 4


@pytest.mark.parametrize(
    "options", [{}, {"replay_speed": None}, {"replay_speed": 1e9}], ids=["default", "None", "fast"]
)
def test_a_replay_takes_no_time_by_default(
    caller: Caller, cassette: Path, options: dict[str, Any]
) -> None:
    """Hours of recorded time pass at once."""
    record(cassette, URL, [{"n": 0}, {"n": 1}], timing=[HOUR, 2 * HOUR])
    with vcr_llm.use_cassette(cassette, record_mode="none", **options):
        assert len(caller.run(times_of_replay(caller))) == 2


@pytest.mark.parametrize("timing", [None, [], [1]], ids=["none", "empty", "too few"])
def test_events_without_a_recorded_time_come_at_once(
    caller: Caller, cassette: Path, timing: list[int] | None
) -> None:
    """A recording without `timing`, or with an event that was added by hand, can be replayed."""
    extra = {} if timing is None else {"timing": timing}
    record(cassette, URL, [{"n": 0}, {"n": 1}, {"n": 2}], **extra)
    with vcr_llm.use_cassette(cassette, record_mode="none", replay_speed=1.0):
        assert len(caller.run(times_of_replay(caller))) == 3


def test_a_second_recording_leaves_the_times_of_the_first(caller: Caller, cassette: Path) -> None:
    """A recording that gets a position keeps everything else that its file says."""
    with FaultServer(stream(events(3))) as server:
        for path in ("/one", "/two"):
            with vcr_llm.use_cassette(cassette, record_mode="new_episodes", timing=True):
                caller.hears(server.url + path)
            if path == "/one":
                (before,) = documents(cassette)
    first, second = documents(cassette)
    assert first["response"] == before["response"]
    assert len(second["response"]["timing"]) == 3


async def ticks_while(reading: asyncio.Task[Any]) -> int:
    """How often another task gets its turn until the reading is done."""
    ticks = 0
    while not reading.done():
        ticks += 1
        await asyncio.sleep(0)
    return ticks


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("speed", [None, 1.0])
async def test_other_tasks_run_between_two_events(
    cassette: Path, library: str, speed: float | None
) -> None:
    """Live each event is waited for, so on replay, too, it is a point where tasks change."""
    caller = Caller(library, "async")
    record(cassette, URL, [{"n": n} for n in range(50)], timing=[0] * 49 + [5])
    with vcr_llm.use_cassette(cassette, record_mode="none", replay_speed=speed):
        reading = asyncio.create_task(times_of_replay(caller))
        ticks = await ticks_while(reading)
    assert len(await reading) == 50
    assert ticks >= 50


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
async def test_a_pause_can_be_cancelled(cassette: Path, library: str) -> None:
    """A replay that waits for an event's time obeys a timeout of the code."""
    record(cassette, URL, [{"n": 0}], timing=[HOUR])
    with (
        vcr_llm.use_cassette(cassette, record_mode="none", replay_speed=1.0),
        pytest.raises(TimeoutError),
    ):
        async with asyncio.timeout(0.01):
            await times_of_replay(Caller(library, "async"))


def test_framing_until_the_connection_closes(caller: Caller, cassette: Path) -> None:
    """Without a length and without chunks the end of the connection is the end of the body."""
    reply = Reply(events(2), headers=(("Content-Type", "text/event-stream"),))
    until_close = Reply(reply.pieces, headers=reply.headers, framing=Framing.UNTIL_CLOSE)
    with FaultServer(until_close) as server, vcr_llm.use_cassette(cassette):
        caller.hears(server.url)
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == Heard([*events(2)])
    assert "ended" not in responses(cassette)[0]
