"""Amazon's SDK: Bedrock's Converse and InvokeModel, plain and streamed. It has no async client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.providers.conversations import KEYS, Conversation, Conversations, Written
from tests.providers.labels import MESSAGE
from tests.providers.tools import PARAMETERS

boto3 = pytest.importorskip("boto3")
botocore = pytest.importorskip("botocore")

pytestmark = pytest.mark.aimock

MODEL = "anthropic.claude-test-v1:0"
TOOLS: Any = [
    {
        "toolSpec": {
            "name": name,
            "description": f"The {name} there",
            "inputSchema": {"json": parameters},
        }
    }
    for name, parameters in PARAMETERS.items()
]


@contextmanager
def open_client(origin: str, service: str = "bedrock-runtime") -> Iterator[Any]:
    """A client with a key, a secret and a token."""
    client = boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=origin,
        aws_access_key_id=KEYS["aws_id"],
        aws_secret_access_key=KEYS["aws_secret"],
        aws_session_token=KEYS["aws_session"],
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )
    try:
        yield client
    finally:
        client.close()


def ask(prompt: str, **options: Any) -> dict[str, Any]:
    """What is sent to the model, in the words of Converse."""
    messages = [{"role": "user", "content": [{"text": prompt}]}]
    return {"modelId": MODEL, "messages": messages, **options}


def native(prompt: str) -> dict[str, Any]:
    """What is sent to the model, in its own words."""
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": prompt}],
    }
    return {"modelId": MODEL, "body": json.dumps(body)}


def results(message: Any) -> list[Any]:
    """The model's message and an answer to each of its calls."""
    calls = [part["toolUse"]["toolUseId"] for part in message["content"]]
    found = [{"toolResult": {"toolUseId": call, "content": [{"text": "fine"}]}} for call in calls]
    return [message, {"role": "user", "content": found}]


def shown(reply: dict[str, Any]) -> dict[str, Any]:
    """The reply with its stream read, and without the headers of the response."""
    status = reply.pop("ResponseMetadata")["HTTPStatusCode"]
    read: dict[str, Callable[[Any], Any]] = {
        "stream": list,
        "completion": list,
        "body": lambda body: json.loads(body.read()) if hasattr(body, "read") else list(body),
    }
    return {"status": status, **{key: read.get(key, _same)(reply[key]) for key in reply}}


def _same(value: Any) -> Any:
    return value


@contextmanager
def refused() -> Iterator[list[Any]]:
    """A list that will hold the error which the block raises, as plain values."""
    told: list[Any] = []
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        yield told
    told += [type(raised.value).__qualname__, raised.value.response["Error"]]
    told += [raised.value.response["ResponseMetadata"]["HTTPStatusCode"]]


def converse(client: Any) -> list[Any]:
    """An answer in one piece."""
    reply = shown(client.converse(**ask("hello")))
    assert reply["output"]["message"]["content"][0]["text"].startswith("Grüße")
    return [reply]


def tools(client: Any) -> list[Any]:
    """Two calls at once, their results, and the answer."""
    first = ask("weather and time?", toolConfig={"tools": TOOLS})
    called = shown(client.converse(**first))
    first["messages"] += results(called["output"]["message"])
    final = shown(client.converse(**first))
    assert final["output"]["message"]["content"][0]["text"] == "Sunny, at 12:00."
    return [called, final]


def streamed_tools(client: Any) -> list[Any]:
    """The same, the calls streamed.

    The answer is not: the SDK refuses how aimock begins a streamed text; test_real_bytes.py has
    Amazon's own.
    """
    first = ask("weather and time?", toolConfig={"tools": TOOLS})
    called = shown(client.converse_stream(**first))
    starts = [
        event["contentBlockStart"]["start"]["toolUse"]
        for event in called["stream"]
        if "contentBlockStart" in event
    ]
    content = [{"toolUse": {**start, "input": {}}} for start in starts]
    assert len(content) == 2
    first["messages"] += results({"role": "assistant", "content": content})
    return [called, shown(client.converse(**first))]


def invoke(client: Any) -> list[Any]:
    """An answer of the model's own, in one piece."""
    reply = shown(client.invoke_model(**native("hello")))
    assert reply["body"]["content"][0]["text"].startswith("Grüße")
    return [reply]


def invoke_stream(client: Any) -> list[Any]:
    """Events of the model's own, each wrapped into one of Amazon's."""
    reply = shown(client.invoke_model_with_response_stream(**native("hello")))
    assert len(reply["body"]) > 3
    return [reply]


def error(client: Any) -> list[Any]:
    """A refusal of each of the four."""
    told = []
    for call in (client.converse, client.converse_stream):
        with refused() as said:
            call(**ask("broken"))
        told.append(said)
    for call in (client.invoke_model, client.invoke_model_with_response_stream):
        with refused() as said:
            call(**native("broken"))
        told.append(said)
    return told


def _held(scenario: Callable[[Any], list[Any]], *files: Written) -> Conversation:
    def hold(origin: str) -> list[Any]:
        with open_client(origin) as client:
            return scenario(client)

    return Conversation(scenario.__name__, hold, files)


def _written(method: str, *labels: str | None, **options: Any) -> Written:
    path = f"/model/anthropic.claude-test-v1%3A0/{method}"
    return Written(path, MODEL, labels or (None,), **options)


# aimock puts a frame's content type before its event type, Amazon after it.
EVENTS = _written("converse-stream", is_streaming=True, framing=("events",))
CONVERSATIONS = [
    _held(converse, _written("converse")),
    _held(tools, _written("converse"), _written("converse")),
    _held(streamed_tools, EVENTS, _written("converse")),
    _held(invoke, _written("invoke", MESSAGE)),
    _held(
        invoke_stream,
        _written(
            "invoke-with-response-stream",
            None,  # aimock does not wrap Claude's events as Amazon does
            is_streaming=True,
            framing=("events",),
        ),
    ),
    _held(
        error,
        *(
            _written(method, status=400)
            for method in ("converse", "converse-stream", "invoke", "invoke-with-response-stream")
        ),
    ),
]


class TestBedrock(Conversations):
    """Every conversation with the SDK."""

    test = """
        import boto3

        def test_answer():
            client = boto3.client(
                "bedrock-runtime",
                region_name="us-east-1",
                endpoint_url=ORIGIN,
                aws_access_key_id=KEYS["aws_id"],
                aws_secret_access_key=KEYS["aws_secret"],
            )
            question = {
                "modelId": "anthropic.claude-test-v1:0",
                "messages": [{"role": "user", "content": [{"text": "weather?"}]}],
            }
            assert client.converse(**question)["stopReason"] == "tool_use"
            events = list(client.converse_stream(**question)["stream"])
            assert "metadata" in events[-1]
            client.close()
    """
