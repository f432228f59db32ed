"""vcrpy's requests and responses <-> ours: the only module that knows their shapes.

vcrpy 9.4 hands over ``Request`` objects, whose body may be bytes, text, an iterator or, from
aiohttp, a dictionary, and responses ``{"status": {"code", "message"}, "headers": {name: [value]},
"body": {"string": bytes}}``. Cassettes of its first httpx stub had ``status_code`` and
``content``. Our own stub adds ``ended`` and ``arrivals``, where a response has them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPMethod
from typing import Any
from urllib.parse import urlencode

from vcr.request import HeadersDict
from vcr.request import Request as VcrRequest
from vcr.util import read_body

from vcr_llm._content_coding import decode_content
from vcr_llm._ending import decode_ending, encode_ending
from vcr_llm._headers import CONTENT_TYPE
from vcr_llm._interaction import (
    Arrival,
    Headers,
    Interaction,
    Request,
    Response,
    header,
    standard_reason,
)
from vcr_llm._tagged import FORM

VcrResponse = dict[str, Any]

_METHODS = frozenset(HTTPMethod)


def from_vcrpy(request: VcrRequest, response: VcrResponse) -> Interaction:
    """The interaction that vcrpy hands over, its body content-decoded."""
    return Interaction(request_from_vcrpy(request), _response_from_vcrpy(response))


def to_vcrpy(interaction: Interaction) -> tuple[VcrRequest, VcrResponse]:
    """The interaction as vcrpy wants it back."""
    return request_to_vcrpy(interaction.request), response_to_vcrpy(interaction.response)


def response_to_vcrpy(response: Response) -> VcrResponse:
    """A response as vcrpy wants it."""
    handed: VcrResponse = {
        "status": {"code": response.status, "message": response.reason},
        "headers": _grouped(response.headers),
        "body": {"string": response.body},
    }
    if response.ended is not None:
        handed["ended"] = encode_ending(response.ended)
    if response.arrivals:
        handed["arrivals"] = [tuple(arrival) for arrival in response.arrivals]
    return handed


def with_named_headers(response: VcrResponse) -> VcrResponse:
    """A response whose headers are found by their names; those of tornado's stub are a list.

    As that stub gives it, the recorder's other clients could not play it (vcrpy 9.4.2,
    vcr/stubs/tornado_stubs.py).
    """
    headers = response.get("headers")
    return {**response, "headers": dict(headers)} if isinstance(headers, list) else response


def request_from_vcrpy(request: VcrRequest) -> Request:
    """A request that vcrpy hands over; from aiohttp, its method is spelled as the caller did."""
    headers = _pairs(request.headers)
    method = request.method.upper() if request.method.upper() in _METHODS else request.method
    url, _hash, _fragment = request.uri.partition("#")  # is not sent (RFC 9110, 7.1)
    return Request(method, url, headers, _body(request, headers))


def request_to_vcrpy(request: Request) -> VcrRequest:
    """A request as vcrpy wants it."""
    headers = {name: values[0] for name, values in _grouped(request.headers).items()}
    return VcrRequest(request.method, request.url, request.body, headers)


def request_with_headers(
    method: str, url: str, body: bytes, headers: Iterable[tuple[str, str]]
) -> VcrRequest:
    """A request as vcrpy wants it; of headers with one name, the values are joined.

    vcrpy's own class looks for a header of the same name before it takes each one in, and a replay
    has little else to do (9.4.2, vcr/request.py).
    """
    stored: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        lowered = name.lower()
        old = stored.get(lowered)
        stored[lowered] = (name, value) if old is None else (old[0], f"{old[1]}, {value}")
    shown = HeadersDict()
    shown._store = stored  # tests/test_hosts.py fails when it is another one
    return VcrRequest(method, url, body, shown)


def _response_from_vcrpy(response: VcrResponse) -> Response:
    if "status_code" in response:
        status, reason, content = response["status_code"], None, response.get("content")
    else:
        status, reason = response["status"]["code"], response["status"].get("message")
        content = (response.get("body") or {}).get("string")
    body, headers = decode_content(_bytes(content), _pairs(response.get("headers") or {}))
    return Response(
        status,
        standard_reason(status) if reason is None else reason,
        headers,
        body,
        decode_ending(response.get("ended")),
        tuple(Arrival(end, at) for end, at in response.get("arrivals", ())),
    )


def _body(request: VcrRequest, headers: Headers) -> bytes | None:
    body = read_body(request)
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, Mapping) and FORM in (header(headers, CONTENT_TYPE) or ""):
        return urlencode(body, doseq=True).encode()
    if isinstance(body, Mapping | list | tuple):
        return json.dumps(body, default=_text, ensure_ascii=False).encode(errors="surrogatepass")
    return _bytes(body)


def _bytes(content: Any) -> bytes:
    if content is None:
        return b""
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content)
    return _text(content).encode(errors="surrogatepass")


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _pairs(headers: Mapping[str, Any]) -> Headers:
    if type(headers) is HeadersDict:  # whose lookups, one by one, are what a replay waits for
        headers = dict(headers._store.values())
    return tuple(
        (_text(name), _text(value))
        for name, values in headers.items()
        for value in (values if isinstance(values, list | tuple) else (values,))
    )


def _grouped(headers: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped
