"""From an interaction to the document that is saved: redacted, normalised, with its address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from vcr_llm._address import address_of, parse_file_name
from vcr_llm._document import to_document
from vcr_llm._foreign import Document
from vcr_llm._interaction import Headers, Interaction
from vcr_llm._normalization import normalized
from vcr_llm._options import Options
from vcr_llm._redaction import redaction_by
from vcr_llm._repeated_events import abridged, has_examples, unabridged
from vcr_llm._tool_call import ToolAnswer, ToolCall, tool_document

_LAST_KEYS = ("sequence", "recorded_at")


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
    headers = (*interaction.request.headers, *secret_headers)
    document = _document_of(interaction, options)
    return _finished(document, options, headers)


def recording_to_write(
    interaction: Interaction, options: Options, *, secret_headers: Headers = ()
) -> Addressed:
    """As `new_recording`, but of a long stream's events only what differs is in memory."""
    headers = (*interaction.request.headers, *secret_headers)
    short = abridged(interaction, redaction_by(options.redact).leaves(headers))
    if short is not None:
        document = _document_of(short.interaction, options)
        if has_examples(document, short):
            address, document = _finished(document, options, headers)
            return Addressed(address, unabridged(document, short))
    return new_recording(interaction, options, secret_headers=secret_headers)


def _document_of(interaction: Interaction, options: Options) -> Document:
    return to_document(
        interaction,
        keep_request_headers=options.keep_request_headers,
        keep_response_headers=options.keep_response_headers,
    )


def _finished(document: Document, options: Options, headers: Headers) -> Addressed:
    """The document redacted, normalised, and with its date."""
    document = redaction_by(options.redact).document(document, headers)
    address = address_of(document)
    if options.normalize:
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
