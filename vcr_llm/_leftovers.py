"""What a test that passed on replay left unplayed: ``on_unplayed``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from vcr.record_mode import RecordMode
from vcr.request import Request as VcrRequest

from vcr_llm._cassette import RecordingCassette
from vcr_llm._misses import counted, record_again
from vcr_llm._recording_directory import read_document
from vcr_llm._redaction import redaction_by
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
    files = [path for path in cassette.unplayed() if _is_own(path, cassette)]
    requests = cassette.unplayed_in_old_cassette()
    if not (files or requests):
        return
    text = _text(item, cassette, files, requests)
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


def _text(
    item: pytest.Item,
    cassette: RecordingCassette,
    files: Sequence[Path],
    requests: Sequence[VcrRequest],
) -> str:
    def shown(path: Path) -> str:
        return relative(str(path.absolute()), item.config.rootpath)

    told = []
    if files:
        told += [
            *_listed([path.name for path in files], "recording", shown(files[0].parent)),
            "To remove what no test plays, run all of them:    pytest --vcr-llm-prune",
        ]
    if requests and cassette.old_cassette is not None:
        old, clean = cassette.old_cassette, redaction_by(cassette.plan.options.redact).text
        names = [clean(f"{request.method} {request.uri}") for request in requests]
        conversion = shlex.join(["vcr-llm", "convert", shown(old), shown(old.parent)])
        told += [
            *_listed(names, "interaction", shown(old)),
            f"To give each a file, which can be pruned:    {conversion}",
        ]
    again = record_again(cassette.plan.name_in_command)
    return "\n".join([*told, f"To record this test anew:    {again}"])


def _listed(names: Sequence[str], what: str, place: str) -> list[str]:
    lines = [f"  {name}" for name in names[:_MOST_NAMES]]
    if len(names) > _MOST_NAMES:
        lines.append(f"  … and {len(names) - _MOST_NAMES} more")
    head = f"The test passed, but did not play {counted(len(names), what)} of {place}:"
    return [head, *lines, ""]
