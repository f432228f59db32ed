"""A conversation as lines of text, for `show` and `diff`.

Headings stand at the margin, content two columns in, so that no text in a recording looks like a
heading of ours. The same conversation gives the same lines, neither wrapped nor cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from vcr_llm._conversation import (
    Answer,
    Conversation,
    Media,
    Message,
    Note,
    Part,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from vcr_llm._conversation.abridging import abridged, abridged_words
from vcr_llm._interaction import standard_reason
from vcr_llm._json import JSON, render
from vcr_llm.cli._output import Line, Span

INDENT = "  "
HEADING, LABEL, ROLE, ANSWER = "bold", "dim", "bold cyan", "bold green"
TOOL, THOUGHT, ERROR = "magenta", "dim italic", "red"

_OK = 200
_SHORT = 88  # characters of JSON that are read well in one line


def conversation_lines(
    conversation: Conversation, earlier: Earlier | None = None
) -> Iterator[Line]:
    """The lines of a conversation; what was said ``earlier`` is referred to."""
    earlier = earlier or Earlier()
    yield from _head(conversation)
    yield from _tools(conversation, earlier)
    skipped, number = earlier.beginning_of(conversation)
    if skipped:
        yield from _block(f"messages 1 to {skipped} as in recording {number}", LABEL, ())
    for message in conversation.messages[skipped:]:
        yield from message_lines(message)
    for place, answer in enumerate(conversation.answers):
        is_only = len(conversation.answers) == 1
        heading = answer_heading(answer, None if is_only else place + 1)
        yield from _block(heading, ANSWER, _content(answer.parts))
    yield from _outcome(conversation)


def _head(conversation: Conversation) -> Iterator[Line]:
    yield (Span(f"{conversation.method} {conversation.url}", HEADING),)
    if conversation.test_id is not None:
        yield labelled("test", conversation.test_id)
    if conversation.model is not None:
        yield labelled("model", conversation.model)
    for name, value in conversation.parameters.items():
        yield from member_lines(name, value, LABEL)


def labelled(label: str, text: str) -> Line:
    """A line of the kind ``label: text``."""
    return Span(f"{INDENT}{label}: ", LABEL), Span(text)


def _block(heading: str, style: str, content: Sequence[Line]) -> Iterator[Line]:
    """A heading with its content, after an empty line."""
    yield ()
    yield (Span(heading, style),)
    yield from content


# --- what was said before -----------------------------------------------------------------------


class Earlier:
    """What the recordings of a cassette have said so far, by the numbers of the recordings."""

    def __init__(self) -> None:
        self._count = 0
        self._beginnings: dict[bytes, int] = {}
        self._tools: dict[str, int] = {}

    def add(self, conversation: Conversation) -> None:
        """Take note of the next recording."""
        self._count += 1
        for beginning in _beginnings(conversation):
            self._beginnings.setdefault(beginning, self._count)
        self._tools.setdefault(repr(conversation.tools), self._count)

    def beginning_of(self, conversation: Conversation) -> tuple[int, int]:
        """How many messages were said before, and in which recording; one is none."""
        told = 0, 0
        for place, beginning in enumerate(_beginnings(conversation), 1):
            number = self._beginnings.get(beginning)
            if number is None:
                break
            told = place, number
        return told if told[0] > 1 else (0, 0)

    def tools_of(self, conversation: Conversation) -> int | None:
        """In which recording the same tools were offered."""
        return self._tools.get(repr(conversation.tools))


def _beginnings(conversation: Conversation) -> Iterator[bytes]:
    """What stands for the first message, the first two, and so on."""
    said = hashlib.sha256()
    for message in conversation.messages:
        said.update(repr(message).encode(errors="surrogatepass"))
        yield said.digest()


# --- tools --------------------------------------------------------------------------------------


def _tools(conversation: Conversation, earlier: Earlier) -> Iterator[Line]:
    if not conversation.tools:
        return
    if number := earlier.tools_of(conversation):
        yield from _block(f"tools as in recording {number}", LABEL, ())
        return
    for tool in conversation.tools:
        yield from tool_lines(tool)


def tool_lines(tool: Tool) -> Iterator[Line]:
    """A tool: its name, what it is for, its parameters one in a line."""
    kind = "" if tool.kind in ("function", tool.name) else f" ({tool.kind})"
    yield from _block(f"tool {tool.name}{kind}", TOOL, tuple(_tool_content(tool)))


def _tool_content(tool: Tool) -> Iterator[Line]:
    if tool.description is not None:
        yield from text_lines(tool.description)
    yield from _schema(tool.schema)
    for name, value in tool.options.items():
        yield from member_lines(name, value, LABEL)


def _schema(schema: JSON) -> Iterator[Line]:
    """A JSON schema: a line for each property, then the rest; another value as JSON."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not (isinstance(schema, dict) and isinstance(properties, dict)):
        if schema is not None:
            yield from member_lines("parameters", schema, LABEL)
        return
    required = schema.get("required")
    wanted = required if isinstance(required, list) else []
    for name, value in properties.items():
        yield from _property(name, value, is_required=name in wanted)
    for name, value in schema.items():
        is_told = name in ("properties", "required") or (name, value) == ("type", "object")
        if not is_told or (name == "required" and not set(map(str, wanted)) <= properties.keys()):
            yield from member_lines(name, value, LABEL)


