"""The requests that no recording of a cassette answered, and what is said about them."""

from __future__ import annotations

from pathlib import Path

from vcr.record_mode import RecordMode
from vcr.request import Request as VcrRequest

from vcr_llm._ending import Ending
from vcr_llm._entries import Entries
from vcr_llm._entry import Entry
from vcr_llm._errors import RecordingEnds
from vcr_llm._keyed_request import KeyedRequest
from vcr_llm._misses import Candidate, describe_miss, record_again
from vcr_llm._plan import Plan
from vcr_llm._tool_entries import ToolEntry


class CassetteMisses:
    """Explains what a cassette does not answer; ``texts`` keeps each explanation once."""

    def __init__(self, directory: Path, plan: Plan, entries: Entries) -> None:
        self.texts: list[str] = []
        self._directory = directory
        self._plan = plan
        self._entries = entries
        self.shown_path = _nearby(directory)

    def text(
        self, seen: KeyedRequest, filtered: VcrRequest, mode: RecordMode, kept: Entry | None = None
    ) -> str:
        """Why no recording answers a request; ``kept`` is of a test that has failed."""
        text = describe_miss(
            seen,
            [self._candidate(seen, filtered, entry) for entry in self._entries.in_order()],
            parts=self._entries.parts,
            ignore=self._plan.options.ignore,
            cassette=self.shown_path,
            record_mode=str(mode.value),
            test_id=self._plan.name_in_command,
            kept=None if kept is None else self.name_of(kept),
        )
        self.keep(text)
        return text

    def unrecorded_rest(self, count: str, ended: Ending | None, path: Path | None) -> RecordingEnds:
        """The error for a client that reads on where the recorded one had stopped."""
        is_cancelled = ended is not None and ended.is_cancelled
        what = "task was cancelled" if is_cancelled else "client closed this stream"
        error = RecordingEnds(
            f"the recorded {what} after {count}, and this one reads on. "
            f"Record it again: {record_again(self._plan.name_in_command)}",
            path=path,
        )
        self.keep(str(error))
        return error

    def about(self, said: str) -> str:
        """What is said of this cassette, with its path and how to record it anew."""
        again = f"To record it anew: {record_again(self._plan.name_in_command)}"
        return f"{self.shown_path}: {said}\n{again}"

    def name_of(self, entry: Entry | ToolEntry) -> str:
        """What to call a recording: its file, with the directory where that is another one."""
        if entry.recording is None:
            return "a recording of the old cassette" if not entry.is_new else "a new recording"
        path = entry.recording.path
        is_inside = path.is_relative_to(self._directory)
        return path.relative_to(self._directory).as_posix() if is_inside else str(path)

    def _candidate(self, seen: KeyedRequest, filtered: VcrRequest, entry: Entry) -> Candidate:
        recorded = self._entries.keyed(entry)
        _successes, failures = self._entries.compare(seen, filtered, entry)
        return Candidate(
            self.name_of(entry),
            recorded.request,
            recorded.key,
            is_played=entry.is_new or entry.plays > 0,
            failures=failures,
        )

    def keep(self, text: str) -> None:
        """Keep an explanation, once."""
        if text not in self.texts:
            self.texts.append(text)


def _nearby(path: Path) -> str:
    """A path as a person in the working directory would write it."""
    absolute = path.absolute()
    return (
        str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)
    )
