"""What a run replayed, recorded and missed, and what it did not spend: in a line, and as JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from vcr_llm._cassette_use import CassetteUse
from vcr_llm._conversation.exchange import exchange_of
from vcr_llm._conversation.members import first_text
from vcr_llm._conversation.usage import usage_of
from vcr_llm._conversation.values import Usage
from vcr_llm._errors import RecordingError
from vcr_llm._json import JSON
from vcr_llm._recording_directory import read_document

VERSION = 1
"""Of the JSON; it grows when a member changes its meaning or goes, not when one is added."""

_FAILED = 400  # RFC 9110, 15.5: statuses from here on are errors, which cost nothing


class Tokens(NamedTuple):
    """Tokens that providers counted; ``untold`` is how many answers of models say nothing."""

    all: int = 0
    input: int = 0
    output: int = 0
    untold: int = 0

    def plus(self, other: Tokens, times: int = 1) -> Tokens:
        """These and others together, the others so many times."""
        return Tokens(*(one + times * more for one, more in zip(self, other, strict=True)))


@dataclass(slots=True)
class CassetteTotal:
    """What all uses of one cassette came to."""

    path: str
    tests: set[str] = field(default_factory=set)
    record_modes: set[str] = field(default_factory=set)
    replayed: int = 0
    recorded: int = 0
    missed: int = 0
    not_sent: int = 0
    tokens: Tokens = field(default_factory=Tokens)


class Differing(NamedTuple):
    """What is said of a recording whose answer has another shape now."""

    test: str | None
    recording: str
    difference: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did, by cassette; a shared cassette is one."""

    cassettes: tuple[CassetteTotal, ...]
    compared: int = 0
    """Answers that were compared with what the server says now."""
    drift: tuple[Differing, ...] = ()

    @property
    def replayed(self) -> int:
        """Requests that were answered from recordings."""
        return sum(cassette.replayed for cassette in self.cassettes)

    @property
    def not_sent(self) -> int:
        """Those of them that were not sent."""
        return sum(cassette.not_sent for cassette in self.cassettes)

    @property
    def recorded(self) -> int:
        """Requests that were sent, and whose answers were recorded."""
        return sum(cassette.recorded for cassette in self.cassettes)

    @property
    def missed(self) -> int:
        """Requests that no recording answered and that were not sent."""
        return sum(cassette.missed for cassette in self.cassettes)

    @property
    def tokens(self) -> Tokens:
        """The tokens of all requests that were not sent."""
        total = Tokens()
        for cassette in self.cassettes:
            total = total.plus(cassette.tokens)
        return total


def summary_of(uses: Sequence[CassetteUse]) -> Summary:
    """What these uses came to; each file that was played is read once."""
    by_path: dict[str, CassetteTotal] = {}
    known: dict[str, Tokens] = {}
    for use in uses:
        total = by_path.setdefault(use.path, CassetteTotal(use.path))
        total.tests |= {use.test_id} if use.test_id else set()
        total.record_modes.add(use.record_mode)
        total.replayed += use.replayed
        total.recorded += use.recorded
        total.missed += use.missed
        if use.is_verified:
            continue
        total.not_sent += use.replayed
        total.tokens = total.tokens.plus(Tokens(untold=use.played_elsewhere))
        for path, plays in use.played.items():
            if path not in known:
                known[path] = _tokens_in(Path(path))
            total.tokens = total.tokens.plus(known[path], plays)
    return Summary(
        tuple(by_path[path] for path in sorted(by_path)),
        sum(use.compared for use in uses),
        tuple(Differing(use.test_id, *found) for use in uses for found in use.drift),
    )


def line_of(summary: Summary) -> str:
    """The summary for a terminal."""
    return (
        f"vcr-llm: {summary.replayed:,} replayed, {summary.recorded:,} recorded, "
        f"{summary.missed:,} missed; not spent: {_count(summary.not_sent, 'request')}, "
        f"{_tokens_text(summary.tokens)}"
    )


def summary_json(
    summary: Summary, *, root: Path, exit_status: int, pruned: Sequence[str]
) -> dict[str, JSON]:
    """The summary for a program; paths are relative to ``root`` where they are below it."""
    return {
        "version": VERSION,
        "exit_status": exit_status,
        "replayed": summary.replayed,
        "recorded": summary.recorded,
        "missed": summary.missed,
        "not_spent": {"requests": summary.not_sent, **_members(summary.tokens)},
        "cassettes": [_cassette_json(cassette, root) for cassette in summary.cassettes],
        "pruned": [relative(path, root) for path in pruned],
        "compared": summary.compared,
        "drift": [
            {**one._asdict(), "recording": relative(one.recording, root)} for one in summary.drift
        ],
    }


def relative(path: str, root: Path) -> str:
    """A path as it is seen from a directory; one that is elsewhere is whole."""
    found = Path(path)
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else os.fspath(found)


def _cassette_json(cassette: CassetteTotal, root: Path) -> dict[str, JSON]:
    return {
        "path": relative(cassette.path, root),
        "tests": list[JSON](sorted(cassette.tests)),
        "record_modes": list[JSON](sorted(cassette.record_modes)),
        "replayed": cassette.replayed,
        "recorded": cassette.recorded,
        "missed": cassette.missed,
        "not_spent": {"requests": cassette.not_sent, **_members(cassette.tokens)},
    }


def _members(tokens: Tokens) -> Mapping[str, JSON]:
    return {
        "tokens": tokens.all,
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "requests_without_usage": tokens.untold,
    }


def _tokens_in(path: Path) -> Tokens:
    """What a recording says was used; one that cannot be read any more says nothing."""
    try:
        exchange = exchange_of(read_document(path))
    except (RecordingError, OSError):
        return Tokens(untold=1)
    usage = usage_of(exchange.payloads)
    if usage is not None:
        return _tokens(usage)
    request = exchange.document.get("request")
    is_of_model = first_text(request, "model") or first_text(exchange.body, "model", "modelId")
    has_failed = exchange.status is not None and exchange.status >= _FAILED
    return Tokens(untold=1 if is_of_model and not has_failed else 0)


def _tokens(usage: Usage) -> Tokens:
    parts = [count for count in (usage.input, usage.output) if count is not None]
    whole = sum(parts) if parts else usage.total or 0
    return Tokens(whole, usage.input or 0, usage.output or 0)


def _tokens_text(tokens: Tokens) -> str:
    if tokens.untold and not tokens.all:
        return "tokens not known"
    at_least = "at least " if tokens.untold else ""
    parts = f" ({tokens.input:,} in, {tokens.output:,} out)" if tokens.all else ""
    return f"{at_least}{_count(tokens.all, 'token')}{parts}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
