"""Cassettes in one file -> interactions, in every dialect that public projects write.

vcrpy's YAML and JSON; what its users' serializers make of them (``parsed_body``, lists of
``requests`` and ``responses``, tags of multidict); its first httpx stub (``status_code``,
``content``); one exchange per file (DataDog's test agent, the recordings of the system whose shape
ours carries on); Ruby's ``http_interactions``. A body is the bytes that the client read.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from vcr_llm._content_coding import decode_content
from vcr_llm._document import from_document
from vcr_llm._errors import MalformedRecording, RecordingError
from vcr_llm._foreign import is_http_exchange, is_tool_call
from vcr_llm._headers import CONTENT_TYPE
from vcr_llm._interaction import (
    Headers,
    Interaction,
    Request,
    Response,
    header,
    standard_reason,
)
from vcr_llm._json import MAX_DOCUMENT_DEPTH, parse, render
from vcr_llm._tagged import FORM
from vcr_llm._yaml import load_yaml

_PARSED_BODY_LAYOUT = "spaced+ascii"  # json.dumps, with which pydantic-ai makes its bodies again
_ENCODED_BODY = frozenset({"string", "base64_string", "encoding"})


class NotACassette(RecordingError):
    """A file holds something else than exchanges over HTTP; the problem says what."""


@dataclass(frozen=True, slots=True)
class OldInteraction:
    """An interaction, and when it was recorded where its cassette says so (UTC, ISO 8601)."""

    interaction: Interaction
    recorded_at: str | None = None


@dataclass(frozen=True, slots=True)
class OldCassette:
    """What one file holds."""

    interactions: tuple[OldInteraction, ...]
    metadata: dict[str, Any] = field(default_factory=dict)
    is_ours: bool = False
    """Whether it is a recording in our format already."""


def read_cassette(content: bytes) -> OldCassette:
    """The cassette that a file's content holds, whichever dialect it is in.

    Raises NotACassette where it holds none, and MalformedRecording where it is broken.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"is not UTF-8: byte {error.start} is no part of a character"
        raise MalformedRecording(msg) from None
    if not text.strip():
        msg = "is empty"
        raise NotACassette(msg)
    return cassette_of(_parsed(text))


def cassette_of(value: Any) -> OldCassette:  # noqa: ANN401 - it comes from YAML
    """The cassette that a parsed file is."""
    if isinstance(value, list):
        return OldCassette(tuple(_interactions(value)))
    if not isinstance(value, dict):
        msg = "holds text, not a cassette"
        raise NotACassette(msg)
    if "request" in value and "response" in value:
        return _one_exchange(value)
    metadata = value.get("metadata")
    return OldCassette(
        tuple(_interactions(_items(value))), metadata if isinstance(metadata, dict) else {}
    )


def _parsed(text: str) -> Any:  # noqa: ANN401 - the same
    if not text.lstrip().startswith(("{", "[")):
        return load_yaml(text)
    try:
        return parse(text, max_depth=MAX_DOCUMENT_DEPTH)
    except ValueError as error:
        problem = MalformedRecording(f"is not valid JSON: {error}")
    try:  # YAML may begin with brackets as well
        return load_yaml(text)
    except MalformedRecording:
        raise problem from None


def _items(value: dict[str, Any]) -> list[Any]:
    """The list of exchanges, by whichever name it goes."""
    if "requests" in value and "responses" in value:
        return _zipped(value["requests"], value["responses"])
    for name in ("interactions", "http_interactions", "recordings"):
        if name in value:
            items = value[name] or []
            if isinstance(items, list):
                return items
            if isinstance(items, dict):
                msg = f"has {name} that are no list, so it is no cassette of HTTP"
                raise NotACassette(msg)
            msg = f"{name} should be a list"
            raise MalformedRecording(msg)
    if _is_log_of_messages(value.get("messages")):
        msg = "is a log of messages in two directions, not a cassette of HTTP"
        raise NotACassette(msg)
    msg = "holds no interactions, so it is no cassette"
    raise NotACassette(msg)


