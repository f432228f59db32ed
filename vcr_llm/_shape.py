"""The shape of two answers to the same request, compared: what a client has to rely on.

Shape is the status, the names of members, their types, the kinds of events and their order, and
the reasons to finish. Words, numbers and lengths are none of it: a model says something else each
time. All that stands at one place, in every item of an array or every event of a kind, is taken
together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from vcr_llm._conversation.exchange import Event, Exchange
from vcr_llm._conversation.members import at, first_text
from vcr_llm._json import JSON
from vcr_llm._json_path import member
from vcr_llm._tagged import BYTES, tag_of

# Members whose value is one of a few words that a client decides by.
_WORDS = frozenset(
    {
        *("finish_reason", "finishReason"),  # OpenAI, Mistral, Cohere; Gemini
        *("stop_reason", "stopReason"),  # Anthropic; Bedrock
        *("done_reason", "completionReason"),  # Ollama; Titan
        *("object", "role"),
    }
)
# What OpenAI's Responses end as; what is still at work may be done the next time.
_ENDS = frozenset({"completed", "incomplete", "failed", "cancelled"})
# What a model calls a tool with: Anthropic, Gemini, Ollama. OpenAI's is a string.
_MODELS_OWN = frozenset({"input", "args", "arguments"})
_KEEPING_ALIVE = frozenset({"ping", "keepalive"})
_LONGEST_GROUP = 16
_MOST_EVENTS = 8

Value = TypeVar("Value")
Groups: TypeAlias = "dict[str, list[Value]]"
Compare: TypeAlias = "Callable[[str, Sequence[Value], Sequence[Value]], Iterator[Difference]]"


class Difference(NamedTuple):
    """A place at which two shapes differ; None stands for what is not there."""

    path: str
    was: str | None
    now: str | None

    def __str__(self) -> str:
        if self.was is None:
            return f"{self.path} is new: {self.now}"
        if self.now is None:
            return f"{self.path} is gone: {self.was}"
        return f"{self.path} was {self.was}, is {self.now}"


def differences(recorded: Exchange, now: Exchange) -> list[Difference]:
    """Where the shape of an answer is another one than that of its recording.

    Null fits every type and says as little as a member that is missing. Of an answer that was
    recorded in part, only that part is compared.
    """
    if recorded.status != now.status:
        return [Difference("status", str(recorded.status), str(now.status))]
    if recorded.is_streaming != now.is_streaming:
        return [Difference("body", _form(recorded), _form(now))]
    is_part = at(recorded.document, "response", "ended") is not None
    found = _in_events(recorded, now) if recorded.is_streaming else _in_bodies(recorded, now)
    return [one for one in found if not is_part or one.was is not None]


def _form(exchange: Exchange) -> str:
    return "a stream" if exchange.is_streaming else "in one piece"


def _in_bodies(recorded: Exchange, now: Exchange) -> Iterator[Difference]:
    was, after = ([event.payload for event in one.events] for one in (recorded, now))
    return _in_values("body", was, after)


# --- streams ---------------------------------------------------------------------------------


def _in_events(recorded: Exchange, now: Exchange) -> Iterator[Difference]:
    """Events of a kind are compared with events of that kind, then their order."""
    was, after = _by_kind(recorded.events), _by_kind(now.events)
    yield from _in_groups("body", was, after, "an event", _in_values)
    ended = at(recorded.document, "response", "ended")
    orders = _order(recorded.events), _order(now.events)
    if was.keys() == after.keys() and ended is None and orders[0] != orders[1]:
        yield Difference("body", *map(_told, _from_first_difference(*orders)))


def _by_kind(events: Sequence[Event]) -> Groups[JSON]:
    return _grouped((_kind(event), event.payload) for event in _events(events))


def _events(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if _kind(event) not in _KEEPING_ALIVE]


def _kind(event: Event) -> str:
    """What an event is called; Ollama's have no name, but the last one says that it is."""
    if isinstance(event.payload, str):
        return event.payload if event.payload == "[DONE]" else "text"
    name = first_text(event.payload, "type", "event_type") or event.name
    return name or ("done" if at(event.payload, "done") is True else "*")


