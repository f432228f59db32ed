"""Agents of pydantic-ai that call tools, on each provider's model."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from tests.providers.conversations import KEYS, Conversation, Conversations, Written, refused
from tests.providers.labels import (
    ANTHROPIC_EVENTS,
    CHAT,
    CHUNK,
    COHERE,
    COHERE_CALLS,
    COHERE_TEXT,
    GEMINI,
    MESSAGE,
    RESPONSE,
    RESPONSES_CALLS,
    RESPONSES_TEXT,
)
from tests.providers.test_boto3 import open_client as open_bedrock
from tests.providers.tools import FUNCTIONS

anthropic = pytest.importorskip("anthropic")
cohere = pytest.importorskip("cohere")
genai = pytest.importorskip("google.genai")
mistralai = pytest.importorskip("mistralai.client")
openai = pytest.importorskip("openai")
pydantic_ai = pytest.importorskip("pydantic_ai")

pytestmark = [
    pytest.mark.aimock,
    # What google-genai 3.4 does with aiohttp.
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
]


def _openai(origin: str) -> Any:
    return openai.AsyncOpenAI(base_url=f"{origin}/v1", api_key=KEYS["openai"], max_retries=0)


def _built(module: str, model: str, name: str, **client: Any) -> Any:
    """pydantic-ai's model of that name, whose provider speaks through this client."""
    models = importlib.import_module(f"pydantic_ai.models.{module}")
    providers = importlib.import_module(f"pydantic_ai.providers.{module}")
    provider = getattr(providers, re.sub("(Chat|Responses|Converse)?Model", "Provider", model))
    return getattr(models, model)(name, provider=provider(**client))


@asynccontextmanager
async def open_chat(origin: str) -> AsyncIterator[Any]:
    """OpenAI's Chat Completions."""
    async with _openai(origin) as client:
        yield _built("openai", "OpenAIChatModel", "gpt-4o", openai_client=client)


@asynccontextmanager
async def open_responses(origin: str) -> AsyncIterator[Any]:
    """OpenAI's Responses."""
    async with _openai(origin) as client:
        yield _built("openai", "OpenAIResponsesModel", "gpt-4o", openai_client=client)


@asynccontextmanager
async def open_ollama(origin: str) -> AsyncIterator[Any]:
    """Ollama, by OpenAI's protocol."""
    async with _openai(origin) as client:
        yield _built("ollama", "OllamaModel", "llama-test", openai_client=client)


@asynccontextmanager
async def open_anthropic(origin: str) -> AsyncIterator[Any]:
    """Anthropic's Messages."""
    key = KEYS["anthropic"]
    async with anthropic.AsyncAnthropic(base_url=origin, api_key=key, max_retries=0) as client:
        yield _built("anthropic", "AnthropicModel", "claude-test", anthropic_client=client)


@asynccontextmanager
async def open_google(origin: str) -> AsyncIterator[Any]:
    """Gemini."""
    options = {"base_url": origin, "api_version": "v1beta"}
    with genai.Client(api_key=KEYS["google"], http_options=options) as client:
        async with client.aio:
            yield _built("google", "GoogleModel", "gemini-test", client=client)


@asynccontextmanager
async def open_mistral(origin: str) -> AsyncIterator[Any]:
    """Mistral."""
    async with mistralai.Mistral(server_url=origin, api_key=KEYS["mistral"]) as client:
        yield _built("mistral", "MistralModel", "mistral-test", mistral_client=client)


@asynccontextmanager
async def open_cohere(origin: str) -> AsyncIterator[Any]:
    """Cohere."""
    async with cohere.AsyncClientV2(base_url=origin, api_key=KEYS["cohere"]) as client:
        yield _built("cohere", "CohereModel", "command-test", cohere_client=client)


@asynccontextmanager
async def open_converse(origin: str) -> AsyncIterator[Any]:
    """Bedrock's Converse."""
    with open_bedrock(origin) as client:
        name = "anthropic.claude-test-v1:0"
        yield _built("bedrock", "BedrockConverseModel", name, bedrock_client=client)


class Model(NamedTuple):
    """How to open a model, and what the files of its answers say."""

    name: str
    opened: Callable[[str], Any]
    reply: Written
    events: Written | None
    """Of a streamed answer; None where the SDK refuses what aimock streams."""
    calls: Written | None
    """Of streamed calls."""


def _model(  # noqa: PLR0917  # the columns of a table
    name: str,
    opened: Callable[[str], Any],
    reply: tuple[str, str, str | None],
    events: tuple[str, ...] | None = None,
    calls: tuple[str, ...] | None = None,
    framing: tuple[str, ...] = (),
) -> Model:
    endpoint, model, label = reply
    plain = Written(endpoint, model, (label,))
    streaming = endpoint.replace(":generate", ":streamGenerate")
    streamed = plain._replace(endpoint=streaming, is_streaming=True, framing=framing)
    return Model(
        name,
        opened,
        plain,
        streamed._replace(labels=events) if events else None,
        streamed._replace(labels=calls) if calls else None,
    )


