"""What goes wrong on request: `fault-NAME` anywhere in a request's path or body asks for it.

So a model name (`model="fault-server-error"`), a prompt or a file name can ask for a fault, on
every endpoint. The names are those of Fault.
"""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum

from .loopback import Ending, Framing, ReceivedRequest, Reply
from .openai_wire import ApiError, bytes_reply, frame


class Fault(StrEnum):
    """The faults that a request can ask for.

    RATE_LIMITED_ONCE is over when the same request comes again; STALL and DISCONNECT send nothing
    at all; the STREAM ones send half of the answer first, and STREAM_ERROR then an error event.
    """

    BAD_REQUEST = "bad-request"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not-found"
    RATE_LIMITED_ONCE = "rate-limited-once"
    RATE_LIMITED = "rate-limited"
    SERVER_ERROR = "server-error"
    BAD_GATEWAY = "bad-gateway"
    NOT_JSON = "not-json"
    STALL = "stall"
    DISCONNECT = "disconnect"
    STREAM_ERROR = "stream-error"
    STREAM_CUT = "stream-cut"
    STREAM_STALL = "stream-stall"


# Fault has RATE_LIMITED_ONCE before RATE_LIMITED, as the first that fits is taken.
_FAULT = re.compile(f"fault-({'|'.join(Fault)})".encode())

_SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"


class Faults:
    """Finds the faults that requests ask for, and remembers whom it turned away once."""

    def __init__(self) -> None:
        self._turned_away: set[bytes] = set()

    def requested(self, request: ReceivedRequest) -> Fault | None:
        """The fault that a request asks for and has not had yet."""
        found = _FAULT.search(request.path.encode() + b" " + request.body)
        fault = Fault(found[1].decode()) if found else None
        return None if fault is Fault.RATE_LIMITED_ONCE and self._is_retry(request) else fault

    def _is_retry(self, request: ReceivedRequest) -> bool:
        boundary = request.header("content-type").partition("boundary=")[2]
        seen = request.path.encode() + request.body.replace(boundary.encode(), b"")
        if seen in self._turned_away:
            self._turned_away.remove(seen)
            return True
        self._turned_away.add(seen)
        return False


def reply_instead(fault: Fault, request: ReceivedRequest) -> Reply | None:
    """The whole reply of a fault that does not even begin to answer; errors are raised."""
    match fault:
        case Fault.BAD_REQUEST:
            message = "Unsupported parameter: 'stop' is not supported with this model."
            raise ApiError(400, message, param="stop", code="unsupported_parameter")
        case Fault.UNAUTHORIZED:
            raise _unauthorized(request)
        case Fault.NOT_FOUND:
            message = "The model does not exist or you do not have access to it."
            raise ApiError(404, message, code="model_not_found")
        case Fault.RATE_LIMITED | Fault.RATE_LIMITED_ONCE:
            raise _rate_limited()
        case Fault.SERVER_ERROR:
            raise ApiError(500, _SERVER_ERROR, kind="server_error")
        case Fault.BAD_GATEWAY:
            page = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n"
            return replace(bytes_reply(page, "text/html"), status=502)
        case Fault.NOT_JSON:
            return bytes_reply(b"upstream connect error", "application/json")
        case Fault.STALL:
            return Reply(status=None, ending=Ending.STALL)
        case Fault.DISCONNECT:
            return Reply(status=None, ending=Ending.CUT)
        case _:
            return None


def spoilt(fault: Fault, reply: Reply) -> Reply:
    """A good reply that breaks in the middle."""
    whole = [piece for piece in reply.pieces if isinstance(piece, bytes)]
    half = len(whole) // 2
    if fault is Fault.STREAM_ERROR:
        if reply.framing is Framing.LENGTH:
            raise ApiError(500, _SERVER_ERROR, kind="server_error")
        return replace(reply, pieces=(*whole[:half], _error_frame(whole[0], half)))
    ending = Ending.CUT if fault is Fault.STREAM_CUT else Ending.STALL
    torn = whole[half][: len(whole[half]) // 2]
    return replace(reply, pieces=(*whole[:half], torn), ending=ending)


def _error_frame(first: bytes, number: int) -> bytes:
    """The error event of the API whose stream begins with this frame."""
    error = {"message": _SERVER_ERROR, "type": "server_error", "param": None, "code": None}
    if first.startswith(b"event: response."):
        # Nested on the wire, flat in the docs: https://github.com/openai/openai-dotnet/issues/881
        return frame({"type": "error", "sequence_number": number, "error": error}, "error")
    return frame({"error": error})


def _unauthorized(request: ReceivedRequest) -> ApiError:
    key = request.header("authorization").removeprefix("Bearer ") or request.header("api-key")
    masked = f"{key[:8]}{'*' * (len(key) - 12)}{key[-4:]}"
    message = (
        f"Incorrect API key provided: {masked}. You can find your API key at "
        "https://platform.openai.com/account/api-keys."
    )
    headers = (("www-authenticate", 'Bearer realm="OpenAI API"'),)
    return ApiError(401, message, code="invalid_api_key", headers=headers)


def _rate_limited() -> ApiError:
    message = "Rate limit reached for requests. Please try again in 20ms."
    headers = (("retry-after", "1"), ("retry-after-ms", "20"))
    return ApiError(429, message, kind="requests", code="rate_limit_exceeded", headers=headers)
