"""vcrpy's cassette on a directory of recordings.

What vcrpy cannot do through its public points on a directory is done here, each workaround once:
each recording is on disk when its response is complete; matching asks an index and takes the
recording in one step; ``rewrite`` replaces the old recordings when the test is over and not
before. Checked on vcrpy 9.4.2; tests/test_hosts.py fails when the host changes.

What the cassette holds comes from `_loading`, what it gets goes to `_saving`, and what it does not
answer is explained by `_cassette_misses`.
"""

from __future__ import annotations

import copy
import threading
import weakref
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

from vcr.cassette import Cassette, _run_hooks
from vcr.errors import UnhandledHTTPRequestError
from vcr.record_mode import RecordMode
from vcr.request import Request as VcrRequest

from vcr_llm._age import is_expired
from vcr_llm._cassette_misses import CassetteMisses
from vcr_llm._cassette_tools import CassetteTools
from vcr_llm._cassette_use import CassetteUse
from vcr_llm._drift import Drift, SentAgain
from vcr_llm._ending import decode_ending
from vcr_llm._entries import Entries
from vcr_llm._entry import Entry, Playback
from vcr_llm._errors import RecordingEnds, RecordingError
from vcr_llm._expiry import tell_age
from vcr_llm._interaction import Headers, Interaction
from vcr_llm._keyed_request import KeyedRequest
from vcr_llm._ledger import LEDGER
from vcr_llm._loading import Loading
from vcr_llm._misses import counted
from vcr_llm._plan import Plan
from vcr_llm._recording_directory import Recording
from vcr_llm._recording_turns import RecordingTurns, Tape
from vcr_llm._request_index import Failure
from vcr_llm._request_key import RequestKey
from vcr_llm._saving import Saving
from vcr_llm._set_aside import SetAside
from vcr_llm._stream_end import says_its_end
from vcr_llm._tool_entries import ToolEntry
from vcr_llm._tools_at_work import is_tools_own
from vcr_llm._vcrpy import VcrResponse, from_vcrpy, request_from_vcrpy, to_vcrpy, with_named_headers


