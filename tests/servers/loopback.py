"""A server on loopback that sends one Reply per request and remembers what it received.

The bytes of a reply are exactly those given: no header is added but the one that frames the body.
Framing: https://www.rfc-editor.org/rfc/rfc9112#section-6
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Framing(StrEnum):
    """How the client learns where a body ends."""

    LENGTH = "content-length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"


class Ending(StrEnum):
    """What follows the last piece of a reply.

    CUT closes the connection before the end: without the last chunk, or one byte short of the
    content-length. RESET does so with a TCP reset. STALL sends nothing more, ever.
    """

    COMPLETE = "complete"
    CUT = "cut"
    RESET = "reset"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it arrived; `path` includes the query."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first header of that name in any case, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send: a number among the pieces is a pause in seconds.

    With CHUNKED, each piece is one chunk. With `status=None` the pieces are the whole reply, status
    line included; without pieces, not even that is sent.
    """

    pieces: tuple[bytes | float, ...] = ()
    status: int | None = 200
    headers: tuple[tuple[str, str], ...] = ()
    framing: Framing = Framing.LENGTH
    ending: Ending = Ending.COMPLETE
    is_gzipped: bool = False


class LoopbackServer(ABC):
    """A server that answers from a thread of its own while its `with` block runs.

    `port=0` takes any free port; a number takes that one, so that a stopped server can come back
    under its old address.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.requests: list[ReceivedRequest] = []
        self._port = port
        self._lock = threading.Lock()
        self._http: _HTTPServer | None = None

    @abstractmethod
    def answer(self, request: ReceivedRequest) -> Reply:
        """The reply to a request; calls come one at a time, whatever the number of clients."""

    @property
    def url(self) -> str:
        """The server's origin, without a slash at the end; it outlives the server."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._http = _HTTPServer(("127.0.0.1", self._port), self)
        self._port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuses connections from now on and closes the open ones; stopping twice is fine."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def receive(self, request: ReceivedRequest) -> Reply:
        """The reply to a request, which is remembered first."""
        with self._lock:
            self.requests.append(request)
            return self.answer(request)


class _HTTPServer(ThreadingHTTPServer):
    # Not daemons: closing waits for them, so that nothing runs once the server is stopped.
    daemon_threads = False
    # The default of 5 makes the sixth client that connects at once wait for a second.
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], owner: LoopbackServer) -> None:
        super().__init__(address, _Handler)
        self.owner = owner
        self.stopped = threading.Event()
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()

    def close(self) -> None:
        self.shutdown()
        self.stopped.set()
        with self._connections_lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._connections_lock:
            self._connections.add(connection)
        return connection, address

    def close_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
            super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle is no error of the server's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small chunks must not wait for the client's delayed acknowledgement, 40 ms each.
    disable_nagle_algorithm = True
    server: _HTTPServer

    def do_GET(self) -> None:
        headers = tuple(self.headers.items())
        request = ReceivedRequest(self.command, self.path, headers, self._read_body())
        self._send(self.server.owner.receive(request))

    def do_POST(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_PATCH(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Nothing is logged: the requests are kept instead."""

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._read_chunks())
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _read_chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, reply: Reply) -> None:
        pieces = tuple(_gzipped(reply.pieces)) if reply.is_gzipped else reply.pieces
        if reply.status is not None:
            self._send_head(reply.status, reply, pieces)
        for piece in pieces:
            if isinstance(piece, bytes):
                self.wfile.write(_framed(piece, reply))
            else:
                self.server.stopped.wait(piece)
        self._end(reply)

    def _send_head(self, status: int, reply: Reply, pieces: tuple[bytes | float, ...]) -> None:
        self.send_response_only(status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.is_gzipped:
            self.send_header("Content-Encoding", "gzip")
        if reply.framing is Framing.CHUNKED:
            self.send_header("Transfer-Encoding", "chunked")
        if reply.framing is Framing.LENGTH:
            length = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
            self.send_header("Content-Length", str(length + (reply.ending is not Ending.COMPLETE)))
        self.end_headers()

    def _end(self, reply: Reply) -> None:
        is_complete = reply.ending is Ending.COMPLETE
        if is_complete and reply.status is not None and reply.framing is Framing.CHUNKED:
            self.wfile.write(b"0\r\n\r\n")
        if reply.ending is Ending.STALL:
            self.rfile.read()  # returns when the client leaves, or the server stops
        if reply.ending is Ending.RESET:
            no_linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
            # The request's files keep a closed socket open; its bare descriptor they do not.
            os.close(self.connection.detach())
        if not is_complete or reply.status is None or reply.framing is Framing.UNTIL_CLOSE:
            self.close_connection = True


def _framed(piece: bytes, reply: Reply) -> bytes:
    if not piece or reply.status is None or reply.framing is not Framing.CHUNKED:
        return piece
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _gzipped(pieces: tuple[bytes | float, ...]) -> Iterator[bytes | float]:
    """The pieces as one gzip stream, each readable as soon as it arrives."""
    gzip = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    for piece in pieces:
        if isinstance(piece, bytes):
            yield gzip.compress(piece) + gzip.flush(zlib.Z_SYNC_FLUSH)
        else:
            yield piece
    yield gzip.flush()
