"""The servers answer the real SDK and plain HTTP as the real API would; nothing records here."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import struct
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from pydantic import BaseModel

from .fault_server import Ending, FaultServer, Framing, Reply
from .openai_answers import example
from .openai_faults import Fault
from .openai_server import OpenAIServer
from .openai_wire import DONE, dump

needs_newer_openai = pytest.mark.skipif(
    not hasattr(OpenAI, "responses"),
    reason="openai 1.60 has neither the Responses API nor streamed transcriptions",
)

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}
CLOCK: Any = {"type": "function", "function": {"name": "clock"}}


class Capital(BaseModel):
    """A structured answer."""

    city: str
    inhabitants: int
    rivers: list[str]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """A running server."""
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def client(server: OpenAIServer) -> Iterator[OpenAI]:
    """The SDK's client on that server, without retries."""
    with OpenAI(base_url=server.base_url, api_key="sk-none", max_retries=0, timeout=10) as open_one:
        yield open_one


def ask(prompt: Any) -> Any:
    """The messages of a chat with one question."""
    return [{"role": "user", "content": prompt}]


def parsing_completions(client: OpenAI) -> Any:
    """The `parse` and `stream` helpers, which openai 1.60 has under `beta` only."""
    plain: Any = client.chat.completions
    return plain if hasattr(plain, "parse") else client.beta.chat.completions


def post(server: OpenAIServer, path: str, body: object) -> httpx.Response:
    """A plain request, as no SDK would change it."""
    return httpx.post(server.url + path, json=body, timeout=10)


# Chat completions


def test_chat_answers(server: OpenAIServer, client: OpenAI) -> None:
    """A plain chat echoes its prompt under a dated model, and the request is remembered."""
    reply = client.chat.completions.create(model="gpt-4o", messages=ask("Grüße, 東京"))
    assert reply.choices[0].message.content == "You said: Grüße, 東京"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == "gpt-4o-2024-08-06"
    assert reply.usage is not None
    assert reply.usage.total_tokens > 0
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.header("Authorization") == "Bearer sk-none"
    assert json.loads(request.body)["model"] == "gpt-4o"


def test_count_differs_each_time(client: OpenAI) -> None:
    """The prompt `count` gets a new answer each time; ids differ always."""
    replies = [client.chat.completions.create(model="m", messages=ask("count")) for _ in range(2)]
    assert [r.choices[0].message.content for r in replies] == [
        "This is answer 1.",
        "This is answer 2.",
    ]
    assert replies[0].id != replies[1].id


def test_chat_body_is_spelled_like_the_real_one(server: OpenAIServer) -> None:
    """JSON is indented by two, raw Unicode, without a final newline."""
    reply = post(server, "/v1/chat/completions", {"model": "m", "messages": ask("ü")})
    assert reply.headers["content-type"] == "application/json"
    assert reply.content.startswith(b'{\n  "id": "chatcmpl-')
    assert reply.content.endswith(b'"\n}')
    assert "ü".encode() in reply.content
    assert len(reply.headers.get_list("set-cookie")) == 2
    assert {"cf-ray", "date", "x-request-id", "openai-processing-ms"} <= set(reply.headers)


