"""Payloads have the names of the SDK's own types, found from the payload and where it came from."""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Any

import pytest

from vcr_llm import _labels
from vcr_llm._event_labels import FAMILIES, Family, event_label, labels_of_union, names_its_event
from vcr_llm._labels import label_of

LABELS: list[tuple[str, dict[str, Any], str | None]] = [
    ("/v1/chat/completions", {"object": "chat.completion"}, "chat.chat_completion.ChatCompletion"),
    (
        "/anything",
        {"object": "chat.completion.chunk"},
        "chat.chat_completion_chunk.ChatCompletionChunk",
    ),
    ("/v1/completions", {"object": "text_completion"}, "completion.Completion"),
    ("/v1/responses", {"object": "response"}, "responses.response.Response"),
    ("/v1/models/m", {"object": "model"}, "model.Model"),
    ("/v1/models/m", {"object": "model", "deleted": True}, "model_deleted.ModelDeleted"),
    ("/v1/files/f", {"object": "file"}, "file_object.FileObject"),
    ("/v1/files/f", {"object": "file", "deleted": True}, "file_deleted.FileDeleted"),
    ("/v1/files/f", {"object": "file", "deleted": "yes"}, "file_object.FileObject"),
    ("/v1/batches", {"object": "batch"}, "batch.Batch"),
    ("/v1/threads/t/runs", {"object": "thread.run"}, "beta.threads.run.Run"),
    (
        "/v1/embeddings",
        {"object": "list", "data": []},
        "create_embedding_response.CreateEmbeddingResponse",
    ),
    ("/v1/images/generations", {"data": []}, "images_response.ImagesResponse"),
    ("/v1/moderations", {"results": []}, "moderation_create_response.ModerationCreateResponse"),
    ("/v1/audio/transcriptions", {"text": "Hi"}, "audio.transcription.Transcription"),
    ("/v1/audio/transcriptions", {"error": {}}, None),
    ("/v1/models", {"object": "list", "data": []}, None),
    ("/v1/x", {"object": ["model"]}, None),
    ("/v1/x", {"object": "os.system"}, None),
    ("/v1/x", {}, None),
]

OLLAMA: list[tuple[str, dict[str, Any], str | None]] = [
    ("/api/chat", {"message": {}}, "ollama._types.ChatResponse"),
    ("/api/generate", {"response": "Hi"}, "ollama._types.GenerateResponse"),
    ("/api/embed", {"embeddings": []}, "ollama._types.EmbedResponse"),
    ("/api/tags", {"models": []}, "ollama._types.ListResponse"),
    ("/api/ps", {"models": []}, "ollama._types.ProcessResponse"),
    ("/api/chat", {"error": "no"}, None),
]

EVENTS: list[tuple[str, str, str | None]] = [
    (
        "/v1/responses",
        "response.output_text.delta",
        "openai.types.responses.response_text_delta_event.ResponseTextDeltaEvent",
    ),
    (
        "/v1/responses/resp_1",
        "response.completed",
        "openai.types.responses.response_completed_event.ResponseCompletedEvent",
    ),
    ("/v1/responses", "response.of.tomorrow", None),
    (
        "/v1/audio/transcriptions",
        "transcript.text.delta",
        "openai.types.audio.transcription_text_delta_event.TranscriptionTextDeltaEvent",
    ),
    (
        "/v1/images/generations",
        "image_generation.partial_image",
        "openai.types.image_gen_partial_image_event.ImageGenPartialImageEvent",
    ),
    ("/v1/chat/completions", "response.completed", None),
]


@pytest.mark.parametrize(("path", "payload", "name"), LABELS)
def test_an_answer_is_named_by_its_object_or_its_endpoint(
    path: str, payload: dict[str, Any], name: str | None
) -> None:
    """OpenAI's labels, for every server that speaks its protocol."""
    assert label_of(payload, path) == (name and f"openai.types.{name}")


@pytest.mark.parametrize(("path", "payload", "name"), OLLAMA)
def test_ollamas_answers_are_named_by_their_endpoint(
    path: str, payload: dict[str, Any], name: str | None
) -> None:
    """Ollama's payloads say nothing of their type, its paths do."""
    assert label_of(payload, path, is_event=True) == name


@pytest.mark.parametrize(("path", "kind", "name"), EVENTS)
def test_an_event_is_named_by_its_type(path: str, kind: str, name: str | None) -> None:
    """Events of one endpoint are told apart by the SDK's own union of them."""
    assert label_of({"type": kind}, path, is_event=True) == name


