"""A request as matching sees it, and as it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from vcr_llm._document import request_document
from vcr_llm._interaction import Headers, Request
from vcr_llm._json import JSON, sorted_text
from vcr_llm._options import Options
from vcr_llm._redaction import redaction_by
from vcr_llm._request_key import IgnoredPath, RequestKey, request_key


class KeyedRequest:
    """A document's ``request`` as matching sees it; the key is worked out when it is needed."""

    def __init__(self, request: dict[str, JSON], ignore: Sequence[IgnoredPath] = ()) -> None:
        self.request = request
        self._ignore = ignore

    @cached_property
    def key(self) -> RequestKey:
        """What decides a match."""
        return request_key(self.request, self._ignore)

    @cached_property
    def body_text(self) -> str | None:
        """The `sorted_text` of the body."""
        return sorted_text(self.request.get("body"))

    def is_written_like(self, other: KeyedRequest) -> bool:
        """Whether both were written alike, and then their keys are equal, too.

        This asks for less than the keys do.
        """
        return (
            self.body_text is not None
            and self.body_text == other.body_text
            and self.request.get("method") == other.request.get("method")
            and self.request.get("url") == other.request.get("url")
        )


def keyed(request: Request, options: Options, secret_headers: Headers = ()) -> KeyedRequest:
    """A request as a document has it, without secrets.

    ``secret_headers`` are its headers as they were sent: what they carry is a secret wherever it
    appears, even if a hook took the header away.
    """
    document = request_document(request, options.keep_request_headers)
    body_text = sorted_text(document["body"])
    headers = (*request.headers, *secret_headers)
    redacted = redaction_by(options.redact).request(document, headers, body_text=body_text)
    seen = KeyedRequest(redacted, options.ignore)
    if redacted["body"] is document["body"]:
        seen.body_text = body_text
    return seen
