"""Where a cassette's new recordings go, and what becomes of its directory at the end of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from vcr_llm._event_loop import beside_event_loop
from vcr_llm._foreign import is_http_exchange
from vcr_llm._interaction import Headers, Interaction
from vcr_llm._plan import Plan
from vcr_llm._recording import Addressed, new_recording
from vcr_llm._recording_directory import Recording, RecordingDirectory
from vcr_llm._recording_writer import RecordingWriter, Staging


class Saving:
    """Writes recordings to a cassette's directory, or beside it until the test is over.

    ``before`` gives the recordings that the directory held when the cassette was opened;
    ``begins_anew`` says that new ones take their place.
    """

    def __init__(
        self,
        directory: RecordingDirectory,
        plan: Plan,
        *,
        before: Callable[[], list[Recording]],
        begins_anew: bool,
    ) -> None:
        self._directory = directory
        self._plan = plan
        self._before = before
        self._begins_anew = begins_anew
        self._staging: Staging | None = None
        self._waiting: list[Addressed] = []

    def open(self, *, has_leftovers: bool) -> None:
        """Remove what runs that were killed left, and find a place for what has to wait."""
        if has_leftovers:
            self._directory.sweep()
        if self._plan.rewrite or not self._plan.record_on_exception:
            self._staging = Staging(self._directory)
            self._staging.sweep()

    def save(self, interaction: Interaction, sent_headers: Headers) -> Recording | None:
        """Write an exchange; None where its file has to wait for the end of the test."""
        addressed = new_recording(interaction, self._plan.options, secret_headers=sent_headers)
        staging = self._staging
        if staging is None:
            return beside_event_loop(lambda: self._writer.write(*addressed))
        beside_event_loop(lambda: staging.writer.write(*addressed))
        self._waiting.append(addressed)
        return None

    def take_over(self) -> None:
        """Give the recordings that waited their place in the cassette."""
        if self._staging is None:
            return
        if self._plan.rewrite:  # they have the names and places that they will have
            for recording in self._staging.directory.recordings():
                self._writer.move(recording)
        else:
            for address, document in self._waiting:
                self._writer.write(address, document)

    def save_metadata(self, metadata: dict[str, Any]) -> None:
        """Store something beside the recordings."""
        self._directory.save_metadata(metadata)

    def remove_old(self) -> None:
        """Leave only what was recorded now."""
        self.remove(found for found in self._before() if is_http_exchange(found.document))

    def remove(self, stale: Iterable[Recording]) -> None:
        """Remove recordings, but for those whose files hold what was recorded now."""
        gone = [found for found in stale if found.path not in self._writer.written]
        if gone:
            self._directory.remove(gone)

    def close(self) -> None:
        """Nothing waits any more."""
        if self._staging is not None:
            self._staging.discard()

    @cached_property
    def _writer(self) -> RecordingWriter:
        return RecordingWriter(
            self._directory,
            before=() if self._begins_anew else self._before(),
            replaceable=self._before() if self._begins_anew else (),
            is_shared=self._plan.opened_for is not None,
        )
