"""Each endpoint through the real SDK: with the server stopped it gives what it gave live."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sdk import openai_scenarios
from tests.sdk.clients import KINDS, Scenario, masked, record_and_replay, recordings, run_azure
from tests.servers.openai_server import OpenAIServer

each_kind = pytest.mark.parametrize("kind", KINDS)
each_scenario = pytest.mark.parametrize(
    "scenario", openai_scenarios.SCENARIOS, ids=lambda scenario: scenario.__name__
)
AZURE = (
    openai_scenarios.chat,
    openai_scenarios.chat_stream,
    openai_scenarios.chat_stream_with_usage,
    openai_scenarios.chat_with_tools,
    openai_scenarios.chat_stream_of_parallel_tools,
    openai_scenarios.chat_parse,
    openai_scenarios.embeddings,
    openai_scenarios.speech,
    openai_scenarios.transcriptions,
)


@each_kind
@each_scenario
def test_objects_are_equal(scenario: Scenario, kind: str, tmp_path: Path) -> None:
    """The SDK gives equal objects live and replayed, but for the normalised values."""
    live, replayed = record_and_replay(scenario, kind, tmp_path / "cassette")
    assert live.objects
    assert masked(replayed.objects) == masked(live.objects)


@each_kind
@each_scenario
def test_bytes_are_equal(scenario: Scenario, kind: str, tmp_path: Path) -> None:
    """Without normalising, every object, status, content type and body is what it was."""
    live, replayed = record_and_replay(scenario, kind, tmp_path / "cassette", normalize=False)
    assert len(live.bodies) == len(recordings(tmp_path / "cassette"))
    assert replayed == live


@each_kind
@pytest.mark.parametrize(
    "scenario", AZURE, ids=[f"azure-{scenario.__name__}" for scenario in AZURE]
)
def test_azure_is_equal(scenario: Scenario, kind: str, tmp_path: Path) -> None:
    """Azure's client gets the objects and the bytes that it got live."""
    live, replayed = record_and_replay(
        scenario, kind, tmp_path / "cassette", runner=run_azure, normalize=False
    )
    assert live.bodies
    assert replayed == live


@each_kind
@pytest.mark.parametrize(
    "scenario",
    [openai_scenarios.chat, openai_scenarios.chat_stream, openai_scenarios.embeddings],
    ids=["chat", "chat_stream", "embeddings"],
)
def test_compressed_bodies_are_equal(scenario: Scenario, kind: str, tmp_path: Path) -> None:
    """A gzipped answer is replayed as the bytes that were in it."""
    live, replayed = record_and_replay(
        scenario, kind, tmp_path / "cassette", server=OpenAIServer(gzip=True), normalize=False
    )
    assert replayed == live


def test_completions_are_normalised(tmp_path: Path) -> None:
    """On replay, each chunk has the recording's constant id and was created at 0."""
    cassette = tmp_path / "cassette"
    live, replayed = record_and_replay(openai_scenarios.chat_stream, "sync", cassette)
    (recording,) = recordings(cassette)
    assert {chunk["id"] for chunk in replayed.objects} == {f"rec-{recording.name[:12]}"}
    assert {chunk["created"] for chunk in replayed.objects} == {0}
    assert re.fullmatch(r"chatcmpl-\w{29}", live.objects[0]["id"])
