"""vcrpy's cassette on a directory of recordings.

What vcrpy cannot do through its public points on a directory is done here, each workaround once:
each recording is on disk when its response is complete; matching asks an index and takes the
recording in one step; ``rewrite`` replaces the old recordings when the test is over and not
before. Checked on vcrpy 9.4.2; tests/test_hosts.py fails when the host changes.
"""

from __future__ import annotations

import copy
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol, TypeVar

from vcr.cassette import Cassette, _run_hooks
from vcr.errors import UnhandledHTTPRequestError
from vcr.record_mode import RecordMode
from vcr.request import Request as VcrRequest

from vcr_llm._address import as_file_name
from vcr_llm._cassette_files import SUFFIX, directory_of, old_cassette_of, read_old_cassette
from vcr_llm._document import response_events, to_document
from vcr_llm._ending import Ending
from vcr_llm._errors import RecordingEnds
from vcr_llm._foreign import is_http_exchange
from vcr_llm._interaction import Arrival, Headers, Interaction
from vcr_llm._misses import Candidate, Incoming, describe_miss, record_again
from vcr_llm._options import Options
from vcr_llm._recording import Addressed, new_recording
from vcr_llm._recording_directory import Recording, RecordingDirectory
from vcr_llm._recording_writer import RecordingWriter, Staging
from vcr_llm._request_index import Failure, RequestIndex
from vcr_llm._request_key import RequestKey
from vcr_llm._stream_end import says_its_end
from vcr_llm._vcrpy import VcrResponse, from_vcrpy, request_from_vcrpy, to_vcrpy

Result = TypeVar("Result")


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
    has_failed: Callable[[], bool] = bool
    is_finished_later: Callable[[], bool] = bool
    """Whether somebody else calls `RecordingCassette.finish` when more is over."""


class Playback(NamedTuple):
    """What answers a request: the response, and its body event by event."""

    response: VcrResponse
    events: list[bytes]
    ended: Ending | None = None
    arrivals: tuple[Arrival, ...] = ()
    name: str = ""
    """What to call the recording in a message."""


class Tape(Protocol):
    """A response that is still being recorded."""

    def close(self) -> None:
        """Nobody will read more of it: save what came."""


@dataclass(slots=True)
class _Entry:
    """One of the cassette's interactions: where it is on disk, and whether it is new."""

    recording: Recording | None = None
    is_own: bool = False
    """Whether it was loaded from this cassette's own directory."""
    is_new: bool = False
    """Whether it was recorded now."""