def _order(events: Sequence[Event]) -> list[str]:
    """The kinds of events in their order; what is repeated, alone or as a group, is said once."""
    order: list[str] = []
    for event in _events(events):
        order.append(_kind(event))
        for length in range(1, min(_LONGEST_GROUP, len(order) // 2) + 1):
            if order[-length:] == order[-2 * length : -length]:
                del order[-length:]
                break
    return order


def _from_first_difference(one: list[str], other: list[str]) -> tuple[list[str], list[str]]:
    pairs = enumerate(zip(one, other, strict=False))
    shorter = min(len(one), len(other))
    first = next((place for place, (left, right) in pairs if left != right), shorter)
    return one[first : first + _MOST_EVENTS], other[first : first + _MOST_EVENTS]


def _told(order: list[str]) -> str:
    return " → ".join(order) or "at its end"


# --- values ----------------------------------------------------------------------------------


def _in_values(path: str, recorded: Sequence[JSON], now: Sequence[JSON]) -> Iterator[Difference]:
    """The differences between all values that stood at a place, and all that stand there now."""
    was, after = _types(recorded), _types(now)
    if not was:
        return
    if not after or not after <= was:
        yield Difference(path, _any_of(was), _any_of(after) or "null")
    was_items, items = _items(recorded), _items(now)
    if was_items and items:  # how many there are is no part of the shape
        yield from _in_values(f"{path}[*]", was_items, items)
    was_objects, objects = _by_type(recorded), _by_type(now)
    if was_objects.keys() == objects.keys() and len(objects) == 1:
        yield from _in_members(path, *was_objects.values(), *objects.values())
    elif was_objects and objects:
        place = path.removesuffix("[*]")
        yield from _in_groups(place, was_objects, objects, "an object", _in_members)


def _in_groups(
    path: str, was: Groups[Value], now: Groups[Value], what: str, compare: Compare[Value]
) -> Iterator[Difference]:
    """The differences group by group, and the groups that only one side has."""
    for name in sorted(was.keys() | now.keys()):
        place = f"{path}[{name}]"
        if name not in now:
            yield Difference(place, what, None)
        elif name not in was:
            yield Difference(place, None, what)
        else:
            yield from compare(place, was[name], now[name])


def _in_members(
    path: str, recorded: Sequence[dict[str, JSON]], now: Sequence[dict[str, JSON]]
) -> Iterator[Difference]:
    """The differences between the members of all objects at a place, name by name."""
    was, after = _by_name(recorded), _by_name(now)
    for name in sorted(was.keys() | after.keys()):
        place = member(path, name)
        if name not in after:
            if types := _types(was[name]):
                yield Difference(place, _any_of(types), None)
        elif name not in was:
            if types := _types(after[name]):
                yield Difference(place, None, _any_of(types))
        elif name not in _MODELS_OWN:
            yield from _in_values(place, was[name], after[name])
            yield from _in_words(place, _words(name, was[name]), _words(name, after[name]))


def _in_words(path: str, was: set[str], now: set[str]) -> Iterator[Difference]:
    if was and not now <= was:
        yield Difference(path, _any_of(was), _any_of(now))


def _words(name: str, values: Sequence[JSON]) -> set[str]:
    """The words that a client decides by, among the values of a member; quoted."""
    words = {value for value in values if isinstance(value, str)}
    if name == "status":
        words &= _ENDS
    elif name not in _WORDS:
        return set()
    return {f'"{word}"' for word in words}


def _types(values: Iterable[JSON]) -> set[str]:
    return {_type(value) for value in values if value is not None}


def _type(value: JSON) -> str:
    match value:
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "bytes" if tag_of(value) == BYTES else "an object"
        case _:
            return "a number"


def _items(values: Sequence[JSON]) -> list[JSON]:
    return [item for value in values if isinstance(value, list) for item in value]


def _by_type(values: Sequence[JSON]) -> Groups[dict[str, JSON]]:
    """The objects among values by what they say they are; one that says nothing is ``*``."""
    objects = [value for value in values if isinstance(value, dict) and _type(value) == "an object"]
    return _grouped((first_text(one, "type") or "*", one) for one in objects)


def _by_name(objects: Sequence[dict[str, JSON]]) -> Groups[JSON]:
    return _grouped(pair for one in objects for pair in one.items())


def _grouped(pairs: Iterable[tuple[str, Value]]) -> Groups[Value]:
    groups: Groups[Value] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def _any_of(words: set[str]) -> str:
    return " or ".join(sorted(words))
