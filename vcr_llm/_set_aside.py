"""What tests that failed have recorded, kept in the folder ``.failed`` of their cassette.

It cost money, so that the next recording takes it over instead of sending the request again. A
replay does not look at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vcr.request import Request as VcrRequest

from vcr_llm._address import parse_file_name
from vcr_llm._catalogue import DirectoryView
from vcr_llm._entries import Entries
from vcr_llm._entry import Entry
from vcr_llm._foreign import Document, is_http_exchange
from vcr_llm._keyed_request import KeyedRequest
from vcr_llm._recording import Addressed
from vcr_llm._recording_directory import FAILED, Recording, RecordingDirectory
from vcr_llm._recording_writer import RecordingWriter

_SUCCESSFUL = range(200, 300)  # RFC 9110, 15.3


class SetAside:
    """The recordings in ``.failed``, of which each is given out once."""

    def __init__(
        self,
        view: DirectoryView,
        entries: Entries,
        hold: Callable[[Recording], Entry | None],
    ) -> None:
        self.view = view
        self._entries = entries
        self._hold = hold
        self._given: set[Entry] = set()
        entries.open(view, self._entry)

    def take(self, seen: KeyedRequest, request: VcrRequest) -> Entry | None:
        """The first that answers a request and was not taken yet."""
        matching = self._entries.find(seen, request)
        entry = next((found for found in matching if found not in self._given), None)
        if entry is not None:
            self._given.add(entry)
        return entry

    def _entry(self, recording: Recording) -> Entry | None:
        return self._hold(recording) if is_worth_keeping(recording.document) else None


def is_worth_keeping(document: Document) -> bool:
    """Whether a test can go on with this answer: an error, or half a stream, is asked for again."""
    response = document.get("response")
    if not is_http_exchange(document) or not isinstance(response, dict):
        return False
    return response.get("status", 200) in _SUCCESSFUL and "ended" not in response


def set_aside(
    cassette: RecordingDirectory, recorded: Iterable[Addressed], taken_over: Iterable[Recording]
) -> None:
    """Keep what a failed test has recorded, in place of what an earlier one had recorded of it.

    What the test took over from there stays.
    """
    directory = RecordingDirectory(cassette.path / FAILED)
    found = list(recorded)
    if not found:
        return
    kept = {recording.path for recording in taken_over}
    old = _with_addresses(directory, {address for address, _document in found})
    directory.remove(recording for recording in old if recording.path not in kept)
    writer = RecordingWriter(directory)
    for address, document in found:
        writer.write(address, document)


def forget(
    cassette: RecordingDirectory, addresses: Iterable[str], taken_over: Iterable[Recording] = ()
) -> None:
    """Remove what has its place in the cassette now, or was recorded anew."""
    directory = RecordingDirectory(cassette.path / FAILED)
    gone = [*taken_over, *_with_addresses(directory, set(addresses))]
    if gone:
        directory.remove(gone)


def _with_addresses(directory: RecordingDirectory, addresses: set[str]) -> list[Recording]:
    """Stand-ins for the files with these addresses; what is in them does not matter."""
    if not directory.path.is_dir():
        return []
    named = ((path, parse_file_name(path.name)) for path in directory.candidates())
    return [Recording(path, {}) for path, name in named if name and name[0] in addresses]
