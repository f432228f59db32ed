"""What programs do with OpenAI's SDK, endpoint by endpoint; each gives all that it saw."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from tests.sdk.clients import Scenario, api, dumped, each, entered, plain, settled

MODEL = "gpt-4o"


def function_tool(name: str, **properties: str) -> Any:
    """A tool of the chat API, with one parameter of each type given."""
    schema = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "parameters": schema}}


WEATHER = function_tool("weather", city="string", days="integer")
CLOCK = function_tool("clock", zone="string")
RESPONSES_WEATHER: Any = {"type": "function", "strict": False, **WEATHER["function"]}


class Capital(BaseModel):
    """A structured answer."""

    city: str
    inhabitants: int
    rivers: list[str]


CAPITAL = Capital(city="some city", inhabitants=7, rivers=["some rivers"] * 2).model_dump()


def ask(prompt: Any) -> Any:
    """The messages of a chat with one question."""
    return [{"role": "user", "content": prompt}]


# Chat completions


async def chat(client: Any) -> list[Any]:
    """One question, one answer."""
    reply = await settled(
        client.chat.completions.create(model=MODEL, messages=ask("Grüße nach 東京 🗼"))
    )
    assert reply.choices[0].message.content == "You said: Grüße nach 東京 🗼"
    return [plain(reply)]


async def chat_stream(client: Any) -> list[Any]:
    """The answer in chunks."""
    chunks = await dumped(
        client.chat.completions.create(model=MODEL, messages=ask("one two three"), stream=True)
    )
    assert len(chunks) > 4
    return chunks


async def chat_stream_with_usage(client: Any) -> list[Any]:
    """The last chunk says how many tokens it took."""
    chunks = await dumped(
        client.chat.completions.create(
            model=MODEL,
            messages=ask("one two three"),
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    return chunks


async def chat_with_tools(client: Any) -> list[Any]:
    """Two questions, each with a tool call and its result in between."""
    messages, seen = ask("How is the weather?"), []
    for question in ("And tomorrow?", "Thanks"):
        for content in ("sunny", question):
            reply = await settled(
                client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER])
            )
            seen.append(plain(reply))
            message = reply.choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            calls = message.tool_calls or []
            messages += [
                {"role": "tool", "tool_call_id": call.id, "content": content} for call in calls
            ] or ask(content)
    assert [reply["choices"][0]["finish_reason"] for reply in seen] == ["tool_calls", "stop"] * 2
    return seen


async def chat_with_parallel_tools(client: Any) -> list[Any]:
    """Two calls at once, then both results."""
    messages = ask("all in parallel")
    first = await settled(
        client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER, CLOCK])
    )
    message = first.choices[0].message
    messages.append(message.model_dump(exclude_none=True))
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": f"{call.function.name} is fine"}
        for call in message.tool_calls
    ]
    second = await settled(
        client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER, CLOCK])
    )
    assert second.choices[0].message.content == "The tools said: weather is fine | clock is fine"
    return [plain(first), plain(second)]


async def chat_stream_of_parallel_tools(client: Any) -> list[Any]:
    """The arguments of two calls in pieces."""
    chunks = await dumped(
        client.chat.completions.create(
            model=MODEL, messages=ask("all in parallel"), tools=[WEATHER, CLOCK], stream=True
        )
    )
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls") or ()]
    assert {call["index"] for call in calls} == {0, 1}
    return chunks


async def chat_parse(client: Any) -> list[Any]:
    """A structured answer as an object of the user's class."""
    parse = api(client, "chat.completions.parse", "beta.chat.completions.parse")
    reply = await settled(parse(model=MODEL, messages=ask("capital?"), response_format=Capital))
    assert isinstance(reply.choices[0].message.parsed, Capital)
    assert plain(reply)["choices"][0]["message"]["parsed"] == CAPITAL
    return [plain(reply)]


async def chat_stream_helper(client: Any) -> list[Any]:
    """The SDK's events of a structured answer, and its final completion."""
    stream = api(client, "chat.completions.stream", "beta.chat.completions.stream")
    manager = stream(model=MODEL, messages=ask("capital?"), response_format=Capital)
    async with entered(manager) as events:
        seen = [plain(event) async for event in each(events)]
        final = plain(await settled(events.get_final_completion()))
    assert final["choices"][0]["message"]["parsed"] == CAPITAL
    return [*seen, final]


