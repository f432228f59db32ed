"""Connections of http.client, urllib3, requests, botocore and httplib2: requests sent again.

vcrpy 9.4.2 either plays a request or sends it (vcr/stubs/__init__.py). To verify a recording it
has to be both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from vcr.patch import force_reset
from vcr.stubs import VCRConnection

from vcr_llm._cassette import RecordingCassette
from vcr_llm._interaction import Response
from vcr_llm._vcrpy import VcrResponse, response_to_vcrpy


def install() -> None:
    """Let vcrpy's connections send what is to be verified, before they play it."""
    theirs = VCRConnection.getresponse
    setattr(VCRConnection, "getresponse", _verifying(theirs))  # noqa: B010 - mypy lets no method be replaced


def _verifying(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def getresponse(connection: Any, *arguments: Any, **options: Any) -> Any:
        cassette = connection.cassette
        if isinstance(cassette, RecordingCassette):
            again = cassette.sent_again(connection._vcr_request)
            if again is not None:
                with again:
                    again.answer = _answer(connection)
        return theirs(connection, *arguments, **options)

    return getresponse


def _answer(connection: Any) -> VcrResponse:
    request, real = connection._vcr_request, connection.real_connection
    with force_reset():
        try:
            url = connection._url(request.uri)
            real.request(request.method, url, body=request.body_bytes, headers=request.headers)
            response = real.getresponse()
            body = response.data if hasattr(response, "data") else response.read()
        finally:
            real.close()  # whoever only replays may leave connections as they are
    headers = tuple(response.headers.items())
    return response_to_vcrpy(Response(response.status, response.reason, headers, body))
