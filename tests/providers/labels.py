"""The labels that recordings of aimock's answers have, by what is asked."""

from __future__ import annotations

CHAT = "openai.types.chat.chat_completion.ChatCompletion"
CHUNK = "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"
RESPONSE = "openai.types.responses.response.Response"
MESSAGE = "anthropic.types.message.Message"
GEMINI = "google.genai.types.GenerateContentResponse"
COHERE = "cohere.v2.types.v2chat_response.V2ChatResponse"
OLLAMA = "ollama._types.ChatResponse"


def _responses(*names: str) -> tuple[str, ...]:
    return tuple(
        f"openai.types.responses.response_{name}_event.Response{_camel(name)}Event"
        for name in names
    )


def _cohere(*names: str) -> tuple[str, ...]:
    module = "cohere.v2.types.v2chat_stream_response"
    return tuple(f"{module}.{name}V2ChatStreamResponse" for name in names)


def _camel(name: str) -> str:
    return "".join(map(str.title, name.split("_")))


ANTHROPIC_EVENTS = tuple(
    f"anthropic.types.raw_{name}_event.Raw{_camel(name)}Event"
    for name in (
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    )
)
RESPONSES_TEXT = _responses(
    "created",
    "in_progress",
    "output_item_added",
    "content_part_added",
    "text_delta",
    "text_done",
    "content_part_done",
    "output_item_done",
    "completed",
)
RESPONSES_CALLS = _responses(
    "created",
    "in_progress",
    "output_item_added",
    "function_call_arguments_delta",
    "function_call_arguments_done",
    "output_item_done",
    "completed",
)
COHERE_TEXT = _cohere("MessageStart", "ContentStart", "ContentDelta", "ContentEnd", "MessageEnd")
COHERE_CALLS = _cohere(
    "MessageStart", "ToolPlanDelta", "ToolCallStart", "ToolCallDelta", "ToolCallEnd", "MessageEnd"
)
