"""Recordings that nothing plays any more: `on_unplayed`, and `--vcr-llm-prune`."""

from __future__ import annotations

import json

import pytest

from vcr_llm.cli import main

from .project import Project, record_with_vcrpy

PRUNE = "--vcr-llm-prune"
HEAD = "The test passed, but did not play 1 recording of cassettes/test_agent/test_answer:"


def asking(*prompts: str, rest: str = "") -> str:
    """A test that asks these prompts."""
    calls = "\n    ".join([*(f"ask({prompt!r})" for prompt in prompts), rest or "pass"])
    return f"\n@pytest.mark.vcr\ndef test_answer():\n    {calls}\n"


OTHER = "\n@pytest.mark.vcr\ndef test_other():\n    ask('Hello')\n    ask('Good bye')\n"


@pytest.fixture
def recorded(project: Project) -> Project:
    """A project in which a test has two recordings, of which it plays one."""
    project.test(asking("Hello", "Good bye"))
    project.record().assert_outcomes(passed=1)
    project.test(asking("Hello"))
    return project


def unplayed(project: Project) -> str:
    """The file that is not played."""
    (name,) = (name for name, content in project.tree.items() if b"Good bye" in content)
    return name.rpartition("/")[2]


# on_unplayed


def test_leftover_is_ignored_unless_asked_for(recorded: Project) -> None:
    """Nothing is said by default."""
    result = recorded.replay()
    result.assert_outcomes(passed=1)
    assert unplayed(recorded) not in str(result.stdout)


@pytest.mark.parametrize("arguments", [(), ("-n2",)], ids=["alone", "xdist"])
def test_leftover_is_a_warning(recorded: Project, arguments: tuple[str, ...]) -> None:
    """The warning names the file and the ways out, and fails nothing, though all are errors."""
    recorded.configure("on_unplayed='warn'")
    run = recorded.run_apart if arguments else recorded.run
    with recorded.server_down():
        result = run(*arguments)
    result.assert_outcomes(passed=1, warnings=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*warnings summary*",
            "*test_agent.py::test_answer*",
            f"*{HEAD}",
            f"*{unplayed(recorded)}",
            "*pytest --vcr-llm-prune",
            "*pytest test_agent.py::test_answer --record-mode=rewrite",
        ]
    )


def test_leftover_warning_can_be_silenced(recorded: Project) -> None:
    """The project's filters apply."""
    recorded.configure("on_unplayed='warn'")
    result = recorded.replay("-W", "ignore::vcr_llm.VcrLlmWarning")
    result.assert_outcomes(passed=1, warnings=0)


def test_leftover_fails_the_test(recorded: Project) -> None:
    """With "fail" the test has an error when it is over, which says the same."""
    recorded.configure("on_unplayed='fail'")
    result = recorded.replay()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"*{HEAD}", f"*{unplayed(recorded)}"])


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_leftover_of_an_old_cassette(project: Project, suffix: str) -> None:
    """The file, what was asked, and how to get rid of it are told, and that way works."""
    folder = project.path / "cassettes/test_agent"
    old = folder / f"test_answer{suffix}"
    record_with_vcrpy(old, "Hello", "Good bye", serializer=suffix[1:])
    project.configure("on_unplayed='warn'")
    project.test(asking("Hello"))
    result = project.replay()
    result.assert_outcomes(passed=1, warnings=1)
    shown = f"cassettes/test_agent/test_answer{suffix}"
    result.stdout.fnmatch_lines(
        [
            f"*The test passed, but did not play 1 interaction of {shown}:",
            "*POST http*/chat/completions",
            f"*vcr-llm convert {shown} cassettes/test_agent",
            "*pytest test_agent.py::test_answer --record-mode=rewrite",
        ]
    )
    assert main(["convert", str(old), str(folder), "--delete"]) == 0
    pruned = project.replay(PRUNE)
    pruned.stdout.fnmatch_lines(["vcr-llm: pruned 1 recording*"])
    project.replay().assert_outcomes(passed=1, warnings=0)


def test_an_old_cassette_that_is_not_needed_is_not_judged(recorded: Project) -> None:
    """Where the directory answers everything, the file beside it is not even read."""
    record_with_vcrpy(recorded.path / "cassettes/test_agent/test_answer.yaml", "Unknown")
    recorded.configure("on_unplayed='warn'")
    recorded.test(asking("Hello", "Good bye"))
    recorded.replay().assert_outcomes(passed=1, warnings=0)


UNJUDGED = {
    "a test that fails": ("assert not 'this'", {"failed": 1}),
    "a test that is skipped": ("pytest.skip('enough')", {"skipped": 1}),
    "a test that fails as expected": ("pytest.xfail('well')", {"xfailed": 1}),
}


