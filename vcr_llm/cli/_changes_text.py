"""Changes as lines of text, for `diff`.

What went is marked ``[-so-]`` and what came ``{+so+}`` where a line changed in part, as git does
with ``--word-diff``; whole lines begin with ``-`` and ``+``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vcr_llm._conversation import (
    Answer,
    Change,
    Data,
    Kind,
    Message,
    Part,
    Refusal,
    Remainder,
    Thing,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from vcr_llm._conversation.texts import ChangedLine, Fate, Piece, changed_lines
from vcr_llm.cli._conversation_text import (
    HEADING,
    INDENT,
    LABEL,
    inline,
    message_lines,
    part_lines,
    text_lines,
    tool_lines,
    value_lines,
)
from vcr_llm.cli._output import Line, Span

_REMOVED, _ADDED = "red", "green"
_STYLES = {Fate.REMOVED: _REMOVED, Fate.ADDED: _ADDED, Fate.KEPT: ""}
_MARKS = {Fate.REMOVED: ("[-", "-]"), Fate.ADDED: ("{+", "+}"), Fate.KEPT: ("", "")}
_SIGNS = {Fate.REMOVED: "- ", Fate.ADDED: "+ ", Fate.KEPT: INDENT, None: INDENT}
_SHORT = 88


def change_lines(change: Change) -> Iterator[Line]:
    """The lines of a change, two columns in."""
    if change.kind is Kind.CHANGED:
        yield from _changed(change)
        return
    went, came = list(_content_lines(change.old)), list(_content_lines(change.new))
    subject, fate = f"{change.kind} {change.subject}", Fate.ADDED if came else Fate.REMOVED
    content = went + came
    if len(content) == 1:
        yield _subject(f"{subject}: "), *_styled(content[0], _STYLES[fate])
        return
    yield (_subject(f"{subject}:" if content else subject),)
    yield from signed(content, fate)


def signed(lines: Iterable[Line], fate: Fate) -> Iterator[Line]:
    """Whole lines that went or came, four columns in."""
    for line in lines:
        text = "".join(span.text for span in line)
        yield (Span(f"{INDENT * 2}{_SIGNS[fate]}{text}".rstrip(), _STYLES[fate]),)


def remainder_lines(remainder: Remainder) -> Iterator[Line]:
    """What differs in two recordings that say the same."""
    if remainder.changes:
        yield (Span(f"{INDENT}not in the conversation, which is the same:", LABEL),)
    for change in remainder.changes:
        yield from change_lines(change)
    if remainder.meaningless and not remainder.changes:
        yield (
            Span(f"{INDENT}only ids, times or formatting: "),
            Span(", ".join(remainder.meaningless), LABEL),
        )


def text_change_lines(old: str, new: str) -> Iterator[Line]:
    """The lines in which two texts differ, four columns in."""
    for line in changed_lines(old, new):
        yield tuple(_text_line(line))


def _subject(text: str) -> Span:
    return Span(INDENT + text, HEADING)


def _changed(change: Change) -> Iterator[Line]:
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str) and not _is_word(old, new):
        yield (_subject(f"{change.subject}:"),)
        yield from text_change_lines(old, new)
        return
    before, after = list(_value_lines(old)), list(_value_lines(new))
    if len(before) == len(after) == 1 and _length(before[0]) + _length(after[0]) <= _SHORT:
        went, came = _styled(before[0], _REMOVED), _styled(after[0], _ADDED)
        yield _subject(f"{change.subject}: "), *went, Span(" -> ", LABEL), *came
        return
    yield (_subject(f"{change.subject}:"),)
    yield from signed(before, Fate.REMOVED)
    yield from signed(after, Fate.ADDED)


def _is_word(old: str, new: str) -> bool:
    """Whether two texts are single words, which are shown one after the other."""
    return not any(character.isspace() for character in old + new)


def _length(line: Line) -> int:
    return sum(len(span.text) for span in line)


def _styled(line: Line, style: str) -> Line:
    return tuple(Span(span.text, style) for span in line)


def _text_line(line: ChangedLine) -> Iterator[Span]:
    if not line.pieces:
        yield Span(f"{INDENT * 3}…", LABEL)
        return
    if not any(piece.text for piece in line.pieces):
        yield Span(f"{INDENT * 2}{_SIGNS[line.fate]}".rstrip(), _STYLES[line.fate or Fate.KEPT])
        return
    yield Span(f"{INDENT * 2}{_SIGNS[line.fate]}", _STYLES[line.fate or Fate.KEPT])
    for piece in line.pieces:
        yield _piece(piece, is_marked=line.fate is None)


def _piece(piece: Piece, *, is_marked: bool) -> Span:
    opening, closing = _MARKS[piece.fate] if is_marked else ("", "")
    return Span(f"{opening}{piece.text}{closing}", _STYLES[piece.fate])


# --- values -------------------------------------------------------------------------------------


def _content_lines(value: Thing | None) -> Iterator[Line]:
    """What a thing holds whose name stands before it."""
    match value:
        case ToolCall():
            return value_lines(value.arguments, "")
        case ToolResult():
            return _at_margin(_content(value.parts))
        case Refusal() | Thinking():
            return text_lines(value.text, "")
        case _:
            return _value_lines(value)


def _value_lines(value: Thing | None) -> Iterator[Line]:
    """The lines of what a change is about, at the margin."""
    match value:
        case None:
            return
        case Message():
            yield from _without_first(message_lines(value))
        case Tool():
            yield from _without_first(tool_lines(value))
        case Answer():
            yield from _at_margin(_content(value.parts))
        case Data():
            yield (Span(inline(value.value)),)
        case str():
            yield from text_lines(value, "")
        case tuple():  # citations
            yield from ((Span(item),) for item in value)
        case bool():
            yield (Span("yes" if value else "no"),)
        case int():
            yield (Span(f"{value:,}"),)
        case _:
            yield from _at_margin(part_lines(value))


def _content(parts: Sequence[Part]) -> Iterator[Line]:
    for part in parts:
        yield from part_lines(part)


def _without_first(lines: Iterable[Line]) -> Iterator[Line]:
    """A block's content without the empty line and the heading before it."""
    yield from _at_margin(list(lines)[2:])


def _at_margin(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        first, *more = line or (Span(""),)
        yield Span(first.text.removeprefix(INDENT), first.style), *more
