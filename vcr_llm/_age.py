"""How old recordings are, by the second in which they were recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from vcr_llm._foreign import Document


class Aged(NamedTuple):
    """A recording by the name that people know, and when it was recorded, if it says so."""

    name: str
    recorded_at: datetime | None


def recorded_at(document: Document) -> datetime | None:
    """When a document was recorded; None where it does not say so in the form of RFC 3339."""
    said = document.get("recorded_at")
    if not isinstance(said, str):
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def is_expired(document: Document, max_age: timedelta, now: datetime) -> bool:
    """Whether a document is older than that; one of unknown age is not."""
    moment = recorded_at(document)
    return moment is not None and now - moment > max_age


def describe_expired(played: Sequence[Aged], max_age: timedelta, now: datetime) -> str:
    """How many of these are too old, and which is the oldest; empty where none is."""
    known = [(one.recorded_at, one.name) for one in played if one.recorded_at is not None]
    old = [(moment, name) for moment, name in known if now - moment > max_age]
    if not old:
        return ""
    moment, name = min(old)
    are = "is" if len(old) == 1 else "are"
    return (
        f"{len(old)} of {_recordings(len(played))} {are} older than {_days(max_age)}: "
        f"{'' if len(old) == 1 else 'the oldest, '}{name}, is of {moment:%Y-%m-%d}, "
        f"{_days(now - moment)} ago"
    )


def describe_unknown(played: Iterable[Aged]) -> str:
    """How many of these do not say when they were recorded; empty where all do."""
    unknown = [one.name for one in played if one.recorded_at is None]
    if not unknown:
        return ""
    has = "has" if len(unknown) == 1 else "have"
    its = "its age is" if len(unknown) == 1 else "their ages are"
    return f"{_recordings(len(unknown))} {has} no recorded_at, so {its} not known: {unknown[0]}" + (
        "" if len(unknown) == 1 else " and others"
    )


def _recordings(number: int) -> str:
    return f"{number} recording{'' if number == 1 else 's'}"


def _days(age: timedelta) -> str:
    """An age in the largest unit that does not round it to nothing."""
    for unit, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        number = int(age.total_seconds() // seconds)
        if number:
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "0 seconds"
