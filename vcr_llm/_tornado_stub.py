"""What tornado sends inside a cassette of ours, where requests are to be sent again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from vcr.request import Request as VcrRequest

from vcr_llm._cassette import RecordingCassette
from vcr_llm._sending import NothingToSend, Sending
from vcr_llm._vcrpy import VcrResponse

Fetch = Callable[[Any, Any, Callable[[Any], None]], None]

_NO_RESPONSE = 599  # https://www.tornadoweb.org/en/stable/httpclient.html#exceptions


def install() -> None:
    """Let vcrpy take this module's word for what replaces tornado's method, if it is installed."""
    try:
        import vcr.stubs.tornado_stubs as host
    except ImportError:
        return
    host.vcr_fetch_impl = _with_verifying(host.vcr_fetch_impl)


def _with_verifying(theirs: Callable[..., Fetch]) -> Callable[..., Fetch]:
    @wraps(theirs)
    def replacement(cassette: Any, real: Fetch) -> Fetch:
        fetch = theirs(cassette, real)
        if not isinstance(cassette, RecordingCassette) or not cassette.plan.verifies:
            return fetch

        @wraps(fetch)
        def fetch_again(client: Any, request: Any, callback: Callable[[Any], None]) -> None:
            def play(_answer: Any) -> None:
                fetch(client, request, callback)

            try:
                theirs(_Sending(cassette), real)(client, request, play)
            except NothingToSend:
                fetch(client, request, callback)

        return fetch_again

    return replacement


class _Sending(Sending):
    def append(self, request: VcrRequest, response: VcrResponse) -> None:
        status = response["status"]
        if status["code"] == _NO_RESPONSE:
            self.settle(ConnectionError(status["message"]))
        else:
            super().append(request, response)
