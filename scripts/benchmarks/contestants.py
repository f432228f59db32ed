"""The recorders that are compared, behind one interface, and the client alone as the limit.

https://vcrpy.readthedocs.io, https://kludex.github.io/cassetter
"""

from __future__ import annotations

import importlib
import json
import sys
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
from scripts.benchmarks.exchanges import EVENT_STREAM, JSON, ORIGIN, PATH, Exchange, exchange
from vcr_llm._address import address_of, file_name
from vcr_llm._json import document_text

URL = ORIGIN + PATH
NONE, NEW_EPISODES = "none", "new_episodes"
TEMPLATE = 987_654  # a number that stands nowhere else in an exchange

OpenCassette: TypeAlias = Any  # each recorder has a type of its own, and few have hints
HTTPMessage: TypeAlias = Any  # of httpx or httpx2


class Contestant:
    """A recorder; by itself it is none at all: requests go where they go."""

    name = "no cassette"

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
    """The HTTP client's own MockTransport with a dictionary: nothing can be faster."""

    name = "MockTransport (limit)"

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
            return library.Response(200, headers=headers, content=found.response)

        http_client = library.Client(transport=library.MockTransport(answer))
        return openai.OpenAI(base_url=base_url, api_key="none", http_client=http_client)


class VcrLlm(Contestant):
    """Ours, with its defaults."""

    name = "vcr-llm"

    def write(self, folder: Path, exchanges: Sequence[Exchange], /) -> Path:
        """A directory. One recording is written by vcr-llm and is the pattern of the others."""
        path = folder / "vcr-llm"
        is_streamed = exchanges[0].content_type == EVENT_STREAM
        with self.open(path, NEW_EPISODES) as cassette:
            self.add(cassette, exchange(TEMPLATE, streamed=is_streamed))
        (first,) = path.glob("*.json")
        pattern = first.read_text(encoding="utf-8")
        first.unlink()
        for number in range(len(exchanges)):
            document = json.loads(pattern.replace(str(TEMPLATE), str(number)))
            document = {**document, "sequence": number}
            name = file_name(address_of(document))
            (path / name).write_text(document_text(document), encoding="utf-8")
        return path

    def open(self, path: Path, mode: str, /) -> AbstractContextManager[Any]:
        """Our context."""
        context: AbstractContextManager[Any] = vcr_llm.use_cassette(str(path), record_mode=mode)
        return context

    def prepare(self, cassette: OpenCassette) -> None:
        """Read all recordings, since one under another name may answer."""
        unknown = Request("POST", f"{URL}/unknown", b"{}", {"content-type": JSON})
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

    name = "cassetter, body matched"

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
        cassette.record("POST", URL, sent, one.request, 200, received, one.response)


def _as_vcrpy(exchanges: Sequence[Exchange]) -> tuple[list[Request], list[dict[str, Any]]]:
    requests = [Request("POST", URL, one.request, {"content-type": JSON}) for one in exchanges]
    return requests, [_response(one) for one in exchanges]


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