def _property(name: str, value: JSON, *, is_required: bool) -> Iterator[Line]:
    known = value if isinstance(value, dict) else {}
    description, kind = known.get("description"), known.get("type")
    rest = {key: item for key, item in known.items() if key not in ("description", "type")}
    if not isinstance(description, str | None) or not isinstance(kind, str | None):
        description, kind, rest = None, None, dict(known)
    told = [
        kind or ("" if known else render(value, "spaced")),
        render(rest, "spaced") if rest else "",
        "required" if is_required else "",
    ]
    yield Span(f"{INDENT}- {name}: ", TOOL), Span(", ".join(filter(None, told)))
    if description is not None:
        yield from text_lines(description, INDENT * 3)


# --- messages -----------------------------------------------------------------------------------


def message_lines(message: Message) -> Iterator[Line]:
    """A message: who says it, and what."""
    heading = message_heading(message)
    yield from _block(heading, ROLE, tuple(_content(message.parts)))


def message_heading(message: Message) -> str:
    """Who says a message."""
    return message.role if message.name is None else f"{message.role} ({message.name})"


def answer_heading(answer: Answer, number: int | None) -> str:
    """What an answer is called."""
    name = "answer" if answer.role in _SPEAKERS else answer.role
    return name if number is None else f"{name} {number}"


_SPEAKERS = ("assistant", "model", "answer")


def _content(parts: Sequence[Part]) -> list[Line]:
    return [line for part in parts for line in part_lines(part)]


def part_lines(part: Part) -> Iterator[Line]:
    """What one part of a message says."""
    match part:
        case Text():
            return _text(part)
        case Thinking():
            return _thinking(part)
        case Refusal():
            return _refusal(part)
        case Media():
            return _media(part)
        case ToolCall():
            return _call(part)
        case ToolResult():
            return _result(part)
        case Note():
            return _note(part)
    return json_lines(part.value, INDENT)


def _text(part: Text) -> Iterator[Line]:
    yield from text_lines(part.text)
    for citation in part.citations:
        yield from text_lines(f"[cites {citation}]", style=LABEL)


def _thinking(part: Thinking) -> Iterator[Line]:
    if not part.text:
        yield (Span(f"{INDENT}[thinking, which the provider does not show]", THOUGHT),)
        return
    yield (Span(f"{INDENT}thinking:", THOUGHT),)
    yield from text_lines(part.text, INDENT * 2, THOUGHT)


def _refusal(part: Refusal) -> Iterator[Line]:
    yield (Span(f"{INDENT}refusal:", ERROR),)
    yield from text_lines(part.text, INDENT * 2)


def _media(part: Media) -> Iterator[Line]:
    told = (
        part.media_type,
        part.name,
        part.url,
        None if part.size is None else readable_size(part.size),
        part.digest and f"sha256 {part.digest}",
    )
    described = ", ".join(filter(None, told))
    yield from text_lines(f"[{part.kind}{': ' if described else ''}{described}]", style=LABEL)


def _call(part: ToolCall) -> Iterator[Line]:
    yield (Span(f"{INDENT}call {part.name}{_number(part.id)}", TOOL),)
    yield from value_lines(part.arguments, INDENT * 2)


def _result(part: ToolResult) -> Iterator[Line]:
    name = f" of {part.name}" if part.name else ""
    word = "error" if part.is_error else "result"
    style = ERROR if part.is_error else TOOL
    yield (Span(f"{INDENT}{word}{name}{_number(part.id)}", style),)
    for span, *more in _content(part.parts):
        yield Span(INDENT + span.text if span.text else "", span.style), *more


