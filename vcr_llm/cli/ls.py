"""``vcr-llm ls``: the cassettes of a tree, with what was asked in them and what it took."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import click

from vcr_llm._conversation import Usage, conversation_of
from vcr_llm._errors import RecordingError
from vcr_llm._redaction import Redaction
from vcr_llm.cli import FOUND, OK
from vcr_llm.cli._cassettes import is_cassette
from vcr_llm.cli._conversation_text import readable_size
from vcr_llm.cli._jobs import done
from vcr_llm.cli._output import Column, print_json, print_problem, print_table, tracked
from vcr_llm.cli._recordings import (
    cassettes_below,
    default_path,
    document_in,
    recording_files,
)
from vcr_llm.cli._tree import Problem, Walk

_NOTHING = "—"
_MOST_NAMES = 4
_COLUMNS = (
    Column("cassette"),
    Column("requests", is_number=True),
    Column("tokens", is_number=True),
    Column("size", is_number=True),
    Column("age", is_number=True),
    Column("models"),
    Column("endpoints"),
)


class Job(NamedTuple):
    """A file to look at, and the cassette that it is part of."""

    cassette: Path
    path: Path


class Seen(NamedTuple):
    """What one file holds; ``requests`` is 0 where it is no recording."""

    cassette: Path
    requests: int = 0
    model: str | None = None
    endpoint: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    size: int = 0
    recorded_at: str | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What a cassette holds, or all of them."""

    name: str
    requests: int
    models: tuple[str, ...]
    endpoints: tuple[str, ...]
    input_tokens: int | None
    output_tokens: int | None
    size: int
    oldest: str | None
    newest: str | None


@click.command("ls")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(*, paths: tuple[Path, ...], as_json: bool) -> int:
    """List cassettes with their requests, models, endpoints, tokens, size and age.

    Each PATH is a cassette, a recording, or a tree of cassettes; without one it is the directory
    "cassettes", or where there is none the current directory. Tokens are those of prompts and of
    answers, where the provider says them; the age is that of the oldest recording.

    Example: vcr-llm ls tests
    """
    walk = Walk(is_cassette)
    jobs = list(_jobs(walk, paths or (default_path(),)))
    seen = list(tracked(done(look_at, jobs), total=len(jobs), what="Reading"))
    problems = [*walk.problems, *(one.problem for one in seen if one.problem is not None)]
    for path, reason in problems:
        print_problem(path, reason)
    rows = [row_of(os.fspath(cassette), group) for cassette, group in _by_cassette(seen).items()]
    total = _total(seen, len(rows))
    if as_json:
        print_json(_as_json(rows, total, problems))
    else:
        now = datetime.now(UTC)
        print_table(_COLUMNS, [_cells(row, now) for row in rows], footer=_cells(total, now))
    return FOUND if problems else OK


def look_at(job: Job) -> Seen:
    """What a file holds; whatever is wrong with it is told in the result."""
    try:
        document = document_in(job.path)
        size = job.path.stat().st_size
    except RecordingError as error:
        return Seen(job.cassette, problem=Problem(job.path, error.problem))
    except OSError as error:
        return Seen(job.cassette, problem=Problem(job.path, f"cannot be read: {error.strerror}"))
    if document is None:
        return Seen(job.cassette)
    conversation = conversation_of(document)
    redaction = Redaction()
    usage = conversation.usage or Usage()
    return Seen(
        job.cassette,
        1,
        redaction.text(conversation.model or conversation.answered_by or ""),
        redaction.text(conversation.endpoint),
        usage.input,
        usage.output,
        size,
        conversation.recorded_at,
    )


def row_of(name: str, seen: Sequence[Seen]) -> Row:
    """What recordings come to together."""
    times = sorted(when for one in seen if (when := one.recorded_at) and _time(when) is not None)
    return Row(
        name,
        requests=sum(one.requests for one in seen),
        models=_distinct(one.model for one in seen),
        endpoints=_distinct(one.endpoint for one in seen),
        input_tokens=_sum(one.input_tokens for one in seen),
        output_tokens=_sum(one.output_tokens for one in seen),
        size=sum(one.size for one in seen),
        oldest=times[0] if times else None,
        newest=times[-1] if times else None,
    )


def age(recorded_at: str | None, now: datetime) -> str:
    """How long ago something was recorded, in the largest unit of which it is two or more."""
    then = _time(recorded_at)
    if then is None:
        return _NOTHING
    passed = max(now - then, timedelta())
    for days, unit in ((365, "year"), (30, "month"), (1, "day")):
        if (count := passed.days // days) >= _SEVERAL:
            return f"{count} {unit}s"
    hours, minutes = divmod(passed.days * 1440 + passed.seconds // 60, 60)
    return f"{hours} hours" if hours >= _SEVERAL else f"{hours * 60 + minutes} min"


_SEVERAL = 2


def _jobs(walk: Walk, paths: Sequence[Path]) -> Iterator[Job]:
    for found in cassettes_below(paths, walk):
        try:
            yield from (Job(found.path, file) for file in recording_files(found.path))
        except OSError as error:
            walk.problems.append(Problem(found.path, f"cannot be read: {error.strerror}"))


def _by_cassette(seen: Iterable[Seen]) -> dict[Path, list[Seen]]:
    grouped: dict[Path, list[Seen]] = {}
    for one in seen:
        if one.requests:
            grouped.setdefault(one.cassette, []).append(one)
    return grouped


def _total(seen: Sequence[Seen], cassettes: int) -> Row:
    return row_of(f"total: {cassettes:,}", seen)


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _time(text: str | None) -> datetime | None:
    try:
        then = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return then if then.tzinfo is not None else then.replace(tzinfo=UTC)


def _cells(row: Row, now: datetime) -> tuple[str, ...]:
    tokens = _sum((row.input_tokens, row.output_tokens))
    return (
        row.name,
        f"{row.requests:,}",
        _NOTHING if tokens is None else f"{tokens:,}",
        readable_size(row.size),
        age(row.oldest, now),
        _shortened(row.models),
        _shortened(row.endpoints),
    )


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "") or _NOTHING


def _as_json(rows: Sequence[Row], total: Row, problems: Sequence[Problem]) -> dict[str, object]:
    return {
        "cassettes": [{"path": row.name, **_members(row)} for row in rows],
        "total": {"cassettes": len(rows), **_members(total)},
        "failed": [
            {"path": os.fspath(problem.path), "reason": problem.reason} for problem in problems
        ],
    }


def _members(row: Row) -> dict[str, object]:
    return {
        "requests": row.requests,
        "models": row.models,
        "endpoints": row.endpoints,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "size": row.size,
        "oldest": row.oldest,
        "newest": row.newest,
    }
