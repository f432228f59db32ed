"""A marked test whose cassette got nothing, or not all that the test sent."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from vcr_llm._cassette import RecordingCassette
from vcr_llm._network_watch import Connection
from vcr_llm._test_warning import warn_of

_NOTHING = (
    "The test is marked with vcr, but no request came to its cassette: nothing was replayed or "
    "recorded. Take the mark away where the test sends nothing; where it does, its client is one "
    "that vcrpy does not patch."
)


def warn_of_connections(item: pytest.Item, connections: Iterable[Connection]) -> None:
    """Name what was reached past the cassette."""
    for host, port, place in connections:
        warn_of(
            item,
            f"The test reached {host}:{port} past its cassette, from {place}: what it sent there "
            "is not recorded, and is sent again in every run. Use a client that vcrpy patches, or "
            f'say that it is meant: ignore_hosts=["{host}"].',
        )


def warn_of_nothing(item: pytest.Item, cassette: RecordingCassette) -> None:
    """Say that a test which has passed used its cassette for nothing.

    Where a whole module or class is marked, tests that send nothing are to be expected; there a
    test is only told of if it leaves recordings.
    """
    if _is_marked_itself(item) or cassette.unplayed() or cassette.unplayed_in_old_cassette():
        warn_of(item, _NOTHING)


def _is_marked_itself(item: pytest.Item) -> bool:
    marks = getattr(getattr(item, "obj", None), "pytestmark", ())
    return any(mark.name == "vcr" for mark in marks)