def test_chat_streams(client: OpenAI) -> None:
    """The deltas join to the answer, and the last chunk carries the usage when asked for."""
    stream = client.chat.completions.create(
        model="gpt-4o",
        messages=ask("one two three"),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    deltas = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(deltas) == "You said: one two three"
    assert len([delta for delta in deltas if delta]) > 3
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None


def test_chat_stream_is_framed_like_the_real_one(server: OpenAIServer) -> None:
    """Frames are `data: {compact}` with a blank line, padded, and `[DONE]` ends them."""
    body = {"model": "m", "messages": ask("hi"), "stream": True}
    reply = post(server, "/v1/chat/completions", body)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["transfer-encoding"] == "chunked"
    frames = reply.content.split(b"\n\n")
    assert frames[-2:] == [b"data: [DONE]", b""]
    first = json.loads(frames[0].removeprefix(b"data: "))
    assert frames[0] == f"data: {dump(first)}".encode()
    assert "obfuscation" in first
    assert "usage" not in first


def test_tools_over_several_turns(client: OpenAI) -> None:
    """A question gets a tool call, its result gets a text, and the next question a call again."""
    messages = ask("How is the weather?")
    for _ in range(2):
        reply = client.chat.completions.create(model="m", messages=messages, tools=[WEATHER])
        message: Any = reply.choices[0].message
        assert reply.choices[0].finish_reason == "tool_calls"
        (call,) = message.tool_calls
        assert call.function.name == "weather"
        assert json.loads(call.function.arguments) == {"city": "some city", "days": 7}
        messages.append(message.model_dump(exclude_none=True))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
        reply = client.chat.completions.create(model="m", messages=messages, tools=[WEATHER])
        assert reply.choices[0].message.content == "The tools said: sunny"
        messages.append({"role": "assistant", "content": "The tools said: sunny"})
        messages.append(*ask("And tomorrow?"))


def test_parallel_tool_calls_stream(client: OpenAI) -> None:
    """Calls come side by side, the arguments of each over several chunks."""
    stream = client.chat.completions.create(
        model="m", messages=ask("all in parallel"), tools=[WEATHER, CLOCK], stream=True
    )
    pieces: dict[int, list[str]] = {}
    names: dict[int, str] = {}
    for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or ():
            assert call.function is not None
            pieces.setdefault(call.index, []).append(call.function.arguments or "")
            names[call.index] = call.function.name or names[call.index]
    assert names == {0: "weather", 1: "clock"}
    assert "".join(pieces[0]) == '{"city":"some city","days":7}'
    assert len(pieces[0]) > 3
    assert "".join(pieces[1]) == "{}"


def test_tool_choice_none_gets_a_text(client: OpenAI) -> None:
    """`tool_choice="none"` keeps the tools away."""
    reply = client.chat.completions.create(
        model="m", messages=ask("weather"), tools=[WEATHER], tool_choice="none"
    )
    assert reply.choices[0].message.content == "You said: weather"


def test_structured_output_fits_the_schema(client: OpenAI) -> None:
    """`parse` gives the model's class, filled."""
    completions = parsing_completions(client)
    reply = completions.parse(model="m", messages=ask("capital?"), response_format=Capital)
    capital = reply.choices[0].message.parsed
    assert capital == Capital(city="some city", inhabitants=7, rivers=["some rivers"] * 2)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "null"}, None),
        ({"type": ["string", "null"]}, "some answer"),
        ({"type": "boolean"}, True),
        ({"const": 3}, 3),
        ({"enum": ["a", "b"]}, "a"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, 1.5),
        ({"$ref": "#/$defs/one", "$defs": {"one": {"type": "integer"}}}, 7),
        ({"type": "object"}, {}),
        ({"type": "array", "items": {"properties": {"x": {"type": "array"}}}}, [{"x": []}] * 2),
    ],
)
def test_examples_fit_their_schema(schema: Any, value: object) -> None:
    """Whatever a schema asks for, the answer is of that kind."""
    assert example(schema, schema) == value


def test_json_object(client: OpenAI) -> None:
    """The older JSON mode gives an object."""
    reply = client.chat.completions.create(
        model="m", messages=ask("JSON, please"), response_format={"type": "json_object"}
    )
    assert json.loads(reply.choices[0].message.content or "") == {"answer": "some answer"}


def test_content_in_parts(client: OpenAI) -> None:
    """A prompt may come in parts, and a model's name may bear its date."""
    parts: Any = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    reply = client.chat.completions.create(model="m-2025-01-02", messages=ask(parts))
    assert reply.choices[0].message.content == "You said: one two"
    assert reply.model == "m-2025-01-02"


def test_stream_helper_accumulates(client: OpenAI) -> None:
    """The SDK's own accumulator is content with the chunks, tools and schema included."""
    completions = parsing_completions(client)
    with completions.stream(
        model="m", messages=ask("capital?"), response_format=Capital
    ) as text_stream:
        final = text_stream.get_final_completion()
    assert final.choices[0].message.parsed.inhabitants == 7
    strict = {**WEATHER, "function": {**WEATHER["function"], "strict": True}}
    with completions.stream(model="m", messages=ask("weather"), tools=[strict]) as call_stream:
        final = call_stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.parsed_arguments["days"] == 7


def test_logprobs_spell_exponents_like_the_real_ones(server: OpenAIServer, client: OpenAI) -> None:
    """Logprobs stand beside each token, and the wire says e-7, not e-07."""
    reply = client.chat.completions.create(model="m", messages=ask("hi"), logprobs=True)
    probabilities: Any = reply.choices[0].logprobs
    assert "".join(p.token for p in probabilities.content) == "You said: hi"
    assert probabilities.content[0].logprob == -1.9361264e-7
    for stream in (False, True):
        body = {"model": "m", "messages": ask("hi"), "logprobs": True, "stream": stream}
        assert b"-1.9361264e-7," in post(server, "/v1/chat/completions", body).content


def test_exponents_in_strings_are_left_alone() -> None:
    """Only numbers are respelled."""
    assert dump({"e-07": '"1e-07', "n": 1e-07}) == '{"e-07":"\\"1e-07","n":1e-7}'


def test_several_choices(client: OpenAI) -> None:
    """As many choices come as were asked for, streamed in turns."""
    reply = client.chat.completions.create(model="m", messages=ask("hi"), n=2)
    texts = ["You said: hi", "You said: hi (choice 2)"]
    assert [choice.message.content for choice in reply.choices] == texts
    chunks = list(client.chat.completions.create(model="m", messages=ask("hi"), n=2, stream=True))
    assert [chunk.choices[0].index for chunk in chunks[:4]] == [0, 1, 0, 1]
    for index, text in enumerate(texts):
        own = [c.choices[0].delta.content or "" for c in chunks if c.choices[0].index == index]
        assert "".join(own) == text


def test_async_client() -> None:
    """Fifty tasks of the async client each get their own answer."""

    async def run(base_url: str) -> list[str | None]:
        async with AsyncOpenAI(base_url=base_url, api_key="k", max_retries=0) as client:
            create = client.chat.completions.create
            tasks = (create(model="m", messages=ask(f"number {i}")) for i in range(50))
            replies = await asyncio.gather(*tasks)
            stream = await create(model="m", messages=ask("last"), stream=True)
            last = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            return [*(reply.choices[0].message.content for reply in replies), last]

    with OpenAIServer() as server:
        texts = asyncio.run(run(server.base_url))
    assert texts == [*(f"You said: number {i}" for i in range(50)), "You said: last"]


def test_text_completions(client: OpenAI) -> None:
    """The old API answers, plain and streamed."""
    reply = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="hi there")
    assert reply.choices[0].text == "You said: hi there"
    options: Any = {"include_usage": True}
    stream = client.completions.create(
        model="m", prompt=["hi there"], stream=True, stream_options=options
    )
    *chunks, last = stream
    assert "".join(chunk.choices[0].text for chunk in chunks) == "You said: hi there"
    assert last.usage == reply.usage


# Responses


@needs_newer_openai
def test_responses_continue(client: OpenAI) -> None:
    """A response is kept, and the next one knows what was asked before."""
    first = client.responses.create(model="gpt-4o", input="one")
    second = client.responses.create(model="gpt-4o", input="two", previous_response_id=first.id)
    assert first.output_text == "You said: one"
    assert second.output_text == "You said: two (and before: one)"
    assert second.previous_response_id == first.id
    assert client.responses.retrieve(first.id) == first
    with pytest.raises(openai.BadRequestError, match="not found"):
        client.responses.create(model="m", input="x", previous_response_id="resp_none")
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_none")