@pytest.mark.parametrize("payload", [None, 1, "x", [], {"type": 1}, {"type": []}, {"type": None}])
def test_what_no_sdk_names_has_no_label(payload: Any) -> None:
    """Anything else is kept as plain JSON."""
    assert label_of(payload, "/v1/responses", is_event=True) is None


newest = pytest.mark.skipif(
    version("openai").partition(".")[0] < "3", reason="the tables are those of the newest openai"
)


ASKED = [family for family in FAMILIES if family.union and "openai" in family.union]


@newest
@pytest.mark.parametrize("family", ASKED, ids=lambda family: family.paths[0])
def test_the_table_of_events_is_the_sdks_own(family: Family) -> None:
    """Every event that the SDK's union knows has the same label in our table."""
    for kind, label in labels_of_union(str(family.union)).items():
        assert event_label({family.field: kind}, family.paths[0]) == label


@newest
def test_every_label_is_a_class_of_the_sdk() -> None:
    """The labels of the tables are classes that the newest openai and ollama have."""
    labels = {*_labels._BY_OBJECT.values(), *_labels._DELETED.values()}
    labels |= {answer.label for answer in _labels._BY_ENDPOINT}
    for label in sorted(labels):
        if label.startswith(("openai.", "ollama.")):
            module, _, attribute = label.rpartition(".")
            assert isinstance(getattr(importlib.import_module(module), attribute), type), label


def test_events_of_the_responses_api_are_named_on_the_wire() -> None:
    """Their `event:` line repeats the payload's type and need not be written."""
    assert names_its_event("openai.types.responses.response_completed_event.X")
    assert not names_its_event("openai.types.audio.transcription_text_delta_event.X")
    assert not names_its_event(None)


@pytest.mark.parametrize(
    "union", ["no_such_package.types.X", "openai.types.no_such_module.X", "openai.types.X"]
)
def test_an_sdk_without_the_type_gives_no_labels(union: str) -> None:
    """An older SDK lacks some unions: its events are kept without a label."""
    assert labels_of_union(union) == {}


OTHERS: list[tuple[str, dict[str, Any], str | None]] = [
    (
        "/v2/chat",
        {"type": "tool-call-delta"},
        "cohere.v2.types.v2chat_stream_response.ToolCallDeltaV2ChatStreamResponse",
    ),
    ("/v2/chat", {"id": "x", "message": {}}, "cohere.v2.types.v2chat_response.V2ChatResponse"),
    (
        "/v1/chat",
        {"event_type": "text-generation", "text": "Hi"},
        "cohere.types.streamed_chat_response.TextGenerationStreamedChatResponse",
    ),
    ("/v1/chat", {"text": "Hi"}, "cohere.types.non_streamed_chat_response.NonStreamedChatResponse"),
    (
        "/v1/fim/completions",
        {"object": "chat.completion.chunk"},
        "mistralai.client.models.completionchunk.CompletionChunk",
    ),
    (
        "/v1/conversations",
        {"type": "conversation.response.started"},
        "mistralai.client.models.responsestartedevent.ResponseStartedEvent",
    ),
    (
        "/v1/audio/transcriptions",
        {"type": "transcription.done"},
        "mistralai.client.models.transcriptionstreamdone.TranscriptionStreamDone",
    ),
    ("/v1/messages", {"type": "ping"}, None),
    ("/v1/messages", {"type": "error", "error": {}}, None),
    (
        "/model/anthropic.claude/invoke-with-response-stream",
        {"type": "message_stop"},
        "anthropic.types.raw_message_stop_event.RawMessageStopEvent",
    ),
    (
        "/v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict",
        {"type": "message_start"},
        "anthropic.types.raw_message_start_event.RawMessageStartEvent",
    ),
    (
        "/v1/messages/batches/b",
        {"type": "message_batch"},
        "anthropic.types.messages.message_batch.MessageBatch",
    ),
    (
        "/v1beta/models/g:streamGenerateContent",
        {"candidates": []},
        "google.genai.types.GenerateContentResponse",
    ),
]


@pytest.mark.parametrize(("path", "payload", "label"), OTHERS)
def test_every_provider_has_labels(path: str, payload: dict[str, Any], label: str | None) -> None:
    """Anthropic, Google, Cohere and Mistral, from their own endpoints and from those of clouds."""
    assert label_of(payload, path, is_event=True) == label
