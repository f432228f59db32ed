"""Cohere's SDK: chat of the second version, plain and streamed, embeddings and ranking."""

from __future__ import annotations

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
from tests.providers.labels import COHERE, COHERE_CALLS, COHERE_TEXT
from tests.providers.tools import PARAMETERS
from tests.sdk.clients import KINDS, dumped, each, entered, plain, settled

cohere = pytest.importorskip("cohere")

pytestmark = pytest.mark.aimock

MODEL = "command-test"
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


def open_client(kind: str, origin: str) -> Any:
    """A client of that kind, with a key."""
    make = cohere.AsyncClientV2 if kind == "async" else cohere.ClientV2
    return entered(make(api_key=KEYS["cohere"], base_url=origin))


def open_old_client(kind: str, origin: str) -> Any:
    """A client of that kind for the first version, which aimock does not speak."""
    make = cohere.AsyncClient if kind == "async" else cohere.Client
    return entered(make(api_key=KEYS["cohere"], base_url=origin))


def ask(prompt: str, **options: Any) -> dict[str, Any]:
    """What is sent to the model."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **options}


def results(calls: Any) -> list[Any]:
    """The model's calls and an answer to each of them."""
    document = {"type": "document", "document": {"data": '{"answer": "fine"}'}}
    return [
        {"role": "assistant", "tool_calls": calls, "tool_plan": "I ask."},
        *({"role": "tool", "tool_call_id": call.id, "content": [document]} for call in calls),
    ]


async def chat(client: Any) -> list[Any]:
    """An answer in one piece."""
    reply = await settled(client.chat(**ask("hello")))
    assert reply.message.content[0].text.startswith("Grüße")
    return [plain(reply)]


async def stream(client: Any) -> list[Any]:
    """An answer in pieces."""
    return await dumped(client.chat_stream(**ask("hello")))


async def tools(client: Any) -> list[Any]:
    """Two calls at once, their results, and the answer."""
    first = ask("weather and time?", tools=TOOLS)
    called = await settled(client.chat(**first))
    first["messages"] += results(called.message.tool_calls)
    final = await settled(client.chat(**first))
    assert final.message.content[0].text == "Sunny, at 12:00."
    return [plain(called), plain(final)]


async def streamed_tools(client: Any) -> list[Any]:
    """The same, both answers streamed."""
    first = ask("weather and time?", tools=TOOLS)
    events = [event async for event in each(await settled(client.chat_stream(**first)))]
    calls = [event.delta.message.tool_calls for event in events if event.type == "tool-call-start"]
    assert [call.function.name for call in calls] == ["weather", "clock"]
    first["messages"] += results(calls)
    return [*map(plain, events), *await dumped(client.chat_stream(**first))]


async def vectors(client: Any) -> list[Any]:
    """Embeddings, and documents in order of their fit."""
    embedded = await settled(
        client.embed(
            model=MODEL,
            texts=["one", "two"],
            input_type="search_document",
            embedding_types=["float"],
        )
    )
    assert len(embedded.embeddings.float_) == 2
    ranked = await settled(client.rerank(model=MODEL, query="hello", documents=["one", "two"]))
    return [plain(embedded), plain(ranked)]


async def cut(client: Any) -> list[Any]:
    """A stream that the server does not end."""
    return await until_cut(client.chat_stream(**ask("cut")), httpx.RemoteProtocolError)


async def error(client: Any) -> list[Any]:
    """A refusal, plain and where a stream was asked for."""
    with refused(cohere.BadRequestError) as told:
        await settled(client.chat(**ask("broken")))
    with refused(cohere.BadRequestError) as told_in_stream:
        await dumped(client.chat_stream(**ask("broken")))
    return [told, told_in_stream]


REPLY = Written("/v2/chat", MODEL, (COHERE,))
# aimock leaves out the [DONE] with which Cohere closes its streams.
TEXT = REPLY._replace(labels=COHERE_TEXT, is_streaming=True, framing=("done",))
CALLS = TEXT._replace(labels=COHERE_CALLS)
ERROR = REPLY._replace(labels=(None,), status=400)
CONVERSATIONS = [
    spoken(kind, scenario, open_client, files)
    for kind in KINDS
    for scenario, files in (
        (chat, (REPLY,)),
        (stream, (TEXT,)),
        (cut, (TEXT._replace(labels=COHERE_TEXT[:3], framing=(), ended_by="error"),)),
        (tools, (REPLY, REPLY)),
        (streamed_tools, (CALLS, TEXT)),
        (
            vectors,
            (
                Written(
                    "/v2/embed",
                    MODEL,
                    ("cohere.types.embed_by_type_response.EmbedByTypeResponse",),
                ),
                Written(
                    "/v2/rerank", MODEL, ("cohere.v2.types.v2rerank_response.V2RerankResponse",)
                ),
            ),
        ),
        (error, (ERROR, ERROR)),
    )
]


class TestCohere(Conversations):
    """Every conversation with the SDK."""

    test = """
        import cohere

        def test_answer():
            with cohere.ClientV2(base_url=ORIGIN, api_key=KEYS["cohere"]) as client:
                events = client.chat_stream(
                    model="command-test", messages=[{"role": "user", "content": "hello"}]
                )
                assert [event.type for event in events][-1] == "message-end"
    """