_CHAT = "/v1/chat/completions"
_GEMINI = "/v1beta/models/gemini-test:generateContent"
MODELS = (
    _model("chat", open_chat, (_CHAT, "gpt-4o", CHAT), (CHUNK,), (CHUNK,)),
    _model(
        "responses",
        open_responses,
        ("/v1/responses", "gpt-4o", RESPONSE),
        RESPONSES_TEXT,
        RESPONSES_CALLS,
    ),
    _model("ollama", open_ollama, (_CHAT, "llama-test", CHAT), (CHUNK,), (CHUNK,)),
    _model(
        "anthropic",
        open_anthropic,
        ("/v1/messages", "claude-test", MESSAGE),
        ANTHROPIC_EVENTS,
        ANTHROPIC_EVENTS,
    ),
    _model("google", open_google, (_GEMINI, "gemini-test", GEMINI), (GEMINI,), (GEMINI,)),
    _model("mistral", open_mistral, (_CHAT, "mistral-test", CHAT), (CHUNK,)),
    _model(
        "cohere",
        open_cohere,
        ("/v2/chat", "command-test", COHERE),
        COHERE_TEXT,
        COHERE_CALLS,
        framing=("done",),  # aimock leaves out Cohere's [DONE]
    ),
    _model(
        "bedrock",
        open_converse,
        ("/model/anthropic.claude-test-v1%3A0/converse", "anthropic.claude-test-v1:0", None),
    ),
)


def shown(result: Any) -> Any:
    """Everything that was said, without the ids and times that pydantic-ai gives by itself."""
    return _without_own(json.loads(result.all_messages_json()))


def _without_own(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_own(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_own(item)
        for key, item in value.items()
        if key not in ("timestamp", "run_id", "conversation_id")
        and not str(item).startswith("pyd_ai_")
    }


async def run(agent: Any, prompt: str) -> list[Any]:
    """A run with plain answers."""
    return [shown(await agent.run(prompt))]


async def stream(agent: Any, prompt: str) -> list[Any]:
    """A run with streamed answers."""
    async with agent.run_stream(prompt) as result:
        texts = [text async for text in result.stream_text(debounce_by=None)]
        return [texts, shown(result)]


def run_sync(agent: Any, prompt: str) -> list[Any]:
    """A run with plain answers, without an event loop of ours."""
    return [shown(agent.run_sync(prompt))]


async def error(agent: Any, _prompt: str) -> list[Any]:
    """A refusal."""
    with refused(pydantic_ai.exceptions.ModelHTTPError) as told:
        await agent.run("broken")
    return [told]


def _agent(model: Any) -> Any:
    return pydantic_ai.Agent(model, tools=list(FUNCTIONS.values()))


def _conversation(model: Model, way: Any, prompt: str, *files: Written) -> Conversation:
    async def speak(origin: str) -> list[Any]:
        async with model.opened(origin) as opened:
            return list(await way(_agent(opened), prompt))

    def hold(origin: str) -> list[Any]:
        return asyncio.run(speak(origin))

    name = f"{model.name}-{way.__name__}-{prompt.partition(' ')[0]}"
    return Conversation(name, hold, files)


def _sync_conversation(model: Model) -> Conversation:
    def hold(origin: str) -> list[Any]:
        """In a loop of its own, so that what the agent leaves open can be closed in it."""
        with asyncio.Runner() as runner:
            asyncio.set_event_loop(runner.get_loop())
            manager = model.opened(origin)
            opened = runner.run(manager.__aenter__())
            try:
                return run_sync(_agent(opened), WEATHER)
            finally:
                runner.run(manager.__aexit__(None, None, None))

    files = (model.reply, model.reply)
    return Conversation(f"{model.name}-run_sync", hold, files)


WEATHER = "weather and time?"


def _conversations(model: Model) -> list[Conversation]:
    refusal = model.reply._replace(labels=(None,), status=400)
    found = [
        _conversation(model, run, WEATHER, model.reply, model.reply),
        _conversation(model, error, "broken", refusal),
    ]
    if model.name != "mistral":  # whose SDK unsets the event loop when a client is collected
        found.append(_sync_conversation(model))
    if model.events:
        found.append(_conversation(model, stream, "hello", model.events))
    if model.calls and model.events:
        found.append(_conversation(model, stream, WEATHER, model.calls, model.events))
    return found


CONVERSATIONS = [conversation for model in MODELS for conversation in _conversations(model)]


class TestPydanticAI(Conversations):
    """Every conversation with an agent."""

    test = """
        import openai
        import pydantic_ai
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        async def test_answer():
            async with openai.AsyncOpenAI(
                base_url=f"{ORIGIN}/v1", api_key=KEYS["openai"]
            ) as client:
                model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
                result = await pydantic_ai.Agent(model).run("hello")
            assert result.output.startswith("Grüße")
    """
