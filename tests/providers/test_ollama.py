"""Ollama's SDK: chat, generate and embeddings, streamed as JSON lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.providers.conversations import (
    KEYS,
    Conversations,
    Written,
    refused,
    spoken,
    until_cut,
)
from tests.providers.tools import FUNCTIONS, clock, weather
from tests.sdk.clients import KINDS, dumped, plain, settled

ollama = pytest.importorskip("ollama")

pytestmark = pytest.mark.aimock

MODEL = "llama-test"


@asynccontextmanager
async def open_client(kind: str, origin: str) -> AsyncIterator[Any]:
    """A client of that kind, with a key as ollama.com asks for one."""
    headers = {"Authorization": f"Bearer {KEYS['ollama']}"}
    if kind == "sync":
        with ollama.Client(host=origin, headers=headers) as client:
            yield client
    else:
        async with ollama.AsyncClient(host=origin, headers=headers) as client:
            yield client


def ask(prompt: str, **options: Any) -> dict[str, Any]:
    """What is sent to the model."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **options}


def results(message: Any) -> list[Any]:
    """The model's message and an answer to each of its calls, which have no ids."""
    calls = [call.function for call in message.tool_calls]
    return [
        message,
        *(
            {
                "role": "tool",
                "tool_name": call.name,
                "content": FUNCTIONS[call.name](**call.arguments),
            }
            for call in calls
        ),
    ]


async def chat(client: Any) -> list[Any]:
    """An answer in one piece."""
    reply = await settled(client.chat(**ask("hello")))
    assert reply.message.content.startswith("Grüße")
    return [plain(reply)]


async def stream(client: Any) -> list[Any]:
    """An answer in pieces."""
    return await dumped(client.chat(**ask("hello"), stream=True))


async def tools(client: Any) -> list[Any]:
    """Two calls at once, their results, and the answer."""
    first = ask("weather and time?", tools=[weather, clock])
    called = await settled(client.chat(**first))
    first["messages"] += results(called.message)
    final = await settled(client.chat(**first))
    assert final.message.content == "Sunny, at 12:00."
    return [plain(called), plain(final)]


async def streamed_tools(client: Any) -> list[Any]:
    """The same, both answers streamed."""
    first = ask("weather and time?", tools=[weather, clock], stream=True)
    called = await dumped(client.chat(**first))
    first["messages"] += results(ollama.Message(**called[0]["message"]))
    return [*called, *await dumped(client.chat(**first))]


async def generate(client: Any) -> list[Any]:
    """An answer without a conversation, plain and streamed, and embeddings."""
    options: Any = {"model": MODEL, "prompt": "hello"}
    reply = await settled(client.generate(**options))
    assert reply.response.startswith("Grüße")
    vectors = await settled(client.embeddings(**options))  # aimock answers /api/embed like this
    assert vectors.embedding
    return [plain(reply), *await dumped(client.generate(**options, stream=True)), plain(vectors)]


async def cut(client: Any) -> list[Any]:
    """A stream that the server does not end."""
    return await until_cut(client.chat(**ask("cut"), stream=True), httpx.RemoteProtocolError)


async def error(client: Any) -> list[Any]:
    """A refusal, plain and where a stream was asked for."""
    with refused(ollama.ResponseError) as told:
        await settled(client.chat(**ask("broken")))
    with refused(ollama.ResponseError) as told_in_stream:
        await dumped(client.chat(**ask("broken"), stream=True))
    return [told, told_in_stream]


PLAIN = Written("/api/chat", MODEL, ("ollama._types.ChatResponse",))
STREAM = PLAIN._replace(is_streaming=True)
ERROR = PLAIN._replace(labels=(None,), status=400)
GENERATED = Written("/api/generate", MODEL, ("ollama._types.GenerateResponse",))
CONVERSATIONS = [
    spoken(kind, scenario, open_client, files)
    for kind in KINDS
    for scenario, files in (
        (chat, (PLAIN,)),
        (stream, (STREAM,)),
        (cut, (STREAM._replace(ended_by="error"),)),
        (tools, (PLAIN, PLAIN)),
        (streamed_tools, (STREAM, STREAM)),
        (
            generate,
            (
                GENERATED,
                Written("/api/embeddings", MODEL, ("ollama._types.EmbeddingsResponse",)),
                GENERATED._replace(is_streaming=True),
            ),
        ),
        (error, (ERROR, ERROR)),
    )
]


class TestOllama(Conversations):
    """Every conversation with the SDK."""

    test = """
        import ollama

        def test_answer():
            with ollama.Client(host=ORIGIN) as client:
                question = [{"role": "user", "content": "hello"}]
                parts = client.chat(model="llama-test", messages=question, stream=True)
                text = "".join(part.message.content for part in parts)
            assert text.startswith("Grüße")
    """
