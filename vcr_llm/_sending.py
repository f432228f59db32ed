"""Sending a request again through a stub of vcrpy's that can only record or play."""

from __future__ import annotations

from vcr.request import Request as VcrRequest

from vcr_llm._cassette import RecordingCassette
from vcr_llm._drift import SentAgain
from vcr_llm._vcrpy import VcrResponse


class NothingToSend(Exception):
    """A request is not to be sent."""


class Sending:
    """What vcrpy takes for a cassette that records, while a request is sent again."""

    write_protected = False

    def __init__(self, cassette: RecordingCassette) -> None:
        self._cassette = cassette
        self._again: SentAgain | None = None

    def can_play_response_for(self, request: VcrRequest) -> bool:
        """False, so that vcrpy sends it; raises NothingToSend where that is not wanted."""
        self._again = self._cassette.sent_again(request)
        if self._again is None:
            raise NothingToSend
        return False

    def filter_request(self, request: VcrRequest) -> VcrRequest:
        """Take every request: the cassette itself has seen to that."""
        return request

    def append(self, request: VcrRequest, response: VcrResponse) -> None:
        """Take an answer; those after the first one are where it redirected to."""
        self._again = self._again or self._cassette.sent_again(request)
        self.settle(response)

    def settle(self, answer: VcrResponse | Exception) -> None:
        """Have the answer, or the error that came instead, compared with the recording."""
        if self._again is not None:
            self._again.settle(answer)
        self._again = None
