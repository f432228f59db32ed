"""What changed between two conversations, as a reader would say it.

Ids of tool calls, the time of the recording and how a stream was cut into events are no change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple, TypeAlias, TypeVar

from vcr_llm._conversation.numbering import numbered
from vcr_llm._conversation.values import (
    Answer,
    Conversation,
    Data,
    Failure,
    Message,
    Part,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from vcr_llm._json import JSON, render
from vcr_llm._request_key import Absent, Side

Item = TypeVar("Item")


class Kind(StrEnum):
    """What happened to a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


Thing: TypeAlias = Part | Message | Answer | Tool | str | int | tuple[str, ...]
"""What a change is about: JSON values are `Data`, but for texts."""


class Change(NamedTuple):
    """One thing that changed; ``old`` is None where it was added, ``new`` where it was removed.

    ``subject`` names the thing for readers, such as ``message 2 (user)`` or ``temperature``.
    """

    kind: Kind
    subject: str
    old: Thing | None = None
    new: Thing | None = None


_INSIDE = ": "
"""Between the name of a thing and what it is in it that changed."""

_MOST_ELEMENTS = 200  # of an array, from which on it is compared as a whole: embeddings


def changes_between(old: Conversation, new: Conversation) -> list[Change]:
    """What changed from one conversation to the other, in the order in which it is read."""
    old, new = numbered(old), numbered(new)
    return [
        *_facts(old, new, _ASKED),
        *_values(old.parameters, new.parameters, ""),
        *_tools(old.tools, new.tools),
        *_messages(old.messages, new.messages),
        *_answers(old.answers, new.answers),
        *_facts(old, new, _ANSWERED),
        *_values(_details(old), _details(new), "error: "),
        *_usage(old.usage, new.usage),
    ]


# What is compared as a whole, by what readers call it.
_NONE = Failure("")
_Fact = Callable[[Conversation], Thing | None]
_ASKED: Mapping[str, _Fact] = {
    "method": lambda conversation: conversation.method,
    "URL": lambda conversation: conversation.url,
    "test": lambda conversation: conversation.test_id,
    "model": lambda conversation: conversation.model,
}
_ANSWERED: Mapping[str, _Fact] = {
    "status": lambda conversation: conversation.status,
    "error": lambda conversation: (conversation.failure or _NONE).message or None,
    "kind of error": lambda conversation: (conversation.failure or _NONE).kind,
    "end of the stream": lambda conversation: _data(conversation.ended),
    "answered by": lambda conversation: conversation.answered_by,
}


def _details(conversation: Conversation) -> Mapping[str, JSON]:
    return (conversation.failure or _NONE).details


def _data(value: JSON) -> Data | None:
    return None if value is None else Data(value)


def _facts(old: Conversation, new: Conversation, facts: Mapping[str, _Fact]) -> Iterator[Change]:
    for subject, fact in facts.items():
        yield from _one(subject, fact(old), fact(new))


def _one(subject: str, old: Thing | None, new: Thing | None) -> Iterator[Change]:
    if old is None and new is not None:
        yield Change(Kind.ADDED, subject, new=new)
    elif new is None and old is not None:
        yield Change(Kind.REMOVED, subject, old)
    elif old != new:
        yield Change(Kind.CHANGED, subject, old, new)


def _usage(old: Usage | None, new: Usage | None) -> Iterator[Change]:
    """Tokens, one count at a time."""
    before, after = old or Usage(), new or Usage()
    for name in ("input", "output", "total", "cached", "cache_written", "reasoning"):
        words = f"{name.replace('_', ' ')} tokens"
        yield from _one(words, getattr(before, name), getattr(after, name))


# --- values by path -----------------------------------------------------------------------------


def _values(old: Mapping[str, JSON], new: Mapping[str, JSON], path: str) -> Iterator[Change]:
    """The members that differ, by their paths."""
    start = path if not path or path.endswith(_INSIDE) else f"{path}."
    for name in dict.fromkeys((*old, *new)):
        sides = old.get(name, Absent.ABSENT), new.get(name, Absent.ABSENT)
        yield from value_changes(*sides, f"{start}{name}")


