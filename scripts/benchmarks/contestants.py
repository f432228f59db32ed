"""The recorders that are compared, behind one interface, and the client alone as the limit.

https://vcrpy.readthedocs.io, https://kludex.github.io/cassetter
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import openai
import vcr
import vcr.serialize
from vcr.request import Request
from vcr.serializers import jsonserializer, yamlserializer

import vcr_llm
from scripts.benchmarks.exchanges import (
    CHAT,
    EMBEDDING,
    EMBEDDINGS,
    EVENT_STREAM,
    JSON,
    ORIGIN,
    PLAIN,
    STREAMED,
    Exchange,
    exchange,
)
from scripts.benchmarks.tables import OURS
from scripts.benchmarks.targets import CASSETTER, CLIENT, IN_EVENTS, IN_ONE_BLOCK
from vcr_llm._address import address_of, file_name
from vcr_llm._json import document_text

NONE, NEW_EPISODES = "none", "new_episodes"
TEMPLATE = 987_654  # a number that stands nowhere else in an exchange

OpenCassette: TypeAlias = Any  # each recorder has a type of its own, and few have hints
HTTPMessage: TypeAlias = Any  # of httpx or httpx2


class Contestant:
    """A recorder; by itself it is none at all: requests go where they go."""

    name = CLIENT

    def client(
        self, _exchanges: Sequence[Exchange], /, base_url: str = f"{ORIGIN}/v1"
    ) -> openai.OpenAI:
        """A client whose requests this recorder sees; the exchanges are those of the cassette."""
        return openai.OpenAI(base_url=base_url, api_key="none", max_retries=0)

    def write(self, folder: Path, _exchanges: Sequence[Exchange], /) -> Path:
        """A cassette with these exchanges, as this recorder writes it."""
        return folder

    def open(self, _path: Path, _mode: str, /) -> AbstractContextManager[Any]:
        """The cassette's context."""
        return nullcontext()

    def prepare(self, cassette: OpenCassette) -> None:
        """Do what the first request without a recording makes necessary, and no later one."""

    def add(self, cassette: OpenCassette, one: Exchange) -> None:
        """Record one more exchange in an open cassette."""


class ClientAlone(Contestant):
    """The HTTP client's own MockTransport with a dictionary: nothing can be faster.

    A body in one block is what no server sends: code under test then meets all events at once. In
    events, as a recording is replayed, the client has more to do.
    """

    def __init__(self, *, in_events: bool = False) -> None:
        self.name = IN_EVENTS if in_events else IN_ONE_BLOCK
        self._in_events = in_events

    def client(
        self, exchanges: Sequence[Exchange], /, base_url: str = f"{ORIGIN}/v1"
    ) -> openai.OpenAI:
        """A client that answers from memory."""
        # httpx2 for openai 3, httpx for those before.
        http_client_class = openai.DefaultHttpxClient.__mro__[1]
        library: Any = sys.modules[http_client_class.__module__.partition(".")[0]]
        answers = {_value(one.request): one for one in exchanges}

        def answer(request: HTTPMessage) -> HTTPMessage:
            found = answers[_value(request.read())]
            headers = {"content-type": found.content_type}
            content = iter(frames(found.response)) if self._in_events else found.response
            return library.Response(200, headers=headers, content=content)

        http_client = library.Client(transport=library.MockTransport(answer))
        return openai.OpenAI(base_url=base_url, api_key="none", http_client=http_client)


class VcrLlm(Contestant):
    """Ours, with its defaults."""

    name = OURS

    def write(self, folder: Path, exchanges: Sequence[Exchange], /) -> Path:
        """A directory. One recording is written by vcr-llm and is the pattern of the others."""
        path = folder / "vcr-llm"
        path.mkdir()
        pattern = self.pattern(kind_of(exchanges[0]))
        for number in range(len(exchanges)):
            write_recording(path, {**made_from(pattern, number), "sequence": number})
        return path

    def pattern(self, kind: str) -> str:
        """A recording as vcr-llm writes it."""
        with tempfile.TemporaryDirectory() as folder:
            with self.open(Path(folder) / "one", NEW_EPISODES) as cassette:
                self.add(cassette, exchange(TEMPLATE, kind))
            (file,) = Path(folder).glob("one/*.json")
            return file.read_text(encoding="utf-8")

    def open(self, path: Path, mode: str, /) -> AbstractContextManager[Any]:
        """Our context."""
        context: AbstractContextManager[Any] = vcr_llm.use_cassette(str(path), record_mode=mode)
        return context

    def prepare(self, cassette: OpenCassette) -> None:
        """Read all recordings, since one under another name may answer."""
        unknown = Request("POST", f"{ORIGIN}{CHAT}/unknown", b"{}", {"content-type": JSON})
        if cassette.play(unknown) is not None:
            msg = "a request that was never made has a recording"
            raise AssertionError(msg)

    def add(self, cassette: OpenCassette, one: Exchange) -> None:
        """As vcrpy does it."""
        _append(cassette, one)


