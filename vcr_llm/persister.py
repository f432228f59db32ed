"""vcrpy's persister: one cassette is a directory, one recording is a JSON file in it."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.request import Request as VcrRequest

from vcr_llm import serializer as llm_serializer
from vcr_llm._address import address_of
from vcr_llm._cassette_files import directory_of
from vcr_llm._document import parse_document
from vcr_llm._foreign import Document, is_http_exchange
from vcr_llm._options import Options
from vcr_llm._recording import new_recording
from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm._recording_writer import RecordingWriter
from vcr_llm._vcrpy import VcrResponse, from_vcrpy, to_vcrpy


class DirectoryPersister:
    """The persister for a plain ``vcr.VCR``: loads and saves whole cassettes as directories.

    ``vcr_llm.VCR`` and the pytest plugin do more than vcrpy asks of a persister: they save each
    recording when it is complete. They give this one where vcrpy wants to see a persister.
    """

    @classmethod
    def load_cassette(
        cls,
        cassette_path: str | os.PathLike[str],
        serializer: ModuleType,  # noqa: ARG003 - vcrpy passes it; a directory has one format
    ) -> tuple[list[VcrRequest], list[VcrResponse], dict[str, Any]]:
        """The requests, responses and metadata of a cassette."""
        directory = RecordingDirectory(directory_of(cassette_path))
        if not directory.exists():
            raise CassetteNotFoundError
        requests, responses = [], []
        for recording in directory.recordings():
            if is_http_exchange(recording.document):
                request, response = to_vcrpy(recording.interaction)
                requests.append(request)
                responses.append({**response, llm_serializer.RECORDING: recording.document})
        return requests, responses, directory.metadata()

    @classmethod
    def save_cassette(
        cls,
        cassette_path: str | os.PathLike[str],
        cassette_dict: dict[str, Any],
        serializer: ModuleType,  # noqa: ARG003 - vcrpy passes it; a directory has one format
    ) -> None:
        """Make the directory hold exactly these interactions, besides what is not ours."""
        directory = RecordingDirectory(directory_of(cassette_path))
        before = directory.recordings()
        documents = [
            _document_of(request, response)
            for request, response in zip(
                cassette_dict["requests"], cassette_dict["responses"], strict=True
            )
        ]
        writer = RecordingWriter(directory, replaceable=before)
        for document in documents:
            writer.write(address_of(document), document)
        directory.remove(recording for recording in before if recording.path not in writer.written)
        if cassette_dict.get("metadata"):
            directory.save_metadata(cassette_dict["metadata"])


def _document_of(request: VcrRequest, response: VcrResponse) -> Document:
    carried = response.get(llm_serializer.RECORDING)
    item = {"request": request._to_dict(), "response": response}
    if isinstance(carried, dict):
        return parse_document(llm_serializer.serialize({"interactions": [item]}))
    return new_recording(from_vcrpy(request, response), Options()).document
