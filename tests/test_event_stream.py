"""Event streams are split into frames and events without losing a byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_json import fuzzed, json_texts
from vcr_llm._event_stream import FIELDS, Event, Syntax, parse_frame, render_frame, split_frames

LINE_ENDS = ("\n", "\r\n", "\r")

BODIES: list[tuple[str, str, list[str]]] = [
    ("nothing", "", []),
    ("one block", "data: 1\n\n", ["data: 1\n\n"]),
    ("LF", "data: 1\n\ndata: 2\n\n", ["data: 1\n\n", "data: 2\n\n"]),
    ("CRLF", "data: 1\r\n\r\ndata: 2\r\n\r\n", ["data: 1\r\n\r\n", "data: 2\r\n\r\n"]),
    ("CR", "data: 1\r\rdata: 2\r\r", ["data: 1\r\r", "data: 2\r\r"]),
    ("mixed", "data: 1\n\r\ndata: 2\r\n\n", ["data: 1\n\r\n", "data: 2\r\n\n"]),
    ("no last blank line", "data: 1\n\ndata: 2\n", ["data: 1\n\n", "data: 2\n"]),
    ("a partial last event", "data: 1\n\nda", ["data: 1\n\n", "da"]),
    ("several blank lines", "data: 1\n\n\n\ndata: 2\n\n", ["data: 1\n\n\n\n", "data: 2\n\n"]),
    ("blank lines first", "\n\ndata: 1\n\n", ["\n\n", "data: 1\n\n"]),
    (
        "Unicode line ends in data",
        "data: a\u2028b\x85\x0b\x0c\n\n",
        ["data: a\u2028b\x85\x0b\x0c\n\n"],
    ),
    ("one CRLF is no blank line", "event: a\r\ndata: 1\r\n\r\n", ["event: a\r\ndata: 1\r\n\r\n"]),
]

FRAMES: list[tuple[str, str, Event, Syntax]] = [
    ("data", "data: x\n\n", Event((("data", "x"),)), Syntax()),
    (
        "event before data",
        "event: ping\ndata: {}\n\n",
        Event((("event", "ping"), ("data", "{}"))),
        Syntax(),
    ),
    (
        "data before event",
        "data: {}\nevent: ping\n\n",
        Event((("data", "{}"), ("event", "ping"))),
        Syntax(),
    ),
    (
        "no space after any colon, a comment with a meaning",
        "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{}\n\n",
        Event((("id", "1"), ("event", "result"), ("comment", "HTTP_STATUS/200"), ("data", "{}"))),
        Syntax(colon=":"),
    ),
    ("two spaces: one belongs to the data", "data:  did\n\n", Event((("data", " did"),)), Syntax()),
    ("several lines of data", "data: a\ndata: b\n\n", Event((("data", "a\nb"),)), Syntax()),
    (
        "lines of data apart from each other",
        "data: a\nid: 1\ndata: b\n\n",
        Event((("data", "a"), ("id", "1"), ("data", "b"))),
        Syntax(),
    ),
    ("empty data", "data: \n\n", Event((("data", ""),)), Syntax()),
    ("empty data without the space", "data:\n\n", Event((("data", ""),)), Syntax(colon=":")),
    ("empty id", "id: \ndata: x\n\n", Event((("id", ""), ("data", "x"))), Syntax()),
    ("retry", "retry: 3000\n\n", Event((("retry", "3000"),)), Syntax()),
    ("a comment alone", ": keepalive\n\n", Event((("comment", "keepalive"),)), Syntax()),
    ("a bare comment", ":\n\n", Event((("comment", ""),)), Syntax(colon=":")),
    ("two comments", ": a\n: b\n\n", Event((("comment", "a"), ("comment", "b"))), Syntax()),
    ("CRLF", "data: x\r\n\r\n", Event((("data", "x"),)), Syntax("\r\n")),
    ("CR", "data: x\r\r", Event((("data", "x"),)), Syntax("\r")),
    ("no blank line", "data: x\n", Event((("data", "x"),)), Syntax(end="\n")),
    ("no line end", "data: x", Event((("data", "x"),)), Syntax(end="")),
    ("more than one blank line", "data: x\n\n\n", Event((("data", "x"),)), Syntax(end="\n\n\n")),
    ("mixed closing", "data: x\n\r\n", Event((("data", "x"),)), Syntax(end="\n\r\n")),
    ("bytes that are no UTF-8", "data: \udcff\n\n", Event((("data", "\udcff"),)), Syntax()),
]

NO_EVENT = [
    ("a field that the standard does not know", 'error: {"code":500}\n\n'),
    ("a line without a colon", "data\n\n"),
    ("some colons with a space, some without", "event: a\ndata:x\n\n"),
    ("line ends of two kinds inside", "event: a\r\ndata: x\ndata: y\n\n"),
    ("a field that is called comment", "comment: x\n\n"),
    ("a space before the field", " data: x\n\n"),
    ("nothing but line ends", "\n\n"),
]

_values = st.one_of(
    json_texts.filter(lambda text: "\n" not in text and "\r" not in text),
    st.sampled_from(["", " ", "x", " did", "[DONE]", "{", "a:b", '{"a":1 }', "é\u2028", "\udcff"]),
)
_lines = st.one_of(
    st.tuples(
        st.sampled_from(["data", "data", "data", "event", "id", "retry", "error", "", "Data"]),
        st.sampled_from([": ", ": ", ":", ":  ", ""]),
        _values,
    ).map("".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=5),
)


def _block(lines: st.SearchStrategy[str], line_end: str) -> st.SearchStrategy[str]:
    end = st.sampled_from([line_end, line_end, line_end, "\n", "\r\n", "\r", line_end * 2, ""])
    return st.tuples(st.lists(lines, min_size=1, max_size=4), end).map(
        lambda block: line_end.join(block[0]) + line_end + block[1]
    )


def _stream(line_end: str) -> st.SearchStrategy[str]:
    usual = st.tuples(st.sampled_from(["data: ", "event: a" + line_end + "data: "]), _values)
    blocks = st.one_of(
        usual.map(lambda parts: "".join(parts) + line_end * 2), _block(_lines, line_end)
    )
    opening = st.sampled_from(["", "", "\ufeff", line_end, "\ufeff\n\n"])
    closing = st.sampled_from(
        ["", "data: [DONE]" + line_end * 2, "data: [DONE]", "data:[DONE]\n", "da", "data: {", "\n"]
    )
    return st.tuples(opening, st.lists(blocks, max_size=6), closing).map(
        lambda parts: parts[0] + "".join(parts[1]) + parts[2]
    )


streams = st.sampled_from(LINE_ENDS).flatmap(_stream)
"""Bodies that look like event streams, with every oddity that servers have shown."""


def _event(fields: list[tuple[str, str]]) -> Event:
    """An event whose neighbouring lines of data are one field, as in every parsed one."""
    joined: list[tuple[str, str]] = []
    for name, value in fields:
        if name == "data" and joined and joined[-1][0] == "data":
            joined[-1] = ("data", f"{joined[-1][1]}\n{value}")
        else:
            joined.append((name, value))
    return Event(tuple(joined))


_single_lines = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=8
)
events = st.lists(
    st.tuples(st.sampled_from(FIELDS), st.one_of(_single_lines, _values)), min_size=1, max_size=4
).map(_event)
syntaxes = st.sampled_from([Syntax(line_end, ": ") for line_end in LINE_ENDS])


@pytest.mark.parametrize(("body", "frames"), [r[1:] for r in BODIES], ids=[r[0] for r in BODIES])
def test_a_body_is_split_after_its_blank_lines(body: str, frames: list[str]) -> None:
    """A frame ends with its blank line; only CRLF, LF and CR end a line."""
    assert list(split_frames(body.encode())) == frames


@pytest.mark.parametrize(
    ("frame", "event", "syntax"), [row[1:] for row in FRAMES], ids=[row[0] for row in FRAMES]
)
def test_a_frame_is_an_event_in_a_syntax(frame: str, event: Event, syntax: Syntax) -> None:
    """A frame is read as its event and the way it is written, which give the frame back."""
    assert parse_frame(frame, Syntax()) == (event, syntax)
    assert render_frame(event, syntax) == frame


@pytest.mark.parametrize("frame", [row[1] for row in NO_EVENT], ids=[row[0] for row in NO_EVENT])
def test_a_frame_that_no_event_gives_back_is_none(frame: str) -> None:
    """What the standard does not know, or what is written in two ways at once, is kept raw."""
    assert parse_frame(frame, Syntax()) is None


def test_the_syntax_of_the_stream_wins_where_a_frame_allows_several() -> None:
    """A frame without any line end is taken to be written like the frames before it."""
    usual = Syntax("\r\n", ":")
    assert parse_frame("data:x", usual) == (Event((("data", "x"),)), Syntax("\r\n", ":", ""))
    spaced = Syntax("\r\n", ": ")
    assert parse_frame("data: x\r\n\r\n", usual) == (Event((("data", "x"),)), spaced)


def test_an_event_gives_its_fields() -> None:
    """A field is asked for by name: its first value, all its values, or None."""
    event = Event((("comment", "a"), ("comment", "b"), ("data", "x")))
    assert event.get("comment") == "a"
    assert event.all("comment") == ["a", "b"]
    assert event.get("id") is None
    assert event.order == ("comment", "comment", "data")


@fuzzed
@given(st.one_of(streams, st.text(), st.text("\r\n a:", max_size=30)))
def test_joining_the_frames_gives_the_body(body: str) -> None:
    """Splitting loses nothing and makes no empty frame."""
    frames = list(split_frames(body.encode(errors="surrogateescape")))
    assert "".join(frames) == body
    assert all(frames)


@fuzzed
@given(streams, st.sampled_from([Syntax(), Syntax("\r\n"), Syntax("\n", ":")]))
def test_a_parsed_frame_renders_as_it_was(body: str, usual: Syntax) -> None:
    """render_frame of what parse_frame gives is always the frame."""
    for frame in split_frames(body.encode(errors="surrogateescape")):
        parsed = parse_frame(frame, usual)
        assert parsed is None or render_frame(*parsed) == frame


@fuzzed
@given(events, syntaxes)
def test_a_rendered_event_parses_as_itself(event: Event, syntax: Syntax) -> None:
    """parse_frame of what render_frame gives is the event."""
    assert parse_frame(render_frame(event, syntax), syntax) == (event, syntax)
