"""The parts of a message: text, thinking, media, calls of tools and their results.

A part says by itself what it is: by its ``type`` (OpenAI, Anthropic, Cohere, Mistral) or by the
only member that it has (Gemini, Bedrock's Converse). One that nothing here knows is `Data`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain

from vcr_llm._conversation.media import media
from vcr_llm._conversation.members import (
    at,
    first_text,
    mapping,
    mappings,
    parsed,
    text,
    without,
)
from vcr_llm._conversation.values import (
    Data,
    Note,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from vcr_llm._json import JSON

Parts = tuple[Part, ...]
_Reader = Callable[[dict[str, JSON]], Parts]

_ARGUMENTS = ("arguments", "input", "args", "parameters", "action", "operation", "queries", "code")
_RESULTS = ("output", "outputs", "results", "result", "error")
_IDS = ("call_id", "id", "toolUseId", "tool_use_id", "tool_call_id")


def parts_of(content: JSON) -> Parts:
    """The parts of a message's content, which may be a text, a part or a list of parts."""
    if isinstance(content, str):
        return (Text(content),) if content else ()
    if isinstance(content, list):
        return tuple(chain.from_iterable(map(parts_of, content)))
    if isinstance(content, dict):
        return part_of(content)
    return () if content is None else (Data(content),)


def part_of(part: dict[str, JSON]) -> Parts:
    """What one part of a message says."""
    kind = part.get("type")
    if isinstance(kind, str) and (reader := _BY_TYPE.get(kind) or _by_ending(kind)):
        return reader(part) or (Data(part),)
    for name, read in _BY_MEMBER.items():
        if part.get(name) is not None:
            return read(part)
    return (Data(part),)


def joined(parts: Parts) -> Parts:
    """The parts with those pieces of text and of thinking joined that follow each other."""
    together: list[Part] = []
    for part in parts:
        if part == Text(""):
            continue
        match (together[-1] if together else None), part:
            case Text(text=head, citations=known), Text(text=tail, citations=new):
                cited = tuple(dict.fromkeys((*known, *new)))
                together[-1] = Text(head + tail, cited)
            case Thinking(text=head), Thinking(text=tail) if head and tail:
                together[-1] = Thinking(head + tail)
            case _:
                together.append(part)
    return tuple(together)


def tool_call(call: JSON) -> ToolCall:
    """The call that OpenAI's, Mistral's, Ollama's or Cohere's ``tool_calls`` hold."""
    held = mapping(call)
    inner = mapping(held.get("function")) or mapping(held.get("custom")) or held
    return ToolCall(
        name=first_text(inner, "name") or "",
        arguments=_arguments(inner, _ARGUMENTS),
        id=first_text(held, *_IDS),
    )


def citations_of(found: JSON) -> tuple[str, ...]:
    """Where a text has it from: a title and an address, each once."""
    cited = (_citation(citation) for citation in mappings(found))
    return tuple(dict.fromkeys(citation for citation in cited if citation))


def _citation(citation: dict[str, JSON]) -> str:
    source = mapping(citation.get("url_citation")) or mapping(citation.get("web")) or citation
    title = first_text(source, "title", "document_title", "filename", "source", "file_id")
    url = first_text(source, "url", "uri")
    return " ".join(filter(None, (title, url and f"<{url}>")))


# --- by type ----------------------------------------------------------------------------------


def _text(part: dict[str, JSON]) -> Parts:
    words = part.get("text", part.get("data"))  # the latter is Aleph Alpha's
    if isinstance(words, dict):  # OpenAI's assistants
        cited = citations_of(words.get("annotations"))
        return (Text(first_text(words, "value", "text") or "", cited),)
    if part.get("thought") is True:
        return (Thinking(text(words) or ""),)
    cited = citations_of(part.get("annotations")) or citations_of(part.get("citations"))
    return (Text(words, cited),) if isinstance(words, str) else ()


def _thinking(part: dict[str, JSON]) -> Parts:
    """What was thought: in one text, in a list of pieces, or nothing that may be read."""
    for name in ("thinking", "text", "summary", "content", "reasoning"):
        held = part.get(name)
        if isinstance(held, str) and held:
            return (Thinking(held),)
        if found := [first_text(piece, "text") for piece in mappings(held)]:
            return (Thinking("\n\n".join(filter(None, found))),)
    return (Thinking(""),)


