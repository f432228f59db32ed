"""The transports of httpx and httpx2 inside a cassette of ours: streams that stream.

vcrpy 9.4.2 reads a response to its end before the client sees its first byte, and replays it as
one block (vcr/stubs/httpx_stubs.py). Here each chunk goes on to the client when it comes, the
recording is saved when the stream ends, however it ends, and a replay gives event by event.

vcrpy decides which transports are patched, for how long, and with which original beneath. For a
cassette of ours it gets the replacement from here (`install`), for any other one its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import aclosing, closing
from dataclasses import replace
from functools import cache, wraps
from http import HTTPStatus
from itertools import zip_longest
from types import ModuleType
from typing import Any

import vcr.stubs.httpx_stubs as host
from vcr.errors import CannotOverwriteExistingCassetteException

from vcr_llm._cassette import RecordingCassette
from vcr_llm._content_coding import DecodedLength
from vcr_llm._drift import SentAgain
from vcr_llm._ending import Ending
from vcr_llm._entry import Playback
from vcr_llm._interaction import Arrival, Response
from vcr_llm._network_watch import exchange_under_way
from vcr_llm._vcrpy import VcrResponse, request_with_headers, response_to_vcrpy

_SWITCHING_PROTOCOLS = 101  # RFC 9110, 15.2.2: what follows is no HTTP any more
_WITHOUT_CONTENT = (204, 304)  # RFC 9110, 6.4.1
_LONGEST_SILENCE = 60.0  # seconds
_MCP_SESSION = "mcp-session-id"

Handle = Callable[[Any, Any], Any]


def install() -> None:
    """Let vcrpy ask this module what replaces a transport's method."""
    host.vcr_handle_request = _choosing(host.vcr_handle_request, _handle_request)
    host.vcr_handle_async_request = _choosing(host.vcr_handle_async_request, _handle_async_request)


def _choosing(theirs: Callable[..., Handle], ours: Callable[..., Handle]) -> Callable[..., Handle]:
    @wraps(theirs)
    def replacement(cassette: Any, real: Handle, httpx: ModuleType) -> Handle:
        make = ours if isinstance(cassette, RecordingCassette) else theirs
        return make(cassette, real, httpx)

    return replacement


def _handle_request(cassette: RecordingCassette, real: Handle, httpx: ModuleType) -> Handle:
    @wraps(real)
    def handle_request(transport: Any, request: Any) -> Any:
        body = b"".join(request.stream)
        request.stream = httpx.ByteStream(body)  # reading has used it up
        exchange = _Exchange(cassette, httpx, request, body)
        if (playback := exchange.playback()) is not None:
            if (again := exchange.sent_again()) is not None:
                with again, closing(real(transport, request)) as response:
                    again.answer = _answer(response, b"".join(response.stream))
            return exchange.played(playback)
        try:
            with exchange_under_way():
                response = real(transport, request)
        except httpx.TransportError as error:
            exchange.fail(error)
            raise
        return exchange.recorded(response, _RecordedStream)

    return handle_request


def _handle_async_request(cassette: RecordingCassette, real: Handle, httpx: ModuleType) -> Handle:
    @wraps(real)
    async def handle_async_request(transport: Any, request: Any) -> Any:
        body = b"".join([part async for part in request.stream])
        request.stream = httpx.ByteStream(body)  # reading has used it up
        exchange = _Exchange(cassette, httpx, request, body)
        if (playback := exchange.playback()) is not None:
            if (again := exchange.sent_again()) is not None:
                with again:
                    async with aclosing(await real(transport, request)) as response:
                        parts = [part async for part in response.stream]
                        again.answer = _answer(response, b"".join(parts))
            return exchange.played(playback)
        try:
            with exchange_under_way():
                response = await real(transport, request)
        except httpx.TransportError as error:
            exchange.fail(error)
            raise
        return exchange.recorded(response, _RecordedAsyncStream)

    return handle_async_request


