"""Every record mode on a directory, and the cases in which nothing may be lost."""

from __future__ import annotations

import json
import os
import signal

import pytest

from .project import Project

ONE_TEST = """
@pytest.mark.vcr
def test_answer():
    ask("count")
"""

THREE_EQUAL_CALLS = """
@pytest.mark.vcr
def test_answer():
    ask("count"), ask("count"), ask("count")
"""

ONE, TWO, THREE, FOUR = (f"This is answer {number}." for number in range(1, 5))


def recorded(project: Project, source: str = ONE_TEST) -> dict[str, bytes]:
    """The tree after the tests were recorded."""
    project.test(source)
    result = project.record()
    assert result.ret == pytest.ExitCode.OK
    return project.tree


# once, new_episodes, none, all


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all", "rewrite"])
def test_equal_calls_record_an_answer_each(project: Project, mode: str) -> None:
    """What was just recorded counts as played, so three equal calls get three answers."""
    project.test(THREE_EQUAL_CALLS)
    project.run(f"--record-mode={mode}").assert_outcomes(passed=1)
    assert project.answers == [ONE, TWO, THREE]
    project.replay().assert_outcomes(passed=1)
    assert project.answers == [ONE, TWO, THREE]


def test_new_episodes_records_what_is_missing(project: Project) -> None:
    """Recordings that are there are played first; the calls beyond them are recorded."""
    before = recorded(project)
    project.test(THREE_EQUAL_CALLS)
    project.record().assert_outcomes(passed=1)
    assert project.answers == [ONE, TWO, THREE]
    assert before.keys() < project.tree.keys()
    project.replay().assert_outcomes(passed=1)
    assert project.answers == [ONE, TWO, THREE]


def test_once_records_a_cassette_that_does_not_exist(project: Project) -> None:
    """`once` records the first time and only plays after it."""
    project.test(ONE_TEST)
    project.run("--record-mode=once").assert_outcomes(passed=1)
    tree = project.tree
    project.run("--record-mode=once").assert_outcomes(passed=1)
    assert project.answers == [ONE]
    project.test(THREE_EQUAL_CALLS)
    project.run("--record-mode=once").assert_outcomes(failed=1)
    assert project.tree == tree
    assert len(project.server.requests) == 1


def test_none_never_records(project: Project) -> None:
    """`none` plays what is there and lets no request out."""
    tree = recorded(project)
    project.test(THREE_EQUAL_CALLS)
    project.run("--record-mode=none").assert_outcomes(failed=1)
    assert project.tree == tree
    assert len(project.server.requests) == 1


def test_all_records_every_request_again(project: Project) -> None:
    """`all` asks the server, keeps one file per answer, and keeps what was not asked again."""
    recorded(
        project,
        """
        @pytest.mark.vcr
        def test_answer():
            ask("count"), ask("Hello")
        """,
    )
    project.test(ONE_TEST)
    project.run("--record-mode=all").assert_outcomes(passed=1)
    assert project.answers == [TWO]
    assert sorted(project.recorded_answers()) == [TWO, "You said: Hello"]
    project.replay().assert_outcomes(passed=1)
    assert project.answers == [TWO]


def test_all_with_drop_unused_requests_keeps_only_the_new(project: Project) -> None:
    """vcrpy's way to record a cassette from scratch works."""
    recorded(
        project,
        """
        @pytest.mark.vcr
        def test_answer():
            ask("count"), ask("Hello")
        """,
    )
    project.configure("drop_unused_requests=True")
    project.test(ONE_TEST)
    project.run("--record-mode=all").assert_outcomes(passed=1)
    assert project.recorded_answers() == [TWO]


def test_equal_answers_keep_their_files(project: Project) -> None:
    """Recording anew what the server answers as before changes no byte, `recorded_at` included."""
    recorded(project, ONE_TEST.replace("count", "Hello"))
    (path,) = (project.path / "cassettes/test_agent/test_answer").iterdir()
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["recorded_at"]
    path.write_text(path.read_text(encoding="utf-8").replace(document["recorded_at"][:4], "2001"))
    tree = project.tree
    for mode in ("rewrite", "all"):
        project.run(f"--record-mode={mode}").assert_outcomes(passed=1)
        assert project.tree == tree
    assert len(project.server.requests) == 3


