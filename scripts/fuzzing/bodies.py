"""Random bodies of every kind that a provider sends or a client, whole, odd, cut and damaged."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from random import Random
from typing import NamedTuple
from urllib.parse import quote_plus

import cramjam

from scripts.fuzzing.texts import damaged, json_text, sendable, text
from vcr_llm._aws_event_stream import Frame, Header, render_frame
from vcr_llm._habits import Origin

ORIGINS = tuple(
    Origin.of(f"https://{host}{path}", path)
    for host, path in (
        ("api.openai.com", "/v1/chat/completions"),
        ("api.openai.com", "/v1/responses"),
        ("x.openai.azure.com", "/openai/deployments/d/chat/completions"),
        ("api.anthropic.com", "/v1/messages"),
        ("generativelanguage.googleapis.com", "/v1beta/models/g:streamGenerateContent"),
        ("127.0.0.1", "/api/chat"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/converse-stream"),
        ("api.cohere.com", "/v2/chat"),
        ("h", "/"),
    )
)
CONTENT_TYPES = (
    *(None, "", "text/event-stream", "text/event-stream; charset=utf-8", "text/plain"),
    *("application/json", "application/x-ndjson", "application/stream+json", "image/png"),
    *("application/vnd.amazon.eventstream", "application/octet-stream", "text/html; charset=x"),
)


class Body(NamedTuple):
    """A body, the content type that it came with, and from where."""

    content: bytes
    content_type: str | None
    origin: Origin


def _encoded(body: str) -> bytes:
    return body.encode(errors="surrogatepass")


# --- streams ----------------------------------------------------------------------------------


def server_sent_events(random: Random) -> bytes:
    """Events with everything that the format allows and that servers send besides."""
    line_end = random.choice(("\n", "\n", "\n", "\r\n", "\r", ""))
    space = random.choice((" ", " ", "", "  "))

    def ended(line: str) -> str:
        return line + (line_end or random.choice(("\n", "\r\n", "\r")))

    def event() -> str:
        lines = [f"data:{space}{_payload(random)}" for _ in range(random.choice((1, 1, 1, 0, 2)))]
        if random.random() < 0.5:
            lines.insert(0, f"event:{space}{random.choice(_EVENTS)}")
        if random.random() < 0.2:
            lines.append(random.choice(_OTHER_LINES))
            random.shuffle(lines)
        blank = random.choice(("", "", "", "", "\n", " \n"))
        return "".join(map(ended, lines)) + ended(blank)

    body = "".join(event() for _ in range(random.randrange(5)))
    body += random.choice(("", "", ended(f"data:{space}[DONE]") + ended(""), "data: x", "tail"))
    return _encoded(random.choice(("", "", "", "\ufeff", "\n")) + body)


_EVENTS = ("message_start", "ping", "error", "response.created", "", "a b", "é")
_OTHER_LINES = (
    *("id: 1", "id", "id:", "retry: 3000", "retry: x", ": comment", ":", ":c", ": PROCESSING"),
    *("error: x", "unknown", "data", "DATA: x", " data: x", "event: again", "data: [DONE]"),
)


def _payload(random: Random) -> str:
    kind = random.random()
    if kind < 0.7:
        padding = random.choice(("", "", "", " ", "   "))
        spelled = json_text(random).replace("\n", "").replace("\r", "")
        return spelled[:-1] + padding + spelled[-1:] + random.choice(("", "", " "))
    return random.choice(("[DONE]", "", "plain text", "{", text(random)))


def json_lines(random: Random) -> bytes:
    """JSON line by line, as Ollama and Cohere's first version send it."""
    line_end = random.choice(("\n", "\n", "\r\n", "\n\n"))
    lines = [
        json_text(random).replace("\n", "") + random.choice(("", "", "", " "))
        for _ in range(random.randrange(5))
    ]
    return _encoded(line_end.join(lines) + random.choice((line_end, line_end, "", " ")))


def json_array(random: Random) -> bytes:
    """An array that comes element by element, as Gemini sends it."""
    comma = random.choice((",", ",\n", "\n,\r\n", ",\r\n", " , "))
    items = [
        json_text(random) if random.random() < 0.3 else json.dumps({"a": text(random)})
        for _ in range(random.randrange(4))
    ]
    start, end = random.choice((("[", "]"), ("[", "\n]\n"), ("[\n", "\n]"), ("", "]"), ("[", "")))
    return _encoded(start + comma.join(items) + end)


def aws_event_stream(random: Random) -> bytes:
    """Frames with headers of every type, and payloads that are JSON, JSON within, or bytes."""
    return b"".join(render_frame(_frame(random)) for _ in range(random.randrange(4)))


def _frame(random: Random) -> Frame:
    payload = random.choice((b"", random.randbytes(5), _encoded(json_text(random))))
    if random.random() < 0.3:
        inner = base64.b64encode(_encoded(json_text(random))).decode()
        payload = json.dumps({"bytes": inner, "p": "abc"}).encode()
    usual = (
        Header(":event-type", sendable(random)),
        Header(":content-type", "application/json"),
        Header(":message-type", random.choice(("event", "event", "exception"))),
    )
    return Frame(usual if random.random() < 0.6 else (*usual, _aws_header(random)), payload)