class _Exchange:
    """One request on its way through a cassette."""

    def __init__(
        self, cassette: RecordingCassette, httpx: ModuleType, request: Any, body: bytes
    ) -> None:
        self.cassette = cassette
        self.options = cassette.plan.options
        self._httpx = httpx
        self._request = request
        self._vcr_request = request_with_headers(
            request.method, str(request.url), body, request.headers.multi_items()
        )
        self._began = time.perf_counter()

    def playback(self) -> Playback | None:
        """What a recording answers; None where the request goes to the server.

        Raises vcrpy's exception for a miss where nothing may be recorded.
        """
        playback = self.cassette.play(self._vcr_request)
        if playback is None and self.cassette.refuses(self._vcr_request):
            raise CannotOverwriteExistingCassetteException(
                cassette=self.cassette, failed_request=self._vcr_request
            )
        return playback

    def sent_again(self) -> SentAgain | None:
        """The context in which the request is sent although it is played, if it is to be."""
        return self.cassette.sent_again(self._vcr_request)

    def played(self, playback: Playback) -> Any:
        """The response that was recorded; raises the error that came instead of one."""
        if playback.ended is not None and not playback.ended.has_response:
            raise self._error(playback.ended)
        reason = playback.reason.encode()
        return self._httpx.Response(
            playback.status,
            headers=_sendable(playback.headers),
            # The real response is unclosed, so `content=`, which closes it, would be wrong.
            stream=_stream_class(_PlayedStream, self._httpx)(self, playback),
            extensions={"reason_phrase": reason} if reason else None,
        )

    def recorded(self, response: Any, stream_class: Hashable) -> Any:
        """The server's response, which is recorded while the client reads it."""
        is_upgrade = response.status_code == _SWITCHING_PROTOCOLS
        if is_upgrade or not self.cassette.takes(self._vcr_request):
            return response
        tape = _Tape(self, response)
        if response.is_stream_consumed:  # made whole, as MockTransport's are: nobody will read it
            tape.take(response.content)
            tape.end()
            return response
        response.stream = _stream_class(stream_class, self._httpx)(response.stream, tape)
        return response

    def fail(self, error: Exception) -> None:
        """Record the error that came instead of a response, where the user asked for that."""
        if self.options.record_errors:
            ending = Ending(type(error).__name__, str(error), has_response=False)
            self.save(Response(200, "OK", ended=ending))

    def save(self, response: Response) -> None:
        """Give the exchange to the cassette."""
        self.cassette.record(self._vcr_request, response_to_vcrpy(response))

    def milliseconds(self) -> int:
        """The time since the request."""
        return round((time.perf_counter() - self._began) * 1000)

    @property
    def expects_content(self) -> bool:
        """Whether a response to this request can have content (RFC 9110, 6.4.1)."""
        return bool(self._vcr_request.method != "HEAD")

    @property
    def longest_silence(self) -> float:
        """The seconds that the client itself waits for a byte, or as long as a test may hang."""
        timeout = self._request.extensions.get("timeout", {}).get("read")
        return _LONGEST_SILENCE if timeout is None else min(timeout, _LONGEST_SILENCE)

    def stays_open(self, playback: Playback) -> bool:
        """Whether nothing comes behind the last event, and no end either.

        So it was when the task was cancelled. And so it is on a stream on which a server of the
        Model Context Protocol may speak at any time: it ends with the session, wherever that ends
        now; of one that ends before, the client would ask again.
        https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
        """
        if playback.ended is not None:
            return playback.ended.is_cancelled
        is_listening = self._request.method == "GET" and _MCP_SESSION in self._request.headers
        return is_listening and playback.status == HTTPStatus.OK

    def pause_before(self, arrival: Arrival | None) -> float:
        """The seconds to wait for an event, where a replay takes its time."""
        if arrival is None or self.options.replay_speed is None:
            return 0.0
        due = self._began + arrival.at / 1000 / self.options.replay_speed
        return max(0.0, due - time.perf_counter())

    def end(self, playback: Playback) -> None:
        """Raise what a client meets that reads on behind the last recorded event, if anything."""
        if playback.ended is not None:
            if playback.ended.error is not None:
                raise self._error(playback.ended)
            raise self.cassette.unrecorded_rest(playback)

    def _error(self, ending: Ending) -> Exception:
        """The client's own exception of the recorded name; nothing else is ever looked up."""
        found = vars(self._httpx).get(str(ending.error))
        is_one = isinstance(found, type) and issubclass(found, self._httpx.RequestError)
        kind = found if is_one and found is not None else self._httpx.RemoteProtocolError
        error: Exception = kind(ending.message, request=self._request)
        return error


