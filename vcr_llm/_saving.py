"""Where a cassette's new recordings go, and what becomes of its directory at the end of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from vcr_llm._address import address_of
from vcr_llm._event_loop import beside_event_loop
from vcr_llm._foreign import Document, is_http_exchange, is_tool_call
from vcr_llm._interaction import Headers, Interaction
from vcr_llm._keyed_request import KeyedRequest
from vcr_llm._plan import Plan
from vcr_llm._recording import Addressed, new_tool_recording, recording_to_write
from vcr_llm._recording_directory import Recording, RecordingDirectory
from vcr_llm._recording_writer import RecordingWriter, Staging
from vcr_llm._set_aside import forget, is_worth_keeping, set_aside
from vcr_llm._tool_call import ToolAnswer, ToolCall


class _Waiting(NamedTuple):
    """A recording that waits for the end of the test, and the file from which it was taken."""

    addressed: Addressed
    source: Recording | None = None


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
        self._waiting: list[_Waiting] = []
        self._renewed: list[tuple[Document, Recording]] = []
        self._recorded: set[str] = set()

    def open(self, *, has_leftovers: bool) -> None:
        """Remove what runs that were killed left, and find a place for what has to wait."""
        if has_leftovers:
            self._directory.sweep()
        if self._plan.rewrite or not self._plan.record_on_exception:
            self._staging = Staging(self._directory)
            self._staging.sweep()

    def save(
        self,
        interaction: Interaction,
        sent_headers: Headers,
        *,
        request: KeyedRequest | None = None,
        renews: Recording | None = None,
    ) -> Recording | None:
        """Write an exchange; None where its file has to wait for the end of the test.

        ``request`` is its request as matching saw it, if nothing has changed it since. It takes
        the place of the recording that it ``renews``, unless it is an error and that one is none.
        """
        addressed = recording_to_write(
            interaction, self._plan.options, secret_headers=sent_headers, request=request
        )
        if renews is not None:
            return self._renew(addressed.document, renews)
        return self._write(addressed)

    def save_tool_call(self, call: ToolCall, answer: ToolAnswer) -> Recording | None:
        """Write the call of a tool, as `save` does."""
        return self._write(new_tool_recording(call, answer, self._plan.test_id, self._plan.options))

    def _write(self, addressed: Addressed) -> Recording | None:
        self._recorded.add(addressed.address)
        staging = self._staging
        if staging is None:
            return beside_event_loop(lambda: self._writer.write(*addressed))
        beside_event_loop(lambda: staging.writer.write(*addressed))
        self._waiting.append(_Waiting(addressed))
        return None

    def _renew(self, document: Document, old: Recording) -> Recording | None:
        if is_worth_keeping(old.document) and not is_worth_keeping(document):
            return None
        if self._staging is None:
            return beside_event_loop(lambda: self._writer.renew(document, old))
        self._renewed.append((document, old))
        return None

    def take(self, recording: Recording) -> Recording:
        """Make a recording that a failed test had left one of the cassette's own."""
        addressed = Addressed(address_of(recording.document), recording.document)
        if self._staging is not None:
            self._waiting.append(_Waiting(addressed, recording))
            return recording

        def move() -> Recording:
            written = self._writer.write(*addressed)
            forget(self._directory, (), [recording])
            return written

        return beside_event_loop(move)

    def take_over(self) -> None:
        """Give the recordings that waited their place in the cassette."""
        if self._staging is not None and self._plan.rewrite:
            # They have the names and places that they will have.
            for recording in self._staging.directory.recordings():
                self._writer.move(recording)
        elif self._staging is not None:
            for addressed, _source in self._waiting:
                self._writer.write(*addressed)
        for document, old in self._renewed:
            self._writer.renew(document, old)
        forget(self._directory, self._recorded, self._taken)

    def set_aside(self) -> None:
        """Keep what the test has recorded for the next recording, since the test has failed."""
        recorded = [addressed for addressed, source in self._waiting if source is None]
        set_aside(self._directory, recorded, self._taken)

    @property
    def _taken(self) -> list[Recording]:
        return [source for _addressed, source in self._waiting if source is not None]

    def save_metadata(self, metadata: dict[str, Any]) -> None:
        """Store something beside the recordings."""
        self._directory.save_metadata(metadata)

    def remove_old(self) -> None:
        """Leave only what was recorded now, and errors of another system's clients."""
        self.remove(
            found
            for found in self._before()
            if is_tool_call(found.document) or is_http_exchange(found.document)
        )

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
