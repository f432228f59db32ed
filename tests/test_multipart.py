"""Multipart forms as parts: the boundary is no part of the value."""

from __future__ import annotations

from typing import Any

import pytest

from vcr_llm._body import decode_request_body, encode_request_body
from vcr_llm._multipart import Part, boundaries_of, parse_parts, render_parts
from vcr_llm._tagged import tag

TYPE = "multipart/form-data"


def form(*parts: bytes, boundary: bytes = b"b") -> bytes:
    """A multipart body."""
    delimiter = b"--" + boundary
    return b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"


def field(name: str, value: bytes, *more: bytes) -> bytes:
    """One part of a form."""
    disposition = f'Content-Disposition: form-data; name="{name}"'.encode()
    return b"\r\n".join((disposition, *more)) + b"\r\n\r\n" + value


FILE = (
    b'Content-Disposition: form-data; name="file"; filename="a.mp3"\r\n'
    b"Content-Type: audio/mpeg\r\n\r\n\xff\xfb\r\n\x00"
)

FORMS: list[tuple[str, bytes, list[Any]]] = [
    (
        "a field",
        form(field("model", b"whisper-1")),
        [{"name": "model", "body": tag("str", "whisper-1")}],
    ),
    (
        "a file",
        form(FILE),
        [
            {
                "name": "file",
                "filename": "a.mp3",
                "content_type": "audio/mpeg",
                "body": tag("bytes", "//sNCgA="),
            }
        ],
    ),
    ("an empty field", form(field("a", b"")), [{"name": "a", "body": tag("str", "")}]),
    (
        "JSON",
        form(field("a", b'{"b":1}', b"Content-Type: application/json")),
        [{"name": "a", "content_type": "application/json", "body": {"b": 1}}],
    ),
    (
        "two fields of one name",
        form(field("a", b"x"), field("a", b"y")),
        [{"name": "a", "body": tag("str", "x")}, {"name": "a", "body": tag("str", "y")}],
    ),
    ("a quoted name", form(field('a\\"b', b"x")), [{"name": 'a\\"b', "body": tag("str", "x")}]),
    (
        "JSON lines in a file",
        form(
            b'content-disposition: form-data; filename="b.jsonl"; name="file"\r\n\r\n'
            b'{"a":1}\n{"a":2}\n'
        ),
        [{"name": "file", "filename": "b.jsonl", "body": tag("str", '{"a":1}\n{"a":2}\n')}],
    ),
    ("no part", form(), []),
]

NO_FORMS = [
    ("no end", form(field("a", b"x"))[:-4]),
    ("another boundary", form(field("a", b"x"), boundary=b"c")),
    ("text before the first part", b"preamble\r\n" + form(field("a", b"x"))),
    ("a part without a blank line", b"--b\r\nContent-Disposition: form-data\r\n--b--\r\n"),
    ("a part without a name", form(b"Content-Disposition: form-data\r\n\r\nx")),
    ("nothing", b""),
]


@pytest.mark.parametrize(("body", "parts"), [row[1:] for row in FORMS], ids=[r[0] for r in FORMS])
def test_a_form_is_a_list_of_parts(body: bytes, parts: list[Any]) -> None:
    """Name, file name, content type and body of each part, whatever the boundary."""
    value = tag(TYPE, parts)
    assert encode_request_body(body, f"{TYPE}; boundary=b") == value
    other = body.replace(b"--b", b"--another-boundary")
    assert (
        encode_request_body(other, f'{TYPE}; charset=utf-8; boundary="another-boundary"') == value
    )


@pytest.mark.parametrize("parts", [row[2] for row in FORMS], ids=[row[0] for row in FORMS])
def test_a_list_of_parts_is_a_form(parts: list[Any]) -> None:
    """A form rendered from its parts is read as the same parts."""
    value = tag(TYPE, parts)
    body, content_type = decode_request_body(value)
    assert content_type == f"{TYPE}; boundary=vcr-llm"
    assert encode_request_body(body, content_type) == value


@pytest.mark.parametrize("body", [row[1] for row in NO_FORMS], ids=[row[0] for row in NO_FORMS])
def test_what_is_no_form_of_its_boundary_is_none(body: bytes) -> None:
    """A body that does not keep to RFC 7578 is left to be text or bytes."""
    assert parse_parts(body, b"b") is None


@pytest.mark.parametrize("text", [b"{}", b"[]", b"0", b"false", b'""'])
def test_a_part_that_is_a_falsy_json_value_keeps_its_value(text: bytes) -> None:
    """An empty object, zero or false in a part is that value, not an empty text."""
    part = field("a", text, b"Content-Type: application/json")
    value = encode_request_body(form(part), f"{TYPE}; boundary=b")
    body, _content_type = decode_request_body(value)
    assert body is not None
    assert b"\r\n\r\n" + text + b"\r\n" in body


def test_the_boundary_shows_itself_where_the_content_type_is_missing() -> None:
    """A body whose header is lost is still read as the form that it is."""
    body = form(field("a", b"x"))
    assert list(boundaries_of(None, body)) == [b"b"]
    assert list(boundaries_of("multipart/form-data", body)) == [b"b"]
    assert list(boundaries_of("application/json", b"{}")) == []


def test_a_content_type_that_names_another_boundary_does_not_hide_a_form() -> None:
    """A form is read by the boundary that it has where it is none of the one that it names."""
    body = form(field("a", b"x"))
    value = encode_request_body(body, f"{TYPE}; boundary=other")
    assert value == encode_request_body(body, f"{TYPE}; boundary=b")
    assert encode_request_body(*decode_request_body(value)) == value


def test_a_boundary_that_a_part_contains_is_lengthened() -> None:
    """The fixed boundary gives way to content that holds it."""
    parts = [Part("a", None, None, b"\r\n--vcr-llm--\r\n")]
    body, boundary = render_parts(parts)
    assert boundary.startswith("vcr-llm-")
    assert parse_parts(body, boundary.encode()) == parts
