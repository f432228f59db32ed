"""``vcr-llm diff``: what changed between recordings, as a reader would say it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path

import click

from vcr_llm._conversation import (
    Change,
    Conversation,
    Data,
    Kind,
    Thing,
    conversation_of,
    numbered,
    plain,
)
from vcr_llm._conversation.texts import Fate
from vcr_llm.cli import FOUND, OK
from vcr_llm.cli._cassettes import is_cassette
from vcr_llm.cli._changes_text import change_lines, remainder_lines, signed
from vcr_llm.cli._comparisons import SAME, Comparison, by_place, compare, loaded_or_empty
from vcr_llm.cli._conversation_text import HEADING, LABEL, conversation_lines, text_lines
from vcr_llm.cli._output import Line, Span, print_json, print_lines, print_problem
from vcr_llm.cli._recordings import Cassette, Loaded, load_cassette
from vcr_llm.cli._tree import Problem, Walk
from vcr_llm.cli.show import NO_RECORDINGS, cassette_lines

_STATES = (Kind.CHANGED, Kind.ADDED, Kind.REMOVED, SAME)
_LONG = 80  # characters that two changes do not share by chance


@click.command("diff")
@click.argument("paths", metavar="A B", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
def command(*, paths: tuple[Path, ...], as_json: bool) -> int:
    """Show what changed between two recordings, cassettes or trees of cassettes.

    Prompt, parameters, model, tools, answers, tool calls, usage, errors; nothing where only ids,
    times or formatting did. Recordings of two cassettes belong together by what was asked. Exit
    status 0: the same; 1: something changed.

    Example: vcr-llm diff cassettes/test_answer /tmp/before/test_answer

    \b
    Git, .gitattributes in both cases:
      cassettes/**/*.json diff=vcr-llm
    Its own diffs and logs, but of conversations:
      git config diff.vcr-llm.textconv "vcr-llm diff"
    Or this command's words, in "git diff" and in "git log -p --ext-diff":
      git config diff.vcr-llm.command "vcr-llm diff"
    """  # noqa: D301 - click's mark for lines that stay as they are
    match paths:
        case [path]:
            return _convert_to_text(_existing(path))
        case [old, new]:
            return _compare(_existing(old), _existing(new), as_json=as_json)
        # https://git-scm.com/docs/git#Documentation/git.txt-GITEXTERNALDIFF; a renamed file has
        # its new name and git's words on it at the end.
        case [path, old, _old_hex, _old_mode, new, _new_hex, _new_mode, *renamed]:
            return _compare_for_git(renamed[0] if renamed else path, old, new)
        case _:
            msg = "expected two recordings, cassettes or trees of cassettes"
            raise click.UsageError(msg)


def _existing(path: Path) -> Path:
    if not path.exists():
        msg = f"'{path}' does not exist."
        raise click.BadParameter(msg)
    return path


# --- two paths ----------------------------------------------------------------------------------


def _compare(old: Path, new: Path, *, as_json: bool) -> int:
    walk = Walk(is_cassette)
    pairs = list(_pairs(old, new, walk))
    problems = [
        *walk.problems,
        *(found for pair in pairs for side in pair for found in side.problems),
    ]
    if not pairs and not problems:
        problems += (Problem(path, NO_RECORDINGS) for path in (old, new))
    for path, reason in problems:
        print_problem(path, reason)
    compared = [(pair, compare(*pair)) for pair in pairs]
    is_same = all(one.state == SAME for _pair, found in compared for one in found)
    if as_json:
        items = [item for pair, found in compared for item in _as_json(*pair, found)]
        print_json({"same": is_same, "recordings": items})
    else:
        print_lines(_all_lines(compared))
    return OK if is_same and not problems else FOUND


_Sides = tuple[Cassette, Cassette]


def _pairs(old: Path, new: Path, walk: Walk) -> Iterator[_Sides]:
    """The cassettes of both sides, by their places in the trees."""
    before, after = by_place(old, walk), by_place(new, walk)
    for place in sorted(before.keys() | after.keys()):
        left, right = before.get(place), after.get(place)
        yield loaded_or_empty(left, old / place), loaded_or_empty(right, new / place)


# --- as text ------------------------------------------------------------------------------------


def _all_lines(compared: Sequence[tuple[_Sides, list[Comparison]]]) -> Iterator[Line]:
    has_several = len(compared) > 1
    for (old, new), found in compared:
        lines = list(comparison_lines(found, has_headings=new.is_directory))
        if has_several and lines:
            yield (Span(f"# {(new if new.recordings else old).path}", HEADING),)
        yield from lines
    yield (Span(_summary([one for _pair, found in compared for one in found])),)


def comparison_lines(found: Sequence[Comparison], *, has_headings: bool) -> Iterator[Line]:
    """What became of the recordings of a cassette: those that stayed the same have no lines."""
    told: dict[str, int] = {}
    for number, one in enumerate(found, 1):
        lines = list(_lines(one, number, told))
        if lines and has_headings:
            yield _recording_heading(one, number)
        yield from lines
        if lines and has_headings:
            yield ()


def _lines(one: Comparison, number: int, told: dict[str, int]) -> Iterator[Line]:
    if one.old is None or one.new is None:
        fate = Fate.ADDED if one.old is None else Fate.REMOVED
        yield from signed(conversation_lines(_conversation(one)), fate)
        return
    news = [change for change in one.changes if _key(change) not in told]
    for change in news:
        told[_key(change)] = number
        yield from change_lines(change)
    repeated = [told[_key(change)] for change in one.changes if change not in news]
    if repeated:
        yield (Span(f"  and what changed in recording {min(repeated)} as well", LABEL),)
    yield from remainder_lines(one.remainder)


def _key(change: Change) -> str:
    """What makes two changes the same: an answer that changed is a message of the next request."""
    sides = f"{change.kind} {change.old!r} {change.new!r}"
    inside = change.subject.partition(": ")[2] or change.subject
    return sides if len(sides) > _LONG else f"{inside} {sides}"


def _conversation(one: Comparison) -> Conversation:
    loaded = one.new or one.old
    return numbered(conversation_of(loaded.document if loaded is not None else {}))


def _recording_heading(one: Comparison, number: int) -> Line:
    conversation = _conversation(one)
    names = dict.fromkeys(side.name for side in (one.old, one.new) if side is not None)
    state = f" {one.state}" if one.old is None or one.new is None else ""
    title = f"recording {number}{state}: {conversation.method} {conversation.url} "
    return Span(title, HEADING), Span(f"({' -> '.join(names)})", LABEL)


def _summary(found: Sequence[Comparison]) -> str:
    states = Counter(one.state for one in found)
    if states.keys() <= {SAME}:
        is_all = not any(one.remainder.meaningless for one in found)
        return "Nothing changed." if is_all else "Nothing changed in what is said."
    counts = (f"{states[state]} {state}" for state in _STATES if states[state])
    return f"Recordings: {', '.join(counts)}."


# --- as JSON ------------------------------------------------------------------------------------


def _as_json(
    old: Cassette, new: Cassette, found: Sequence[Comparison]
) -> Iterator[dict[str, object]]:
    for one in found:
        changes = (*one.changes, *one.remainder.changes)
        yield {
            "state": one.state,
            "old": _path(old, one.old),
            "new": _path(new, one.new),
            "changes": [
                {
                    "kind": str(change.kind),
                    "subject": change.subject,
                    "old": _plain(change.old),
                    "new": _plain(change.new),
                }
                for change in changes
            ],
            "meaningless": list(one.remainder.meaningless),
        }


def _path(cassette: Cassette, loaded: Loaded | None) -> str | None:
    if loaded is None:
        return None
    return os.fspath(cassette.path / loaded.name if cassette.is_directory else cassette.path)


def _plain(value: Thing | None) -> object:
    return plain(value.value if isinstance(value, Data) else value)


# --- for git ------------------------------------------------------------------------------------


def _convert_to_text(path: Path) -> int:
    """What `show` prints; a file that is no recording is its own text, as git expects it."""
    cassette = load_cassette(path)
    if cassette.problems and not cassette.recordings:
        print_lines(text_lines(_text(path), ""))
    else:
        print_lines(cassette_lines(cassette, is_alone=not path.is_dir()))
    return OK


def _compare_for_git(path: Path, old: Path, new: Path) -> int:
    before, after = loaded_or_empty(old, old), loaded_or_empty(new, new)
    print_lines([(Span(os.fspath(path), HEADING),)])
    if before.problems or after.problems:
        lines = unified_diff(_text(old).split("\n"), _text(new).split("\n"), lineterm="", n=1)
        print_lines((Span(line),) for line in lines)
        return OK
    found = compare(before, after)
    print_lines(comparison_lines(found, has_headings=False))
    if all(one.state == SAME and not one.remainder.meaningless for one in found):
        print_lines([(Span("  nothing but when it was recorded"),)])
    return OK


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"{path}: cannot be read: {error.strerror}"
