"""vcrpy's matchers: two requests in, AssertionError with the difference out."""

from __future__ import annotations

from vcr.request import Request as VcrRequest

from vcr_llm._interaction import Headers
from vcr_llm._keyed_request import KeyedRequest, keyed
from vcr_llm._options import Options
from vcr_llm._request_key import differences
from vcr_llm._vcrpy import request_from_vcrpy

BODY = "llm_body"
"""The name under which the matcher is registered."""


class BodyMatcher:
    """Two requests match when their normalised bodies are equal, both redacted first."""

    __name__ = BODY

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()

    def __call__(self, incoming: VcrRequest, recorded: VcrRequest) -> None:
        """Raises AssertionError, which says by path what differs."""
        old, new = self.keyed(recorded), self.keyed(incoming)
        if old.key.body != new.key.body:
            found = differences(old.request, new.request, self._options.ignore)
            raise AssertionError("\n".join(map(str, found)) or "the bodies differ")

    def keyed(self, request: VcrRequest, sent_headers: Headers = ()) -> KeyedRequest:
        """A request as matching sees it; ``sent_headers`` are those it has before any hook."""
        return keyed(request_from_vcrpy(request), self._options, sent_headers)


llm_body = BodyMatcher()
