"""Names for payloads: the dotted path of the SDK's model that a JSON value is an instance of.

A label is found from the payload itself, its ``object`` or ``type`` field, and from the endpoint
where a payload has neither. Servers that speak OpenAI's protocol therefore get OpenAI's labels.
Labels are for readers: nothing is ever imported because a file names it.

The classes of streamed events stand in a table. An event that is not in it is looked up in the
union types of the installed SDK, so that what the SDK learns tomorrow has its name tomorrow; only
then is the SDK imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import typing
from functools import cache

from vcr_llm._event_labels import event_label, has_no_model
from vcr_llm._json import JSON

_BY_OBJECT = {
    "assistant": "beta.assistant.Assistant",
    "assistant.deleted": "beta.assistant_deleted.AssistantDeleted",
    "batch": "batch.Batch",
    "chat.completion": "chat.chat_completion.ChatCompletion",
    "chat.completion.chunk": "chat.chat_completion_chunk.ChatCompletionChunk",
    "chat.completion.deleted": "chat.chat_completion_deleted.ChatCompletionDeleted",
    "conversation": "conversations.conversation.Conversation",
    "file": "file_object.FileObject",
    "fine_tuning.job": "fine_tuning.fine_tuning_job.FineTuningJob",
    "fine_tuning.job.event": "fine_tuning.fine_tuning_job_event.FineTuningJobEvent",
    "model": "model.Model",
    "response": "responses.response.Response",
    "text_completion": "completion.Completion",
    "thread": "beta.thread.Thread",
    "thread.deleted": "beta.thread_deleted.ThreadDeleted",
    "thread.message": "beta.threads.message.Message",
    "thread.message.deleted": "beta.threads.message_deleted.MessageDeleted",
    "thread.message.delta": "beta.threads.message_delta_event.MessageDeltaEvent",
    "thread.run": "beta.threads.run.Run",
    "thread.run.step": "beta.threads.runs.run_step.RunStep",
    "thread.run.step.delta": "beta.threads.runs.run_step_delta_event.RunStepDeltaEvent",
    "upload": "upload.Upload",
    "upload.part": "uploads.upload_part.UploadPart",
    "vector_store": "vector_store.VectorStore",
    "vector_store.deleted": "vector_store_deleted.VectorStoreDeleted",
    "vector_store.file": "vector_stores.vector_store_file.VectorStoreFile",
    "vector_store.file.deleted": "vector_stores.vector_store_file_deleted.VectorStoreFileDeleted",
    "vector_store.file_batch": "vector_stores.vector_store_file_batch.VectorStoreFileBatch",
}
_DELETED = {
    "file": "file_deleted.FileDeleted",
    "model": "model_deleted.ModelDeleted",
}
# An answer that names itself by nothing but the path it came from, and a key that it must have.
_BY_ENDPOINT = (
    ("/audio/transcriptions", "text", "audio.transcription.Transcription"),
    ("/audio/translations", "text", "audio.translation.Translation"),
    ("/embeddings", "data", "create_embedding_response.CreateEmbeddingResponse"),
    ("/images/generations", "data", "images_response.ImagesResponse"),
    ("/images/edits", "data", "images_response.ImagesResponse"),
    ("/images/variations", "data", "images_response.ImagesResponse"),
    ("/moderations", "results", "moderation_create_response.ModerationCreateResponse"),
)
_OLLAMA = {
    "/api/chat": ("message", "ollama._types.ChatResponse"),
    "/api/embed": ("embeddings", "ollama._types.EmbedResponse"),
    "/api/embeddings": ("embedding", "ollama._types.EmbeddingsResponse"),
    "/api/generate": ("response", "ollama._types.GenerateResponse"),
    "/api/ps": ("models", "ollama._types.ProcessResponse"),
    "/api/show": ("modelfile", "ollama._types.ShowResponse"),
    "/api/tags": ("models", "ollama._types.ListResponse"),
}
# Messages of Anthropic's that name themselves by their "type", and the paths they come from.
_ANTHROPIC = {"message": "anthropic.types.message.Message"}
_GEMINI = (
    ("generateContent", "candidates", "google.genai.types.GenerateContentResponse"),
    ("streamGenerateContent", "candidates", "google.genai.types.GenerateContentResponse"),
    ("embedContent", "embedding", "google.genai.types.EmbedContentResponse"),
    ("batchEmbedContents", "embeddings", "google.genai.types.EmbedContentResponse"),
    ("countTokens", "totalTokens", "google.genai.types.CountTokensResponse"),
)
# Unions of the events of one stream: the module and name of the type, and the paths it is for.
_EVENT_UNIONS = (
    ("/responses", "openai.types.responses.response_stream_event", "ResponseStreamEvent"),
    (
        "/audio/transcriptions",
        "openai.types.audio.transcription_stream_event",
        "TranscriptionStreamEvent",
    ),
    ("/images/generations", "openai.types.image_gen_stream_event", "ImageGenStreamEvent"),
    ("/images/edits", "openai.types.image_edit_stream_event", "ImageEditStreamEvent"),
    ("/messages", "anthropic.types.raw_message_stream_event", "RawMessageStreamEvent"),
)
_NAMED_BY_TYPE = ("openai.types.responses.", "anthropic.types.")


def label_of(payload: JSON, path: str, *, is_event: bool = False) -> str | None:
    """The label of a payload that came from an endpoint's path, or None if no SDK names it."""
    if not isinstance(payload, dict):
        return None
    if is_event and (label := _event_label(payload, path)):
        return label
    if label := _object_label(payload):
        return "openai.types." + label
    key, ollama = _OLLAMA.get(path, (None, None))
    if key is not None and key in payload:
        return ollama
    if path.endswith("/messages") and (label := _ANTHROPIC.get(str(payload.get("type")))):
        return label
    for method, wanted, name in _GEMINI:
        if path.endswith(":" + method) and wanted in payload:
            return name
    for ending, wanted, name in _BY_ENDPOINT:
        if path.endswith(ending) and wanted in payload and not is_event:
            return "openai.types." + name
    return None


