"""requests, urllib3 and aiohttp without any SDK: JSON, server-sent events, forms and files."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import vcr_llm
from tests.providers.conversations import (
    KEYS,
    Conversation,
    Conversations,
    Written,
    documents,
)
from tests.providers.labels import CHAT, CHUNK

aiohttp = pytest.importorskip("aiohttp")
requests = pytest.importorskip("requests")
urllib3 = pytest.importorskip("urllib3")

pytestmark = pytest.mark.aimock

HEADERS = {"Authorization": f"Bearer {KEYS['bearer']}"}
CHAT_PATH = "/v1/chat/completions"
FILES_PATH = "/v1/files"
FILE = "Grüße\n".encode() * 3
MODEL = "gpt-4o"


def ask(prompt: str, **options: Any) -> dict[str, Any]:
    """What is sent to the model."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **options}


# --- requests -------------------------------------------------------------------------------------


def shown_by_requests(response: Any) -> list[Any]:
    """What the library tells of a response."""
    kind = response.headers.get("content-type")
    return [response.status_code, response.reason, kind, response.encoding, response.text]


def requests_json(session: Any, origin: str) -> list[Any]:
    """An answer and a refusal."""
    reply = session.post(origin + CHAT_PATH, json=ask("hello"))
    assert reply.json()["choices"][0]["message"]["content"].startswith("Grüße")
    refusal = session.post(origin + CHAT_PATH, json=ask("broken"))
    with pytest.raises(requests.HTTPError, match="400"):
        refusal.raise_for_status()
    return [*shown_by_requests(reply), *shown_by_requests(refusal)]


def requests_stream(session: Any, origin: str) -> list[Any]:
    """Events, read in each of the ways that there are."""
    ways: tuple[Callable[[Any], Any], ...] = (
        lambda response: list(response.iter_lines()),
        lambda response: list(response.iter_content(50)),
        lambda response: b"".join(response.iter_content(None)),
        lambda response: [response.raw.read(20), response.raw.read()],
    )
    found = []
    for read in ways:
        question = ask("hello", stream=True)
        with session.post(origin + CHAT_PATH, json=question, stream=True) as response:
            found.append(read(response))
    return found


def requests_forms(session: Any, origin: str) -> list[Any]:
    """A file, a form, a text, and a body in pieces."""
    file = ("grüße.jsonl", io.BytesIO(FILE), "application/jsonl")
    uploaded = session.post(origin + FILES_PATH, data={"purpose": "batch"}, files={"file": file})
    assert uploaded.json()["bytes"] == len(FILE)
    form = session.post(f"{origin}/form", data={"a": "1", "b": ["x y", "ü"]})
    text = session.post(f"{origin}/text", data="Grüße".encode())
    pieces = session.post(f"{origin}/pieces", data=iter([b"one", b"two"]))
    return [shown_by_requests(reply) for reply in (uploaded, form, text, pieces)]


# --- urllib3 --------------------------------------------------------------------------------------


def shown_by_urllib3(response: Any) -> list[Any]:
    """What the library tells of a response."""
    return [response.status, response.reason, response.headers.get("content-type"), response.data]


def urllib3_json(pool: Any, origin: str) -> list[Any]:
    """An answer and a refusal."""
    reply = pool.request("POST", origin + CHAT_PATH, json=ask("hello"))
    assert reply.json()["choices"][0]["message"]["content"].startswith("Grüße")
    refusal = pool.request("POST", origin + CHAT_PATH, json=ask("broken"))
    return [*shown_by_urllib3(reply), *shown_by_urllib3(refusal)]


def urllib3_stream(pool: Any, origin: str) -> list[Any]:
    """Events, read in each of the ways that there are."""
    ways: tuple[Callable[[Any], Any], ...] = (
        lambda response: b"".join(response.stream(64)),
        lambda response: [response.read(10), response.read()],
        list,
    )
    found = []
    for read in ways:
        response = pool.request(
            "POST", origin + CHAT_PATH, json=ask("hello", stream=True), preload_content=False
        )
        found.append(read(response))
        response.release_conn()
    return found


def urllib3_forms(pool: Any, origin: str) -> list[Any]:
    """A file and a form."""
    file = ("a.jsonl", FILE, "application/jsonl")
    uploaded = pool.request("POST", origin + FILES_PATH, fields={"purpose": "batch", "file": file})
    assert uploaded.json()["bytes"] == len(FILE)
    form = pool.request("POST", f"{origin}/form", fields={"a": "1"}, encode_multipart=False)
    return [shown_by_urllib3(reply) for reply in (uploaded, form)]


# --- aiohttp --------------------------------------------------------------------------------------


async def shown_by_aiohttp(sent: Any) -> list[Any]:
    """What the library tells of a response."""
    async with sent as response:
        text = await response.text()
        return [response.status, response.reason, response.content_type, response.charset, text]


async def aiohttp_json(session: Any, origin: str) -> list[Any]:
    """An answer and a refusal."""
    async with session.post(origin + CHAT_PATH, json=ask("hello")) as response:
        reply = await response.json()
    assert reply["choices"][0]["message"]["content"].startswith("Grüße")
    async with session.post(origin + CHAT_PATH, json=ask("broken")) as response:
        with pytest.raises(aiohttp.ClientResponseError) as raised:
            response.raise_for_status()
        refusal = await response.json()
    return [reply, refusal, raised.value.status, raised.value.message]


async def in_lines(content: Any) -> list[bytes]:
    """Line by line."""
    return [line async for line in content]


async def as_it_comes(content: Any) -> bytes:
    """As the network cuts it."""
    return b"".join([piece async for piece in content.iter_any()])


async def in_pieces(content: Any) -> list[bytes]:
    """In pieces of one size."""
    return [piece async for piece in content.iter_chunked(32)]


async def in_chunks(content: Any) -> bytes:
    """In the chunks of HTTP."""
    return b"".join([piece async for piece, _is_end in content.iter_chunks()])


async def by_hand(content: Any) -> list[bytes]:
    """In each of the other ways, one after the other."""
    return [
        await content.readline(),
        await content.readuntil(b"\n\n"),
        await content.read(5),
        await content.readexactly(3),
        await content.read(),
    ]


async def aiohttp_stream(session: Any, origin: str) -> list[Any]:
    """Events, read in each of the ways that there are."""
    found: list[Any] = []
    for read in (in_lines, as_it_comes, in_pieces, in_chunks, by_hand):
        async with session.post(origin + CHAT_PATH, json=ask("hello", stream=True)) as response:
            found.append(await read(response.content))
    return found


async def aiohttp_bodies(session: Any, origin: str) -> list[Any]:
    """Bytes, text, a file, and a body in pieces; and a query."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    bodies = (b"hello", "Grüße", io.BytesIO(FILE), pieces())
    found = [await shown_by_aiohttp(session.post(f"{origin}/body", data=body)) for body in bodies]
    query = {"a": "b c", "é": "1"}
    return [*found, await shown_by_aiohttp(session.get(f"{origin}/query", params=query))]


async def aiohttp_form(session: Any, origin: str) -> list[Any]:
    """A form, as a dict and as the library's own form."""
    form = aiohttp.FormData([("a", "1"), ("b", "x y"), ("b", "ü")])
    sent = [session.post(f"{origin}/form", data=data) for data in ({"a": "1", "b": "ü"}, form)]
    return [await shown_by_aiohttp(one) for one in sent]


async def aiohttp_multipart(session: Any, origin: str) -> list[Any]:
    """A file in a form."""
    form = aiohttp.FormData()
    form.add_field("purpose", "batch")
    form.add_field("file", FILE, filename="a.jsonl", content_type="application/jsonl")
    return await shown_by_aiohttp(session.post(origin + FILES_PATH, data=form))


