"""``--vcr-llm-prune``: recordings that no test of a whole green run played go.

Whatever is in doubt stays: a cassette that was recorded anew, one in which a request was missed,
one that a skipped test may share.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from vcr_llm._cassette_use import CassetteUse
from vcr_llm._errors import RecordingError
from vcr_llm._foreign import is_http_exchange, is_tool_call
from vcr_llm._recording_directory import Recording, RecordingDirectory
from vcr_llm._run_summary import relative

_REPLAYING = {"none", "once", "new_episodes"}


class Left(NamedTuple):
    """A cassette that was left alone, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, and what was left alone."""

    removed: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


def prune(
    uses: Iterable[CassetteUse], *, skipped: Collection[str], spared: Collection[str]
) -> Pruned:
    """Remove from the cassettes that were replayed what nothing played.

    ``skipped`` are the tests that did not run to their end, ``spared`` the names of cassettes
    that these name in their marks.
    """
    by_path: dict[str, list[CassetteUse]] = {}
    for use in uses:
        by_path.setdefault(use.path, []).append(use)
    played = {file for group in by_path.values() for use in group for file in use.played}
    written = {file for group in by_path.values() for use in group for file in use.written}
    pruned = Pruned()
    for path, group in sorted(by_path.items()):
        if reason := _doubt(group, skipped, spared):
            pruned.left.append(Left(path, reason))
            continue
        try:
            _prune(RecordingDirectory(path), group, played | written, skipped, pruned)
        except RecordingError as error:
            pruned.left.append(Left(path, error.problem))
    return pruned


def told(pruned: Pruned, root: Path) -> list[str]:
    """What was done, in lines."""
    count = len(pruned.removed)
    head = f"vcr-llm: pruned {count} recording{'' if count == 1 else 's'} that no test played"
    return [
        f"{head}:" if count else "vcr-llm: nothing to prune: no recording was left unplayed",
        *(f"  {relative(path, root)}" for path in pruned.removed),
        *(f"  left alone: {relative(path, root)}: {reason}" for path, reason in pruned.left),
    ]


def _prune(
    directory: RecordingDirectory,
    uses: Sequence[CassetteUse],
    needed: Collection[str],
    skipped: Collection[str],
    pruned: Pruned,
) -> None:
    unplayed = [
        recording
        for recording in directory.recordings()
        if str(recording.path) not in needed and _may_go(recording, uses, skipped)
    ]
    directory.remove(unplayed)
    pruned.removed.extend(str(recording.path) for recording in unplayed)


def _may_go(recording: Recording, uses: Sequence[CassetteUse], skipped: Collection[str]) -> bool:
    """Whether a recording is one that these tests, and no others, would have played."""
    if not (is_http_exchange(recording.document) or is_tool_call(recording.document)):
        return False
    owner = recording.document.get("test_id")
    if uses[0].is_flat:
        return owner in {use.test_id for use in uses} or (owner is None and not skipped)
    return owner not in skipped


def _doubt(
    uses: Sequence[CassetteUse], skipped: Collection[str], spared: Collection[str]
) -> str | None:
    """Why a cassette is left alone, None where nothing speaks for it."""
    tests = {use.test_id for use in uses}
    passed = {use.test_id for use in uses if use.has_passed}
    if any(use.record_mode not in _REPLAYING for use in uses):
        return "it was recorded anew, not replayed"
    if any(use.missed for use in uses):
        return "a request had no recording"
    if any(use.recorded > len(use.written) for use in uses):
        return "it was recorded"
    if not tests.isdisjoint(skipped) or tests - passed:
        return "a test that uses it did not run to its end"
    if not skipped or uses[0].is_flat:
        return None
    is_one_tests_own = len(tests) == 1 and all(use.is_tests_own for use in uses)
    if not is_one_tests_own or Path(uses[0].path).name in spared:
        return "a test that was skipped may share it"
    return None
