"""How api.openai.com spells what it sends: JSON, events, ids, headers and errors."""

from __future__ import annotations

import json
import random
import re
import string
import time
from collections.abc import Iterable
from email.message import Message
from email.utils import formatdate
from typing import Any, NamedTuple

from .loopback import Framing, Reply

JsonObject = dict[str, Any]

DONE = b"data: [DONE]\n\n"
EVENT_STREAM = "text/event-stream; charset=utf-8"

_STRING_OR_EXPONENT = re.compile(r'"(?:[^"\\]|\\.)*"|e([+-])0(\d)')


class ApiError(Exception):
    """An answer that is an error; the server sends it in OpenAI's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.value: JsonObject = {"message": message, "type": kind, "param": param, "code": code}


class Part(NamedTuple):
    """One part of a multipart form."""

    name: str
    filename: str
    body: bytes


def dump(value: object, *, indent: int | None = None) -> str:
    """JSON as OpenAI spells it: compact or indented, raw Unicode, `-1.93e-7` for `-1.93e-07`."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, ensure_ascii=False, separators=separators, indent=indent)
    return _STRING_OR_EXPONENT.sub(lambda m: f"e{m[1]}{m[2]}" if m[2] else m[0], text)


def frame(value: object, event: str | None = None) -> bytes:
    """One event of a stream."""
    name = "" if event is None else f"event: {event}\n"
    return f"{name}data: {dump(value)}\n\n".encode()


def json_reply(value: object, *, status: int = 200) -> Reply:
    """A JSON body, indented as api.openai.com sends it."""
    body = dump(value, indent=2).encode()
    return Reply((body,), status, (("Content-Type", "application/json"),))


def stream_reply(frames: Iterable[bytes]) -> Reply:
    """An event stream, one event to a chunk."""
    return Reply(tuple(frames), 200, (("Content-Type", EVENT_STREAM),), Framing.CHUNKED)


def bytes_reply(body: bytes, content_type: str) -> Reply:
    """A body that is not JSON."""
    return Reply((body,), 200, (("Content-Type", content_type),))


def error_reply(error: ApiError) -> Reply:
    """An error as OpenAI sends it."""
    reply = json_reply({"error": error.value}, status=error.status)
    return Reply(reply.pieces, reply.status, reply.headers + error.headers)


def random_id(prefix: str, length: int = 24) -> str:
    """An id that no other answer has, such as `chatcmpl-…`."""
    return prefix + "".join(random.choices(string.ascii_letters + string.digits, k=length))


def obfuscation() -> str:
    """Padding of random length that hides how long a token was."""
    return random_id("", random.randrange(16))


def now() -> int:
    """Seconds since 1970, as all of OpenAI's `created` fields have them."""
    return int(time.time())


def edge_headers() -> tuple[tuple[str, str], ...]:
    """The headers that OpenAI and its CDN add to each reply; nearly all of them vary."""
    seconds = time.time()
    cookie = "path=/; domain=.api.openai.com; HttpOnly; Secure; SameSite=None"
    return (
        ("Date", formatdate(seconds, usegmt=True)),
        ("Connection", "keep-alive"),
        ("access-control-expose-headers", "X-Request-ID"),
        ("openai-organization", "vcr-llm"),
        ("openai-processing-ms", str(random.randrange(20, 2000))),
        ("openai-project", "proj_vcrllm"),
        ("openai-version", "2020-10-01"),
        ("x-envoy-upstream-service-time", str(random.randrange(20, 2000))),
        ("x-ratelimit-limit-requests", "30000"),
        ("x-ratelimit-limit-tokens", "150000000"),
        ("x-ratelimit-remaining-requests", "29999"),
        ("x-ratelimit-remaining-tokens", str(random.randrange(149_000_000, 150_000_000))),
        ("x-ratelimit-reset-requests", "2ms"),
        ("x-ratelimit-reset-tokens", "0s"),
        ("x-request-id", f"req_{random.getrandbits(128):032x}"),
        ("x-openai-proxy-wasm", "v0.1"),
        ("cf-cache-status", "DYNAMIC"),
        ("Set-Cookie", f"{random_id('__cf_bm=', 43)}-{seconds:.0f}-1.0.1.1-x; {cookie}"),
        ("Set-Cookie", f"{random_id('_cfuvid=', 43)}-{seconds * 1000:.0f}-0.0.1.1-x; {cookie}"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"),
        ("X-Content-Type-Options", "nosniff"),
        ("Server", "cloudflare"),
        ("CF-RAY", f"{random.getrandbits(64):016x}-TXL"),
        ("alt-svc", 'h3=":443"; ma=86400'),
    )


def parse_multipart(content_type: str, body: bytes) -> tuple[Part, ...]:
    """The parts of a multipart form, their bytes untouched."""
    boundary = b"--" + _message("Content-Type", content_type).get_boundary("").encode()
    return tuple(_part(raw) for raw in (b"\r\n" + body).split(b"\r\n" + boundary)[1:-1])


def _part(raw: bytes) -> Part:
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    message = _message("Content-Disposition", lines["Content-Disposition"])
    name = message.get_param("name", "", "content-disposition")
    return Part(str(name), message.get_filename(""), body)


def _message(name: str, value: str) -> Message:
    message = Message()
    message[name] = value
    return message
