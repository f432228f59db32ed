"""vcrpy's cassette on a directory of recordings.

What vcrpy cannot do through its public points on a directory is done here, each workaround once:
each recording is on disk when its response is complete; matching asks an index and takes the
recording in one step; ``rewrite`` replaces the old recordings when the test is over and not
before. Checked on vcrpy 9.4.2; tests/test_hosts.py fails when the host changes.
"""

from __future__ import annotations

import copy
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from vcr.cassette import Cassette, _run_hooks
from vcr.errors import UnhandledHTTPRequestError
from vcr.record_mode import RecordMode
from vcr.request import Request as VcrRequest

from vcr_llm._address import as_file_name
from vcr_llm._cassette_files import SUFFIX, directory_of, old_cassette_of, read_old_cassette
from vcr_llm._catalogue import DirectoryView, catalogue_of
from vcr_llm._ending import decode_ending
from vcr_llm._entries import Entries
from vcr_llm._entry import Entry, Order, Playback
from vcr_llm._errors import RecordingEnds, RecordingError
from vcr_llm._event_loop import beside_event_loop, is_beside_event_loop
from vcr_llm._foreign import is_http_exchange
from vcr_llm._interaction import Headers, Interaction
from vcr_llm._misses import Candidate, describe_miss, record_again
from vcr_llm._options import Options
from vcr_llm._recording import Addressed, new_recording, replay_order
from vcr_llm._recording_directory import Recording, RecordingDirectory
from vcr_llm._recording_writer import RecordingWriter, Staging
from vcr_llm._request_index import Failure
from vcr_llm._request_key import KeyedRequest, RequestKey
from vcr_llm._stream_end import says_its_end
from vcr_llm._vcrpy import VcrResponse, from_vcrpy, request_from_vcrpy, to_vcrpy

_OWN, _LATER = 0, 1  # recordings of the directory come before all others


@dataclass(frozen=True, slots=True)
class Plan:
    """How one cassette is to be used, beyond what vcrpy passes to it."""

    options: Options = field(default_factory=Options)
    test_id: str | None = None
    is_test: bool = False
    """Whether ``test_id`` is a pytest test of our plugin: it then sees only what is its own."""
    rewrite: bool = False
    record_on_exception: bool = True
    extra_paths: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()
    """Other names that a cassette in one file may have, without their suffix."""
    has_hooks: bool = True
    """Whether vcrpy's filters or hooks change what is loaded or asked for."""
    has_failed: Callable[[], bool] = bool
    is_finished_later: Callable[[], bool] = bool
    """Whether somebody else calls `RecordingCassette.finish` when more is over."""


class Tape(Protocol):
    """A response that is still being recorded."""

    def close(self) -> None:
        """Nobody will read more of it: save what came."""


