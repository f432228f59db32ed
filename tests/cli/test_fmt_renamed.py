"""``vcr-llm fmt --renamed``: recordings follow their tests, and nothing of others is touched."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.fmt_runs import NEW, OLD, documents_in, fmt, place_of, sequences_in
from tests.cli.recordings import (
    answers,
    cassette,
    named,
    recording,
    save,
)
from tests.cli.trees import summary_of, tree
from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm.cli._formatting import _usual_directory


@pytest.mark.parametrize(
    ("old", "new", "test_id", "place", "new_id", "new_place"),
    [
        (OLD, NEW, OLD, "test_a/test_x", NEW, "test_a/test_y"),
        (
            OLD,
            NEW,
            f"{OLD}[a/b-1]",
            "test_a/test_x[a-b-1]",
            f"{NEW}[a/b-1]",
            "test_a/test_y[a-b-1]",
        ),
        (
            f"{OLD}[a]",
            f"{OLD}[b]",
            f"{OLD}[a]",
            "test_a/test_x[a]",
            f"{OLD}[b]",
            "test_a/test_x[b]",
        ),
        (
            "tests/test_a.py",
            "tests/test_b.py",
            f"{OLD}[x::y]",
            "test_a/test_x[x--y]",
            "tests/test_b.py::test_x[x::y]",
            "test_b/test_x[x--y]",
        ),
        (
            "tests/test_a.py::TestC",
            "tests/test_a.py::TestD",
            "tests/test_a.py::TestC::TestInner::test_x",
            "test_a/TestInner.test_x",
            "tests/test_a.py::TestD::TestInner::test_x",
            "test_a/TestInner.test_x",
        ),
        (
            OLD,
            "tests/test_a.py::TestC::test_x",
            OLD,
            "test_a/test_x",
            "tests/test_a.py::TestC::test_x",
            "test_a/TestC.test_x",
        ),
    ],
)
def test_a_renamed_test_keeps_its_recordings(  # noqa: PLR0917 - a table
    tmp_path: Path, old: str, new: str, test_id: str, place: str, new_id: str, new_place: str
) -> None:
    """The ids are new, names follow, and the directory is where the test looks for it."""
    folder = save(place_of(tmp_path, place), cassette("a", "b", test_id=test_id))
    (folder / "metadata.json").write_text("{}\n")
    before = answers(folder, "a", "b")
    assert fmt(tmp_path, "--renamed", old, new) == 0
    moved = place_of(tmp_path, new_place)
    expected = save(tmp_path / "expected", cassette("a", "b", test_id=new_id))
    (expected / "metadata.json").write_text("{}\n")
    assert tree(moved) == tree(expected)
    assert folder.exists() == (folder == moved)
    assert answers(moved, "a", "b") == before
    shutil.rmtree(expected)
    whole = tree(tmp_path)
    assert fmt(tmp_path, "--renamed", old, new) == 0  # running again changes nothing
    assert tree(tmp_path) == whole


def test_a_module_that_moves_takes_its_cassettes_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Into another directory, and the old one is gone; check says so before."""
    save(place_of(tmp_path, "test_a", "test_x"), cassette("a", test_id=OLD))
    save(place_of(tmp_path, "test_a", "test_y"), cassette("b", test_id=NEW))
    renaming = ("--renamed", "tests/test_a.py", "tests/unit/test_b.py")
    assert fmt(tmp_path, "--check", *renaming) == 1
    target = tmp_path / "tests" / "unit" / "cassettes" / "test_b"
    line = f"would move {place_of(tmp_path, 'test_a', 'test_x')} to {target / 'test_x'}"
    assert line in capsys.readouterr().out.splitlines()
    assert not target.exists()
    found = summary_of(capsys, "fmt", tmp_path, *renaming)
    assert found["moved_cassettes"] == 2
    assert {path.name for path in target.iterdir()} == {"test_x", "test_y"}
    assert not (tmp_path / "tests" / "cassettes").exists()


def test_a_name_that_no_recording_has_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever mistypes a test's id hears of it; the other renamings are carried out."""
    save(place_of(tmp_path, "test_a", "test_x"), cassette("a", test_id=OLD))
    wrong = ("--renamed", "tests/test_z.py", "tests/test_y.py")
    for _ in range(2):
        assert fmt(tmp_path, "--renamed", OLD, NEW, *wrong) == 1
        assert capsys.readouterr().err == "--renamed: no recording is of tests/test_z.py\n"
    assert place_of(tmp_path, "test_a", "test_y").is_dir()


def test_a_relative_path_stays_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where pytest's root is above the working directory."""
    save(place_of(tmp_path, "test_a", "test_x"), cassette("a", test_id=OLD))
    monkeypatch.chdir(tmp_path / "tests" / "cassettes")
    assert fmt("test_a", "--renamed", OLD, NEW) == 0
    where, to = Path("test_a", "test_x"), Path("test_a", "test_y")
    assert f"moved {where} to {to}" in capsys.readouterr().out.splitlines()
    assert to.is_dir()


