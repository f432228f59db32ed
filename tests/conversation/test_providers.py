"""Conversations with Anthropic, Gemini, Bedrock, Ollama, Cohere and DashScope.

The payloads are those of the providers' own references, cut to what is read.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.conversation.payloads import (
    BEDROCK,
    GEMINI,
    HELLO,
    MESSAGES,
    PNG,
    PNG_TEXT,
    digest,
    event,
    only,
    read,
    recording,
)
from vcr_llm._conversation import (
    Answer,
    Data,
    Media,
    Message,
    Text,
    Thinking,
    ToolCall,
    Usage,
    conversation_of,
)

# --- Anthropic ----------------------------------------------------------------------------------


def test_a_plain_message() -> None:
    """The system prompt stands apart, and tokens from the cache count as input."""
    answer = {
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 3,
            "cache_read_input_tokens": 4,
            "cache_creation_input_tokens": 5,
            "output_tokens": 2,
        },
    }
    body = {
        "model": "claude-x",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "Hello"}],
    }
    found = read(body, answer, url=MESSAGES)
    assert found.dialect == "anthropic.messages"
    assert found.messages == (Message("system", (Text("Be brief."),)), HELLO)
    assert only(found) == Answer((Text("Hi"),), "end_turn")
    assert found.usage == Usage(input=12, output=2, cached=4, cache_written=5)


def block(index: int, *deltas: dict[str, Any], **content: Any) -> list[dict[str, Any]]:
    """The events of a block."""
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


ANTHROPIC_STREAM = [
    {
        "type": "message_start",
        "message": {
            "model": "claude-x",
            "content": [],
            "usage": {"input_tokens": 3, "output_tokens": 1},
        },
    },
    {"type": "ping"},
    *block(
        0,
        {"type": "thinking_delta", "thinking": "Hm"},
        {"type": "signature_delta", "signature": "…"},
        type="thinking",
        thinking="",
    ),
    *block(
        1,
        {"type": "text_delta", "text": "H"},
        {"type": "citations_delta", "citation": {"title": "T", "url": "https://x"}},
        {"type": "text_delta", "text": "i"},
        type="text",
        text="",
    ),
    *block(
        2,
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"a":'},
        {"type": "input_json_delta", "partial_json": "1}"},
        type="tool_use",
        id="t",
        name="f",
        input={},
    ),
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
]
ANTHROPIC_ANSWER = Answer(
    (Thinking("Hm"), Text("Hi", ("T <https://x>",)), ToolCall("f", {"a": 1}, "t")), "tool_use"
)


def test_a_streamed_message() -> None:
    """Blocks are put together in the order of their indexes, usage from first and last event."""
    found = read(
        {"model": "claude-x", "messages": [], "stream": True}, ANTHROPIC_STREAM, url=MESSAGES
    )
    assert only(found) == ANTHROPIC_ANSWER
    assert found.usage == Usage(3, 9)


def test_a_streamed_message_in_events_of_amazon() -> None:
    """InvokeModel wraps the same events; they are read the same."""
    entries = [
        event("chunk", {"bytes": {"__type__": "json", "__data__": payload}, "p": "abc"})
        for payload in ANTHROPIC_STREAM
    ]
    found = read({"messages": []}, entries, url=f"{BEDROCK}/invoke-with-response-stream")
    assert only(found) == ANTHROPIC_ANSWER


def test_a_streamed_message_without_its_beginning() -> None:
    """Pieces of blocks say what block they belong to."""
    deltas = [
        {"type": "thinking_delta", "thinking": "Hm"},
        {"type": "input_json_delta", "partial_json": "{}"},
        {"type": "text_delta", "text": "Hi"},
        {"type": "unheard_of_delta"},
    ]
    events = [
        {"type": "content_block_delta", "index": place, "delta": delta}
        for place, delta in enumerate(deltas)
    ]
    assert only(read({"messages": []}, events)).parts == (
        Thinking("Hm"),
        ToolCall("tool_use", {}),
        Text("Hi"),
        Data({"type": "text"}),
    )


def test_old_completions_of_anthropic() -> None:
    """``/v1/complete``, plain and streamed."""
    body = {"model": "claude-2.1", "prompt": "\n\nHuman: Hello\n\nAssistant:"}
    plain = read(body, {"type": "completion", "completion": "Hi", "stop_reason": "stop_sequence"})
    pieces = [{"type": "completion", "completion": text, "stop_reason": None} for text in "Hi"]
    assert only(plain) == Answer((Text("Hi"),), "stop_sequence")
    assert only(read(body, pieces)) == Answer((Text("Hi"),))


# --- Gemini -------------------------------------------------------------------------------------


def candidate(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A payload with one candidate."""
    return {"candidates": [{"content": {"role": "model", "parts": list(found)}, **more}]}


def test_generated_content() -> None:
    """System instruction, contents, settings; thinking counts as output."""
    body = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "generationConfig": {"temperature": 0.5},
    }
    counts = {
        "promptTokenCount": 4,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 9,
    }
    answer = candidate({"text": "Hm", "thought": True}, {"text": "Hi"}, finishReason="STOP")
    found = read(body, {**answer, "usageMetadata": counts, "modelVersion": "gemini-x"}, url=GEMINI)
    assert found.dialect == "gemini"
    assert found.messages == (Message("system", (Text("Be brief."),)), HELLO)
    assert found.parameters == {"generationConfig.temperature": 0.5}
    assert only(found) == Answer((Thinking("Hm"), Text("Hi")), "STOP", "model")
    assert (found.usage, found.answered_by) == (Usage(4, 5, 9, reasoning=3), "gemini-x")


def test_streamed_content() -> None:
    """The elements of a stream, or of an array, are put together."""
    entries = [
        candidate({"text": "H"}),
        candidate({"text": "i"}),
        candidate({"functionCall": {"name": "f", "args": {}}}, finishReason=1),
    ]
    assert only(read({"contents": []}, entries, url=GEMINI)) == Answer(
        (Text("Hi"), ToolCall("f", {})), "1", "model"
    )


def test_grounded_content() -> None:
    """The pages that an answer rests on are those of its last text."""
    grounds = {"groundingChunks": [{"web": {"title": "x.org", "uri": "https://x"}}]}
    found = read({"contents": []}, candidate({"text": "Hi"}, groundingMetadata=grounds))
    assert only(found).parts == (Text("Hi", ("x.org <https://x>",)),)
    silent = read({"contents": []}, candidate(groundingMetadata=grounds))
    assert only(silent).parts == ()


def test_a_blocked_prompt() -> None:
    """Why there is no candidate is the finish reason."""
    found = read({"contents": []}, {"promptFeedback": {"blockReason": "SAFETY"}})
    assert only(found) == Answer((), "blocked: SAFETY", "model")
    assert read({"contents": []}, {"usageMetadata": {}}).answers == ()


STEPS = [
    {"type": "thought", "signature": "…"},
    {"type": "model_output", "content": [{"type": "text", "text": "Hi"}]},
]


def test_an_interaction() -> None:
    """Gemini's interactions, whose steps are read as parts."""
    answer = {
        "object": "interaction",
        "status": "completed",
        "steps": STEPS,
        "usage": {"total_input_tokens": 1, "total_thought_tokens": 2, "total_output_tokens": 3},
    }
    found = read({"model": "gemini-x", "input": "Hello"}, answer)
    assert (found.dialect, found.messages) == ("gemini.interactions", (HELLO,))
    assert only(found) == Answer((Thinking(""), Text("Hi")), "completed", "model")
    assert found.usage == Usage(1, 5, reasoning=2)


def test_a_streamed_interaction() -> None:
    """Steps are put together from their deltas."""

    def step(index: int, *deltas: dict[str, Any], **begun: Any) -> list[dict[str, Any]]:
        return [
            event("step.start", {"event_type": "step.start", "index": index, "step": begun}),
            *(
                event("step.delta", {"event_type": "step.delta", "index": index, "delta": delta})
                for delta in deltas
            ),
        ]

    summary = {"type": "thought_summary", "content": {"type": "text", "text": "Hm"}}
    found = read(
        {"model": "gemini-x", "input": "Hello"},
        [
            event(
                "interaction.created",
                {"interaction": {"object": "interaction", "status": "in_progress", "model": "g"}},
            ),
            *step(0, summary, {"type": "thought_signature", "signature": "…"}, type="thought"),
            *step(
                1,
                {"type": "text", "text": "Hi"},
                {"type": "thought_signature"},
                type="model_output",
            ),
            *step(
                2,
                {"type": "arguments", "arguments": '{"a":1}'},
                type="function_call",
                name="f",
                id="c",
            ),
            event(
                "interaction.completed",
                {"interaction": {"object": "interaction", "status": "completed"}},
            ),
            event("done", "[DONE]"),
        ],
    )
    assert only(found) == Answer(
        (Thinking("Hm"), Text("Hi"), ToolCall("f", {"a": 1}, "c")), "completed", "model"
    )
    assert found.answered_by == "g"


# --- Bedrock ------------------------------------------------------------------------------------


