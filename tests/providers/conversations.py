"""A conversation through an SDK: recorded, replayed with the network blocked, its files read.

What a conversation gives is everything that its SDK gave, as plain values. Each module of this
folder is a table of conversations; the tests over it are the same for every SDK.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import textwrap
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError
from pytest_recording.network import blocking_context

import vcr_llm
from tests.sdk.clients import each, plain, recordings, settled
from vcr_llm._document import request_of

Document = dict[str, Any]

_LENIENT = ("extra_forbidden", "missing")
"""What SDKs do not mind in an answer: fields that they do not know, and fields that it lacks."""

_HEADERS = re.compile(r"""headers: {[^}]*}, |.HTTPHeaders.: {[^}]*}, """)
"""Some errors print the response's headers, of which most are noise."""

KEYS = {
    "anthropic": "sk-ant-api03-Zx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5",
    "aws_id": "AKIAZX8VT2MQPL4NR7WK",
    "aws_secret": "Zx8vT2mQpL4nR7wK1bY6/cD3fG9hJ0sA5+uE8iO2",
    "aws_session": "FwoGZXIvYXdzEZx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5uE8iO2Zx8vT2mQpL4nR7wK",
    "cohere": "Zx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5uE8iO2xW",
    "google": "AIzaSyZx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5",
    "google_token": "ya29.a0AfB_Zx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5uE8iO2",
    "mistral": "Zx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5",
    "ollama": "Zx8vT2mQpL4nR7wK1bY6cD3f.fG9hJ0sA5",
    "openai": "sk-proj-Zx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5",
    "bearer": "Zx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5",
}
"""A key for each provider, of its shape; none of them may ever be found on disk."""


class Written(NamedTuple):
    """What the file of one request says; a plain body has one label."""

    endpoint: str
    model: str | None
    labels: tuple[str | None, ...] = (None,)
    is_streaming: bool = False
    status: int = 200
    framing: tuple[str, ...] = ()
    """Where the server differs from what the provider itself sends."""
    ended_by: str | None = None
    """Who ended a stream before its end."""

    def as_far_as(self, document: Document) -> Written:
        """The same; LiteLLM may close a stream before its last event, which is missing then."""
        response = document["response"]
        if response.get("ended", {}).get("by") != "client":
            return self
        is_whole = self.labels[-1] in map(label, response["body"])
        labels = self.labels if is_whole else self.labels[:-1]
        return self._replace(labels=labels, ended_by="client")


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is said to a server, given its address, and what the files then hold, in order."""

    name: str
    hold: Callable[[str], list[Any]]
    written: tuple[Written, ...] = field(default=())

    def __str__(self) -> str:
        return self.name


def spoken(
    kind: str,
    scenario: Callable[[Any], Coroutine[Any, Any, list[Any]]],
    open_client: Callable[[str, str], Any],
    written: tuple[Written, ...],
) -> Conversation:
    """A scenario with a client of that kind, which ``open_client(kind, origin)`` opens."""

    async def speak(origin: str) -> list[Any]:
        async with open_client(kind, origin) as client:
            return await scenario(client)

    return Conversation(
        f"{scenario.__name__}-{kind}", lambda origin: asyncio.run(speak(origin)), written
    )


def record_and_replay(
    conversation: Conversation, origin: str, cassette: Path, **options: Any
) -> tuple[list[Any], list[Any]]:
    """What a conversation gives live, and again with the network blocked."""
    with vcr_llm.use_cassette(cassette, record_mode="once", **options):
        live = conversation.hold(origin)
    with (
        blocking_context(),
        vcr_llm.use_cassette(cassette, record_mode="none", **options) as replayed,
    ):
        again = conversation.hold(origin)
        assert replayed.all_played
    return live, again


def documents(cassette: Path) -> list[Document]:
    """The recordings of a cassette in the order in which they were made."""
    found = [json.loads(path.read_text("utf-8")) for path in recordings(cassette)]
    return sorted(found, key=lambda document: document.get("sequence", 0))


def written(document: Document) -> Written:
    """What a recording says about itself; its labels without repetition, in order."""
    request, response = document["request"], document["response"]
    body = response["body"]
    entries = body if response["is_streaming"] else [body]
    return Written(
        request["endpoint"],
        request["model"],
        tuple(dict.fromkeys(map(label, entries))),
        response["is_streaming"],
        response.get("status", 200),
        tuple(sorted(response.get("framing", {}))),
        response.get("ended", {}).get("by"),
    )


def label(entry: Any) -> str | None:
    """The label of an entry; of what a frame of Amazon's wraps, where it wraps something."""
    entry = _unwrapped(entry)
    return entry.get("__type__") if isinstance(entry, dict) else None


def refusals(document: Document) -> list[str]:
    """What the models named by a recording's labels refuse of its payloads, if installed."""
    body = document["response"]["body"]
    entries = body if document["response"]["is_streaming"] else [body]
    found = []
    for entry in map(_unwrapped, entries):
        name = label(entry)
        module, _, model = (name or "").rpartition(".")
        if module and importlib.util.find_spec(module.partition(".")[0]):
            adapter = TypeAdapter(getattr(importlib.import_module(module), model))
            try:
                adapter.validate_python(entry["__data__"])
            except ValidationError as error:
                found += [f"{name}: {one}" for one in error.errors() if one["type"] not in _LENIENT]
    return found


