"""A recording run that is killed: no broken file, and no completed exchange is lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import vcr_llm
from tests.sdk.clients import recordings
from tests.servers.fault_server import FaultServer, Reply

KILLS = int(os.environ.get("VCR_LLM_KILLS", "20"))
"""How many runs are killed; the issue asks for a hundred now and then."""

CHILD = Path(__file__).with_name("recording_child.py")
# Large enough that writing it takes a while, so that some kills fall into it.
ANSWER = json.dumps({"object": "answer", "text": "Grüße " * 20_000}, separators=(",", ":")).encode()
KEYS = ["test_id", "request", "response"]


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    """A server that gives the same large answer to all."""
    with FaultServer(Reply((ANSWER,), headers=(("Content-Type", "application/json"),))) as running:
        yield running


def killed_run(url: str, cassette: Path, mode: str, seed: int) -> list[int]:
    """The exchanges that a run reported as complete before it was killed at some moment."""
    chance = random.Random(seed)
    with subprocess.Popen(
        [sys.executable, CHILD, url, cassette, mode], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        reported = [int(child.stdout.readline()) for _ in range(chance.randrange(1, 6))]
        time.sleep(chance.uniform(0, 0.02))
        child.kill()
        reported += map(int, child.stdout.read().split())
    return reported


def assert_whole(cassette: Path) -> None:
    """Every file that looks like a recording is a whole one."""
    for path in cassette.parent.rglob("*.json"):
        document = json.loads(path.read_text("utf-8"))
        assert [*document][:3] == KEYS
        assert document["response"]["body"]["text"] == json.loads(ANSWER)["text"]


@pytest.mark.parametrize("seed", range(KILLS))
def test_completed_exchanges_replay(seed: int, server: FaultServer, tmp_path: Path) -> None:
    """Each file is whole, and what was complete is there; the next run leaves no rest behind."""
    cassette = tmp_path / "cassette"
    reported = killed_run(server.url, cassette, "new_episodes", seed)
    assert_whole(cassette)
    assert reported == list(range(len(reported)))
    assert len(reported) <= len(recordings(cassette)) <= len(reported) + 1
    with vcr_llm.use_cassette(cassette, record_mode="none"):
        for number in reported:
            with urllib.request.build_opener().open(f"{server.url}/{number}") as reply:
                assert reply.read() == ANSWER
    with vcr_llm.use_cassette(cassette, record_mode="new_episodes"):
        pass
    assert set(cassette.iterdir()) == set(recordings(cassette))


@pytest.mark.parametrize("seed", range(max(KILLS // 5, 1)))
def test_rewritten_cassette_is_the_old_one(seed: int, server: FaultServer, tmp_path: Path) -> None:
    """A rewriting run that is killed leaves every old file as it was, and none beside them."""
    cassette = tmp_path / "cassette"
    killed_run(server.url, cassette, "new_episodes", seed)
    before = {path: path.read_bytes() for path in recordings(cassette)}
    killed_run(server.url, cassette, "rewrite", seed + 1)
    assert {path: path.read_bytes() for path in recordings(cassette)} == before
    assert_whole(cassette)