@pytest.mark.parametrize("mode", ["once", "new_episodes", "none", "all", "rewrite"])
def test_mode_may_stand_in_the_mark(project: Project, mode: str) -> None:
    """The mark's mode wins over the command line, as pytest-recording has it."""
    project.test(f"""
        @pytest.mark.vcr(record_mode="{mode}")
        def test_answer(vcr):
            ask("count")
        """)
    is_recorded = mode != "none"
    outcome = {"passed": int(is_recorded), "failed": int(not is_recorded)}
    project.run().assert_outcomes(**outcome)
    assert bool(project.tree) is is_recorded
    project.run("--record-mode=none").assert_outcomes(**outcome)
    assert project.answers == {"all": [TWO], "rewrite": [TWO], "none": []}.get(mode, [ONE])


def test_mode_may_be_an_enum_or_stand_in_the_configuration(project: Project) -> None:
    """vcrpy's RecordMode is taken in a mark, and a word in `vcr_config`."""
    project.configure('record_mode="new_episodes"')
    project.test("""
        import vcr

        @pytest.mark.vcr
        def test_answer():
            ask("count")

        @pytest.mark.vcr(record_mode=vcr.mode.NONE)
        def test_enum(vcr):
            assert vcr.write_protected
        """)
    project.run().assert_outcomes(passed=2)
    assert project.recorded_answers() == [ONE]


# rewrite


def test_rewrite_records_anew(project: Project) -> None:
    """The old recordings are neither played nor kept."""
    recorded(project, THREE_EQUAL_CALLS)
    project.test(ONE_TEST)
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    assert project.answers == [FOUR]
    assert project.recorded_answers() == [FOUR]
    (document,) = project.documents()
    assert "sequence" not in document
    project.replay().assert_outcomes(passed=1)


def test_rewrite_keeps_the_old_cassette_until_the_test_is_over(project: Project) -> None:
    """While the test runs, the old files are untouched and nothing is added to them."""
    recorded(project)
    project.test("""
        from pathlib import Path

        def visible():
            return {path: path.read_bytes() for path in Path("cassettes").rglob("[!.]*.json")
                    if not any(part.startswith(".") for part in path.parts)}

        @pytest.mark.vcr
        def test_answer():
            before = visible()
            ask("count")
            assert visible() == before != {}
        """)
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    assert project.recorded_answers() == [TWO]


FAILING = {
    "assertion": """
        @pytest.mark.vcr
        def test_answer():
            ask("count")
            assert not "as expected"
        """,
    "error in a fixture's end": """
        @pytest.fixture
        def resource(vcr):
            yield
            raise RuntimeError("cannot be closed")

        @pytest.mark.vcr
        def test_answer(resource):
            ask("count")
        """,
    "error in a fixture's beginning": """
        @pytest.fixture
        def resource(vcr):
            ask("count")
            raise RuntimeError("cannot be opened")

        @pytest.mark.vcr
        def test_answer(resource):
            pass
        """,
    "exit of the process": """
        import sys

        @pytest.mark.vcr
        def test_answer():
            ask("count")
            sys.exit(3)
        """,
    "connection that breaks": """
        @pytest.mark.vcr
        def test_answer():
            ask("count")
            ask("fault-disconnect")
        """,
}


@pytest.mark.parametrize("source", FAILING.values(), ids=FAILING)
def test_rewrite_keeps_the_old_cassette_of_a_failing_test(project: Project, source: str) -> None:
    """A run that fails anywhere leaves every byte as it was, and nothing beside it."""
    tree = recorded(project)
    project.test(source)
    result = project.run("--record-mode=rewrite")
    assert result.ret != pytest.ExitCode.OK
    assert project.tree == tree
    project.test(ONE_TEST)
    project.replay().assert_outcomes(passed=1)


def test_rewrite_keeps_the_old_cassette_of_an_interrupted_run(project: Project) -> None:
    """Ctrl-C in the middle of a test is a failure too."""
    tree = recorded(project)
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("count")
            raise KeyboardInterrupt
        """)
    assert project.run_apart("--record-mode=rewrite").ret == pytest.ExitCode.INTERRUPTED
    assert project.tree == tree


def test_rewrite_keeps_the_old_cassette_when_the_server_is_down(project: Project) -> None:
    """Without a server nothing is recorded and nothing is lost."""
    tree = recorded(project, THREE_EQUAL_CALLS)
    with project.server_down():
        project.run("--record-mode=rewrite").assert_outcomes(failed=1)
    assert project.tree == tree


def test_rewrite_keeps_the_old_cassette_when_the_code_hides_that_the_server_is_down(
    project: Project,
) -> None:
    """A request that got no answer is no reason to remove its recording, though the test passes."""
    tree = recorded(project)
    project.test("""
        import openai

        @pytest.mark.vcr
        def test_answer():
            try:
                ask("count")
            except openai.APIConnectionError:
                pass
        """)
    with project.server_down():
        project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    assert project.tree == tree


KILLED = """
import os, signal

