"""``vcr-llm orphans``: recordings whose test is gone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_show import document
from vcr_llm._address import address_of
from vcr_llm._json import document_text
from vcr_llm._orphans import alike, missing_tests
from vcr_llm.cli import main

TESTS = """
import pytest

pytestmark = pytest.mark.vcr

@pytest.mark.parametrize("model", ["gpt-5", "o 3"])
def test_models(model): ...

def test_kept(): ...

def test_greeting_again(): ...

class TestChat:
    def test_moved_here(self): ...

@pytest.mark.default_cassette("named")
def test_other_name(): ...

@pytest.mark.vcr("extra.yaml")
def test_with_extra(): ...
"""


def recorded(folder: Path, test_id: str | None, prompt: str = "Hello?") -> Path:
    """A recording of a test in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    saved: Any = {**document(prompt), "test_id": test_id}
    path = folder / f"{address_of(saved)}.json"
    path.write_text(document_text(saved), encoding="utf-8")
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with tests that have recordings, and recordings that have no tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -n 2\n", encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_agent.py").write_text(TESTS, encoding="utf-8")
    cassettes = tmp_path / "tests" / "cassettes"
    own = cassettes / "test_agent"
    module = "tests/test_agent.py"
    recorded(own / "test_kept", f"{module}::test_kept")
    recorded(own / "test_models[gpt-5]", f"{module}::test_models[gpt-5]")
    recorded(own / "test_models[o 1]", f"{module}::test_models[o 1]")
    recorded(own / "test_greeting", f"{module}::test_greeting")
    recorded(own / "test_greeting", f"{module}::test_greeting", "Again?")
    recorded(own / "named", f"{module}::an_old_name")  # a test replays it all the same
    recorded(own / "test_moved_here", f"{module}::test_moved_here")
    recorded(own / "test_vanished", f"{module}::test_quite_vanished_zzz")
    recorded(own / "test_vanished" / "nested", f"{module}::test_kept", "Nested?")
    recorded(cassettes / "answers", None)
    recorded(cassettes / "test_gone" / "test_weather", "tests/test_gone.py::test_weather")
    recorded(own / ".failed", f"{module}::test_failed")
    (tmp_path / "tests" / "test_skipped.py").write_text(
        "import pytest\npytest.importorskip('no_such_sdk')\ndef test_sdk(): ...\n", encoding="utf-8"
    )
    recorded(cassettes / "test_skipped" / "test_sdk", "tests/test_skipped.py::test_sdk")
    (cassettes / "test_skipped" / "test_other.yaml").write_text("interactions: []\n", "utf-8")
    for name in ("extra.yaml", "test_kept.yaml", "test_vanished_long_ago.yaml"):
        (own / name).write_text("interactions: []\nversion: 1\n", encoding="utf-8")
    return tmp_path


def test_orphans_are_found_with_what_they_look_like(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Recordings say whose they are; those of fixtures and extra cassettes are nobody's orphans."""
    assert main(["orphans", "tests", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {Path(one["path"]).name: one["looks_like"] for one in told["found"]} == {
        "test_models[o 1]": "tests/test_agent.py::test_models[o 3]",
        "test_greeting": "tests/test_agent.py::test_greeting_again",
        "test_moved_here": "tests/test_agent.py::TestChat::test_moved_here",
        "test_weather": None,
        "test_vanished": None,
        "test_vanished_long_ago.yaml": None,
    }
    assert (told["orphans"], told["deleted"], told["failed"]) == (6, 0, [])

    assert main(["orphans"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert (
        "tests/cassettes/test_agent/test_greeting: 2 recordings of "
        "tests/test_agent.py::test_greeting, which does not exist"
    ) in lines
    (advice,) = [line for line in lines if "test_greeting_again" in line]
    command = advice.partition("to take it along: vcr-llm ")[2]
    assert main(command.split()) == 0
    assert (project / "tests/cassettes/test_agent/test_greeting_again").is_dir()


def test_delete_removes_what_looks_like_no_test(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What may be a test under a new name stays, and so does everything else."""
    before = {path for path in project.rglob("*") if path.is_file()}
    assert main(["orphans", "tests", "tests/cassettes", "--delete"]) == 1
    after = {path for path in project.rglob("*") if path.is_file()}
    gone = {path.relative_to(project).as_posix() for path in before - after}
    folders = {Path(name).parent.name for name in gone}
    assert folders == {"test_agent", "test_weather", "test_vanished"}
    assert "tests/cassettes/test_agent/test_vanished_long_ago.yaml" in gone
    assert len(gone) == 3
    assert "  removed" in capsys.readouterr().out.splitlines()


def test_where_pytest_cannot_collect_nothing_is_an_orphan(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A module that cannot be imported may hold any test; so may a project without tests."""
    broken = project / "tests" / "test_broken.py"
    broken.write_text("import no_such_module\n", encoding="utf-8")
    assert main(["orphans", "--delete"]) == 2
    assert "no_such_module" in capsys.readouterr().err
    assert (project / "tests/cassettes/test_gone").is_dir()
    assert main(["orphans", "--pytest", "--ff --ignore=tests"]) == 2
    assert "no test was found" in capsys.readouterr().err
    assert main(["orphans", "--delete", "pytest.ini"]) == 2
    assert (project / "pytest.ini").is_file()


def test_in_a_flat_directory_recordings_are_orphans(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tests share it: what is of a test that is gone goes, the rest stays."""
    shared = project / "recordings"
    kept = recorded(shared, "tests/test_agent.py::test_kept")
    gone = recorded(shared, "tests/test_zoo.py::test_elephant")
    assert main(["orphans", "recordings", "--pytest", "-k test_kept", "--delete"]) == 0
    assert (kept.exists(), gone.exists()) == (True, False)
    assert "test_elephant" in capsys.readouterr().out


LIKE: list[tuple[str, list[str], str | None]] = [
    ("a.py::test_x[1]", ["a.py::test_x[2]", "a.py::test_y[1]"], "a.py::test_x[2]"),
    ("a.py::test_answer", ["b.py::test_answer", "b.py::test_other"], "b.py::test_answer"),
    ("a.py::test_answer", ["a.py::TestChat::test_answer"], "a.py::TestChat::test_answer"),
    ("a.py::test_plain", ["a.py::test_quite_another"], "a.py::test_quite_another"),
    ("a.py::test_plain", ["a.py::test_quite_another", "a.py::test_third"], None),
    ("a.py::test_plain", ["b.py::test_quite_another"], None),
    ("a.py::test_plain", [], None),
]


@pytest.mark.parametrize(("gone", "new", "expected"), LIKE)
def test_what_looks_like_a_test_that_is_gone(
    gone: str, new: list[str], expected: str | None
) -> None:
    """Names count most, then files, then parameters; else the only new test of the module."""
    found = alike(gone, new)
    assert (None if found is None else found.test_id) == expected


def test_recordings_of_no_test_miss_no_test() -> None:
    """Only who is named can be gone."""
    assert missing_tests({None: 2, "a": 1, "b": 3}, {"a"}) == {"b": 3}
