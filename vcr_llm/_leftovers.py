"""What a test that passed on replay left unplayed: ``on_unplayed``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from vcr.record_mode import RecordMode

from vcr_llm._cassette import RecordingCassette
from vcr_llm._misses import record_again
from vcr_llm._recording_directory import read_document
from vcr_llm._run_summary import relative
from vcr_llm._test_warning import warn_of

_MOST_NAMES = 20


def judge_unplayed(item: pytest.Item, cassette: RecordingCassette) -> None:
    """Warn or fail, as ``on_unplayed`` says, where recordings were left.

    Only a replay is judged: a test that records leaves what it replaces.
    """
    judgement = cassette.plan.options.on_unplayed
    if judgement == "ignore" or not _was_replay(cassette):
        return
    unplayed = [path for path in cassette.unplayed() if _is_own(path, cassette)]
    if not unplayed:
        return
    text = _text(item, cassette, unplayed)
    if judgement == "fail":
        pytest.fail(text, pytrace=False)
    warn_of(item, text)


def _was_replay(cassette: RecordingCassette) -> bool:
    begins_anew = cassette.plan.rewrite or cassette.record_mode == RecordMode.ALL
    return not begins_anew and not cassette.has_recorded


def _is_own(path: Path, cassette: RecordingCassette) -> bool:
    """Whether a recording is this test's alone; in a flat directory others may play it."""
    if cassette.plan.options.layout != "flat":
        return True
    return read_document(path).get("test_id") == cassette.plan.test_id


def _text(item: pytest.Item, cassette: RecordingCassette, unplayed: Sequence[Path]) -> str:
    root = item.config.rootpath
    count = len(unplayed)
    names = [f"  {path.name}" for path in unplayed[:_MOST_NAMES]]
    if count > _MOST_NAMES:
        names.append(f"  … and {count - _MOST_NAMES} more")
    directory = relative(str(unplayed[0].parent.absolute()), root)
    what = f"{count} recording{'' if count == 1 else 's'}"
    return "\n".join(
        [
            f"The test passed, but did not play {what} of {directory}:",
            *names,
            "",
            "To remove what no test plays, run all of them:    pytest --vcr-llm-prune",
            f"To record this test anew:    {record_again(cassette.plan.name_in_command)}",
        ]
    )
