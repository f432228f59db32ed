"""Through the real SDKs: what they raise, and when, is the same without us, recorded and replayed.

Each runs with the newest version that is installed, and is skipped where there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import vcr_llm
from tests.sdk.clients import KINDS, NO_TLS, entered, plain, settled
from tests.servers.fault_server import Ending, FaultServer, Reply
from tests.servers.openai_wire import DONE, frame
from tests.streams.callers import Each, documents, responses
from tests.streams.stream_server import PATIENCE, SILENCE, Gate, StreamServer, stream

MESSAGES: Any = [{"role": "user", "content": "Say hello."}]


def chat_chunk(text: str) -> bytes:
    """A chunk of a chat completion."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return frame({**head, "choices": [choice]})


def response_event(kind: str, number: int, **fields: Any) -> bytes:
    """An event of OpenAI's Responses."""
    return frame({"type": kind, "sequence_number": number, **fields}, kind)


def message_event(kind: str, **fields: Any) -> bytes:
    """An event of Anthropic's Messages."""
    return frame({"type": kind, **fields}, kind)


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "status": "in_progress",
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
PART: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
ITEM: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [],
    "status": "in_progress",
}
DONE_ITEM = {**ITEM, "content": [{**PART, "text": "Grüß"}], "status": "completed"}
DONE_RESPONSE = {**RESPONSE, "output": [DONE_ITEM], "status": "completed"}
PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}


@dataclass(frozen=True, slots=True)
class Api:
    """A streaming endpoint of an SDK: what the server sends, and how it is asked."""

    sdk: str
    frames: tuple[bytes, ...]
    """The whole answer; the last of them says that it is the last."""
    error: bytes
    resource: str
    arguments: dict[str, Any]

    @property
    def module(self) -> ModuleType:
        """The SDK; the test is skipped where it is not installed."""
        module: ModuleType = pytest.importorskip(self.sdk)
        return module

    @asynccontextmanager
    async def client(self, kind: str, url: str, **options: Any) -> AsyncIterator[Any]:
        """A client of the SDK, on the HTTP library that it brings."""
        module, prefix = self.module, "Async" if kind == "async" else ""
        http = getattr(module, f"Default{prefix}HttpxClient")(verify=NO_TLS, trust_env=False)
        make = getattr(module, prefix + {"openai": "OpenAI", "anthropic": "Anthropic"}[self.sdk])
        base_url = f"{url}/v1" if self.sdk == "openai" else url
        settings = {"base_url": base_url, "api_key": "none", "max_retries": 0, "timeout": PATIENCE}
        async with entered(make(http_client=http, **{**settings, **options})) as client:
            yield client

    async def ask(self, client: Any) -> Any:
        """The stream of the SDK."""
        call = self._method(client, "create")
        return await settled(call(model="m", stream=True, **self.arguments))

    def helped(self, client: Any) -> Any:
        """The SDK's own context of a stream."""
        return entered(self._method(client, "stream")(model="m", **self.arguments))

    def _method(self, client: Any, name: str) -> Any:
        found = client
        for part in (*self.resource.split("."), name):
            if not hasattr(found, part):
                pytest.skip(f"this version of {self.sdk} has no {self.resource}.{name}")
            found = getattr(found, part)
        return found


APIS = {
    "chat": Api(
        "openai",
        (*map(chat_chunk, ("Grüß", " Gott", "!")), DONE),
        frame({"error": {"message": "Overloaded", "type": "server_error", "code": None}}),
        "chat.completions",
        {"messages": MESSAGES},
    ),
    "responses": Api(
        "openai",
        (
            response_event("response.created", 0, response=RESPONSE),
            response_event("response.output_item.added", 1, output_index=0, item=ITEM),
            response_event("response.content_part.added", 2, part=PART, **PLACE),
            response_event("response.output_text.delta", 3, delta="Grüß", logprobs=[], **PLACE),
            response_event("response.output_item.done", 4, output_index=0, item=DONE_ITEM),
            response_event("response.completed", 5, response=DONE_RESPONSE),
        ),
        response_event("error", 2, error={"message": "Overloaded", "type": "server_error"}),
        "responses",
        {"input": "Say hello."},
    ),
    "messages": Api(
        "anthropic",
        (
            message_event("message_start", message=MESSAGE),
            message_event(
                "content_block_start", index=0, content_block={"type": "text", "text": ""}
            ),
            message_event(
                "content_block_delta", index=0, delta={"type": "text_delta", "text": "Grüß"}
            ),
            message_event("message_stop"),
        ),
        message_event("error", error={"type": "overloaded_error", "message": "Overloaded"}),
        "messages",
        {"messages": MESSAGES, "max_tokens": 10},
    ),
}


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    """Each endpoint."""
    found = APIS[request.param]
    assert found.module
    return found


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A sync client and an async one."""
    return str(request.param)


@pytest.fixture
def without_delay(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK tries again at once."""
    base = pytest.importorskip(f"{api.sdk}._base_client").BaseClient
    monkeypatch.setattr(base, "_calculate_retry_timeout", lambda *_args, **_options: 0)