@dataclass
class Vcrpy(Contestant):
    """vcrpy, which matches by URL unless it is told to look at the body."""

    serializer: str
    with_body: bool = False
    """Matching is all that this changes."""

    def __post_init__(self) -> None:
        self.name = f"vcrpy {self.serializer.upper()}{', body matched' if self.with_body else ''}"

    def write(self, folder: Path, exchanges: Sequence[Exchange], /) -> Path:
        """One file."""
        path = folder / f"vcrpy.{self.serializer}"
        if not path.exists():
            requests, responses = _as_vcrpy(exchanges)
            serializer = {"yaml": yamlserializer, "json": jsonserializer}[self.serializer]
            whole = {"requests": requests, "responses": responses}
            path.write_text(vcr.serialize.serialize(whole, serializer), encoding="utf-8")
        return path

    def open(self, path: Path, mode: str, /) -> AbstractContextManager[Any]:
        """vcrpy's context."""
        match_on = ("method", "scheme", "host", "port", "path", "query")
        recorder = vcr.VCR(
            serializer=self.serializer,
            record_mode=vcr.mode(mode),
            match_on=(*match_on, "body") if self.with_body else match_on,
        )
        context: AbstractContextManager[Any] = recorder.use_cassette(str(path))
        return context

    def add(self, cassette: OpenCassette, one: Exchange) -> None:
        """vcrpy's own call."""
        _append(cassette, one)


class Cassetter(Contestant):
    """cassetter with YAML, its default, and the JSON body matched."""

    name = CASSETTER

    def __init__(self) -> None:
        self._library: Any = importlib.import_module("cassetter")

    def write(self, folder: Path, exchanges: Sequence[Exchange], /) -> Path:
        """One file."""
        path = folder / "cassetter.yaml"
        with self.open(path, NEW_EPISODES) as cassette:
            for one in exchanges:
                self.add(cassette, one)
        return path

    def open(self, path: Path, mode: str, /) -> AbstractContextManager[Any]:
        """cassetter's context."""
        match_on = ["method", "uri", "json_body"]
        context: AbstractContextManager[Any] = self._library.use_cassette(
            path, record_mode=mode, match_on=match_on
        )
        return context

    def add(self, cassette: OpenCassette, one: Exchange) -> None:
        """cassetter's own call."""
        sent, received = {"content-type": [JSON]}, {"content-type": [one.content_type]}
        cassette.record("POST", ORIGIN + one.path, sent, one.request, 200, received, one.response)


def all_recorders() -> list[Contestant]:
    """Ours, and the others as far as they are installed."""
    recorders: list[Contestant] = [VcrLlm()]
    for serializer in ("yaml", "json"):
        recorders += [Vcrpy(serializer), Vcrpy(serializer, with_body=True)]
    try:
        return [*recorders, Cassetter()]
    except ImportError:
        return recorders


def frames(body: bytes) -> list[bytes]:
    """The events of a stream, each with its blank line; a body without them is one piece."""
    return [found[0] for found in re.finditer(rb".*?\n\n|.+\Z", body, re.DOTALL)]


def kind_of(one: Exchange) -> str:
    """What kind of exchange that is."""
    if one.path == EMBEDDINGS:
        return EMBEDDING
    return STREAMED if one.content_type == EVENT_STREAM else PLAIN


def made_from(pattern: str, number: int) -> dict[str, Any]:
    """The recording with this number, as a document."""
    document: dict[str, Any] = json.loads(pattern.replace(str(TEMPLATE), str(number)))
    return document


def write_recording(folder: Path, document: dict[str, Any]) -> None:
    """Write a recording under its name."""
    path = folder / file_name(address_of(document))
    path.write_text(document_text(document), encoding="utf-8")


def _as_vcrpy(exchanges: Sequence[Exchange]) -> tuple[list[Request], list[dict[str, Any]]]:
    return [_request(one) for one in exchanges], [_response(one) for one in exchanges]


def _request(one: Exchange) -> Request:
    return Request("POST", ORIGIN + one.path, one.request, {"content-type": JSON})


def _response(one: Exchange) -> dict[str, Any]:
    return {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": [one.content_type]},
        "body": {"string": one.response},
    }


def _append(cassette: OpenCassette, one: Exchange) -> None:
    ((request,), (response,)) = _as_vcrpy([one])
    cassette.append(request, response)


def _value(body: bytes) -> str:
    """A JSON body, spelled in one way."""
    return json.dumps(json.loads(body), sort_keys=True)