def _refusal(part: dict[str, JSON]) -> Parts:
    return (Refusal(first_text(part, "refusal", "text") or ""),)


def _document(part: dict[str, JSON]) -> Parts:
    """A file, or the text that is given as one."""
    source = mapping(part.get("source")) or mapping(part.get("document"))
    if source.get("type") == "content":
        return parts_of(source.get("content"))
    if source.get("type") == "text" or isinstance(source.get("text"), str):
        return (Text(first_text(source, "data", "text") or ""),)
    return (media("file", part),)


def _media(kind: str) -> _Reader:
    return lambda part: (media(kind, part),)


def _search_result(part: dict[str, JSON]) -> Parts:
    return (Note(_citation(part) or "a search result"),)


def _listed_tools(part: dict[str, JSON]) -> Parts:
    names = [first_text(tool, "name") or "?" for tool in mappings(part.get("tools"))]
    server = first_text(part, "server_label")
    return (Note(f"tools{f' of {server}' if server else ''}: {', '.join(names)}"),)


def _nested(part: dict[str, JSON]) -> Parts:
    return parts_of(part.get("content"))


def _call(part: dict[str, JSON]) -> Parts:
    """A call, and its result where the provider made it itself."""
    kind = text(part.get("type")) or ""
    name = first_text(part, "name") or kind.removesuffix("_call")
    own_id = first_text(part, *_IDS)
    call = ToolCall(name, _arguments(part, _ARGUMENTS), own_id)
    results = next((part[key] for key in _RESULTS if part.get(key) is not None), None)
    if results is None:
        return (call,)
    is_error = part.get("error") is not None
    return call, ToolResult(parts_of(results), own_id, is_error=is_error)


def _result(part: dict[str, JSON]) -> Parts:
    kind = text(part.get("type")) or ""
    name = first_text(part, "name") or kind.removesuffix("tool_result").strip("_")
    content = part.get("content")
    failed = str(at(content, "type")).endswith("_error")
    return (
        ToolResult(
            parts=parts_of(content),
            id=first_text(part, "tool_use_id", "call_id", "tool_call_id"),
            name=text(name),
            is_error=part.get("is_error") is True or failed,
        ),
    )


def _output(part: dict[str, JSON]) -> Parts:
    """What the client gives back for a call of OpenAI's Responses."""
    held = part.get("output")
    parts = _listed_tools(part) if "tools" in part and held is None else parts_of(held)
    return (ToolResult(parts, first_text(part, "call_id", "id")),)


def _generated_image(part: dict[str, JSON]) -> Parts:
    return (media("image", {**part, "data": part.get("result"), "name": None}),)


def _outcome(part: dict[str, JSON]) -> Parts:
    """What a program that the provider ran has printed."""
    printed = [first_text(part, name) for name in ("stdout", "stderr", "output", "logs")]
    texts: Parts = tuple(Text(found) for found in printed if found is not None)
    return (*texts, *parts_of(part.get("content"))) or (Data(without(part, "type")),)


def _by_ending(kind: str) -> _Reader | None:
    """The reader of types that end alike: each tool of a provider's own has its names."""
    return next((read for ending, read in _BY_ENDING.items() if kind.endswith(ending)), None)


_BY_TYPE: Mapping[str, _Reader] = {
    **dict.fromkeys(("text", "input_text", "output_text", "summary_text"), _text),
    **dict.fromkeys(("thinking", "redacted_thinking", "reasoning", "reasoning_text"), _thinking),
    **dict.fromkeys(("thought", "reasoning.text", "reasoning.summary"), _thinking),
    **dict.fromkeys(("image", "image_url", "input_image", "image_file"), _media("image")),
    **dict.fromkeys(("computer_screenshot", "screenshot"), _media("image")),
    **dict.fromkeys(("input_audio", "audio", "audio_url", "output_audio"), _media("audio")),
    **dict.fromkeys(("video", "video_url", "input_video"), _media("video")),
    **dict.fromkeys(("file", "input_file", "container_upload", "document_url"), _media("file")),
    **dict.fromkeys(("message", "model_output", "user_input"), _nested),
    **dict.fromkeys(("web_search_result", "web_fetch_result"), _search_result),
    **dict.fromkeys(("bash_code_execution_result", "code_execution_result"), _outcome),
    "document": _document,
    "refusal": _refusal,
    "mcp_list_tools": _listed_tools,
    "image_generation_call": _generated_image,
}
_BY_ENDING: Mapping[str, _Reader] = {
    "tool_use": _call,
    "_call": _call,
    "tool_result": _result,
    "_call_output": _output,
    "tool_search_output": _output,
}