def _zipped(requests: Any, responses: Any) -> list[Any]:  # noqa: ANN401 - the same
    if not (isinstance(requests, list) and isinstance(responses, list)):
        msg = "requests and responses should be lists"
        raise MalformedRecording(msg)
    if len(requests) != len(responses):
        msg = f"has {len(requests)} requests and {len(responses)} responses"
        raise MalformedRecording(msg)
    return [
        {"request": request, "response": response}
        for request, response in zip(requests, responses, strict=True)
    ]


def _is_log_of_messages(value: object) -> bool:
    return isinstance(value, list) and any(
        isinstance(item, dict) and "direction" in item for item in value
    )


def _interactions(items: list[Any]) -> Iterator[OldInteraction]:
    if items and not any(_is_exchange(item) for item in items):
        raise NotACassette(_what_else(items))
    for index, item in enumerate(items):
        try:
            yield _interaction(item)
        except MalformedRecording as error:
            msg = f"interactions[{index}]: {error.problem}"
            raise MalformedRecording(msg) from error


def _is_exchange(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("request"), dict)


def _what_else(items: list[Any]) -> str:
    names = {name for item in items if isinstance(item, dict) for name in item}
    if names & {"request_sample", "request_stream"}:
        return "holds samples of gRPC, not exchanges over HTTP"
    if "direction" in names:
        return "is a log of a WebSocket, not a cassette of HTTP"
    return "has interactions without a request and a response, so it is no cassette of HTTP"


# --- one exchange per file --------------------------------------------------------------------


def _one_exchange(value: dict[str, Any]) -> OldCassette:
    request, response = value["request"], value["response"]
    if not (isinstance(request, dict) and isinstance(response, dict)):
        msg = "has a request and a response that are no objects, so it is no cassette"
        raise NotACassette(msg)
    if "is_streaming" not in response and not is_tool_call(value):
        return OldCassette((_interaction(value),))
    if not is_http_exchange(value):
        what = "a tool's call" if is_tool_call(value) else "an error before any response"
        msg = f"is the recording of {what}, not an exchange over HTTP"
        raise NotACassette(msg)
    recorded_at = value.get("recorded_at")
    is_ours = isinstance(recorded_at, str)
    try:
        interaction = from_document(value)
    except (AttributeError, TypeError):  # bytes as a value or a name
        msg = "is a recording that holds what JSON does not have: its YAML was edited"
        raise MalformedRecording(msg) from None
    recorded = OldInteraction(interaction, recorded_at if is_ours else None)
    return OldCassette((recorded,), is_ours=is_ours)


# --- an exchange ------------------------------------------------------------------------------


def _interaction(item: Any) -> OldInteraction:  # noqa: ANN401 - the same
    if isinstance(item, dict) and isinstance(item.get("response"), dict) and _is_document(item):
        return _one_exchange(item).interactions[0]
    request, response = _member(item, "request"), _member(item, "response")
    interaction = Interaction(_request(request), _response(response))
    said = item.get("recorded_at")
    date = said if isinstance(said, str) else header(interaction.response.headers, "date")
    return OldInteraction(interaction, _timestamp(date))


def _is_document(item: dict[str, Any]) -> bool:
    return "is_streaming" in item["response"] and isinstance(item.get("request"), dict)


def _member(item: Any, name: str) -> dict[str, Any]:  # noqa: ANN401 - the same
    value = item.get(name) if isinstance(item, dict) else None
    if not isinstance(value, dict):
        msg = f"{name} is missing"
        raise MalformedRecording(msg)
    return value


def _request(request: dict[str, Any]) -> Request:
    url = request.get("uri", request.get("url"))
    if not isinstance(url, str):
        msg = "request.uri is missing"
        raise MalformedRecording(msg)
    headers = _headers(request.get("headers"))
    return Request(str(request.get("method") or "GET"), url, headers, _sent(request, headers))