def names_its_event(label: str | None) -> bool:
    """Whether events of this label come with an ``event:`` line that repeats their ``type``."""
    return label is not None and label.startswith(_NAMED_BY_TYPE)


def _object_label(payload: dict[str, JSON]) -> str | None:
    kind = payload.get("object")
    if not isinstance(kind, str):
        return None
    if payload.get("deleted") is True and kind in _DELETED:
        return _DELETED[kind]
    return _BY_OBJECT.get(kind)


def _event_label(payload: dict[str, JSON], path: str) -> str | None:
    kind = payload.get("type")
    if not isinstance(kind, str):
        return None
    for part, module, union in _EVENT_UNIONS:
        if part in path:
            if has_no_model(module, kind):
                return None
            return event_label(module, kind) or _event_classes(module, union).get(kind)
    return None


@cache
def _event_classes(module_name: str, union_name: str) -> dict[str, str]:
    """Labels by the ``type`` of an event, from a union type of the installed SDK."""
    try:
        if importlib.util.find_spec(module_name) is None:
            return {}
    except ModuleNotFoundError:
        return {}
    union = getattr(importlib.import_module(module_name), union_name, None)
    return {
        kind: f"{member.__module__}.{member.__qualname__}"
        for member in _members(union)
        for kind in _literals(member)
    }


def _members(union: object) -> list[type]:
    """The classes of a union, whether it is ``Union[...]`` or ``Annotated[Union[...], ...]``."""
    members: list[type] = []
    for part in typing.get_args(union):
        if isinstance(part, type):
            members.append(part)
        else:
            members.extend(_members(part))
    return members


def _literals(member: type) -> tuple[str, ...]:
    """What the model allows as its ``type``."""
    fields = getattr(member, "model_fields", {})
    return typing.get_args(fields["type"].annotation) if "type" in fields else ()
