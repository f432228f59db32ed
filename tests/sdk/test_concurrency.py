"""Many requests at once: each gets its own answer, and no answer is given twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

import vcr_llm
from tests.sdk.clients import recordings
from tests.sdk.openai_scenarios import MODEL, ask
from tests.servers.openai_server import OpenAIServer

THREADS = 16
TASKS = 200

Asking = Callable[[str, list[str]], list[str]]


def in_threads(base_url: str, prompts: list[str]) -> list[str]:
    """The answers to these prompts, each asked from a thread of its own."""
    with openai.OpenAI(base_url=base_url, api_key="sk-none", max_retries=0, timeout=30) as client:

        def answer(prompt: str) -> str:
            reply = client.chat.completions.create(model=MODEL, messages=ask(prompt))
            return str(reply.choices[0].message.content)

        with ThreadPoolExecutor(len(prompts)) as pool:
            return [*pool.map(answer, prompts)]


def in_tasks(base_url: str, prompts: list[str]) -> list[str]:
    """The answers to these prompts, each streamed in a task of its own."""
    return asyncio.run(_in_tasks(base_url, prompts))


async def _in_tasks(base_url: str, prompts: list[str]) -> list[str]:
    async with openai.AsyncOpenAI(
        base_url=base_url, api_key="sk-none", max_retries=0, timeout=30
    ) as client:

        async def answer(prompt: str) -> str:
            stream = await client.chat.completions.create(
                model=MODEL, messages=ask(prompt), stream=True
            )
            deltas = [chunk.choices[0].delta.content async for chunk in stream]
            return "".join(delta or "" for delta in deltas)

        return await asyncio.gather(*map(answer, prompts))


each_way = pytest.mark.parametrize(
    ("asking", "number"), [(in_threads, THREADS), (in_tasks, TASKS)], ids=["threads", "tasks"]
)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """A running server."""
    with OpenAIServer() as running:
        yield running


def files_hold(cassette: Path) -> list[dict[str, Any]]:
    """The documents of a cassette."""
    return [json.loads(path.read_text("utf-8")) for path in recordings(cassette)]


@each_way
def test_different_requests_get_their_own_answers(
    asking: Asking, number: int, server: OpenAIServer, tmp_path: Path
) -> None:
    """Each request is answered, recorded and replayed for itself."""
    prompts = [f"number {index}" for index in range(number)]
    expected = [f"You said: {prompt}" for prompt in prompts]
    with vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes") as recorded:
        assert asking(server.base_url, prompts) == expected
    assert len(recorded) == number
    server.stop()
    with vcr_llm.use_cassette(tmp_path / "cassette", record_mode="none") as replayed:
        assert asking(server.base_url, prompts) == expected
    assert replayed.all_played
    assert [replayed.play_counts[index] for index in range(number)] == [1] * number


@each_way
def test_identical_requests_share_the_answers(
    asking: Asking, number: int, server: OpenAIServer, tmp_path: Path
) -> None:
    """Each identical request gets one of the recorded answers, and none is given twice."""
    cassette, prompts = tmp_path / "cassette", ["count"] * number
    expected = {f"This is answer {index}." for index in range(1, number + 1)}
    with vcr_llm.use_cassette(cassette, record_mode="new_episodes") as recorded:
        live = asking(server.base_url, prompts)
    server.stop()
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        again = asking(server.base_url, prompts)
    assert set(live) == expected
    assert sorted(again) == sorted(live)
    assert len(recorded) == len(recordings(cassette)) == number
    assert replayed.all_played
    sequences = [document["sequence"] for document in files_hold(cassette)]
    assert sorted(sequences) == list(range(number))


@each_way
def test_missing_ones_are_recorded_beside_the_played(
    asking: Asking, number: int, server: OpenAIServer, tmp_path: Path
) -> None:
    """With half of the requests recorded, the other half is added and nothing is recorded twice."""
    cassette = tmp_path / "cassette"
    prompts = [f"number {index}" for index in range(number)]
    expected = [f"You said: {prompt}" for prompt in prompts]
    with vcr_llm.use_cassette(cassette, record_mode="new_episodes"):
        asking(server.base_url, prompts[::2])
    with vcr_llm.use_cassette(cassette, record_mode="new_episodes") as both:
        assert asking(server.base_url, prompts) == expected
    assert len(server.requests) == number
    assert len(both) == len(recordings(cassette)) == number


def test_last_answers_go_round(server: OpenAIServer, tmp_path: Path) -> None:
    """Of 16 threads that ask for 8 recordings, 8 are answered from them and 8 by the server."""
    cassette, prompts = tmp_path / "cassette", ["count"] * (THREADS // 2)
    with vcr_llm.use_cassette(cassette, record_mode="new_episodes"):
        first = in_threads(server.base_url, prompts)
    with vcr_llm.use_cassette(cassette, record_mode="new_episodes"):
        second = in_threads(server.base_url, prompts * 2)
    assert len(server.requests) == THREADS
    assert set(first) < set(second)
    assert len(set(second)) == THREADS
