"""`vcr_llm.cassette_fixture` records what fixtures of a module or a session request."""

from __future__ import annotations

import json

import pytest

from .project import Project

SHARED = """
answers = vcr_llm.cassette_fixture("answers")

@pytest.fixture(scope="session")
def greeting(answers):
    from agent import ask
    return ask("Hello?")
"""

TWO_TESTS = """
def test_one(greeting):
    assert greeting

@pytest.mark.vcr
def test_two(greeting):
    assert ask("And you?")
"""


@pytest.fixture
def shared(project: Project) -> Project:
    """A project whose session fixture asks the server, for two tests."""
    project.configure(more=SHARED)
    project.test(TWO_TESTS)
    return project


def test_a_session_fixture_records_once_and_replays(shared: Project) -> None:
    """Its recordings are of no test; a marked test's own requests go to the test's cassette."""
    shared.record().assert_outcomes(passed=2)
    assert shared.folders == ["answers", "test_agent/test_two"]
    (document,) = shared.documents("answers")
    assert document["test_id"] is None
    before = shared.tree
    shared.replay().assert_outcomes(passed=2)
    assert shared.tree == before


def test_workers_record_a_session_fixture_together(shared: Project) -> None:
    """Each worker opens the cassette; what one has recorded the other does not record again."""
    shared.run_apart("-n", "2", "--record-mode=new_episodes").assert_outcomes(passed=2)
    assert len(shared.documents("answers")) == 1
    with shared.server_down():
        shared.run_apart("-n", "2").assert_outcomes(passed=2)


@pytest.mark.parametrize("scope", ["module", "class", "function"])
def test_narrower_scopes_record_too(project: Project, scope: str) -> None:
    """In a test module the cassette stands in the module's folder."""
    project.test(f"""
        import vcr_llm
        answers = vcr_llm.cassette_fixture("answers", scope="{scope}")

        @pytest.fixture(scope="{scope}")
        def greeting(answers):
            return ask("Hello?")

        class TestTwice:
            def test_one(self, greeting):
                assert greeting

            def test_two(self, greeting):
                assert greeting
    """)
    project.record().assert_outcomes(passed=2)
    assert project.folders == ["test_agent/answers"]
    project.replay().assert_outcomes(passed=2)


def test_use_cassette_in_a_session_fixture(project: Project) -> None:
    """Only what is requested inside of the context goes to its cassette."""
    project.configure(
        more="""
        @pytest.fixture(scope="session")
        def greeting():
            from agent import ask
            with vcr_llm.use_cassette("cassettes/greeting"):
                return ask("Hello?")
        """
    )
    project.test(TWO_TESTS)
    project.record().assert_outcomes(passed=2)
    assert project.folders == ["greeting", "test_agent/test_two"]
    project.replay().assert_outcomes(passed=2)


def test_a_request_without_a_recording_is_an_error_of_the_setup(shared: Project) -> None:
    """The mode is the run's: replay sends nothing."""
    result = shared.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*No recording answers POST *chat/completions (model gpt-4o)*"])
    assert shared.tree == {}


