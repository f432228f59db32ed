"""From an interaction to the document that is saved: redacted, normalised, with its address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from vcr_llm._address import address_of, parse_file_name
from vcr_llm._document import response_document
from vcr_llm._foreign import Document
from vcr_llm._habits import Origin
from vcr_llm._interaction import Headers, Interaction, Response
from vcr_llm._json import compact_text
from vcr_llm._keyed_request import KeyedRequest, keyed
from vcr_llm._normalization import normalized
from vcr_llm._options import Options
from vcr_llm._redaction import redaction_by
from vcr_llm._repeated_events import abridged, has_examples, unabridged
from vcr_llm._tool_call import ToolAnswer, ToolCall, tool_document

_LAST_KEYS = ("sequence", "recorded_at")
_SHORT = 100_000  # bytes of a body whose text may be in memory once more


class Addressed(NamedTuple):
    """A document and the address that names its file."""

    address: str
    document: Document


def new_recording(
    interaction: Interaction, options: Options, *, secret_headers: Headers = ()
) -> Addressed:
    """The document of an exchange that was made just now.

    ``secret_headers`` are the request's headers as they were sent: what they carry is a secret
    wherever it appears, even if a hook took the header away.
    """
    making = _Making.of(interaction, options, secret_headers)
    return making.finished(making.answer(interaction.response))


def recording_to_write(
    interaction: Interaction,
    options: Options,
    *,
    secret_headers: Headers = (),
    request: KeyedRequest | None = None,
) -> Addressed:
    """As `new_recording`, but of a long stream's events only what differs is in memory.

    ``request`` is the request as matching saw it, if it did.
    """
    making = _Making.of(interaction, options, secret_headers, request)
    short = abridged(interaction, redaction_by(options.redact).leaves(making.headers))
    if short is not None:
        answer = making.answer(short.interaction.response)
        if has_examples(answer.document, short):
            address, document = making.finished(answer)
            return Addressed(address, unabridged(document, short))
    return making.finished(making.answer(interaction.response))


class _Answer(NamedTuple):
    """The ``response`` of a document, and the JSON text of its body where that is short."""

    document: Document
    body_text: str | None


@dataclass(frozen=True)
class _Making:
    """An exchange on its way to its document; the request is looked at once."""

    interaction: Interaction
    options: Options
    headers: Headers
    """The request's, and those that are secrets besides."""
    request: KeyedRequest

    @classmethod
    def of(
        cls,
        interaction: Interaction,
        options: Options,
        secret_headers: Headers,
        request: KeyedRequest | None = None,
    ) -> _Making:
        headers = (*interaction.request.headers, *secret_headers)
        request = request or keyed(interaction.request, options, secret_headers)
        return cls(interaction, options, headers, request)

    def answer(self, response: Response) -> _Answer:
        """What the document says of a response, its secrets still in it."""
        sent = self.interaction.request
        origin = Origin.of(sent.url, sent.path)
        document = response_document(response, origin, self.options.keep_response_headers)
        is_short = len(response.body) < _SHORT
        return _Answer(document, compact_text(document["body"]) if is_short else None)

    def finished(self, answer: _Answer) -> Addressed:
        """The document redacted, normalised, and with its date."""
        redaction = redaction_by(self.options.redact)
        document: Document = {
            "test_id": self.interaction.test_id,
            "request": self.request.request,
            "response": redaction.response(
                answer.document, self.headers, body_text=answer.body_text
            ),
        }
        address = address_of(document, body_text=self.request.written.body_text)
        if self.options.normalize:
            document = normalized(document, address)
        return _dated(address, document)


def new_tool_recording(
    call: ToolCall, answer: ToolAnswer, test_id: str | None, options: Options
) -> Addressed:
    """The document of a tool's call that was made just now.

    Nothing in it is made constant: the caller may do anything with what a tool gives back.
    """
    document = redaction_by(options.redact).document(tool_document(call, answer, test_id))
    return _dated(address_of(document), document)


def _dated(address: str, document: Document) -> Addressed:
    document["recorded_at"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Addressed(address, document)


def with_sequence(document: Document, sequence: int | None) -> Document:
    """The document with its position in the cassette, or without one."""
    head = {key: value for key, value in document.items() if key not in _LAST_KEYS}
    if sequence is not None:
        head["sequence"] = sequence
    if "recorded_at" in document:
        head["recorded_at"] = document["recorded_at"]
    return head


def sequence_of(document: Document) -> int | None:
    """The position that a document names, or None."""
    sequence = document.get("sequence")
    return sequence if isinstance(sequence, int) and not isinstance(sequence, bool) else None


def replay_order(name: str, document: Document) -> tuple[int, str, int]:
    """The key that sorts recordings, by the names of their files, into the order of replay."""
    address, repeat = parse_file_name(name) or (name, 1)
    return sequence_of(document) or 0, address, repeat


def says_the_same(one: Document, other: Document) -> bool:
    """Whether two documents differ in nothing but when and in which place they were recorded."""
    return _content(one) == _content(other)


def _content(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in _LAST_KEYS}