@pytest.mark.vcr
def test_answer():
    ask("count")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_rewrite_keeps_the_old_cassette_of_a_killed_run(project: Project) -> None:
    """After kill -9 in the middle the old cassette is whole, and the next rewrite works."""
    before = recorded(project, THREE_EQUAL_CALLS)
    project.test(KILLED)
    assert project.run_apart("--record-mode=rewrite").ret == -signal.SIGKILL
    assert {name: project.tree[name] for name in before} == before
    project.test(THREE_EQUAL_CALLS)
    project.replay().assert_outcomes(passed=1)
    assert project.answers == [ONE, TWO, THREE]
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    assert len(project.recorded_answers()) == 3
    project.replay().assert_outcomes(passed=1)


def test_killed_recording_keeps_what_was_complete(project: Project) -> None:
    """With new_episodes each finished exchange is on disk when the run is killed."""
    project.test(KILLED)
    assert project.run_apart("--record-mode=new_episodes").ret == -signal.SIGKILL
    assert project.recorded_answers() == [ONE]
    project.test(ONE_TEST)
    project.replay().assert_outcomes(passed=1)


def test_rewrite_keeps_files_of_others(project: Project) -> None:
    """Only the cassette's stale recordings are removed; whatever else lies there stays."""
    recorded(project, THREE_EQUAL_CALLS)
    theirs = {
        "notes.txt": "mine",
        "settings.json": '{"mine": true}',
        ".hidden.json": "{",
        "nested/data.json": "[]",
        "image.png": "\x00",
    }
    for name, content in theirs.items():
        project.write(f"cassettes/test_agent/test_answer/{name}", content)
    project.test(ONE_TEST)
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    tree = project.tree
    for name, content in theirs.items():
        assert tree.pop(f"test_agent/test_answer/{name}") == content.encode()
    assert len(tree) == 1
    project.replay().assert_outcomes(passed=1)


def test_rewrite_of_a_test_that_sends_nothing_any_more_removes_its_recordings(
    project: Project,
) -> None:
    """What is stale goes, and the empty directory with it."""
    recorded(project)
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            pass
        """)
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    assert project.tree == {}


def test_rewrite_under_xdist_leaves_whole_cassettes(project: Project) -> None:
    """Workers record anew beside each other."""
    source = """
        @pytest.mark.vcr
        @pytest.mark.parametrize("number", range(4))
        def test_answer(number):
            ask("count")
        """
    recorded(project, source)
    project.run_apart("--record-mode=rewrite", "-n2").assert_outcomes(passed=4)
    assert len(project.tree) == 4
    project.replay().assert_outcomes(passed=4)
    assert set(project.answers).isdisjoint({ONE, TWO, THREE, FOUR})


# Options that decide what is kept


def test_none_never_writes_whatever_drop_unused_requests_says(project: Project) -> None:
    """vcrpy would drop what a replay did not play, in `none` too; here every byte stays."""
    tree = recorded(project, THREE_EQUAL_CALLS)
    project.configure("drop_unused_requests=True")
    project.test(ONE_TEST)
    project.run().assert_outcomes(passed=1)
    assert project.tree == tree


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "all", "rewrite"])
def test_failing_test_drops_nothing(project: Project, mode: str) -> None:
    """A test that fails early has not shown which recordings are superfluous."""
    before = recorded(project, THREE_EQUAL_CALLS)
    project.configure("drop_unused_requests=True")
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            assert not "as expected"
        """)
    project.run(f"--record-mode={mode}").assert_outcomes(failed=1)
    assert project.tree == before


@pytest.mark.parametrize("mode", ["once", "new_episodes"])
def test_dropping_unused_requests_removes_what_was_not_played(project: Project, mode: str) -> None:
    """A passing run leaves the recordings that it played or made."""
    recorded(
        project,
        """
        @pytest.mark.vcr
        def test_answer():
            ask("Hello"), ask("count"), ask("count")
        """,
    )
    project.configure("drop_unused_requests=True")
    project.test(ONE_TEST)
    project.run(f"--record-mode={mode}").assert_outcomes(passed=1)
    assert project.recorded_answers() == [ONE]
    project.replay().assert_outcomes(passed=1)