@needs_newer_openai
def test_responses_stream(client: OpenAI) -> None:
    """All usual events come in order, numbered."""
    events: list[Any] = list(client.responses.create(model="m", input="hi", stream=True))
    kinds = [event.type.removeprefix("response.") for event in events]
    deltas = [event.delta for event in events if event.type.endswith("text.delta")]
    assert "".join(deltas) == "You said: hi"
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert kinds[-4:] == ["output_text.done", "content_part.done", "output_item.done", "completed"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.output_text == "You said: hi"


@needs_newer_openai
def test_responses_stream_resumes(client: OpenAI) -> None:
    """A kept response streams again from where the reader was."""
    response = client.responses.create(model="m", input="hi")
    events = list(client.responses.retrieve(response.id, stream=True, starting_after=2))
    assert events[0].sequence_number == 3
    assert events[-1].type == "response.completed"


def test_responses_are_framed_like_the_real_ones(server: OpenAIServer) -> None:
    """Each frame names its event, and there is no `[DONE]`."""
    reply = post(server, "/v1/responses", {"model": "m", "input": "hi", "stream": True})
    frames = reply.content.split(b"\n\n")
    assert frames[0].startswith(b'event: response.created\ndata: {"type":"response.created",')
    assert frames[-2].startswith(b"event: response.completed\n")
    assert b"[DONE]" not in reply.content


@needs_newer_openai
def test_responses_tools(client: OpenAI) -> None:
    """A function is called, plain and streamed, and its result gets a text."""
    tool: Any = {"type": "function", **WEATHER["function"], "strict": True}
    first = client.responses.create(model="m", input="weather?", tools=[tool])
    call: Any = first.output[0]
    assert (call.type, call.name) == ("function_call", "weather")
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    second = client.responses.create(
        model="m", input=[result], previous_response_id=first.id, tools=[tool]
    )
    assert second.output_text == "The tools said: rain"
    with client.responses.stream(model="m", input="weather?", tools=[tool]) as stream:
        final: Any = stream.get_final_response()
    assert json.loads(final.output[0].arguments) == {"city": "some city", "days": 7}


@needs_newer_openai
def test_responses_structured_output(client: OpenAI) -> None:
    """`parse` and the stream helper fill the class."""
    reply = client.responses.parse(model="m", input="capital?", text_format=Capital)
    assert reply.output_parsed is not None
    with client.responses.stream(model="m", input="capital?", text_format=Capital) as stream:
        assert stream.get_final_response().output_parsed == reply.output_parsed


# Other endpoints


def test_embeddings_in_both_encodings(server: OpenAIServer, client: OpenAI) -> None:
    """1,536 numbers, the same as floats and as base64."""
    floats = client.embeddings.create(model="e", input=["a", "b"], encoding_format="float")
    default = client.embeddings.create(model="e", input=["a", "b"])
    assert len(floats.data[0].embedding) == 1536
    assert floats.data[0].embedding != floats.data[1].embedding
    assert default.data[1].embedding == pytest.approx(floats.data[1].embedding)
    body = {"model": "e", "input": "a", "encoding_format": "base64", "dimensions": 4}
    packed = post(server, "/v1/embeddings", body).json()["data"][0]["embedding"]
    assert len(struct.unpack("<4f", base64.b64decode(packed))) == 4


def test_models(client: OpenAI) -> None:
    """Models are listed and found."""
    assert "gpt-4o" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-4o").owned_by == "system"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-none")


def test_moderations(client: OpenAI) -> None:
    """One text is flagged, the other is not."""
    reply = client.moderations.create(input=["some violence", "flowers"])
    assert [result.flagged for result in reply.results] == [True, False]
    assert reply.results[0].categories.violence


def test_images(client: OpenAI) -> None:
    """Pictures come as base64, new ones and edited ones."""
    reply = client.images.generate(model="gpt-image-1", prompt="a dot", n=2)
    assert reply.data is not None
    assert len(reply.data) == 2
    assert base64.b64decode(reply.data[0].b64_json or "").startswith(b"\x89PNG")
    edited = client.images.edit(model="gpt-image-1", image=("i.png", b"\x89PNG"), prompt="dotted")
    assert edited.data == reply.data[:1]


def test_speech(client: OpenAI) -> None:
    """Speech is binary, the same for the same text."""
    reply = client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
    assert reply.response.headers["content-type"] == "audio/mpeg"
    assert reply.content.startswith(b"ID3\x04\xff\xfb")
    assert reply.content == client.audio.speech.create(model="t", voice="a", input="hello").content


