"""Where a cassette's interactions come from: its directory, an old cassette, extra cassettes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vcr.request import Request as VcrRequest

from vcr_llm._address import as_file_name
from vcr_llm._cassette_files import SUFFIX, directory_of, old_cassette_of, read_old_cassette
from vcr_llm._catalogue import Catalogue, DirectoryView, catalogue_of
from vcr_llm._entries import Entries
from vcr_llm._entry import Entry, Order
from vcr_llm._event_loop import beside_event_loop
from vcr_llm._foreign import is_http_exchange, is_tool_call
from vcr_llm._interaction import Interaction
from vcr_llm._plan import Plan
from vcr_llm._recording import replay_order
from vcr_llm._recording_directory import FAILED, Recording, RecordingDirectory
from vcr_llm._set_aside import SetAside
from vcr_llm._tool_entries import ToolEntries
from vcr_llm._vcrpy import VcrResponse

_OWN, _LATER = 0, 1  # recordings of the directory come before all others

Hooked = Callable[[Interaction], tuple[VcrRequest, VcrResponse] | None]
"""What the hooks that vcrpy runs on loading make of an interaction."""


class Loading:
    """Fills the entries of a cassette.

    Of its own directory only the names are read at first; what is in a file is read when a
    request asks for it.
    """

    def __init__(self, path: Path, plan: Plan, entries: Entries, hooked: Hooked) -> None:
        self.directory = RecordingDirectory(path)
        self.existed = False
        """Whether there was a cassette, in the directory or in one file, when it was opened."""
        self.metadata: dict[str, Any] = {}
        """What is stored beside the recordings."""
        self.has_leftovers = False
        """Whether a run that was killed left something in the directory."""
        self.old_cassette: Path | None = None
        """The cassette in one file, once it has been read."""
        self._plan = plan
        self._entries = entries
        self._hooked = hooked
        self._catalogue = catalogue_of(path.absolute())
        self._view: DirectoryView | None = None
        self._unread_cassette: Path | None = None

    def look(self) -> None:
        """Look which recordings the directory has.

        Raises RecordingError where something else has its name.
        """
        self._catalogue.refresh()
        self.has_leftovers = self._catalogue.has_leftovers
        self.existed = self._catalogue.exists
        if self.existed:
            self.metadata = self.directory.metadata()
            self._view = self._view_of(self.directory, self._catalogue)

    def set_aside(self, entries: Entries) -> SetAside | None:
        """What failed tests have recorded, found by these entries; None where there is nothing."""
        directory = RecordingDirectory(self.directory.path / FAILED)
        if not directory.path.is_dir():
            return None
        catalogue = catalogue_of(directory.path.absolute())
        catalogue.refresh()
        return SetAside(self._view_of(directory, catalogue), entries, self._own_entry)

    def _view_of(self, directory: RecordingDirectory, catalogue: Catalogue) -> DirectoryView:
        return DirectoryView(
            directory,
            catalogue,
            test_ids=tuple(dict.fromkeys((self._plan.test_id, None))),
            is_visible=self._is_visible,
            is_shared=self._plan.is_test and self._plan.options.layout == "flat",
        )

    def before(self) -> list[Recording]:
        """The recordings that the directory held when the cassette was opened, all read."""
        return self._view.all() if self._view is not None else []

    def load_own(self, tools: ToolEntries) -> None:
        """Take in what the directory has, or the old cassette that stands in its place."""
        if self._view is not None:
            self._entries.open(self._view, self._own_entry)
            tools.open(self._view)
        if self._plan.options.layout == "directory":
            self._unread_cassette = old_cassette_of(self.directory.path, *self._plan.old_names)
        if not self.existed:
            self.existed = self.load_old_cassette()

    def load_old_cassette(self) -> bool:
        """Take in the cassette in one file, unless that is done or there is none.

        Where there is a directory, too, this waits until a request finds nothing in it.
        """
        path, self._unread_cassette = self._unread_cassette, None
        if path is None:
            return False
        self.old_cassette = path
        interactions, metadata = beside_event_loop(lambda: read_old_cassette(path))
        for interaction in interactions:
            self._hold(interaction, is_own=True)
        self.metadata = {**metadata, **self.metadata}
        return True

    def load_extra(self, path: str, tools: ToolEntries) -> None:
        """Take in another cassette, of which nothing is ever written."""
        directory = directory_of(path)
        if directory.is_dir():
            for recording in RecordingDirectory(directory).recordings():
                if is_tool_call(recording.document):
                    tools.add_extra(recording)
                elif is_http_exchange(recording.document):
                    self._hold(recording.interaction, recording)
            return
        file = Path(path.removesuffix(SUFFIX))
        old = file if file.is_file() else old_cassette_of(directory)
        if old is not None:
            for interaction in read_old_cassette(old)[0]:
                self._hold(interaction)

    def next_place(self) -> Order:
        """The place in the order of replay of what is taken in now, behind the directory's own."""
        return _LATER, len(self._entries.held), "", 0

    def _hold(
        self,
        interaction: Interaction,
        recording: Recording | None = None,
        *,
        is_own: bool = False,
    ) -> None:
        """Take a loaded interaction in that is not of the directory."""
        pair = self._hooked(interaction)
        if pair is not None:
            place = self.next_place()
            self._entries.add(Entry(place, recording=recording, pair=pair, is_own=is_own))

    def _own_entry(self, recording: Recording) -> Entry | None:
        """The entry of one of the directory's recordings, None where it answers no request."""
        if not is_http_exchange(recording.document):
            return None
        place = (_OWN, *replay_order(recording.path.name, recording.document))
        if not self._plan.has_hooks:
            return Entry(place, recording=recording, is_own=True)
        pair = self._hooked(recording.interaction)
        return None if pair is None else Entry(place, recording=recording, pair=pair, is_own=True)

    def _is_visible(self, test_id: object) -> bool:
        """Whether a recording of the directory belongs to this test.

        In a flat directory, a test sees its own recordings and those of no test. In a directory
        of its own it sees all, but for those of a test whose name differs only in characters that
        file names cannot have, so that both share the directory.
        """
        own = self._plan.test_id
        if not self._plan.is_test or test_id is None or test_id == own:
            return True
        if self._plan.options.layout == "flat":
            return False
        return not isinstance(test_id, str) or as_file_name(test_id) != as_file_name(str(own))
