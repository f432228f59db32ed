r"""Long streams, of whose events only those that differ in kind are worked out.

Most of the thousands of events of a stream differ in nothing but texts and whole numbers. One
stands for all that are like it, with marks in the places of what differs. The short stream of these
examples is encoded, proven, redacted and normalised as any other; where the document is written,
each event is its example with its own texts in the places of the marks.

That is exact, since nothing on that way looks at what is marked: it has no escapes but those that
every JSON text has, so that a document has it as the stream did; the mark has every character that
a layout treats in its own way; and what is looked at is never marked: the type of an event, a text
that redaction changes, any member whose name may be that of a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from vcr_llm._body import recognise_stream
from vcr_llm._event_stream import split_frames
from vcr_llm._foreign import Document
from vcr_llm._framing import Framing
from vcr_llm._habits import NDJSON, SSE, Origin
from vcr_llm._headers import CONTENT_TYPE
from vcr_llm._interaction import Interaction, header
from vcr_llm._json import JSON, Deferred, children
from vcr_llm._labels import DECIDING_KEYS
from vcr_llm._ndjson_body import split_lines
from vcr_llm._secret_names import may_be_secret
from vcr_llm._sse_body import before_first_event

_SHORTEST = 16_384  # bytes from which looking for repetition pays
_FEW = 64  # examples that any stream may have
# A text without unusual escapes, or a whole number that is written as Python writes it.
_TEXT = r'(?:[^"\\\x00-\x1f\ud800-\udfff]++|\\["\\bfnrt])++'
_WHOLE = r"(?:-?[1-9][0-9]{0,14}|0)(?=[,}])"
_MEMBER = re.compile(rf'"([^"\\]++)": ?("{_TEXT}"|{_WHOLE})')
_NAME = re.compile(r'"([^"]*)"\s*:')
_SAMPLED = 16  # one event in so many says which members have values that differ
# The marks: a text that has all that a layout may escape and all that is always escaped, a number.
_BEGIN, _END, _NUMBER = "\ue000", "\ue001", "73019462850"
_REST = "<>&'=/\x7f\u2028\u2029" + r"\"\\\b\f\n\r\t" + _END
_MARK = re.compile(rf"(?:{_BEGIN}|{_NUMBER})([0-9]{{3}})(?:{re.escape(_REST)})?")
_MOST_MARKS = 1000
# In what an example may differ from its stream: nothing of that has to do with values.
_SAME_FOR_ALL = {"line_end", "colon", "end", "order"}

IsHarmless = Callable[[str], bool]
"""Whether redaction leaves a text as it is."""


@dataclass(frozen=True)
class _Stream:
    """A streamed body whose events can be told apart."""

    body: bytes
    kind: str

    @cached_property
    def value(self) -> re.Pattern[str]:
        """A value that differs from event to event, and what stands before it."""
        first: dict[str, str] = {}
        names = set()
        for event in islice(self, 0, None, _SAMPLED):
            for name, value in _MEMBER.findall(event):
                if first.setdefault(name, value) != value:
                    names.add(re.escape(name))
        differing = "|".join(sorted(names - DECIDING_KEYS)) or "(?!)"
        return re.compile(rf'("(?:{differing})": ?"?)((?<="){_TEXT}(?=")|(?<=[: ]){_WHOLE})')

    @property
    def opening(self) -> bytes:
        """What belongs to no event and stands before the first one."""
        return before_first_event(self.body) if self.kind == SSE else b""

    def __iter__(self) -> Iterator[str]:
        if self.kind == SSE:
            return split_frames(self.body, len(self.opening))
        return split_lines(self.body)


class Abridged(NamedTuple):
    """An exchange whose stream has only the examples, and what they are examples of."""

    interaction: Interaction
    stream: _Stream
    """The long stream."""
    places: list[int]
    """For each of its events the place of the example in the short one."""
    marked: Collection[int]
    """The places of the examples that have marks."""

    @property
    def size(self) -> int:
        """How many events the short stream has."""
        return self.places[-1] + 1


def abridged(interaction: Interaction, is_harmless: IsHarmless) -> Abridged | None:
    """The exchange with a short stream for a long one; None where that would not be shorter."""
    response = interaction.response
    body = response.body
    has_marks = _BEGIN.encode() in body or _NUMBER.encode() in body
    if len(body) < _SHORTEST or response.arrivals or has_marks:
        return None
    origin = Origin.of(interaction.request.url, interaction.request.path)
    kind = recognise_stream(body, header(response.headers, CONTENT_TYPE), origin)
    if kind not in (SSE, NDJSON):
        return None
    stream = _Stream(body, kind)
    abridging = _Abridging(stream, is_harmless)
    if not abridging.is_shorter():
        return None
    short = replace(response, body=abridging.body)
    return Abridged(
        replace(interaction, response=short), stream, abridging.places, abridging.marked
    )


def has_examples(response: Document, short: Abridged) -> bool:
    """Whether in the ``response`` of the short stream each example can stand for others.

    It cannot where its entry says more than its data, or where some of that is raw text.
    """
    entries, framing = _streamed(response)
    is_whole = len(entries) in (short.size, short.size - 1)  # the last may only say that it is it
    return is_whole and all(_is_example(place, entries, framing) for place in short.marked)


def unabridged(document: Document, short: Abridged) -> Document:
    """The document of the long stream, from that of the short one, which `has_examples`."""
    response = _members(document["response"])
    entries, framing = _streamed(response)
    places = short.places if len(entries) == short.size else short.places[:-1]
    body = _Events(short.stream, places, entries, short.marked)
    changed = {**response, "body": body}
    if framing:
        changed["framing"] = _framing_of_all(framing, places)
    return {**document, "response": changed}


class _Events(Deferred):
    """The entries of a long stream."""

    def __init__(
        self,
        stream: _Stream,
        places: Sequence[int],
        entries: Sequence[JSON],
        marked: Collection[int],
    ) -> None:
        self._stream = stream
        self._places = places
        self._entries = entries
        self._marked = marked

    def texts(self, render: Callable[[JSON], str]) -> Iterator[str]:
        patterns = {place: _Pattern(render(self._entries[place])) for place in self._marked}
        split = self._stream.value.split
        for event, place in zip(self._stream, self._places, strict=False):
            pattern = patterns.get(place)
            if pattern is None:
                yield render(self._entries[place])
            else:
                yield pattern.filled(split(event)[2::3])


class _Pattern:
    """A text with marks."""

    def __init__(self, text: str) -> None:
        self._parts = _MARK.split(text)
        self._numbers = [int(number) for number in self._parts[1::2]]

    def filled(self, values: Sequence[str]) -> str:
        """The text with values in the places of the marks."""
        self._parts[1::2] = [values[number] for number in self._numbers]
        return "".join(self._parts)


class _Abridging:
    """Finds the examples of a stream, of which the first and the last event stand for themselves.

    They say what a stream is, how it is written and how it ends.
    """

    def __init__(self, stream: _Stream, is_harmless: IsHarmless) -> None:
        self.places: list[int] = []
        self.marked: set[int] = set()
        self._stream = stream
        self._is_harmless: IsHarmless = lambda text: is_harmless(_unescaped(text))
        self._examples: list[str] = []
        self._known: dict[tuple[str, ...], int | None] = {}

    def is_shorter(self) -> bool:
        """Look at the events; False as soon as it is clear that they have too little in common."""
        last = None
        for event in self._stream:
            if last is not None:
                self.places.append(self._place_of(last))
                if len(self._examples) > _FEW + len(self.places) // 4:
                    return False
            last = event
        if last is not None:
            self.places.append(self._add(last))
        return bool(self.marked)

    @property
    def body(self) -> bytes:
        """The stream of the examples."""
        return self._stream.opening + "".join(self._examples).encode(errors="surrogateescape")

    def _place_of(self, event: str) -> int:
        parts = self._stream.value.split(event)
        if not self._examples or not all(map(self._is_harmless, parts[2::3])):
            return self._add(event)
        del parts[2::3]
        kind = tuple(parts)
        if kind not in self._known:
            self._known[kind] = self._add_marked(kind) if self._can_be_marked(kind) else None
        place = self._known[kind]
        return self._add(event) if place is None else place

    def _can_be_marked(self, kind: tuple[str, ...]) -> bool:
        """Whether nobody looks at the values of events that have these texts between them."""
        is_payload = ("data:" if self._stream.kind == SSE else "{") in kind[0]
        text, count = "".join(kind), len(kind) // 2
        if not is_payload or not 0 < count <= _MOST_MARKS or "\\" in text:
            return False
        if any(name.startswith("__") or may_be_secret(name) for name in _NAME.findall(text)):
            return False
        return all(self._is_harmless(_mark(number, is_text=True)) for number in range(count))

    def _add(self, event: str) -> int:
        self._examples.append(event)
        return len(self._examples) - 1

    def _add_marked(self, kind: tuple[str, ...]) -> int:
        parts = list(kind)
        for number, before in enumerate(kind[1::2]):
            parts[2 * number + 1] += _mark(number, is_text=before.endswith('"'))
        place = self._add("".join(parts))
        self.marked.add(place)
        return place


def _streamed(response: Document) -> tuple[list[JSON], Framing]:
    """The entries and the framing of a response; no entries where it is no stream."""
    entries = response.get("body")
    return entries if isinstance(entries, list) else [], _members(response.get("framing"))


def _members(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _is_example(place: int, entries: Sequence[JSON], framing: Framing) -> bool:
    """Whether an entry has each of its marks as a value, in the layout of its stream."""
    difference = _members(_members(framing.get("events")).get(str(place)))
    return difference.keys() <= _SAME_FOR_ALL and all(
        _is_mark(text) or not _has_marks(text) for text in _texts_in(entries[place])
    )


def _texts_in(value: JSON) -> Iterator[str]:
    """All texts of a value, names of members among them."""
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        yield from value
    for child in children(value):
        yield from _texts_in(child)


def _framing_of_all(framing: Framing, places: Sequence[int]) -> Framing:
    """The framing of a stream whose events have the examples in these places."""
    changed = dict(framing)
    if isinstance(paddings := framing.get("padding"), list):
        changed["padding"] = [paddings[place] for place in places]
    if isinstance(events := framing.get("events"), dict):
        numbered = ((number, str(place)) for number, place in enumerate(places))
        changed["events"] = {
            str(number): events[place] for number, place in numbered if place in events
        }
    return changed


def _has_marks(text: str) -> bool:
    return _BEGIN in text or _NUMBER in text


def _is_mark(text: str) -> bool:
    return text[:1] == _BEGIN and text[4:] == _unescaped(_REST)


def _mark(number: int, *, is_text: bool) -> str:
    return f"{_BEGIN}{number:03}{_REST}" if is_text else f"{_NUMBER}{number:03}"


def _unescaped(text: str) -> str:
    unescaped: str = json.loads(f'"{text}"') if "\\" in text else text
    return unescaped
