"""The kinds of examples, and what is true of each: there and back is exact, and nothing crashes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from scripts.environments import ROOT
from scripts.fuzzing import documents
from scripts.fuzzing.bodies import (
    ORIGINS,
    PLAIN,
    REQUESTS,
    STREAMS,
    Body,
    Compressed,
    body_of,
    compressed,
)
from scripts.fuzzing.long_streams import check_long_stream, long_stream
from scripts.fuzzing.texts import damaged
from vcr_llm import serializer
from vcr_llm._address import address_of
from vcr_llm._body import (
    ResponseBody,
    decode_request_body,
    decode_response_events,
    encode_request_body,
    encode_response_body,
)
from vcr_llm._cassette_files import OLD_SUFFIXES
from vcr_llm._content_coding import DecodedLength, decode_content
from vcr_llm._document import from_document, parse_document, to_document
from vcr_llm._errors import RecordingError
from vcr_llm._event_labels import FAMILIES, labels_of_union
from vcr_llm._foreign import as_documented, is_http_exchange
from vcr_llm._headers import CONTENT_TYPE
from vcr_llm._interaction import Interaction, header
from vcr_llm._json import JSON, MAX_DOCUMENT_DEPTH, document_text, parse
from vcr_llm._normalization import normalized
from vcr_llm._old_cassette import read_cassette
from vcr_llm._options import Options
from vcr_llm._recording import new_recording
from vcr_llm._redaction import Redaction
from vcr_llm._request_key import request_key
from vcr_llm._stream_body import decode_stream, encode_stream
from vcr_llm.cli.export import cassette_text

CORPUS = ROOT.parent / "shared" / "corpus"
_EVERY = 12  # of the corpus's cassettes, one in so many is a sample
_LARGEST = 4_000  # bytes of a real body or cassette: larger ones say the same, only slower
_SEEN_AT = "2026-01-01T00:00:00Z"


class Kind(NamedTuple):
    """A kind of examples: how one is made, and what raises where it is not as it should be."""

    make: Callable[[Random], Any]
    check: Callable[[Any], None]


@cache
def import_models() -> None:
    """Import the SDKs' models that labels are taken from, which takes longer than any example."""
    for family in FAMILIES:
        if family.union and any(part in one.path for part in family.paths for one in ORIGINS):
            labels_of_union(family.union)


# --- real samples -----------------------------------------------------------------------------


@cache
def real_interactions() -> tuple[Interaction, ...]:
    """Exchanges that were recorded with real servers."""
    return tuple(_real_interactions())


def _real_interactions() -> Iterable[Interaction]:
    for path in sorted((ROOT / "cassettes").rglob("*.json")):
        with suppress(RecordingError):
            yield from_document(parse_document(path.read_text(encoding="utf-8")))
    for path in _corpus():
        with suppress(RecordingError):
            for old in read_cassette(path.read_bytes()).interactions:
                if len(old.interaction.response.body) < _LARGEST:
                    yield old.interaction


@cache
def _real_texts() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in _corpus() if path.stat().st_size < _LARGEST)


def _corpus() -> list[Path]:
    names = (OLD_SUFFIXES, (".gz",))
    paths = [path for path in CORPUS.rglob("*") if path.name.endswith(names[0])]
    return [path for path in sorted(paths)[::_EVERY] if not path.name.endswith(names[1])]


@cache
def _real_bodies(content_type: str) -> tuple[bytes, ...]:
    essence = content_type.partition(";")[0]
    found = []
    for interaction in real_interactions():
        for message in (interaction.request, interaction.response):
            said = header(message.headers, CONTENT_TYPE) or ""
            if message.body and said.startswith(essence):
                found.append(message.body)
    return tuple(found)


# --- bodies -----------------------------------------------------------------------------------


def _body(make: Callable[[Random], bytes], content_type: str) -> Callable[[Random], Body]:
    return lambda random: body_of(random, make, content_type, _real_bodies(content_type))


def _check_stream(kind: str, body: Body) -> None:
    _check_response(body)
    found = encode_stream(body.content, kind, body.origin)
    if found is not None:
        entries, framing = _out_of_a_file(list(found))
        _same(decode_stream(entries, framing, kind, body.origin), body.content)


def _check_response(body: Body) -> None:
    encoded = encode_response_body(body.content, body.content_type, body.origin)
    value, framing = _out_of_a_file([encoded.value, encoded.framing])
    read = ResponseBody(value, framing, encoded.kind)
    _same(b"".join(decode_response_events(read, body.origin)), body.content)


def _check_any(body: Body) -> None:
    _check_response(body)
    _check_request(body)


def _check_request(body: Body) -> None:
    value = _out_of_a_file(encode_request_body(body.content, body.content_type))
    _same(encode_request_body(*decode_request_body(value)), value)


# Without the client's own packages, which vcr-llm does not install, nothing decodes them in pieces.
_WHOLE_ONLY = re.compile("br|zstd")