class RecordingCassette(Cassette):
    """A cassette whose recordings are files of one directory.

    ``path`` is that directory. The attributes of vcrpy's cassette keep their meaning;
    ``misses`` holds a text about each request that no recording answered.
    """

    def __init__(self, path: str, *, plan: Plan, **host_arguments: Any) -> None:
        super().__init__(path=path, **host_arguments)
        self.misses: list[str] = []
        self.tapes: set[Tape] = set()
        """The responses that are being read now."""
        self.plan = plan
        self._directory = RecordingDirectory(path)
        self._shown_path = _nearby(self._directory.path)
        self._staging: Staging | None = None
        self._index = RequestIndex(self._match_on, plan.options)
        self._entries: list[_Entry] = []
        self._taken: weakref.WeakKeyDictionary[VcrRequest, int] = weakref.WeakKeyDictionary()
        self._answered: weakref.WeakSet[VcrRequest] = weakref.WeakSet()
        # What is recorded now has answered its request, so it is not played again.
        self._just_recorded: set[int] = set()
        self._unanswered: set[RequestKey] = set()
        self._old_cassette: Path | None = None
        self._existed = False
        self._own_before: list[Recording] = []
        self._waiting: list[Addressed] = []
        self._stored_metadata: dict[str, Any] = {}
        self._problems: list[Exception] = []
        self._lock = threading.RLock()
        self._is_closed = False

    # --- loading ------------------------------------------------------------------------------

    def _load(self) -> None:
        """Load the directory, or the old cassette in its place, and the extra cassettes."""
        is_writable = self.record_mode != RecordMode.NONE
        if is_writable:
            self._directory.sweep()
        self._own_before = [
            recording for recording in self._directory.recordings() if self._is_visible(recording)
        ]
        self._existed = self._directory.exists()
        self._stored_metadata = self._directory.metadata()
        self._metadata = {} if self.plan.rewrite else dict(self._stored_metadata)
        if is_writable and (self.plan.rewrite or not self.plan.record_on_exception):
            self._staging = Staging(self._directory)
            self._staging.sweep()
        if not self.plan.rewrite:
            self._load_own()
        for path in self.plan.extra_paths:
            self._load_extra(path)
        is_fresh = self.plan.rewrite or self.record_mode == RecordMode.ALL
        self._writer = RecordingWriter(
            self._directory,
            before=() if is_fresh else self._own_before,
            replaceable=self._own_before if is_fresh else (),
        )
        self.rewound = (self._existed and not self.plan.rewrite) or bool(self.data)
        self.dirty = False

    def _load_own(self) -> None:
        for recording in self._own_before:
            if is_http_exchange(recording.document):
                self._hold(recording.interaction, recording, is_own=True)
        if self.plan.options.layout == "directory":
            self._old_cassette = old_cassette_of(self._directory.path, *self.plan.old_names)
        if not self._existed and self._old_cassette is not None:
            self._existed = True
            self._load_old_cassette(self._old_cassette)

    def _load_old_cassette(self, path: Path) -> None:
        """Load the cassette in one file: at once where there is no directory, else when needed."""
        self._old_cassette = None
        interactions, metadata = _beside_event_loop(lambda: read_old_cassette(path))
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

    def _hold(
        self, interaction: Interaction, recording: Recording | None = None, *, is_own: bool = False
    ) -> None:
        """Take a loaded interaction in, through the hooks that vcrpy runs on loading."""
        loaded = _run_hooks(self._after_load_interaction, *to_vcrpy(interaction), self)
        if loaded is None:
            return
        request, response = self._before_record_request(loaded[0]), loaded[1]
        response = self._before_record_response(response) if request else None
        if response is None:
            return
        self._insert(request, response, _Entry(recording, is_own=is_own))

    def _is_visible(self, recording: Recording) -> bool:
        """Whether a recording of the directory belongs to this test.

        In a flat directory, a test sees its own recordings and those of no test. In a directory
        of its own it sees all, but for those of a test whose name differs only in characters that
        file names cannot have, so that both share the directory.
        """
        theirs, own = recording.document.get("test_id"), self.plan.test_id
        if not self.plan.is_test or theirs is None or theirs == own:
            return True
        if self.plan.options.layout == "flat":
            return False
        return not isinstance(theirs, str) or as_file_name(theirs) != as_file_name(str(own))

    # --- matching -----------------------------------------------------------------------------

    @property
    def write_protected(self) -> bool:
        """Whether vcrpy must not record: in ``none``, and in ``once`` when the cassette exists.

        An extra cassette does not protect a default one that was never recorded.
        """
        once = self.record_mode == RecordMode.ONCE
        return (once and self._existed) or self.record_mode == RecordMode.NONE

    def can_play_response_for(self, request: VcrRequest) -> bool:
        """Whether a recording answers the request.

        It is then set aside for this request object, so that of two threads which ask for the
        last recording one gets it.
        """
        filtered = self._before_record_request(request)
        if not filtered:
            return False
        with self._lock:
            if self._is_playing and self._can_take(request, filtered):
                return True
            self._unanswered.add(self._index.look_at(filtered).key)
            return False

    def play_response(self, request: VcrRequest) -> VcrResponse:
        """The response to a request; it counts as played."""
        with self._lock:
            filtered = self._before_record_request(request)
            index = self._take(request, filtered) if filtered else None
            if index is None:
                raise UnhandledHTTPRequestError(self.miss_text(request))
            self._taken.pop(request, None)
            self._answered.add(request)
            self.play_counts[index] += 1
            response: VcrResponse = self.data[index][1]
            # vcrpy's urllib3 stub deletes headers from what it is given.
            return {**response, "headers": dict(response["headers"])}

    def play(self, request: VcrRequest) -> Playback | None:
        """What answers a request, matched and taken in one step; None where nothing does."""
        filtered = self._before_record_request(request)
        if not filtered:
            return None
        with self._lock:
            index = self._available(filtered) if self._is_playing else None
            if index is None:
                self._unanswered.add(self._index.look_at(filtered).key)
                return None
            self.play_counts[index] += 1
            return self._playback(index)

    def refuses(self, request: VcrRequest) -> bool:
        """Whether a request without a recording may not be sent."""
        return self.write_protected and bool(self._before_record_request(request))

    def unrecorded_rest(self, playback: Playback) -> RecordingEnds:
        """The error for a client that reads on where the recorded one had stopped."""
        msg = (
            f"{playback.name}: the client that was recorded closed this stream after "
            f"{len(playback.events)} events, and this one reads on. "
            f"Record it again: {record_again(self._own_test)}"
        )
        self.misses.append(msg)
        return RecordingEnds(msg, path=None)

    @property
    def _is_playing(self) -> bool:
        return self.record_mode != RecordMode.ALL and (
            self.rewound or bool(self.allow_playback_repeats)
        )

    def _playback(self, index: int) -> Playback:
        response = self.data[index][1]
        entry = self._entries[index]
        exchange = from_vcrpy(self.data[index][0], response)
        events = self._events(entry, exchange)
        given = {**response, "headers": dict(response["headers"])}
        received = exchange.response
        return Playback(given, events, received.ended, received.arrivals, self._name_of(entry))

    def _events(self, entry: _Entry, exchange: Interaction) -> list[bytes]:
        """The body as the recording has it; a hook may have changed it, or there is no file."""
        body = exchange.response.body
        if entry.recording is not None:
            events = list(response_events(entry.recording.document))
            if b"".join(events) == body:
                return events
        return list(response_events(to_document(exchange)))

    def _responses(self, request: VcrRequest) -> Iterator[tuple[int, VcrResponse]]:
        """vcrpy's list of all responses that match a request, played or not."""
        filtered = self._before_record_request(request)
        for index in self._matching(filtered) if filtered else ():
            yield index, self.data[index][1]

    def __contains__(self, request: VcrRequest) -> bool:
        filtered = self._before_record_request(request)
        with self._lock:
            return filtered is not None and self._available(filtered) is not None

    def _can_take(self, request: VcrRequest, filtered: VcrRequest) -> bool:
        """Set a recording aside for a request, unless the request has had its answer.

        vcrpy's connections ask about their last request when they reconnect.
        """
        if request in self._answered:
            return self._available(filtered) is not None
        return self._take(request, filtered) is not None

    def _take(self, request: VcrRequest, filtered: VcrRequest) -> int | None:
        index = self._taken.get(request)
        if index is None:
            index = self._available(filtered)
            if index is not None:
                self._taken[request] = index
        return index

    def _available(self, filtered: VcrRequest) -> int | None:
        """The first recording that matches and has not been played."""
        matching = self._matching(filtered)
        if self.allow_playback_repeats:
            return next(matching, None)
        taken = set(self._taken.values())
        return next((index for index in matching if self._is_unplayed(index, taken)), None)

    def _is_unplayed(self, index: int, taken: set[int]) -> bool:
        is_answered = index in self._just_recorded or index in taken
        return not is_answered and self.play_counts[index] == 0

    def rewind(self) -> None:
        """Everything can be played again, what was recorded now as well."""
        super().rewind()
        self._just_recorded.clear()

    def _matching(self, filtered: VcrRequest) -> Iterator[int]:
        """The recordings that match; the old cassette is read when the directory has none."""
        found = self._index.matching(filtered)
        if not found and self._old_cassette is not None:
            self._load_old_cassette(self._old_cassette)
            found = self._index.matching(filtered)
        return iter(found)

    def _insert(self, request: VcrRequest, response: VcrResponse, entry: _Entry) -> RequestKey:
        key = self._index.add(request).key
        self._entries.append(entry)
        self.data.append((request, response))
        return key

    def find_requests_with_most_matches(
        self, request: VcrRequest
    ) -> list[tuple[VcrRequest, list[str], list[Failure]]]:
        """vcrpy's list of the most similar recorded requests, with what matches and what not."""
        filtered = self._before_record_request(request)
        if not filtered or not self.data:
            return []
        seen = self._index.look_at(filtered)
        compared = [
            (recorded, *self._index.compare(seen, filtered, number))
            for number, (recorded, _response) in enumerate(self.data)
        ]
        most = max(len(successes) for _recorded, successes, _failures in compared)
        return [found for found in compared if most and len(found[1]) == most]

    def miss_text(self, request: VcrRequest) -> str:
        """Why no recording answers a request; kept in ``misses``, once for each."""
        filtered = self._before_record_request(request) or request
        seen = self._index.look_at(filtered)
        text = describe_miss(
            seen,
            [self._candidate(seen, filtered, number) for number in range(len(self.data))],
            parts=self._index.parts,
            ignore=self.plan.options.ignore,
            cassette=self._shown_path,
            record_mode=str(RecordMode(self.record_mode).value),
            test_id=self._own_test,
        )
        if text not in self.misses:
            self.misses.append(text)
        return text

    @property
    def _own_test(self) -> str | None:
        """The test to name in a command, None outside our plugin."""
        return self.plan.test_id if self.plan.is_test else None

    def _candidate(self, seen: Incoming, filtered: VcrRequest, number: int) -> Candidate:
        entry, recorded = self._entries[number], self._index.recorded(number)
        _successes, failures = self._index.compare(seen, filtered, number)
        return Candidate(
            self._name_of(entry),
            recorded.request,
            recorded.key,
            is_played=entry.is_new or self.play_counts[number] > 0,
            failures=failures,
        )

    def _name_of(self, entry: _Entry) -> str:
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
        filtered = self._before_record_request(request)
        if not filtered:
            return
        recorded = self._before_record_response(copy.deepcopy(response))
        with self._lock:
            if self._is_closed:  # a thread of an earlier test is still at work
                return
            if recorded is None:
                self._unanswered.discard(self._index.look_at(filtered).key)
                return
            entry = _Entry(is_new=True)
            self._unanswered.discard(self._insert(filtered, recorded, entry))
            self._just_recorded.add(len(self.data) - 1)
            self.dirty = True
            if self.record_mode != RecordMode.NONE:
                self._record_or_remember(entry, filtered, recorded, sent_headers)

    def _record_or_remember(
        self, entry: _Entry, request: VcrRequest, response: VcrResponse, sent_headers: Headers
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
        self, entry: _Entry, request: VcrRequest, response: VcrResponse, sent_headers: Headers
    ) -> None:
        hooked = (request, response)
        if self._before_save_interaction:
            copies = copy.deepcopy(request), copy.deepcopy(response)
            hooked = _run_hooks(self._before_save_interaction, *copies, self)
            if hooked is None:
                return
        exchange = from_vcrpy(*hooked)
        received = exchange.response
        if received.ended == Ending() and says_its_end(received):
            received = replace(received, ended=None)
        addressed = new_recording(
            Interaction(exchange.request, received, self.plan.test_id),
            self.plan.options,
            secret_headers=sent_headers,
        )
        staging = self._staging
        if staging is None:
            entry.recording = _beside_event_loop(lambda: self._writer.write(*addressed))
        else:
            _beside_event_loop(lambda: staging.writer.write(*addressed))
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
            stale = [found for found in self._own_before if is_http_exchange(found.document)]
        else:
            stale = [
                entry.recording
                for index, entry in enumerate(self._entries)
                if entry.is_own and entry.recording is not None and self._is_stale(index)
            ]
        return [found for found in stale if found.path not in self._writer.written]

    def _is_stale(self, index: int) -> bool:
        if self.record_mode != RecordMode.ALL:
            return bool(self.drop_unused_requests) and self.play_counts[index] == 0
        is_recorded_anew = any(self._entries[other].is_new for other in self._index.alike(index))
        return bool(self.drop_unused_requests) or is_recorded_anew


def _beside_event_loop(work: Callable[[], Result]) -> Result:
    """Do what waits for the disk, in another thread where this one runs an event loop.

    vcrpy saves when the loop is over. Tools that refuse blocking calls inside a loop, such as
    blockbuster, would refuse ours; it is waited for all the same, so that an exchange is on disk
    before its response is given away.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return work()
    done: SimpleQueue[Future[Result]] = SimpleQueue()

    def work_and_tell() -> None:
        future: Future[Result] = Future()
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            future.set_exception(error)
        done.put(future)

    threading.Thread(target=work_and_tell, name="vcr-llm").start()
    return done.get().result()


def _nearby(path: Path) -> str:
    """A path as a person in the working directory would write it."""
    absolute = path.absolute()
    return (
        str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)
    )
