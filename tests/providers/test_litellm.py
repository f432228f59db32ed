"""LiteLLM, which speaks each provider's protocol by itself: through httpx, and aiohttp if async."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from tests.providers.conversations import KEYS, Conversation, Conversations, Written, refused
from tests.providers.labels import (
    ANTHROPIC_EVENTS,
    CHAT,
    CHUNK,
    COHERE,
    GEMINI,
    MESSAGE,
)
from tests.providers.tools import PARAMETERS
from tests.sdk.clients import KINDS, settled

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import asks the internet for prices
litellm = pytest.importorskip("litellm")

pytestmark = [
    pytest.mark.aimock,
    # What litellm 1.106 does with pydantic, and that it leaves connections of aiohttp open.
    pytest.mark.filterwarnings("ignore:Items? .* on TypedDict class:UserWarning"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_.*' attribute:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_open() -> Iterator[None]:
    """What LiteLLM leaves open is collected here, so that no other test has to answer for it."""
    yield
    gc.collect()


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


class Model(NamedTuple):
    """What to pass so that LiteLLM talks to aimock, and what the files of the answers say."""

    name: str
    options: Callable[[str], dict[str, Any]]
    reply: Written
    events: Written | None
    """Of a streamed answer; None where LiteLLM cannot read what aimock streams."""
    calls: Written | None
    """Of streamed calls."""


def _model(  # noqa: PLR0917  # the columns of a table
    name: str,
    options: Callable[[str], dict[str, Any]],
    reply: tuple[str, str, str | None],
    events: tuple[str | None, ...] = (),
    calls: tuple[str | None, ...] = (),
    framing: tuple[str, ...] = (),
) -> Model:
    endpoint, model, label = reply
    plain = Written(endpoint, model, (label,))
    for method, streaming in (
        (":generateContent", ":streamGenerateContent"),
        ("/converse", "/converse-stream"),
    ):
        endpoint = endpoint.replace(method, streaming)
    streamed = plain._replace(endpoint=endpoint, is_streaming=True, framing=framing)
    return Model(
        name,
        options,
        plain,
        streamed._replace(labels=events) if events else None,
        streamed._replace(labels=calls) if calls else None,
    )


_CHAT = "/v1/chat/completions"
MODELS = (
    _model(
        "openai",
        lambda origin: {
            "model": "openai/gpt-4o",
            "api_base": f"{origin}/v1",
            "api_key": KEYS["openai"],
        },
        (_CHAT, "gpt-4o", CHAT),
        (CHUNK,),
        (CHUNK,),
    ),
    _model(
        "anthropic",
        lambda origin: {
            "model": "anthropic/claude-test",
            "api_base": origin,
            "api_key": KEYS["anthropic"],
        },
        ("/v1/messages", "claude-test", MESSAGE),
        ANTHROPIC_EVENTS,
        ANTHROPIC_EVENTS,
    ),
    _model(
        "gemini",
        lambda origin: {
            "model": "gemini/gemini-litellm",
            "api_base": f"{origin}/v1beta",
            "api_key": KEYS["google"],
        },
        ("/v1beta/models/gemini-litellm:generateContent", "gemini-litellm", GEMINI),
        (GEMINI,),
        (GEMINI,),
    ),
    _model(
        "mistral",
        lambda origin: {
            "model": "mistral/mistral-test",
            "api_base": f"{origin}/v1",
            "api_key": KEYS["mistral"],
        },
        (_CHAT, "mistral-test", CHAT),
        (CHUNK,),
        (CHUNK,),
    ),
    _model(
        "cohere",
        lambda origin: {
            "model": "cohere_chat/command-test",
            "api_base": f"{origin}/v2/chat",
            "api_key": KEYS["cohere"],
        },
        ("/v2/chat", "command-test", COHERE),
    ),
    _model(
        "bedrock",
        lambda origin: {
            "model": "bedrock/converse/anthropic.claude-test-v1:0",
            "aws_bedrock_runtime_endpoint": origin,
            "aws_region_name": "us-east-1",
            "aws_access_key_id": KEYS["aws_id"],
            "aws_secret_access_key": KEYS["aws_secret"],
        },
        ("/model/anthropic.claude-test-v1%3A0/converse", "anthropic.claude-test-v1:0", None),
        (None,),
        (None,),
        framing=("events",),  # aimock puts a frame's content type before its event type
    ),
)


def shown(reply: Any) -> Any:
    """The object as a plain value, without what LiteLLM makes up: ids and times."""
    return _without_own(reply.model_dump())


def _without_own(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_own(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _without_own(item) for key, item in value.items() if key not in ("id", "created")}


class Way(NamedTuple):
    """How to ask, and what of the answer comes back."""

    kind: str
    is_streamed: bool

    async def ask(self, **options: Any) -> tuple[list[Any], Any]:
        """What came, as plain values, and the message, put together where it came in pieces."""
        options |= {"stream": self.is_streamed, "max_tokens": 100, "num_retries": 0}
        if self.kind == "sync":
            reply = litellm.completion(**options)
            pieces = list(reply) if self.is_streamed else [reply]
        else:
            reply = await litellm.acompletion(**options)
            pieces = [piece async for piece in reply] if self.is_streamed else [reply]
        whole = litellm.stream_chunk_builder(pieces) if self.is_streamed else reply
        return list(map(shown, pieces)), whole.choices[0].message


async def answer(way: Way, options: dict[str, Any]) -> list[Any]:
    """One question, one answer."""
    told, message = await way.ask(**options, messages=[{"role": "user", "content": "hello"}])
    assert message.content.startswith("Grüße")
    return told


async def tools(way: Way, options: dict[str, Any]) -> list[Any]:
    """Two calls at once, their results, and the answer."""
    prompt: list[Any] = [{"role": "user", "content": "weather and time?"}]
    called, message = await way.ask(**options, messages=prompt, tools=TOOLS)
    assert [call.function.name for call in message.tool_calls] == ["weather", "clock"]
    prompt.append(message.model_dump(exclude_none=True))
    prompt += [
        {
            "role": "tool",
            "tool_call_id": call.id,
            "name": call.function.name,
            "content": "fine",
        }
        for call in message.tool_calls
    ]
    final, message = await way.ask(**options, messages=prompt, tools=TOOLS)
    assert message.content == "Sunny, at 12:00."
    return [*called, *final]


async def error(way: Way, options: dict[str, Any]) -> list[Any]:
    """A refusal."""
    with refused(litellm.exceptions.BadRequestError) as told:
        await way.ask(**options, messages=[{"role": "user", "content": "broken"}])
    return [told]


def _written(model: Model, scenario: Any, *, is_streamed: bool) -> tuple[Written, ...] | None:
    text, calls = model.reply, model.reply
    if is_streamed:
        if model.events is None or model.calls is None:
            return None
        text, calls = model.events, model.calls
    if scenario is error:
        return (text._replace(labels=(None,), is_streaming=False, status=400, framing=()),)
    return (text,) if scenario is answer else (calls, text)


async def close_clients() -> None:
    """Close LiteLLM's clients, which it would keep for the next event loop."""
    await litellm.close_litellm_async_clients()
    for client in litellm.in_memory_llm_clients_cache.cache_dict.values():
        await settled(client.close())
    litellm.in_memory_llm_clients_cache.flush_cache()


def _conversation(model: Model, scenario: Any, way: Way) -> Conversation | None:
    files = _written(model, scenario, is_streamed=way.is_streamed)
    if files is None:
        return None

    async def speak(origin: str) -> list[Any]:
        try:
            return list(await scenario(way, model.options(origin)))
        finally:
            await close_clients()

    manner = "-streamed" if way.is_streamed else ""
    name = f"{model.name}-{scenario.__name__}{manner}-{way.kind}"
    return Conversation(name, lambda origin: asyncio.run(speak(origin)), files)


CONVERSATIONS = [
    conversation
    for model in MODELS
    for scenario in (answer, tools, error)
    for kind in KINDS
    for is_streamed in (False, True)
    if (conversation := _conversation(model, scenario, Way(kind, is_streamed)))
]


class TestLiteLLM(Conversations):
    """Every conversation."""

    test = """
        import litellm

        def test_answer():
            reply = litellm.completion(
                model="anthropic/claude-test",
                api_base=ORIGIN,
                api_key=KEYS["anthropic"],
                messages=[{"role": "user", "content": "hello"}],
            )
            assert reply.choices[0].message.content.startswith("Grüße")
            litellm.in_memory_llm_clients_cache.flush_cache()
    """
