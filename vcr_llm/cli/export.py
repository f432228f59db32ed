"""``vcr-llm export``: directories of recordings become vcrpy's YAML again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import click
import yaml

from vcr_llm._address import parse_file_name
from vcr_llm._errors import RecordingError, VcrLlmError
from vcr_llm._foreign import is_http_exchange
from vcr_llm._interaction import Headers, Interaction
from vcr_llm._old_cassette import cassette_of
from vcr_llm._recording_directory import Recording, RecordingDirectory, read_document
from vcr_llm._yaml import load_yaml
from vcr_llm.cli import FOUND, OK
from vcr_llm.cli._jobs import done
from vcr_llm.cli._output import print_counts, print_json, print_line, print_problem, tracked
from vcr_llm.cli._tree import Found, Problem, Walk

_SUFFIX = ".yaml"
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Job(NamedTuple):
    """A cassette to export, and the file that it becomes."""

    path: Path
    file: Path


class Outcome(NamedTuple):
    """What came of a job."""

    path: Path
    interactions: int = 0
    left_out: tuple[Problem, ...] = ()
    problem: str | None = None


@click.command("export")
@click.argument("cassettes", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.argument("destination", metavar="DEST", type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(*, cassettes: tuple[Path, ...], destination: Path, as_json: bool) -> int:
    """Turn directories of recordings back into vcrpy's YAML.

    Each CASSETTE is a directory of recordings, a single recording, or a tree of such directories,
    which becomes a tree of the same shape: a/test_x/ is the file a/test_x.yaml.

    Example: vcr-llm export tests/cassettes /tmp/yaml
    """
    walk = Walk(_is_cassette_directory)
    jobs = [
        Job(path, destination / place.with_name(place.name + _SUFFIX))
        for path, place in chain.from_iterable(_found(walk, cassette) for cassette in cassettes)
    ]
    outcomes = list(tracked(done(export_cassette, jobs), total=len(jobs), what="Exporting"))
    failed = [*walk.problems, *_failed(outcomes)]
    left_out = [problem for outcome in outcomes for problem in outcome.left_out]
    for path, reason in failed:
        print_problem(path, reason)
    if as_json:
        print_json(_summary(outcomes, left_out, failed))
    else:
        for path, reason in left_out:
            print_line(f"left out {path}: {reason}", style="yellow")
        print_counts({**_counts(outcomes), "left out": len(left_out), "failed": len(failed)})
    return FOUND if failed else OK


def _found(walk: Walk, path: Path) -> Iterator[Found]:
    """The cassettes that a path stands for, with their places in the destination."""
    if path.is_file():
        yield Found(path, Path(path.stem))
    elif _holds_recordings(path):
        yield Found(path, Path(path.resolve().name))
    else:
        yield from walk.over([path])


def _is_cassette_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() and _holds_recordings(entry.path)
    except OSError:
        return False


def _holds_recordings(path: str | os.PathLike[str]) -> bool:
    """Whether a directory is a cassette: it has recordings, or it is one with none."""
    with os.scandir(path) as entries:
        names = [entry.name for entry in entries]
    return not names or any(parse_file_name(name) for name in names)


def export_cassette(job: Job) -> Outcome:
    """Export one cassette; whatever is wrong with it is told in the outcome."""
    try:
        recordings, metadata = _read(job.path)
        http = [recording for recording in recordings if is_http_exchange(recording.document)]
        others = [recording for recording in recordings if recording not in http]
        text = cassette_text([recording.interaction for recording in http], metadata)
        _write(text, job.file)
    except VcrLlmError as error:
        return Outcome(job.path, problem=getattr(error, "problem", str(error)))
    except OSError as error:
        return Outcome(job.path, problem=f"cannot become {job.file}: {error.strerror or error}")
    reason = "is no exchange over HTTP, which is all that vcrpy knows"
    return Outcome(job.path, len(http), tuple(Problem(item.path, reason) for item in others))


def _read(path: Path) -> tuple[list[Recording], dict[str, Any]]:
    if path.is_file():
        return [Recording(path, read_document(path))], {}
    directory = RecordingDirectory(path)
    return directory.recordings(), directory.metadata()


def _write(text: str, path: Path) -> None:
    """Write a file unless it says the same already; nothing is overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        if path.read_text(encoding="utf-8") != text:
            msg = f"would become {path}, which holds something else; left as it is"
            raise RecordingError(msg) from None


# --- from interactions to the text of a cassette ----------------------------------------------


def cassette_text(interactions: Iterable[Interaction], metadata: dict[str, Any]) -> str:
    """The text of vcrpy's cassette, with the headers in their order.

    Raises RecordingError where it would not say the same.
    """
    cassette: dict[str, Any] = {"interactions": list(map(_item, interactions))}
    if metadata:
        cassette["metadata"] = metadata
    cassette["version"] = 1
    try:
        text = str(yaml.dump(cassette, Dumper=_Dumper, sort_keys=False))
        is_same = _exchanges(load_yaml(text)) == _exchanges(cassette)
    except ValueError:
        is_same = False
    if not is_same:
        msg = "holds characters that vcrpy's YAML cannot say"
        raise RecordingError(msg)
    return text


def _item(interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    return {
        "request": {
            "body": _text(request.body),
            "headers": _grouped(request.headers),
            "method": request.method,
            "uri": request.url,
        },
        "response": {
            "body": {"string": _text(response.body)},
            "headers": _grouped(response.headers),
            "status": {"code": response.status, "message": response.reason},
        },
    }


def _exchanges(value: dict[str, Any]) -> object:
    return [old.interaction for old in cassette_of(value).interactions]


def _text(body: bytes | None) -> str | bytes | None:
    """A body as vcrpy writes it: readable where it is text."""
    try:
        return None if body is None else body.decode()
    except UnicodeDecodeError:
        return body


def _grouped(headers: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped


# --- the summary ------------------------------------------------------------------------------


def _failed(outcomes: Iterable[Outcome]) -> list[Problem]:
    return [
        Problem(outcome.path, outcome.problem)
        for outcome in outcomes
        if outcome.problem is not None
    ]


def _counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    written = [outcome for outcome in outcomes if outcome.problem is None]
    return {
        "cassettes": len(written),
        "interactions": sum(outcome.interactions for outcome in written),
    }


def _summary(
    outcomes: list[Outcome], left_out: list[Problem], failed: list[Problem]
) -> dict[str, object]:
    def as_json(problems: list[Problem]) -> list[dict[str, str]]:
        return [{"path": os.fspath(path), "reason": reason} for path, reason in problems]

    return {**_counts(outcomes), "left_out": as_json(left_out), "failed": as_json(failed)}
