"""What aiohttp sends inside a cassette of ours: forms, and requests that are sent again.

vcrpy 9.4.2 hands over the object that the caller gave to aiohttp, not the bytes that aiohttp makes
of it (vcr/stubs/aiohttp_stubs.py): of a form it would record the name of its class. Here a form
becomes its bytes and its content type before vcrpy sees it; the same goes to the server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any

from vcr_llm._cassette import RecordingCassette
from vcr_llm._headers import CONTENT_TYPE
from vcr_llm._network_watch import exchange_under_way
from vcr_llm._sending import NothingToSend, Sending

Request = Callable[..., Awaitable[Any]]


def install() -> None:
    """Let vcrpy take this module's word for what replaces aiohttp's method, if it is installed."""
    try:
        import vcr.stubs.aiohttp_stubs as host
    except ImportError:
        return
    host.vcr_request = _with_bytes_of_forms(host.vcr_request)


def _with_bytes_of_forms(theirs: Callable[..., Request]) -> Callable[..., Request]:
    @wraps(theirs)
    def replacement(cassette: Any, real: Request) -> Request:
        request = theirs(cassette, real)
        if not isinstance(cassette, RecordingCassette):
            return request

        @wraps(request)
        async def request_with_bytes(*arguments: Any, **options: Any) -> Any:
            rendered = await _rendered(options)
            with exchange_under_way():
                if cassette.plan.verifies:
                    await _send_again(theirs, cassette, real, arguments, rendered)
                return await request(*arguments, **rendered)

        return request_with_bytes

    return replacement


async def _send_again(
    theirs: Callable[..., Request],
    cassette: RecordingCassette,
    real: Request,
    arguments: Sequence[Any],
    options: Mapping[str, Any],
) -> None:
    """Send a request before it is played; a body that can be read only once is not sent."""
    if hasattr(options.get("data"), "__aiter__"):
        return
    from aiohttp import ClientError

    sending = Sending(cassette)
    with suppress(NothingToSend):
        try:
            response = await theirs(sending, real)(*arguments, **options)
        except (OSError, ClientError, TimeoutError) as error:
            sending.settle(error)
        else:
            response.release()


async def _rendered(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a request, with the bytes of a form in its place."""
    from aiohttp import FormData, MultipartWriter

    data: Any = options.get("data")
    if isinstance(data, Mapping) or _is_list_of_pairs(data):
        data = FormData(data)
    if isinstance(data, FormData):
        data = data()
    elif not isinstance(data, MultipartWriter):
        return options
    body: Any = _Bytes()  # what aiohttp's own writer can, as far as a payload asks for it
    await data.write(body)
    headers = dict(options.get("headers") or {})
    if not any(str(name).lower() == CONTENT_TYPE for name in headers):
        headers[CONTENT_TYPE] = data.headers.get(CONTENT_TYPE, data.content_type)
    return {**options, "data": b"".join(body.pieces), "headers": headers}


def _is_list_of_pairs(data: object) -> bool:
    return isinstance(data, list | tuple) and all(isinstance(pair, tuple) for pair in data)


class _Bytes:
    """Takes what aiohttp writes."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    async def write(self, piece: bytes) -> None:
        """The next piece."""
        self.pieces.append(bytes(piece))