async def aiohttp_multipart_writer(session: Any, origin: str) -> list[Any]:
    """The same by hand."""
    with aiohttp.MultipartWriter("form-data") as writer:
        purpose = writer.append("batch")
        purpose.set_content_disposition("form-data", name="purpose")
        file = writer.append(FILE, {"Content-Type": "application/jsonl"})
        file.set_content_disposition("form-data", name="file", filename="a.jsonl")
        return await shown_by_aiohttp(session.post(origin + FILES_PATH, data=writer))


# --- the table ------------------------------------------------------------------------------------


def _requests(scenario: Callable[[Any, str], list[Any]], *files: Written) -> Conversation:
    def hold(origin: str) -> list[Any]:
        with requests.Session() as session:
            session.headers.update(HEADERS)
            return scenario(session, origin)

    return Conversation(scenario.__name__, hold, files)


def _urllib3(scenario: Callable[[Any, str], list[Any]], *files: Written) -> Conversation:
    def hold(origin: str) -> list[Any]:
        with urllib3.PoolManager(headers=HEADERS) as pool:
            return scenario(pool, origin)

    return Conversation(scenario.__name__, hold, files)


def _aiohttp(
    scenario: Callable[[Any, str], Coroutine[Any, Any, list[Any]]], *files: Written
) -> Conversation:
    async def speak(origin: str) -> list[Any]:
        async with aiohttp.ClientSession(headers=HEADERS) as session:
            return await scenario(session, origin)

    return Conversation(scenario.__name__, lambda origin: asyncio.run(speak(origin)), files)


REPLY = Written(CHAT_PATH, MODEL, (CHAT,))
REFUSAL = REPLY._replace(labels=(None,), status=400)
STREAM = REPLY._replace(labels=(CHUNK,), is_streaming=True)
UPLOADED = Written(FILES_PATH, None, ("openai.types.file_object.FileObject",))


def _unknown(path: str) -> Written:
    return Written(path, None, status=404)


CONVERSATIONS = [
    _requests(requests_json, REPLY, REFUSAL),
    _requests(requests_stream, *[STREAM] * 4),
    _requests(requests_forms, UPLOADED, *map(_unknown, ("/form", "/text", "/pieces"))),
    _urllib3(urllib3_json, REPLY, REFUSAL),
    _urllib3(urllib3_stream, *[STREAM] * 3),
    _urllib3(urllib3_forms, UPLOADED, _unknown("/form")),
    _aiohttp(aiohttp_json, REPLY, REFUSAL),
    _aiohttp(aiohttp_stream, *[STREAM] * 5),
    _aiohttp(aiohttp_bodies, *[_unknown("/body")] * 4, _unknown("/query")),
    _aiohttp(aiohttp_form, _unknown("/form"), _unknown("/form")),
    _aiohttp(aiohttp_multipart, UPLOADED),
    _aiohttp(aiohttp_multipart_writer, UPLOADED),
]


class TestHTTPLibraries(Conversations):
    """Every conversation without an SDK."""

    test = """
        import requests

        def test_answer():
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
            headers = {"Authorization": f"Bearer {KEYS['bearer']}"}
            with requests.Session() as session:
                reply = session.post(
                    f"{ORIGIN}/v1/chat/completions", json=body, headers=headers
                )
            assert reply.json()["choices"]
    """

    def test_bodies_are_what_was_sent(
        self, conversation: Conversation, aimock: str, tmp_path: Path
    ) -> None:
        """A file or a form is written as what it is, whatever object the library was given."""
        cassette = tmp_path / "cassette"
        with vcr_llm.use_cassette(cassette, record_mode="once"):
            conversation.hold(aimock)
        for document in documents(cassette):
            kind = KINDS_OF_BODIES.get(document["request"]["endpoint"])
            body = document["request"]["body"]
            assert kind is None or body["__type__"] == kind


KINDS_OF_BODIES = {
    FILES_PATH: "multipart/form-data",
    "/form": "application/x-www-form-urlencoded",
    "/body": "str",
    "/pieces": "str",
    "/text": "str",
}