def test_converse() -> None:
    """A message, its reason and its tokens, of which those from the cache are part of the input."""
    message = {
        "role": "assistant",
        "content": [{"text": "Hi"}, {"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}],
    }
    answer = {
        "output": {"message": message},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 9, "cacheReadInputTokens": 4},
    }
    body = {
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
        "system": [{"text": "Be brief."}],
    }
    found = read(body, answer, url=f"{BEDROCK}/converse")
    assert (found.dialect, found.messages[1:]) == ("bedrock.converse", (HELLO,))
    assert only(found) == Answer((Text("Hi"), ToolCall("f", {}, "t")), "tool_use")
    assert found.usage == Usage(7, 2, 9, cached=4)


CONVERSE_STREAM = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm"}}}),
    (
        "contentBlockDelta",
        {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "…"}}},
    ),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "H"}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "i"}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"citation": {"title": "T"}}}),
    (
        "contentBlockStart",
        {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}},
    ),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"a"'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": ":1}"}}}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2}}),
]


@pytest.mark.parametrize("is_nova", [False, True], ids=["ConverseStream", "InvokeModel of Nova"])
def test_a_streamed_conversation(is_nova: bool) -> None:
    """The names of the events stand beside the payloads, or in them."""
    entries = [
        event("chunk", {"bytes": {"__type__": "json", "__data__": {name: payload}}})
        if is_nova
        else event(name, payload)
        for name, payload in CONVERSE_STREAM
    ]
    found = read({"messages": []}, entries, url=f"{BEDROCK}/converse-stream")
    assert only(found) == Answer(
        (Thinking("Hm"), Text("Hi", ("T",)), ToolCall("f", {"a": 1}, "t")), "tool_use"
    )
    assert found.usage == Usage(3, 2)


def test_an_agent_of_bedrock() -> None:
    """The pieces of its text; the traces between them are for no reader."""
    entries = [
        event("trace", {"trace": {}}),
        event("chunk", {"bytes": {"__type__": "str", "__data__": "H"}}),
        event("chunk", {"bytes": {"__type__": "str", "__data__": "i"}}),
    ]
    found = read({"inputText": "Hello"}, entries)
    assert (found.dialect, found.messages) == ("bedrock.agent", (HELLO,))
    assert only(found).parts == (Text("Hi"),)


# --- Ollama, Cohere, DashScope ------------------------------------------------------------------


def test_ollama_chat() -> None:
    """Its calls have their arguments as values; its counts stand in the payload."""
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    entries = [
        {
            "model": "llama3.2",
            "message": {"role": "assistant", "content": "H", "thinking": "Hm"},
            "done": False,
        },
        {"message": {"role": "assistant", "content": "i", "tool_calls": [call]}, "done": False},
        {
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 3,
            "eval_count": 2,
        },
    ]
    found = read({"model": "llama3.2", "messages": [], "options": {"seed": 1}}, entries)
    assert only(found) == Answer((Thinking("Hm"), Text("Hi"), ToolCall("f", {"a": 1})), "stop")
    assert (found.usage, found.parameters) == (Usage(3, 2), {"options.seed": 1})


def test_ollama_generate() -> None:
    """A prompt with images beside it."""
    body = {"model": "llava", "prompt": "Hello", "images": [PNG_TEXT], "system": "Be brief."}
    answer = {"response": "Hi", "thinking": "Hm", "done": True, "done_reason": "stop"}
    found = read(body, answer)
    image = Media("image", size=len(PNG), digest=digest(PNG))
    assert found.messages[1:] == (HELLO, Message("user", (image,)))
    assert only(found) == Answer((Thinking("Hm"), Text("Hi")), "stop")


