"""Google's SDK: Gemini and Vertex, plain and streamed, chats that call functions, interactions.

Its asynchronous client speaks through aiohttp where that is installed, and through httpx2 else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.providers.conversations import (
    KEYS,
    Conversation,
    Conversations,
    Written,
    refused,
    spoken,
)
from tests.providers.labels import GEMINI
from tests.providers.tools import clock, weather
from tests.sdk.clients import dumped, each, plain, settled

genai = pytest.importorskip("google.genai")
httpx2 = pytest.importorskip("httpx2")
credentials = pytest.importorskip("google.oauth2.credentials")

AIOHTTP_WARNING = pytest.mark.filterwarnings(
    # What google-genai 3.4 does with aiohttp.
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)
pytestmark = [pytest.mark.aimock, AIOHTTP_WARNING]

MODEL = "gemini-test"
INTERACTIONS = "google.genai._gaos.types.interactions"


@asynccontextmanager
async def open_client(kind: str, origin: str) -> AsyncIterator[Any]:
    """A client of that kind, with a key."""
    async with _opened(kind, origin, "v1beta", api_key=KEYS["google"]) as client:
        yield client


@asynccontextmanager
async def open_vertex(kind: str, origin: str) -> AsyncIterator[Any]:
    """A client of that kind for Vertex, with an access token."""
    token = credentials.Credentials(token=KEYS["google_token"])
    options = {"vertexai": True, "project": "p", "location": "l", "credentials": token}
    async with _opened(kind, origin, "v1", **options) as client:
        yield client


@asynccontextmanager
async def _opened(kind: str, origin: str, version: str, **options: Any) -> AsyncIterator[Any]:
    async with httpx2.AsyncClient() as own:
        http_options = {"base_url": origin, "api_version": version}
        if kind == "async-httpx2":
            http_options["httpx_async_client"] = own
        with genai.Client(**options, http_options=http_options) as client:
            if "async" not in kind:
                yield client
            else:
                async with client.aio as asynchronous:
                    yield asynchronous


def shown(reply: Any) -> Any:
    """The object without the headers of its response, of which most are noise."""
    return reply.model_dump(exclude={"sdk_http_response"})


async def streamed(replies: Any) -> list[Any]:
    """Each object of a stream."""
    return [shown(reply) async for reply in each(await settled(replies))]


async def answer(client: Any) -> list[Any]:
    """An answer in one piece."""
    reply = await settled(client.models.generate_content(model=MODEL, contents="hello"))
    assert reply.text.startswith("Grüße")
    return [shown(reply)]


async def stream(client: Any) -> list[Any]:
    """An answer in pieces."""
    return await streamed(client.models.generate_content_stream(model=MODEL, contents="hello"))


async def tools(client: Any) -> list[Any]:
    """A chat in which the SDK calls two functions and sends their results."""
    chat = client.chats.create(model=MODEL, config={"tools": [weather, clock]})
    reply = await settled(chat.send_message("weather and time?"))
    assert reply.text == "Sunny, at 12:00."
    return [shown(reply), *map(plain, chat.get_history())]


async def streamed_tools(client: Any) -> list[Any]:
    """The same, its answers streamed."""
    chat = client.chats.create(model=MODEL, config={"tools": [weather, clock]})
    replies = await streamed(chat.send_message_stream("weather and time?"))
    return [*replies, *map(plain, chat.get_history())]


async def cut(client: Any) -> list[Any]:
    """A stream that the server does not end."""
    replies = await settled(client.models.generate_content_stream(model=MODEL, contents="cut"))
    came = []
    with refused(httpx2.RemoteProtocolError) as told:
        async for reply in each(replies):
            came.append(shown(reply))  # noqa: PERF401  # also if an error follows
    return [*came, told]


async def error(client: Any) -> list[Any]:
    """A refusal, plain and where a stream was asked for."""
    models = client.models
    with refused(genai.errors.ClientError) as told:
        await settled(models.generate_content(model=MODEL, contents="broken"))
    with refused(genai.errors.ClientError) as told_in_stream:
        await streamed(models.generate_content_stream(model=MODEL, contents="broken"))
    return [told, told_in_stream]


async def interaction(client: Any) -> list[Any]:
    """An interaction, plain and streamed."""
    create = client.interactions.create
    reply = await settled(create(model=MODEL, input="hello", stream=False))
    return [plain(reply), *await dumped(create(model=MODEL, input="hello", stream=True))]


def _written(prefix: str, method: str, **options: Any) -> Written:
    return Written(f"{prefix}/models/{MODEL}:{method}", MODEL, (GEMINI,), **options)


def _conversations(prefix: str, opened: Any, kinds: tuple[str, ...]) -> list[Conversation]:
    reply = _written(prefix, "generateContent")
    events = _written(prefix, "streamGenerateContent", is_streaming=True)
    refusals = (
        reply._replace(labels=(None,), status=400),
        events._replace(labels=(None,), status=400, is_streaming=False),
    )
    return [
        spoken(kind, scenario, opened, files)
        for kind in kinds
        for scenario, files in (
            (answer, (reply,)),
            (stream, (events,)),
            (tools, (reply, reply)),
            (streamed_tools, (events, events)),
            (error, refusals),
        )
    ]


CUT = _written("/v1beta", "streamGenerateContent", is_streaming=True, ended_by="error")
INTERACTION = Written("/v1beta/interactions", MODEL, (f"{INTERACTIONS}.interaction.Interaction",))
INTERACTION_EVENTS = Written(
    "/v1beta/interactions",
    MODEL,
    tuple(
        f"{INTERACTIONS}.{name}"
        for name in (
            "interactioncreatedevent.InteractionCreatedEvent",
            "stepstart.StepStart",
            "stepdelta.StepDelta",
            "stepstop.StepStop",
            "interactioncompletedevent.InteractionCompletedEvent",
        )
    ),
    is_streaming=True,
)
GOOGLE_KINDS = ("sync", "async", "async-httpx2")
CONVERSATIONS = [
    *_conversations("/v1beta", open_client, GOOGLE_KINDS),
    *_conversations(
        "/v1/projects/p/locations/l/publishers/google",
        open_vertex,
        ("vertex-sync", "vertex-async"),
    ),
    *(
        spoken(kind, cut, open_client, (CUT,))
        for kind in GOOGLE_KINDS
        if kind != "async"  # vcrpy reads all of aiohttp's body first, and fails before an event
    ),
    *(
        spoken(kind, interaction, open_client, (INTERACTION, INTERACTION_EVENTS))
        for kind in GOOGLE_KINDS
    ),
]


class TestGoogle(Conversations):
    """Every conversation with the SDK."""

    test = """
        from google import genai

        async def test_answer():
            options = {"base_url": ORIGIN, "api_version": "v1beta"}
            with genai.Client(api_key=KEYS["google"], http_options=options) as client:
                async with client.aio as asynchronous:
                    replies = await asynchronous.models.generate_content_stream(
                        model="gemini-test", contents="hello"
                    )
                    text = "".join([reply.text async for reply in replies])
            assert text.startswith("Grüße")
    """
