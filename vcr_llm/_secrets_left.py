"""Secrets that are still in a document: what our own redaction finds, and a maintained detector.

Looked at is every text, keys included, as it stands and as what it holds: base64, compressed
bytes, JSON and percent-encoding inside of strings. What is found is told by its place and kind;
the secret itself is part of no message.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from functools import lru_cache
from itertools import chain
from typing import NamedTuple
from urllib.parse import unquote

from vcr_llm._foreign import Document
from vcr_llm._interaction import Headers
from vcr_llm._json import JSON, parse
from vcr_llm._json_path import item, member
from vcr_llm._redaction import Redaction
from vcr_llm._secret_detector import Found, secrets_in
from vcr_llm._secret_shapes import PLACEHOLDER
from vcr_llm._tagged import DATA

Places = Iterator[tuple[str, str]]
"""Places, and what each one holds."""

_REDACTION = Redaction()
_BY_NAME = "a secret, by the name of its place"
_BY_SHAPE = "a secret, by its shape"
_BASE64 = re.compile(r"(?:data:[^,]{0,100};base64,)?([A-Za-z0-9+/_-]{24,}={0,2})")
_READABLE = re.compile(rb"[\x20-\x7e]{16,}")
_COMPRESSED = re.compile(rb"\x1f\x8b|\x78[\x01\x5e\x9c\xda]")  # RFC 1952, RFC 1950
# What documentation writes where the reader has a key: YOUR_API_KEY_HERE, your-password.
_EXAMPLE = re.compile(r"(?i)\byour[-_ a-z]*(?:key|token|secret|password)[-_a-z]*(?![-_]*\w)")
_LARGEST_VIEW = 10_000_000  # bytes of what a compressed text becomes
_DEEPEST = 3  # JSON in base64 in JSON
_LONGEST_REMEMBERED = 200


class Cure(Enum):
    """What takes a secret out."""

    REDACTION = auto()
    """`without_secrets`, and in recordings to come our own redaction."""
    REMOVAL = auto()
    """`without_secrets`, while recordings to come would hold it again."""
    HAND = auto()


class Leftover(NamedTuple):
    """A secret that is left in a document."""

    place: str
    kind: str
    cure: Cure


def secrets_left(document: Document) -> list[Leftover]:
    """The secrets in a document, one for each place."""
    detected = dict(_detected(document))
    redacted = dict(_differences(document, _cleaned(document, ())))
    removed = redacted
    if detected.keys() - redacted.keys():
        removed = dict(_differences(document, _cleaned(document, detected.values())))
    kinds = {place: found.kind for place, found in detected.items()}

    def cure(place: str) -> Cure:
        if place == "test_id" or place not in removed:
            return Cure.HAND
        return Cure.REDACTION if place in redacted else Cure.REMOVAL

    found = {**dict(_hidden(document)), **removed, **kinds}
    return [Leftover(place, kind, cure(place)) for place, kind in found.items()]


def shown(text: str) -> str:
    """A text without secrets, for a message."""
    for found in secrets_in(text):
        text = text.replace(found.value, PLACEHOLDER)
    return _REDACTION.text(text)


def without_secrets(document: Document) -> Document:
    """The document without the secrets that stand in it as plain text.

    The test's name stays: the recording would no longer be its test's.
    """
    found = (found for _place, found in _detected(document))
    without = _cleaned(document, found)
    return {**without, "test_id": document["test_id"]} if "test_id" in document else without


def _cleaned(document: Document, found: Iterable[Found]) -> Document:
    """The document redacted, in places that are not known as well."""
    redaction = Redaction(sorted({value for _kind, value in found}))
    return with_rest_redacted(redaction.document(document, _sent_headers(document)), redaction)


def with_rest_redacted(document: Document, redaction: Redaction) -> Document:
    """The document redacted where `Redaction.document` does not look: in what nobody knows."""

    def rest(members: Document, known: Iterable[str]) -> Document:
        unknown = {key: value for key, value in members.items() if key not in known}
        body = redaction.request({"body": unknown})["body"] if unknown else {}
        return body if isinstance(body, dict) else {}

    redacted = dict(document)
    for part, known in _REDACTED.items():
        members = redacted.get(part)
        if isinstance(members, dict):
            redacted[part] = {**members, **rest(members, known)}
    return {**redacted, **rest(document, _REDACTED)}


def _sent_headers(document: Document) -> Headers:
    """The request's headers, which may hold what is a secret wherever else it stands."""
    request = document.get("request")
    headers = request.get("headers") if isinstance(request, dict) else None
    return tuple(
        (name, value)
        for name, value in (headers.items() if isinstance(headers, dict) else ())
        if isinstance(value, str) and PLACEHOLDER not in value
    )


