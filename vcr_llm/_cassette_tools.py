"""The calls of tools in a cassette: which are played, what is recorded, what is said of a miss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vcr.errors import CannotOverwriteExistingCassetteException
from vcr.record_mode import RecordMode

from vcr_llm._cassette_misses import CassetteMisses
from vcr_llm._catalogue import DirectoryView
from vcr_llm._errors import RecordingEnds
from vcr_llm._misses import counted
from vcr_llm._recording_directory import Recording
from vcr_llm._saving import Saving
from vcr_llm._tool_call import Arguments, ToolAnswer, ToolCall, ToolKey
from vcr_llm._tool_entries import ToolEntries, ToolEntry
from vcr_llm._tool_misses import ToolCandidate, describe_tool_miss

if TYPE_CHECKING:
    from vcr_llm._cassette import RecordingCassette


class UnrecordedToolCall(CannotOverwriteExistingCassetteException):
    """No recording answers the call of a tool, and the record mode lets nothing be recorded.

    As with vcrpy's error about metadata, there is no ``failed_request``.
    """

    def __init__(self, cassette: RecordingCassette, text: str) -> None:
        self.cassette = cassette
        self.failed_request = None
        self.similar_requests = []
        self.reason = "no_match"
        Exception.__init__(self, text)


class CassetteTools:
    """What a cassette has and does about the calls of tools, beside its requests."""

    def __init__(self, cassette: RecordingCassette, saving: Saving, misses: CassetteMisses) -> None:
        self.entries = ToolEntries(cassette.plan.options)
        self.unanswered: set[ToolKey] = set()
        """The calls that no recording answered, and the tool neither."""
        self._set_aside: ToolEntries | None = None
        self._cassette = cassette
        self._saving = saving
        self._misses = misses

    def open_set_aside(self, view: DirectoryView) -> None:
        """Have what tests that failed have recorded, to be taken over."""
        self._set_aside = ToolEntries(self._cassette.plan.options)
        self._set_aside.open(view)

    def play(self, call: ToolCall, defaults: Arguments) -> ToolEntry | None:
        """What answers a call, matched and taken in one step; None where the tool has to run.

        Raises UnrecordedToolCall where it may not.
        """
        seen = self.entries.without_secrets(call)
        with self._cassette.lock:
            entry = self._available(seen, defaults) if self._cassette.is_playing else None
            entry = entry or self._taken_over(seen, defaults)
            if entry is not None:
                entry.plays += 1
                return entry
            self.unanswered.add(self.entries.key(seen, defaults))
            if self._cassette.write_protected:
                raise UnrecordedToolCall(self._cassette, self._miss_text(seen, defaults))
            return None

    def record(self, call: ToolCall, defaults: Arguments, answer: ToolAnswer) -> None:
        """Record a call; its file is on disk when this returns, unless it has to wait."""
        seen = self.entries.without_secrets(call)
        with self._cassette.turns.take() as is_open:
            if is_open:
                self.unanswered.discard(self.entries.key(seen, defaults))
                entry = self.entries.add_new(seen, answer)
                entry.recording = self._saving.save_tool_call(call, answer)

    def unrecorded_rest(self, entry: ToolEntry) -> RecordingEnds:
        """The error for a caller that reads on where the recorded one had stopped."""
        items = entry.answer.body
        count = counted(len(items) if isinstance(items, list) else 0, "item")
        path = None if entry.recording is None else entry.recording.path
        return self._misses.unrecorded_rest(count, entry.answer.ended, path)

    def stale(self) -> Iterator[Recording]:
        """The recordings of the cassette's own directory that the run made superfluous.

        In ``all``, those of a call that was recorded anew; with ``drop_unused_requests`` those
        that were neither played nor recorded.
        """
        records_all = self._cassette.record_mode == RecordMode.ALL
        drops_unused = self._cassette.drop_unused_requests
        anew = {self.entries.key(entry.call, {}) for entry in self.entries.held if entry.is_new}
        for entry in self.entries.in_order():
            if not entry.is_own or entry.recording is None:
                continue
            is_anew = self.entries.key(entry.call, {}) in anew
            if (drops_unused or is_anew) if records_all else entry.plays == 0:
                yield entry.recording

    def _available(self, seen: ToolCall, defaults: Arguments) -> ToolEntry | None:
        """The first recording that matches and has not been played."""
        matching = self.entries.find(seen, defaults)
        if self._cassette.allow_playback_repeats:
            return next(matching, None)
        return next((entry for entry in matching if entry.is_unplayed), None)

    def _taken_over(self, seen: ToolCall, defaults: Arguments) -> ToolEntry | None:
        """What a failed test had recorded of a call, unless the tool had failed, too."""
        if self._set_aside is None:
            return None
        for entry in self._set_aside.find(seen, defaults):
            is_whole = entry.answer.failure is None and entry.answer.ended is None
            if entry.recording is not None and entry.is_unplayed and is_whole:
                entry.recording = self._saving.take(entry.recording)
                self.entries.take_in(entry)
                return entry
        return None

    def _miss_text(self, seen: ToolCall, defaults: Arguments) -> str:
        """Why no recording answers a call; kept in the cassette's ``misses``, once for each."""
        plan = self._cassette.plan
        text = describe_tool_miss(
            seen,
            [self._candidate(entry) for entry in self.entries.in_order()],
            defaults=defaults,
            ignore=plan.options.ignore,
            cassette=self._misses.shown_path,
            record_mode=str(RecordMode(self._cassette.record_mode).value),
            test_id=plan.name_in_command,
        )
        self._misses.keep(text)
        return text

    def _candidate(self, entry: ToolEntry) -> ToolCandidate:
        name = self._misses.name_of(entry)
        return ToolCandidate(name, entry.call, is_played=entry.is_new or entry.plays > 0)