def test_cohere() -> None:
    """Version 2: the plan is thinking."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    message = {
        "role": "assistant",
        "tool_plan": "I will.",
        "tool_calls": [call],
        "content": [{"type": "text", "text": "Hi"}],
    }
    answer = {
        "id": "x",
        "message": message,
        "finish_reason": "TOOL_CALL",
        "usage": {"tokens": {"input_tokens": 3.0, "output_tokens": 2.0}},
    }
    found = read({"model": "command-a", "messages": []}, answer)
    assert only(found) == Answer(
        (Thinking("I will."), Text("Hi"), ToolCall("f", {"a": 1}, "c")), "TOOL_CALL"
    )
    assert found.usage == Usage(3, 2)


def test_cohere_streamed() -> None:
    """Version 2, in events."""

    def told(kind: str, index: int = 0, **message: Any) -> dict[str, Any]:
        return {"type": kind, "index": index, "delta": {"message": message}}

    entries = [
        told("message-start", role="assistant", content=[], tool_calls=[]),
        told("tool-plan-delta", tool_plan="I "),
        told("tool-plan-delta", tool_plan="will."),
        told("content-start", content={"type": "text", "text": ""}),
        told("content-delta", content={"text": "H"}),
        told("content-delta", content={"text": "i"}),
        told("content-delta", content={"thinking": "Hm"}),
        told(
            "tool-call-start", 1, tool_calls={"id": "c", "function": {"name": "f", "arguments": ""}}
        ),
        told("tool-call-delta", 1, tool_calls={"function": {"arguments": '{"a":1}'}}),
        {
            "type": "message-end",
            "delta": {"finish_reason": "COMPLETE", "usage": {"billed_units": {"input_tokens": 3}}},
        },
    ]
    found = read({"model": "command-a", "messages": [], "stream": True}, entries)
    assert only(found) == Answer(
        (Thinking("I will."), Text("Hi"), Thinking("Hm"), ToolCall("f", {"a": 1}, "c")), "COMPLETE"
    )
    assert found.usage == Usage(3)


def test_cohere_version_1() -> None:
    """A message, a history with roles in capitals, a preamble; plain, streamed, and cut."""
    body = {
        "model": "command",
        "preamble": "Be brief.",
        "chat_history": [{"role": "CHATBOT", "message": "Yes?"}],
        "message": "Hello",
    }
    calls = [{"name": "f", "parameters": {"a": 1}}]
    whole = {"text": "Hi", "generation_id": "g", "finish_reason": "COMPLETE", "tool_calls": calls}
    entries = [
        {"event_type": "stream-start"},
        {"event_type": "text-generation", "text": "H"},
        {"event_type": "text-generation", "text": "i"},
    ]
    end = {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": whole}
    plain, streamed, cut = (read(body, found) for found in (whole, [*entries, end], entries))
    assert [message.role for message in plain.messages] == ["system", "assistant", "user"]
    assert only(plain) == Answer((Text("Hi"), ToolCall("f", {"a": 1})), "COMPLETE")
    assert only(streamed) == only(plain)
    assert only(cut) == Answer((Text("Hi"),))


def told_so_far(text: str, reason: str) -> dict[str, Any]:
    """An event of DashScope's."""
    message = {"role": "assistant", "content": text}
    return {"output": {"choices": [{"message": message, "finish_reason": reason}]}}


@pytest.mark.parametrize(("is_incremental", "texts"), [(True, ("H", "i")), (False, ("H", "Hi"))])
def test_dashscope(is_incremental: bool, texts: tuple[str, ...]) -> None:
    """Its events tell the whole so far, unless the request asks for pieces."""
    entries = [
        told_so_far(text, reason) for text, reason in zip(texts, ("null", "stop"), strict=True)
    ]
    body = {
        "model": "qwen-max",
        "input": {"messages": [{"role": "user", "content": "Hello"}]},
        "parameters": {"incremental_output": is_incremental},
    }
    found = read(body, entries)
    assert (found.messages, only(found)) == ((HELLO,), Answer((Text("Hi"),), "stop"))
    assert found.parameters == {"parameters.incremental_output": is_incremental}


def test_dashscope_with_a_text() -> None:
    """The older result format."""
    found = read(
        {"input": {"prompt": "Hello"}}, {"output": {"text": "Hi", "finish_reason": "stop"}}
    )
    assert (found.messages, only(found)) == ((HELLO,), Answer((Text("Hi"),), "stop"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"results": [{"outputText": "Hi", "completionReason": "FINISH", "tokenCount": 2}]},
            Answer((Text("Hi"),), "FINISH"),
        ),
        (
            [
                {"outputText": "H", "completionReason": None},
                {"outputText": "i", "completionReason": "FINISH"},
            ],
            Answer((Text("Hi"),), "FINISH"),
        ),
        ({"generation": "Hi", "stop_reason": "length"}, Answer((Text("Hi"),), "length")),
        (
            {"generations": [{"text": "Hi", "finish_reason": "COMPLETE"}]},
            Answer((Text("Hi"),), "COMPLETE"),
        ),
        ({"outputs": [{"text": "Hi", "stop_reason": "stop"}]}, Answer((Text("Hi"),), "stop")),
        (
            {"completions": [{"data": {"text": "Hi"}, "finishReason": {"reason": "endoftext"}}]},
            Answer((Text("Hi"),), "endoftext"),
        ),
        (
            {"completions": [{"completion": "Hi", "finish_reason": "maximum_tokens"}]},
            Answer((Text("Hi"),), "maximum_tokens"),
        ),
        (
            {"results": [{"generated_text": "Hi", "stop_reason": "eos"}]},
            Answer((Text("Hi"),), "eos"),
        ),
    ],
)
def test_texts_under_other_names(answer: Any, expected: Answer) -> None:
    """The models of Bedrock and watsonx, each with words of its own."""
    assert only(read({"prompt": "Hello"}, answer)) == expected


def test_a_list_of_texts_is_hugging_faces() -> None:
    """Its inference servers send nothing but the list."""
    document = recording({"inputs": "Hello"}, None)
    document["response"] = {"body": [{"generated_text": "Hi"}], "is_streaming": False}
    found = conversation_of(document)
    assert (found.messages, only(found)) == ((HELLO,), Answer((Text("Hi"),)))
