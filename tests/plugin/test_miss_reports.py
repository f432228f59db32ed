"""Misses in what pytest prints: whatever the SDK made of them, and however pytest prints."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .project import Project

TITLE = "vcr-llm: requests that no recording answered"
# An SDK that swallows the miss, and a failure that follows from it.
HIDDEN = """
def hidden(prompt):
    try:
        return ask(prompt)
    except Exception:
        return ""

@pytest.mark.vcr
@pytest.mark.parametrize("prompt", ["Hi there [again]"])
def test_answer(prompt):
    assert hidden(prompt)

@pytest.mark.vcr
def test_other():
    ask("Something else")
"""


@pytest.fixture
def hidden(project: Project) -> Project:
    """A project whose first test fails of a miss that it never sees."""
    project.test(HIDDEN)
    return project


def commands(result: pytest.RunResult) -> list[list[str]]:
    """The commands that are shown, as a shell takes them apart."""
    lines = [line for line in result.outlines if line.startswith("To record")]
    return [shlex.split(line.partition(":")[2]) for line in lines]


WAYS = {
    "as usual": (),
    "quietly": ("-q",),
    "without tracebacks": ("--tb=no",),
    "in a line": ("--tb=line",),
    "natively": ("--tb=native",),
    "without captured output": ("--show-capture=no",),
    "quietly and without tracebacks": ("-q", "--tb=no"),
    "by workers": ("-n2",),
}


@pytest.mark.parametrize("arguments", WAYS.values(), ids=WAYS)
def test_hidden_miss_of_a_failing_test_is_told(hidden: Project, arguments: tuple[str, ...]) -> None:
    """The miss is told, with its commands, and in JUnit's XML beside the failure."""
    run = hidden.run_apart if "-n2" in arguments else hidden.run
    with hidden.server_down():
        result = run("--junitxml=junit.xml", "-k", "test_answer", *arguments)
    result.assert_outcomes(failed=1)
    # Of one line, pytest 9 shows the sections below it, and older ones do not.
    assert str(result.stdout).count(TITLE) == 1 or "--tb=line" in arguments
    assert commands(result)[0][1:] == [
        "test_agent.py::test_answer[Hi there [again]]",
        "--record-mode=new_episodes",
    ]
    assert TITLE in (hidden.path / "junit.xml").read_text("utf-8")


def test_command_records_just_that_test(hidden: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pytest was started, below its root, the command that it shows does what it says."""
    hidden.test(HIDDEN, "tests/unit/test_agent.py")
    (hidden.path / "test_agent.py").unlink()
    monkeypatch.syspath_prepend(str(hidden.path))
    monkeypatch.chdir(hidden.path / "tests")
    with hidden.server_down():
        result = hidden.run("-k", "test_answer")
    command = commands(result)[0]
    assert command[1:] == [
        "unit/test_agent.py::test_answer[Hi there [again]]",
        "--record-mode=new_episodes",
    ]
    hidden.run(*command[1:]).assert_outcomes(passed=1)
    recorded = [path for path in Path().rglob("*.json") if "cassettes" in path.parts]
    assert [path.parent.name for path in recorded] == ["test_answer[Hi there [again]]"]


def test_miss_in_the_end_of_a_fixture_is_told(project: Project) -> None:
    """A request that a fixture makes when the test is over is missed like any other."""
    project.test("""
        @pytest.fixture
        def cleaning(vcr):
            yield
            try:
                ask("Clean up")
            except Exception:
                pass

        @pytest.mark.vcr
        def test_answer(cleaning):
            pass
        """)
    result = project.replay()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*{TITLE}, in tests that passed*", "*test_agent.py::test_answer"])


def test_miss_of_a_fixture_is_with_the_failure_it_causes(project: Project) -> None:
    """A miss in the set-up belongs to the failure, and is not told a second time."""
    project.test("""
        @pytest.fixture
        def answer(vcr):
            try:
                return ask("Hi")
            except Exception:
                return None

        @pytest.mark.vcr
        def test_answer(answer):
            assert answer
        """)
    result = project.replay()
    result.assert_outcomes(failed=1)
    assert str(result.stdout).count(TITLE) == 1


def test_group_of_a_worker_is_no_part_of_a_test(project: Project) -> None:
    """With --dist=loadgroup a test has the id, and the recordings, that it has otherwise."""
    project.configure("layout='flat'")
    project.test(
        "@pytest.mark.xdist_group('one')\n@pytest.mark.vcr\ndef test_answer():\n    ask('Hi')\n"
    )
    project.write(
        "pytest.ini", (project.path / "pytest.ini").read_text() + "markers = xdist_group\n"
    )
    project.record().assert_outcomes(passed=1)
    with project.server_down():
        project.run_apart("-n2", "--dist=loadgroup").assert_outcomes(passed=1)