def _unwrapped(entry: Any) -> Any:
    """What a frame of Amazon's wraps, where it wraps something."""
    match entry:
        case {"__event__": str(), "__data__": {"bytes": wrapped}}:
            return wrapped
        case _:
            return entry


def assert_no_key(cassette: Path) -> None:
    """No byte of any file, and no file's name, holds a key."""
    for path in cassette.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for name, key in KEYS.items():
            assert key.encode() not in content + path.name.encode(), f"{name}: {path.name}"


async def until_cut(stream: Any, kind: type[BaseException]) -> list[Any]:
    """What came of a stream as plain values, and the error that ended it."""
    came: list[Any] = []
    with refused(kind) as told:
        async for item in each(await settled(stream)):
            came.append(plain(item))  # noqa: PERF401 - what came stays, also if an error follows
    return [*came, told]


@contextmanager
def refused(
    kind: type[BaseException] | tuple[type[BaseException], ...],
) -> Iterator[list[Any]]:
    """A list that will hold the error which the block raises, as plain values."""
    told: list[Any] = []
    with pytest.raises(kind) as raised:
        yield told
    error: Any = raised.value
    told += [type(error).__qualname__, _HEADERS.sub("", str(error))]
    told += [getattr(error, name, None) for name in ("status_code", "code", "status")]
    told.append(_HEADERS.sub("", str(getattr(error, "body", None))))


class Conversations:
    """The tests over a module's table: it names its ``CONVERSATIONS``, conftest.py passes them."""

    test: ClassVar[str]
    """A test as a user of the SDK writes it, marked and with the documented conftest."""

    def test_objects_are_equal(
        self, conversation: Conversation, aimock: str, tmp_path: Path
    ) -> None:
        """With the network blocked, the SDK gives every object and error that it gave live."""
        live, replayed = record_and_replay(
            conversation, aimock, tmp_path / "cassette", normalize=False
        )
        assert live
        assert replayed == live

    def test_files_are_readable(
        self, conversation: Conversation, aimock: str, tmp_path: Path
    ) -> None:
        """One file per request, which says model, events and their labels, and holds no key."""
        cassette = tmp_path / "cassette"
        with vcr_llm.use_cassette(cassette, record_mode="once"):
            conversation.hold(aimock)
        found = documents(cassette)
        assert len(found) == len(conversation.written)
        for document, expected in zip(found, conversation.written, strict=True):
            assert written(document) == expected.as_far_as(document)
        assert not [refusal for document in found for refusal in refusals(document)]
        assert_no_key(cassette)

    def test_another_recording_answers(
        self, conversation: Conversation, aimock: str, tmp_path: Path
    ) -> None:
        """What is random in a conversation, such as ids of tool calls, does not decide a match."""
        one, other = tmp_path / "one", tmp_path / "other"
        for cassette in (one, other):
            with vcr_llm.use_cassette(cassette, record_mode="once"):
                conversation.hold(aimock)
        with blocking_context(), vcr_llm.use_cassette(one, record_mode="none") as replayed:
            for document in documents(other):
                send_again(document)
            assert replayed.all_played

    def test_a_users_test_replays(
        self, aimock: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A marked test is recorded once, and passes with the network blocked from then on."""
        monkeypatch.delenv("VCR_LLM_MODE", raising=False)
        pytester.makeconftest(_CONFTEST)
        pytester.makeini(_SETTINGS)
        pytester.makepyfile(
            test_user=_HEAD.format(origin=aimock, keys=KEYS) + textwrap.dedent(self.test)
        )
        for arguments in (("--record-mode=once",), ("--record-mode=none", "--block-network")):
            pytester.runpytest_inprocess(*arguments).assert_outcomes(passed=1)
        cassette = pytester.path / "cassettes" / "test_user" / "test_answer"
        found = documents(cassette)
        assert found
        assert {document["test_id"] for document in found} == {"test_user.py::test_answer"}
        assert_no_key(cassette)


_SETTINGS = """
[pytest]
addopts = -p no:cacheprovider -p no:hypothesispytest
filterwarnings =
    error
    ignore:Inheritance class AiohttpClientSession:DeprecationWarning
    ignore:Items? .* on TypedDict class:UserWarning
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""
_CONFTEST = """
import pytest
import vcr_llm

@pytest.fixture(scope="session")
def vcr_config():
    return vcr_llm.config()
"""
_HEAD = """
import pytest

ORIGIN = {origin!r}
KEYS = {keys!r}
pytestmark = pytest.mark.vcr

"""


def send_again(document: Document) -> None:
    """Send a recorded request with a plain client; only the recording can answer it."""
    request = request_of(document)
    headers = list(request.headers)
    with httpx.stream(
        request.method, request.url, content=request.body, headers=headers
    ) as response:
        assert response.status_code == document["response"].get("status", 200)
