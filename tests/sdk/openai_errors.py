"""What the SDK raises when a server on loopback misbehaves on request."""

from __future__ import annotations

from typing import Any

import openai

from tests.sdk.clients import Scenario, api, each, plain, settled
from tests.sdk.openai_scenarios import MODEL, ask


def described(error: Exception) -> list[Any]:
    """What a program can read from one of the SDK's errors."""
    response = getattr(error, "response", None)
    retry_after = response.headers.get("retry-after") if response is not None else None
    return [
        type(error).__name__,
        str(error),
        getattr(error, "status_code", None),
        getattr(error, "body", None),
        retry_after,
    ]


def failing(fault: str, **options: Any) -> Scenario:
    """A chat that meets this fault, and what the SDK makes of it."""

    async def scenario(client: Any) -> list[Any]:
        client = client.with_options(**{"max_retries": 0, **options})
        messages = ask(f"fault-{fault}")
        try:
            reply = await settled(client.chat.completions.create(model=MODEL, messages=messages))
        except (openai.OpenAIError, ValueError) as error:
            return described(error)
        return [plain(reply)]

    scenario.__name__ = fault
    return scenario


async def chat_stream_error(client: Any) -> list[Any]:
    """Half of the chunks, then an error event."""
    stream = client.chat.completions.create(
        model=MODEL, messages=ask("one two three fault-stream-error"), stream=True
    )
    return await _until_error(await settled(stream))


async def responses_stream_error(client: Any) -> list[Any]:
    """Half of the events, then one named error."""
    create = api(client, "responses.create")
    stream = create(model=MODEL, input="one two three fault-stream-error", stream=True)
    return await _until_error(await settled(stream))


async def _until_error(stream: Any) -> list[Any]:
    seen: list[Any] = []
    items = each(stream)
    try:
        while item := plain(await anext(items)):
            seen.append(item)
    except openai.APIError as error:
        seen += described(error)
    assert len(seen) > 3
    return seen