@pytest.mark.parametrize(("rest", "outcome"), UNJUDGED.values(), ids=UNJUDGED)
def test_leftover_of_other_than_passed_tests_is_not_judged(
    recorded: Project, rest: str, outcome: dict[str, int]
) -> None:
    """No other failure is hidden, nor one added."""
    recorded.configure("on_unplayed='fail'")
    recorded.test(asking("Hello", rest=rest))
    result = recorded.replay()
    result.assert_outcomes(**outcome)
    assert HEAD not in str(result.stdout)


def test_failing_teardown_is_shown_and_not_the_leftover(recorded: Project) -> None:
    """The fixture's own error is what the user has to see."""
    recorded.configure("on_unplayed='fail'")
    recorded.test(
        "@pytest.fixture(autouse=True)\ndef last():\n    yield\n    raise OSError('the disk')\n"
        + asking("Hello")
    )
    result = recorded.replay()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*OSError: the disk"])
    assert HEAD not in str(result.stdout)


def test_what_a_fixture_plays_at_its_end_is_played(recorded: Project) -> None:
    """A test is judged when its fixtures are gone."""
    recorded.configure("on_unplayed='fail'")
    recorded.test(
        "@pytest.fixture(autouse=True)\ndef last(vcr):\n    yield\n    ask('Good bye')\n"
        + asking("Hello")
    )
    recorded.replay().assert_outcomes(passed=1)


def test_recording_run_is_not_judged(recorded: Project) -> None:
    """What is recorded takes the place of what is left."""
    recorded.configure("on_unplayed='fail'")
    recorded.test(asking("Hello", "See you"))
    recorded.record().assert_outcomes(passed=1)


def test_recording_that_was_played_often_is_played(recorded: Project) -> None:
    """With `allow_playback_repeats` one recording answers many; the other one is left."""
    recorded.configure("on_unplayed='fail', allow_playback_repeats=True")
    recorded.test(asking("Hello", "Hello", "Hello"))
    result = recorded.replay()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"*{HEAD}", f"*{unplayed(recorded)}"])


def test_extra_cassettes_are_not_blamed(recorded: Project) -> None:
    """Others may play what is in there."""
    recorded.configure("on_unplayed='fail'")
    recorded.test("@pytest.mark.vcr('test_answer')\ndef test_new():\n    ask('Hello')\n")
    recorded.replay().assert_outcomes(passed=1)


def test_flat_directory_is_judged_by_the_tests_own(project: Project) -> None:
    """In a shared directory a test answers for its own recordings alone."""
    project.configure("layout='flat', on_unplayed='fail'")
    project.test(asking("Hello") + OTHER)
    project.record().assert_outcomes(passed=2)
    project.replay().assert_outcomes(passed=2)
    project.test(asking("Hello") + OTHER.replace("    ask('Good bye')\n", ""))
    project.replay().assert_outcomes(passed=2, errors=1)


def test_old_cassette_in_one_file_is_judged_but_not_pruned(project: Project) -> None:
    """Nothing can be removed of it: it is converted first, as docs/runs.md says."""
    project.configure("serializer='yaml'")
    project.test(asking("Hello", "Good bye"))
    project.record().assert_outcomes(passed=1)
    project.configure()
    project.test(asking("Hello"))
    before = project.tree
    project.replay(PRUNE).assert_outcomes(passed=1)
    assert project.tree == before
    project.configure("on_unplayed='fail'")
    project.replay().assert_outcomes(passed=1, errors=1)
    cassettes = str(project.path / "cassettes")
    assert main(["convert", cassettes, cassettes, "--delete"]) == 0
    project.replay().assert_outcomes(passed=1, errors=1)


# --vcr-llm-prune


@pytest.mark.parametrize("arguments", [(), ("-n2",)], ids=["alone", "xdist"])
def test_prune_removes_what_a_green_run_did_not_play(
    recorded: Project, arguments: tuple[str, ...]
) -> None:
    """The file goes, its neighbours and other people's files stay, and the rest replays."""
    recorded.write("cassettes/test_agent/test_answer/notes.json", '{"ours": false}')
    recorded.write("cassettes/test_agent/test_gone/notes.txt", "of another test")
    before = recorded.tree
    name = f"test_agent/test_answer/{unplayed(recorded)}"
    run = recorded.run_apart if arguments else recorded.run
    with recorded.server_down():
        result = run(PRUNE, "--vcr-llm-summary=out/summary.json", *arguments)
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(
            ["vcr-llm: pruned 1 recording that no test played:", f"  cassettes/{name}"]
        )
        del before[name]
        assert recorded.tree == before
        found = json.loads((recorded.path / "out/summary.json").read_text("utf-8"))
        assert found["pruned"] == [f"cassettes/{name}"]
        run(PRUNE).stdout.fnmatch_lines(["vcr-llm: nothing to prune: *"])
    assert recorded.tree == before


