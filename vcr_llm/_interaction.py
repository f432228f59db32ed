"""One HTTP request and its response, as values: headers are ordered pairs, bodies are bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from vcr_llm._ending import Ending

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What the client sent. ``body`` is ``None`` where the request had none."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None

    @property
    def path(self) -> str:
        """The URL's path, as it stands in the URL."""
        return split_url(self.url).path


class Arrival(NamedTuple):
    """How much of a body had come how many milliseconds after the request."""

    end: int
    at: int


@dataclass(frozen=True, slots=True)
class Response:
    """What the server sent. ``body`` is content-decoded.

    ``ended`` says how it ended where that was not as usual, ``arrivals`` when its parts came
    where somebody measured that.
    """

    status: int
    reason: str
    headers: Headers = ()
    body: bytes = b""
    ended: Ending | None = None
    arrivals: tuple[Arrival, ...] = ()


@dataclass(frozen=True, slots=True)
class Interaction:
    """A request and its response, and which test made them (``None`` outside pytest)."""

    request: Request
    response: Response
    test_id: str | None = field(default=None)


def split_url(url: str) -> SplitResult:
    """The parts of a URL; one that is none, such as ``http://[x``, is all path."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url, "", "")


def header(headers: Headers, name: str) -> str | None:
    """The first value of a header, by its name in any case (RFC 9110, 5.1)."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def standard_reason(status: int) -> str:
    """The reason phrase that goes with a status code, ``""`` for an unassigned one (RFC 9110)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