def test_a_directory_that_is_there_is_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of the cassette is renamed then."""
    save(place_of(tmp_path, "test_a", "test_x"), cassette("a", test_id=OLD))
    save(place_of(tmp_path, "test_a", "test_y"), cassette("b", test_id=NEW))
    before = tree(tmp_path)
    assert fmt(tmp_path, "--renamed", OLD, NEW) == 1
    assert "which is there already; nothing was renamed" in capsys.readouterr().err
    assert tree(tmp_path) == before


def test_a_directory_that_appears_meanwhile_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another process may be quicker."""
    save(place_of(tmp_path, "test_a", "test_x"), cassette("a", test_id=OLD))
    monkeypatch.setattr(RecordingDirectory, "take_name", lambda *_: False)
    before = tree(tmp_path)
    assert fmt(tmp_path, "--renamed", OLD, NEW) == 1
    assert "which is there already" in capsys.readouterr().err
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("place", "tests"),
    [
        ("elsewhere/test_x", [OLD]),
        ("tests/cassettes/shared", [OLD]),
        ("tests/cassettes/test_a/test_x", [OLD, "tests/test_a.py::test_z"]),
        ("tests/cassettes/test_a/test_x", [OLD, None]),
    ],
)
def test_a_directory_that_is_not_the_tests_own_stays(
    tmp_path: Path, place: str, tests: list[str | None]
) -> None:
    """The ids in it are new all the same."""
    documents = [
        recording(str(test), test_id=test, sequence=number) for number, test in enumerate(tests)
    ]
    folder = save(tmp_path / place, documents)
    assert fmt(tmp_path, "--renamed", OLD, NEW) == 0
    found = [document["test_id"] for document in documents_in(folder)]
    assert found == [NEW if test == OLD else test for test in tests] or len(found) == 1


def test_an_id_of_no_python_test_is_renamed_where_it_is(tmp_path: Path) -> None:
    """Such as that of a doctest in a text file."""
    folder = save(tmp_path / "x", [recording(test_id="README.md::README.md")])
    assert fmt(tmp_path, "--renamed", "README.md", "GUIDE.md") == 0
    assert documents_in(folder)[0]["test_id"] == "GUIDE.md::README.md"


def test_recordings_of_two_tests_are_not_thrown_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a flat directory, the new name may be another test's."""
    files = {**cassette("a", test_id=OLD), **cassette("b", test_id=NEW)}
    save(tmp_path / "recordings", files)
    before = tree(tmp_path)
    assert fmt(tmp_path, "--renamed", OLD, NEW) == 1
    assert f"{NEW} has recordings here already; nothing was renamed" in capsys.readouterr().err
    assert tree(tmp_path) == before


def test_a_renaming_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    """Some recordings have the new id already; they are those of one test all the same."""
    files = cassette("a", "b", test_id=OLD)
    later = recording("c", test_id=NEW, sequence=2)
    folder = save(place_of(tmp_path, "test_a", "test_y"), {**files, named(later): later})
    assert fmt(tmp_path, "--renamed", OLD, NEW) == 0
    assert [document["test_id"] for document in documents_in(folder)] == [NEW] * 3
    assert sequences_in(folder) == [0, 1, 2]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["--renamed", OLD, ""], "a name is empty"),
        (["--renamed", OLD, NEW, "--renamed", NEW, OLD], "is a new name and an old one"),
        (["--renamed", "a.py", "b.py", "--renamed", "b.py", "c.py"], "rename in two runs"),
    ],
)
def test_names_that_contradict_each_other_are_wrong_usage(
    tmp_path: Path, names: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Running again would rename once more."""
    assert fmt(tmp_path, *names) == 2
    assert complaint in capsys.readouterr().err


_PROJECT = """
import httpx, pytest, vcr_llm

URL = "https://api.openai.com/v1/chat/completions"

@pytest.fixture(scope="session")
def vcr_config():
    return vcr_llm.config()

def ask(prompt):
    return httpx.post(URL, json={"model": "gpt-4o", "prompt": prompt}).json()["answer"]

@pytest.mark.vcr
@pytest.mark.parametrize("word", ["a/b", "x" * 99, "\u00fc" * 100])
def test_new(word):
    assert [ask("a"), ask("b")] == ["answer 0", "answer 1"]

class TestNew:
    @pytest.mark.vcr
    def test_x(self):
        assert [ask("a"), ask("b")] == ["answer 0", "answer 1"]
"""


def test_renamed_tests_find_their_cassettes(tmp_path: Path) -> None:
    """By pytest-recording's own word for where they are, however long their names."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_b.py").write_text(_PROJECT, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]")
    words = ["a/b", "x" * 99, r"\xfc" * 100]
    old = [f"tests/test_a.py::test_old[{word}]" for word in words]
    for test_id in (*old, "tests/test_a.py::TestOld::test_x"):
        place = _usual_directory(test_id)
        assert place is not None
        save(tmp_path / place, cassette("a", "b", test_id=test_id))
    renamings = [
        ("tests/test_a.py::test_old", "tests/test_b.py::test_new"),
        ("tests/test_a.py::TestOld", "tests/test_b.py::TestNew"),
    ]
    assert fmt(tmp_path, *(word for pair in renamings for word in ("--renamed", *pair))) == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout
