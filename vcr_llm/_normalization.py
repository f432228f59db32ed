"""Values that change with every recording and that no later request refers to, made constant."""

from __future__ import annotations

from vcr_llm._json import JSON
from vcr_llm._raw_text import framing_after
from vcr_llm._tagged import DATA

_COMPLETIONS = ("chat.completion", "chat.completion.chunk", "text_completion")
OLLAMA_PATHS = ("/api/chat", "/api/generate", "/api/embed")
OLLAMA_DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
EPOCH = "1970-01-01T00:00:00.000000Z"
_ID_DIGITS = 12


def normalized(document: dict[str, JSON], address: str) -> dict[str, JSON]:
    """The document with the ids and times of completions made constant.

    ``id`` becomes ``rec-`` and the first 12 digits of the address, ``created`` becomes 0, Ollama's
    ``created_at`` the epoch and its durations 0. Ids that a later request may send back, such as
    those of responses, files, threads and tool calls, stay.
    """
    request, response = document.get("request"), document.get("response")
    if not isinstance(request, dict) or not isinstance(response, dict):
        return document
    recording_id = f"rec-{address[:_ID_DIGITS]}"
    is_ollama = request.get("endpoint") in OLLAMA_PATHS
    before = response.get("body")
    if response.get("is_streaming") and isinstance(before, list):
        after: JSON = [
            _normalized_value(entry, recording_id, is_ollama=is_ollama) for entry in before
        ]
    else:
        after = _normalized_value(before, recording_id, is_ollama=is_ollama)
    if after == before:
        return document
    changed: dict[str, JSON] = {**response, "body": after}
    if isinstance(framing := response.get("framing"), dict):
        changed["framing"] = framing_after(framing, before, after)
        if not changed["framing"]:
            del changed["framing"]
    return {**document, "response": changed}


def _normalized_value(value: JSON, recording_id: str, *, is_ollama: bool) -> JSON:
    if not isinstance(value, dict):
        return value
    if isinstance(payload := value.get(DATA), dict):
        return {**value, DATA: _normalized_payload(payload, recording_id, is_ollama=is_ollama)}
    return _normalized_payload(value, recording_id, is_ollama=is_ollama)


def _normalized_payload(
    payload: dict[str, JSON], recording_id: str, *, is_ollama: bool
) -> dict[str, JSON]:
    constants: dict[str, JSON] = {}
    if payload.get("object") in _COMPLETIONS:
        constants = {"id": recording_id, "created": 0}
    elif is_ollama:
        constants = {"created_at": EPOCH, **dict.fromkeys(OLLAMA_DURATIONS, 0)}
    return {
        key: constants[key] if key in constants and value not in (None, "") else value
        for key, value in payload.items()
    }
