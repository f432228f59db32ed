"""Mistral's SDK: chat.

aimock speaks Mistral's protocol because it is OpenAI's; what cannot be told from OpenAI's payloads
has OpenAI's labels.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
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
from tests.providers.labels import CHAT, CHUNK
from tests.providers.tools import PARAMETERS
from tests.sdk.clients import KINDS, dumped, entered, plain, settled

httpx2 = pytest.importorskip("httpx2")
sdk = pytest.importorskip("mistralai.client")

pytestmark = pytest.mark.aimock

MODEL = "mistral-test"
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"The {name} there",
            "parameters": parameters,
        },
    }
    for name, parameters in PARAMETERS.items()
]


@asynccontextmanager
async def open_client(kind: str, origin: str) -> AsyncIterator[Any]:
    """A client whose methods are of that kind, with a key."""
    mistral = sdk.Mistral(api_key=KEYS["mistral"], server_url=origin)
    ending = "_async" if kind == "async" else ""
    async with entered(mistral) as client:
        yield SimpleNamespace(
            complete=getattr(client.chat, f"complete{ending}"),
            stream=getattr(client.chat, f"stream{ending}"),
            embed=getattr(client.embeddings, f"create{ending}"),
        )


def ask(prompt: str, **options: Any) -> dict[str, Any]:
    """What is sent to the model."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **options}


def results(message: Any) -> list[Any]:
    """The model's message and an answer to each of its calls."""
    return [
        message,
        *(
            {
                "role": "tool",
                "name": call.function.name,
                "tool_call_id": call.id,
                "content": "fine",
            }
            for call in message.tool_calls
        ),
    ]


async def events(stream: Any) -> list[Any]:
    """Each event of a stream, which is closed then."""
    async with entered(await settled(stream)) as opened:
        return await dumped(opened)


async def chat(client: Any) -> list[Any]:
    """An answer in one piece."""
    reply = await settled(client.complete(**ask("hello")))
    assert reply.choices[0].message.content.startswith("Grüße")
    return [plain(reply)]


async def stream(client: Any) -> list[Any]:
    """An answer in pieces."""
    return await events(client.stream(**ask("hello")))


async def tools(client: Any) -> list[Any]:
    """Two calls at once, their results, and the answer."""
    first = ask("weather and time?", tools=TOOLS)
    called = await settled(client.complete(**first))
    first["messages"] += results(called.choices[0].message)
    final = await settled(client.complete(**first))
    assert final.choices[0].message.content == "Sunny, at 12:00."
    return [plain(called), plain(final)]


async def streamed_result(client: Any) -> list[Any]:
    """The same, the answer streamed.

    The calls are not: the SDK wants each in one event, as Mistral sends them and aimock does not;
    test_real_bytes.py has Mistral's own.
    """
    first = ask("weather and time?", tools=TOOLS)
    called = await settled(client.complete(**first))
    first["messages"] += results(called.choices[0].message)
    return [plain(called), *await events(client.stream(**first))]


async def cut(client: Any) -> list[Any]:
    """A stream that the server does not end."""
    return await until_cut(client.stream(**ask("cut")), httpx2.RemoteProtocolError)


async def error(client: Any) -> list[Any]:
    """A refusal, plain and where a stream was asked for."""
    with refused(sdk.errors.SDKError) as told:
        await settled(client.complete(**ask("broken")))
    with refused(sdk.errors.SDKError) as told_in_stream:
        await events(client.stream(**ask("broken")))
    return [told, told_in_stream]


REPLY = Written("/v1/chat/completions", MODEL, (CHAT,))
STREAM = REPLY._replace(labels=(CHUNK,), is_streaming=True)
ERROR = REPLY._replace(labels=(None,), status=400)
CONVERSATIONS = [
    spoken(kind, scenario, open_client, files)
    for kind in KINDS
    for scenario, files in (
        (chat, (REPLY,)),
        (stream, (STREAM,)),
        (cut, (STREAM._replace(ended_by="error"),)),
        (tools, (REPLY, REPLY)),
        (streamed_result, (REPLY, STREAM)),
        (error, (ERROR, ERROR)),
    )
]


class TestMistral(Conversations):
    """Every conversation with the SDK."""

    test = """
        from mistralai.client import Mistral

        async def test_answer():
            async with Mistral(server_url=ORIGIN, api_key=KEYS["mistral"]) as client:
                reply = await client.chat.complete_async(
                    model="mistral-test", messages=[{"role": "user", "content": "hello"}]
                )
            assert reply.choices[0].message.content.startswith("Grüße")
    """
