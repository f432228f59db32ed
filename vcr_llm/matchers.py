"""vcrpy's matchers: two requests in, AssertionError with the difference out."""

from __future__ import annotations

from vcr.request import Request as VcrRequest

from vcr_llm._document import request_document
from vcr_llm._foreign import Document
from vcr_llm._options import Options
from vcr_llm._redaction import Redaction
from vcr_llm._request_key import RequestKey, differences, request_key
from vcr_llm._vcrpy import request_from_vcrpy

BODY = "llm_body"
"""The name under which the matcher is registered."""


class BodyMatcher:
    """Two requests match when their normalised bodies are equal, both redacted first."""

    __name__ = BODY

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self._redaction = Redaction(self._options.redact)

    def __call__(self, incoming: VcrRequest, recorded: VcrRequest) -> None:
        """Raises AssertionError, which says by path what differs."""
        sides = self.described(recorded), self.described(incoming)
        if self.key_of(sides[0]).body != self.key_of(sides[1]).body:
            found = [f"{found}" for found in differences(*sides, self._options.ignore)]
            raise AssertionError("\n".join(found) or "the bodies differ")

    def described(self, request: VcrRequest) -> Document:
        """A request as a document has it, without secrets."""
        plain = request_from_vcrpy(request)
        return self._redaction.request(request_document(plain), plain.headers)

    def key_of(self, described: Document) -> RequestKey:
        """What decides a match."""
        return request_key(described, self._options.ignore)


llm_body = BodyMatcher()
