"""``vcr-llm fmt``, killed between any two steps, and on random cassettes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.fmt_runs import NEW, OLD, documents_in, fmt, place_of
from tests.cli.recordings import (
    DEAD_PROCESS,
    named,
    recording,
    save,
)
from tests.cli.trees import tree


class _Killed(BaseException):
    """What stands for the end of the process: no cleaning up is counted on."""


def _dying(monkeypatch: pytest.MonkeyPatch, after: int) -> Callable[[], int]:
    """Let the process die before a step that changes the disk; gives the number of steps seen."""
    steps = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps > after:
                raise _Killed
            return real(*arguments, **options)

        return step

    for name in ("rename", "replace", "unlink", "mkdir", "rmdir", "link"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    return lambda: steps


def _messy(root: Path) -> Path:
    """A cassette in which everything is wrong: a ring of names, a gap, repeats, another test id."""
    documents = [
        recording("a", "0", test_id=OLD, sequence=2),
        recording("b", "1", test_id=OLD, sequence=2),
        recording("a", "2", test_id=OLD, sequence=5),
        recording("c", "3", test_id=OLD, sequence=9),
        recording("a", "4", test_id=OLD),
    ]
    names = [f"{key * 64}.json" for key in "0123"]
    folder = save(place_of(root, "test_a", "test_x"), dict(zip(names, documents, strict=False)))
    order = documents_in(folder)
    ring = [named(order[place]) for place in (1, 0)]
    shutil.move(folder / names[0], folder / ring[0])
    shutil.move(folder / names[1], folder / ring[1])
    save(folder, {"last.json": documents[4]})
    (folder / "metadata.json").write_text('{"a":1}')
    return folder


def _told(folder: Path) -> list[tuple[Any, Any]]:
    """What the recordings say, in the order of replay."""
    return [
        (document["request"]["body"], document["response"]["body"])
        for document in documents_in(folder)
    ]


def _folder_below(root: Path) -> Path:
    (folder,) = {path.parent for path in root.rglob("*.json")}
    return folder


@pytest.mark.parametrize("renaming", [(), ("--renamed", OLD, NEW)])
def test_a_run_may_be_killed_between_any_two_steps(
    tmp_path: Path, renaming: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No recording is ever lost or doubled or out of order, and running again finishes."""
    whole = tmp_path / "whole"
    before = _told(_messy(whole))
    assert fmt(whole, *renaming) == 0
    finished = tree(whole)
    for after in range(1000):
        root = tmp_path / f"killed-{after}"
        _messy(root)
        with monkeypatch.context() as patched:
            _dying(patched, after)
            try:
                assert fmt(root, *renaming) == 0
                is_done = True
            except _Killed:
                is_done = False
        folder = _folder_below(root)
        assert _told(folder) == before, after
        assert fmt(root, *renaming) == 0
        left = [path for path in root.rglob("*") if path.name.endswith(".tmp")]
        for path in left:  # this process lives on, so that its files are not abandoned
            path.unlink()
        assert tree(root) == finished
        if is_done:
            break
    assert after > 10


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    """Half-written files, and what waited beside the cassette."""
    folder = save(tmp_path / "test_x", [recording()])
    (folder / f".a.json.{DEAD_PROCESS}-0.tmp").write_text("{")
    waiting = save(tmp_path / f".test_x.{DEAD_PROCESS}-0.recording", [recording("b")])
    assert fmt("--check", tmp_path) == 0
    assert waiting.is_dir()
    assert fmt(tmp_path) == 0
    assert not waiting.exists()
    assert len(list(folder.iterdir())) == 1


def test_a_name_that_is_taken_meanwhile_is_not_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The recording keeps the name that it has, and says so."""
    folder = save(tmp_path / "test_x", {"a.json": recording()})
    lexists = os.path.lexists
    target = folder / named(recording())
    monkeypatch.setattr(os.path, "lexists", lambda path: Path(path) == target or lexists(path))
    assert fmt(tmp_path) == 1
    assert target.name in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["a.json"]


# --- there and nothing else: random cassettes -------------------------------------------------


@st.composite
def _cassettes(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Files of a cassette in any state that edits, merges and older versions may leave."""
    files: dict[str, dict[str, Any]] = {}
    for place in range(draw(st.integers(1, 6))):
        document = recording(
            draw(st.sampled_from("ab")),
            str(place),
            test_id=draw(st.sampled_from([None, "t.py::test_one", "t.py::test_two"])),
            sequence=draw(st.none() | st.integers(0, 4)),
        )
        if draw(st.booleans()):
            del document["recorded_at"]
        if draw(st.booleans()):
            document = dict(reversed(document.items()))
        names = [named(document, repeat) for repeat in (1, 2, 3)]
        names += [f"{'ab' * 32}.json", "x.json", f"{place}.json"]
        free = [name for name in names if name not in files]
        files[draw(st.sampled_from(free))] = document
    return files


def _answers_by_prompt(folder: Path) -> dict[str, list[str]]:
    """The answers to each request, in the order in which they come."""
    found: dict[str, list[str]] = {}
    for document in documents_in(folder):
        prompt = document["request"]["body"]["prompt"]
        found.setdefault(prompt, []).append(document["response"]["body"]["answer"])
    return found


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=_cassettes())
def test_formatting_keeps_replay_and_twice_is_once(
    files: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """Whatever state a cassette is in: the same answers in the same order, then no more changes."""
    folder = tmp_path / "test_x"
    shutil.rmtree(folder, ignore_errors=True)
    save(folder, files)
    before = _answers_by_prompt(folder)
    assert fmt(folder) == 0
    assert _answers_by_prompt(folder) == before
    once = tree(folder)
    assert fmt(folder) == 0
    assert tree(folder) == once
    assert len(once) == len(files)
