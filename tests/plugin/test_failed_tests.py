"""What a failed test has recorded is kept aside, and taken over by the next recording."""

from __future__ import annotations

import pytest

from vcr_llm.cli import main

from .project import KEY, Project

FAILING = """
@pytest.mark.vcr
def test_answer():
    ask("Hello?")
    ask("Who are you?")
    assert False
"""
MENDED = FAILING.replace("assert False", "pass")


@pytest.fixture
def failed(project: Project) -> Project:
    """A project whose test has recorded two answers and failed."""
    project.configure(options="record_on_exception=False")
    project.test(FAILING)
    project.record().assert_outcomes(failed=1)
    return project


def test_what_a_failed_test_recorded_is_kept_aside(failed: Project) -> None:
    """It lies in `.failed`, with the answers that were paid for."""
    assert failed.folders == ["test_agent/test_answer/.failed"]
    assert len(failed.answers) == len(failed.recorded_answers("test_agent/test_answer/.failed"))


def test_the_next_recording_takes_it_over_without_sending(failed: Project) -> None:
    """When the test passes, its recordings are those of the cassette, in order."""
    answers = failed.answers
    failed.test(MENDED)
    with failed.server_down():
        failed.record().assert_outcomes(passed=1)
    assert failed.folders == ["test_agent/test_answer"]
    assert failed.answers == answers == failed.recorded_answers()
    failed.replay().assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["once", "new_episodes"])
def test_the_rest_is_recorded(failed: Project, mode: str) -> None:
    """A request that the failed test had not made is sent, the others are not."""
    failed.test(MENDED.replace("pass", 'ask("And now?")'))
    before = len(failed.server.requests)
    failed.run(f"--record-mode={mode}").assert_outcomes(passed=1)
    assert len(failed.server.requests) == before + 1
    assert failed.folders == ["test_agent/test_answer"]
    assert failed.recorded_answers() == failed.answers


def test_a_test_that_fails_again_keeps_what_it_took(failed: Project) -> None:
    """Nothing is sent twice, however often the test fails."""
    before = len(failed.server.requests)
    failed.test(FAILING.replace("assert", 'ask("And now?"); assert'))
    failed.record().assert_outcomes(failed=1)
    failed.record().assert_outcomes(failed=1)
    assert len(failed.server.requests) == before + 1
    assert len(failed.documents("test_agent/test_answer/.failed")) == 3


def test_a_replay_ignores_it_and_says_that_it_is_there(failed: Project) -> None:
    """In the mode `none` the request has no recording."""
    result = failed.replay()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*A test that failed has recorded it: .failed/*.json. *"])


@pytest.mark.parametrize("mode", ["all", "rewrite"])
def test_recording_anew_sends_again(failed: Project, mode: str) -> None:
    """The new recording of the same request takes the place of the one set aside."""
    failed.test(MENDED)
    before = len(failed.server.requests)
    failed.run(f"--record-mode={mode}").assert_outcomes(passed=1)
    assert len(failed.server.requests) == before + 2
    assert failed.folders == ["test_agent/test_answer"]


def test_an_answer_that_is_an_error_is_not_taken_over(project: Project) -> None:
    """Otherwise the test would meet the same error for ever."""
    project.configure(options="record_on_exception=False")
    project.test("@pytest.mark.vcr\ndef test_answer():\n    ask('fault-server-error')\n")
    project.record().assert_outcomes(failed=1)
    kept = project.documents("test_agent/test_answer/.failed")
    before = len(project.server.requests)
    project.record().assert_outcomes(failed=1)
    assert len(project.server.requests) == before + 1
    assert len(project.documents("test_agent/test_answer/.failed")) == len(kept) == 1


def test_what_passes_and_what_is_recorded_on_exception_is_not_set_aside(project: Project) -> None:
    """By default a failed test's recordings are the cassette's, as with vcrpy."""
    project.test(FAILING)
    project.record().assert_outcomes(failed=1)
    assert project.folders == ["test_agent/test_answer"]


def test_with_record_on_exception_it_is_taken_over_at_once(failed: Project) -> None:
    """A killed run has each recording once: in the cassette, or still set aside."""
    failed.configure()
    with failed.server_down():
        failed.record().assert_outcomes(failed=1)
    assert failed.folders == ["test_agent/test_answer"]


def test_a_flat_directory_sets_aside_by_test(project: Project) -> None:
    """A test takes over what is its own."""
    project.configure(options='record_on_exception=False, layout="flat"')
    other = MENDED.replace("test_answer", "test_other")
    project.test(FAILING + other)
    project.record("-k", "test_answer").assert_outcomes(failed=1)
    before = len(project.server.requests)
    project.record("-k", "test_other").assert_outcomes(passed=1)
    assert len(project.server.requests) == before + 2
    assert len(project.documents("test_agent/.failed")) == 2
    project.test(MENDED + other)
    with project.server_down():
        project.record().assert_outcomes(passed=2)
    assert project.folders == ["test_agent"]


def test_plain_vcrpy_sets_aside_too(project: Project) -> None:
    """A body of a `with` statement that raises has failed."""
    cassette = project.path / "cassettes" / "plain"
    source = f"""
    import vcr_llm
    def test_plain():
        with vcr_llm.use_cassette({str(cassette)!r}, record_on_exception=False):
            ask("Hello?")
            assert FLAG
    """
    project.test(source.replace("FLAG", "False"))
    project.run().assert_outcomes(failed=1)
    assert project.folders == ["plain/.failed"]
    project.test(source.replace("FLAG", "True"))
    with project.server_down():
        project.run().assert_outcomes(passed=1)
    assert project.folders == ["plain"]


def test_commands_do_not_take_it_for_a_cassette(
    failed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ls` does not list it, `check` looks for secrets in it."""
    cassettes = failed.path / "cassettes"
    (path,) = list(cassettes.rglob("*.json"))[:1]
    path.write_text(path.read_text().replace("Hello?", KEY), encoding="utf-8")
    assert main(["ls", str(cassettes)]) == 0
    assert ".failed" not in capsys.readouterr().out
    assert main(["check", str(cassettes)]) == 1
    assert ".failed" in capsys.readouterr().out
