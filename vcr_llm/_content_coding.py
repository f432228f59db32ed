"""Content codings (RFC 9110, 8.4): a recording holds what the client reads, not what was sent."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from types import ModuleType

from vcr_llm._headers import CONTENT_ENCODING
from vcr_llm._interaction import Headers, header


def decode_content(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """The decoded body and the headers that fit it.

    Where a coding is not known here, or its package is not installed, body and header stay as
    they are. A header that lies, over a body that was decoded before, goes.
    """
    codings = [
        coding.strip().lower()
        for name, value in headers
        if name.lower() == CONTENT_ENCODING
        for coding in value.split(",")
        if coding.strip()
    ]
    if not codings or header(headers, CONTENT_ENCODING) is None:
        return body, headers
    for coding in reversed(codings):
        decode = _decoder(coding)
        if decode is None and _is_text(body):
            continue  # no compressed body is text, so the header lies
        if decode is None:
            return body, headers
        body = _decoded(decode, body)
    return body, tuple((name, value) for name, value in headers if not _is_coding(name))


def _is_coding(name: str) -> bool:
    return name.lower() in (CONTENT_ENCODING, "content-length")


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decoded(decode: Callable[[bytes], bytes], body: bytes) -> bytes:
    try:
        return decode(body)
    except Exception:  # noqa: BLE001 - each package has errors of its own for "not compressed"
        return body


def _decoder(coding: str) -> Callable[[bytes], bytes] | None:
    match coding:
        case "identity":
            return bytes
        case "gzip" | "x-gzip":
            return lambda body: zlib.decompress(body, zlib.MAX_WBITS | 16) if body else body
        case "deflate":
            return _inflate
        case "br":
            brotli = _first_installed("brotli", "brotlicffi")
            return brotli.decompress if brotli else None
        case "zstd":
            zstd = _first_installed("compression.zstd", "backports.zstd", "zstandard")
            if zstd is None:
                return None
            return lambda body: _zstd(zstd, body)
        case _:
            return None


def _inflate(body: bytes) -> bytes:
    """``deflate`` is zlib by the standard and bare DEFLATE by old custom."""
    try:
        return zlib.decompress(body)
    except zlib.error:
        return zlib.decompress(body, -zlib.MAX_WBITS)


def _zstd(module: ModuleType, body: bytes) -> bytes:
    if hasattr(module, "decompress") and module.__name__ != "zstandard":
        return bytes(module.decompress(body))
    return bytes(module.ZstdDecompressor().decompressobj().decompress(body))


def _first_installed(*names: str) -> ModuleType | None:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