def test_speech_as_events(server: OpenAIServer) -> None:
    """With `stream_format=sse` the audio comes in events."""
    body = {"model": "tts-1", "voice": "alloy", "input": "hello", "stream_format": "sse"}
    reply = post(server, "/v1/audio/speech", body)
    assert reply.content.startswith(b'data: {"type":"speech.audio.delta","audio":"')


def test_transcriptions(client: OpenAI) -> None:
    """An upload is told back, as JSON, as text and with its segments."""
    create: Any = client.audio.transcriptions.create
    audio = ("a.mp3", b"ID3\xff\r\n--x\r\n")
    text = "A recording of 11 bytes called a.mp3."
    assert create(model="whisper-1", file=audio).text == text
    assert create(model="whisper-1", file=audio, response_format="text") == f"{text}\n"
    verbose = create(model="whisper-1", file=audio, response_format="verbose_json")
    assert verbose.segments[0].text == text


@needs_newer_openai
def test_transcription_streams(client: OpenAI) -> None:
    """A transcription comes in deltas when asked for."""
    create: Any = client.audio.transcriptions.create
    events = list(create(model="gpt-4o-transcribe", file=("a.mp3", b"ID3"), stream=True))
    assert events[-1].type == "transcript.text.done"
    assert "".join(e.delta for e in events[:-1]) == events[-1].text


def test_files(client: OpenAI) -> None:
    """Files are kept byte by byte, listed in pages and deleted."""
    content = bytes(range(256)) + b"\r\n\r\n"
    uploads = [("a.bin", content), ("b.txt", b"b"), ("c.txt", b"")]
    files = [client.files.create(file=upload, purpose="user_data") for upload in uploads]
    assert client.files.retrieve(files[0].id).filename == "a.bin"
    assert client.files.content(files[0].id).read() == content
    page = client.files.list(limit=2)
    assert (len(page.data), page.has_more) == (2, True)
    assert [file.filename for file in client.files.list(limit=2)] == ["c.txt", "b.txt", "a.bin"]
    assert client.files.delete(files[0].id).deleted
    with pytest.raises(openai.NotFoundError, match="No such File object"):
        client.files.retrieve(files[0].id)


def test_batches(client: OpenAI) -> None:
    """A batch moves on as it is watched, and its output file holds the answers."""
    line = {
        "custom_id": "one",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m", "messages": ask("hi")},
    }
    content = f"{json.dumps(line)}\n".encode()
    upload = client.files.create(file=("in.jsonl", content), purpose="batch")
    create: Any = client.batches.create
    options = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = create(input_file_id=upload.id, **options)
    states = [batch.status, *(client.batches.retrieve(batch.id).status for _ in range(2))]
    assert states == ["validating", "in_progress", "completed"]
    done = client.batches.retrieve(batch.id)
    result = json.loads(client.files.content(done.output_file_id or "").text)
    assert result["response"]["body"]["choices"][0]["message"]["content"] == "You said: hi"
    other = create(input_file_id=upload.id, **options)
    assert client.batches.cancel(other.id).status == "cancelling"
    assert [one.id for one in client.batches.list(limit=1)] == [other.id, batch.id]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_assistants(client: OpenAI) -> None:
    """A run is streamed event by event, and its answer stands in the thread."""
    beta: Any = client.beta
    assistant = beta.assistants.create(model="gpt-4o", name="Ada")
    thread = beta.threads.create()
    beta.threads.messages.create(thread.id, role="user", content="hi")
    events = list(beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True))
    kinds = [event.event for event in events]
    assert kinds[:3] == ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
    assert kinds[-1] == "thread.run.completed"
    run = beta.threads.runs.retrieve(events[0].data.id, thread_id=thread.id)
    assert run.status == "completed"
    newest = next(iter(beta.threads.messages.list(thread.id)))
    assert newest.content[0].text.value == "You said: hi"
    assert beta.threads.retrieve(thread.id).id == thread.id


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_assistants_create_and_run(server: OpenAIServer, client: OpenAI) -> None:
    """A thread can begin with its run, queued or streamed to `event: done`."""
    beta: Any = client.beta
    assistant = beta.assistants.create(model="gpt-4o")
    thread: Any = {"messages": ask("hi")}
    run = beta.threads.create_and_run(assistant_id=assistant.id, thread=thread)
    assert run.status == "queued"
    body = {"assistant_id": assistant.id, "thread": thread, "stream": True}
    reply = post(server, "/v1/threads/runs", body)
    assert reply.content.startswith(b'event: thread.run.created\ndata: {"id":"run_')
    assert reply.content.endswith(b"\n\nevent: done\ndata: [DONE]\n\n")


