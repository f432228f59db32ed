"""Anthropic's SDK: Messages, plain and streamed, and the counting of tokens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.conversations import (
    KEYS,
    Conversations,
    Written,
    refused,
    spoken,
    until_cut,
)
from tests.providers.labels import ANTHROPIC_EVENTS, MESSAGE
from tests.providers.tools import PARAMETERS
from tests.sdk.clients import KINDS, dumped, entered, plain, settled

anthropic = pytest.importorskip("anthropic")
httpx2 = pytest.importorskip("httpx2")

pytestmark = pytest.mark.aimock

MODEL = "claude-test"
TOOLS: Any = [
    {"name": name, "description": f"The {name} there", "input_schema": parameters}
    for name, parameters in PARAMETERS.items()
]


def open_client(kind: str, origin: str) -> Any:
    """A client of that kind, with a key."""
    make = anthropic.AsyncAnthropic if kind == "async" else anthropic.Anthropic
    return entered(make(api_key=KEYS["anthropic"], base_url=origin, max_retries=0))


def ask(prompt: str, **options: Any) -> dict[str, Any]:
    """What is sent to the model."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": MODEL, "max_tokens": 100, "messages": messages, **options}


def results(message: Any) -> list[dict[str, Any]]:
    """The model's message and an answer to each of its calls."""
    calls = [part.id for part in message.content if part.type == "tool_use"]
    found = [{"type": "tool_result", "tool_use_id": call, "content": "fine"} for call in calls]
    return [
        {"role": "assistant", "content": message.model_dump()["content"]},
        {"role": "user", "content": found},
    ]


async def message(client: Any) -> list[Any]:
    """An answer in one piece."""
    reply = await settled(client.messages.create(**ask("hello")))
    assert reply.content[0].text.startswith("Grüße")
    return [plain(reply)]


async def stream(client: Any) -> list[Any]:
    """Its events as they come, and what the SDK's own helper puts together from them."""
    events = await dumped(client.messages.create(**ask("hello"), stream=True))
    async with entered(client.messages.stream(**ask("hello"))) as helped:
        final = await settled(helped.get_final_message())
    assert final.content[0].text.startswith("Grüße")
    return [*events, plain(final)]


async def tools(client: Any) -> list[Any]:
    """Two calls at once, their results, and the answer."""
    first = ask("weather and time?", tools=TOOLS)
    called = await settled(client.messages.create(**first))
    assert [part.name for part in called.content] == ["weather", "clock"]
    first["messages"] += results(called)
    final = await settled(client.messages.create(**first))
    assert final.content[0].text == "Sunny, at 12:00."
    return [plain(called), plain(final)]


async def streamed_tools(client: Any) -> list[Any]:
    """The same, both answers streamed."""
    first = ask("weather and time?", tools=TOOLS)
    async with entered(client.messages.stream(**first)) as helped:
        called = await settled(helped.get_final_message())
    assert called.content[0].input == {"city": "Zürich", "days": 2}
    first["messages"] += results(called)
    return [plain(called), *await dumped(client.messages.create(**first, stream=True))]


async def cut(client: Any) -> list[Any]:
    """A stream that the server does not end."""
    return await until_cut(
        client.messages.create(**ask("cut"), stream=True), httpx2.RemoteProtocolError
    )


async def error(client: Any) -> list[Any]:
    """A refusal, plain and where a stream was asked for."""
    with refused(anthropic.BadRequestError) as told:
        await settled(client.messages.create(**ask("broken")))
    with refused(anthropic.BadRequestError) as streamed:
        await settled(client.messages.create(**ask("broken"), stream=True))
    return [told, streamed]


PLAIN = Written("/v1/messages", MODEL, (MESSAGE,))
STREAM = Written("/v1/messages", MODEL, ANTHROPIC_EVENTS, is_streaming=True)
CUT = STREAM._replace(labels=ANTHROPIC_EVENTS[:3], ended_by="error")
ERROR = Written("/v1/messages", MODEL, (None,), status=400)
CONVERSATIONS = [
    spoken(kind, scenario, open_client, files)
    for kind in KINDS
    for scenario, files in (
        (message, (PLAIN,)),
        (stream, (STREAM, STREAM)),
        (cut, (CUT,)),
        (tools, (PLAIN, PLAIN)),
        (streamed_tools, (STREAM, STREAM)),
        (error, (ERROR, ERROR)),
    )
]


class TestAnthropic(Conversations):
    """Every conversation with the SDK."""

    test = """
        import anthropic

        def test_answer():
            with anthropic.Anthropic(base_url=ORIGIN, api_key=KEYS["anthropic"]) as client:
                with client.messages.stream(
                    model="claude-test",
                    max_tokens=100,
                    messages=[{"role": "user", "content": "hello"}],
                ) as stream:
                    assert stream.get_final_text().startswith("Grüße")
    """
