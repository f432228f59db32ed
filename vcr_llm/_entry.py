"""One interaction of a cassette, of which nothing is worked out before somebody needs it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from vcr.request import Request as VcrRequest

from vcr_llm._document import played_response, to_document
from vcr_llm._ending import Ending
from vcr_llm._interaction import Arrival, Interaction
from vcr_llm._keyed_request import KeyedRequest, WrittenRequest
from vcr_llm._recording_directory import Recording
from vcr_llm._vcrpy import VcrResponse, from_vcrpy, request_to_vcrpy, response_to_vcrpy

Order = tuple[int, int, str, int]
"""Where an interaction stands in its cassette: of what is on disk first, by its file's order."""


class Playback(NamedTuple):
    """What answers a request: the head of the response, and its body event by event."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    events: list[bytes]
    ended: Ending | None
    arrivals: tuple[Arrival, ...]
    path: Path | None
    """The file of the recording, where there is one."""


class Entry:
    """One of the cassette's interactions: where it is on disk, and whether it is new.

    ``pair`` is what vcrpy calls a request and its response, where hooks or a recorder made one;
    else both come from the recording.
    """

    def __init__(
        self,
        order: Order,
        *,
        recording: Recording | None = None,
        pair: tuple[VcrRequest, VcrResponse] | None = None,
        is_own: bool = False,
        is_new: bool = False,
    ) -> None:
        self.order = order
        self.recording = recording
        self.is_own = is_own
        """Whether it was loaded from this cassette's own directory or file, not an extra one."""
        self.is_new = is_new
        """Whether it was recorded now."""
        self.renews: Recording | None = None
        """The recording whose place it takes."""
        self.plays = 0
        self.has_answered = is_new
        """Whether it cannot be played, since its request has had its answer from the server."""
        self.keyed: KeyedRequest | None = None
        """The request as matching sees it, once somebody has looked."""
        if pair is not None:
            self.request, self.response = pair

    @cached_property
    def request(self) -> VcrRequest:
        """The request as vcrpy has it; raises MalformedRecording where the file holds none."""
        return request_to_vcrpy(self._loaded.request)

    @cached_property
    def response(self) -> VcrResponse:
        """The response as vcrpy has it; raises MalformedRecording where the file holds none."""
        return response_to_vcrpy(self._loaded.interaction.response)

    @property
    def is_unplayed(self) -> bool:
        """Whether it can answer a request."""
        return not self.has_answered and self.plays == 0

    @property
    def written(self) -> WrittenRequest | None:
        """The request as its file has it, None where hooks had a hand."""
        return None if "request" in self.__dict__ else self._loaded.written

    def playback(self) -> Playback:
        """The response, to be played event by event.

        Raises MalformedRecording where the file holds none.
        """
        if "response" in self.__dict__:
            exchange = from_vcrpy(self.request, self.response)
            response, events = exchange.response, self._events(exchange)
            headers = [
                (header, value)
                for header, values in self.response["headers"].items()
                for value in (values if isinstance(values, list) else [values])
            ]
        else:
            response, events = self._loaded.played()
            headers = list(response.headers)
        return Playback(
            response.status,
            response.reason,
            headers,
            events,
            response.ended,
            response.arrivals,
            None if self.recording is None else self.recording.path,
        )

    def _events(self, exchange: Interaction) -> list[bytes]:
        """The body as the recording has it; a hook may have changed it, or there is no file."""
        body = exchange.response.body
        if self.recording is not None:
            _head, events = self.recording.played()
            if b"".join(events) == body:
                return events
        return played_response(to_document(exchange))[1]

    @property
    def _loaded(self) -> Recording:
        if self.recording is None:
            msg = "an entry has neither a recording nor a pair"
            raise AssertionError(msg)
        return self.recording
