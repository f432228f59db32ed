"""LangChain's chat models of OpenAI and of Anthropic: answers, and calls of tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

import pytest

from tests.providers.conversations import KEYS, Conversation, Conversations, Written, refused
from tests.providers.labels import (
    ANTHROPIC_EVENTS,
    CHAT,
    CHUNK,
    MESSAGE,
    RESPONSE,
    RESPONSES_CALLS,
    RESPONSES_TEXT,
)
from tests.providers.tools import FUNCTIONS
from tests.sdk.clients import KINDS, each, settled

anthropic = pytest.importorskip("anthropic")
httpx2 = pytest.importorskip("httpx2")
langchain_anthropic = pytest.importorskip("langchain_anthropic")
langchain_openai = pytest.importorskip("langchain_openai")
messages = pytest.importorskip("langchain_core.messages")
openai = pytest.importorskip("openai")

pytestmark = pytest.mark.aimock


@asynccontextmanager
async def open_chat(origin: str, **options: Any) -> AsyncIterator[Any]:
    """OpenAI's Chat Completions, or, if the options say so, its Responses."""
    with httpx2.Client() as client:
        async with httpx2.AsyncClient() as async_client:
            yield langchain_openai.ChatOpenAI(
                model="gpt-4o",
                base_url=f"{origin}/v1",
                api_key=KEYS["openai"],
                max_retries=0,
                http_client=client,
                http_async_client=async_client,
                **options,
            )


def open_responses(origin: str) -> AbstractAsyncContextManager[Any]:
    """OpenAI's Responses."""
    return open_chat(origin, use_responses_api=True)


@asynccontextmanager
async def open_anthropic(origin: str) -> AsyncIterator[Any]:
    """Anthropic's Messages; its clients are cached across event loops and cannot be passed."""
    model = langchain_anthropic.ChatAnthropic(
        model="claude-test", base_url=origin, api_key=KEYS["anthropic"], max_retries=0
    )
    try:
        with model._client:
            async with model._async_client:
                yield model
    finally:
        langchain_anthropic.chat_models._get_default_httpx_client.cache_clear()
        langchain_anthropic.chat_models._get_default_async_httpx_client.cache_clear()


class Way(NamedTuple):
    """How to ask: which methods, and whether the answer comes in pieces."""

    kind: str
    is_streamed: bool

    async def ask(self, model: Any, prompt: list[Any]) -> Any:
        """The model's message, put together where it came in pieces."""
        is_async = self.kind == "async"
        if not self.is_streamed:
            return await settled((model.ainvoke if is_async else model.invoke)(prompt))
        whole = None
        async for piece in each((model.astream if is_async else model.stream)(prompt)):
            whole = piece if whole is None else whole + piece
        return whole


def shown(message: Any) -> dict[str, Any]:
    """The message as a plain value, without the id that LangChain gives to each run."""
    told: dict[str, Any] = message.model_dump()
    return {key: told[key] for key in told if key != "id" or "run-" not in str(told[key])}


async def answer(model: Any, way: Way) -> list[Any]:
    """One question, one answer."""
    reply = await way.ask(model, [messages.HumanMessage("hello")])
    assert reply.text.startswith("Grüße")
    return [shown(reply)]


async def tools(model: Any, way: Way) -> list[Any]:
    """Two calls at once, their results, and the answer."""
    bound = model.bind_tools(list(FUNCTIONS.values()))
    prompt = [messages.HumanMessage("weather and time?")]
    called = await way.ask(bound, prompt)
    assert [call["name"] for call in called.tool_calls] == ["weather", "clock"]
    prompt.append(called)
    for call in called.tool_calls:
        result = FUNCTIONS[call["name"]](**call["args"])
        prompt.append(messages.ToolMessage(result, tool_call_id=call["id"]))
    final = await way.ask(bound, prompt)
    assert final.text == "Sunny, at 12:00."
    return [shown(called), shown(final)]


async def error(model: Any, way: Way) -> list[Any]:
    """A refusal, which is the SDK's own error."""
    with refused((openai.BadRequestError, anthropic.BadRequestError)) as told:
        await way.ask(model, [messages.HumanMessage("broken")])
    return [told]


class Api(NamedTuple):
    """One of the models, and the labels of what it answers."""

    name: str
    opened: Callable[[str], AbstractAsyncContextManager[Any]]
    endpoint: str
    model: str
    plain: str
    text: tuple[str, ...]
    calls: tuple[str, ...]

    def written(self, scenario: Any, *, is_streamed: bool) -> tuple[Written, ...]:
        """What the files of a scenario say."""
        reply = Written(self.endpoint, self.model, (self.plain,))
        text = reply._replace(labels=self.text, is_streaming=True)
        calls = text._replace(labels=self.calls)
        if scenario is error:
            return (reply._replace(labels=(None,), status=400),)
        if scenario is answer:
            return (text if is_streamed else reply,)
        return (calls, text) if is_streamed else (reply, reply)


APIS = (
    Api("chat", open_chat, "/v1/chat/completions", "gpt-4o", CHAT, (CHUNK,), (CHUNK,)),
    Api(
        "responses",
        open_responses,
        "/v1/responses",
        "gpt-4o",
        RESPONSE,
        RESPONSES_TEXT,
        RESPONSES_CALLS,
    ),
    Api(
        "anthropic",
        open_anthropic,
        "/v1/messages",
        "claude-test",
        MESSAGE,
        ANTHROPIC_EVENTS,
        ANTHROPIC_EVENTS,
    ),
)


def _conversation(api: Api, scenario: Any, way: Way) -> Conversation:
    async def speak(origin: str) -> list[Any]:
        async with api.opened(origin) as model:
            return list(await scenario(model, way))

    manner = "-streamed" if way.is_streamed else ""
    return Conversation(
        f"{api.name}-{scenario.__name__}{manner}-{way.kind}",
        lambda origin: asyncio.run(speak(origin)),
        api.written(scenario, is_streamed=way.is_streamed),
    )


CONVERSATIONS = [
    _conversation(api, scenario, Way(kind, is_streamed))
    for api in APIS
    for scenario in (answer, tools, error)
    for kind in KINDS
    for is_streamed in (False, True)
]


class TestLangChain(Conversations):
    """Every conversation with the models."""

    test = """
        import httpx2
        from langchain_openai import ChatOpenAI

        def test_answer():
            with httpx2.Client() as client:
                model = ChatOpenAI(
                    model="gpt-4o",
                    base_url=f"{ORIGIN}/v1",
                    api_key=KEYS["openai"],
                    http_client=client,
                )
                assert model.invoke("hello").text.startswith("Grüße")
    """
