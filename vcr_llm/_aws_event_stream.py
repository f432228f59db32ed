"""AWS event streams (``application/vnd.amazon.eventstream``), without losing a byte.

A frame is: its length and its headers' length as big-endian 32-bit integers, the CRC-32 of these
eight bytes, the headers, the payload, and the CRC-32 of all before it. A header is the length of
its name, its name, its type and its value. The encoding is documented in the AWS SDKs' and Amazon
Transcribe's developer guides, "Event stream encoding".
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_PRELUDE = struct.Struct(">II")
_CRC = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_SMALLEST_FRAME = _PRELUDE.size + 2 * _CRC.size
_STRING = 7
_BYTES = 6
# Types whose value has a size of its own: true, false, byte, short, integer, long, time, UUID.
_FIXED_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


class Header(NamedTuple):
    """A header of a frame. ``value`` is text for type 7 and base64 for every other type."""

    name: str
    value: str
    type: int = _STRING


class Frame(NamedTuple):
    """One message of the stream."""

    headers: tuple[Header, ...]
    payload: bytes

    def get(self, name: str) -> str | None:
        """The value of a header that is text."""
        return next(
            (found.value for found in self.headers if found.name == name and found.type == _STRING),
            None,
        )


def parse_frames(body: bytes) -> tuple[list[Frame], bytes]:
    """The whole frames with right checksums that a body begins with, and what follows them."""
    frames = []
    start = 0
    while (end := _end_of_frame(body, start)) is not None:
        frame = _parse_frame(body[start:end])
        if frame is None:
            break
        frames.append(frame)
        start = end
    return frames, body[start:]


def render_frame(frame: Frame) -> bytes:
    """The bytes of a frame, with its checksums."""
    headers = b"".join(map(_render_header, frame.headers))
    length = _SMALLEST_FRAME + len(headers) + len(frame.payload)
    prelude = _PRELUDE.pack(length, len(headers))
    message = prelude + _CRC.pack(zlib.crc32(prelude)) + headers + frame.payload
    return message + _CRC.pack(zlib.crc32(message))


def _end_of_frame(body: bytes, start: int) -> int | None:
    if len(body) - start < _SMALLEST_FRAME:
        return None
    length, _headers_length = _PRELUDE.unpack_from(body, start)
    end = start + int(length)
    return end if length >= _SMALLEST_FRAME and end <= len(body) else None


def _parse_frame(frame: bytes) -> Frame | None:
    _length, headers_length = _PRELUDE.unpack_from(frame)
    start = _PRELUDE.size + _CRC.size
    end = start + int(headers_length)
    if end > len(frame) - _CRC.size:
        return None
    try:
        headers = tuple(_parse_headers(frame[start:end]))
    except (ValueError, KeyError, IndexError, struct.error):
        return None
    parsed = Frame(headers, frame[end : -_CRC.size])
    return parsed if render_frame(parsed) == frame else None


def _parse_headers(data: bytes) -> Iterator[Header]:
    place = 0
    while place < len(data):
        name_end = place + 1 + data[place]
        name, kind = data[place + 1 : name_end].decode(), data[name_end]
        start = name_end + 1
        if kind in (_STRING, _BYTES):
            start += _LENGTH.size
            size = int(_LENGTH.unpack_from(data, start - _LENGTH.size)[0])
        else:
            size = _FIXED_SIZES[kind]
        value = data[start : start + size]
        text = value.decode() if kind == _STRING else base64.b64encode(value).decode()
        yield Header(name, text, kind)
        place = start + size


def _render_header(header: Header) -> bytes:
    name = header.name.encode()
    is_text = header.type == _STRING
    value = header.value.encode() if is_text else base64.b64decode(header.value, validate=True)
    sized = _LENGTH.pack(len(value)) if header.type in (_STRING, _BYTES) else b""
    return bytes([len(name)]) + name + bytes([header.type]) + sized + value
