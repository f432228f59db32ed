"""What to say when no recording answers a request."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from vcr_llm._json import JSON
from vcr_llm._keyed_request import KeyedRequest
from vcr_llm._request_key import Difference, IgnoredPath, RequestKey, differences

_OURS = (*RequestKey._fields, "uri", "llm_body")  # matchers whose differences are shown by path
_MOST_COMPARED = 200
_MOST_DIFFERENCES = 8
_MOST_NAMES = 5


class Candidate(NamedTuple):
    """A recorded request, and the file that holds it."""

    name: str
    request: dict[str, JSON]
    key: RequestKey
    is_played: bool
    failures: Sequence[tuple[str, str | None]] = ()
    """The matchers that do not agree, and what they say; none where the request matches."""


def describe_miss(  # noqa: PLR0913 - one keyword for each line of the text
    incoming: KeyedRequest,
    candidates: Sequence[Candidate],
    *,
    parts: tuple[str, ...],
    ignore: Sequence[IgnoredPath],
    cassette: str,
    record_mode: str,
    test_id: str | None,
    kept: str | None = None,
) -> str:
    """The request, the nearest recording and what differs by path, and how to record.

    ``parts`` are those of the key that decide; ``test_id`` is None outside pytest; ``kept`` is
    the answer that a failed test has recorded.
    """
    model = incoming.request.get("model")
    asked = f" (model {model})" if model else ""
    how_many = counted(len(candidates), "recording")
    lines = [
        f"No recording answers {incoming.key.method} {incoming.request.get('url')}{asked}",
        f"Cassette: {cassette} ({how_many}, record mode {record_mode})",
    ]
    matching = [found for found in candidates if not found.failures]
    if matching:
        lines += ["", "These match, but are already played:"]
        lines += listed([candidate.name for candidate in matching])
    elif candidates:
        lines += ["", *_nearest_lines(incoming, candidates, parts, ignore)]
    if kept is not None:
        lines += ["", f"A test that failed has recorded it: {kept}. Recording takes it over."]
    return "\n".join([*lines, "", *how_to_record(test_id)])


def _nearest_lines(
    incoming: KeyedRequest,
    candidates: Sequence[Candidate],
    parts: tuple[str, ...],
    ignore: Sequence[IgnoredPath],
) -> list[str]:
    nearest, found = min(
        (
            (candidate, _counting(candidate, incoming, parts, ignore))
            for candidate in _alike(incoming, candidates)
        ),
        key=lambda pair: (len(pair[1]), pair[0].is_played),
    )
    played = ", already played" if nearest.is_played else ""
    others = [
        f"  {name}: {said or 'this matcher does not agree'}"
        for name, said in nearest.failures
        if name not in _OURS or not found
    ]
    shown = [*difference_lines(found, "request"), *others]
    return [f"Nearest is {nearest.name}{played}. It differs in:", *shown]


def _counting(
    candidate: Candidate,
    incoming: KeyedRequest,
    parts: tuple[str, ...],
    ignore: Sequence[IgnoredPath],
) -> list[Difference]:
    """The differences that count: those in the parts that decide, if there are any of these."""
    found = differences(candidate.request, incoming.request, ignore)
    counting = [difference for difference in found if _part(difference) in parts]
    return counting if counting or candidate.failures else found


def _part(difference: Difference) -> str:
    head = difference.path.partition(".")[0]
    return head if head in RequestKey._fields else "body"


def _alike(incoming: KeyedRequest, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that agree in most of what stands outside the body; not too many."""
    scored = [
        (sum(map(_equal, candidate.key, incoming.key)), candidate) for candidate in candidates
    ]
    most = max(score for score, _candidate in scored)
    return [candidate for score, candidate in scored if score == most][:_MOST_COMPARED]


def _equal(one: object, other: object) -> bool:
    return one == other


def difference_lines(found: Sequence[Difference], what: str) -> list[str]:
    """A line for each difference, not too many; ``what`` is what has come now."""
    shown = [f"  {difference.told(what)}" for difference in found[:_MOST_DIFFERENCES]]
    if len(found) > _MOST_DIFFERENCES:
        shown.append(f"  … and {counted(len(found) - _MOST_DIFFERENCES, 'more place')}")
    return shown


def listed(names: Sequence[str]) -> list[str]:
    """A line for each name, not too many."""
    shown = [f"  {name}" for name in names[:_MOST_NAMES]]
    return (
        shown if len(names) <= _MOST_NAMES else [*shown, f"  … and {len(names) - _MOST_NAMES} more"]
    )


def how_to_record(test_id: str | None) -> list[str]:
    """The commands that record what is missing; ``test_id`` is None outside pytest."""
    if test_id is None:
        return [
            'To record it, use record_mode="new_episodes"; to record the cassette anew, "rewrite".'
        ]
    return [
        f"To record it:               {_command(test_id)} --record-mode=new_episodes",
        f"To record the test anew:    {record_again(test_id)}",
    ]


def record_again(test_id: str | None) -> str:
    """What records a cassette anew; ``test_id`` is None outside pytest."""
    if test_id is None:
        return 'record_mode="rewrite"'
    return f"{_command(test_id)} --record-mode=rewrite"


def _command(test_id: str) -> str:
    return f"pytest {shlex.quote(test_id)}"


def counted(number: int, what: str) -> str:
    """A number of things, in words."""
    return f"{number} {what}{'' if number == 1 else 's'}"