class RecordingCassette(Cassette):
    """A cassette whose recordings are files of one directory.

    ``path`` is that directory. The attributes of vcrpy's cassette keep their meaning;
    ``misses`` holds a text about each request that no recording answered.
    """

    def __init__(self, path: str, *, plan: Plan, **host_arguments: Any) -> None:
        self._entries = Entries(host_arguments["match_on"], plan.options)
        super().__init__(path=path, **host_arguments)
        self.misses: list[str] = []
        self.tapes: set[Tape] = set()
        """The responses that are being read now."""
        self.plan = plan
        self._catalogue = catalogue_of(Path(path).absolute())
        self._directory = RecordingDirectory(path)
        self._shown_path = _nearby(self._directory.path)
        self._view: DirectoryView | None = None
        self._staging: Staging | None = None
        self._taken: weakref.WeakKeyDictionary[VcrRequest, Entry] = weakref.WeakKeyDictionary()
        self._answered: weakref.WeakSet[VcrRequest] = weakref.WeakSet()
        self._unanswered: set[RequestKey] = set()
        self._old_cassette: Path | None = None
        self._existed = False
        self._waiting: list[Addressed] = []
        self._stored_metadata: dict[str, Any] = {}
        self._problems: list[Exception] = []
        self._lock = threading.RLock()
        self._saver: int | None = None
        self._put_off: list[Tape] = []
        self._is_closed = False

    # --- loading ------------------------------------------------------------------------------

    def _load(self) -> None:
        """Look which recordings there are, in the directory or in the old cassette in its place.

        What is in them is read when a request asks for it.
        """
        is_writable = self.record_mode != RecordMode.NONE
        self._catalogue.refresh()
        self._existed = self._catalogue.exists
        if is_writable and self._catalogue.has_leftovers:
            self._directory.sweep()
        self._stored_metadata = self._directory.metadata() if self._existed else {}
        self._metadata = {} if self.plan.rewrite else dict(self._stored_metadata)
        if is_writable and (self.plan.rewrite or not self.plan.record_on_exception):
            self._staging = Staging(self._directory)
            self._staging.sweep()
        if self._existed:
            self._view = DirectoryView(
                self._directory,
                self._catalogue,
                test_ids=tuple(dict.fromkeys((self.plan.test_id, None))),
                is_visible=self._is_visible,
                is_shared=self.plan.is_test and self.plan.options.layout == "flat",
            )
        if self._begins_anew:
            _ = self._before  # a broken file is told before anything is paid for
        if not self.plan.rewrite:
            self._load_own()
        for path in self.plan.extra_paths:
            self._load_extra(path)
        self.rewound = (self._existed and not self.plan.rewrite) or bool(self._entries.held)
        self.dirty = False

    @property
    def _begins_anew(self) -> bool:
        return self.plan.rewrite or self.record_mode == RecordMode.ALL

    @property
    def _before(self) -> list[Recording]:
        """The recordings that the directory held when the cassette was opened."""
        return self._view.all() if self._view is not None else []

    @cached_property
    def _writer(self) -> RecordingWriter:
        return RecordingWriter(
            self._directory,
            before=() if self._begins_anew else self._before,
            replaceable=self._before if self._begins_anew else (),
        )

    def _load_own(self) -> None:
        if self._view is not None:
            self._entries.open(self._view, self._own_entry)
        if self.plan.options.layout == "directory":
            self._old_cassette = old_cassette_of(self._directory.path, *self.plan.old_names)
        if not self._existed and self._old_cassette is not None:
            self._existed = True
            self._load_old_cassette(self._old_cassette)

    def _load_old_cassette(self, path: Path) -> None:
        """Load the cassette in one file: at once where there is no directory, else when needed."""
        self._old_cassette = None
        interactions, metadata = beside_event_loop(lambda: read_old_cassette(path))
        for interaction in interactions:
            self._hold(interaction)
        self._metadata = {**metadata, **self._metadata}
        self._stored_metadata = dict(self._metadata)

    def _load_extra(self, path: str) -> None:
        directory = directory_of(path)
        if directory.is_dir():
            for recording in RecordingDirectory(directory).recordings():
                if is_http_exchange(recording.document):
                    self._hold(recording.interaction, recording)
            return
        file = Path(path.removesuffix(SUFFIX))
        old = file if file.is_file() else old_cassette_of(directory)
        if old is not None:
            for interaction in read_old_cassette(old)[0]:
                self._hold(interaction)

    def _hold(self, interaction: Interaction, recording: Recording | None = None) -> None:
        """Take a loaded interaction in that is not of the directory."""
        pair = self._hooked(interaction)
        if pair is not None:
            self._entries.add(Entry(self._next_place(), recording=recording, pair=pair))

    def _own_entry(self, recording: Recording) -> Entry | None:
        """The entry of one of the directory's recordings, None where it answers no request."""
        if not is_http_exchange(recording.document):
            return None
        place = (_OWN, *replay_order(recording.path.name, recording.document))
        if not self.plan.has_hooks:
            return Entry(place, recording=recording, is_own=True)
        pair = self._hooked(recording.interaction)
        return None if pair is None else Entry(place, recording=recording, pair=pair, is_own=True)

    def _hooked(self, interaction: Interaction) -> tuple[VcrRequest, VcrResponse] | None:
        """What the hooks that vcrpy runs on loading make of an interaction."""
        loaded = _run_hooks(self._after_load_interaction, *to_vcrpy(interaction), self)
        if loaded is None:
            return None
        request, response = self._before_record_request(loaded[0]), loaded[1]
        response = self._before_record_response(response) if request else None
        return None if response is None else (request, response)

    def _next_place(self) -> Order:
        return _LATER, len(self._entries.held), "", 0

    def _is_visible(self, test_id: object) -> bool:
        """Whether a recording of the directory belongs to this test.

        In a flat directory, a test sees its own recordings and those of no test. In a directory
        of its own it sees all, but for those of a test whose name differs only in characters that
        file names cannot have, so that both share the directory.
        """
        own = self.plan.test_id
        if not self.plan.is_test or test_id is None or test_id == own:
            return True
        if self.plan.options.layout == "flat":
            return False
        return not isinstance(test_id, str) or as_file_name(test_id) != as_file_name(str(own))

    # --- what vcrpy's cassette shows ------------------------------------------------------------

    @property
    def data(self) -> list[tuple[VcrRequest, VcrResponse]]:
        """All requests and responses, in the order of replay."""
        with self._lock:
            return [(entry.request, entry.response) for entry in self._entries.in_order()]

    @data.setter
    def data(self, value: list[tuple[VcrRequest, VcrResponse]]) -> None:
        """vcrpy's constructor sets an empty list, which a new cassette has anyway."""

    @property
    def play_counts(self) -> Counter[int]:
        """How often each interaction of `data` was played."""
        with self._lock:
            played = enumerate(entry.plays for entry in self._entries.in_order())
            return Counter({index: plays for index, plays in played if plays})

    @play_counts.setter
    def play_counts(self, value: Counter[int]) -> None:
        """vcrpy's constructor sets an empty counter, which a new cassette has anyway."""

    @property
    def play_count(self) -> int:
        """How many responses were played."""
        return sum(entry.plays for entry in self._entries.held)

    @property
    def write_protected(self) -> bool:
        """Whether vcrpy must not record: in ``none``, and in ``once`` when the cassette exists.

        An extra cassette does not protect a default one that was never recorded.
        """
        once = self.record_mode == RecordMode.ONCE
        return (once and self._existed) or self.record_mode == RecordMode.NONE

    def rewind(self) -> None:
        """Everything can be played again, what was recorded now as well."""
        with self._lock:
            for entry in self._entries.held:
                entry.plays, entry.has_answered = 0, False

    # --- matching -----------------------------------------------------------------------------

    def play(self, request: VcrRequest) -> Playback | None:
        """What answers a request, matched and taken in one step; None where nothing does."""
        filtered = self._filtered(request)
        if not filtered:
            return None
        seen = self._entries.look_at(filtered)
        with self._lock:
            entry = self._available(seen, filtered) if self._is_playing else None
            if entry is None:
                self._unanswered.add(seen.key)
                return None
            entry.plays += 1
        return entry.playback()

    def refuses(self, request: VcrRequest) -> bool:
        """Whether a request without a recording may not be sent."""
        return self.write_protected and self.takes(request)

    def takes(self, request: VcrRequest) -> bool:
        """Whether the cassette has to do with a request at all; hooks may leave it out."""
        return bool(self._filtered(request))

    def can_play_response_for(self, request: VcrRequest) -> bool:
        """Whether a recording answers the request.

        It is then set aside for this request object, so that of two threads which ask for the
        last recording one gets it.
        """
        filtered = self._filtered(request)
        if not filtered:
            return False
        seen = self._entries.look_at(filtered)
        with self._lock:
            if self._is_playing and self._can_take(request, seen, filtered):
                return True
            self._unanswered.add(seen.key)
            return False

    def play_response(self, request: VcrRequest) -> VcrResponse:
        """The response to a request; it counts as played."""
        with self._lock:
            filtered = self._filtered(request)
            entry = None
            if filtered:
                entry = self._take(request, self._entries.look_at(filtered), filtered)
            if entry is None:
                raise UnhandledHTTPRequestError(self.miss_text(request))
            self._taken.pop(request, None)
            self._answered.add(request)
            entry.plays += 1
            if (ended := decode_ending(entry.response.get("ended"))) and not ended.has_response:
                msg = f"holds {ended.error}, which only httpx can raise again"
                raise RecordingError(msg, path=self._name_of(entry))
            # vcrpy's urllib3 stub deletes headers from what it is given.
            return {**entry.response, "headers": dict(entry.response["headers"])}

    def _responses(self, request: VcrRequest) -> Iterator[tuple[int, VcrResponse]]:
        """vcrpy's list of all responses that match a request, played or not."""
        filtered = self._filtered(request)
        if not filtered:
            return
        with self._lock:
            found = list(self._matching(self._entries.look_at(filtered), filtered))
            places = self._entries.in_order()
        for entry in found:
            yield places.index(entry), entry.response

    def __contains__(self, request: VcrRequest) -> bool:
        filtered = self._filtered(request)
        if not filtered:
            return False
        with self._lock:
            return self._available(self._entries.look_at(filtered), filtered) is not None

    @property
    def _is_playing(self) -> bool:
        return self.record_mode != RecordMode.ALL and (
            self.rewound or bool(self.allow_playback_repeats)
        )

    def _filtered(self, request: VcrRequest) -> VcrRequest | None:
        """The request after vcrpy's filters and hooks, None where they leave it out."""
        return self._before_record_request(request) if self.plan.has_hooks else request

    def _can_take(self, request: VcrRequest, seen: KeyedRequest, filtered: VcrRequest) -> bool:
        """Set a recording aside for a request, unless the request has had its answer.

        vcrpy's connections ask about their last request when they reconnect.
        """
        if request in self._answered:
            return self._available(seen, filtered) is not None
        return self._take(request, seen, filtered) is not None

    def _take(self, request: VcrRequest, seen: KeyedRequest, filtered: VcrRequest) -> Entry | None:
        entry = self._taken.get(request)
        if entry is None:
            entry = self._available(seen, filtered)
            if entry is not None:
                self._taken[request] = entry
        return entry

    def _available(self, seen: KeyedRequest, filtered: VcrRequest) -> Entry | None:
        """The first recording that matches and has not been played."""
        matching = self._matching(seen, filtered)
        if self.allow_playback_repeats:
            return next(matching, None)
        taken = set(self._taken.values())
        return next((entry for entry in matching if entry.is_unplayed and entry not in taken), None)

    def _matching(self, seen: KeyedRequest, filtered: VcrRequest) -> Iterator[Entry]:
        """The recordings that match; the old cassette is read when the directory has none."""
        has_any = False
        for entry in self._entries.find(seen, filtered):
            has_any = True
            yield entry
        if not has_any and self._old_cassette is not None:
            self._load_old_cassette(self._old_cassette)
            yield from self._entries.find(seen, filtered)

    # --- misses -------------------------------------------------------------------------------

    def find_requests_with_most_matches(
        self, request: VcrRequest
    ) -> list[tuple[VcrRequest, list[str], list[Failure]]]:
        """vcrpy's list of the most similar recorded requests, with what matches and what not."""
        filtered = self._filtered(request)
        if not filtered:
            return []
        seen = self._entries.look_at(filtered)
        with self._lock:
            compared = [
                (entry.request, *self._entries.compare(seen, filtered, entry))
                for entry in self._entries.in_order()
            ]
        most = max((len(successes) for _recorded, successes, _failures in compared), default=0)
        return [found for found in compared if most and len(found[1]) == most]

    def miss_text(self, request: VcrRequest) -> str:
        """Why no recording answers a request; kept in ``misses``, once for each."""
        filtered = self._filtered(request) or request
        seen = self._entries.look_at(filtered)
        with self._lock:
            text = describe_miss(
                seen,
                [self._candidate(seen, filtered, entry) for entry in self._entries.in_order()],
                parts=self._entries.parts,
                ignore=self.plan.options.ignore,
                cassette=self._shown_path,
                record_mode=str(RecordMode(self.record_mode).value),
                test_id=self._own_test,
            )
        if text not in self.misses:
            self.misses.append(text)
        return text

    def unrecorded_rest(self, playback: Playback) -> RecordingEnds:
        """The error for a client that reads on where the recorded one had stopped."""
        count = len(playback.events)
        is_cancelled = playback.ended is not None and playback.ended.is_cancelled
        what = "task was cancelled" if is_cancelled else "client closed this stream"
        error = RecordingEnds(
            f"the recorded {what} after {count} event{'' if count == 1 else 's'}, and this one "
            f"reads on. Record it again: {record_again(self._own_test)}",
            path=playback.path,
        )
        if str(error) not in self.misses:
            self.misses.append(str(error))
        return error

    @property
    def _own_test(self) -> str | None:
        """The test to name in a command, None outside our plugin."""
        return self.plan.test_id if self.plan.is_test else None

    def _candidate(self, seen: KeyedRequest, filtered: VcrRequest, entry: Entry) -> Candidate:
        recorded = self._entries.keyed(entry)
        _successes, failures = self._entries.compare(seen, filtered, entry)
        return Candidate(
            self._name_of(entry),
            recorded.request,
            recorded.key,
            is_played=entry.is_new or entry.plays > 0,
            failures=failures,
        )

    def _name_of(self, entry: Entry) -> str:
        """What to call a recording: its file, with the directory where that is another one."""
        if entry.recording is None:
            return "a recording of the old cassette" if not entry.is_new else "a new recording"
        path = entry.recording.path
        return path.name if path.parent == self._directory.path else str(path)

    # --- recording ----------------------------------------------------------------------------

    def append(self, request: VcrRequest, response: VcrResponse) -> None:
        """Record an exchange.

        Its file is on disk when this returns, unless it has to wait for the end of the test. What
        cannot be saved is raised when the cassette is left.
        """
        sent_headers = request_from_vcrpy(request).headers
        filtered = self._filtered(request)
        if not filtered:
            return
        recorded = self._before_record_response(copy.deepcopy(response))
        with self._lock:
            if self._is_closed:  # a thread of an earlier test is still at work
                return
            self._unanswered.discard(self._entries.look_at(filtered).key)
            if recorded is None:
                return
            entry = Entry(self._next_place(), pair=(filtered, recorded), is_new=True)
            self._entries.add(entry)
            self.dirty = True
            if self.record_mode != RecordMode.NONE:
                self._saver = threading.get_ident()
                try:
                    self._record_or_remember(entry, filtered, recorded, sent_headers)
                finally:
                    self._saver = None
        while self._put_off:
            self._put_off.pop().close()

    def puts_off(self, tape: Tape) -> bool:
        """Whether this thread is in the middle of saving, so that a tape is closed later.

        The generator of a stream that somebody dropped is closed wherever garbage is collected.
        """
        is_saving = self._saver == threading.get_ident() or is_beside_event_loop()
        if is_saving:
            self._put_off.append(tape)
        return is_saving

    def _record_or_remember(
        self, entry: Entry, request: VcrRequest, response: VcrResponse, sent_headers: Headers
    ) -> None:
        """Save a recording.

        What prevents it is raised by `finish`, when the HTTP libraries are restored, and not in
        the middle of somebody's request.
        """
        try:
            self._record(entry, request, response, sent_headers)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the end
            self._problems.append(error)

    def _record(
        self, entry: Entry, request: VcrRequest, response: VcrResponse, sent_headers: Headers
    ) -> None:
        hooked = (request, response)
        if self._before_save_interaction:
            copies = copy.deepcopy(request), copy.deepcopy(response)
            hooked = _run_hooks(self._before_save_interaction, *copies, self)
            if hooked is None:
                return
        exchange = from_vcrpy(*hooked)
        received = exchange.response
        ended = received.ended
        if ended is not None and ended.error is None and says_its_end(received):
            received = replace(received, ended=None)
        addressed = new_recording(
            Interaction(exchange.request, received, self.plan.test_id),
            self.plan.options,
            secret_headers=sent_headers,
        )
        staging = self._staging
        if staging is None:
            entry.recording = beside_event_loop(lambda: self._writer.write(*addressed))
        else:
            beside_event_loop(lambda: staging.writer.write(*addressed))
            self._waiting.append(addressed)

    # --- the end ------------------------------------------------------------------------------

    def _save(self, force: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - vcrpy's signature
        """vcrpy's moment for saving: there is nothing left to do, `finish` does what remains."""
        self.dirty = False

    def finish(self, *, has_raised: bool) -> None:
        """Make the directory final: replace what was recorded anew, remove what is stale.

        Called when the HTTP libraries are restored. ``has_raised`` says that the code inside the
        cassette raised. Raises what prevented a recording from being saved.
        """
        for tape in list(self.tapes):
            tape.close()
        with self._lock:
            self._is_closed = True
            has_failed = has_raised or self.plan.has_failed()
            try:
                if self.record_mode != RecordMode.NONE:
                    self._settle(has_failed=has_failed)
            finally:
                if self._staging is not None:
                    self._staging.discard()
        if self._problems:
            raise self._problems[0]

    def _settle(self, *, has_failed: bool) -> None:
        keeps_new = not has_failed or (self.plan.record_on_exception and not self.plan.rewrite)
        if keeps_new:
            self._take_over()
            if self._metadata != self._stored_metadata:
                self._directory.save_metadata(self._metadata)
        is_complete = not (has_failed or self._problems or self._unanswered)
        if is_complete and (stale := self._stale()):
            self._directory.remove(stale)

    def _take_over(self) -> None:
        """Give the recordings that waited their place in the cassette."""
        if self._staging is None:
            return
        if self.plan.rewrite:  # they have the names and places that they will have
            for recording in self._staging.directory.recordings():
                self._writer.move(recording)
        else:
            for address, document in self._waiting:
                self._writer.write(address, document)

    def _stale(self) -> list[Recording]:
        """The files of this cassette that the run made superfluous.

        ``rewrite`` leaves only what it recorded; ``all`` replaces what answered the same request;
        ``drop_unused_requests`` takes what was neither played nor recorded.
        """
        if self.plan.rewrite:
            stale = [found for found in self._before if is_http_exchange(found.document)]
        elif self.record_mode == RecordMode.ALL or self.drop_unused_requests:
            stale = [
                entry.recording
                for entry in self._entries.in_order()
                if entry.is_own and entry.recording is not None and self._is_stale(entry)
            ]
        else:
            return []
        return [found for found in stale if found.path not in self._writer.written]

    def _is_stale(self, entry: Entry) -> bool:
        if self.record_mode != RecordMode.ALL:
            return entry.plays == 0
        is_recorded_anew = any(other.is_new for other in self._entries.alike(entry))
        return bool(self.drop_unused_requests) or is_recorded_anew


def _nearby(path: Path) -> str:
    """A path as a person in the working directory would write it."""
    absolute = path.absolute()
    return (
        str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)
    )