# Azure


def test_azure(server: OpenAIServer) -> None:
    """Azure's client finds the deployment, plain and streamed."""
    with AzureOpenAI(
        azure_endpoint=server.url, api_key="k", api_version="2024-10-21", max_retries=0
    ) as client:
        create: Any = client.chat.completions.create
        assert create(model="dep", messages=ask("hi")).choices[0].message.content == "You said: hi"
        chunks = list(create(model="dep", messages=ask("hi"), stream=True))
        assert client.models.retrieve("gpt-4o").id == "gpt-4o"
        assert client.embeddings.create(model="dep", input="a").data
    assert chunks[0].choices == []
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[1:])
    assert text == "You said: hi"
    path = "/openai/deployments/dep/chat/completions?api-version=2024-10-21"
    assert server.requests[0].path == path


def test_azure_bytes(server: OpenAIServer) -> None:
    """Azure's JSON is compact with a newline, its stream begins with the prompt's filter."""
    body = {"messages": ask("hi")}
    path = "/openai/deployments/gpt-4o/chat/completions?api-version=1"
    reply = post(server, path, body)
    assert reply.content.endswith(b"}\n")
    assert reply.content == f"{dump(reply.json())}\n".encode()
    assert reply.json()["model"] == "gpt-4o-2024-08-06"
    stream = post(server, path, {**body, "stream": True}).content
    assert stream.startswith(b'data: {"choices":[],"created":0,"id":"","model":"","object":"","pr')
    assert b"obfuscation" not in stream
    new = post(server, "/openai/v1/chat/completions", {"model": "m", **body})
    assert new.json()["choices"][0]["content_filter_results"]


# Faults


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.BAD_REQUEST, openai.BadRequestError),
        (Fault.UNAUTHORIZED, openai.AuthenticationError),
        (Fault.NOT_FOUND, openai.NotFoundError),
        (Fault.RATE_LIMITED, openai.RateLimitError),
        (Fault.SERVER_ERROR, openai.InternalServerError),
        (Fault.BAD_GATEWAY, openai.InternalServerError),
        (Fault.NOT_JSON, (openai.APIError, ValueError)),
        (Fault.STREAM_ERROR, openai.InternalServerError),
        (Fault.DISCONNECT, openai.APIConnectionError),
        (Fault.STREAM_CUT, openai.APIConnectionError),
    ],
)
def test_faults_by_model_name(client: OpenAI, fault: Fault, error: type[Exception]) -> None:
    """The model's name asks for a fault, and the SDK raises what fits it."""
    with pytest.raises(error):
        client.chat.completions.create(model=f"fault-{fault}", messages=ask("hi"))


def test_fault_by_prompt(client: OpenAI) -> None:
    """The prompt asks for a fault as well, on any endpoint."""
    with pytest.raises(openai.InternalServerError):
        client.completions.create(model="m", prompt="fault-server-error, please")
    with pytest.raises(openai.InternalServerError):
        client.files.create(file=("fault-server-error.txt", b""), purpose="batch")


def test_unauthorized_echoes_a_masked_key(server: OpenAIServer) -> None:
    """The key in the message shows its ends only."""
    with (
        OpenAI(base_url=server.base_url, api_key="invalid-key-12345", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError, match=r"invalid-\*{5}2345") as caught,
    ):
        client.chat.completions.create(model="fault-unauthorized", messages=ask("hi"))
    assert caught.value.code == "invalid_api_key"


