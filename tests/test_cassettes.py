"""The recordings in `cassettes/` replay through the SDK, and are written as they are read.

Each test has a directory there. To record them again, against the server of these tests:

    pytest tests/test_cassettes.py --record-mode=rewrite

That changes no file unless an answer or the format has changed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from vcr.record_mode import RecordMode

import vcr_llm
from tests.servers import openai_responses
from tests.servers.openai_server import OpenAIServer
from vcr_llm._address import address_of
from vcr_llm._cassette import RecordingCassette

CASSETTES = Path(__file__).parent.parent / "cassettes"
RECORDINGS = sorted(CASSETTES.rglob("*.json"))
PORT = 8123
API_KEY = "sk-test-5c0ffee5c0ffee5c0ffee"
NOVEMBER_2026 = 1_795_000_000

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city at this moment.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "enum": ["Paris", "Rome"]},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
        },
    },
}

pytestmark = pytest.mark.block_network


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    """The configuration that the documentation gives, with nothing added."""
    return vcr_llm.config()


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """All in one place."""
    return str(CASSETTES)


@pytest.fixture
def client(
    vcr: RecordingCassette, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[openai.OpenAI]:
    """The SDK's client; there is a server only where something is to be recorded.

    The server's ids and times are the same each time then. A replay plays all there is.
    """
    server = OpenAIServer(port=PORT)
    with openai.OpenAI(base_url=server.base_url, api_key=API_KEY, max_retries=0) as one:
        if vcr.record_mode == RecordMode.NONE:
            yield one
            assert vcr.all_played
            return
        random.seed(request.node.name)
        monkeypatch.setattr(openai_responses, "now", lambda: NOVEMBER_2026)
        with server:
            yield one


@pytest.mark.vcr
def test_streamed_chat_with_a_tool_over_two_turns(client: openai.OpenAI) -> None:
    """The model asks for a tool, gets its result, and answers; both turns are streams."""
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    text, calls = streamed_chat(client, messages)
    assert text == ""
    assert [call["function"] for call in calls] == [
        {"name": "get_weather", "arguments": '{"city":"Paris","unit":"celsius"}'}
    ]
    messages += [
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "tool_call_id": calls[0]["id"], "content": "18 °C, sunny"},
    ]
    assert streamed_chat(client, messages) == ("The tools said: 18 °C, sunny", [])


@pytest.mark.vcr
def test_plain_chat(client: openai.OpenAI) -> None:
    """A chat completion in one piece."""
    messages: Any = [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "Say “grüß Gott” 🙂"},
    ]
    answer = client.chat.completions.create(model="gpt-4o", messages=messages, temperature=0.2)
    assert answer.choices[0].message.content == "You said: Say “grüß Gott” 🙂"
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0


@pytest.mark.vcr
@pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="openai before 1.66")
def test_streamed_response(client: openai.OpenAI) -> None:
    """A stream of the Responses API, whose ids stay as they were, as a later request names them."""
    events = list(client.responses.create(model="gpt-4o", input="Tell me a story.", stream=True))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == "You said: Tell me a story."
    assert events[-1].type == "response.completed"
    assert events[-1].response.id.startswith("resp_")


@pytest.mark.vcr
def test_embedding(client: openai.OpenAI) -> None:
    """An embedding as a list of numbers; without numpy, openai 1 would not ask for base64."""
    answer = client.embeddings.create(
        model="text-embedding-3-small",
        input="A cat on a mat",
        dimensions=8,
        encoding_format="float",
    )
    (vector,) = (item.embedding for item in answer.data)
    assert len(vector) == 8
    assert all(isinstance(number, float) for number in vector)


@pytest.mark.vcr
def test_rate_limit(client: openai.OpenAI) -> None:
    """An error 429 keeps the header that says when to come back."""
    messages: Any = [{"role": "user", "content": "fault-rate-limited"}]
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=messages)
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["retry-after"] == "1"


def streamed_chat(client: openai.OpenAI, messages: list[Any]) -> tuple[str, list[Any]]:
    """The text and the tool calls of a stream, put together."""
    text, calls = "", list[Any]()
    for chunk in client.chat.completions.create(
        model="gpt-4o", messages=messages, tools=[WEATHER], stream=True
    ):
        delta = chunk.choices[0].delta
        text += delta.content or ""
        for piece in delta.tool_calls or ():
            assert piece.function is not None
            if piece.id:
                function = {"name": piece.function.name, "arguments": ""}
                calls.append({"id": piece.id, "type": "function", "function": function})
            calls[-1]["function"]["arguments"] += piece.function.arguments or ""
    return text, calls


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem[:8]}")
def test_recording_is_written_as_it_is_read(path: Path) -> None:
    """Reading a file and writing it again gives the same bytes, and the same name."""
    content = path.read_bytes()
    text = content.decode()
    written = vcr_llm.serializer.serialize(vcr_llm.serializer.deserialize(text))
    assert written.encode() == content
    assert path.stem == address_of(json.loads(text))


def test_recordings_name_neither_the_key_nor_a_place_on_a_machine() -> None:
    """The recordings could have been made by anybody."""
    texts = [path.read_text(encoding="utf-8") for path in RECORDINGS]
    assert texts
    assert all(API_KEY not in text and str(CASSETTES.parent) not in text for text in texts)
    urls = {json.loads(text)["request"]["url"].partition("/v1/")[0] for text in texts}
    assert urls == {f"http://127.0.0.1:{PORT}"}
