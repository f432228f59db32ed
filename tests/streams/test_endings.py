"""However a stream ends: what is on disk, and the same error at the same event on replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import vcr_llm
from tests.sdk.clients import entered
from tests.servers.fault_server import Ending, FaultServer, Framing, Reply
from tests.streams.callers import LIBRARIES, Caller, Heard, documents, record, responses
from tests.streams.stream_server import EVENT_STREAM, GZIPPED, PATIENCE, SILENCE, events, stream

EVENTS = events(3)
URL = "http://stream.test/"
TORN = 'data: {"number":3,"text":"Grü'.encode()
NO_END = "peer closed connection without sending complete message body"


class Case(NamedTuple):
    """A way of ending: what the server does, and what a recording then says."""

    name: str
    reply: Reply
    error: str | None = None
    message: str = ""
    """What the message of a sync client begins with; async ones say less."""
    entries: int = len(EVENTS)

    @property
    def pieces(self) -> list[bytes]:
        """What the server sent, which is also what a replay gives."""
        return [piece for piece in self.reply.pieces if isinstance(piece, bytes)]


def with_length(*pieces: bytes, ending: Ending) -> Reply:
    """A reply that announces its length, which is one more than comes."""
    return Reply(pieces, headers=EVENT_STREAM, ending=ending)


# fmt: off  # a table
CASES = [
    Case("complete", stream(EVENTS)),
    Case("complete with a length", with_length(*EVENTS, ending=Ending.COMPLETE)),
    Case("cut between events", stream(EVENTS, Ending.CUT), "RemoteProtocolError", NO_END),
    Case(
        "cut in an event",
        stream((*EVENTS, TORN), Ending.CUT),
        "RemoteProtocolError",
        NO_END,
        entries=4,
    ),
    Case(
        "cut in a character",
        stream((*EVENTS, TORN[:-1]), Ending.CUT),
        "RemoteProtocolError",
        NO_END,
        entries=4,
    ),
    Case(
        "cut before the first event",
        stream((), Ending.CUT),
        "RemoteProtocolError",
        NO_END,
        entries=0,
    ),
    Case(
        "shorter than its length",
        with_length(*EVENTS, ending=Ending.CUT),
        "RemoteProtocolError",
        NO_END,
    ),
    Case("reset", stream(EVENTS, Ending.RESET), "ReadError", "[Errno"),
    Case("stalled", stream(EVENTS, Ending.STALL), "ReadTimeout", "timed out"),
    Case(
        "stalled in an event",
        stream((*EVENTS, TORN), Ending.STALL),
        "ReadTimeout",
        "timed out",
        entries=4,
    ),
]
# fmt: on
each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
CUT = [case for case in CASES if case.error]


def hears(caller: Caller, url: str, case: Case) -> Heard:
    """What a client hears that waits no longer than it has to."""
    return caller.hears(url, timeout=patience(caller, case))


def patience(caller: Caller, case: Case) -> Any:
    """Short where the server falls silent."""
    is_stalled = case.reply.ending is Ending.STALL
    return caller.library.Timeout(PATIENCE, read=SILENCE if is_stalled else PATIENCE)


@each_case
def test_a_replay_ends_as_the_stream_ended(caller: Caller, cassette: Path, case: Case) -> None:
    """Without a recorder, with one, and on replay: the same bytes, error and message."""
    with FaultServer(case.reply) as server:
        raw = hears(caller, server.url, case)
        with vcr_llm.use_cassette(cassette):
            live = hears(caller, server.url, case)
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        again = hears(caller, server.url, case)
    assert (raw.body, raw.error) == (b"".join(case.pieces), case.error)
    assert (live.body, live.error, live.message) == (raw.body, raw.error, raw.message)
    assert again == Heard(case.pieces, raw.error, raw.message)
    assert replayed.all_played
    (response,) = responses(cassette)
    assert_is_written(response, case, live)


def assert_is_written(response: dict[str, Any], case: Case, live: Heard) -> None:
    """The events that came are entries, the torn one as well; an unusual end is told."""
    assert response["is_streaming"] is True
    assert len(response["body"]) == case.entries
    assert [entry["number"] for entry in response["body"][:3]] == [0, 1, 2][: case.entries]
    if case.error is None:
        assert "ended" not in response
    else:
        ended = {"by": "error", "type": case.error, "message": live.message}
        assert json.dumps(response["ended"]) == json.dumps(ended)


def test_an_error_has_the_words_of_the_client(cassette: Path) -> None:
    """The message is that of the HTTP library, which says the most in its sync clients."""
    caller = Caller("httpx", "sync")
    for case in CUT:
        folder = cassette / case.name
        with FaultServer(case.reply) as server, vcr_llm.use_cassette(folder):
            hears(caller, server.url, case)
        assert responses(folder)[0]["ended"]["message"].startswith(case.message)


def test_what_came_is_on_disk_when_the_error_is_raised(caller: Caller, cassette: Path) -> None:
    """The code that meets the error may end the process."""

    async def scenario(url: str) -> None:
        async with caller.client() as client, entered(client.stream("GET", url)) as response:
            with pytest.raises(caller.library.RemoteProtocolError):
                await caller.read(response)
            assert len(documents(cassette)) == 1

    with (
        FaultServer(stream(EVENTS, Ending.CUT)) as server,
        vcr_llm.use_cassette(cassette) as recording,
    ):
        caller.run(scenario(server.url))
        assert not recording.tapes


@pytest.mark.parametrize("case", CUT, ids=[case.name for case in CUT])
def test_the_error_of_a_replay_knows_its_request(
    caller: Caller, cassette: Path, case: Case
) -> None:
    """SDKs and handlers ask the error for the request, as they can live."""

    async def scenario(url: str) -> tuple[type[Exception], str]:
        async with caller.client(timeout=patience(caller, case)) as client:
            with pytest.raises(caller.library.TransportError) as caught:
                async with entered(client.stream("GET", url)) as response:
                    await caller.read(response)
            return type(caught.value), str(caught.value.request.url)

    with FaultServer(case.reply) as server, vcr_llm.use_cassette(cassette):
        live = caller.run(scenario(server.url))
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.run(scenario(server.url)) == live
    assert live[1] == server.url


def test_a_compressed_stream_that_is_cut_keeps_what_could_be_read(
    caller: Caller, cassette: Path
) -> None:
    """The client could read these events live; so can the reviewer, and the client on replay."""
    *pieces, _trailer = stream(EVENTS, is_gzipped=True).pieces
    torn = Reply(tuple(pieces), 200, (*EVENT_STREAM, *GZIPPED), Framing.CHUNKED, Ending.CUT)

    async def scenario(url: str) -> Heard:
        texts: list[bytes] = []
        async with caller.client() as client:
            with pytest.raises(caller.library.RemoteProtocolError) as caught:  # noqa: PT012 - as live
                async with entered(client.stream("GET", url)) as response:
                    async for text in caller.texts(response):
                        texts.append(text.encode())  # noqa: PERF401 - an error ends it
        return Heard(texts, type(caught.value).__name__, str(caught.value))

    with FaultServer(torn) as server, vcr_llm.use_cassette(cassette):
        live = caller.run(scenario(server.url))
    assert live.body == b"".join(EVENTS)
    assert [entry["number"] for entry in responses(cassette)[0]["body"]] == [0, 1, 2]
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.run(scenario(server.url)) == live


ERROR_EVENTS = [
    ("OpenAI's", b'data: {"error":{"message":"Overloaded","type":"server_error"}}\n\n'),
    ("Anthropic's", b'event: error\ndata: {"type":"error","error":{"message":"Overloaded"}}\n\n'),
]


@pytest.mark.parametrize("error", [row[1] for row in ERROR_EVENTS], ids=["openai", "anthropic"])
@pytest.mark.parametrize("is_read_on", [True, False])
def test_an_error_event_is_an_event(
    caller: Caller, cassette: Path, error: bytes, is_read_on: bool
) -> None:
    """It is replayed where it came, and nothing is missing behind it."""
    only = None if is_read_on else 3
    with FaultServer(stream((*EVENTS[:2], error))) as server, vcr_llm.use_cassette(cassette):
        live = caller.hears(server.url, only=only)
    assert live.body == b"".join((*EVENTS[:2], error))
    (response,) = responses(cassette)
    assert len(response["body"]) == 3
    assert "ended" not in response
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == Heard([*EVENTS[:2], error])


FOREIGN: list[tuple[str, str]] = [
    ("KeyError", "RemoteProtocolError"),
    ("Client", "RemoteProtocolError"),
    ("__name__", "RemoteProtocolError"),
    ("os.system", "RemoteProtocolError"),
    ("HTTPStatusError", "RemoteProtocolError"),
    ("main", "RemoteProtocolError"),  # asked for it, httpx2 would import its command line
    ("", "RemoteProtocolError"),
    ("ReadTimeout", "ReadTimeout"),
    ("WriteError", "WriteError"),
    ("TransportError", "TransportError"),
]


@pytest.mark.parametrize(("named", "raised"), FOREIGN)
def test_only_errors_of_the_client_are_raised(
    caller: Caller, cassette: Path, named: str, raised: str
) -> None:
    """A recording names an exception; whatever it names, it is one that clients expect."""
    ended = {"by": "error", "type": named, "message": "torn"}
    record(cassette, URL, [{"n": 0}], ended=ended)
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(URL) == Heard([b'data: {"n":0}\n\n'], raised, "torn")


def test_a_cut_answer_in_one_piece_is_cut_on_replay(caller: Caller, cassette: Path) -> None:
    """JSON that did not come whole is replayed as far as it came, then the error."""
    torn = Reply((b'{"half":',), headers=(("Content-Type", "application/json"),), ending=Ending.CUT)
    with FaultServer(torn) as server, vcr_llm.use_cassette(cassette):
        live = caller.hears(server.url)
    assert live.error == "RemoteProtocolError"
    assert responses(cassette)[0]["body"] == {"__type__": "str", "__data__": '{"half":'}
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert caller.hears(server.url) == live


def test_a_stream_that_is_cut_and_asked_for_again_is_two_recordings(
    caller: Caller, cassette: Path
) -> None:
    """Code that asks once more after an error meets the error, and then the answer, on replay."""

    async def scenario(url: str) -> list[Heard]:
        async with caller.client() as client:
            return [await caller.hear(client, url) for _attempt in range(2)]

    with (
        FaultServer(stream(EVENTS[:1], Ending.CUT), stream(EVENTS)) as server,
        vcr_llm.use_cassette(cassette),
    ):
        live = caller.run(scenario(server.url))
    assert [heard.error for heard in live] == ["RemoteProtocolError", None]
    assert ["ended" in response for response in responses(cassette)] == [True, False]
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        again = caller.run(scenario(server.url))
    assert [(heard.body, heard.error) for heard in again] == [
        (heard.body, heard.error) for heard in live
    ]
    assert replayed.play_count == 2


TYPES: list[tuple[str, bytes, int]] = [
    ("application/x-ndjson", b'{"n":0}\n{"n":1}\n{"n":', 3),
    ("application/json", b'[{"candidates":[{"n":0}]}\n,\r\n{"candidates":[{"n":1}]}\n,\r\n{"ca', 3),
]


@pytest.mark.parametrize(("content_type", "body", "pieces"), TYPES, ids=["ndjson", "json-array"])
def test_other_streams_that_are_cut_keep_their_events(
    caller: Caller, cassette: Path, content_type: str, body: bytes, pieces: int
) -> None:
    """What came whole is an event each, on disk and on replay; the torn rest is the last piece."""
    path = "/v1beta/models/gemini-pro:streamGenerateContent" if b"candidates" in body else "/"
    reply = Reply((body,), 200, (("Content-Type", content_type),), Framing.CHUNKED, Ending.CUT)
    with FaultServer(reply) as server:
        with vcr_llm.use_cassette(cassette):
            live = caller.hears(server.url + path)
        (response,) = responses(cassette)
        assert response["is_streaming"] is True
        assert len(response["body"]) == pieces
        with vcr_llm.use_cassette(cassette, record_mode="none"):
            again = caller.hears(server.url + path)
    assert (again.body, again.error) == (body, live.error)
    assert len(again.chunks) == pieces


def test_a_hook_may_see_and_change_how_a_stream_ended(caller: Caller, cassette: Path) -> None:
    """`ended` stands in what vcrpy's hooks get; without it the recording is that of a whole one."""
    seen: list[Any] = []

    def forget(response: dict[str, Any]) -> dict[str, Any]:
        seen.append(response.pop("ended", None))
        return response

    with FaultServer(stream(EVENTS, Ending.CUT)) as server:
        with vcr_llm.use_cassette(cassette, before_record_response=forget):
            assert caller.hears(server.url).error == "RemoteProtocolError"
        with vcr_llm.use_cassette(cassette, record_mode="none"):
            assert caller.hears(server.url) == Heard([*EVENTS])
    assert seen[0]["type"] == "RemoteProtocolError"
    assert "ended" not in responses(cassette)[0]


