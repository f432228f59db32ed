"""vcrpy's serializer ``llm``: a cassette as a dictionary <-> the text of a recording.

``vcr.VCR().register_serializer("llm", vcr_llm.serializer)``. One interaction is one document, as
``docs/format.md`` describes it; several, or metadata, are ``{"recordings": […], "metadata": …}``.
Each response carries the document it came from under ``"recording"``, so that what is not changed
is written again as it was, down to keys that are not known here.
"""

from __future__ import annotations

from typing import Any

from vcr.request import Request as VcrRequest

from vcr_llm._document import from_document, parse_document
from vcr_llm._errors import MalformedRecording
from vcr_llm._foreign import Document
from vcr_llm._interaction import Interaction
from vcr_llm._json import JSON, document_text
from vcr_llm._options import Options
from vcr_llm._recording import new_recording, with_sequence
from vcr_llm._vcrpy import from_vcrpy, to_vcrpy

RECORDING = "recording"


def deserialize(cassette_string: str) -> dict[str, Any]:
    """The cassette that a text holds, as vcrpy's serializers give it.

    Raises MalformedRecording, which says where in the text and what was expected.
    """
    value = parse_document(cassette_string)
    recordings = value.get("recordings", [value])
    if not isinstance(recordings, list):
        msg = "recordings should be a list"
        raise MalformedRecording(msg)
    cassette: dict[str, Any] = {
        "version": 1,
        "interactions": [_interaction(recording) for recording in recordings],
    }
    if "recordings" in value and value.get("metadata"):
        cassette["metadata"] = value["metadata"]
    return cassette


def serialize(cassette_dict: dict[str, Any]) -> str:
    """The text of a cassette: what a response carries unchanged is written as it was."""
    documents: list[JSON] = [_document(item) for item in cassette_dict["interactions"]]
    metadata = cassette_dict.get("metadata")
    if len(documents) == 1 and not metadata:
        return document_text(documents[0])
    whole: dict[str, JSON] = {"recordings": documents}
    if metadata:
        whole["metadata"] = metadata
    return document_text(whole)


def _interaction(document: JSON) -> dict[str, Any]:
    if not isinstance(document, dict):
        msg = "recordings should be a list of JSON objects"
        raise MalformedRecording(msg)
    request, response = to_vcrpy(from_document(document))
    return {"request": request._to_dict(), "response": {**response, RECORDING: document}}


def _document(item: dict[str, Any]) -> Document:
    response = {key: value for key, value in item["response"].items() if key != RECORDING}
    fields = {**item["request"], "headers": _first_values(item["request"].get("headers") or {})}
    interaction = from_vcrpy(VcrRequest._from_dict(fields), response)
    carried = item["response"].get(RECORDING)
    if not isinstance(carried, dict):
        return new_recording(interaction, Options()).document
    if _exchange(interaction) == _exchange(from_vcrpy(*to_vcrpy(from_document(carried)))):
        return carried
    changed = new_recording(interaction, Options()).document
    changed["test_id"] = carried.get("test_id")
    return with_sequence({**carried, **changed}, None) | _unknown(carried)


def _unknown(document: Document) -> Document:
    known = ("test_id", "request", "response", "recorded_at")
    return {key: value for key, value in document.items() if key not in known}


def _exchange(interaction: Interaction) -> tuple[object, ...]:
    """What of an interaction is compared: all but the spelling of the request's body."""
    request, response = interaction.request, interaction.response
    return request.method, request.url, request.body, response


def _first_values(headers: dict[str, Any]) -> dict[str, Any]:
    return {name: value[0] if isinstance(value, list) else value for name, value in headers.items()}
