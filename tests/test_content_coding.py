"""Compressed bodies are kept as what the client reads."""

from __future__ import annotations

import gzip
import sys
import zlib
from types import ModuleType

import pytest

from vcr_llm._content_coding import decode_content
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


class _Fake(ModuleType):
    """A package that decompresses by leaving out the first byte."""

    def decompress(self, body: bytes) -> bytes:
        """The body without its first byte."""
        return body[1:]


class _FakeZstandard(ModuleType):
    """The package zstandard, whose one-shot function needs the size in the frame."""

    class ZstdDecompressor:
        """Has a decompressor object that does not."""

        def decompressobj(self) -> _Fake:
            """Something that decompresses."""
            return _Fake("x")


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


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_a_coding_without_its_package_is_left_alone(
    coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be decoded here is replayed as it was sent."""
    for name in ("brotli", "brotlicffi", "compression.zstd", "backports.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    headers: Headers = (("content-encoding", coding),)
    assert decode_content(b"\xff" + BODY, headers) == (b"\xff" + BODY, headers)


@pytest.mark.parametrize(
    ("coding", "name", "package"),
    [
        ("br", "brotli", _Fake),
        ("br", "brotlicffi", _Fake),
        ("zstd", "compression.zstd", _Fake),
        ("zstd", "backports.zstd", _Fake),
        ("zstd", "zstandard", _FakeZstandard),
    ],
)
def test_a_coding_is_decoded_by_whichever_package_is_there(
    coding: str, name: str, package: type[ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any of the packages that HTTP clients use will do."""
    for other in ("brotli", "brotlicffi", "compression.zstd", "backports.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, other, None)
    for parent in {name.partition(".")[0]} - {name}:
        monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    monkeypatch.setitem(sys.modules, name, package(name))
    assert decode_content(b"x" + BODY, (("content-encoding", coding),)) == (BODY, ())


@pytest.mark.parametrize("coding", ["br", "compress", "gzip, x-own"])
def test_a_coding_of_text_is_a_lie(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No compressed body is UTF-8: a header that says so goes, whatever is installed."""
    for name in ("brotli", "brotlicffi"):
        monkeypatch.setitem(sys.modules, name, None)
    assert decode_content(b"plain", (("content-encoding", coding),)) == (b"plain", ())
