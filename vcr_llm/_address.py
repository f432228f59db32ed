"""The address of a recording: the name of its file.

It only finds a file quickly; what decides a match is the content.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator

from vcr_llm._errors import MalformedRecording
from vcr_llm._interaction import split_url
from vcr_llm._json import JSON, Number

_LONG_DECIMAL = re.compile(r"-?\d+\.\d{4,}")
_FILE_NAME = re.compile(r"([0-9a-f]{64})(?:-([1-9][0-9]*))?\.json")
_PLACES = 5
_LONG_FRACTION = re.compile(r"\.\d{4}")
_EXPONENT = re.compile(r"e[-+]\d")


def address_of(document: dict[str, JSON], *, body_text: str | None = None) -> str:
    """The address of a document: 64 hexadecimal digits.

    ``sha256(json.dumps({"body", "endpoint", "method", "test_id"}, sort_keys=True))``, where floats
    are rounded to 5 places, decimals of four or more places inside strings are written with 5, and
    the endpoint is the path that the URL has. Of a tool's call it is that of ``{"kwargs",
    "provider", "tool_name"}`` as they are, which is the carried-over system's rule.

    ``body_text`` is the `sorted_text` of the request's body, if somebody has it.
    """
    request = document.get("request")
    if not isinstance(request, dict):
        msg = "request is missing"
        raise MalformedRecording(msg)
    if "tool_name" in request:
        return _digest({key: request.get(key) for key in ("kwargs", "provider", "tool_name")})
    return next(addresses_of(request, [document.get("test_id")], body_text=body_text))


def addresses_of(
    request: dict[str, JSON], test_ids: Iterable[JSON], *, body_text: str | None = None
) -> Iterator[str]:
    """The addresses of a document's ``request`` in each of these tests; see `address_of`."""
    text = _address_text(request.get("body")) if body_text is None else body_text
    if _may_have_long_decimals(text):
        text = _address_text(_rounded(request.get("body")))
    where = {"endpoint": split_url(str(request.get("url"))).path, "method": request.get("method")}
    common = hashlib.sha256(f'{{"body": {text}, {_address_text(where)[1:-1]}, '.encode())
    for test_id in test_ids:
        digest = common.copy()
        digest.update(f'"test_id": {_address_text(test_id)}}}'.encode())
        yield digest.hexdigest()


def file_name(address: str, repeat: int = 1) -> str:
    """The file name of a recording; ``repeat`` counts those of one address from 1."""
    return f"{address}.json" if repeat == 1 else f"{address}-{repeat}.json"


def parse_file_name(name: str) -> tuple[str, int] | None:
    """The address and the repeat that a file name stands for, None where it is no such name."""
    match = _FILE_NAME.fullmatch(name)
    return None if match is None else (match[1], int(match[2] or 1))


def as_file_name(test_id: str) -> str:
    """A test's name as pytest-recording names its cassette.

    Each character that some file system refuses becomes a hyphen (pytest-recording 0.14.1,
    ``default_cassette_name``).
    """
    return "".join("-" if character in r"<>?%*:|\"'/\\" else character for character in test_id)


def _digest(addressed: dict[str, JSON]) -> str:
    return hashlib.sha256(_address_text(addressed).encode()).hexdigest()


def _as_python_writes(value: object) -> object:
    return float(value) if isinstance(value, Number) else str(value)


_address_text = json.JSONEncoder(sort_keys=True, default=_as_python_writes).encode


def _may_have_long_decimals(text: str) -> bool:
    """Whether rounding may change a value: C code writes and searches it sooner than we walk it.

    An escape may stand for a digit of another script.
    """
    if "\\u" in text or "-0.0" in text or _LONG_FRACTION.search(text):
        return True
    return ("e-" in text or "e+" in text) and _EXPONENT.search(text) is not None


def _rounded(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, Number):
        return 0 if value.text == "-0" else _rounded(float(value))
    if isinstance(value, float):
        return round(value, _PLACES)
    if isinstance(value, str):
        return _LONG_DECIMAL.sub(lambda match: f"{float(match[0]):.{_PLACES}f}", value)
    return value
