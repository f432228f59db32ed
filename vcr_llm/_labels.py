"""Names for payloads: the dotted path of the SDK's model that a JSON value is an instance of.

A label is found from the payload itself, its ``object`` or ``type`` field, and from the endpoint
where a payload has neither. Servers that speak OpenAI's protocol therefore get OpenAI's labels.
Labels are for readers: nothing is ever imported because a file names it.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from vcr_llm._event_labels import FAMILIES, event_label
from vcr_llm._json import JSON

_MISTRAL = "mistralai.client.models"
# What names itself wherever it comes from.
_BY_OBJECT = {
    "assistant": "openai.types.beta.assistant.Assistant",
    "assistant.deleted": "openai.types.beta.assistant_deleted.AssistantDeleted",
    "batch": "openai.types.batch.Batch",
    "chat.completion": "openai.types.chat.chat_completion.ChatCompletion",
    "chat.completion.chunk": "openai.types.chat.chat_completion_chunk.ChatCompletionChunk",
    "chat.completion.deleted": "openai.types.chat.chat_completion_deleted.ChatCompletionDeleted",
    "conversation.history": f"{_MISTRAL}.conversationhistory.ConversationHistory",
    "conversation.messages": f"{_MISTRAL}.conversationmessages.ConversationMessages",
    "conversation.response": f"{_MISTRAL}.conversationresponse.ConversationResponse",
    "conversation": "openai.types.conversations.conversation.Conversation",
    "file": "openai.types.file_object.FileObject",
    "fine_tuning.job": "openai.types.fine_tuning.fine_tuning_job.FineTuningJob",
    "fine_tuning.job.event": "openai.types.fine_tuning.fine_tuning_job_event.FineTuningJobEvent",
    "model": "openai.types.model.Model",
    "response": "openai.types.responses.response.Response",
    "text_completion": "openai.types.completion.Completion",
    "thread": "openai.types.beta.thread.Thread",
    "thread.deleted": "openai.types.beta.thread_deleted.ThreadDeleted",
    "thread.message": "openai.types.beta.threads.message.Message",
    "thread.message.deleted": "openai.types.beta.threads.message_deleted.MessageDeleted",
    "thread.message.delta": "openai.types.beta.threads.message_delta_event.MessageDeltaEvent",
    "thread.run": "openai.types.beta.threads.run.Run",
    "thread.run.step": "openai.types.beta.threads.runs.run_step.RunStep",
    "thread.run.step.delta": "openai.types.beta.threads.runs.run_step_delta_event.RunStepDeltaEvent",
    "upload": "openai.types.upload.Upload",
    "upload.part": "openai.types.uploads.upload_part.UploadPart",
    "vector_store": "openai.types.vector_store.VectorStore",
    "vector_store.deleted": "openai.types.vector_store_deleted.VectorStoreDeleted",
    "vector_store.file": "openai.types.vector_stores.vector_store_file.VectorStoreFile",
    "vector_store.file.deleted": "openai.types.vector_stores.vector_store_file_deleted.VectorStoreFileDeleted",
    "vector_store.file_batch": "openai.types.vector_stores.vector_store_file_batch.VectorStoreFileBatch",
}
_BY_TYPE = {"message_batch": "anthropic.types.messages.message_batch.MessageBatch"}
_DELETED = {
    "file": "openai.types.file_deleted.FileDeleted",
    "model": "openai.types.model_deleted.ModelDeleted",
}


class _Answer(NamedTuple):
    """An answer that the end of its path and a key tell apart; None for any value of the key."""

    ending: str
    key: str
    label: str
    value: str | None = None


# Endpoints of one provider, whose answers have an `object` that OpenAI's have as well.
_OWN_ENDPOINTS = (
    *(
        _Answer(ending, "object", f"{_MISTRAL}.{label}", value)
        for ending, value, label in (
            ("/fim/completions", "chat.completion", "fimcompletionresponse.FIMCompletionResponse"),
            ("/fim/completions", "chat.completion.chunk", "completionchunk.CompletionChunk"),
            (
                "/agents/completions",
                "chat.completion",
                "chatcompletionresponse.ChatCompletionResponse",
            ),
            ("/agents/completions", "chat.completion.chunk", "completionchunk.CompletionChunk"),
        )
    ),
)
_BY_ENDPOINT = (
    _Answer("/audio/transcriptions", "text", "openai.types.audio.transcription.Transcription"),
    _Answer("/audio/translations", "text", "openai.types.audio.translation.Translation"),
    _Answer(
        "/embeddings", "data", "openai.types.create_embedding_response.CreateEmbeddingResponse"
    ),
    _Answer("/images/generations", "data", "openai.types.images_response.ImagesResponse"),
    _Answer("/images/edits", "data", "openai.types.images_response.ImagesResponse"),
    _Answer("/images/variations", "data", "openai.types.images_response.ImagesResponse"),
    _Answer("/chat/moderations", "results", f"{_MISTRAL}.moderationresponse.ModerationResponse"),
    _Answer(
        "/moderations",
        "results",
        "openai.types.moderation_create_response.ModerationCreateResponse",
    ),
    *(
        _Answer(ending, "type", "anthropic.types.message.Message", "message")
        for ending in ("/messages", "/invoke", ":rawPredict")
    ),
    _Answer(
        "/messages/count_tokens",
        "input_tokens",
        "anthropic.types.message_tokens_count.MessageTokensCount",
    ),
    _Answer(":generateContent", "candidates", "google.genai.types.GenerateContentResponse"),
    _Answer(":streamGenerateContent", "candidates", "google.genai.types.GenerateContentResponse"),
    _Answer(":embedContent", "embedding", "google.genai.types.EmbedContentResponse"),
    _Answer(":batchEmbedContents", "embeddings", "google.genai.types.EmbedContentResponse"),
    _Answer(":countTokens", "totalTokens", "google.genai.types.CountTokensResponse"),
    _Answer(":computeTokens", "tokensInfo", "google.genai.types.ComputeTokensResponse"),
    _Answer(
        "/interactions", "steps", "google.genai._gaos.types.interactions.interaction.Interaction"
    ),
    _Answer("/api/chat", "message", "ollama._types.ChatResponse"),
    _Answer("/api/embed", "embeddings", "ollama._types.EmbedResponse"),
    _Answer("/api/embeddings", "embedding", "ollama._types.EmbeddingsResponse"),
    _Answer("/api/generate", "response", "ollama._types.GenerateResponse"),
    _Answer("/api/ps", "models", "ollama._types.ProcessResponse"),
    _Answer("/api/show", "modelfile", "ollama._types.ShowResponse"),
    _Answer("/api/tags", "models", "ollama._types.ListResponse"),
    *(
        _Answer(ending, "status", "ollama._types.ProgressResponse")
        for ending in ("/api/create", "/api/pull", "/api/push")
    ),
    _Answer("/v2/chat", "message", "cohere.v2.types.v2chat_response.V2ChatResponse"),
    _Answer("/v2/embed", "embeddings", "cohere.types.embed_by_type_response.EmbedByTypeResponse"),
    _Answer("/v2/rerank", "results", "cohere.v2.types.v2rerank_response.V2RerankResponse"),
    _Answer("/v1/chat", "text", "cohere.types.non_streamed_chat_response.NonStreamedChatResponse"),
    _Answer(
        "/v1/embed",
        "response_type",
        "cohere.types.embed_response.EmbeddingsFloatsEmbedResponse",
        "embeddings_floats",
    ),
    _Answer(
        "/v1/embed",
        "response_type",
        "cohere.types.embed_response.EmbeddingsByTypeEmbedResponse",
        "embeddings_by_type",
    ),
    _Answer("/v1/rerank", "meta", "cohere.types.rerank_response.RerankResponse"),
    _Answer("/v1/generate", "generations", "cohere.types.generation.Generation"),
    _Answer("/v1/classify", "classifications", "cohere.types.classify_response.ClassifyResponse"),
    _Answer("/v1/summarize", "summary", "cohere.types.summarize_response.SummarizeResponse"),
    _Answer("/v1/tokenize", "tokens", "cohere.types.tokenize_response.TokenizeResponse"),
    _Answer("/v1/detokenize", "text", "cohere.types.detokenize_response.DetokenizeResponse"),
    _Answer("/ocr", "pages", f"{_MISTRAL}.ocrresponse.OCRResponse"),
    _Answer(
        "/classifications",
        "results",
        f"{_MISTRAL}.classificationresponse.ClassificationResponse",
    ),
)


DECIDING_KEYS = frozenset(
    {
        *("object", "type"),
        *(family.field for family in FAMILIES),
        *(row.key for row in (*_OWN_ENDPOINTS, *_BY_ENDPOINT) if row.value is not None),
    }
)
"""The keys whose texts decide about a label; of others it is known only whether they are there."""


def label_of(payload: JSON, path: str, *, is_event: bool = False) -> str | None:
    """The label of a payload that came from an endpoint's path, or None if no SDK names it."""
    if not isinstance(payload, dict):
        return None
    if is_event and (label := event_label(payload, path)):
        return label
    own, answers = _answers_from(path)
    return (
        _first(own, payload)
        or _object_label(payload)
        or _first(answers, payload, is_event=is_event)
    )


@cache
def _answers_from(path: str) -> tuple[tuple[_Answer, ...], tuple[_Answer, ...]]:
    """The rows of both tables that are about an endpoint."""
    own = tuple(row for row in _OWN_ENDPOINTS if path.endswith(row.ending))
    return own, tuple(row for row in _BY_ENDPOINT if path.endswith(row.ending))


def _first(
    answers: tuple[_Answer, ...], payload: dict[str, JSON], *, is_event: bool = False
) -> str | None:
    for answer in answers:
        if is_event and answer.label.startswith("openai."):
            continue  # its streams have events of their own
        if answer.key in payload and answer.value in (None, payload[answer.key]):
            return answer.label
    return None


def _object_label(payload: dict[str, JSON]) -> str | None:
    kind = payload.get("object")
    if not isinstance(kind, str):
        kind = payload.get("type")
        return _BY_TYPE.get(kind) if isinstance(kind, str) else None
    if payload.get("deleted") is True and kind in _DELETED:
        return _DELETED[kind]
    return _BY_OBJECT.get(kind)
