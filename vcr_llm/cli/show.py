"""``vcr-llm show``: recordings as conversations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from vcr_llm._conversation import conversation_of, numbered, to_json
from vcr_llm.cli import FOUND, OK
from vcr_llm.cli._cassettes import is_cassette
from vcr_llm.cli._conversation_text import HEADING, LABEL, Earlier, conversation_lines
from vcr_llm.cli._output import Line, Span, print_json, print_lines, print_problem
from vcr_llm.cli._recordings import Cassette, cassettes_below, load_cassette
from vcr_llm.cli._tree import Problem, Walk

NO_RECORDINGS = "holds no recordings"


@click.command("show")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the conversations as JSON.")
def command(*, paths: tuple[Path, ...], as_json: bool) -> int:
    """Show recordings as conversations: messages, answers, tool calls, usage, errors.

    Each PATH is a recording, a cassette, a tree of cassettes, or a cassette of vcrpy's. What a
    cassette's earlier recordings say already is not said again.

    Example: vcr-llm show cassettes/test_agent/test_answer

    \b
    Git shows changed recordings so, in diffs and logs, with these lines:
      .gitattributes   cassettes/**/*.json diff=vcr-llm
      git config diff.vcr-llm.textconv "vcr-llm diff"
    """  # noqa: D301 - click's mark for lines that stay as they are
    walk = Walk(is_cassette)
    problems: list[Problem] = []
    found = (load_cassette(path) for path, _place in cassettes_below(paths, walk))
    cassettes = _noted(found, problems)
    if as_json:
        told = [item for cassette in cassettes for item in _as_json(cassette)]
        print_json(told)
        count = len(told)
    else:
        is_alone = len(paths) == 1 and not paths[0].is_dir()
        count = _print(cassettes, is_alone=is_alone)
    problems += walk.problems
    if not count and not problems:
        problems += (Problem(path, NO_RECORDINGS) for path in paths)
    for path, reason in problems:
        print_problem(path, reason)
    return FOUND if problems else OK


def _print(cassettes: Iterator[Cassette], *, is_alone: bool) -> int:
    """Print cassettes, as each is read; how many there were."""
    count = 0
    for cassette in cassettes:
        print_lines([()] if count else [])
        print_lines(cassette_lines(cassette, is_alone=is_alone))
        count += 1
    return count


def cassette_lines(cassette: Cassette, *, is_alone: bool) -> Iterator[Line]:
    """The lines of a cassette; one recording alone needs no heading.

    A heading would tell git's temporary names apart, and nothing else.
    """
    recordings = cassette.recordings
    earlier = Earlier()
    if not is_alone:
        yield (Span(f"# {cassette.path}", HEADING),)
        yield ()
    for number, recording in enumerate(recordings, 1):
        conversation = numbered(conversation_of(recording.document))
        if len(recordings) > 1 or cassette.is_directory:
            yield from () if number == 1 else ((),)
            yield (Span(f"## {number} of {len(recordings)}: {recording.name}", LABEL),)
        yield from conversation_lines(conversation, earlier)
        earlier.add(conversation)


def _noted(cassettes: Iterator[Cassette], problems: list[Problem]) -> Iterator[Cassette]:
    """The cassettes with something in them, whose problems are noted as they come by."""
    for cassette in cassettes:
        problems += cassette.problems
        if cassette.recordings:
            yield cassette


def _as_json(cassette: Cassette) -> Iterator[dict[str, object]]:
    for recording in cassette.recordings:
        path = cassette.path / recording.name if cassette.is_directory else cassette.path
        yield {"path": os.fspath(path), **to_json(conversation_of(recording.document))}
