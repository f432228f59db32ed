"""``vcr-llm check``: secrets and faults in recordings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, starmap
from pathlib import Path

import click

from vcr_llm._findings import Finding, Rule
from vcr_llm._json_path import pattern
from vcr_llm._recording_directory import is_abandoned
from vcr_llm._secrets_left import shown
from vcr_llm.cli import FOUND, OK
from vcr_llm.cli._cassettes import cassette_folders, is_cassette, is_left_behind
from vcr_llm.cli._checking import Job, Located, job_for_files, jobs_for, look_through
from vcr_llm.cli._jobs import done
from vcr_llm.cli._output import Line, Span, print_counts, print_json, print_lines, tracked
from vcr_llm.cli._tree import Walk


@click.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(*, paths: tuple[Path, ...], as_json: bool) -> int:
    """Find secrets, broken recordings, wrong names, payloads that an SDK refuses.

    Each PATH is a recording, a cassette, or a tree of cassettes. Secrets are found by our own
    redaction and by the rules of detect-secrets, in every text of a recording and in what it is
    the base64 or the JSON of; none is ever printed. Answers are held against the models of the SDKs
    that are installed: openai, anthropic, google-genai, ollama, mistralai, cohere.

    Exits with 1 where anything was found.

    Example: vcr-llm check tests/cassettes
    """
    left_behind: list[Path] = []

    def is_wanted(entry: os.DirEntry[str]) -> bool:
        left_behind.extend([Path(entry.path)] if is_left_behind(entry.name) else [])
        return is_cassette(entry)

    walk = Walk(is_wanted, sees_failed=True)
    folders, jobs = _assigned(walk, paths)
    reports = list(tracked(done(look_through, jobs), total=len(jobs), what="Checking"))
    found = [*_of_walk(walk, left_behind), *chain.from_iterable(each.found for each in reports)]
    found.sort(key=lambda each: os.fspath(each.path))
    if as_json:
        print_json([_as_json(each) for each in found])
    else:
        print_lines(_lines(found))
        counts = Counter(each.finding.rule for each in found)
        recordings = sum(report.recordings for report in reports)
        seen = {"cassettes": folders, "recordings": recordings, "findings": len(found)}
        print_counts(seen | {f"  {rule}": counts[rule] for rule in Rule if rule in counts})
    return FOUND if found else OK


def _assigned(walk: Walk, paths: Sequence[Path]) -> tuple[int, list[Job]]:
    """How many cassettes there are to look at, and the jobs that do it."""
    folders = cassette_folders(walk, [path for path in paths if path.is_dir()])
    whole = {os.path.realpath(folder) for folder in folders}
    named: dict[Path, list[str]] = {}
    for path in paths:
        if not path.is_dir() and os.path.realpath(path.parent) not in whole:
            named.setdefault(path.parent, []).append(path.name)
    jobs = [*chain.from_iterable(map(jobs_for, folders)), *starmap(job_for_files, named.items())]
    return len(folders) + len(named), jobs


def _of_walk(walk: Walk, left_behind: Iterable[Path]) -> Iterator[Located]:
    for path, reason in walk.problems:
        yield Located(path, Finding("", Rule.UNREADABLE, reason))
    message = "was left by a run that was killed; `vcr-llm fmt` removes it"
    for path in filter(is_abandoned, left_behind):
        yield Located(path, Finding("", Rule.LEFTOVER, message))


# --- what is printed: never a secret, in a path and a place neither ----------------------------


def _lines(found: Iterable[Located]) -> Iterator[Line]:
    """A line for each finding; the items of one array that have the same fault share one."""
    alike: dict[tuple[object, ...], list[Located]] = {}
    for each in found:
        path, (place, _rule, message) = each
        alike.setdefault((path, pattern(place), message), []).append(each)
    for (path, (place, _rule, message)), *others in alike.values():
        yield (
            Span(shown(os.fspath(path)), "bold"),
            Span(": "),
            *((Span(shown(place), "cyan"), Span(": ")) if place else ()),
            Span(shown(message), "red"),
            Span(f" (and {len(others)} more like it)" if others else ""),
        )


def _as_json(each: Located) -> dict[str, str]:
    place, rule, message = each.finding
    return {
        "path": shown(os.fspath(each.path)),
        "place": shown(place),
        "rule": rule,
        "message": shown(message),
    }
