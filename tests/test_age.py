"""How old recordings are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vcr_llm._age import Aged, describe_expired, describe_unknown, is_expired, recorded_at

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = timedelta(days=30)

MOMENTS: list[tuple[object, datetime | None]] = [
    ("2026-02-28T12:00:00Z", datetime(2026, 2, 28, 12, tzinfo=UTC)),
    ("2026-02-28T13:00:00+01:00", datetime(2026, 2, 28, 12, tzinfo=UTC)),
    ("2026-02-28T12:00:00", datetime(2026, 2, 28, 12, tzinfo=UTC)),
    ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
    ("yesterday", None),
    (1_700_000_000, None),
    (None, None),
]


@pytest.mark.parametrize(("said", "moment"), MOMENTS)
def test_a_document_says_when_it_was_recorded(said: object, moment: datetime | None) -> None:
    """Without a zone it is UTC, as we write it; what is no time is no time."""
    assert recorded_at({"recorded_at": said}) == moment  # type: ignore[dict-item]  # any JSON


@pytest.mark.parametrize(
    ("said", "expected"),
    [("2026-01-29T00:00:00Z", True), ("2026-01-30T00:00:00Z", False), ("", False)],
)
def test_what_is_older_has_expired(said: str, expected: bool) -> None:
    """At the very age it has not, and of unknown age it has not."""
    assert is_expired({"recorded_at": said}, MONTH, NOW) is expected


def test_the_oldest_is_named() -> None:
    """How many there are, which is the oldest, and how old it is."""
    played = [Aged("a.json", NOW - timedelta(days=40)), Aged("b.json", NOW - timedelta(days=50))]
    assert describe_expired([*played, Aged("c.json", NOW)], MONTH, NOW) == (
        "2 of 3 recordings are older than 30 days: the oldest, b.json, is of 2026-01-10, "
        "50 days ago"
    )
    assert describe_expired([played[0]], MONTH, NOW) == (
        "1 of 1 recording is older than 30 days: a.json, is of 2026-01-20, 40 days ago"
    )
    assert describe_expired([Aged("c.json", NOW), Aged("d.json", None)], MONTH, NOW) == ""


@pytest.mark.parametrize(
    ("max_age", "words"),
    [
        (timedelta(hours=5), "5 hours"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=2), "2 seconds"),
        (timedelta(0), "0 seconds"),
    ],
)
def test_short_ages_have_units_of_their_own(max_age: timedelta, words: str) -> None:
    """An age is never rounded to nothing."""
    assert f"older than {words}" in describe_expired(
        [Aged("a.json", NOW - timedelta(days=1))], max_age, NOW
    )


def test_unknown_ages_are_told() -> None:
    """One is named, and how many there are."""
    unknown = [Aged("a.json", None), Aged("b.json", None)]
    assert describe_unknown([Aged("c.json", NOW)]) == ""
    assert describe_unknown([Aged("c.json", NOW), unknown[0]]) == (
        "1 recording has no recorded_at, so its age is not known: a.json"
    )
    assert describe_unknown(unknown) == (
        "2 recordings have no recorded_at, so their ages are not known: a.json and others"
    )