INCOMPLETE = {
    "deselected by name": (("-k", "answer"), "1 test was deselected"),
    "deselected by mark": (("-m", "not slow"), "1 test was deselected"),
    "a part of a file": (("test_agent.py::test_answer",), "*::test_answer is a part of the tests"),
    "a part of the files": (("test_agent.py",), "more/test_more.py was left out"),
    "ignored": (("--ignore=more",), "--ignore=more leaves tests out"),
    "only collected": (("--collect-only",), "3 tests were not run"),
    "failed": (("-o", "python_functions=test_ fail_"), "it was not green"),
}
SLOW = "\n@pytest.mark.slow\ndef test_slow():\n    pass\n\ndef fail_here():\n    assert not 1\n"


@pytest.mark.parametrize(("arguments", "reason"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_prune_of_a_part_removes_nothing_and_says_why(
    recorded: Project, arguments: tuple[str, ...], reason: str
) -> None:
    """Whatever was left out might have played it."""
    recorded.write("pytest.ini", (recorded.path / "pytest.ini").read_text() + "markers = slow\n")
    recorded.test(asking("Hello") + SLOW)
    recorded.write("more/test_more.py", "def test_answer():\n    pass\n")
    before = recorded.tree
    result = recorded.replay(PRUNE, *arguments)
    result.stdout.fnmatch_lines(
        [f"vcr-llm: nothing was pruned, since the run was not whole: {reason}"]
    )
    assert recorded.tree == before


def test_prune_of_a_deselection_under_xdist_removes_nothing(recorded: Project) -> None:
    """Workers tell what they left out."""
    recorded.test(asking("Hello") + "\ndef test_plain():\n    pass\n")
    before = recorded.tree
    with recorded.server_down():
        result = recorded.run_apart(PRUNE, "-n2", "-k", "answer")
    result.stdout.fnmatch_lines(["*not whole: 1 test was deselected"])
    assert recorded.tree == before


def test_prune_of_named_files_that_are_all_is_whole(recorded: Project) -> None:
    """It counts what is left out, not how the tests were named."""
    recorded.replay(PRUNE, "test_agent.py").stdout.fnmatch_lines(["vcr-llm: pruned 1 recording*"])


def test_prune_leaves_what_a_skipped_test_may_play(project: Project) -> None:
    """A skipped test keeps its own recordings, and those that it may share."""
    shared = "@pytest.mark.default_cassette('shared')"
    tests = asking("Hello") + OTHER + f"\n{shared}{OTHER.replace('_other', '_sharing')}"
    project.test(tests)
    project.record().assert_outcomes(passed=3)
    skipping = f"\n{shared}\n@pytest.mark.skip{OTHER.replace('_other', '_skipped')}"
    project.test(tests.replace("    ask('Good bye')\n", "") + skipping)
    before = project.tree
    result = project.replay(PRUNE)
    result.assert_outcomes(passed=3, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "vcr-llm: pruned 1 recording that no test played:",
            "  cassettes/test_agent/test_other/*",
            "  left alone: cassettes/test_agent/shared: a test that was skipped may share it",
        ]
    )
    assert len(project.tree) == len(before) - 1


def test_prune_keeps_what_was_recorded_in_the_same_run(recorded: Project) -> None:
    """With `new_episodes` the new takes the place of the old; with `rewrite` nothing is left."""
    recorded.test(asking("Hello", "See you"))
    recorded.record(PRUNE).stdout.fnmatch_lines(["vcr-llm: pruned 1 recording*"])
    assert len(recorded.tree) == 2
    rewritten = recorded.run(PRUNE, "--record-mode=rewrite")
    rewritten.stdout.fnmatch_lines(["  left alone: *: it was recorded anew, not replayed"])
    assert len(recorded.tree) == 2


def test_prune_leaves_a_cassette_in_which_something_was_missed(recorded: Project) -> None:
    """The test may have stopped before it came to the rest."""
    recorded.test(
        "@pytest.mark.vcr\ndef test_answer():\n"
        "    with pytest.raises(Exception):\n        ask('Good day')\n"
    )
    before = recorded.tree
    result = recorded.replay(PRUNE)
    result.stdout.fnmatch_lines(["  left alone: *: a request had no recording"])
    assert recorded.tree == before


def test_prune_leaves_no_empty_directory(recorded: Project) -> None:
    """A cassette of which nothing is played goes; in a flat directory, only what is the tests'."""
    recorded.test(asking(rest="pass"))
    recorded.replay(PRUNE).stdout.fnmatch_lines(["vcr-llm: pruned 2 recordings*"])
    assert not (recorded.path / "cassettes/test_agent/test_answer").exists()
    recorded.configure("layout='flat'")
    recorded.test(asking("Hello", "Good bye") + OTHER)
    recorded.record()
    recorded.test(asking("Hello"))
    recorded.replay(PRUNE).stdout.fnmatch_lines(["vcr-llm: pruned 1 recording *"])
    owners = [json.loads(content)["test_id"] for content in recorded.tree.values()]
    assert sorted(owners) == ["test_agent.py::test_answer", *["test_agent.py::test_other"] * 2]
