"""Errors through the real SDK: the same exception replayed as live, the SDK's retries included."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import vcr_llm
from tests.sdk.clients import KINDS, Scenario, masked, record_and_replay, recordings, run
from tests.sdk.openai_errors import chat_stream_error, failing, responses_stream_error
from tests.servers.openai_server import OpenAIServer

each_kind = pytest.mark.parametrize("kind", KINDS)

STATUSES = {
    "bad-request": ("BadRequestError", 400),
    "unauthorized": ("AuthenticationError", 401),
    "not-found": ("NotFoundError", 404),
    "rate-limited": ("RateLimitError", 429),
    "server-error": ("InternalServerError", 500),
    "bad-gateway": ("InternalServerError", 502),
}
UNANSWERED = {"stall": "APITimeoutError", "disconnect": "APIConnectionError"}


def fields(cassette: Path, *names: str) -> list[list[Any]]:
    """These fields of each response in a cassette, in the order of recording."""
    documents = [json.loads(path.read_text("utf-8")) for path in recordings(cassette)]
    documents.sort(key=lambda document: document.get("sequence", 0))
    return [[document["response"].get(name) for name in names] for document in documents]


@each_kind
@pytest.mark.parametrize("fault", STATUSES)
def test_error_status_is_the_same(fault: str, kind: str, tmp_path: Path) -> None:
    """An error answer raises the same exception, with the same message, body and status."""
    live, replayed = record_and_replay(failing(fault), kind, tmp_path / "cassette")
    assert (live.objects[0], live.objects[2]) == STATUSES[fault]
    assert replayed == live


@each_kind
def test_body_that_is_not_json_is_the_same(kind: str, tmp_path: Path) -> None:
    """A body that claims to be JSON and is none has the same effect and the same bytes."""
    live, replayed = record_and_replay(failing("not-json"), kind, tmp_path / "cassette")
    assert [body.content for body in live.bodies] == [b"upstream connect error"]
    assert replayed == live


@each_kind
@pytest.mark.parametrize(
    "scenario", [chat_stream_error, responses_stream_error], ids=["chat", "responses"]
)
def test_error_event_in_a_stream_is_the_same(scenario: Scenario, kind: str, tmp_path: Path) -> None:
    """What came before the error event comes again, and then the same exception."""
    live, replayed = record_and_replay(scenario, kind, tmp_path / "cassette", normalize=False)
    assert "APIError" in live.objects
    assert replayed == live


@each_kind
def test_retry_is_recorded_and_replayed(kind: str, tmp_path: Path) -> None:
    """A request that was turned away once and answered then is two recordings, in that order."""
    cassette = tmp_path / "cassette"
    scenario = failing("rate-limited-once", max_retries=2)
    live, replayed = record_and_replay(scenario, kind, cassette)
    assert (
        live.objects[0]["choices"][0]["message"]["content"] == "You said: fault-rate-limited-once"
    )
    assert masked(replayed.objects) == masked(live.objects)
    assert [body.status for body in replayed.bodies] == [429, 200]
    assert fields(cassette, "status") == [[429], [None]]


@each_kind
def test_retries_that_fail_replay_quickly(kind: str, tmp_path: Path) -> None:
    """All attempts are recorded, and `retry-after-ms` keeps the replay from waiting longer."""
    cassette, scenario = tmp_path / "cassette", failing("rate-limited", max_retries=2)
    with OpenAIServer() as server, vcr_llm.use_cassette(cassette, record_mode="new_episodes"):
        live = run(scenario, kind, server.base_url)
    started = monotonic()
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        assert run(scenario, kind, server.base_url) == live
    assert monotonic() - started < 1
    assert [body.status for body in live.bodies] == [429] * 3
    headers = {"retry-after": "1", "retry-after-ms": "20"}
    assert fields(cassette, "status", "headers") == [[429, headers]] * 3


@each_kind
@pytest.mark.parametrize("fault", UNANSWERED)
def test_unanswered_request_raises_as_without_cassette(
    fault: str, kind: str, tmp_path: Path
) -> None:
    """Without an answer nothing is recorded, and the exception is the SDK's usual one."""
    cassette, scenario = tmp_path / "cassette", failing(fault, timeout=0.2)
    with OpenAIServer() as server:
        usual = run(scenario, kind, server.base_url)
        with vcr_llm.use_cassette(cassette, record_mode="new_episodes") as recorded:
            recording = run(scenario, kind, server.base_url)
    assert usual.objects[0] == UNANSWERED[fault]
    assert recording == usual
    assert len(recorded) == 0
    assert not recordings(cassette)


@each_kind
def test_answer_after_a_timeout_is_all_that_is_recorded(kind: str, tmp_path: Path) -> None:
    """The exchange that was answered replays, whatever failed before it."""
    cassette = tmp_path / "cassette"
    with OpenAIServer() as server, vcr_llm.use_cassette(cassette, record_mode="new_episodes"):
        run(failing("stall", timeout=0.2), kind, server.base_url)
        live = run(failing("bad-request"), kind, server.base_url)
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert run(failing("bad-request"), kind, server.base_url) == live
    assert replayed.all_played
    assert len(recordings(cassette)) == 1