def _aws_header(random: Random) -> Header:
    kind = random.choice(tuple(_HEADER_SIZES))
    size = random.randrange(9) if kind == _BYTES else _HEADER_SIZES[kind]
    return Header(sendable(random), base64.b64encode(random.randbytes(size)).decode(), kind)


_BYTES = 6
_HEADER_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, _BYTES: -1, 8: 8, 9: 16}


# --- bodies in one piece ----------------------------------------------------------------------


def json_body(random: Random) -> bytes:
    """A text of JSON with what may stand around it."""
    around = ("", "", "", "\n", " ", "\r\n", "\ufeff")
    return _encoded(random.choice(around) + json_text(random) + random.choice(around))


def other_body(random: Random) -> bytes:
    """A text, bytes, or the first bytes of something well known."""
    return random.choice(
        (
            random.randbytes(random.randrange(40)),
            _encoded("".join(text(random) for _ in range(random.randrange(4)))),
            b"%PDF-1.7\n" + random.randbytes(9),
            b"\x89PNG\r\n\x1a\n" + random.randbytes(9),
            b"<html>" + _encoded(sendable(random)) + b"</html>",
        )
    )


def form(random: Random) -> bytes:
    """A form of names and values, percent-encoded more or less as one should."""

    def spelled() -> str:
        word = sendable(random)
        return (
            quote_plus(word) if random.random() < 0.8 else random.choice(("%", "%ff", "a b", "é"))
        )

    pairs = [
        random.choice(("{}={}", "{}={}", "{}={}", "{}", "={}", ";")).format(spelled(), spelled())
        for _ in range(random.randrange(5))
    ]
    return _encoded("&".join(pairs))


def multipart(random: Random) -> bytes:
    """A form with files."""

    def part() -> bytes:
        disposition = random.choice(_DISPOSITIONS).replace("*", sendable(random))
        head = random.choice(
            ("", "Content-Type: text/plain\r\n", "Content-Type: application/json\r\n")
        )
        content = random.choice((json_body, other_body, form))(random)
        start = _encoded(f"--b\r\nContent-Disposition: form-data; {disposition}\r\n{head}\r\n")
        return start + content + b"\r\n"

    parts = b"".join(part() for _ in range(random.randrange(4)))
    return parts + random.choice((b"--b--\r\n", b"--b--\r\n", b"--b--", b""))


_DISPOSITIONS = (
    *('name="*"', 'name="*"; filename="*"', 'filename="f"; name="a"', "name=a", ""),
    *('name="a\\"b"', 'NAME="a"', "name=\"a\"; filename*=UTF-8''x", 'name="é"; filename="*.wav"'),
)

STREAMS: dict[str, tuple[Callable[[Random], bytes], str]] = {
    "sse": (server_sent_events, "text/event-stream; charset=utf-8"),
    "ndjson": (json_lines, "application/x-ndjson"),
    "json-array": (json_array, "application/json"),
    "aws-event-stream": (aws_event_stream, "application/vnd.amazon.eventstream"),
}
PLAIN: dict[str, tuple[Callable[[Random], bytes], str]] = {
    "json": (json_body, "application/json"),
    "other": (other_body, "text/plain; charset=utf-8"),
}
REQUESTS: dict[str, tuple[Callable[[Random], bytes], str]] = {
    "form": (form, "application/x-www-form-urlencoded"),
    "multipart": (multipart, "multipart/form-data; boundary=b"),
}


def body_of(
    random: Random, make: Callable[[Random], bytes], usual_type: str, real: tuple[bytes, ...] = ()
) -> Body:
    """A body of a kind: made up or a real one, damaged or not, mostly under its usual type."""
    content = random.choice(real) if real and random.random() < 0.25 else make(random)
    content_type = usual_type if random.random() < 0.75 else random.choice(CONTENT_TYPES)
    return Body(damaged(random, content), content_type, random.choice(ORIGINS))


# --- compressed bodies ------------------------------------------------------------------------


def _bare_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()


CODINGS: dict[str, tuple[Callable[[bytes], bytes], ...]] = {
    "gzip": (lambda content: gzip.compress(content, 1, mtime=0),),
    "x-gzip": (lambda content: gzip.compress(content, 1, mtime=0),),
    "deflate": (zlib.compress, _bare_deflate),
    "br": (lambda content: bytes(cramjam.brotli.compress(content, level=1)),),
    "zstd": (lambda content: bytes(cramjam.zstd.compress(content)),),
    "identity": (bytes,),
}


class Compressed(NamedTuple):
    """A body as it was sent, the codings that its header names, and what it stands for."""

    sent: bytes
    codings: str
    content: bytes | None
    """None where the body was damaged or the header lies."""


def compressed(random: Random) -> Compressed:
    """A body in one coding or in two, whole, damaged, or under a header that lies."""
    content = random.choice((json_body, other_body, server_sent_events))(random)
    codings = random.choices(tuple(CODINGS), k=random.choice((1, 1, 1, 2)))
    sent = content
    for coding in codings:
        sent = random.choice(CODINGS[coding])(sent)
    if random.random() < 0.6:
        return Compressed(sent, ", ".join(codings), content)
    if random.random() < 0.5:
        return Compressed(damaged(random, sent), ", ".join(codings), None)
    lies = random.choices((*CODINGS, "compress", "", "GZIP", "br ", "x"), k=random.choice((1, 2)))
    return Compressed(sent, ",".join(lies), None)
