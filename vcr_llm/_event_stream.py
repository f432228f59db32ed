"""Server-sent events, without losing a byte.

A *frame* is the text of one block, its blank line included: joining the frames gives the body. An
*event* is what a frame means. The rules are those of the HTML standard, "9.2 Server-sent events"
(https://html.spec.whatwg.org/multipage/server-sent-events.html): lines end with CRLF, LF or CR,
a blank line ends a block, one space after the colon belongs to the syntax, a line that begins
with a colon is a comment.

Frames are texts decoded with ``surrogateescape``, so that bytes which are no UTF-8 stay what they
are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

FIELDS = ("id", "event", "retry", "comment", "data")
"""The names a line of an event can have, in the order in which servers mostly write them."""

_BLANK_LINES = re.compile(rb"(?>\r\n|\r|\n){2,}")
# The same where all lines end alike: a search for literal text is many times as fast.
_BLANK_LINES_OF_LF = re.compile(rb"\n\n+")
_BLANK_LINES_OF_CRLF = re.compile(rb"\r\n\r\n(?:\r\n)*")
_FIRST_LINE_END = re.compile(r"\r\n|\r|\n")
_TRAILING_LINE_ENDS = re.compile(r"[\r\n]*\Z")


@dataclass(frozen=True, slots=True)
class Event:
    r"""One block of an event stream.

    ``fields`` are its lines in order as (name, value); a comment's name is ``"comment"``. Lines
    of data that follow each other are one field, joined by ``"\\n"`` as the standard says.
    """

    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """The first value of a field, or None."""
        return next((value for key, value in self.fields if key == name), None)

    def all(self, name: str) -> list[str]:
        """All values of a field, in order."""
        return [value for key, value in self.fields if key == name]

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the lines."""
        return tuple(name for name, _value in self.fields)


@dataclass(frozen=True, slots=True)
class Syntax:
    """How the lines of a stream are written where the standard leaves a choice."""

    line_end: str = "\n"
    colon: str = ": "
    end: str | None = None
    """What closes the block; None for the usual one, a blank line."""

    @property
    def closing(self) -> str:
        """What stands after the last line's text."""
        return self.line_end * 2 if self.end is None else self.end


def split_frames(body: bytes, start: int = 0) -> Iterator[str]:
    """The frames of a body, blank lines included; what comes after the last one is a frame too."""
    for blank in _blank_lines(body).finditer(body, start):
        yield body[start : blank.end()].decode(errors="surrogateescape")
        start = blank.end()
    if start < len(body):
        yield body[start:].decode(errors="surrogateescape")


def parse_frame(frame: str, usual: Syntax) -> tuple[Event, Syntax] | None:
    """The event that a frame holds and the syntax it is written in.

    ``usual`` is the syntax of the stream so far and wins where the frame allows several. None
    where no event gives this frame back: `render_frame` of the result is always the frame.
    """
    closing = _TRAILING_LINE_ENDS.search(frame)
    text = frame[: closing.start()] if closing else frame
    end = frame[len(text) :]
    first = _FIRST_LINE_END.search(frame)
    line_end = first[0] if first else usual.line_end
    syntax = Syntax(line_end, usual.colon, None if end == line_end * 2 else end)
    for colon in dict.fromkeys((usual.colon, ": ", ":")):
        syntax = replace(syntax, colon=colon)
        event = _parse_lines(text.split(line_end), colon)
        if event is not None and render_frame(event, syntax) == frame:
            return event, syntax
    return None


def render_frame(event: Event, syntax: Syntax) -> str:
    """The frame of an event."""
    return syntax.line_end.join(_lines(event, syntax.colon)) + syntax.closing


def _blank_lines(body: bytes) -> re.Pattern[bytes]:
    if b"\r" not in body:
        return _BLANK_LINES_OF_LF
    pairs = body.count(b"\r\n")
    has_only_pairs = pairs == body.count(b"\r") == body.count(b"\n")
    return _BLANK_LINES_OF_CRLF if has_only_pairs else _BLANK_LINES


def _lines(event: Event, colon: str) -> Iterator[str]:
    for name, value in event.fields:
        prefix = colon if name == "comment" else name + colon
        values = value.split("\n") if name == "data" else (value,)
        for line in values:
            yield prefix + line


def _parse_lines(lines: list[str], colon: str) -> Event | None:
    """The event of these lines if each of them is a known field written with this colon."""
    fields = []
    for line in lines:
        name, _, _ = line.partition(":")
        known = name or "comment"
        prefix = name + colon
        value = line[len(prefix) :]
        if known not in FIELDS or name == "comment" or not line.startswith(prefix):
            return None
        if value.startswith(" ") and not colon.endswith(" "):  # that space is syntax
            return None
        fields.append((known, value))
    return Event(tuple(_joined(fields)))


def _joined(fields: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The fields with neighbouring lines of data as one."""
    for name, group in groupby(fields, key=lambda field: field[0]):
        values = [value for _name, value in group]
        if name == "data":
            yield name, "\n".join(values)
        else:
            yield from ((name, value) for value in values)