# --- by the only member -----------------------------------------------------------------------


def _arguments(held: Mapping[str, JSON], names: tuple[str, ...]) -> JSON:
    """What a tool is called with; an empty text is what some servers write for nothing."""
    found = next((held[name] for name in names if held.get(name) is not None), None)
    return {} if found in (None, "") else parsed(found)


def _inside(name: str, read: _Reader) -> _Reader:
    """A reader of what stands in a member."""
    return lambda part: read(mapping(part.get(name)))


def _named_call(name: str) -> _Reader:
    def read(part: dict[str, JSON]) -> Parts:
        call = mapping(part.get(name))
        called = first_text(call, "name", "toolType") or name
        return (ToolCall(called, _arguments(call, _ARGUMENTS), first_text(call, *_IDS)),)

    return read


def _named_response(name: str) -> _Reader:
    def read(part: dict[str, JSON]) -> Parts:
        held = mapping(part.get(name))
        response = held.get("response")
        parts = (*(() if response is None else (Data(response),)), *parts_of(held.get("parts")))
        called = first_text(held, "name", "toolType")
        return (ToolResult(parts, first_text(held, *_IDS), called),)

    return read


def _converse_result(part: dict[str, JSON]) -> Parts:
    held = mapping(part.get("toolResult"))
    is_error = held.get("status") == "error"
    parts = parts_of(held.get("content"))
    return (ToolResult(parts, first_text(held, *_IDS), is_error=is_error),)


def _converse_thinking(part: dict[str, JSON]) -> Parts:
    held = mapping(part.get("reasoningContent"))
    words = first_text(held, "text") or first_text(held.get("reasoningText"), "text")
    return (Thinking(words or ""),)


def _cited(part: dict[str, JSON]) -> Parts:
    held = mapping(part.get("citationsContent"))
    words = "".join(first_text(piece, "text") or "" for piece in mappings(held.get("content")))
    return (Text(words, citations_of(held.get("citations"))),)


def _code(name: str) -> _Reader:
    return lambda part: (ToolCall("code_execution", part.get(name)),)


def _code_result(name: str) -> _Reader:
    def read(part: dict[str, JSON]) -> Parts:
        held = mapping(part.get(name))
        is_error = held.get("outcome") not in (None, "OUTCOME_OK")
        return (ToolResult(parts_of(held.get("output")), name="code_execution", is_error=is_error),)

    return read


def _plain(name: str) -> _Reader:
    return lambda part: (Data(part.get(name)),)


_BY_MEMBER: Mapping[str, _Reader] = {
    # Gemini (https://ai.google.dev/api/caching#Part), whose SDKs also send snake case
    "functionCall": _named_call("functionCall"),
    "function_call": _named_call("function_call"),
    "toolCall": _named_call("toolCall"),
    "functionResponse": _named_response("functionResponse"),
    "function_response": _named_response("function_response"),
    "toolResponse": _named_response("toolResponse"),
    "inlineData": _inside("inlineData", _media("file")),
    "inline_data": _inside("inline_data", _media("file")),
    "fileData": _inside("fileData", _media("file")),
    "file_data": _inside("file_data", _media("file")),
    "executableCode": _code("executableCode"),
    "executable_code": _code("executable_code"),
    "codeExecutionResult": _code_result("codeExecutionResult"),
    "code_execution_result": _code_result("code_execution_result"),
    # Bedrock's Converse
    # (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html)
    "toolUse": _named_call("toolUse"),
    "toolResult": _converse_result,
    "reasoningContent": _converse_thinking,
    "citationsContent": _cited,
    "image": _inside("image", _media("image")),
    "video": _inside("video", _media("video")),
    "audio": _inside("audio", _media("audio")),
    "document": lambda part: _document(mapping(part.get("document"))),
    "guardContent": lambda part: parts_of(at(part, "guardContent", "text")),
    "cachePoint": lambda _part: (),
    "json": _plain("json"),
    # both, and what others send without a type
    "text": lambda part: _text(part) or (Data(part),),
    "thoughtSignature": lambda _part: (),
}