@pytest.mark.parametrize(
    ("raised", "ended"),
    [
        (KeyboardInterrupt, {"by": "client"}),
        (SystemExit, {"by": "client"}),
        (ValueError("own"), {"by": "error", "type": "ValueError", "message": "own"}),
    ],
    ids=["KeyboardInterrupt", "SystemExit", "ValueError"],
)
@pytest.mark.parametrize("library", LIBRARIES)
def test_whatever_interrupts_a_stream_passes(
    library: str, cassette: Path, raised: Any, ended: dict[str, str]
) -> None:
    """What came is kept; what is raised is what was raised."""
    caller = Caller(library, "sync")

    def interrupted() -> Iterator[bytes]:
        yield EVENTS[0]
        raise raised

    transport = caller.library.MockTransport(
        lambda _request: caller.library.Response(200, headers=EVENT_STREAM, content=interrupted())
    )
    expected = raised if isinstance(raised, type) else type(raised)
    with vcr_llm.use_cassette(cassette), pytest.raises(expected):
        caller.hears(URL, transport=transport)
    (response,) = responses(cassette)
    assert (len(response["body"]), response["ended"]) == (1, ended)


def test_events_of_httpx2_are_the_same(cassette: Path) -> None:
    """Its own reader of server-sent events meets the same events, and the same error."""
    httpx2: Any = pytest.importorskip("httpx2")
    if not hasattr(httpx2.Client, "sse"):
        pytest.skip("this version of httpx2 reads no server-sent events")
    found: list[list[str]] = []
    with FaultServer(stream((*EVENTS, TORN), Ending.CUT)) as server:
        for mode in ("once", "none"):
            heard: list[str] = []
            with (
                vcr_llm.use_cassette(cassette, record_mode=mode),
                httpx2.Client() as client,
                pytest.raises(httpx2.RemoteProtocolError, match=NO_END),
            ):
                read_events(client, server.url, heard)
            found.append(heard)
        assert len(server.requests) == 1
    assert found[0] == found[1]
    assert len(found[0]) == len(EVENTS)


def read_events(client: Any, url: str, into: list[str]) -> None:
    """The data of each event."""
    with client.sse(url) as source:
        for one in source:
            into.append(one.data)  # noqa: PERF401 - the loop ends with an error