async def chat_with_logprobs(client: Any) -> list[Any]:
    """How sure the model was, plain and streamed; the numbers have exponents."""
    options: Any = {"model": MODEL, "messages": ask("sure?"), "logprobs": True, "top_logprobs": 1}
    reply = await settled(client.chat.completions.create(**options))
    assert reply.choices[0].logprobs.content[0].logprob == -1.9361264e-7
    return [
        plain(reply),
        *await dumped(client.chat.completions.create(**options, stream=True)),
    ]


async def chat_with_choices(client: Any) -> list[Any]:
    """Three answers to one question, plain and streamed."""
    options: Any = {"model": MODEL, "messages": ask("pick"), "n": 3}
    reply = await settled(client.chat.completions.create(**options))
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    return [
        plain(reply),
        *await dumped(client.chat.completions.create(**options, stream=True)),
    ]


async def chat_with_raw_response(client: Any) -> list[Any]:
    """The response itself, as the SDK gives it on request."""
    raw = await settled(
        client.chat.completions.with_raw_response.create(model=MODEL, messages=ask("raw"))
    )
    return [raw.status_code, raw.headers["content-type"], plain(await settled(raw.parse()))]


# Responses


async def responses(client: Any) -> list[Any]:
    """One answer, and one that refers to it."""
    create = api(client, "responses.create")
    first = await settled(create(model=MODEL, input="one"))
    second = await settled(create(model=MODEL, input="two", previous_response_id=first.id))
    assert second.output_text == "You said: two (and before: one)"
    again = await settled(client.responses.retrieve(first.id))
    return [plain(first), plain(second), plain(again)]


async def responses_stream(client: Any) -> list[Any]:
    """The events of an answer."""
    create = api(client, "responses.create")
    events = await dumped(create(model=MODEL, input="one two three", stream=True))
    assert events[-1]["type"] == "response.completed"
    return events


