"""Compressed bodies are kept as what the client reads."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from types import ModuleType

import pytest
from cramjam import brotli, zstd

from vcr_llm._content_coding import DecodedLength, decode_content
from vcr_llm._interaction import Headers

BODY = b'{"a": "' + b"x" * 100 + b'"}'


def _raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


CODED: list[tuple[str, str, bytes]] = [
    ("gzip", "gzip", gzip.compress(BODY)),
    ("gzip by its old name, in capitals", "X-GZIP", gzip.compress(BODY)),
    ("deflate", "deflate", zlib.compress(BODY)),
    ("bare deflate", "deflate", _raw_deflate(BODY)),
    ("identity", "identity", BODY),
    ("two codings", "deflate, gzip", gzip.compress(zlib.compress(BODY))),
    ("a header that lies", "gzip", BODY),
    ("a header that lies about deflate", "deflate", BODY),
]


class _Decompressor:
    """Decompresses by leaving out the first byte."""

    def decompress(self, body: bytes) -> bytes:
        """The body without its first byte."""
        return body[1:]


class _Brotli(ModuleType):
    """The package brotli, whose decompressor has a name of its own for what it does."""

    class Decompressor:
        """Decompresses by leaving out the first byte."""

        def process(self, body: bytes) -> bytes:
            """The body without its first byte."""
            return body[1:]


class _Brotlicffi(ModuleType):
    """The package brotlicffi."""

    Decompressor = _Decompressor


class _Zstd(ModuleType):
    """Python's own package, and its backport."""

    ZstdDecompressor = _Decompressor


class _Zstandard(ModuleType):
    """The package zstandard, whose one-shot function needs the size in the frame."""

    class ZstdDecompressor:
        """Has a decompressor object that does not."""

        def decompressobj(self) -> _Decompressor:
            """Something that decompresses."""
            return _Decompressor()


@pytest.mark.parametrize(("coding", "body"), [row[1:] for row in CODED], ids=[r[0] for r in CODED])
def test_a_body_is_decoded(coding: str, body: bytes) -> None:
    """The header goes with the coding, and so does the length that no longer fits."""
    headers: Headers = (("Content-Encoding", coding), ("Content-Length", "9"), ("x", "y"))
    assert decode_content(body, headers) == (BODY, (("x", "y"),))


def test_two_headers_are_two_codings() -> None:
    """Codings are undone in the opposite order."""
    headers: Headers = (("content-encoding", "deflate"), ("content-encoding", "gzip"))
    assert decode_content(gzip.compress(zlib.compress(BODY)), headers) == (BODY, ())


@pytest.mark.parametrize("headers", [(), (("content-encoding", ""),), (("content-length", "9"),)])
def test_without_a_coding_nothing_changes(headers: Headers) -> None:
    """Body and headers stay as they are."""
    assert decode_content(BODY, headers) == (BODY, headers)


def test_an_empty_body_is_empty_under_any_coding() -> None:
    """The answer to a HEAD request, or 204, has a coding and no content."""
    assert decode_content(b"", (("content-encoding", "gzip"),)) == (b"", ())


@pytest.mark.parametrize("coding", ["compress", "gzip, x-own"])
def test_an_unknown_coding_is_left_alone(coding: str) -> None:
    """The body stays coded, and its header says so."""
    headers: Headers = (("content-encoding", coding),)
    assert decode_content(b"\xff", headers) == (b"\xff", headers)


CLIENTS_PACKAGES = ("brotli", "brotlicffi", "compression.zstd", "backports.zstd", "zstandard")