# What `Redaction.document` looks at; the members of others are looked at as a body would be.
_REDACTED = {
    "request": ("method", "url", "headers", "body", "endpoint", "model", "kwargs"),
    "response": ("body", "is_streaming", "reason", "headers", "framing", "exception_data"),
}


def _differences(before: JSON, after: JSON, place: str = "") -> Places:
    """Where redaction changed something."""
    if isinstance(before, dict) and isinstance(after, dict) and len(before) == len(after):
        for (old, value), (new, cleaned) in zip(before.items(), after.items(), strict=True):
            here = member(place, _shown(old))
            if old != new:
                yield here, _BY_SHAPE
            yield from _differences(value, cleaned, here)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _differences(*pair, item(place, index))
    elif before != after and not (isinstance(before, str) and _is_example(before)):
        yield place, _BY_SHAPE if isinstance(before, str) and _has_shape(before) else _BY_NAME


def _is_example(text: str) -> bool:
    """Whether nothing but what documentation writes in the place of a secret looks like one."""
    without = _EXAMPLE.sub(PLACEHOLDER, text)
    return without == PLACEHOLDER or (without != text and not _has_shape(without))


def _has_shape(text: str) -> bool:
    return _REDACTION.text(text) != text


def _detected(document: Document) -> Iterator[tuple[str, Found]]:
    """What the detector finds where redaction can take it out, in tagged bytes as well.

    It reads a member's name and value as a line of source code.
    """
    for place, name, text in _texts(document):
        lines = [f'"{name}": "{text}"' if name else text]
        for line in chain(lines, _views(text) if name == DATA else ()):
            for found in secrets_in(line):
                yield place, found


def _hidden(document: Document) -> Places:
    """What is found in the other forms of a text."""
    for place, _name, text in _texts(document):
        find = _kind_hidden_in_short if len(text) <= _LONGEST_REMEMBERED else _kind_hidden_in
        kind = find(text)
        if kind is not None:
            yield place, kind


def _texts(value: JSON, place: str = "", name: str = "") -> Iterator[tuple[str, str, str]]:
    """Every text in a value with its place and the name that it has there; names are texts, too."""
    if isinstance(value, str):
        yield place, name, value
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _texts(entry, item(place, index), name)
    elif isinstance(value, dict):
        for key, entry in value.items():
            here = member(place, _shown(key))
            yield here, "", key
            yield from _texts(entry, here, key)


_shown = lru_cache(maxsize=10_000)(shown)


# --- other forms of a text --------------------------------------------------------------------


def _kind_hidden_in(text: str, depth: int = 0) -> str | None:
    """The kind of the first secret that a text holds in another form."""
    if depth == _DEEPEST:
        return None
    for view in _views(text):
        kind = kind_in(view) or _kind_hidden_in(view, depth + 1)
        if kind is not None:
            return kind
    return _kind_in_json(text)


_kind_hidden_in_short = lru_cache(maxsize=20_000)(_kind_hidden_in)


def kind_in(text: str) -> str | None:
    """The kind of the first secret that stands in a text by its shape, None for none."""
    found = secrets_in(text)
    if found:
        return found[0].kind
    return _BY_SHAPE if _has_shape(text) and not _is_example(text) else None


def _kind_in_json(text: str) -> str | None:
    """What the names in a JSON text give away."""
    if not text.startswith(("{", "[")):
        return None
    try:
        value = parse(text)
    except ValueError:
        return None
    return _BY_NAME if _REDACTION.request({"body": value})["body"] != value else None


def _views(text: str) -> Iterator[str]:
    """What a text says when it is decoded."""
    if "%" in text and (plain := unquote(text)) != text:
        yield plain
    encoded = _BASE64.fullmatch(text)
    if encoded is not None:
        yield from _readable(_from_base64(encoded[1]))


def _from_base64(text: str) -> bytes:
    """The bytes of base64 in both alphabets, padded or not (RFC 4648)."""
    standard = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        content = base64.b64decode(standard + "=" * (-len(standard) % 4))
    except ValueError:
        return b""
    return _decompressed(content) if _COMPRESSED.match(content) else content


def _decompressed(content: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(content, _LARGEST_VIEW)
    except zlib.error:
        return content


def _readable(content: bytes) -> Iterator[str]:
    """The text that bytes are, or the texts that stand among them."""
    try:
        yield content.decode()
    except UnicodeDecodeError:
        if found := b"\n".join(_READABLE.findall(content)):
            yield found.decode()