async def responses_with_tools(client: Any) -> list[Any]:
    """A function call, streamed, and its result."""
    create = api(client, "responses.create")
    options = {"model": MODEL, "tools": [RESPONSES_WEATHER]}
    events = await dumped(create(**options, input=ask("weather?"), stream=True))
    (call,) = events[-1]["response"]["output"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    items = [*ask("weather?"), {key: call[key] for key in ("type", "call_id", "name", "arguments")}]
    reply = await settled(create(**options, input=[*items, result]))
    assert reply.output_text == "The tools said: sunny"
    return [*events, plain(reply)]


async def responses_parse(client: Any) -> list[Any]:
    """A structured answer as an object of the user's class."""
    parse = api(client, "responses.parse")
    reply = await settled(parse(model=MODEL, input="capital?", text_format=Capital))
    assert reply.output_parsed.model_dump() == CAPITAL
    return [plain(reply)]


async def responses_stream_helper(client: Any) -> list[Any]:
    """The SDK's events of a structured answer, and its final response."""
    stream = api(client, "responses.stream")
    async with entered(stream(model=MODEL, input="capital?", text_format=Capital)) as events:
        seen = [plain(event) async for event in each(events)]
        final = await settled(events.get_final_response())
    assert final.output_parsed.model_dump() == CAPITAL
    return [*seen, plain(final)]


# The other endpoints


async def text_completions(client: Any) -> list[Any]:
    """The old API, plain and streamed."""
    options: Any = {"model": "gpt-3.5-turbo-instruct", "prompt": "Once upon", "n": 2}
    reply = await settled(client.completions.create(**options))
    assert reply.choices[1].text == "You said: Once upon (choice 2)"
    return [plain(reply), *await dumped(client.completions.create(**options, stream=True))]


async def embeddings(client: Any) -> list[Any]:
    """The same vector as numbers, as base64, and as the SDK decodes it by itself."""
    seen = []
    for encoding in ({"encoding_format": "float"}, {"encoding_format": "base64"}, {}):
        reply = await settled(
            client.embeddings.create(
                model="text-embedding-3-small", input=["one", "zwei ü"], dimensions=64, **encoding
            )
        )
        seen.append(plain(reply))
    first, second, third = (reply["data"][0]["embedding"] for reply in seen)
    assert isinstance(second, str)
    assert first == third
    return seen


async def models(client: Any) -> list[Any]:
    """The list, and one of them."""
    listed = await dumped(client.models.list())
    assert len(listed) > 3
    return [*listed, plain(await settled(client.models.retrieve("gpt-4o-mini")))]


async def moderations(client: Any) -> list[Any]:
    """Scores with exponents."""
    reply = await settled(client.moderations.create(input=["violence", "peace"]))
    assert [result.flagged for result in reply.results] == [True, False]
    return [plain(reply)]


async def images(client: Any) -> list[Any]:
    """Pictures as base64."""
    reply = await settled(client.images.generate(model="gpt-image-1", prompt="a pixel", n=2))
    assert reply.data[1].b64_json
    return [plain(reply)]


async def speech(client: Any) -> list[Any]:
    """Audio, which is no text."""
    reply = await settled(
        client.audio.speech.create(model="tts-1", voice="alloy", input="Hello there")
    )
    assert reply.content.startswith(b"ID3")
    return [reply.content]


async def transcriptions(client: Any) -> list[Any]:
    """An upload, answered as JSON, as text and with segments."""
    upload = ("hällo.wav", b"RIFF\x00\xff\xfe" * 20, "audio/wav")
    create = client.audio.transcriptions.create
    seen = [
        plain(await settled(create(model="whisper-1", file=upload, response_format=format_)))
        for format_ in ("json", "text", "verbose_json")
    ]
    assert seen[0]["text"] == "A recording of 140 bytes called hällo.wav."
    return seen


async def transcription_stream(client: Any) -> list[Any]:
    """The events of a transcription."""
    api(client, "responses")  # no stream before the version that brought Responses
    events = await dumped(
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF"), stream=True)
    )
    assert events[-1]["type"] == "transcript.text.done"
    return events


async def files(client: Any) -> list[Any]:
    """Three uploads, listed page by page, one downloaded and deleted."""
    uploads = [
        await settled(client.files.create(file=(f"{name}.bin", content), purpose="user_data"))
        for name, content in (("a", b"text\r\n"), ("b", bytes(range(256))), ("c", b""))
    ]
    listed = await dumped(client.files.list(limit=2))
    assert [file["filename"] for file in listed] == ["c.bin", "b.bin", "a.bin"]
    content = await settled(client.files.content(uploads[1].id))
    assert content.content == bytes(range(256))
    retrieved = await settled(client.files.retrieve(uploads[0].id))
    deleted = await settled(client.files.delete(uploads[0].id))
    return [*map(plain, uploads), *listed, content.content, plain(retrieved), plain(deleted)]


async def batches(client: Any) -> list[Any]:
    """A batch from its upload to its output: the same question gets three answers in turn."""
    body = {"model": MODEL, "messages": ask("batched")}
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body}
    upload = ("in.jsonl", json.dumps(line).encode())
    file = await settled(client.files.create(file=upload, purpose="batch"))
    options: Any = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = await settled(client.batches.create(input_file_id=file.id, **options))
    states = [await settled(client.batches.retrieve(batch.id)) for _ in range(3)]
    assert [one.status for one in states] == ["in_progress", "completed", "completed"]
    output = await settled(client.files.content(states[-1].output_file_id))
    listed = await dumped(client.batches.list(limit=1))
    return [*map(plain, (file, batch, *states)), output.content, *listed]


SCENARIOS: tuple[Scenario, ...] = (
    chat,
    chat_stream,
    chat_stream_with_usage,
    chat_with_tools,
    chat_with_parallel_tools,
    chat_stream_of_parallel_tools,
    chat_parse,
    chat_stream_helper,
    chat_with_logprobs,
    chat_with_choices,
    chat_with_raw_response,
    responses,
    responses_stream,
    responses_with_tools,
    responses_parse,
    responses_stream_helper,
    text_completions,
    embeddings,
    models,
    moderations,
    images,
    speech,
    transcriptions,
    transcription_stream,
    files,
    batches,
)
