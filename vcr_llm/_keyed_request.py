"""A request as matching sees it, and as it is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from vcr_llm._document import request_document
from vcr_llm._interaction import Headers, Request, split_url
from vcr_llm._json import JSON, sorted_text
from vcr_llm._options import Options
from vcr_llm._redaction import redaction_by
from vcr_llm._request_key import IgnoredPath, RequestKey, request_key


class WrittenRequest:
    """A document's ``request``, and how its body is written."""

    def __init__(self, request: dict[str, JSON]) -> None:
        self.request = request

    @cached_property
    def body_text(self) -> str | None:
        """The `sorted_text` of the body."""
        return sorted_text(self.request.get("body"))

    def is_like(self, other: WrittenRequest) -> bool:
        """Whether both are written alike, and then their keys are equal, too.

        This asks for less than the keys do.
        """
        return (
            self.body_text is not None
            and self.body_text == other.body_text
            and self.request.get("method") == other.request.get("method")
            and self.request.get("url") == other.request.get("url")
        )


Redact = Callable[[WrittenRequest], WrittenRequest]
"""A request without its secrets, the very same object where it has none."""


class KeyedRequest:
    """A request as it was sent; without its secrets, and its key, as soon as somebody needs them.

    Most requests have none, and their recordings are found without looking for any.
    """

    def __init__(
        self, sent: WrittenRequest, redact: Redact, ignore: Sequence[IgnoredPath] = ()
    ) -> None:
        self.sent = sent
        self._redact = redact
        self._ignore = ignore

    @cached_property
    def written(self) -> WrittenRequest:
        """The request as a recording has it, without secrets."""
        return self._redact(self.sent)

    @property
    def request(self) -> dict[str, JSON]:
        """A document's ``request``, without secrets."""
        return self.written.request

    @cached_property
    def key(self) -> RequestKey:
        """What decides a match."""
        return request_key(self.request, self._ignore)

    @property
    def query_text(self) -> str:
        """The query as it is written, in which the order of parameters counts."""
        return split_url(str(self.request.get("url"))).query


def keyed(request: Request, options: Options, secret_headers: Headers = ()) -> KeyedRequest:
    """A request as matching sees it.

    ``secret_headers`` are its headers as they were sent: what they carry is a secret wherever it
    appears, even if a hook took the header away.
    """
    redaction, headers = redaction_by(options.redact), (*request.headers, *secret_headers)

    def redact(sent: WrittenRequest) -> WrittenRequest:
        document = sent.request
        redacted = redaction.request(document, headers, body_text=sent.body_text)
        if redacted == document:
            return sent
        written = WrittenRequest(redacted)
        if redacted["body"] is document["body"]:
            written.body_text = sent.body_text
        return written

    document = request_document(request, options.keep_request_headers)
    return KeyedRequest(WrittenRequest(document), redact, options.ignore)
