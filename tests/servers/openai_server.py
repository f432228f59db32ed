"""A small server that speaks OpenAI's API on loopback, for tests and for `make demo`.

    with OpenAIServer() as server:
        client = openai.OpenAI(base_url=server.base_url, api_key="any")

The same request gets the same answer but for ids, times and headers, which vary as the real ones
do; the prompt `count` gets a new answer each time. Azure's clients take `server.url` as their
endpoint. The faults are in `openai_faults`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .loopback import LoopbackServer, ReceivedRequest, Reply
from .openai_assistants import Assistants
from .openai_azure import azure_headers, azure_reply
from .openai_chat import chat, completion
from .openai_faults import Faults, reply_instead, spoilt
from .openai_media import embeddings, images, model, models, moderation, speech, transcription
from .openai_responses import Responses
from .openai_storage import Batches, Files
from .openai_wire import (
    ApiError,
    JsonObject,
    Part,
    bytes_reply,
    edge_headers,
    error_reply,
    json_reply,
    parse_multipart,
)

_PATH = re.compile(
    r"(?P<azure>/openai/deployments/(?P<deployment>[^/]+)|/openai/v1|/openai|/v1)(?P<endpoint>/.*)"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to one endpoint: its query, and the id or name in its path."""

    request: ReceivedRequest
    endpoint: str
    query: dict[str, str]
    deployment: str | None
    is_azure: bool
    name: str = ""

    def json(self) -> JsonObject:
        """The JSON body; the model may stand in an Azure URL instead."""
        try:
            body: JsonObject = json.loads(self.request.body or b"{}")
        except ValueError as error:
            raise ApiError(400, "We could not parse the JSON body of your request.") from error
        return body if self.deployment is None else {"model": self.deployment, **body}

    def form(self) -> dict[str, Part]:
        """The parts of the multipart body by name."""
        parts = parse_multipart(self.request.header("content-type"), self.request.body)
        return {part.name: part for part in parts}


Endpoint = Callable[[Call], Reply | JsonObject]


class OpenAIServer(LoopbackServer):
    """An OpenAI-compatible server; with `gzip`, it compresses JSON as api.openai.com does."""

    def __init__(self, *, port: int = 0, gzip: bool = False) -> None:
        super().__init__(port=port)
        self._gzip = gzip
        self._faults = Faults()
        self._endpoints = _endpoints()

    @property
    def base_url(self) -> str:
        """What OpenAI's clients take as `base_url`."""
        return f"{self.url}/v1"

    def answer(self, request: ReceivedRequest) -> Reply:
        """What OpenAI or Azure would send, or the fault that was asked for."""
        call = _call(request)
        try:
            reply = self._reply(call)
        except ApiError as error:
            reply = error_reply(error)
        if reply.status is None:
            return reply
        if call.is_azure:
            return replace(azure_reply(reply), headers=(*reply.headers, *azure_headers()))
        is_json = ("Content-Type", "application/json") in reply.headers
        is_gzipped = self._gzip and is_json and "gzip" in request.header("accept-encoding")
        return replace(reply, headers=(*reply.headers, *edge_headers()), is_gzipped=is_gzipped)

    def _reply(self, call: Call) -> Reply:
        fault = self._faults.requested(call.request)
        if fault is not None and (instead := reply_instead(fault, call.request)) is not None:
            return instead
        try:
            result = self._run(call)
        except KeyError as error:
            name = str(error.args[0])
            message = f"Missing required parameter: '{name}'."
            code = "missing_required_parameter"
            raise ApiError(400, message, param=name, code=code) from error
        reply = result if isinstance(result, Reply) else json_reply(result)
        return reply if fault is None else spoilt(fault, reply)

    def _run(self, call: Call) -> Reply | JsonObject:
        for method, pattern, endpoint in self._endpoints:
            found = re.fullmatch(pattern, call.endpoint)
            if found and method == call.request.method:
                return endpoint(replace(call, name="".join(found.groups())))
        message = f"Invalid URL ({call.request.method} {urlsplit(call.request.path).path})"
        raise ApiError(404, message)