def test_rate_limited_once_succeeds_on_the_retry(server: OpenAIServer, client: OpenAI) -> None:
    """The SDK waits as the headers say, and the same request then gets its answer."""
    retrying = client.with_options(max_retries=1)
    started = time.monotonic()
    reply = retrying.chat.completions.create(model="m", messages=ask("hi, fault-rate-limited-once"))
    assert reply.choices[0].message.content == "You said: hi, fault-rate-limited-once"
    assert time.monotonic() - started < 0.9
    assert len(server.requests) == 2
    retrying.files.create(file=("fault-rate-limited-once.txt", b""), purpose="batch")
    assert len(server.requests) == 4


def test_rate_limit_headers(server: OpenAIServer) -> None:
    """A 429 says in both headers when to come back."""
    body = {"model": "fault-rate-limited", "messages": ask("hi")}
    reply = post(server, "/v1/chat/completions", body)
    assert reply.status_code == 429
    assert (reply.headers["retry-after"], reply.headers["retry-after-ms"]) == ("1", "20")


def test_stall_lasts_until_the_client_gives_up(client: OpenAI) -> None:
    """Nothing comes, and neither the client nor the server hangs for ever."""
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.2).chat.completions.create(
            model="fault-stall", messages=ask("hi")
        )


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.STREAM_ERROR, (openai.APIError,)),
        (Fault.STREAM_CUT, (openai.APIConnectionError, httpx.RemoteProtocolError)),
        (Fault.STREAM_STALL, (openai.APITimeoutError, httpx.ReadTimeout)),
    ],
)
@pytest.mark.parametrize("api", ["chat", pytest.param("responses", marks=needs_newer_openai)])
def test_streams_break_in_the_middle(
    client: OpenAI, fault: Fault, error: tuple[type[Exception], ...], api: str
) -> None:
    """Some events come, then the fault."""
    patient: Any = client.with_options(timeout=0.5)
    options: Any = {"model": f"fault-{fault}", "stream": True}
    stream: Any = (
        patient.chat.completions.create(messages=ask("one two three"), **options)
        if api == "chat"
        else patient.responses.create(input="one two three", **options)
    )
    received: list[Any] = []
    with pytest.raises(error):
        received.extend(stream)
    assert received


def test_bad_requests(server: OpenAIServer) -> None:
    """What is no request of the API gets an error in its shape."""
    no_json = httpx.post(f"{server.base_url}/chat/completions", content=b"{")
    assert no_json.status_code == 400
    nothing = post(server, "/v1/chat/completions", {"model": "m"})
    assert nothing.json()["error"]["param"] == "messages"
    nowhere = post(server, "/v1/nowhere", {})
    assert nowhere.status_code == 404
    assert nowhere.json()["error"]["message"] == "Invalid URL (POST /v1/nowhere)"
    assert httpx.put(f"{server.url}/elsewhere").status_code == 404
    assert httpx.patch(f"{server.url}/elsewhere").status_code == 404


# Both servers at the HTTP edge


def test_gzip_on_request() -> None:
    """JSON is compressed for those who accept it."""
    with OpenAIServer(gzip=True) as server:
        plain = httpx.get(f"{server.base_url}/models", headers={"accept-encoding": "identity"})
        packed = httpx.get(f"{server.base_url}/models")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content


def test_connections_are_kept_alive() -> None:
    """Two requests of one client share a connection, chunked uploads included."""
    with FaultServer(Reply((b"one",)), Reply((b"two",))) as server, httpx.Client() as client:
        first = client.post(server.url, content=iter([b"a", b"bc"]))
        stream = first.extensions["network_stream"]
        second = client.delete(server.url)
    assert (first.content, second.content) == (b"one", b"two")
    assert second.extensions["network_stream"] is stream
    assert server.requests[0].body == b"abc"
    assert server.requests[1].method == "DELETE"


