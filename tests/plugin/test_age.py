"""`max_age` and `on_expiry`: what happens when recordings are too old."""

from __future__ import annotations

import json

import pytest

from .project import Project

TWO = """
@pytest.mark.vcr
def test_answer():
    ask("Hello?")
    ask("Who are you?")
"""


@pytest.fixture
def old(project: Project) -> Project:
    """A project with two recordings, of which one is of another age."""
    project.test(TWO)
    project.record().assert_outcomes(passed=1)
    _date(project, 0, "2020-02-03T04:05:06Z")
    return project


def _date(project: Project, place: int, moment: str | None) -> None:
    """Write when the recording in this place was recorded."""
    paths = (project.path / "cassettes").rglob("*.json")
    for path in paths:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["sequence"] == place:
            document["recorded_at"] = moment
            if moment is None:
                del document["recorded_at"]
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            path.write_text(text, encoding="utf-8")


def test_an_old_recording_is_warned_of(old: Project) -> None:
    """The warning names the cassette, the recording, its age, and what to do."""
    old.configure("max_age=30")
    result = old.replay()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            (
                "*cassettes/test_agent/test_answer: 1 of 2 recordings is older than 30 days: "
                "*.json, is of 2020-02-03, * days ago"
            ),
            "*To record it anew: pytest test_agent.py::test_answer --record-mode=rewrite",
        ]
    )


def test_an_old_recording_can_fail_its_test(old: Project) -> None:
    """The failure says the same; a test that fails anyway shows its own failure alone."""
    old.configure('max_age=30, on_expiry="fail"')
    result = old.replay()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*1 of 2 recordings is older than 30 days: *"])
    old.test(TWO + "    assert not 'as expected'\n")
    result = old.replay()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*older than*")


@pytest.mark.parametrize("options", ["", "max_age=30_000", 'on_expiry="fail"'])
def test_without_an_age_that_is_exceeded_nothing_is_said(old: Project, options: str) -> None:
    """`on_expiry` alone does nothing."""
    old.configure(options)
    old.replay().assert_outcomes(passed=1, warnings=0)


def test_what_was_not_played_does_not_count(old: Project) -> None:
    """A test is as stale as what it has played."""
    old.configure('max_age=30, on_expiry="fail"')
    old.test(TWO.replace('ask("Hello?")', "pass"))
    old.replay().assert_outcomes(passed=1)


def test_a_recording_of_unknown_age_is_named(old: Project) -> None:
    """It counts as no older than allowed, and a warning says that nobody knows."""
    _date(old, 0, None)
    old.configure('max_age=30, on_expiry="fail"')
    result = old.replay()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*1 recording has no recorded_at, so its age is not known: *"])


@pytest.mark.parametrize("more", ["", ", record_on_exception=False"])
def test_an_old_recording_is_recorded_anew_where_the_mode_records(old: Project, more: str) -> None:
    """Only the old one is sent again; it keeps its file and its place."""
    before = old.tree
    sent = len(old.server.requests)
    old.configure(f'max_age=30, on_expiry="rerecord"{more}')
    old.record().assert_outcomes(passed=1, warnings=0)
    assert len(old.server.requests) == sent + 1
    assert old.tree.keys() == before.keys()
    moments = [document["recorded_at"] for document in old.documents()]
    assert all(moment > "2026" for moment in moments)
    assert [document["sequence"] for document in old.documents()] == [0, 1]
    old.replay().assert_outcomes(passed=1, warnings=0)


def test_in_replay_nothing_is_sent(old: Project) -> None:
    """There `rerecord` is a warning: the network and a key are not there."""
    before = old.tree
    old.configure('max_age=30, on_expiry="rerecord"')
    old.replay().assert_outcomes(passed=1, warnings=1)
    assert old.tree == before


def test_the_old_recording_stays_if_the_new_one_fails(old: Project) -> None:
    """Without the server there is no new answer."""
    before = old.tree
    old.configure('max_age=30, on_expiry="rerecord"')
    with old.server_down():
        old.record().assert_outcomes(failed=1)
    assert old.tree == before


def test_an_error_does_not_take_the_place_of_an_answer(project: Project) -> None:
    """A server that is overloaded today leaves the recording of yesterday."""
    project.test(
        """
        @pytest.mark.vcr
        def test_answer():
            try:
                ask("Hello?")
            except Exception:
                pass
        """
    )
    project.record().assert_outcomes(passed=1)
    (path,) = (project.path / "cassettes").rglob("*.json")
    text = path.read_text(encoding="utf-8")
    document = json.loads(text.replace("Hello?", "fault-server-error"))
    document["recorded_at"] = "2020-01-01T00:00:00Z"
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    before = project.tree
    project.test(
        "@pytest.mark.vcr\ndef test_answer():\n    with pytest.raises(Exception, match='500'):\n"
        "        ask('fault-server-error')\n"
    )
    project.configure('max_age=30, on_expiry="rerecord"')
    project.record().assert_outcomes(passed=1)
    assert project.tree == before


def test_once_records_anew_without_pytests_modes(old: Project) -> None:
    """`use_cassette` in its default mode is good for so many days, and then records again."""
    cassette = str(old.path / "cassettes" / "test_agent" / "test_answer")
    old.test(f"""
        import vcr_llm
        def test_plain():
            with vcr_llm.use_cassette({cassette!r}, max_age=30, on_expiry="rerecord"):
                ask("Hello?")
                ask("Who are you?")
    """)
    sent = len(old.server.requests)
    old.run().assert_outcomes(passed=1)
    assert len(old.server.requests) == sent + 1
    with old.server_down():
        old.run().assert_outcomes(passed=1)


def test_a_plain_cassette_warns_and_raises(old: Project) -> None:
    """Leaving the cassette is when it is told."""
    cassette = str(old.path / "cassettes" / "test_agent" / "test_answer")
    old.test(f"""
        import vcr_llm
        def test_plain():
            with pytest.warns(vcr_llm.VcrLlmWarning, match="older than 30 days"):
                with vcr_llm.use_cassette({cassette!r}, record_mode="none", max_age=30):
                    ask("Hello?")
            with pytest.raises(vcr_llm.RecordingExpired, match="older than 30 days"):
                with vcr_llm.use_cassette({cassette!r}, max_age=30, on_expiry="fail"):
                    ask("Hello?")
    """)
    old.run().assert_outcomes(passed=1)
