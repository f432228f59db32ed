"""The interactions of a cassette, found by name first and by content after that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

from vcr.request import Request as VcrRequest

from vcr_llm._address import addresses_of
from vcr_llm._catalogue import DirectoryView
from vcr_llm._entry import Entry
from vcr_llm._interaction import Headers
from vcr_llm._keyed_request import KeyedRequest, WrittenRequest
from vcr_llm._options import Options
from vcr_llm._recording_directory import Recording
from vcr_llm._request_index import Failure, RequestIndex


class Entries:
    """What a cassette has loaded and recorded, and what its directory still holds.

    A recording whose file has the request's own address comes first; of those that merely match,
    as with other ids of tool calls, the first in the order of replay.
    """

    def __init__(self, match_on: Iterable[Callable[..., Any]], options: Options) -> None:
        self.held: list[Entry] = []
        """What has been read or recorded so far."""
        self._index = RequestIndex(match_on, options)
        self._indexed = 0
        self._view: DirectoryView | None = None
        self._has_all = False
        self._hold: Callable[[Recording], Entry | None]
        self._by_name: dict[str, Entry | None] = {}

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a request's key that decide."""
        return self._index.parts

    def open(self, view: DirectoryView, hold: Callable[[Recording], Entry | None]) -> None:
        """Have a directory's recordings, too; ``hold`` makes an entry of one, or leaves it out."""
        self._view, self._hold = view, hold

    def add(self, entry: Entry) -> None:
        """Take an interaction in."""
        self.held.append(entry)

    def in_order(self) -> list[Entry]:
        """All of them, in the order of replay; what was not read yet is read."""
        self._read_all()
        return sorted(self.held, key=attrgetter("order"))

    def look_at(self, request: VcrRequest, sent_headers: Headers = ()) -> KeyedRequest:
        """A request as matching sees it, without secrets.

        ``sent_headers`` are those it has before any hook: what they carry is a secret, too.
        """
        return self._index.look_at(request, sent_headers)

    def keyed(self, entry: Entry) -> KeyedRequest:
        """A recorded request as matching sees it."""
        return self._index.recorded(entry)

    def find(self, seen: KeyedRequest, request: VcrRequest) -> Iterator[Entry]:
        """Those that answer a request; no more is read than the caller takes."""
        named = self._named(seen, request)
        yield from named
        self._read_all()
        self._bring_index_up_to_date()
        yield from (entry for entry in self._index.matching(seen, request) if entry not in named)

    def alike(self, entry: Entry) -> list[Entry]:
        """Those whose requests have the same key as this one's, and itself."""
        self._read_all()
        self._bring_index_up_to_date()
        return self._index.alike(entry)

    def compare(
        self, seen: KeyedRequest, request: VcrRequest, entry: Entry
    ) -> tuple[list[str], list[Failure]]:
        """The names of the matchers that agree about two requests, and those that do not."""
        return self._index.compare(seen, request, entry)

    def _named(self, seen: KeyedRequest, request: VcrRequest) -> list[Entry]:
        """Those whose file has the name that this request's recording has."""
        if self._view is None or self._view.has_other_names or "body" not in self.parts:
            return []
        named = self._named_like(self._view, seen.sent)  # most requests have no secrets
        is_found = any(_has_written(entry, seen.sent) for entry in named)
        if not is_found and seen.written is not seen.sent:
            named = self._named_like(self._view, seen.written)
        found = [entry for entry in named if self._is_same(seen, request, entry)]
        return sorted(found, key=attrgetter("order"))

    def _named_like(self, view: DirectoryView, request: WrittenRequest) -> list[Entry]:
        """Those whose file has the name of a recording with this request."""
        addresses = addresses_of(request.request, view.test_ids, body_text=request.body_text)
        recordings = (found for address in addresses for found in view.named(address))
        return list(filter(None, map(self._entry, recordings)))

    def _is_same(self, seen: KeyedRequest, request: VcrRequest, entry: Entry) -> bool:
        is_alike = _has_written(entry, seen.sent) or _has_written(entry, seen.written)
        is_equal = is_alike or self._is_equal(seen, self.keyed(entry))
        return is_equal and self._index.agree(request, entry)

    def _is_equal(self, one: KeyedRequest, other: KeyedRequest) -> bool:
        return one.key == other.key and self._index.deciding(one) == self._index.deciding(other)

    def _read_all(self) -> None:
        if self._view is not None and not self._has_all:
            for recording in self._view.all():
                self._entry(recording)
            self._has_all = True

    def _entry(self, recording: Recording) -> Entry | None:
        name = recording.path.name
        if name not in self._by_name:
            entry = self._by_name[name] = self._hold(recording)
            if entry is not None:
                self.add(entry)
        return self._by_name[name]

    def _bring_index_up_to_date(self) -> None:
        for entry in self.held[self._indexed :]:
            self._index.add(entry)
        self._indexed = len(self.held)


def _has_written(entry: Entry, request: WrittenRequest) -> bool:
    """Whether the entry's file has the request like this."""
    return entry.written is not None and request.is_like(entry.written)