def _sent(request: dict[str, Any], headers: Headers) -> bytes | None:
    if request.get("parsed_body") is not None:
        return _dumped(request["parsed_body"])
    body = request.get("body")
    if body is None:
        return None
    if isinstance(body, dict):
        if body and body.keys() <= _ENCODED_BODY:
            return _decoded(body)
        if FORM in (header(headers, CONTENT_TYPE) or ""):
            return urlencode(body, doseq=True, errors="surrogatepass").encode()
        return _dumped(body)
    if isinstance(body, list) and not all(isinstance(chunk, bytes | str) for chunk in body):
        return _dumped(body)
    return _bytes(body)


def _response(response: dict[str, Any]) -> Response:
    headers = _headers(response.get("headers"))
    body, headers = decode_content(_received(response), headers)
    status, reason = _status(response)
    return Response(status, standard_reason(status) if reason is None else reason, headers, body)


def _received(response: dict[str, Any]) -> bytes:
    if response.get("parsed_body") is not None:
        return _dumped(response["parsed_body"])
    body = response.get("body", response.get("content"))
    return _decoded(body) if isinstance(body, dict) else _bytes(body)


def _status(response: dict[str, Any]) -> tuple[int, str | None]:
    said = response.get("status", response.get("status_code"))
    code = said.get("code") if isinstance(said, dict) else said
    message = said.get("message") if isinstance(said, dict) else response.get("reason")
    try:
        return int(str(code)), None if message is None else _text(message)
    except ValueError:
        msg = "response.status is missing" if code is None else f"{code!r} is no status code"
        raise MalformedRecording(msg) from None


def _headers(headers: object) -> Headers:
    """Header pairs: a value may be text or bytes, one or several."""
    if isinstance(headers, Mapping):
        return tuple(
            (_text(name), _text(value))
            for name, values in headers.items()
            for value in _each(values)
        )
    return tuple(map(_pair, headers)) if isinstance(headers, list | tuple) else ()


def _pair(pair: object) -> tuple[str, str]:
    match pair:
        case [name, value]:
            return _text(name), _text(value)
        case _:
            msg = "headers should be an object, or a list of [name, value]"
            raise MalformedRecording(msg)


def _each(values: object) -> Iterable[object]:
    return values if isinstance(values, list | tuple) else (values,)


# --- bodies -----------------------------------------------------------------------------------


def _decoded(body: dict[str, Any]) -> bytes:
    """A body in an object: as it is, or in base64."""
    if (encoded := body.get("base64_string")) is not None:
        try:
            return base64.b64decode(encoded)
        except (TypeError, ValueError):
            msg = "body.base64_string is no base64"
            raise MalformedRecording(msg) from None
    return _bytes(body.get("string"))


def _dumped(value: Any) -> bytes:  # noqa: ANN401 - the same
    try:
        return render(value, _PARSED_BODY_LAYOUT).encode()
    except (TypeError, ValueError):  # NaN, or bytes inside: as pydantic-ai's own json.dumps
        return json.dumps(_with_json_keys(value), default=_text).encode()


def _with_json_keys(value: Any) -> Any:  # noqa: ANN401 - the same
    """The value with names of members that JSON can write: YAML's may be of any type."""
    if isinstance(value, dict):
        return {
            key if isinstance(key, str | int | float | None) else _text(key): _with_json_keys(item)
            for key, item in value.items()
        }
    return list(map(_with_json_keys, value)) if isinstance(value, list) else value


def _bytes(content: object) -> bytes:
    if isinstance(content, list | tuple):
        return b"".join(map(_bytes, content))
    return content if isinstance(content, bytes) else _text(content).encode(errors="surrogatepass")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _timestamp(date: str | None) -> str | None:
    """When an exchange was, as recordings write it."""
    try:
        return parsedate_to_datetime(date or "").strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
