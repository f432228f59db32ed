"""Any bytes that a server sends come back as they were, through each HTTP library."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import random
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import vcr_llm
from tests.sdk.clients import NO_TLS, meaning, recordings
from tests.servers.fault_server import FaultServer, Framing, Reply

JSON = "application/json"
SSE = "text/event-stream; charset=utf-8"
NDJSON = "application/x-ndjson"
MEGABYTE = 2**20

Seen = tuple[int, str | None, bytes]
Getting = Callable[[str], Seen]


def with_httpx(url: str) -> Seen:
    """Status, content type and body, through httpx."""
    reply = httpx.get(url, timeout=60, verify=NO_TLS)
    return reply.status_code, meaning(reply.headers.get("content-type")), reply.content


def with_httpx2(url: str) -> Seen:
    """Status, content type and body, through httpx2."""
    import httpx2

    reply = httpx2.get(url, timeout=60, verify=NO_TLS)
    return reply.status_code, meaning(reply.headers.get("content-type")), reply.content


def with_urllib(url: str) -> Seen:
    """Status, content type and body, through the standard library."""
    try:
        with urllib.request.build_opener().open(url, timeout=60) as reply:
            return reply.status, meaning(reply.headers.get("content-type")), reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, meaning(error.headers.get("content-type")), error.read()


LIBRARIES: list[Getting] = [with_httpx, with_urllib]
if importlib.util.find_spec("httpx2"):
    LIBRARIES.append(with_httpx2)

each_library = pytest.mark.parametrize("get", LIBRARIES, ids=lambda get: get.__name__)


def chat_chunk(text: str) -> bytes:
    """The data of one chunk, as OpenAI writes it."""
    delta = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    value = {"object": "x.chunk", "choices": [delta]}
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def stream(*events: bytes, end: bytes = b"\n", done: bool = True) -> bytes:
    """Events as a body, with this line end."""
    blocks = [b"data: " + event + end * 2 for event in events]
    return b"".join(blocks) + (b"data: [DONE]" + end * 2 if done else b"")


HELLO = (chat_chunk("Hel"), chat_chunk("lo"))

BODIES: dict[str, tuple[str | None, bytes]] = {
    "nan": (JSON, b'{"a": NaN, "b": [Infinity, -Infinity]}'),
    "duplicate-keys": (JSON, b'{"a": 1, "a": 2, "b": {"c": 1, "c": 1}}'),
    "lone-surrogates": (JSON, b'{"a": "\\ud83d", "\\udc00b": "x\\uD83D\\u0041"}'),
    "surrogate-pair": (JSON, b'{"a": "\\ud83d\\ude00", "b": "\xf0\x9f\x98\x80"}'),
    "huge-integers": (JSON, b'{"a": 123456789012345678901234567890, "b": -9007199254740993}'),
    "thousand-digits": (JSON, b"[" + b"7" * 5000 + b"]"),
    "1e400": (JSON, b'{"a": 1e400, "b": -1E+400, "c": 1e-400}'),
    "one-and-1.0": (JSON, b"[1, 1.0, 1.00, 1e0, 1E0, -0, -0.0, 0.10, 100e-2]"),
    "exponents": (JSON, b'{"logprob": -1.9361264e-7, "b": 1.0E-07, "c": 5e-324}'),
    "escapes": (JSON, b'"\\u003c\\/\\u00fc\\u00FC\\b\\f\\u0000 \xc3\xbc\x7f"'),
    "line-separators": (JSON, '"\u2028\u2029\u0085\ufeff"'.encode()),
    "deep": (JSON, b"[" * 900 + b"]" * 900),
    "deeper-than-python": (JSON, b"[" * 100_000 + b"]" * 100_000),
    "scalar": (JSON, b"null"),
    "string": (JSON, b'"text"'),
    "blanks": (JSON, b' \n{ "a" :1 ,\t"b":[ ] }\r\n\n'),
    "empty-containers": (JSON, b'{"a": {}, "b": [], "c": ""}'),
    "indented": (JSON, b'{\n    "a": [\n        1\n    ]\n}'),
    "looks-tagged": (JSON, b'{"__type__":"bytes","__data__":"AAAA"}'),
    "looks-like-a-recording": (JSON, b'{"request":{},"response":{"body":null},"test_id":null}'),
    "bom": (JSON, b'\xef\xbb\xbf{"a": 1}'),
    "not-json": (JSON, b"upstream connect error"),
    "truncated": (JSON, b'{"a": [1, 2'),
    "two-values": (JSON, b'{"a": 1}{"b": 2}'),
    "trailing-comma": (JSON, b'{"a": 1,}'),
    "invalid-utf-8": (JSON, b'{"a": "\xff\xfe\xc3"}'),
    "utf-16": (JSON, '{"a": 1}'.encode("utf-16")),
    "empty-json": (JSON, b""),
    "latin-1": ("text/plain; charset=iso-8859-1", "Grüße".encode("latin-1")),
    "text": ("text/plain; charset=utf-8", "a\r\nb\rc\n\u2028".encode()),
    "html": ("text/html", b"<p>\x00\x1b</p>"),
    "binary": ("audio/mpeg", bytes(range(256)) * 8),
    "no-type": (None, b'{"a": 1}'),
    "no-type-binary": (None, b"\x00\xff"),
    "odd-type": ("APPLICATION/JSON ;Charset=UTF-8", b'{"a":1}'),
    "problem": ("application/problem+json", b'{"title": "no"}'),
    "jsonp": ("application/json; charset=latin-1", b'{"a": "\xfc"}'),
    "stream": (SSE, stream(*HELLO)),
    "stream-crlf": (SSE, stream(*HELLO, end=b"\r\n")),
    "stream-cr": (SSE, stream(*HELLO, end=b"\r")),
    "stream-mixed-ends": (SSE, b"data: {}\r\n\ndata: {}\n\r\ndata: {}\r\rdata: {}\n\n"),
    "stream-no-done": (SSE, stream(*HELLO, done=False)),
    "stream-no-final-blank-line": (SSE, stream(*HELLO)[:-1]),
    "stream-no-final-line-end": (SSE, stream(*HELLO)[:-2]),
    "stream-cut-in-an-event": (SSE, stream(*HELLO)[:-40]),
    "stream-cut-in-a-character": (SSE, stream(chat_chunk("ü"))[:54]),
    "stream-no-space": (SSE, stream(*HELLO).replace(b"data: ", b"data:")),
    "stream-two-spaces": (SSE, stream(*HELLO).replace(b"data: ", b"data:  ")),
    "stream-spaced-json": (SSE, b'data: {"a": 1, "b": [1, 2]}\n\ndata: {"a":1}\n\n'),
    "stream-padded-json": (SSE, b'data: {"a":1   }\n\ndata: {"a":1 }\n\n'),
    "stream-comments": (SSE, b": ping\n\n:\n\n: a\ndata: {}\n: b\n\n:c\n"),
    "stream-fields": (SSE, b"event: x\nid: 1\nretry: 10\ndata: {}\n\nid\n\nevent:\ndata\n\n"),
    "stream-field-order": (SSE, b"data: {}\nevent: x\n\nevent: x\ndata: {}\n\n"),
    "stream-unknown-field": (SSE, b"error: {}\n\nfoo: bar\ndata: {}\n\n"),
    "stream-many-data-lines": (SSE, b"data: a\ndata: b\ndata\ndata:\n\ndata: {\ndata: }\n\n"),
    "stream-blank-lines": (SSE, b"\n\ndata: {}\n\n\n\ndata: {}\n\n\n"),
    "stream-bom": (SSE, b"\xef\xbb\xbfdata: {}\n\n"),
    "stream-after-done": (SSE, stream(*HELLO) + b"data: {}\n\n"),
    "stream-two-dones": (SSE, stream(*HELLO) + b"data: [DONE]\n\n"),
    "stream-invalid-utf-8": (SSE, b'data: {"a": "\xff"}\n\ndata: {}\n\n'),
    "stream-separators": (SSE, 'data: {"a":"\u2028\u2029\u0085\x0b\x0c"}\n\n'.encode()),
    "stream-numbers": (SSE, b'data: {"a":1.0,"a":1e400,"b":NaN}\n\n'),
    "stream-of-nothing": (SSE, b""),
    "stream-of-json": (SSE, b'{"error": {"message": "no"}}'),
    "stream-nul": (SSE, b"id: \x00\ndata: \x00\n\n"),
    "ndjson": (NDJSON, b'{"a":1}\n{"done":true}\n'),
    "ndjson-no-end": (NDJSON, b'{"a":1}\n{"done":true}'),
    "ndjson-crlf": (NDJSON, b'{"a": 1}\r\n\r\n{"a":1}\r\n'),
    "ndjson-broken": (NDJSON, b'{"a":1}\nnot json\n\xff\n{"a'),
    "ndjson-empty": (NDJSON, b""),
}


def record_and_replay(
    reply: Reply, get: Getting, cassette: Path, **options: Any
) -> tuple[Seen, Seen]:
    """What a library sees of a reply live, and what with the server gone."""
    with (
        FaultServer(reply) as server,
        vcr_llm.use_cassette(cassette, record_mode="new_episodes", **options),
    ):
        live = get(server.url)
    with vcr_llm.use_cassette(cassette, record_mode="none", **options):
        return live, get(server.url)


def answering(content_type: str | None, body: bytes, **options: Any) -> Reply:
    """A reply with this body."""
    headers = (("Content-Type", content_type),) if content_type else ()
    return Reply((body,), headers=headers, **options)


@each_library
@pytest.mark.parametrize("case", BODIES)
def test_body_is_exact(case: str, get: Getting, tmp_path: Path) -> None:
    """Every byte, the status and the content type are what the server sent."""
    content_type, body = BODIES[case]
    live, replayed = record_and_replay(answering(content_type, body), get, tmp_path / "cassette")
    assert live == (200, meaning(content_type), body)
    assert replayed == live
    (path,) = recordings(tmp_path / "cassette")
    path.read_bytes().decode("utf-8")


@each_library
@pytest.mark.parametrize("case", ["indented", "binary", "stream", "stream-crlf", "ndjson"])
def test_compressed_body_is_exact(case: str, get: Getting, tmp_path: Path) -> None:
    """A gzipped body comes back as what was in it, at once or in chunks."""
    content_type, body = BODIES[case]
    for framing in (Framing.LENGTH, Framing.CHUNKED):
        reply = answering(content_type, body, framing=framing, is_gzipped=True)
        live, replayed = record_and_replay(reply, get, tmp_path / framing.name)
        content = gzip.decompress(live[2]) if get is with_urllib else live[2]
        assert content == body
        assert replayed == (200, meaning(content_type), body)


@each_library
@pytest.mark.parametrize("status", [201, 204, 304, 400, 404, 429, 500, 503, 599])
def test_status_is_exact(status: int, get: Getting, tmp_path: Path) -> None:
    """Any status comes back, with a body or, where there can be none, without."""
    has_body = status not in (204, 304)
    reply = Reply((b'{"a": 1}',) if has_body else (), status, (("Content-Type", JSON),))
    live, replayed = record_and_replay(reply, get, tmp_path / "cassette")
    assert live[0] == status
    assert replayed == live


PIECES = (b"data:", b"data: ", b"event: x", b":", b"\n", b"\r\n", b"\r", b"\n\n", b'{"a":1}')
ODD_PIECES = (b"[DONE]", b" ", b"\xff", b"id: 1", b'{"a": 1.0}', "ü".encode(), b"\xef\xbb\xbf")


@pytest.mark.parametrize("seed", range(5))
def test_random_stream_is_exact(seed: int, tmp_path: Path) -> None:
    """Whatever pieces a stream is made of, it comes back."""
    chance = random.Random(seed)
    bodies = [
        b"".join(chance.choices(PIECES + ODD_PIECES, k=chance.randrange(1, 40))) for _ in range(60)
    ]
    replies = [answering(chance.choice([SSE, SSE, NDJSON, JSON]), body) for body in bodies]
    with (
        FaultServer(*replies) as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes"),
    ):
        live = [with_urllib(f"{server.url}/{number}") for number in range(60)]
    with vcr_llm.use_cassette(tmp_path / "cassette", record_mode="none"):
        replayed = [with_urllib(f"{server.url}/{number}") for number in range(60)]
    assert [body for _status, _type, body in live] == bodies
    assert replayed == live


REQUESTS: dict[str, tuple[str, bytes]] = {
    name: (content_type or JSON, body)
    for name, (content_type, body) in BODIES.items()
    if not name.startswith(("stream", "ndjson")) and body
} | {"broken-multipart": ("multipart/form-data; boundary=x", b"--x\r\nnothing\r\n--x")}


@pytest.mark.parametrize("case", REQUESTS)
def test_request_with_any_body_replays(case: str, tmp_path: Path) -> None:
    """A request finds its recording whatever its body, and another body does not."""
    content_type, body = REQUESTS[case]
    headers = {"content-type": content_type}
    with (
        FaultServer(answering(JSON, b'{"ok":true}')) as server,
        vcr_llm.use_cassette(tmp_path / "cassette", record_mode="new_episodes") as recorded,
    ):
        for content in (body, b"other"):
            httpx.post(server.url, content=content, headers=headers, verify=NO_TLS)
    assert len(recorded) == len(server.requests) == 2
    with vcr_llm.use_cassette(tmp_path / "cassette", record_mode="none") as replayed:
        for content in (b"other", body):
            assert httpx.post(
                server.url, content=content, headers=headers, verify=NO_TLS
            ).json() == {"ok": True}
    assert replayed.all_played


# Size


def numbers(size: int) -> bytes:
    """JSON of about this size that is all numbers."""
    chance = random.Random(7)
    row = ",".join(f"{chance.gauss(0, 1):.9f}" for _ in range(1000))
    return f'{{"data":[{",".join([row] * (size // len(row)))}]}}'.encode()


def objects(size: int) -> bytes:
    """JSON of about this size with the log probabilities of many tokens: small objects."""
    row = b'{"token":" the","logprob":-0.31326166,"bytes":[32,116,104,101],"top_logprobs":[]}'
    return b'{"content":[' + b",".join([row] * (size // len(row))) + b"]}"


def texts(size: int) -> bytes:
    """JSON of about this size that is one string."""
    return b'{"text":"' + "Grüße, 東京 ".encode() * (size // 16) + b'"}'


LARGE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "text": (JSON, lambda: texts(20 * MEGABYTE)),
    "numbers": (JSON, lambda: numbers(20 * MEGABYTE)),
    "objects": (JSON, lambda: objects(20 * MEGABYTE)),
    "binary": ("audio/wav", lambda: random.Random(7).randbytes(20 * MEGABYTE)),
    "stream": (SSE, lambda: stream(*[chat_chunk("x" * 2000)] * (20 * MEGABYTE // 2088))),
}
LONG: dict[str, Callable[[], bytes]] = {
    "10,000-events": lambda: stream(*(chat_chunk(f" word{i}") for i in range(10_000))),
    "1MB-event": lambda: stream(chat_chunk("x" * MEGABYTE), chat_chunk("y")),
}


@pytest.mark.parametrize("case", LONG)
def test_long_stream_is_exact(case: str, tmp_path: Path) -> None:
    """Ten thousand events, and one of a megabyte, come back byte for byte."""
    body = LONG[case]()
    live, replayed = record_and_replay(answering(SSE, body), with_httpx, tmp_path / "cassette")
    assert live[2] == body
    assert replayed == live


@pytest.mark.heavy
@pytest.mark.parametrize("case", LARGE)
def test_20_mb_are_exact_and_take_little_memory(case: str, tmp_path: Path) -> None:
    """Recording 20 MB, and replaying them, takes less than 8 times as much memory."""
    content_type, make = LARGE[case]
    body = make()
    with FaultServer(answering(content_type, body)) as server:
        recorded = measured(server.url, tmp_path / "cassette", "new_episodes")
    replayed = measured(server.url, tmp_path / "cassette", "none")
    assert len(body) > 19 * MEGABYTE
    for process in (recorded, replayed):
        assert process["digest"] == hashlib.sha256(body).hexdigest()
        assert process["peak"] / len(body) < 8


def measured(url: str, cassette: Path, mode: str) -> dict[str, Any]:
    """What `peak_memory.py` finds in a process of its own."""
    program = Path(__file__).with_name("peak_memory.py")
    done = subprocess.run(
        [sys.executable, program, url, cassette, mode],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