@pytest.fixture
def no_package_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which no HTTP client knows Brotli or Zstandard."""
    for name in CLIENTS_PACKAGES:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize(("coding", "compress"), [("br", brotli.compress), ("zstd", zstd.compress)])
@pytest.mark.usefixtures("no_package_of_clients")
def test_a_coding_that_no_client_here_knows_is_decoded(
    coding: str, compress: Callable[[bytes], bytes]
) -> None:
    """An old cassette may hold what a richer environment received."""
    headers: Headers = (("content-encoding", coding),)
    assert decode_content(bytes(compress(BODY)), headers) == (BODY, ())
    assert decode_content(b"", headers) == (b"", ())


@pytest.mark.parametrize(("coding", "compress"), [("br", brotli.compress), ("zstd", zstd.compress)])
@pytest.mark.usefixtures("no_package_of_clients")
def test_a_cut_body_that_cannot_be_decoded_is_left_alone(
    coding: str, compress: Callable[[bytes], bytes]
) -> None:
    """It is replayed as it was sent, with the header that says what it is."""
    cut = bytes(compress(BODY * 50))[:-4]
    headers: Headers = (("content-encoding", coding),)
    assert decode_content(cut, headers) == (cut, headers)


@pytest.mark.parametrize(
    ("coding", "name", "package"),
    [
        ("br", "brotli", _Brotli),
        ("br", "brotlicffi", _Brotlicffi),
        ("zstd", "compression.zstd", _Zstd),
        ("zstd", "backports.zstd", _Zstd),
        ("zstd", "zstandard", _Zstandard),
    ],
)
def test_a_coding_is_decoded_by_whichever_package_is_there(
    coding: str,
    name: str,
    package: type[ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    no_package_of_clients: None,
) -> None:
    """Any of the packages that HTTP clients use will do."""
    for parent in {name.partition(".")[0]} - {name}:
        monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    monkeypatch.setitem(sys.modules, name, package(name))
    assert decode_content(b"x" + BODY, (("content-encoding", coding),)) == (BODY, ())


@pytest.mark.parametrize("coding", ["br", "compress", "gzip, x-own"])
@pytest.mark.usefixtures("no_package_of_clients")
def test_a_coding_of_text_is_a_lie(coding: str) -> None:
    """No compressed body is UTF-8: a header that says so goes, whatever is installed."""
    assert decode_content(b"plain", (("content-encoding", coding),)) == (b"plain", ())


@pytest.mark.parametrize("size", [0, 1, 15, 40])
def test_a_body_that_was_cut_gives_what_had_come(size: int) -> None:
    """A client that reads a stream sees what was decompressed until then."""
    body = gzip.compress(BODY * 50)
    decoded, headers = decode_content(body[:size], (("content-encoding", "gzip"),))
    assert (BODY * 50).startswith(decoded)
    assert headers == ()


def test_a_damaged_body_keeps_its_header() -> None:
    """What begins like gzip and is none is not taken for text that was decoded before."""
    damaged = gzip.compress(BODY)[:10] + b"\xff" * 20
    headers: Headers = (("content-encoding", "gzip"),)
    assert decode_content(damaged, headers) == (damaged, headers)


@pytest.mark.parametrize("codings", ["x-own, gzip", "gzip, gzip"])
def test_a_body_is_not_decoded_by_halves(codings: str) -> None:
    """Where the inner coding cannot be undone, the outer one stays, since the header names both."""
    inner = gzip.compress(BODY)[:10] + b"\xff" * 20
    headers: Headers = (("content-encoding", codings),)
    assert decode_content(gzip.compress(inner), headers) == (gzip.compress(inner), headers)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
def test_the_length_of_what_came_is_counted_piece_by_piece(coding: str) -> None:
    """Whatever the pieces are, the length is that of the decoded body at the end."""
    encoded = {"gzip": gzip.compress(BODY), "deflate": zlib.compress(BODY), "identity": BODY}
    sent = encoded[coding]
    counted = DecodedLength((("content-encoding", coding),))
    lengths = [counted.add(sent[place : place + 1]) for place in range(len(sent))]
    assert lengths == sorted(lengths)
    assert lengths[-1] == len(BODY)


def test_the_length_of_what_is_not_compressed_is_its_own() -> None:
    """A header that lies counts for nothing."""
    counted = DecodedLength((("content-encoding", "gzip"),))
    assert [counted.add(b"plain"), counted.add(b" text")] == [5, 10]
