"""While a stream is recorded, the client meets what it meets without a recorder."""

from __future__ import annotations

from pathlib import Path

import pytest

import vcr_llm
from tests.sdk.clients import entered
from tests.servers.fault_server import FaultServer
from tests.streams.callers import Caller, Heard, documents, responses
from tests.streams.stream_server import Gate, events, stream

EVENTS = events(5)


async def hear_through(gate: Gate, caller: Caller, url: str) -> Heard:
    """What a client hears that opens the gate for the next event when it has one."""
    chunks = []
    async with caller.client() as client, entered(client.stream("GET", url)) as response:
        async for chunk in caller.chunks(response):
            chunks.append(chunk)
            gate.open()
    return Heard(chunks)


def test_each_event_reaches_the_client_before_the_next_is_sent(
    caller: Caller, cassette: Path
) -> None:
    """The server waits with each event until the client has the one before."""
    gate = Gate()
    with (
        FaultServer(stream(gate.between(EVENTS))) as server,
        vcr_llm.use_cassette(cassette),
    ):
        heard = caller.run(hear_through(gate, caller, server.url))
    assert heard == Heard([*EVENTS])
    assert len(responses(cassette)[0]["body"]) == len(EVENTS)


def test_the_headers_reach_the_client_before_the_first_event(
    caller: Caller, cassette: Path
) -> None:
    """The server sends nothing of the body until the client has the head."""
    gate = Gate()

    async def scenario(url: str) -> bytes:
        async with caller.client() as client, entered(client.stream("GET", url)) as response:
            assert response.status_code == 200
            gate.open()
            return await caller.read(response)

    pieces = gate.between((b"", *EVENTS[:1]))
    with (
        FaultServer(stream(pieces)) as server,
        vcr_llm.use_cassette(cassette),
    ):
        assert caller.run(scenario(server.url)) == EVENTS[0]


def test_a_recording_is_on_disk_when_its_stream_has_ended(caller: Caller, cassette: Path) -> None:
    """Not before, and not only when the cassette is left."""

    async def scenario(url: str) -> None:
        async with caller.client() as client, entered(client.stream("GET", url)) as response:
            async for _chunk in caller.chunks(response):
                assert documents(cassette) == []
            assert len(documents(cassette)) == 1

    with FaultServer(stream(EVENTS)) as server, vcr_llm.use_cassette(cassette) as recording:
        caller.run(scenario(server.url))
        assert not recording.tapes


def split_at(body: bytes, *places: int) -> tuple[bytes, ...]:
    """The body in pieces that end at these places."""
    ends = (*places, len(body))
    return tuple(body[start:end] for start, end in zip((0, *places), ends, strict=True))


WHOLE = b"".join(EVENTS)
UMLAUT = 'data: {"text":"Grüße"}\n\n'.encode()
CHUNKINGS: list[tuple[str, tuple[bytes, ...]]] = [
    ("one event in each chunk", EVENTS),
    ("several events in each chunk", (b"".join(EVENTS[:3]), b"".join(EVENTS[3:]))),
    ("all in one chunk", (WHOLE,)),
    ("an event cut in the middle", split_at(WHOLE, 10, 25, 60)),
    ("between two line ends", split_at(WHOLE, len(EVENTS[0]) - 1)),
    ("a character cut in the middle", split_at(UMLAUT * 2, UMLAUT.index(b"\xc3") + 1)),
    ("each byte for itself", tuple(bytes([byte]) for byte in UMLAUT * 2)),
]
each_chunking = pytest.mark.parametrize(
    "chunks", [row[1] for row in CHUNKINGS], ids=[row[0] for row in CHUNKINGS]
)


@each_chunking
def test_chunks_pass_as_the_network_had_them_and_are_replayed_as_events(
    caller: Caller, cassette: Path, chunks: tuple[bytes, ...]
) -> None:
    """Whatever the chunks were, a replay gives one event at a time, and the same bytes."""
    gate = Gate()
    with FaultServer(stream(gate.between(chunks))) as server:
        with vcr_llm.use_cassette(cassette):
            live = caller.run(hear_through(gate, caller, server.url))
        assert live == Heard([*chunks])
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        heard = caller.hears(server.url)
    assert heard == Heard(frames(b"".join(chunks)))
    assert replayed.all_played


def frames(body: bytes) -> list[bytes]:
    """The events of a stream whose lines end with a line feed."""
    return [part + b"\n\n" for part in body.split(b"\n\n")[:-1]]


def test_a_compressed_stream_is_recorded_live_and_replayed_by_its_events(
    caller: Caller, cassette: Path
) -> None:
    """Each event can be decoded when it comes; on disk and on replay it is readable."""
    gate = Gate()

    async def scenario(url: str) -> list[str]:
        found = []
        async with caller.client() as client, entered(client.stream("GET", url)) as response:
            async for text in caller.texts(response):
                found.append(text)
                gate.open()
        return found

    with (
        FaultServer(stream(gate.between(EVENTS), is_gzipped=True)) as server,
        vcr_llm.use_cassette(cassette),
    ):
        assert caller.run(scenario(server.url)) == [event.decode() for event in EVENTS]
    assert [entry["number"] for entry in responses(cassette)[0]["body"]] == [0, 1, 2, 3, 4]
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == Heard([*EVENTS])
