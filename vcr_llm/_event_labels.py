"""Labels of streamed events by their ``type``, as openai and anthropic define them.

The same table wherever a stream is recorded: neither the installed version of an SDK nor whether
it is installed changes a recording. `vcr_llm._labels` asks the SDK about types that are missing.
"""

from __future__ import annotations

# By the module of the union type: the modules of the classes, which are called like them.
_MODULES: dict[str, dict[str, str]] = {
    "openai.types.responses.response_stream_event": {
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
    "openai.types.audio.transcription_stream_event": {
        "transcript.text.delta": "transcription_text_delta_event",
        "transcript.text.done": "transcription_text_done_event",
        "transcript.text.segment": "transcription_text_segment_event",
    },
    "openai.types.image_gen_stream_event": {
        "image_generation.completed": "image_gen_completed_event",
        "image_generation.partial_image": "image_gen_partial_image_event",
    },
    "openai.types.image_edit_stream_event": {
        "image_edit.completed": "image_edit_completed_event",
        "image_edit.partial_image": "image_edit_partial_image_event",
    },
    "anthropic.types.raw_message_stream_event": {
        "content_block_delta": "raw_content_block_delta_event",
        "content_block_start": "raw_content_block_start_event",
        "content_block_stop": "raw_content_block_stop_event",
        "message_delta": "raw_message_delta_event",
        "message_start": "raw_message_start_event",
        "message_stop": "raw_message_stop_event",
    },
}
_WITHOUT_MODEL = frozenset({"error", "keepalive", "ping"})
"""Types that are sent, but that no SDK has a class for, unless the table has one."""


def has_no_model(union: str, kind: str) -> bool:
    """Whether no SDK names events of this type, so that there is none to ask."""
    return kind in _WITHOUT_MODEL and kind not in _MODULES[union]


def event_label(union: str, kind: str) -> str | None:
    """The label of an event of this type, None for one that the table does not have."""
    module = _MODULES[union].get(kind)
    if module is None:
        return None
    name = "".join(word[:1].upper() + word[1:] for word in module.split("_"))
    return f"{union.rpartition('.')[0]}.{module}.{name}"