def test_dropping_unused_requests_keeps_a_new_repeat_of_an_old_request(project: Project) -> None:
    """vcrpy drops a new recording whose request an old one has; here both stay."""
    recorded(project)
    project.configure("drop_unused_requests=True")
    project.test(THREE_EQUAL_CALLS)
    project.record().assert_outcomes(passed=1)
    assert project.recorded_answers() == [ONE, TWO, THREE]


def test_failed_test_leaves_nothing_without_record_on_exception(project: Project) -> None:
    """With record_on_exception=False what a failed test recorded is in no cassette."""
    project.configure("record_on_exception=False")
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("count")

        @pytest.mark.vcr
        def test_failing():
            ask("count")
            assert not "as expected"
        """)
    project.record().assert_outcomes(passed=1, failed=1)
    assert project.folders == ["test_agent/test_answer", "test_agent/test_failing/.failed"]
    project.replay("-k", "test_answer").assert_outcomes(passed=1)


def test_failed_test_keeps_its_recordings_by_default(project: Project) -> None:
    """Answers that were paid for are kept, whatever the test thought of them."""
    recorded_answers = "ask('count')\n    assert not 'as expected'"
    project.test(f"@pytest.mark.vcr\ndef test_answer():\n    {recorded_answers}\n")
    project.record().assert_outcomes(failed=1)
    assert project.recorded_answers() == [ONE]


def test_failed_test_adds_nothing_to_an_old_cassette_without_record_on_exception(
    project: Project,
) -> None:
    """The old recordings stay, byte for byte; the new ones are set aside."""
    tree = recorded(project)
    project.configure("record_on_exception=False")
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("count"), ask("Hello")
            assert not "as expected"
        """)
    project.record().assert_outcomes(failed=1)
    assert {name: project.tree[name] for name in tree} == tree
    (new,) = project.tree.keys() - tree.keys()
    assert new.startswith("test_agent/test_answer/.failed/")


def test_repeated_playback_answers_for_ever(project: Project) -> None:
    """With allow_playback_repeats one recording answers any number of requests."""
    tree = recorded(project)
    project.configure("allow_playback_repeats=True")
    project.test(THREE_EQUAL_CALLS)
    project.replay().assert_outcomes(passed=1)
    assert project.answers == [ONE] * 3
    project.record().assert_outcomes(passed=1)
    assert project.tree == tree


# Metadata


METADATA = """
@pytest.mark.vcr
def test_answer(vcr):
    assert vcr.get_metadata("seed", {seed!r}) == "1234"
    {body}
"""


@pytest.mark.parametrize("body", ["ask('count')", "pass"], ids=["one request", "no request"])
def test_metadata_survives(project: Project, body: str) -> None:
    """What `get_metadata` stored is there again, also in a cassette without any request."""
    recorded(project, METADATA.format(seed="1234", body=body))
    project.test(METADATA.format(seed="other", body=body))
    tree = project.tree
    project.replay().assert_outcomes(passed=1)
    project.record().assert_outcomes(passed=1)
    assert project.tree == tree
    assert tree["test_agent/test_answer/metadata.json"] == b'{\n  "seed": "1234"\n}\n'


def test_missing_metadata_is_vcrpys_own_error(project: Project) -> None:
    """Where nothing may be stored, vcrpy's exception says so."""
    project.test(METADATA.format(seed="1234", body="pass"))
    result = project.replay()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*MissingMetadataError: Can't add metadata 'seed'*"])


# VCR_LLM_MODE


@pytest.fixture
def changed(project: Project) -> Project:
    """A project whose test has one recording and makes one request more."""
    recorded(project)
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("count"), ask("Hello")
        """)
    return project


MODES = {
    "live": (2, [ONE], True),
    "record": (2, [TWO, "You said: Hello"], True),
    "replay": (0, [ONE], False),
    "record-if-missing": (1, [ONE, "You said: Hello"], True),
}


@pytest.mark.parametrize(("word", "expected"), MODES.items(), ids=MODES)
def test_mode_word_does_what_its_option_does(
    changed: Project,
    monkeypatch: pytest.MonkeyPatch,
    word: str,
    expected: tuple[int, list[str], bool],
) -> None:
    """VCR_LLM_MODE applies where no --record-mode is given."""
    sent, kept, passes = expected
    monkeypatch.setenv("VCR_LLM_MODE", word)
    changed.run().assert_outcomes(passed=passes, failed=not passes)
    assert len(changed.server.requests) == 1 + sent
    assert changed.recorded_answers() == kept


def test_command_line_wins_over_the_mode_word(
    changed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --record-mode the variable has no say."""
    tree = changed.tree
    for word in ("live", "record", "record-if-missing"):
        monkeypatch.setenv("VCR_LLM_MODE", word)
        changed.run("--record-mode=none").assert_outcomes(failed=1)
    assert changed.tree == tree
    assert len(changed.server.requests) == 1