def _number(call_id: str | None) -> str:
    return "" if call_id is None else f" {call_id}"


def _note(part: Note) -> Iterator[Line]:
    content = f" [sha256 {part.digest}]" if part.digest else ""
    for line in text_lines(part.text):
        yield (*line, Span(content, LABEL)) if content else line


# --- the outcome --------------------------------------------------------------------------------


def _outcome(conversation: Conversation) -> Iterator[Line]:
    lines = list(_outcome_lines(conversation))
    if lines:
        yield ()
        yield from lines


def _outcome_lines(conversation: Conversation) -> Iterator[Line]:
    if conversation.failure is not None:
        kind = conversation.failure.kind
        yield (Span(f"error{f' {kind}' if kind else ''}", f"bold {ERROR}"),)
        yield from text_lines(conversation.failure.message, style=ERROR)
        for name, value in conversation.failure.details.items():
            yield from member_lines(name, value, LABEL)
    if conversation.status not in (None, _OK):
        reason = standard_reason(conversation.status or 0)
        yield _fact("status", f"{conversation.status} {reason}".strip())
    if conversation.ended is not None:
        yield _fact("stream ended", inline(conversation.ended))
    reasons = [answer.finish_reason for answer in conversation.answers if answer.finish_reason]
    if reasons:
        yield _fact("finish reason", ", ".join(dict.fromkeys(reasons)))
    if conversation.answered_by not in (None, conversation.model):
        yield _fact("answered by", conversation.answered_by or "")
    if conversation.usage is not None:
        yield _fact("usage", usage_text(conversation.usage))
    if conversation.recorded_at is not None:
        yield _fact("recorded", conversation.recorded_at)


def _fact(label: str, text: str) -> Line:
    return Span(f"{label}: ", LABEL), Span(text)


def usage_text(usage: Usage) -> str:
    """Tokens in a line."""
    parts = (("cached", usage.cached), ("written to the cache", usage.cache_written))
    told = ", ".join(f"{count:,} {word}" for word, count in parts if count)
    reasoning = f" ({usage.reasoning:,} reasoning)" if usage.reasoning else ""
    counts = (
        (usage.input, f"input{f' ({told})' if told else ''}"),
        (usage.output, f"output{reasoning}"),
        (usage.total, "total"),
    )
    return ", ".join(f"{count:,} {words}" for count, words in counts if count is not None)


# --- values -------------------------------------------------------------------------------------


def text_lines(text: str, indent: str = INDENT, style: str = "") -> Iterator[Line]:
    """The lines of a text; an empty one has no spaces at its end."""
    for line in abridged_words(text.replace("\r\n", "\n")).split("\n"):
        yield (Span(indent + line if line else "", style),)


def value_lines(value: JSON, indent: str) -> Iterator[Line]:
    """Arguments of a tool: a member in a line, a text that is no JSON as it is."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from member_lines(name, item, "", indent)
    elif isinstance(value, str):
        yield from text_lines(value, indent)
    else:
        yield from json_lines(value, indent)


def member_lines(name: str, value: JSON, style: str, indent: str = INDENT) -> Iterator[Line]:
    """A member: ``name: value``, with a text of several lines or long JSON below its name."""
    if isinstance(value, str) and "\n" in value:
        yield (Span(f"{indent}{name}:", style),)
        yield from text_lines(value, indent + INDENT)
        return
    shown = inline(value)
    if len(shown) <= _SHORT or not isinstance(value, dict | list):
        yield Span(f"{indent}{name}: ", style), Span(shown)
        return
    yield (Span(f"{indent}{name}:", style),)
    yield from json_lines(value, indent + INDENT)


def json_lines(value: JSON, indent: str) -> Iterator[Line]:
    """A JSON value, in a line where it is short."""
    shown = inline(value)
    if len(shown) > _SHORT:
        shown = render(abridged(value), "indent-2")
    yield from text_lines(shown, indent)


def inline(value: JSON) -> str:
    """A JSON value in one line."""
    return abridged_words(render(abridged(value), "spaced"))


_KILO = 1000


def readable_size(size: int) -> str:
    """A number of bytes as people say it: 1.2 MB."""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < _KILO:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= _KILO
    return f"{amount:.1f} GB"
