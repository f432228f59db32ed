"""Agents of openai-agents that call tools, on Responses and on Chat Completions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from tests.providers.conversations import KEYS, Conversation, Conversations, Written, refused
from tests.providers.labels import CHAT, CHUNK, RESPONSE, RESPONSES_CALLS, RESPONSES_TEXT
from tests.providers.tools import FUNCTIONS

agents = pytest.importorskip("agents")
openai = pytest.importorskip("openai")

pytestmark = pytest.mark.aimock

QUIET = agents.RunConfig(tracing_disabled=True)
WEATHER = "weather and time?"


class Api(NamedTuple):
    """One of OpenAI's APIs, and what the files of its answers say."""

    name: str
    model: Any
    reply: Written
    text: Written
    calls: Written


def _api(name: str, model: Any, reply: Written, *labels: tuple[str, ...]) -> Api:
    text, calls = (reply._replace(labels=found, is_streaming=True) for found in labels)
    return Api(name, model, reply, text, calls)


APIS = (
    _api(
        "responses",
        agents.OpenAIResponsesModel,
        Written("/v1/responses", "gpt-4o", (RESPONSE,)),
        RESPONSES_TEXT,
        RESPONSES_CALLS,
    ),
    _api(
        "chat",
        agents.OpenAIChatCompletionsModel,
        Written("/v1/chat/completions", "gpt-4o", (CHAT,)),
        (CHUNK,),
        (CHUNK,),
    ),
)


@asynccontextmanager
async def open_agent(api: Api, origin: str) -> AsyncIterator[Any]:
    """An agent with two tools."""
    async with openai.AsyncOpenAI(
        base_url=f"{origin}/v1", api_key=KEYS["openai"], max_retries=0
    ) as client:
        yield agents.Agent(
            name="Forecaster",
            instructions="You tell weather and time.",
            model=api.model(model="gpt-4o", openai_client=client),
            tools=[agents.function_tool(function) for function in FUNCTIONS.values()],
        )


def shown(result: Any) -> list[Any]:
    """All that was said, and the answer."""
    return [result.to_input_list(), result.final_output]


async def run(agent: Any, prompt: str) -> list[Any]:
    """A run with plain answers."""
    return shown(await agents.Runner.run(agent, prompt, run_config=QUIET))


async def stream(agent: Any, prompt: str) -> list[Any]:
    """A run with streamed answers: Chat Completions come as events of Responses, made just now."""
    result = agents.Runner.run_streamed(agent, prompt, run_config=QUIET)
    events = [
        event.data.model_dump(exclude={"response": {"created_at"}})
        async for event in result.stream_events()
        if event.type == "raw_response_event"
    ]
    return [*events, *shown(result)]


def run_sync(agent: Any, prompt: str) -> list[Any]:
    """A run with plain answers, without an event loop of ours."""
    return shown(agents.Runner.run_sync(agent, prompt, run_config=QUIET))


async def error(agent: Any, prompt: str) -> list[Any]:
    """A refusal, which is the SDK's own error."""
    with refused(openai.BadRequestError) as told:
        await agents.Runner.run(agent, prompt, run_config=QUIET)
    return [told]


def _conversation(api: Api, way: Any, prompt: str, *files: Written) -> Conversation:
    async def speak(origin: str) -> list[Any]:
        async with open_agent(api, origin) as agent:
            return list(await way(agent, prompt))

    name = f"{api.name}-{way.__name__}-{prompt.partition(' ')[0]}"
    return Conversation(name, lambda origin: asyncio.run(speak(origin)), files)


def _sync_conversation(api: Api) -> Conversation:
    def hold(origin: str) -> list[Any]:
        """In a loop of its own, so that what the agent leaves open can be closed in it."""
        with asyncio.Runner() as runner:
            asyncio.set_event_loop(runner.get_loop())
            manager = open_agent(api, origin)
            agent = runner.run(manager.__aenter__())
            try:
                return run_sync(agent, WEATHER)
            finally:
                runner.run(manager.__aexit__(None, None, None))

    return Conversation(f"{api.name}-run_sync", hold, (api.reply, api.reply))


CONVERSATIONS = [
    conversation
    for api in APIS
    for conversation in (
        _sync_conversation(api),
        _conversation(api, run, "hello", api.reply),
        _conversation(api, run, WEATHER, api.reply, api.reply),
        _conversation(api, stream, "hello", api.text),
        _conversation(api, stream, WEATHER, api.calls, api.text),
        _conversation(api, error, "broken", api.reply._replace(labels=(None,), status=400)),
    )
]


class TestOpenAIAgents(Conversations):
    """Every conversation with an agent."""

    test = """
        import agents
        import openai

        async def test_answer():
            async with openai.AsyncOpenAI(
                base_url=f"{ORIGIN}/v1", api_key=KEYS["openai"]
            ) as client:
                model = agents.OpenAIResponsesModel(model="gpt-4o", openai_client=client)
                agent = agents.Agent(name="Helper", model=model)
                config = agents.RunConfig(tracing_disabled=True)
                result = await agents.Runner.run(agent, "hello", run_config=config)
            assert result.final_output.startswith("Grüße")
    """