def _check_compressed(example: Compressed) -> None:
    headers = (("Content-Encoding", example.codings), ("x", "y"))
    body, left = decode_content(example.sent, headers)
    if left == headers:
        _same(body, example.sent)
    if example.content is not None:
        _same((body, left), (example.content, headers[1:]))
    if example.content is not None and not _WHOLE_ONLY.search(example.codings):
        length = DecodedLength(headers)
        for start in range(0, len(example.sent), 7):
            length.add(example.sent[start : start + 7])
        _same(length.length, len(example.content))


def _out_of_a_file(value: JSON) -> Any:
    return parse(document_text(value), max_depth=MAX_DOCUMENT_DEPTH)


# --- recordings -------------------------------------------------------------------------------


def _check_recording(interaction: Interaction) -> None:
    document: Any = {**to_document(interaction), "recorded_at": _SEEN_AT}
    written = parse_document(document_text(document))
    back = from_document(written)
    before, after = interaction.response, back.response
    _same(
        (after.status, after.reason, after.body, after.ended, back.test_id),
        (before.status, before.reason, before.body, before.ended, interaction.test_id),
    )
    _same(to_document(back)["request"], written["request"])
    saved = new_recording(interaction, Options()).document
    _same(from_document(saved).response.status, before.status)
    _same(document_text(Redaction().document(saved)), document_text(saved))


def _check_document(document: Any) -> None:
    """What is true of every JSON object in the place of a recording."""
    text = document_text(parse_document(document_text(document)))
    read = parse_document(text)
    _same(document_text(read), text)
    once = Redaction(["secret"]).document(read)
    _same(document_text(Redaction(["secret"]).document(once)), document_text(once))
    with suppress(RecordingError):
        normalized(read, address_of(read))
    with suppress(RecordingError):
        from_document(read)
        request: Any = as_documented(read)["request"]
        _same(request_key(_reordered(request)), request_key(request))
    with suppress(RecordingError):
        cassette = serializer.deserialize(text)
        if "recordings" not in read and is_http_exchange(read):
            _same(serializer.serialize(cassette), text)


def _reordered(value: Any) -> Any:
    """The same value with the members of its objects in another order."""
    if isinstance(value, dict):
        return {key: _reordered(value[key]) for key in reversed(value)}
    return [_reordered(item) for item in value] if isinstance(value, list) else value


def _check_text(content: bytes) -> None:
    try:
        document = parse_document(content.decode(errors="surrogateescape"))
    except RecordingError:
        return
    _check_document(document)


# --- old cassettes ----------------------------------------------------------------------------


def _check_old(content: bytes) -> None:
    try:
        cassette = read_cassette(content)
    except RecordingError:
        return
    for old in cassette.interactions:
        document: Any = {**to_document(old.interaction), "recorded_at": _SEEN_AT}
        with suppress(RecordingError):  # a URL that is none is refused
            _same(from_document(document).response.body, old.interaction.response.body)
        new_recording(old.interaction, Options())
    interactions = [old.interaction for old in cassette.interactions]
    try:
        text = cassette_text(interactions, {})
    except RecordingError:
        return
    exported = [old.interaction for old in read_cassette(text.encode()).interactions]
    _same([one.response.body for one in exported], [one.response.body for one in interactions])


def _old_yaml(random: Random) -> bytes:
    real = _real_texts()
    if real and random.random() < 0.05:
        return damaged(random, random.choice(real))
    return documents.yaml_text(random, real_interactions())


def _same(found: object, expected: object) -> None:
    if found != expected:
        msg = f"{_shown(found)} is not {_shown(expected)}"
        raise AssertionError(msg)


def _shown(value: object) -> str:
    return os.fsdecode(repr(value).encode(errors="backslashreplace"))[:600]


KINDS: dict[str, Kind] = {
    **{name: Kind(_body(*how), partial(_check_stream, name)) for name, how in STREAMS.items()},
    **{name: Kind(_body(*how), _check_any) for name, how in PLAIN.items()},
    **{name: Kind(_body(*how), _check_any) for name, how in REQUESTS.items()},
    "compressed": Kind(compressed, _check_compressed),
    "long-stream": Kind(long_stream, check_long_stream),
    "recording": Kind(
        lambda random: documents.interaction(random, real_interactions()), _check_recording
    ),
    "edited-recording": Kind(
        lambda random: documents.edited(random, documents.recording(random, real_interactions())),
        _check_document,
    ),
    "foreign-recording": Kind(
        lambda random: (
            documents.edited(random, documents.foreign(random))
            if random.random() < 0.7
            else documents.foreign(random)
        ),
        _check_document,
    ),
    "recording-text": Kind(
        lambda random: documents.recording_text(random, real_interactions()), _check_text
    ),
    "old-yaml": Kind(_old_yaml, _check_old),
    "old-json": Kind(
        lambda random: documents.old_json_text(random, real_interactions()), _check_old
    ),
}
