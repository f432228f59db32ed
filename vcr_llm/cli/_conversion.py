"""One old cassette -> one directory: the documents of it, and what came of writing them."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from vcr_llm._address import address_of, file_name
from vcr_llm._cassette_files import OLD_SUFFIXES
from vcr_llm._document import request_of, to_document, written_request
from vcr_llm._errors import RecordingError
from vcr_llm._foreign import Document
from vcr_llm._interaction import Interaction
from vcr_llm._json import JSON
from vcr_llm._old_cassette import NotACassette, OldCassette, OldInteraction, read_cassette
from vcr_llm._recording import says_the_same, sequence_of, with_sequence
from vcr_llm._recording_directory import METADATA, RecordingDirectory
from vcr_llm._recording_writer import write_whole
from vcr_llm._redaction import Redaction, secrets_in_headers
from vcr_llm._secret_shapes import PLACEHOLDER
from vcr_llm._tagged import FORM, MULTIPART, tag_of, tag_text

LARGEST = 100 * 1024 * 1024
"""Bytes of text beyond which a file is left alone: it would not fit in memory many times over."""

_EVERYTHING = ("*",)
_REDACTION = Redaction()  # remembers the names and ids that all cassettes repeat


class Status(StrEnum):
    """What came of a file."""

    CONVERTED = "converted"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"
    OURS = "ours"


class Job(NamedTuple):
    """A file to convert, and the directory that it becomes."""

    path: Path
    directory: Path
    verbatim: bool
    delete: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    path: Path
    status: Status
    reason: str = ""
    interactions: int = 0
    written: int = 0
    secrets: int = 0
    is_deleted: bool = False


class Plan(NamedTuple):
    """What a directory is to hold: documents by the names of their files."""

    documents: dict[str, Document]
    metadata: dict[str, Any]
    secrets: int


def convert_file(job: Job) -> Outcome:
    """Convert one file; whatever is wrong with it is told in the outcome."""
    try:
        return _convert_file(job)
    except NotACassette as error:
        return Outcome(job.path, Status.SKIPPED, error.problem)
    except RecordingError as error:
        where = "" if error.path is None else f"{error.path} "
        return Outcome(job.path, Status.FAILED, f"{where}{error.problem}")
    except OSError as error:
        return Outcome(job.path, Status.FAILED, f"cannot be read: {error.strerror or error}")
    except MemoryError:
        return Outcome(job.path, Status.FAILED, "needs more memory than there is")


def _convert_file(job: Job) -> Outcome:
    content, modified = read_source(job.path)
    cassette = read_cassette(content)
    if cassette.is_ours:
        return Outcome(job.path, Status.OURS)
    plan = planned(cassette, verbatim=job.verbatim, otherwise_recorded_at=modified)
    path = _beside_directory(job)
    directory = RecordingDirectory(job.directory)
    written = _save(directory, plan)
    if job.delete:
        _check_saved(directory, plan)
        path.unlink()
    return Outcome(
        job.path,
        Status.CONVERTED if written or not plan.documents else Status.UNCHANGED,
        interactions=len(cassette.interactions),
        written=written,
        secrets=plan.secrets,
        is_deleted=job.delete,
    )


def _beside_directory(job: Job) -> Path:
    """The file, with a suffix from now on where the directory takes its name.

    Raises RecordingError where it is to keep its name, or where it cannot have another.
    """
    if job.path.absolute() != job.directory.absolute():
        return job.path
    if not job.delete:
        msg = "has the name of its directory; convert it into another tree, or use --delete"
        raise RecordingError(msg)
    path = job.path.with_name(f"{job.path.name}{OLD_SUFFIXES[0]}")
    if os.path.lexists(path):
        msg = f"has the name of its directory, and {path.name} is there, too; rename one of them"
        raise RecordingError(msg)
    return job.path.rename(path)


def read_source(path: Path) -> tuple[bytes, str]:
    """The text of a file, decompressed, and when it was last changed.

    Raises RecordingError for what is no file or larger than `LARGEST`.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        msg = "is no regular file"
        raise RecordingError(msg)
    content = b""
    if status.st_size <= LARGEST:
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                content = file.read(LARGEST + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            msg = f"is no whole gzip file: {error}"
            raise RecordingError(msg) from None
    if max(status.st_size, len(content)) > LARGEST:
        msg = f"is larger than {LARGEST // 2**20} MB, more than can be converted"
        raise RecordingError(msg)
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return content, modified.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- what the directory is to hold ------------------------------------------------------------


def planned(cassette: OldCassette, *, verbatim: bool, otherwise_recorded_at: str) -> Plan:
    """The documents of a cassette, named and numbered as if they had been recorded now."""
    documents: dict[str, Document] = {}
    repeats: Counter[str] = Counter()
    secrets = 0
    is_alone = len(cassette.interactions) == 1
    for position, old in enumerate(cassette.interactions):
        document, address, removed = _document(old, verbatim=verbatim)
        document["recorded_at"] = old.recorded_at or otherwise_recorded_at
        repeats[address] += 1
        name = file_name(address, repeats[address])
        documents[name] = with_sequence(document, None if is_alone else position)
        secrets += removed
    metadata = cassette.metadata
    return Plan(documents, metadata if verbatim else _clean_metadata(metadata), secrets)


def _document(old: OldInteraction, *, verbatim: bool) -> tuple[Document, str, int]:
    """The document of an interaction, its address, and how many secrets it was rid of."""
    interaction = old.interaction
    if verbatim:
        document = _verbatim(interaction)
        return document, address_of(document), 0
    whole = to_document(interaction)
    headers = interaction.request.headers
    document = _REDACTION.document(whole, headers)
    address = address_of(document)
    secrets = _secret_headers(headers) + placeholders_added(whole, document)
    return document, address, secrets


def _verbatim(interaction: Interaction) -> Document:
    """The document with all headers, and with the very bytes of a form that it would respell."""
    document = to_document(
        interaction, keep_request_headers=_EVERYTHING, keep_response_headers=_EVERYTHING
    )
    sent, request = interaction.request.body, written_request(document)
    is_form = tag_of(request["body"]) in (FORM, MULTIPART)
    if sent is None or not is_form or request_of(document).body == sent:
        return document
    return {**document, "request": {**request, "body": tag_text(sent)}}


def _clean_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    if not metadata:
        return {}
    cleaned = _REDACTION.request({"body": metadata})["body"]
    return cleaned if isinstance(cleaned, dict) else {}


def _secret_headers(headers: tuple[tuple[str, str], ...]) -> int:
    return sum(
        any(PLACEHOLDER not in secret for secret in secrets_in_headers((pair,))) for pair in headers
    )


def placeholders_added(before: JSON, after: JSON) -> int:
    """How many values of a document were redacted."""
    if before == after:
        return 0
    if isinstance(before, dict) and isinstance(after, dict) and len(before) == len(after):
        renamed = sum(old != new for old, new in zip(before, after, strict=True))
        pairs = zip(before.values(), after.values(), strict=True)
        return renamed + sum(placeholders_added(*pair) for pair in pairs)
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return sum(placeholders_added(*pair) for pair in zip(before, after, strict=True))
    if isinstance(after, str):
        return max(1, after.count(PLACEHOLDER) - str(before).count(PLACEHOLDER))
    return 1


# --- writing ----------------------------------------------------------------------------------


def _save(directory: RecordingDirectory, plan: Plan) -> int:
    """Write what the directory does not hold yet; how many recordings that was.

    Raises RecordingError where it holds anything else, before anything is written.
    """
    files = {**plan.documents, **({METADATA: plan.metadata} if plan.metadata else {})}
    if not directory.exists() and write_whole(directory, files):
        return len(plan.documents)
    held = _held(directory, plan)
    written = 0
    for name, document in plan.documents.items():
        path = directory.path / name
        if name not in held:
            if directory.add(document, path) is None:
                raise _something_else(path)
            written += 1
        elif held[name] != sequence_of(document):
            directory.replace(document, path)
    if plan.metadata and not directory.metadata():
        directory.save_metadata(plan.metadata)
    return written


def _held(directory: RecordingDirectory, plan: Plan) -> dict[str, int | None]:
    """The recordings that are there already, with their places."""
    held: dict[str, int | None] = {}
    for recording in directory.recordings():
        name = recording.path.name
        if name not in plan.documents or not says_the_same(
            recording.document, plan.documents[name]
        ):
            raise _something_else(recording.path)
        held[name] = sequence_of(recording.document)
    metadata = directory.metadata() if directory.exists() else {}
    if metadata and metadata != plan.metadata:
        raise _something_else(directory.path / METADATA)
    return held


def _something_else(path: Path) -> RecordingError:
    msg = f"would become {path.parent}, which holds something else ({path.name}); left as it is"
    return RecordingError(msg)


def _check_saved(directory: RecordingDirectory, plan: Plan) -> None:
    """Read the directory back; raises RecordingError where it is not what was planned."""
    read = {recording.path.name: recording.document for recording in directory.recordings()}
    is_same = read.keys() == plan.documents.keys() and all(
        says_the_same(document, plan.documents[name])
        and sequence_of(document) == sequence_of(plan.documents[name])
        for name, document in read.items()
    )
    if not is_same or (plan.metadata and directory.metadata() != plan.metadata):
        msg = f"was converted, but {directory.path} does not hold the same; the old file stays"
        raise RecordingError(msg)
