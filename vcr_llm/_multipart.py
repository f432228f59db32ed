"""``multipart/form-data`` (RFC 7578): parts in, parts out; the boundary is no part of the value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Fixed, so that the same parts always give the same bytes; lengthened where a part contains it.
_BOUNDARY = "vcr-llm"

_PARAMETER = re.compile(r';\s*(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FIRST_DELIMITER = re.compile(rb"--([^\r\n]{1,70})\r\n(?i:content-disposition): ?form-data")


class Part(NamedTuple):
    """One field of a form: its name, its content, and what a file has besides."""

    name: str
    filename: str | None
    content_type: str | None
    body: bytes


def boundaries_of(content_type: str | None, body: bytes = b"") -> Iterator[bytes]:
    """The boundary that a content type names, and the one that the body shows."""
    if content_type is not None and "multipart/form-data" in content_type.lower():
        named = re.search(r'boundary="?([^";]+)"?', content_type, re.IGNORECASE)
        if named:
            yield named[1].encode()
    shown = _FIRST_DELIMITER.match(body)
    if shown:
        yield shown[1]


def parse_parts(body: bytes, boundary: bytes) -> list[Part] | None:
    """The parts of a body, or None where it is no well-formed form of this boundary."""
    delimiter = b"--" + boundary
    first, *pieces = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if first or not pieces or not pieces[-1].startswith(b"--"):
        return None
    parts = [_parse_part(piece) for piece in pieces[:-1]]
    return None if None in parts else [part for part in parts if part is not None]


def render_parts(parts: Iterable[Part], named: bytes | None = None) -> tuple[bytes, str]:
    """The body of a form and its boundary."""
    rendered = [_render_part(part) for part in parts]
    boundary = _BOUNDARY if named is None else named.decode()
    while any(boundary.encode() in part for part in rendered):
        boundary += "-"
    delimiter = f"--{boundary}".encode()
    lines = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in rendered)
    return lines + delimiter + b"--\r\n", boundary


def _parse_part(piece: bytes) -> Part | None:
    head, separator, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        return None
    headers: dict[str, str] = {}
    for line in head.decode(errors="replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    found = _PARAMETER.findall(headers.get("content-disposition", ""))
    parameters = {name.lower(): value for name, value in found}
    if "name" not in parameters:
        return None
    filename, content_type = parameters.get("filename"), headers.get("content-type")
    return Part(parameters["name"], filename, content_type, content)


def _render_part(part: Part) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{part.name}"'
    if part.filename is not None:
        disposition += f'; filename="{part.filename}"'
    lines = [disposition]
    if part.content_type is not None:
        lines.append(f"Content-Type: {part.content_type}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + part.body