def test_marks_mode_wins_over_the_mode_word(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that names its mode keeps it."""
    monkeypatch.setenv("VCR_LLM_MODE", "record-if-missing")
    project.test('@pytest.mark.vcr(record_mode="none")\ndef test_answer():\n    ask()\n')
    project.run().assert_outcomes(failed=1)
    assert project.server.requests == []


def test_live_opens_no_cassette(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with --disable-recording, the fixture is None and nothing is written."""
    monkeypatch.setenv("VCR_LLM_MODE", "live")
    project.test("""
        @pytest.mark.vcr
        def test_answer(vcr):
            assert vcr is None
            ask()
        """)
    project.run().assert_outcomes(passed=1)
    assert project.tree == {}


@pytest.mark.parametrize(
    ("word", "passes"),
    [("record", True), ("record-if-missing", True), ("replay", False), ("live", False)],
)
def test_blocked_network_lets_out_what_the_mode_word_records(
    project: Project, monkeypatch: pytest.MonkeyPatch, word: str, passes: bool
) -> None:
    """--block-network means the same as with the option that the word stands for."""
    monkeypatch.setenv("VCR_LLM_MODE", word)
    project.test(ONE_TEST)
    project.run_blocked().assert_outcomes(passed=passes, failed=not passes)
    assert len(project.server.requests) == passes


@pytest.mark.parametrize("word", ["rewrite", "Replay", "1"])
def test_wrong_mode_word_stops_the_run(
    project: Project, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """A word that is none of the four is an error that names them."""
    monkeypatch.setenv("VCR_LLM_MODE", word)
    project.test(ONE_TEST)
    result = project.run_apart()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"*VCR_LLM_MODE is '{word}'*live, record, replay, record-if-missing*"]
    )


@pytest.mark.parametrize("word", MODES)
def test_mode_word_has_no_effect_on_vcrpys_own_cassettes(
    project: Project, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """A test without our serializer is left as pytest-recording has it."""
    project.write("conftest.py", "")
    project.test(ONE_TEST)
    project.record().assert_outcomes(passed=1)
    tree = project.tree
    monkeypatch.setenv("VCR_LLM_MODE", word)
    project.replay().assert_outcomes(passed=1)
    project.test(THREE_EQUAL_CALLS)
    project.run().assert_outcomes(failed=1)
    assert project.tree == tree


def test_mode_word_holds_in_plain_vcrpy(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """`use_cassette` without a record mode takes the variable's."""
    source = """
        import vcr_llm

        def test_answer():
            with vcr_llm.use_cassette("cassettes/answer"):
                ask("count")
        """
    project.test(source)
    monkeypatch.setenv("VCR_LLM_MODE", "replay")
    project.run().assert_outcomes(failed=1)
    monkeypatch.setenv("VCR_LLM_MODE", "live")
    project.run().assert_outcomes(passed=1)
    assert project.tree == {}
    monkeypatch.setenv("VCR_LLM_MODE", "record-if-missing")
    project.run().assert_outcomes(passed=1)
    assert project.recorded_answers("answer") == [TWO]
    monkeypatch.setenv("VCR_LLM_MODE", "record")
    project.run().assert_outcomes(passed=1)
    assert project.recorded_answers("answer") == [THREE]


def test_abandoned_staging_of_a_killed_run_goes_in_time(project: Project) -> None:
    """What a killed run left beside a cassette is removed when it is old enough."""
    recorded(project)
    project.test(KILLED)
    project.run_apart("--record-mode=rewrite")
    left = list((project.path / "cassettes/test_agent").glob(".*"))
    assert left
    for path in left:
        os.utime(path, (0, 0))
    project.test(ONE_TEST)
    project.run("--record-mode=rewrite").assert_outcomes(passed=1)
    assert project.folders == ["test_agent/test_answer"]