@pytest.mark.parametrize("off", ["--disable-recording", "VCR_LLM_MODE=live"])
def test_without_recording_there_is_no_cassette(
    shared: Project, off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests then go where they go, and the fixture is None."""
    shared.test("def test_none(answers, greeting):\n    assert answers is None and greeting\n")
    name, _, value = off.partition("=")
    if value:
        monkeypatch.setenv(name, value)
    shared.run(*([] if value else [off])).assert_outcomes(passed=1)
    assert shared.tree == {}


@pytest.mark.parametrize(
    ("mode", "expected"), [("record-if-missing", 1), ("record", 1), ("replay", 0)]
)
def test_the_mode_word_applies(
    shared: Project, mode: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`VCR_LLM_MODE` sets the mode where no `--record-mode` is given."""
    monkeypatch.setenv("VCR_LLM_MODE", mode)
    shared.run()
    assert len(shared.documents("answers")) == expected


def test_rewrite_replaces_what_was_asked_for_and_keeps_the_rest(shared: Project) -> None:
    """A run may be of a few tests only, so that what nobody asks for is not stale."""
    shared.test("def test_other(answers):\n    assert ask('Something else?')\n", "test_other.py")
    shared.record().assert_outcomes(passed=3)
    before = {name: text for name, text in shared.tree.items() if name.startswith("answers/")}
    assert len(before) == 2
    shared.configure(options="normalize=False", more=SHARED)
    shared.run("--record-mode=rewrite", "test_agent.py").assert_outcomes(passed=2)
    after = {name: text for name, text in shared.tree.items() if name.startswith("answers/")}
    assert after.keys() == before.keys()
    changed = [name for name in before if after[name] != before[name]]
    assert len(changed) == 1
    assert json.loads(after[changed[0]])["request"]["body"]["messages"][0]["content"] == "Hello?"


def test_a_rewrite_that_fails_changes_nothing(shared: Project) -> None:
    """The old recordings stay until the scope is over, and if a test has failed."""
    shared.record().assert_outcomes(passed=2)
    before = shared.tree
    shared.configure(options="normalize=False", more=SHARED)
    shared.test("def test_one(greeting):\n    assert not greeting\n")
    shared.run("--record-mode=rewrite").assert_outcomes(failed=1)
    assert shared.tree == before


@pytest.mark.parametrize("scope", ["function", "module"])
def test_a_configuration_of_a_narrower_scope_is_used(project: Project, scope: str) -> None:
    """Projects write `vcr_config` without a scope, as pytest-recording does itself."""
    project.write("conftest.py", _conftest(scope))
    project.test("def test_one(greeting):\n    assert greeting\n")
    project.record().assert_outcomes(passed=1)
    (document,) = project.documents("answers")
    assert document["request"]["headers"] == {"accept": "application/json"}


def _conftest(scope: str) -> str:
    return (
        "import pytest\nimport vcr_llm\n\n"
        f'@pytest.fixture(scope="{scope}")\n'
        "def vcr_config():\n"
        '    return vcr_llm.config(keep_request_headers=["accept"])\n' + SHARED
    )


def test_a_configuration_that_needs_a_test_is_refused(project: Project) -> None:
    """What depends on the test cannot be had for a session; the error says what to do."""
    project.write(
        "conftest.py",
        "import pytest\nimport vcr_llm\n\n@pytest.fixture\ndef vcr_config(tmp_path):\n"
        "    return vcr_llm.config()\n" + SHARED,
    )
    project.test("def test_one(greeting):\n    assert greeting\n")
    result = project.record()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['*Give vcr_config scope="session".*'])


def test_without_any_configuration_the_defaults_apply(project: Project) -> None:
    """Who calls `cassette_fixture` wants a cassette of ours."""
    project.write("conftest.py", "import pytest\nimport vcr_llm\n" + SHARED)
    project.test("def test_one(greeting):\n    assert greeting\n")
    project.record().assert_outcomes(passed=1)
    assert project.folders == ["answers"]


def test_options_replace_keys_of_the_configuration(project: Project) -> None:
    """They apply to this cassette only."""
    changed = SHARED.replace('"answers")', '"answers", normalize=False, record_mode="once")')
    project.configure(more=changed)
    project.test("def test_one(greeting):\n    assert greeting\n")
    project.run().assert_outcomes(passed=1)
    (document,) = project.documents("answers")
    assert not document["response"]["body"]["__data__"]["id"].startswith("rec-")


def test_hooks_of_the_project_are_called(project: Project) -> None:
    """Matchers registered in `pytest_recording_configure` are there for this cassette, too."""
    project.configure(
        options='match_on=["method", "lenient"]',
        more=SHARED
        + """
def pytest_recording_configure(config, vcr):
    vcr.register_matcher("lenient", lambda one, other: True)
""",
    )
    project.test("def test_one(greeting):\n    assert greeting\n")
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=1)


def test_a_miss_that_was_hidden_is_told_at_the_end(shared: Project) -> None:
    """A fixture may go on without its answer, and its test may pass."""
    hiding = SHARED.replace(
        'return ask("Hello?")', "try:\n        ask()\n    except Exception: ..."
    )
    shared.configure(more=hiding)
    shared.test("def test_one(greeting): ...\n")
    result = shared.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*requests that no recording answered, in tests that passed*",
            "test_agent.py::test_one",
            "No recording answers POST *",
            "To record it: * pytest test_agent.py::test_one --record-mode=new_episodes",
        ]
    )
