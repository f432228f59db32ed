"""Labels of streamed events by their type, as the SDKs of their providers define them.

The same table wherever a stream is recorded: neither the installed version of an SDK nor whether
it is installed changes a recording. An event of openai or anthropic that is not in the table is
looked up in the union types of the installed SDK, so that what the SDK learns tomorrow has its
name tomorrow; only then is the SDK imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import typing
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from vcr_llm._json import JSON


class Family(NamedTuple):
    """The events of one kind of stream.

    ``paths`` are parts of the endpoints that send them, ``field`` is the key that names an event's
    type, ``union`` the SDK's type of all of them, where it has one that can be asked.
    """

    paths: tuple[str, ...]
    field: str
    labels: dict[str, str]
    union: str | None = None


def _in_own_modules(package: str, modules: dict[str, str]) -> dict[str, str]:
    """Labels of classes that are called like their modules, as openai and anthropic have them."""
    return {kind: f"{package}.{module}.{_camel(module)}" for kind, module in modules.items()}


def _in_one_module(module: str, ending: str, kinds: Iterable[str]) -> dict[str, str]:
    """Labels of classes that are called like their events, as cohere has them."""
    return {kind: f"{module}.{_camel(kind)}{ending}" for kind in kinds}


def _in_lower_case_modules(package: str, classes: dict[str, str]) -> dict[str, str]:
    """Labels of classes in modules of the same name, as mistralai has them."""
    return {kind: f"{package}.{name.lower()}.{name}" for kind, name in classes.items()}


def _camel(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.replace("-", "_").split("_"))


_RESPONSES = _in_own_modules(
    "openai.types.responses",
    {
        "error": "response_error_event",
        "response.audio.delta": "response_audio_delta_event",
        "response.audio.done": "response_audio_done_event",
        "response.audio.transcript.delta": "response_audio_transcript_delta_event",
        "response.audio.transcript.done": "response_audio_transcript_done_event",
        "response.code_interpreter_call.completed": "response_code_interpreter_call_completed_event",
        "response.code_interpreter_call.in_progress": "response_code_interpreter_call_in_progress_event",
        "response.code_interpreter_call.interpreting": "response_code_interpreter_call_interpreting_event",
        "response.code_interpreter_call_code.delta": "response_code_interpreter_call_code_delta_event",
        "response.code_interpreter_call_code.done": "response_code_interpreter_call_code_done_event",
        "response.compaction.compacting": "response_compaction_compacting_event",
        "response.completed": "response_completed_event",
        "response.content_part.added": "response_content_part_added_event",
        "response.content_part.done": "response_content_part_done_event",
        "response.created": "response_created_event",
        "response.custom_tool_call_input.delta": "response_custom_tool_call_input_delta_event",
        "response.custom_tool_call_input.done": "response_custom_tool_call_input_done_event",
        "response.failed": "response_failed_event",
        "response.file_search_call.completed": "response_file_search_call_completed_event",
        "response.file_search_call.in_progress": "response_file_search_call_in_progress_event",
        "response.file_search_call.searching": "response_file_search_call_searching_event",
        "response.function_call_arguments.delta": "response_function_call_arguments_delta_event",
        "response.function_call_arguments.done": "response_function_call_arguments_done_event",
        "response.image_generation_call.completed": "response_image_gen_call_completed_event",
        "response.image_generation_call.generating": "response_image_gen_call_generating_event",
        "response.image_generation_call.in_progress": "response_image_gen_call_in_progress_event",
        "response.image_generation_call.partial_image": "response_image_gen_call_partial_image_event",
        "response.in_progress": "response_in_progress_event",
        "response.incomplete": "response_incomplete_event",
        "response.mcp_call.completed": "response_mcp_call_completed_event",
        "response.mcp_call.failed": "response_mcp_call_failed_event",
        "response.mcp_call.in_progress": "response_mcp_call_in_progress_event",
        "response.mcp_call_arguments.delta": "response_mcp_call_arguments_delta_event",
        "response.mcp_call_arguments.done": "response_mcp_call_arguments_done_event",
        "response.mcp_list_tools.completed": "response_mcp_list_tools_completed_event",
        "response.mcp_list_tools.failed": "response_mcp_list_tools_failed_event",
        "response.mcp_list_tools.in_progress": "response_mcp_list_tools_in_progress_event",
        "response.output_item.added": "response_output_item_added_event",
        "response.output_item.done": "response_output_item_done_event",
        "response.output_text.annotation.added": "response_output_text_annotation_added_event",
        "response.output_text.delta": "response_text_delta_event",
        "response.output_text.done": "response_text_done_event",
        "response.queued": "response_queued_event",
        "response.reasoning_summary_part.added": "response_reasoning_summary_part_added_event",
        "response.reasoning_summary_part.done": "response_reasoning_summary_part_done_event",
        "response.reasoning_summary_text.delta": "response_reasoning_summary_text_delta_event",
        "response.reasoning_summary_text.done": "response_reasoning_summary_text_done_event",
        "response.reasoning_text.delta": "response_reasoning_text_delta_event",
        "response.reasoning_text.done": "response_reasoning_text_done_event",
        "response.refusal.delta": "response_refusal_delta_event",
        "response.refusal.done": "response_refusal_done_event",
        "response.shell_call_command.added": "response_shell_call_command_added_event",
        "response.shell_call_command.delta": "response_shell_call_command_delta_event",
        "response.shell_call_command.done": "response_shell_call_command_done_event",
        "response.shell_call_output_content.delta": "response_shell_call_output_content_delta_event",
        "response.shell_call_output_content.done": "response_shell_call_output_content_done_event",
        "response.web_search_call.completed": "response_web_search_call_completed_event",
        "response.web_search_call.in_progress": "response_web_search_call_in_progress_event",
        "response.web_search_call.searching": "response_web_search_call_searching_event",
    },
)
_TRANSCRIPTION = _in_own_modules(
    "openai.types.audio",
    {
        "transcript.text.delta": "transcription_text_delta_event",
        "transcript.text.done": "transcription_text_done_event",
        "transcript.text.segment": "transcription_text_segment_event",
    },
)
_IMAGE_GENERATION = _in_own_modules(
    "openai.types",
    {
        "image_generation.completed": "image_gen_completed_event",
        "image_generation.partial_image": "image_gen_partial_image_event",
    },
)
_IMAGE_EDIT = _in_own_modules(
    "openai.types",
    {
        "image_edit.completed": "image_edit_completed_event",
        "image_edit.partial_image": "image_edit_partial_image_event",
    },
)
_ANTHROPIC = _in_own_modules(
    "anthropic.types",
    {
        "content_block_delta": "raw_content_block_delta_event",
        "content_block_start": "raw_content_block_start_event",
        "content_block_stop": "raw_content_block_stop_event",
        "message_delta": "raw_message_delta_event",
        "message_start": "raw_message_start_event",
        "message_stop": "raw_message_stop_event",
    },
)
_COHERE_V2 = _in_one_module(
    "cohere.v2.types.v2chat_stream_response",
    "V2ChatStreamResponse",
    (
        *("message-start", "content-start", "content-delta", "content-end", "tool-plan-delta"),
        *("tool-call-start", "tool-call-delta", "tool-call-end", "citation-start"),
        *("citation-end", "message-end", "debug"),
    ),
)
_COHERE_V1 = _in_one_module(
    "cohere.types.streamed_chat_response",
    "StreamedChatResponse",
    (
        *("stream-start", "search-queries-generation", "search-results", "text-generation"),
        *("citation-generation", "tool-calls-generation", "tool-calls-chunk", "stream-end"),
        "debug",
    ),
)
_COHERE_GENERATE = _in_one_module(
    "cohere.types.generate_streamed_response",
    "GenerateStreamedResponse",
    ("text-generation", "stream-end", "stream-error"),
)
_MISTRAL_CONVERSATIONS = _in_lower_case_modules(
    "mistralai.client.models",
    {
        "agent.handoff.done": "AgentHandoffDoneEvent",
        "agent.handoff.started": "AgentHandoffStartedEvent",
        "conversation.response.done": "ResponseDoneEvent",
        "conversation.response.error": "ResponseErrorEvent",
        "conversation.response.started": "ResponseStartedEvent",
        "function.call.delta": "FunctionCallEvent",
        "message.output.delta": "MessageOutputEvent",
        "tool.execution.delta": "ToolExecutionDeltaEvent",
        "tool.execution.done": "ToolExecutionDoneEvent",
        "tool.execution.started": "ToolExecutionStartedEvent",
    },
)
_MISTRAL_TRANSCRIPTION = _in_lower_case_modules(
    "mistralai.client.models",
    {
        "transcription.done": "TranscriptionStreamDone",
        "transcription.language": "TranscriptionStreamLanguage",
        "transcription.segment": "TranscriptionStreamSegmentDelta",
        "transcription.text.delta": "TranscriptionStreamTextDelta",
    },
)
_GOOGLE_INTERACTIONS = _in_lower_case_modules(
    "google.genai._gaos.types.interactions",
    {
        "error": "ErrorEvent",
        "interaction.completed": "InteractionCompletedEvent",
        "interaction.created": "InteractionCreatedEvent",
        "interaction.status_update": "InteractionStatusUpdate",
        "step.delta": "StepDelta",
        "step.start": "StepStart",
        "step.stop": "StepStop",
    },
)
# Anthropic's events come from its own endpoint, from Bedrock's and from Vertex's.
_ANTHROPIC_PATHS = ("/messages", "/invoke", ":streamRawPredict")

FAMILIES = (
    Family(
        ("/responses",),
        "type",
        _RESPONSES,
        "openai.types.responses.response_stream_event.ResponseStreamEvent",
    ),
    Family(
        ("/audio/transcriptions",),
        "type",
        _TRANSCRIPTION | _MISTRAL_TRANSCRIPTION,
        "openai.types.audio.transcription_stream_event.TranscriptionStreamEvent",
    ),
    Family(
        ("/images/generations",),
        "type",
        _IMAGE_GENERATION,
        "openai.types.image_gen_stream_event.ImageGenStreamEvent",
    ),
    Family(
        ("/images/edits",),
        "type",
        _IMAGE_EDIT,
        "openai.types.image_edit_stream_event.ImageEditStreamEvent",
    ),
    Family(
        _ANTHROPIC_PATHS,
        "type",
        _ANTHROPIC,
        "anthropic.types.raw_message_stream_event.RawMessageStreamEvent",
    ),
    Family(("/v2/chat",), "type", _COHERE_V2),
    Family(("/v1/chat",), "event_type", _COHERE_V1),
    Family(("/v1/generate",), "event_type", _COHERE_GENERATE),
    Family(("/conversations",), "type", _MISTRAL_CONVERSATIONS),
    Family(("/interactions",), "event_type", _GOOGLE_INTERACTIONS),
)
_WITHOUT_MODEL = frozenset({"error", "keepalive", "ping"})
"""Types that are sent, but that no SDK has a class for, unless the table has one."""
# Their `event:` line repeats the payload's type.
_NAMED_BY_TYPE = (
    "openai.types.responses.",
    "anthropic.types.",
    "cohere.v2.types.",
    "mistralai.client.models.",
)


def event_label(payload: dict[str, JSON], path: str) -> str | None:
    """The label of an event that came from an endpoint's path, None if no SDK names it."""
    family = _family(path)
    if family is None:
        return None
    kind = payload.get(family.field)
    if not isinstance(kind, str):
        return None
    label = family.labels.get(kind)
    if label is not None or family.union is None or kind in _WITHOUT_MODEL:
        return label
    return labels_of_union(family.union).get(kind)


def names_its_event(label: str | None) -> bool:
    """Whether events of this label come with an ``event:`` line that repeats their ``type``."""
    return label is not None and label.startswith(_NAMED_BY_TYPE)


@cache
def _family(path: str) -> Family | None:
    return next((found for found in FAMILIES if any(part in path for part in found.paths)), None)


@cache
def labels_of_union(union: str) -> dict[str, str]:
    """Labels by the ``type`` of an event, from a union type of the installed SDK.

    Nothing where the SDK is not installed, or lacks the type.
    """
    module, _, name = union.rpartition(".")
    try:
        if importlib.util.find_spec(module) is None:
            return {}
    except ModuleNotFoundError:
        return {}
    found = getattr(importlib.import_module(module), name, None)
    return {
        kind: f"{member.__module__}.{member.__qualname__}"
        for member in _members(found)
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