def value_changes(old: Side, new: Side, path: str) -> Iterator[Change]:
    """Where two JSON values differ, by path; ``path`` is theirs, or ends in ``: `` after a name."""
    subject = path.removesuffix(_INSIDE)
    if isinstance(old, Absent) or isinstance(new, Absent):
        yield from _one(subject, _if_there(old), _if_there(new))
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _values(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _elements(old, new, subject)
    elif not _is_same(old, new):
        yield Change(Kind.CHANGED, subject, *map(_side, (old, new)))


def _elements(old: list[JSON], new: list[JSON], path: str) -> Iterator[Change]:
    """The elements that differ: those that came and went, and by their paths those instead."""
    if max(len(old), len(new)) > _MOST_ELEMENTS:
        if old != new:
            yield Change(Kind.CHANGED, path, Data(old), Data(new))
        return
    keys = [render(item) for item in old], [render(item) for item in new]
    for before, after in _aligned(old, new, keys, lambda _one, _other: True):
        if before is None:
            yield Change(Kind.ADDED, f"{path}[]", new=Data(new[after or 0]))
        elif after is None:
            yield Change(Kind.REMOVED, f"{path}[]", Data(old[before]))
        else:
            yield from value_changes(old[before], new[after], f"{path}[{after}]")


def _is_same(old: JSON, new: JSON) -> bool:
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def _if_there(value: Side) -> Data | None:
    return None if isinstance(value, Absent) else Data(value)


def _side(value: JSON) -> Thing:
    """A value to be shown: a text as itself, so that its words can be compared."""
    return value if isinstance(value, str) else Data(value)


# --- tools --------------------------------------------------------------------------------------


def _tools(old: Sequence[Tool], new: Sequence[Tool]) -> Iterator[Change]:
    """Tools by their names; the order in which they are offered is no change."""
    before, after = _by_name(old), _by_name(new)
    for name in dict.fromkeys((*before, *after)):
        was, is_now = before.get(name), after.get(name)
        if was is None or is_now is None:
            yield from _one(f"tool {name}", was, is_now)
            continue
        yield from _one(f"tool {name}: kind", was.kind, is_now.kind)
        yield from _one(f"tool {name}: description", was.description, is_now.description)
        yield from value_changes(was.schema, is_now.schema, f"tool {name}: parameters")
        yield from _values(was.options, is_now.options, f"tool {name}: ")


def _by_name(tools: Sequence[Tool]) -> dict[str, Tool]:
    """The tools by names that are theirs alone."""
    named: dict[str, Tool] = {}
    for tool in tools:
        same = sum(known.name == tool.name for known in named.values())
        named[f"{tool.name} ({same + 1})" if same else tool.name] = tool
    return named


# --- messages and answers -----------------------------------------------------------------------


def _messages(old: Sequence[Message], new: Sequence[Message]) -> Iterator[Change]:
    keys = list(map(_message_key, old)), list(map(_message_key, new))
    for before, after in _aligned(old, new, keys, lambda one, other: one.role == other.role):
        if before is None:
            message = new[after or 0]
            yield Change(Kind.ADDED, _message_name(after or 0, message), new=message)
        elif after is None:
            yield Change(Kind.REMOVED, _message_name(before, old[before]), old[before])
        else:
            name = _message_name(after, new[after])
            yield from _one(f"{name}: name", old[before].name, new[after].name)
            yield from _parts(old[before].parts, new[after].parts, name)


def _message_name(place: int, message: Message) -> str:
    return f"message {place + 1} ({message.role})"


def _answers(old: Sequence[Answer], new: Sequence[Answer]) -> Iterator[Change]:
    """Answers by their places."""
    is_only = len(old) <= 1 and len(new) <= 1
    for place in range(max(len(old), len(new))):
        name = "answer" if is_only else f"answer {place + 1}"
        was = old[place] if place < len(old) else None
        is_now = new[place] if place < len(new) else None
        if was is None or is_now is None:
            yield from _one(name, was, is_now)
            continue
        yield from _parts(was.parts, is_now.parts, name)
        reason = "finish reason" if is_only else f"finish reason of {name}"
        yield from _one(reason, was.finish_reason, is_now.finish_reason)


def _parts(old: Sequence[Part], new: Sequence[Part], name: str) -> Iterator[Change]:
    keys = list(map(_key, old)), list(map(_key, new))
    for before, after in _aligned(old, new, keys, _is_same_kind):
        if before is None:
            part = new[after or 0]
            yield Change(Kind.ADDED, _part_name(part, name), new=part)
        elif after is None:
            yield Change(Kind.REMOVED, _part_name(old[before], name), old[before])
        else:
            yield from _part(old[before], new[after], name)


def _message_key(message: Message) -> str:
    return f"{message.role} {message.name} {list(map(_key, message.parts))}"


def _key(part: Part) -> str:
    """What a part says: numbers of calls move where one comes or goes before them."""
    if isinstance(part, ToolCall):
        return repr(replace(part, id=None))
    if isinstance(part, ToolResult):
        return f"{list(map(_key, part.parts))} {part.name} {part.is_error}"
    return repr(part)


def _is_same_kind(old: Part, new: Part) -> bool:
    return type(old) is type(new)


def _part(old: Part, new: Part, name: str) -> Iterator[Change]:
    """What changed in a part that is another one of the same kind."""
    subject = _part_name(new, name)
    match old, new:
        case Text(), Text():
            yield from _one(subject, old.text, new.text)
            yield from _one(f"{name}: citations", old.citations, new.citations)
        case (Thinking(text=was), Thinking(text=is_now)) | (
            Refusal(text=was),
            Refusal(text=is_now),
        ):
            yield from _one(subject, was, is_now)
        case Data(), Data():
            yield from value_changes(old.value, new.value, f"{subject}: ")
        case ToolCall(), ToolCall():
            if old.name == new.name:
                yield from value_changes(old.arguments, new.arguments, f"{subject}: ")
            else:
                yield Change(Kind.CHANGED, f"{name}: call", old, new)
        case ToolResult(), ToolResult():
            yield from _one(f"{subject}: is an error", old.is_error, new.is_error)
            yield from _parts(old.parts, new.parts, subject)
        case _:
            yield from _one(subject, old, new)


def _part_name(part: Part, name: str) -> str:
    """What a part is called, beside where it stands."""
    match part:
        case Thinking():
            return f"{name}: thinking"
        case Refusal():
            return f"{name}: refusal"
        case ToolCall():
            return f"{name}: call {part.name}{_number(part.id)}"
        case ToolResult():
            return f"{name}: result{_number(part.id)}"
        case _:
            return name


def _number(call_id: str | None) -> str:
    return "" if call_id is None else f" {call_id}"


# --- aligning -----------------------------------------------------------------------------------


def _aligned(
    old: Sequence[Item],
    new: Sequence[Item],
    keys: tuple[list[str], list[str]],
    may_pair: Callable[[Item, Item], bool],
) -> Iterator[tuple[int | None, int | None]]:
    """The places of items that are there instead of each other, that went, and that came.

    Items with equal keys are the same and left out.
    """
    matcher = SequenceMatcher(None, *keys, autojunk=False)
    for operation, first, last, start, stop in matcher.get_opcodes():
        if operation != "equal":
            yield from _paired(range(first, last), range(start, stop), old, new, may_pair)


def _paired(
    before: range,
    after: range,
    old: Sequence[Item],
    new: Sequence[Item],
    may_pair: Callable[[Item, Item], bool],
) -> Iterator[tuple[int | None, int | None]]:
    """Each place with the next one of the others that it may be paired with, in order."""
    start = after.start
    for place in before:
        partner = next(
            (at for at in range(start, after.stop) if may_pair(old[place], new[at])), None
        )
        if partner is None:
            yield place, None
            continue
        yield from ((None, between) for between in range(start, partner))
        yield place, partner
        start = partner + 1
    yield from ((None, left) for left in range(start, after.stop))