def _call(request: ReceivedRequest) -> Call:
    url = urlsplit(request.path)
    found = _PATH.fullmatch(unquote(url.path))
    prefix, deployment, endpoint = found.groups() if found else ("", None, url.path)
    is_azure = prefix.startswith("/openai")
    return Call(request, endpoint, dict(parse_qsl(url.query)), deployment, is_azure)


def _endpoints() -> tuple[tuple[str, str, Endpoint], ...]:
    """The endpoints, on a memory of their own."""
    counter = count(1)
    responses, assistants, files = Responses(), Assistants(), Files()

    def run_batched(url: str, body: JsonObject) -> JsonObject:
        run: dict[str, Callable[[], Any]] = {
            "/v1/chat/completions": lambda: _value(chat(body, counter)),
            "/v1/completions": lambda: _value(completion(body, counter)),
            "/v1/embeddings": lambda: embeddings(body),
            "/v1/responses": lambda: _value(responses.create(body, counter)),
        }
        result: JsonObject = run[url]()
        return result

    batches = Batches(files, run_batched)
    get, post, delete, name = "GET", "POST", "DELETE", "/([^/]+)"
    thread, run, batch = f"/threads{name}", f"/threads/[^/]+/runs{name}", f"/batches{name}"
    return (
        (post, "/chat/completions", lambda c: chat(c.json(), counter)),
        (post, "/completions", lambda c: completion(c.json(), counter)),
        (post, "/responses", lambda c: responses.create(c.json(), counter)),
        (get, f"/responses{name}", lambda c: responses.retrieve(c.name, c.query)),
        (post, "/embeddings", lambda c: embeddings(c.json())),
        (post, "/moderations", lambda c: moderation(c.json())),
        (post, "/images/generations", lambda c: images(c.json())),
        (post, "/images/edits", lambda c: images({k: p.body for k, p in c.form().items()})),
        (post, "/audio/speech", lambda c: speech(c.json())),
        (post, "/audio/transcriptions", lambda c: transcription(c.form())),
        (get, "/models", lambda c: models()),
        (get, f"/models{name}", lambda c: model(c.name)),
        (post, "/files", lambda c: files.create(c.form())),
        (get, "/files", lambda c: files.shelf.page(c.query)),
        (get, f"/files{name}", lambda c: files.shelf[c.name]),
        (get, f"/files{name}/content", lambda c: _download(files.content(c.name))),
        (delete, f"/files{name}", lambda c: files.shelf.remove(c.name)),
        (post, "/batches", lambda c: batches.create(c.json())),
        (get, "/batches", lambda c: batches.shelf.page(c.query)),
        (get, batch, lambda c: batches.retrieve(c.name)),
        (post, f"{batch}/cancel", lambda c: batches.cancel(c.name)),
        (post, "/assistants", lambda c: assistants.create_assistant(c.json())),
        (post, "/threads", lambda c: assistants.create_thread(c.json())),
        (post, "/threads/runs", lambda c: assistants.create_thread_and_run(c.json(), counter)),
        (get, thread, lambda c: assistants.thread(c.name)),
        (post, f"{thread}/messages", lambda c: assistants.create_message(c.name, c.json())),
        (get, f"{thread}/messages", lambda c: assistants.messages(c.name, c.query)),
        (post, f"{thread}/runs", lambda c: assistants.create_run(c.name, c.json(), counter)),
        (get, run, lambda c: assistants.run(c.name)),
    )


def _value(reply: Reply) -> Any:
    return json.loads(b"".join(piece for piece in reply.pieces if isinstance(piece, bytes)))


def _download(content: bytes) -> Reply:
    return bytes_reply(content, "application/octet-stream")
