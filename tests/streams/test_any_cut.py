"""Any stream, in any chunks, cut at any byte: exactly these bytes on replay, and then the error."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vcr_llm
from tests.servers.fault_server import Ending, FaultServer, Framing, Reply
from tests.streams.callers import ALL_CALLERS, Caller, responses
from tests.test_json import fuzzed
from vcr_llm._body import decode_response_events, encode_response_body
from vcr_llm._habits import Origin

KINDS = ["text/event-stream", "application/x-ndjson", "application/json", "text/plain"]

_words = st.text(st.sampled_from("aé€😀 \"\\{}:[]'\u2028\u0085"), max_size=8)
_frames = st.one_of(
    st.builds('data: {{"text":"{}"}}\n\n'.format, _words.filter(lambda word: '"' not in word)),
    st.builds("event: {}\r\ndata: {}\r\n\r\n".format, st.sampled_from(["a", ""]), _words),
    st.builds(": {}\n\n".format, _words),
    st.builds('{{"text":{}}}\n'.format, st.integers()),
    st.sampled_from(["data: [DONE]\n\n", "\n", "\r", "\ufeff", "data\n\n", "id: 1\nretry: 5\n\n"]),
)
bodies = st.lists(_frames, min_size=1, max_size=6).map(lambda frames: "".join(frames).encode())


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[str, tuple[bytes, ...]]:
    """A content type, and chunks of a body that ends anywhere."""
    body = draw(bodies)
    body = body[: draw(st.integers(0, len(body)))]
    places = draw(st.lists(st.integers(0, len(body)), max_size=4).map(sorted))
    chunks = (body[start:end] for start, end in itertools.pairwise((0, *places, len(body))))
    return draw(st.sampled_from(KINDS)), tuple(filter(None, chunks))


@pytest.fixture(scope="module", params=ALL_CALLERS, ids="-".join)
def caller(request: pytest.FixtureRequest) -> Caller:
    """Each library, sync and async; once for all examples."""
    return Caller(*request.param)


@fuzzed
@given(cut=cut_streams(), ending=st.sampled_from([Ending.CUT, Ending.COMPLETE]))
def test_any_body_comes_back_to_the_last_byte(
    caller: Caller,
    tmp_path_factory: pytest.TempPathFactory,
    cut: tuple[str, tuple[bytes, ...]],
    ending: Ending,
) -> None:
    """On replay the client has what it had live: every byte, and the error if there was one."""
    content_type, chunks = cut
    cassette = tmp_path_factory.mktemp("any")
    reply = Reply(chunks, 200, (("Content-Type", content_type),), Framing.CHUNKED, ending)
    with (
        FaultServer(reply) as server,
        vcr_llm.use_cassette(cassette, record_mode="new_episodes"),
    ):
        live = caller.hears(server.url)
    assert live.body == b"".join(chunks)
    assert (live.error is None) is (ending is Ending.COMPLETE)
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        again = caller.hears(server.url)
    assert (again.body, *again[1:]) == (live.body, *live[1:])
    assert b"" not in again.chunks
    (response,) = responses(cassette)
    assert ("ended" in response) is (ending is Ending.CUT)
    if response["is_streaming"]:
        assert len(again.chunks) <= len(response["body"]) + 2  # what is before and behind events


@fuzzed
@given(cut=cut_streams())
def test_events_before_a_cut_are_the_events_of_the_whole(
    cut: tuple[str, tuple[bytes, ...]],
) -> None:
    """A cut takes nothing away from the events before it: they end at the same places."""
    body = b"".join(cut[1])
    origin = Origin.of("https://api.test/v1/stream", "/v1/stream")

    def pieces(part: bytes) -> list[bytes]:
        encoded = encode_response_body(part, "text/event-stream", origin)
        return [piece for piece in decode_response_events(encoded, origin) if piece]

    whole = pieces(body)
    for end in range(len(body)):
        torn = pieces(body[:end])
        assert b"".join(torn) == body[:end]
        kept = torn[:-2]
        assert kept == whole[: len(kept)]