def test_stopped_server_refuses() -> None:
    """After `stop`, nobody answers, open connections included, and the port can be taken again."""
    with OpenAIServer() as server, httpx.Client() as client:
        assert client.get(f"{server.base_url}/models").status_code == 200
        server.stop()
        server.stop()
        with pytest.raises(httpx.TransportError):
            client.get(f"{server.base_url}/models")
        with OpenAIServer(port=int(server.url.rpartition(":")[2])) as again:
            assert again.url == server.url
            assert client.get(f"{server.base_url}/models").status_code == 200


def test_stop_ends_a_stall() -> None:
    """A server stops at once although a client still waits for it."""
    reply = Reply((b"half",), framing=Framing.CHUNKED, ending=Ending.STALL)
    with FaultServer(reply) as server, httpx.stream("GET", server.url) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"half"
        started = time.monotonic()
        server.stop()
        with pytest.raises(httpx.RemoteProtocolError):
            next(pieces)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("is_gzipped", [False, True])
def test_any_bytes_arrive(framing: Framing, is_gzipped: bool) -> None:
    """The body is what was scripted, however it is framed, and no header is added but those."""
    body = (bytes(range(256)), b"", b"\r\n0\r\n\r\n")
    headers = (("X-Two", "1"), ("x-two", "2"))
    reply = Reply(body, 418, headers, framing, is_gzipped=is_gzipped)
    with FaultServer(reply) as server:
        for _ in range(2):
            response = httpx.get(server.url)
            assert response.content == b"".join(body)
    assert response.status_code == 418
    assert response.headers.raw[:2] == [(b"X-Two", b"1"), (b"x-two", b"2")]
    added = {"content-encoding"} if is_gzipped else set()
    framed = set() if framing is Framing.UNTIL_CLOSE else {"content-length", "transfer-encoding"}
    assert set(response.headers) - {"x-two"} <= added | framed


@pytest.mark.parametrize("framing", [Framing.LENGTH, Framing.CHUNKED])
@pytest.mark.parametrize("is_gzipped", [False, True])
def test_cut_body_raises(framing: Framing, is_gzipped: bool) -> None:
    """A body without its end is no complete body."""
    reply = Reply((b"half",), framing=framing, ending=Ending.CUT, is_gzipped=is_gzipped)
    with FaultServer(reply) as server, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.url)


@pytest.mark.parametrize("framing", list(Framing))
def test_reset_raises(framing: Framing) -> None:
    """A reset is an error whatever frames the body."""
    reply = Reply((b"half", 0.1), framing=framing, ending=Ending.RESET)
    with FaultServer(reply) as server, pytest.raises(httpx.ReadError):
        httpx.get(server.url)


def test_nothing_at_all_raises() -> None:
    """Without a status, not even a status line is sent."""
    reply = Reply(status=None, ending=Ending.CUT)
    error = pytest.raises(httpx.RemoteProtocolError, match="without sending")
    with FaultServer(reply) as server, error:
        httpx.get(server.url)


def test_raw_reply() -> None:
    """Without a status, the pieces are the whole reply, and the last one repeats."""
    raw = b"HTTP/1.1 299 Odd Reason\r\nContent-Length: 2\r\n\r\nok"
    with FaultServer(Reply((raw,), status=None)) as server:
        replies = [httpx.get(server.url) for _ in range(3)]
    assert {(reply.status_code, reply.reason_phrase, reply.text) for reply in replies} == {
        (299, "Odd Reason", "ok")
    }


def test_pauses_keep_chunks_apart() -> None:
    """A number among the pieces is a pause, and each chunk arrives on its own, even zipped."""
    pieces = (b"data: 1\n\n", 0.2, DONE)
    reply = Reply(pieces, framing=Framing.CHUNKED, is_gzipped=True)
    started = time.monotonic()
    with FaultServer(reply) as server, httpx.stream("GET", server.url) as response:
        chunks = [chunk for chunk in response.iter_bytes() if chunk]
    assert chunks == [b"data: 1\n\n", DONE]
    assert time.monotonic() - started >= 0.2
    with FaultServer(reply) as server, httpx.stream("GET", server.url) as response:
        assert gzip.decompress(b"".join(response.iter_raw())) == b"".join(pieces[::2])
