"""Content codings (RFC 9110, 8.4): a recording holds what the client reads, not what was sent.

What a client here can decode is decoded piece by piece, so that a body which was cut gives what
had come of it.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from types import ModuleType

from vcr_llm._headers import CONTENT_ENCODING
from vcr_llm._interaction import Headers, header

Decode = Callable[[bytes], bytes]
"""Gives what the next piece of a body stands for; raises whatever it likes for what is no such."""

# What every body in these codings begins with (RFC 1952, RFC 8878).
_BEGINNINGS = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


def decode_content(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """The decoded body and the headers that fit it.

    Where a coding is not known here, or the body is damaged, body and header stay as they are. A
    header that lies, over a body that was decoded before, goes.
    """
    codings = _codings(headers)
    if not codings:
        return body, headers
    content = body
    for coding in reversed(codings):
        decode = _decoder(coding)
        if decode is None and _is_text(content):
            continue  # no compressed body is text, so the header lies
        decoded = None if decode is None else _decoded(decode, content, coding)
        if decoded is None:
            return body, headers
        content = decoded
    return content, tuple((name, value) for name, value in headers if not _is_coding(name))


class DecodedLength:
    """How long a body that comes in pieces is when it is decoded."""

    def __init__(self, headers: Headers) -> None:
        decoders = [_decoder(coding) for coding in reversed(_codings(headers))]
        self._decoders = [decode for decode in decoders if decode is not None]
        self.length = 0

    def add(self, piece: bytes) -> int:
        """The length with the next piece; from one on that is no such coding, as it is."""
        try:
            for decode in self._decoders:
                piece = decode(piece)
        except Exception:  # noqa: BLE001 - each package has errors of its own
            self._decoders = []
        self.length += len(piece)
        return self.length


def _codings(headers: Headers) -> list[str]:
    if header(headers, CONTENT_ENCODING) is None:
        return []
    return [
        coding.strip().lower()
        for name, value in headers
        if name.lower() == CONTENT_ENCODING
        for coding in value.split(",")
        if coding.strip()
    ]


def _is_coding(name: str) -> bool:
    return name.lower() in (CONTENT_ENCODING, "content-length")


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decoded(decode: Decode, body: bytes, coding: str) -> bytes | None:
    """What a body stands for; itself where the header lies, None where the body is damaged."""
    try:
        return decode(body)
    except Exception:  # noqa: BLE001 - each package has errors of its own for "not compressed"
        beginning = _BEGINNINGS.get(coding)
        if beginning is None:  # nothing but a text is surely no body in Brotli
            return body if _is_text(body) else None
        return None if body.startswith(beginning) else body


def _decoder(coding: str) -> Decode | None:
    """What decodes a body of this coding from its first piece to its last."""
    match coding:
        case "identity":
            return bytes
        case "gzip" | "x-gzip":
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress
        case "deflate":
            return _inflate()
        case "br":
            brotli = _first_installed("brotli", "brotlicffi")
            return _at_once("brotli") if brotli is None else _brotli(brotli)
        case "zstd":
            zstd = _first_installed("compression.zstd", "backports.zstd", "zstandard")
            return _at_once("zstd") if zstd is None else _zstd(zstd)
        case _:
            return None


def _inflate() -> Decode:
    """``deflate`` is zlib by the standard and bare DEFLATE by old custom; the first piece tells."""
    chosen: list[Decode] = []

    def decode(piece: bytes) -> bytes:
        if chosen or not piece:
            return chosen[0](piece) if chosen else piece
        try:
            standard = zlib.decompressobj().decompress
            decoded = standard(piece)
            chosen.append(standard)
        except zlib.error:
            bare = zlib.decompressobj(-zlib.MAX_WBITS).decompress
            decoded = bare(piece)
            chosen.append(bare)
        return decoded

    return decode


def _brotli(module: ModuleType) -> Decode:
    decompressor = module.Decompressor()
    decode: Decode = getattr(decompressor, "process", None) or decompressor.decompress
    return decode


def _zstd(module: ModuleType) -> Decode:
    decompressor = module.ZstdDecompressor()
    if module.__name__ == "zstandard":
        decompressor = decompressor.decompressobj()
    decode: Decode = decompressor.decompress
    return decode


def _at_once(coding: str) -> Decode:
    """Decodes a body that is whole, where the package is missing that a client would need.

    Such a body is of an old cassette. To install the client's own package would change what every
    client here asks servers for; nobody looks for cramjam.
    """
    import cramjam

    module = getattr(cramjam, coding)
    return lambda body: bytes(module.decompress(body)) if body else body


def _first_installed(*names: str) -> ModuleType | None:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