class Met(NamedTuple):
    """What the user of an SDK met: its events, its error, and the HTTP library's error below."""

    events: list[Any]
    errors: list[tuple[str, str]]


def chain(error: BaseException | None) -> list[tuple[str, str]]:
    """An error and its causes, down to the HTTP library's; what is below belongs to the socket."""
    found = []
    while error is not None and not type(error).__module__.startswith("httpcore"):
        found.append((type(error).__name__, str(error)))
        error = error.__cause__
    return found


async def listen(api: Api, kind: str, url: str, only: int | None = None, **options: Any) -> Met:
    """Reads a stream of the SDK, or the first so many of its events."""
    events: list[Any] = []
    async with api.client(kind, url, **options) as client:
        try:
            answer = await api.ask(client)
            async for event in Each(answer):
                events.append(plain(event))
                if len(events) == only:
                    break
            await settled(answer.close())
        except api.module.APIError as error:
            return Met(events, chain(error))
        except Exception as error:
            if "httpx" not in type(error).__module__:
                raise
            return Met(events, chain(error))  # anthropic lets them through
    return Met(events, [])


def meets(api: Api, kind: str, url: str, **options: Any) -> Met:
    """What a user of the SDK meets."""
    return asyncio.run(listen(api, kind, url, **options))


ENDINGS: dict[str, Callable[[Api], Reply]] = {
    "complete": lambda api: stream(api.frames),
    "without a last event": lambda api: stream(api.frames[:-1]),
    "cut before the first event": lambda api: stream((), Ending.CUT),
    "cut between events": lambda api: stream(api.frames[:2], Ending.CUT),
    "cut in an event": lambda api: stream((*api.frames[:2], api.frames[2][:-9]), Ending.CUT),
    "reset": lambda api: stream(api.frames[:2], Ending.RESET),
    "stalled": lambda api: stream(api.frames[:2], Ending.STALL),
    "an error event": lambda api: stream((*api.frames[:2], api.error)),
}
DISTURBED = {"cut before the first event", "cut between events", "cut in an event", "reset"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_sdk_meets_the_same_end(api: Api, kind: str, cassette: Path, ending: str) -> None:
    """The same events, the same exception behind them, the same error below it."""
    options = {"timeout": api.module.Timeout(PATIENCE, read=SILENCE)} if ending == "stalled" else {}
    reply = ENDINGS[ending](api)
    with FaultServer(reply) as server:
        raw = meets(api, kind, server.url, **options)
        with vcr_llm.use_cassette(cassette, normalize=False):
            live = meets(api, kind, server.url, **options)
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        again = meets(api, kind, server.url)
    assert again == live == raw
    assert replayed.all_played
    (response,) = responses(cassette)
    ended = response.get("ended", {})
    if ending in DISTURBED:
        assert raw.errors
        assert ended["type"] in ("RemoteProtocolError", "ReadError")
    elif ending == "stalled":
        assert raw.errors
        assert ended["type"] == "ReadTimeout"
    else:
        assert ended == {}


def test_events_reach_the_user_while_they_are_recorded(api: Api, kind: str, cassette: Path) -> None:
    """The server sends no event before the user has the one before it."""
    gate = Gate()

    async def scenario(url: str) -> int:
        count = 0
        async with api.client(kind, url) as client:
            async for _event in Each(await api.ask(client)):
                count += 1
                gate.open()
        return count

    gated = stream(gate.between(api.frames))
    with FaultServer(gated) as server, vcr_llm.use_cassette(cassette):
        count = asyncio.run(scenario(server.url))
    assert count == len([frame for frame in api.frames if frame != DONE])
    assert "ended" not in responses(cassette)[0]


def test_a_user_who_breaks_off_breaks_off_again(api: Api, kind: str, cassette: Path) -> None:
    """What came is replayed; the code stops where it stopped."""
    with StreamServer(lambda _request: stream(api.frames[:2], Ending.STALL)) as server:
        with vcr_llm.use_cassette(cassette, normalize=False):
            live = meets(api, kind, server.url, only=1)
        assert server.closes_all_but(0)
        with vcr_llm.use_cassette(cassette, record_mode="none"):
            assert meets(api, kind, server.url, only=1) == live
    assert len(live.events) == 1
    assert responses(cassette)[0]["ended"] == {"by": "client"}


def test_a_user_who_reads_on_is_told(api: Api, kind: str, cassette: Path) -> None:
    """The SDK lets the error through that says how to record again."""
    with (
        StreamServer(lambda _request: stream(api.frames[:1], Ending.STALL)) as server,
        vcr_llm.use_cassette(cassette),
    ):
        meets(api, kind, server.url, only=1)
    with (
        pytest.raises(vcr_llm.RecordingEnds),
        vcr_llm.use_cassette(cassette, record_mode="none"),
    ):
        meets(api, kind, server.url)


@pytest.mark.parametrize("only", [1, None], ids=["left", "whole"])
def test_the_sdks_own_context_of_a_stream(
    api: Api, kind: str, cassette: Path, only: int | None
) -> None:
    """It closes the stream when it is left; the same events come on replay."""

    async def scenario(url: str) -> list[str]:
        found: list[str] = []
        async with api.client(kind, url) as client, api.helped(client) as helped:
            async for event in Each(helped):
                found.append(type(event).__name__)
                if len(found) == only:
                    break
        return found

    ending = Ending.STALL if only else Ending.COMPLETE
    with StreamServer(lambda _request: stream(api.frames[: only and 2], ending)) as server:
        with vcr_llm.use_cassette(cassette):
            live = asyncio.run(scenario(server.url))
        assert server.closes_all_but(0)
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert asyncio.run(scenario(server.url)) == live
    assert replayed.all_played
    assert live
    assert ("ended" in responses(cassette)[0]) is (only is not None)


@pytest.mark.usefixtures("without_delay")
def test_each_attempt_of_the_sdk_is_a_recording(api: Api, kind: str, cassette: Path) -> None:
    """Two refusals and an answer are three recordings, replayed in that order."""
    refusal = Reply((b"{}",), 500, (("Content-Type", "application/json"),))
    with (
        FaultServer(refusal, refusal, stream(api.frames)) as server,
        vcr_llm.use_cassette(cassette, normalize=False),
    ):
        live = meets(api, kind, server.url, max_retries=2)
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert meets(api, kind, server.url, max_retries=2) == live
    assert live.errors == []
    assert [response.get("status", 200) for response in responses(cassette)] == [500, 500, 200]
    assert replayed.play_count == 3


UNANSWERED = {Ending.CUT: "APIConnectionError", Ending.STALL: "APITimeoutError"}


@pytest.mark.usefixtures("without_delay")
@pytest.mark.parametrize("ending", UNANSWERED)
def test_retries_without_any_response_are_recorded_on_request(
    api: Api, kind: str, cassette: Path, ending: Ending
) -> None:
    """With `record_errors` each attempt is a recording; the SDK gives up with the same error."""
    timeout = api.module.Timeout(PATIENCE, read=0.05)
    with FaultServer(Reply(status=None, ending=ending)) as server:
        raw = meets(api, kind, server.url, max_retries=1, timeout=timeout)
        with vcr_llm.use_cassette(cassette, record_errors=True):
            live = meets(api, kind, server.url, max_retries=1, timeout=timeout)
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        again = meets(api, kind, server.url, max_retries=1)
    assert again == live == raw
    assert live.errors[0][0] == UNANSWERED[ending]
    assert replayed.play_count == len(documents(cassette)) == 2


@pytest.mark.usefixtures("without_delay")
def test_an_error_and_then_an_answer_are_replayed_in_their_order(
    api: Api, kind: str, cassette: Path
) -> None:
    """The SDK's own second attempt succeeds, live and on replay."""
    hang_up = Reply(status=None, ending=Ending.CUT)
    with (
        FaultServer(hang_up, stream(api.frames)) as server,
        vcr_llm.use_cassette(cassette, record_errors=True, normalize=False),
    ):
        live = meets(api, kind, server.url, max_retries=1)
    with vcr_llm.use_cassette(cassette, record_mode="none") as replayed:
        assert meets(api, kind, server.url, max_retries=1) == live
    assert live.errors == []
    assert replayed.play_count == 2


async def give_up(api: Api, url: str) -> list[Any]:
    """Reads until a timeout of its own, which runs out soon after the second event."""
    events: list[Any] = []
    with pytest.raises(TimeoutError):  # noqa: PT012 - the timeout raises at its end
        async with asyncio.timeout(PATIENCE) as timeout, api.client("async", url) as client:
            async for event in Each(await api.ask(client)):
                events.append(plain(event))
                if len(events) == 2:
                    timeout.reschedule(asyncio.get_running_loop().time() + SILENCE)
    return events


def test_a_timeout_of_the_users_own_runs_out_again(api: Api, cassette: Path) -> None:
    """The task that reads is cancelled, live and on replay, with the same events in its hands."""
    with StreamServer(lambda _request: stream(api.frames[:2], Ending.STALL)) as server:
        with vcr_llm.use_cassette(cassette, normalize=False):
            live = asyncio.run(give_up(api, server.url))
        assert server.closes_all_but(0)
        with vcr_llm.use_cassette(cassette, record_mode="none"):
            assert asyncio.run(give_up(api, server.url)) == live
    assert len(live) == 2
