"""Streamed bodies <-> lists of events, one entry per event.

An entry is the event's payload, tagged with its SDK's label where there is one; ``__event__``,
``__id__``, ``__retry__`` and ``__comment__`` stand beside it for what a block has besides data.
Everything else that makes up the bytes is the stream's habit, or `framing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vcr_llm._aws_body import decode_aws, encode_aws
from vcr_llm._errors import MalformedRecording
from vcr_llm._framing import Framing, StreamBody
from vcr_llm._habits import AWS, JSON_ARRAY, NDJSON, SSE, Origin, stream_habit
from vcr_llm._json import JSON
from vcr_llm._json_array_body import decode_json_array, encode_json_array
from vcr_llm._ndjson_body import decode_ndjson, encode_ndjson
from vcr_llm._sse_body import decode_sse, encode_sse


def encode_stream(body: bytes, kind: str, origin: Origin) -> StreamBody | None:
    """The entries and the framing of a streamed body; `decode_stream` gives the bytes back.

    None where the body is no stream of this kind.
    """
    return _ENCODERS[kind](body, origin)


def decode_stream(entries: list[JSON], framing: Framing, kind: str, origin: Origin) -> bytes:
    """The bytes of a streamed body.

    Raises MalformedRecording where an entry or the framing makes no sense.
    """
    return b"".join(decode_events(entries, framing, kind, origin))


def decode_events(
    entries: list[JSON], framing: Framing, kind: str, origin: Origin
) -> Iterator[bytes]:
    """The bytes of a streamed body, event by event."""
    if kind == AWS:
        yield from decode_aws(entries, framing, origin)
        return
    for text in _DECODERS[kind](entries, framing, origin):
        try:
            yield text.encode(errors="surrogateescape")
        except UnicodeEncodeError as error:
            msg = f"response.body has a character that no server can send ({error})"
            raise MalformedRecording(msg) from None


def without_implied_done(framing: Framing, kind: str | None, origin: Origin) -> Framing:
    """The framing of a stream that did not come to its end: that it has no ``[DONE]`` is clear."""
    if kind != SSE:
        return framing
    has_done = framing.get("done", stream_habit(origin).done)
    rest = {key: value for key, value in framing.items() if key != "done"}
    return {**rest, "done": True} if has_done else rest


def with_implied_done(framing: Framing) -> Framing:
    """The framing that `without_implied_done` was made from, as far as it decides the bytes."""
    return {"done": False, **framing}


_ENCODERS: dict[str, Callable[[bytes, Origin], StreamBody | None]] = {
    AWS: encode_aws,
    SSE: encode_sse,
    NDJSON: encode_ndjson,
    JSON_ARRAY: encode_json_array,
}
_DECODERS: dict[str, Callable[[list[JSON], Framing, Origin], Iterator[str]]] = {
    SSE: decode_sse,
    NDJSON: decode_ndjson,
    JSON_ARRAY: decode_json_array,
}
