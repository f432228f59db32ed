"""Connections that a test makes past its cassette, through what vcrpy does not patch.

Only what Python's own sockets connect is seen, and only TCP: libraries in C or Rust, such as
pycurl and grpc, are not, nor is a connection that was open before.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

_under_way: ContextVar[bool] = ContextVar("vcr_llm_exchange_under_way", default=False)

_METHODS = ("connect", "connect_ex")
_LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - the hosts that vcrpy calls local
_DNS = 53
# Whoever connects below one of these is patched by vcrpy, or speaks something else than HTTP.
_NOT_PAST = frozenset(
    (
        *(
            "tornado",
            "redis",
            "valkey",
            "pymongo",
            "motor",
            "asyncpg",
            "psycopg",
            "pg8000",
            "pymysql",
        ),
        *("aiomysql", "asyncmy", "mysql", "oracledb", "cassandra", "neo4j", "clickhouse_driver"),
        *("kafka", "aiokafka", "pika", "aio_pika", "aiormq", "amqp", "nats", "paho", "zmq"),
        *("memcache", "pymemcache", "aiomcache", "ldap3", "paramiko", "asyncssh"),
        *("smtplib", "aiosmtplib", "ftplib", "imaplib", "poplib", "dns"),
        *("multiprocessing", "xmlrpc", "pydevd", "debugpy", "playwright", "selenium"),
    )
)


class Connection(NamedTuple):
    """Where a test connected to, and the line of it, or of a library, that did."""

    host: str
    port: int
    place: str


@contextmanager
def exchange_under_way() -> Iterator[None]:
    """While this lasts, a cassette knows of the request for which this context connects."""
    token = _under_way.set(True)
    try:
        yield
    finally:
        _under_way.reset(token)


class NetworkWatch:
    """Notes the connections that are made past a cassette between `start` and `stop`.

    ``options`` are the test's: the hosts that they ignore or allow are left out, and so are threads
    that ran before. ``is_recorded`` says that what this context sends is recorded in another way.
    """

    def __init__(
        self, root: Path, options: Mapping[str, Any], *, is_recorded: Callable[[], bool] = bool
    ) -> None:
        self.found: list[Connection] = []
        self._root = root
        self._is_recorded = is_recorded
        self._ignored = [str(host) for host in options.get("ignore_hosts") or ()]
        if options.get("ignore_localhost"):
            self._ignored += _LOCAL
        allowed = options.get("allowed_hosts") or ()
        self._allowed = [allowed] if isinstance(allowed, str) else list(allowed)
        self._older = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        self._before: dict[str, Any] = {}
        self._ours: dict[str, Any] = {}

    def start(self) -> None:
        """Begin to look."""
        for name in _METHODS:
            self._before[name] = vars(socket.socket).get(name)
            self._ours[name] = self._noting(getattr(socket.socket, name))
            setattr(socket.socket, name, self._ours[name])

    def stop(self) -> None:
        """Leave sockets as they were; where somebody has patched them since, do nothing more."""
        for name, ours in self._ours.items():
            if vars(socket.socket).get(name) is not ours:
                continue
            if self._before[name] is None:
                delattr(socket.socket, name)
            else:
                setattr(socket.socket, name, self._before[name])
        self._ours.clear()

    def _noting(self, connect: Callable[..., Any]) -> Callable[..., Any]:
        def noting_connect(connecting: socket.socket, address: Any, /) -> Any:
            if self._ours and _is_tcp(connecting) and isinstance(address, tuple):
                self._note(str(address[0]), address[1])
            return connect(connecting, address)

        return noting_connect

    def _note(self, host: str, port: int) -> None:
        if _under_way.get() or self._is_recorded() or port == _DNS:
            return
        if threading.get_ident() in self._older:
            return
        frames = list(_frames(sys._getframe(2)))
        if any(map(_is_not_past, frames)):
            return
        host = next(filter(None, map(_named_host, frames)), host)
        if host in self._ignored or any(re.match(pattern, host) for pattern in self._allowed):
            return
        found = Connection(host, port, self._place(frames))
        if found not in self.found:
            self.found.append(found)

    def _place(self, frames: list[FrameType]) -> str:
        """The innermost line of the project's own."""
        for frame in frames:
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(self._root) and "site-packages" not in path.parts:
                return f"{path.relative_to(self._root).as_posix()}:{frame.f_lineno}"
        return next((name for frame in frames if (name := _library(frame))), "an unknown place")


def _is_tcp(connecting: socket.socket) -> bool:
    is_internet = connecting.family in (socket.AF_INET, socket.AF_INET6)
    return is_internet and connecting.type == socket.SOCK_STREAM


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The calls that led here, from the innermost to the one that pytest made."""
    while frame is not None and _package(frame) not in ("pluggy", "_pytest"):
        yield frame
        frame = frame.f_back


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _is_not_past(frame: FrameType) -> bool:
    is_stub = str(frame.f_globals.get("__name__", "")).startswith("vcr.stubs")
    return is_stub or _package(frame) in _NOT_PAST


def _library(frame: FrameType) -> str | None:
    """The package of a frame, None for the standard library and for ours."""
    name = _package(frame)
    return None if name in sys.stdlib_module_names or name == "vcr_llm" else name or None


def _named_host(frame: FrameType) -> str | None:
    """The host as it was asked for, before it became an address."""
    if frame.f_code.co_name != "create_connection" or _package(frame) not in ("socket", "asyncio"):
        return None
    host = frame.f_locals.get("host")
    return host if isinstance(host, str) else None