class RecordingCassette(Cassette):
    """A cassette whose recordings are files of one directory.

    ``path`` is that directory. The attributes of vcrpy's cassette keep their meaning;
    ``misses`` holds a text about each request that no recording answered.
    """

    def __init__(self, path: str, *, plan: Plan, **host_arguments: Any) -> None:
        self._entries = Entries(host_arguments["match_on"], plan.options)
        super().__init__(path=path, **host_arguments)
        self.tapes: set[Tape] = set()
        """The responses that are being read now."""
        self.plan = plan
        self.has_been_asked = False
        """Whether any request came, even if hooks leave it out."""
        self._loading = Loading(Path(path), plan, self._entries, self._hooked)
        self._saving = Saving(
            self._loading.directory,
            plan,
            before=self._loading.before,
            begins_anew=self._begins_anew,
        )
        self._set_aside: SetAside | None = None
        self._misses = CassetteMisses(self._loading.directory.path, plan, self._entries)
        self.tools = CassetteTools(self, self._saving, self._misses)
        self._drift = Drift(plan.options) if plan.verifies else None
        self._taken: weakref.WeakKeyDictionary[VcrRequest, Entry] = weakref.WeakKeyDictionary()
        self._renewals: weakref.WeakKeyDictionary[VcrRequest, Entry] = weakref.WeakKeyDictionary()
        self._answered: weakref.WeakSet[VcrRequest] = weakref.WeakSet()
        self._asked: weakref.WeakKeyDictionary[VcrRequest, KeyedRequest]
        self._asked = weakref.WeakKeyDictionary()
        """Requests without a recording, as matching saw them: saving need not look again."""
        self._unanswered: set[RequestKey] = set()
        self.lock = threading.RLock()
        """Who holds it looks at the recordings, and takes or adds one."""
        self.turns = RecordingTurns(self.lock)

    # --- loading ------------------------------------------------------------------------------

    def _load(self) -> None:
        """Look which recordings there are, in the directory or in the old cassette in its place.

        What is in them is read when a request asks for it.
        """
        self._loading.look()
        if self.record_mode != RecordMode.NONE:
            self._saving.open(has_leftovers=self._loading.has_leftovers)
        if self._begins_anew:
            self._loading.before()  # a broken file is told before anything is paid for
        if not self.plan.rewrite:
            self._loading.load_own(self.tools.entries)
            self._metadata = dict(self._loading.metadata)
        if not (self._begins_anew or self.write_protected):
            self._set_aside = self._failed_recordings()
            if self._set_aside is not None:
                self.tools.open_set_aside(self._set_aside.view)
        for path in self.plan.extra_paths:
            self._loading.load_extra(path, self.tools.entries)
        has_any = self._loading.existed and not self.plan.rewrite
        self.rewound = has_any or bool(self._entries.held or self.tools.entries.held)
        self.dirty = False

    @property
    def _begins_anew(self) -> bool:
        return self.plan.rewrite or self.record_mode == RecordMode.ALL

    def _failed_recordings(self) -> SetAside | None:
        return self._loading.set_aside(Entries(self._match_on, self.plan.options))

    def _hooked(self, interaction: Interaction) -> tuple[VcrRequest, VcrResponse] | None:
        """What the hooks that vcrpy runs on loading make of an interaction."""
        loaded = _run_hooks(self._after_load_interaction, *to_vcrpy(interaction), self)
        if loaded is None:
            return None
        request, response = self._before_record_request(loaded[0]), loaded[1]
        response = self._before_record_response(response) if request else None
        return None if response is None else (request, response)

    # --- what vcrpy's cassette shows ------------------------------------------------------------

    @property
    def data(self) -> list[tuple[VcrRequest, VcrResponse]]:
        """All requests and responses, in the order of replay."""
        with self.lock:
            return [(entry.request, entry.response) for entry in self._entries.in_order()]

    @data.setter
    def data(self, value: list[tuple[VcrRequest, VcrResponse]]) -> None:
        """vcrpy's constructor sets an empty list, which a new cassette has anyway."""

    @property
    def play_counts(self) -> Counter[int]:
        """How often each interaction of `data` was played."""
        with self.lock:
            played = enumerate(entry.plays for entry in self._entries.in_order())
            return Counter({index: plays for index, plays in played if plays})

    @play_counts.setter
    def play_counts(self, value: Counter[int]) -> None:
        """vcrpy's constructor sets an empty counter, which a new cassette has anyway."""

    @property
    def play_count(self) -> int:
        """How many recordings were played, calls of tools among them."""
        return sum(entry.plays for entry in self._held)

    @property
    def all_played(self) -> bool:
        """Whether every recording was played, calls of tools among them."""
        with self.lock:
            _ = self._entries.in_order(), self.tools.entries.in_order()
            return all(entry.plays for entry in self._held)

    def __len__(self) -> int:
        """How many recordings there are, calls of tools among them."""
        with self.lock:
            return len(self._entries.in_order()) + len(self.tools.entries.in_order())

    @property
    def _held(self) -> list[Entry | ToolEntry]:
        """The requests and the calls of tools that were read so far."""
        return [*self._entries.held, *self.tools.entries.held]

    @property
    def write_protected(self) -> bool:
        """Whether vcrpy must not record: in ``none``, and in ``once`` when the cassette exists.

        An extra cassette does not protect a default one that was never recorded.
        """
        once = self.record_mode == RecordMode.ONCE
        return (once and self._loading.existed) or self.record_mode == RecordMode.NONE

    def rewind(self) -> None:
        """Everything can be played again, what was recorded now as well."""
        with self.lock:
            for entry in self._held:
                entry.plays, entry.has_answered = 0, False

    # --- matching -----------------------------------------------------------------------------

    def play(self, request: VcrRequest) -> Playback | None:
        """What answers a request, matched and taken in one step; None where nothing does."""
        filtered = self.filter_request(request)
        if not filtered:
            return None
        seen = self._look_at(request, filtered)
        with self.lock:
            entry = self._available(seen, filtered) if self.is_playing else None
            if entry is not None and self._renews(entry):
                self._renew(request, entry)
                return None
            entry = entry or self._taken_over(seen, filtered)
            if entry is None:
                self._unanswered.add(seen.key)
                if filtered is request:
                    self._asked[request] = seen
                return None
            entry.plays += 1
        return entry.playback()

    def refuses(self, request: VcrRequest) -> bool:
        """Whether a request without a recording may not be sent."""
        is_protected = self.write_protected and request not in self._renewals
        return is_protected and self.takes(request)

    def takes(self, request: VcrRequest) -> bool:
        """Whether the cassette has to do with a request at all; hooks may leave it out."""
        return bool(self.filter_request(request))

    def can_play_response_for(self, request: VcrRequest) -> bool:
        """Whether a recording answers the request.

        It is then set aside for this request object, so that of two threads which ask for the
        last recording one gets it.
        """
        filtered = self.filter_request(request)
        if not filtered:
            return False
        seen = self._look_at(request, filtered)
        with self.lock:
            if self.is_playing and self._can_take(request, seen, filtered):
                entry = self._taken.get(request)
                # In `once`, vcrpy's stubs would send nothing.
                if entry is None or self.write_protected or not self._renews(entry):
                    return True
                del self._taken[request]
                self._renew(request, entry)
                return False
            entry = self._taken_over(seen, filtered)
            if entry is None:
                self._unanswered.add(seen.key)
                return False
            self._taken[request] = entry
            return True

    def play_response(self, request: VcrRequest) -> VcrResponse:
        """The response to a request; it counts as played."""
        with self.lock:
            filtered = self.filter_request(request)
            entry = None
            if filtered:
                entry = self._taken.get(request)  # as `can_play_response_for` has left it
                entry = entry or self._take(request, self._look_at(request, filtered), filtered)
            if entry is None:
                raise UnhandledHTTPRequestError(self.miss_text(request))
            self._taken.pop(request, None)
            self._answered.add(request)
            entry.plays += 1
            if (ended := decode_ending(entry.response.get("ended"))) and not ended.has_response:
                msg = f"holds {ended.error}, which only httpx can raise again"
                raise RecordingError(msg, path=self._misses.name_of(entry))
            # vcrpy's urllib3 stub deletes headers from what it is given.
            return {**entry.response, "headers": dict(entry.response["headers"])}

    def _responses(self, request: VcrRequest) -> Iterator[tuple[int, VcrResponse]]:
        """vcrpy's list of all responses that match a request, played or not."""
        filtered = self.filter_request(request)
        if not filtered:
            return
        with self.lock:
            found = list(self._matching(self._look_at(request, filtered), filtered))
            places = self._entries.in_order()
        for entry in found:
            yield places.index(entry), entry.response

    def __contains__(self, request: VcrRequest) -> bool:
        filtered = self.filter_request(request)
        if not filtered:
            return False
        with self.lock:
            return self._available(self._look_at(request, filtered), filtered) is not None

    @property
    def is_playing(self) -> bool:
        """Whether what is recorded may answer."""
        return self.record_mode != RecordMode.ALL and (
            self.rewound or bool(self.allow_playback_repeats)
        )

    def filter_request(self, request: VcrRequest) -> VcrRequest | None:
        """The request after vcrpy's filters and hooks, None where they leave it out.

        What a running tool sends is part of the tool's own recording.
        """
        self.has_been_asked = True
        return None if is_tools_own(self) else self._hooked_request(request)

    def _hooked_request(self, request: VcrRequest) -> VcrRequest | None:
        return self._before_record_request(request) if self.plan.has_hooks else request

    def _hooked_response(self, response: VcrResponse) -> VcrResponse | None:
        """A response after vcrpy's filters and hooks, None where they leave it out."""
        recorded = self._before_record_response(copy.deepcopy(response))
        return None if recorded is None else with_named_headers(recorded)

    def _look_at(self, request: VcrRequest, filtered: VcrRequest) -> KeyedRequest:
        """A request as matching sees it; what hooks have taken out of it is a secret in it, too."""
        sent = () if filtered is request else request_from_vcrpy(request).headers
        return self._entries.look_at(filtered, sent)

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
        taken = set(self._taken.values()) if self._taken else ()
        return next((entry for entry in matching if entry.is_unplayed and entry not in taken), None)

    def _renews(self, entry: Entry) -> bool:
        """Whether a recording is so old that its request is sent again."""
        options = self.plan.options
        if options.max_age is None or options.on_expiry != "rerecord" or not entry.is_own:
            return False
        is_recording = self.record_mode in (RecordMode.ONCE, RecordMode.NEW_EPISODES)
        if not is_recording or entry.recording is None:
            return False
        return is_expired(entry.recording.document, options.max_age, datetime.now(UTC))

    def _renew(self, request: VcrRequest, entry: Entry) -> None:
        """Have the server answer a request, whose answer then takes the place of the old one."""
        entry.has_answered = True
        self._renewals[request] = entry

    def _taken_over(self, seen: KeyedRequest, filtered: VcrRequest) -> Entry | None:
        """What a failed test had recorded of a request; it is this cassette's own from now on."""
        entry = self._set_aside.take(seen, filtered) if self._set_aside is not None else None
        if entry is not None and entry.recording is not None:
            entry.order = self._loading.next_place()
            entry.recording = self._saving.take(entry.recording)
            self._entries.add(entry)
        return entry

    def _matching(self, seen: KeyedRequest, filtered: VcrRequest) -> Iterator[Entry]:
        """The recordings that match; the old cassette is read when the directory has none."""
        has_any = False
        for entry in self._entries.find(seen, filtered):
            has_any = True
            yield entry
        if not has_any and self._loading.load_old_cassette():
            self._metadata = {**self._loading.metadata, **self._metadata}
            yield from self._entries.find(seen, filtered)

    # --- misses -------------------------------------------------------------------------------

    def find_requests_with_most_matches(
        self, request: VcrRequest
    ) -> list[tuple[VcrRequest, list[str], list[Failure]]]:
        """vcrpy's list of the most similar recorded requests, with what matches and what not."""
        filtered = self.filter_request(request)
        if not filtered:
            return []
        seen = self._look_at(request, filtered)
        with self.lock:
            compared = [
                (entry.request, *self._entries.compare(seen, filtered, entry))
                for entry in self._entries.in_order()
            ]
        most = max((len(successes) for _recorded, successes, _failures in compared), default=0)
        return [found for found in compared if most and len(found[1]) == most]

    @property
    def misses(self) -> list[str]:
        """A text about each request that no recording answered."""
        return self._misses.texts

    def miss_text(self, request: VcrRequest) -> str:
        """Why no recording answers a request; kept in ``misses``, once for each."""
        filtered = self.filter_request(request) or request
        seen = self._look_at(request, filtered)
        with self.lock:
            aside = self._failed_recordings()
            kept = None if aside is None else aside.take(seen, filtered)
            return self._misses.text(seen, filtered, RecordMode(self.record_mode), kept)

    def unrecorded_rest(self, playback: Playback) -> RecordingEnds:
        """The error for a client that reads on where the recorded one had stopped."""
        count = counted(len(playback.events), "event")
        return self._misses.unrecorded_rest(count, playback.ended, playback.path)

    # --- recording ----------------------------------------------------------------------------

    def append(self, request: VcrRequest, response: VcrResponse) -> None:
        """Record an exchange that has just ended, unless filters, hooks or a tool leave it out."""
        if self.filter_request(request):
            self.record(request, response)

    def record(self, request: VcrRequest, response: VcrResponse) -> None:
        """Record an exchange that `takes` had said yes to, wherever it comes to its end.

        Its file is on disk when this returns, unless it has to wait for the end of the test.
        """
        sent_headers = request_from_vcrpy(request).headers
        filtered = self._hooked_request(request)
        if not filtered:
            return
        recorded = self._hooked_response(response)
        with self.turns.take() as is_open:
            if not is_open:
                return
            seen = self._asked.pop(request, None) or self._entries.look_at(filtered, sent_headers)
            self._unanswered.discard(seen.key)
            if recorded is None:
                return
            entry = Entry(self._loading.next_place(), pair=(filtered, recorded), is_new=True)
            entry.keyed = seen
            old = self._renewals.pop(request, None)
            entry.renews = None if old is None else old.recording
            self._entries.add(entry)
            self.dirty = True
            if self.record_mode != RecordMode.NONE:
                self._record(entry, seen, sent_headers)

    def _record(self, entry: Entry, seen: KeyedRequest, sent_headers: Headers) -> None:
        if (kept := self._kept(entry.request, entry.response)) is not None:
            as_seen = None if self._before_save_interaction else seen
            entry.recording = self._saving.save(
                kept, sent_headers, request=as_seen, renews=entry.renews
            )

    def _kept(self, request: VcrRequest, response: VcrResponse) -> Interaction | None:
        """What is saved of an exchange, None where a hook leaves it out."""
        hooked = (request, response)
        if self._before_save_interaction:
            copies = copy.deepcopy(request), copy.deepcopy(response)
            hooked = _run_hooks(self._before_save_interaction, *copies, self)
            if hooked is None:
                return None
        exchange = from_vcrpy(*hooked)
        received = exchange.response
        ended = received.ended
        if ended is not None and ended.error is None and says_its_end(received):
            received = replace(received, ended=None)
        return Interaction(exchange.request, received, self.plan.test_id)

    # --- verifying ----------------------------------------------------------------------------

    def sent_again(self, request: VcrRequest) -> SentAgain | None:
        """The context in which a request is sent that a recording answers.

        None where nothing is to be sent: nobody asked for it, or it was sent before.
        """
        drift = self._drift
        filtered = None if drift is None else self.filter_request(request)
        if drift is None or not filtered:
            return None
        with self.lock:
            seen = self._look_at(request, filtered)
            entry = drift.next(self._matching(seen, filtered))
        if entry is None:
            return None

        def settle(answer: VcrResponse | Exception) -> None:
            if isinstance(answer, Exception):
                drift.unanswered(entry, answer)
                return
            recorded = self._hooked_response(answer)
            kept = None if recorded is None else self._kept(filtered, recorded)
            if kept is not None:
                with self.lock:
                    drift.compare(entry, kept, request_from_vcrpy(request).headers)

        return SentAgain(settle)

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
        with self.lock:
            self.turns.are_over = True
            has_failed = has_raised or self.plan.has_failed()
            try:
                if self.record_mode != RecordMode.NONE:
                    self._settle(has_failed=has_failed)
            finally:
                self._saving.close()
                if LEDGER.is_open and not self.plan.is_live:
                    LEDGER.note(self.account(has_failed=has_failed))
        if self.turns.problems:
            raise self.turns.problems[0]
        if not (has_failed or self.plan.is_test):
            tell_age(self)

    def played(self) -> list[tuple[str, Recording | None]]:
        """What answered a request: its name, and the recording where it is one of ours."""
        return [(self._misses.name_of(one), one.recording) for one in self._held if one.plays]

    def about(self, said: str) -> str:
        """What is said of this cassette, with its path and how to record it anew."""
        return self._misses.about(said)

    @property
    def has_recorded(self) -> bool:
        """Whether a request was sent."""
        return any(entry.is_new for entry in self._held)

    def unplayed(self) -> list[Path]:
        """The files of this cassette's own that nothing played, in the order of replay."""
        with self.lock:
            held: list[Entry | ToolEntry] = [
                *self._entries.in_order(),
                *self.tools.entries.in_order(),
            ]
        left = [entry for entry in sorted(held, key=attrgetter("order")) if not entry.plays]
        return [one.recording.path for one in left if one.is_own and one.recording is not None]

    @property
    def old_cassette(self) -> Path | None:
        """The cassette in one file that was read, too, if there is one."""
        return self._loading.old_cassette

    def unplayed_in_old_cassette(self) -> list[VcrRequest]:
        """The requests of `old_cassette` that nothing played, in the order of replay."""
        with self.lock:
            left = [entry for entry in self._entries.in_order() if not entry.plays]
        return [entry.request for entry in left if entry.is_own and entry.recording is None]

    def account(self, *, has_failed: bool) -> CassetteUse:
        """What came of the cassette until now."""
        entries = self._held
        in_files = [(str(e.recording.path.absolute()), e) for e in entries if e.recording]
        played = {path: entry.plays for path, entry in in_files if entry.plays}
        mode = "rewrite" if self.plan.rewrite else str(RecordMode(self.record_mode).value)
        return CassetteUse(
            path=str(self._loading.directory.path.absolute()),
            record_mode=mode,
            test_id=self.plan.test_id,
            is_tests_own=self.plan.is_test,
            is_flat=self.plan.options.layout == "flat",
            has_passed=not has_failed,
            played=played,
            played_elsewhere=self.play_count - sum(played.values()),
            written=[path for path, entry in in_files if entry.is_new],
            recorded=sum(entry.is_new for entry in entries) if mode != "none" else 0,
            missed=len(self.misses),
            compared=0 if self._drift is None else self._drift.compared,
            drift=() if self._drift is None else tuple(self._drift.found),
        )

    def _settle(self, *, has_failed: bool) -> None:
        keeps_new = not has_failed or (self.plan.record_on_exception and not self.plan.rewrite)
        if keeps_new:
            self._saving.take_over()
            if self._metadata != self._loading.metadata:
                self._saving.save_metadata(self._metadata)
        elif not self._begins_anew:  # else the old recordings are still there
            self._saving.set_aside()
        if not (has_failed or self.turns.problems or self._unanswered or self.tools.unanswered):
            self._remove_stale()

    def _remove_stale(self) -> None:
        """Remove the files of this cassette that the run made superfluous.

        ``rewrite`` leaves only what it recorded; ``all`` replaces what answered the same request;
        ``drop_unused_requests`` takes what was neither played nor recorded.
        """
        if self.plan.rewrite:
            self._saving.remove_old()
        elif self.record_mode == RecordMode.ALL or self.drop_unused_requests:
            stale = [
                entry.recording
                for entry in self._entries.in_order()
                if entry.is_own and entry.recording is not None and self._is_stale(entry)
            ]
            self._saving.remove([*stale, *self.tools.stale()])

    def _is_stale(self, entry: Entry) -> bool:
        if self.record_mode != RecordMode.ALL:
            return entry.plays == 0
        is_recorded_anew = any(other.is_new for other in self._entries.alike(entry))
        return bool(self.drop_unused_requests) or is_recorded_anew
