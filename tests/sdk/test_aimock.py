"""Recorded against a server that we did not write (https://github.com/CopilotKit/aimock)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vcr_llm
from tests.sdk import openai_scenarios
from tests.sdk.clients import KINDS, Scenario, api, dumped, plain, recordings, run, settled
from tests.sdk.openai_scenarios import MODEL, RESPONSES_WEATHER, WEATHER, ask
from tests.servers.aimock import LLMOCK, running_aimock

pytestmark = [
    pytest.mark.aimock,
    pytest.mark.skipif(not LLMOCK.exists(), reason="npm install was not run in tests/aimock"),
]

CALLS = [
    {"name": "weather", "arguments": {"city": "Zürich", "days": 2}},
    {"name": "clock", "arguments": {"zone": "Europe/Zurich"}},
]
FIXTURES = {
    "fixtures": [
        {
            "match": {"userMessage": "weather", "hasToolResult": False},
            "response": {"toolCalls": CALLS},
        },
        {"match": {"hasToolResult": True}, "response": {"content": "Sunny, at 12:00."}},
        {
            "match": {"userMessage": "broken"},
            "response": {
                "error": {"message": "No such luck", "type": "invalid_request_error"},
                "status": 400,
            },
        },
        {
            "match": {"userMessage": "hello"},
            "response": {"content": 'Grüße, 東京 🗼!\nIn several chunks, "quoted" and </tagged>.'},
        },
    ]
}


async def chat(client: Any) -> list[Any]:
    """An answer, plain and streamed, with and without usage."""
    options: Any = {"model": MODEL, "messages": ask("hello")}
    usage = {"include_usage": True}
    create = client.chat.completions.create
    reply = await settled(create(**options))
    assert reply.choices[0].message.content.startswith("Grüße")
    return [
        plain(reply),
        *await dumped(create(**options, stream=True)),
        *await dumped(create(**options, stream=True, stream_options=usage)),
    ]


async def tools(client: Any) -> list[Any]:
    """Two calls, plain and streamed, then their results."""
    options: Any = {"model": MODEL, "tools": [WEATHER, openai_scenarios.CLOCK]}
    messages = ask("weather and time?")
    create = client.chat.completions.create
    reply = await settled(create(**options, messages=messages))
    message = reply.choices[0].message
    assert [call.function.name for call in message.tool_calls] == ["weather", "clock"]
    chunks = await dumped(create(**options, messages=messages, stream=True))
    messages.append(message.model_dump(exclude_none=True))
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": "fine"} for call in message.tool_calls
    ]
    final = await settled(create(**options, messages=messages))
    assert final.choices[0].message.content == "Sunny, at 12:00."
    return [plain(reply), *chunks, plain(final)]


async def responses(client: Any) -> list[Any]:
    """A response, plain and streamed, and one with tool calls."""
    create = api(client, "responses.create")
    reply = await settled(create(model=MODEL, input="hello"))
    assert reply.output_text.startswith("Grüße")
    called = await dumped(
        create(model=MODEL, input="weather?", tools=[RESPONSES_WEATHER], stream=True)
    )
    return [
        plain(reply),
        *await dumped(create(model=MODEL, input="hello", stream=True)),
        *called,
    ]


async def embeddings(client: Any) -> list[Any]:
    """Vectors as numbers and as base64."""
    options: Any = {"model": "text-embedding-3-small", "input": ["one", "two"]}
    create = client.embeddings.create
    return [
        plain(await settled(create(**options, encoding_format=encoding)))
        for encoding in ("float", "base64")
    ]


async def error(client: Any) -> list[Any]:
    """An answer that is an error."""
    import openai

    with pytest.raises(openai.BadRequestError) as raised:
        await settled(client.chat.completions.create(model=MODEL, messages=ask("broken")))
    return [str(raised.value), raised.value.body]


SCENARIOS = (chat, tools, responses, embeddings, error)


@pytest.fixture
def aimock(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running program, and the address that it printed."""
    with running_aimock(FIXTURES, tmp_path) as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_every_byte_is_equal(
    scenario: Scenario, kind: str, aimock: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    """With the program gone, the objects and all bytes of all responses are what they were."""
    program, origin = aimock
    cassette, base_url = tmp_path / "cassette", f"{origin}/v1"
    with vcr_llm.use_cassette(cassette, record_mode="new_episodes", normalize=False):
        live = run(scenario, kind, base_url)
    program.kill()
    program.wait()
    with vcr_llm.use_cassette(cassette, record_mode="none", normalize=False) as replayed:
        again = run(scenario, kind, base_url)
    assert again == live
    assert replayed.all_played
    assert len(live.bodies) == len(recordings(cassette))
