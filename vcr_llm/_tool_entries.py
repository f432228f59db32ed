"""The recorded calls of tools that a cassette has, found by what was called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from operator import attrgetter

from vcr_llm._address import address_of
from vcr_llm._catalogue import DirectoryView
from vcr_llm._entry import Order
from vcr_llm._foreign import is_tool_call
from vcr_llm._json import JSON, render
from vcr_llm._options import Options
from vcr_llm._recording import replay_order
from vcr_llm._recording_directory import Recording
from vcr_llm._redaction import Redaction
from vcr_llm._tool_call import (
    Arguments,
    ToolAnswer,
    ToolCall,
    ToolKey,
    answer_of,
    call_of,
    tool_key,
)

_OWN, _LATER = 0, 1  # recordings of the directory come before all others


class ToolEntry:
    """One of the cassette's calls: where it is on disk, and whether it was played.

    What has an ``answer`` already was recorded now.
    """

    def __init__(
        self,
        order: Order,
        call: ToolCall,
        *,
        recording: Recording | None = None,
        answer: ToolAnswer | None = None,
        is_own: bool = False,
    ) -> None:
        self.order = order
        self.call = call
        """The call without secrets."""
        self.recording = recording
        self.is_own = is_own
        """Whether it was loaded from this cassette's own directory."""
        self.is_new = answer is not None
        """Whether it was recorded now."""
        self.plays = 0
        self.has_answered = self.is_new
        """Whether it cannot be played, since its call has had its answer from the tool."""
        if answer is not None:
            self.answer = answer

    @property
    def is_unplayed(self) -> bool:
        """Whether it can answer a call."""
        return not self.has_answered and self.plays == 0

    @cached_property
    def answer(self) -> ToolAnswer:
        """What came of the call; raises MalformedRecording where the file does not say."""
        if self.recording is None:
            raise AssertionError("an entry has neither a recording nor an answer")
        with self.recording.located():
            return answer_of(self.recording.document)


class ToolEntries:
    """The calls of a cassette; of its directory no more is read than a call needs."""

    def __init__(self, options: Options) -> None:
        self.held: list[ToolEntry] = []
        """Those that were read or recorded."""
        self._ignore = options.ignore
        self._redaction = Redaction(options.redact)
        self._view: DirectoryView | None = None
        self._has_all = False
        self._by_name: dict[str, ToolEntry | None] = {}
        self._indexes: dict[str, _Index] = {}

    def open(self, view: DirectoryView) -> None:
        """Have a directory's recordings, too."""
        self._view = view

    def add_extra(self, recording: Recording) -> None:
        """Take in the call of another cassette.

        Raises MalformedRecording, with the file, where it holds no call.
        """
        self.held.append(ToolEntry(self._next_place(), self._call(recording), recording=recording))

    def add_new(self, call: ToolCall, answer: ToolAnswer) -> ToolEntry:
        """Take in a call that was made just now."""
        entry = ToolEntry(self._next_place(), call, answer=answer)
        self.held.append(entry)
        return entry

    def take_in(self, entry: ToolEntry) -> None:
        """Have what was another folder's as one's own."""
        entry.order = self._next_place()
        self.held.append(entry)

    def without_secrets(self, call: ToolCall) -> ToolCall:
        """A call as matching sees it."""
        kwargs = self._redaction.request({"kwargs": dict(call.kwargs)})["kwargs"]
        return call._replace(kwargs=kwargs if isinstance(kwargs, dict) else {})

    def in_order(self) -> list[ToolEntry]:
        """All of them, in the order of replay; what was not read yet is read."""
        if self._view is not None and not self._has_all:
            for recording in self._view.all():
                self._entry(recording)
            self._has_all = True
        return sorted(self.held, key=attrgetter("order"))

    def find(self, call: ToolCall, defaults: Arguments) -> Iterator[ToolEntry]:
        """Those that answer a call; no more is read than the caller takes."""
        named = [
            entry
            for entry in self._named(call)
            if self.key(entry.call, defaults) == self.key(call, defaults)
        ]
        yield from named
        yield from (entry for entry in self.alike(call, defaults) if entry not in named)

    def alike(self, call: ToolCall, defaults: Arguments) -> list[ToolEntry]:
        """Those of the same call, in the order of replay."""
        self.in_order()
        usual = render({"defaults": dict(defaults)})
        index = self._indexes.setdefault(usual, _Index())
        for entry in self.held[index.size :]:
            index.entries[self.key(entry.call, defaults)].append(entry)
        index.size = len(self.held)
        found = index.entries.get(self.key(call, defaults), [])
        return sorted(found, key=attrgetter("order"))

    def key(self, call: ToolCall, defaults: Arguments) -> ToolKey:
        """What decides a match."""
        return tool_key(call, defaults=defaults, ignore=self._ignore)

    def _named(self, call: ToolCall) -> list[ToolEntry]:
        """Those whose file has the name that this call's recording has."""
        if self._view is None or self._view.has_other_names:
            return []
        request: dict[str, JSON] = {**call._asdict()}
        entries = map(self._entry, self._view.named(address_of({"request": request})))
        return sorted(filter(None, entries), key=attrgetter("order"))

    def _entry(self, recording: Recording) -> ToolEntry | None:
        name = recording.path.name
        if name not in self._by_name:
            entry = self._own_entry(recording) if is_tool_call(recording.document) else None
            self._by_name[name] = entry
            if entry is not None:
                self.held.append(entry)
        return self._by_name[name]

    def _own_entry(self, recording: Recording) -> ToolEntry:
        place = (_OWN, *replay_order(recording.path.name, recording.document))
        return ToolEntry(place, self._call(recording), recording=recording, is_own=True)

    def _call(self, recording: Recording) -> ToolCall:
        with recording.located():
            return self.without_secrets(call_of(recording.document))

    def _next_place(self) -> Order:
        return _LATER, len(self.held), "", 0


class _Index:
    """Calls by their keys, for tools with the same defaults."""

    def __init__(self) -> None:
        self.entries: defaultdict[ToolKey, list[ToolEntry]] = defaultdict(list)
        self.size = 0
        """How many of those that are held it has."""