class _Tape:
    """What has come of a response; it is saved once, when the response ends."""

    def __init__(self, exchange: _Exchange, response: Any) -> None:
        self._exchange = exchange
        self._response = response
        self._chunks: list[bytes] = []
        self._arrivals: list[Arrival] = []
        self._length = 0
        self._decoded: DecodedLength | None = None
        if exchange.options.timing:
            self._decoded = DecodedLength(tuple(response.headers.multi_items()))
        self._lock = threading.RLock()  # a collected generator may end it once more, meanwhile
        self._is_saved = False
        exchange.cassette.tapes.add(self)

    def take(self, chunk: bytes) -> None:
        """The next chunk."""
        self._chunks.append(chunk)
        self._length += len(chunk)
        if self._decoded is not None:
            arrived = self._exchange.milliseconds()
            self._arrivals.append(Arrival(self._decoded.add(chunk), arrived))

    def end(self, ending: Ending | None = None) -> None:
        """Save what came. Only the first word on how the response ended counts.

        Whoever comes second, such as the end of the cassette, waits until it is saved.
        """
        with self._lock:
            if self._is_saved:
                return
            self._is_saved = True
            self._exchange.save(self._received(ending))
            self._exchange.cassette.tapes.discard(self)

    def cut(self, error: BaseException) -> None:
        """Save what came before an error; whoever is interrupted is a client that goes away."""
        if isinstance(error, Exception):
            self.end(Ending(type(error).__name__, str(error)))
        else:
            self.end(Ending(is_cancelled=not isinstance(error, KeyboardInterrupt | SystemExit)))

    def close(self) -> None:
        """The client wants no more. Where it has everything, that is how responses end.

        In the middle of another recording this waits until that one is saved.
        """
        if self._exchange.cassette.turns.puts_off(self):
            return
        length = self._response.headers.get("content-length", "")
        has_all = length.isdecimal() and int(length) == self._length
        self.end(None if has_all or self._is_empty else Ending())

    @property
    def _is_empty(self) -> bool:
        status = self._response.status_code
        return status in _WITHOUT_CONTENT or not self._exchange.expects_content

    def _received(self, ending: Ending | None) -> Response:
        received = _received(self._response, b"".join(self._chunks))
        return replace(received, ended=ending, arrivals=tuple(self._arrivals))


def _sendable(headers: list[tuple[str, str]]) -> list[tuple[str, str]] | list[tuple[bytes, bytes]]:
    """Recorded headers as httpx takes them: text only where it is ASCII.

    Other text was sent as Latin-1, in which any bytes can be read, or as UTF-8 (RFC 9110, 5.5).
    """
    if all(name.isascii() and value.isascii() for name, value in headers):
        return headers
    try:
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    except UnicodeEncodeError:
        return [(name.encode(), value.encode("utf-8", "surrogatepass")) for name, value in headers]


def _answer(response: Any, body: bytes) -> VcrResponse:
    return response_to_vcrpy(_received(response, body))


def _received(response: Any, body: bytes) -> Response:
    headers = tuple(response.headers.multi_items())
    return Response(response.status_code, response.reason_phrase, headers, body)


class _Recorded:
    """The server's stream, of which a tape takes what the client reads."""

    def __init__(self, stream: Any, tape: _Tape) -> None:
        self._stream = stream
        self._tape = tape


class _RecordedStream(_Recorded):
    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._stream:
                self._tape.take(chunk)
                yield chunk
        except GeneratorExit:  # the client left its loop, and httpx lets nobody go on
            self._tape.close()
            raise
        except BaseException as error:
            self._tape.cut(error)
            raise
        self._tape.end()

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._tape.close()


class _RecordedAsyncStream(_Recorded):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                self._tape.take(chunk)
                yield chunk
        except GeneratorExit:  # the client left its loop, and httpx lets nobody go on
            self._tape.close()
            raise
        except BaseException as error:
            self._tape.cut(error)
            raise
        self._tape.end()

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._tape.close()


class _PlayedStream:
    """A recorded stream, event by event, with the end that it had."""

    def __init__(self, exchange: _Exchange, playback: Playback) -> None:
        self._exchange = exchange
        self._playback = playback

    def __iter__(self) -> Iterator[bytes]:
        for event, arrival in self._events():
            if pause := self._exchange.pause_before(arrival):
                time.sleep(pause)
            yield event
        self._exchange.end(self._playback)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        from anyio import lowlevel, sleep  # as httpx does it, on asyncio and on trio

        for event, arrival in self._events():
            if pause := self._exchange.pause_before(arrival):
                await sleep(pause)
            else:
                await lowlevel.checkpoint()  # other tasks run between two events, as they do live
            yield event
        if self._exchange.stays_open(self._playback):
            await sleep(self._exchange.longest_silence)  # until the task is cancelled once more
        await lowlevel.checkpoint()
        self._exchange.end(self._playback)

    def _events(self) -> Iterator[tuple[bytes, Arrival | None]]:
        events, arrivals = self._playback.events, self._playback.arrivals
        return zip_longest(events, arrivals[: len(events)])


@cache
def _stream_class(base: Hashable, httpx: ModuleType) -> Callable[..., Any]:
    """The class of a stream that this library takes for one of its own."""
    bases: dict[Hashable, tuple[type, ...]] = {
        _RecordedStream: (_RecordedStream, httpx.SyncByteStream),
        _RecordedAsyncStream: (_RecordedAsyncStream, httpx.AsyncByteStream),
        _PlayedStream: (_PlayedStream, httpx.SyncByteStream, httpx.AsyncByteStream),
    }
    return type(bases[base][0].__name__.removeprefix("_"), bases[base], {})
