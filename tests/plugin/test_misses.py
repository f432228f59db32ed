"""What is said about a request that no recording answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest
from vcr.errors import CannotOverwriteExistingCassetteException

import vcr_llm

from . import agent
from .project import KEY, Project

# openai 1 and 2 wrap whatever a transport raises.
MISS = (CannotOverwriteExistingCassetteException, openai.APIConnectionError)
TITLE = "vcr-llm: requests that no recording answered"
COMMAND = "pytest test_agent.py::test_answer --record-mode="


def asking(*prompts: str, options: str = "") -> str:
    """A test that asks these prompts."""
    calls = "\n    ".join(f"ask({prompt!r}{options})" for prompt in prompts)
    return f"@pytest.mark.vcr\ndef test_answer():\n    {calls}\n"


def missed(project: Project, *, recorded: str, asked: str) -> str:
    """What pytest prints when a recorded test asks something else."""
    project.test(recorded)
    project.record().assert_outcomes(passed=1)
    project.test(asked)
    result = project.replay()
    result.assert_outcomes(failed=1)
    return str(result.stdout)


def lines_of(text: str) -> list[str]:
    """The lines without pytest's mark for errors and without indentation."""
    return [line.removeprefix("E").strip() for line in text.splitlines()]


# The text


def test_changed_prompt_is_shown_by_path_with_both_values(project: Project) -> None:
    """The nearest recording, the path in it, what was recorded and what was asked."""
    said = missed(project, recorded=asking("Hello, Ann"), asked=asking("Hello, Bob"))
    (name,) = project.tree
    lines = lines_of(said)
    assert any("cassettes/test_agent/test_answer (1 recording" in line for line in lines)
    assert f"Nearest is {name.rpartition('/')[2]}. It differs in:" in lines
    (difference,) = {line for line in lines if line.startswith("messages[0].content")}
    assert "Hello, Ann" in difference
    assert "Hello, Bob" in difference
    assert any(line.endswith(f"{COMMAND}new_episodes") for line in lines)
    assert any(line.endswith(f"{COMMAND}rewrite") for line in lines)
    assert "(model gpt-4o)" in said


def test_long_values_are_shortened_around_the_difference(project: Project) -> None:
    """Of two long prompts, the part in which they differ is shown, and not all the rest."""
    head, tail = "once upon a time " * 200, " and so on" * 200
    said = missed(
        project, recorded=asking(f"{head}a cat{tail}"), asked=asking(f"{head}a dog{tail}")
    )
    differences = [line for line in lines_of(said) if line.startswith("messages[0].content")]
    assert differences
    assert all("a cat" in line and "a dog" in line for line in differences)
    assert max(map(len, differences)) < 400


CHANGES = {
    "a changed parameter": (", temperature=0", ", temperature=1", "temperature"),
    "a removed parameter": (", temperature=0", "", "temperature"),
    "an added parameter": ("", ", seed=1", "seed"),
    "a changed tool": (
        ", tools=[{'type': 'function', 'function': {'name': 'one'}}]",
        ", tools=[{'type': 'function', 'function': {'name': 'two'}}]",
        "tools[0].function.name",
    ),
}


@pytest.mark.parametrize(("before", "after", "path"), CHANGES.values(), ids=CHANGES)
def test_change_is_named_by_its_path(project: Project, before: str, after: str, path: str) -> None:
    """Whatever changed in a request is named as one would write it in Python."""
    said = missed(project, recorded=asking("Hi", options=before), asked=asking("Hi", options=after))
    assert any(line.startswith(path) for line in lines_of(said))


def test_recording_that_matches_but_is_played_is_named(project: Project) -> None:
    """One call too many: the recordings that answer it are named as already played."""
    said = missed(project, recorded=asking("Hi", "Hi"), asked=asking("Hi", "Hi", "Hi"))
    assert "These match, but are already played:" in said
    assert all(name.rpartition("/")[2] in lines_of(said) for name in project.tree)
    assert "It differs in" not in said


def test_empty_cassette_says_how_to_record(project: Project) -> None:
    """Without any recording there is nothing near; the command is shown all the same."""
    project.test(asking("Hi"))
    result = project.replay()
    result.assert_outcomes(failed=1)
    said = str(result.stdout)
    assert "(0 recordings, record mode none)" in said
    assert f"{COMMAND}new_episodes" in said


def test_command_quotes_what_a_shell_would_split(project: Project) -> None:
    """The node id of a parametrised test can be pasted into a shell."""
    project.test("""
        @pytest.mark.vcr
        @pytest.mark.parametrize("prompt", ["it's & co"])
        def test_answer(prompt):
            ask(prompt)
        """)
    project.replay().stdout.fnmatch_lines(
        ["""*pytest 'test_agent.py::test_answer[[]it'"'"'s & co]' --record-mode=new_episodes*"""]
    )


def test_miss_is_vcrpys_exception(project: Project) -> None:
    """Teams explain a miss by the name of vcrpy's exception; its attributes tell the truth."""
    project.test(asking("Hi"))
    project.record()
    project.test("""
        from vcr.errors import CannotOverwriteExistingCassetteException

        @pytest.mark.vcr
        def test_answer(vcr):
            ask("Hi")
            with pytest.raises(Exception) as caught:
                ask("Hello")
            miss = caught.value.__cause__ or caught.value  # openai 1 and 2 wrap it
            assert isinstance(miss, CannotOverwriteExistingCassetteException)
            assert miss.reason == "no_match"
            assert miss.cassette is vcr
            assert miss.failed_request.uri.endswith("/chat/completions")
            (recorded, succeeded, failed), = miss.similar_requests
            assert recorded is vcr.requests[0]
            assert succeeded == ["method", "scheme", "host", "port", "path", "query"]
            assert [name for name, _message in failed] == ["llm_body"]
        """)
    project.replay().assert_outcomes(passed=1)


REASONS = {
    "already_played": "ask('Hi'), ask('Hi')",
    "no_match": "ask('Hi'), ask('Hello')",
}


@pytest.mark.parametrize(("reason", "calls"), REASONS.items(), ids=REASONS)
def test_reason_is_vcrpys_word(project: Project, reason: str, calls: str) -> None:
    """`reason` says whether recordings were played, or differ."""
    project.test(asking("Hi"))
    project.record()
    project.test(f"""
        @pytest.mark.vcr
        def test_answer(vcr):
            with pytest.raises(Exception) as caught:
                {calls}
            assert (caught.value.__cause__ or caught.value).reason == {reason!r}
        """)
    project.replay().assert_outcomes(passed=1)


def test_user_matcher_that_fails_is_explained(project: Project) -> None:
    """Where a matcher of the user's disagrees, the miss names it or what it said."""
    project.configure(
        "match_on=['method', 'path', 'picky']",
        more="""
        def picky(incoming, recorded):
            if incoming.body != recorded.body:
                raise AssertionError("the bodies are not the same bytes")

        def pytest_recording_configure(config, vcr):
            vcr.register_matcher("picky", picky)
        """,
    )
    said = missed(project, recorded=asking("Hi"), asked=asking("Ho"))
    assert "picky: the bodies are not the same bytes" in said
    assert "already played" not in said


# Hidden misses


HIDDEN = """
@pytest.mark.vcr
def test_answer():
    try:
        ask("Something new")
    except Exception:
        pass
    {rest}
"""


@pytest.fixture
def hidden(project: Project) -> Project:
    """A project with a recording whose test now asks something else and hides the error."""
    project.test(asking("Hi"))
    project.record()
    project.test(HIDDEN.format(rest=""))
    return project


def test_hidden_miss_of_a_passing_test_is_in_the_summary(hidden: Project) -> None:
    """When the code under test swallowed a miss, the end of the run tells of it."""
    result = hidden.replay()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            f"*{TITLE}, in tests that passed*",
            "*test_agent.py::test_answer*",
            "*No recording answers POST *",
            "*messages[[]0].content*Hi*Something new*",
        ]
    )


def test_hidden_miss_of_a_failing_test_is_a_section_of_its_report(hidden: Project) -> None:
    """The failure that followed is shown with the miss that caused it."""
    hidden.test(HIDDEN.format(rest="assert not 'as expected'"))
    result = hidden.replay()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*assert not 'as expected'*", f"*- {TITLE} -*", "*messages[[]0].content*Something new*"]
    )
    assert "in tests that passed" not in str(result.stdout)


def test_hidden_miss_is_told_under_xdist(hidden: Project) -> None:
    """Workers send their misses to the one who prints the summary."""
    with hidden.server_down():
        result = hidden.run_apart("-n2")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*{TITLE}*", "*test_answer*", "*Something new*"])


def test_miss_that_an_sdk_tries_again_is_told_once(project: Project) -> None:
    """Retries of the same request are one miss, shown with the SDK's own error."""
    project.test("""
        import openai

        @pytest.mark.vcr
        def test_answer():
            client = openai.OpenAI(max_retries=2)
            messages = [{"role": "user", "content": "Hi"}]
            try:
                client.chat.completions.create(model="gpt-4o", messages=messages)
            finally:
                client.close()
        """)
    result = project.replay()
    result.assert_outcomes(failed=1)
    section = str(result.stdout).partition(f"- {TITLE} -")[2].partition("short test summary")[0]
    assert section.count("No recording answers POST") == 1


def test_run_without_misses_has_no_summary(project: Project) -> None:
    """Nothing is said where nothing was missed."""
    project.test(asking("Hi"))
    recorded = project.record()
    assert TITLE not in str(recorded.stdout)
    assert TITLE not in str(project.replay().stdout)


# Outside pytest


@pytest.fixture
def cassette(project: Project) -> Path:
    """A cassette with one recording, made without pytest."""
    path = project.path / "cassette"
    with vcr_llm.use_cassette(path):
        agent.ask("Hi")
    return path


def test_hidden_miss_outside_pytest_is_a_warning(cassette: Path) -> None:
    """Code that went on without an answer is told so when the cassette is left."""
    with (
        pytest.warns(vcr_llm.VcrLlmWarning, match=r"messages\[0\]\.content"),
        vcr_llm.use_cassette(cassette),
        pytest.raises(MISS),
    ):
        agent.ask("Something new")


def test_miss_outside_pytest_is_told_by_the_exception(cassette: Path) -> None:
    """The exception that leaves the cassette says it, in its text or, wrapped, in a note."""
    with pytest.raises(MISS) as caught, vcr_llm.use_cassette(cassette):
        agent.ask("Something new")
    said = [str(caught.value), *getattr(caught.value, "__notes__", ())]
    assert "messages[0].content" in said[-1]
    assert 'record_mode="new_episodes"' in said[-1]


def test_miss_behind_another_exception_is_a_note_on_it(cassette: Path) -> None:
    """Where the code raises something else after a miss, that carries the miss."""

    def answer() -> None:
        """Ask, and tell less than is known."""
        try:
            agent.ask("Something new")
        except MISS:
            raise RuntimeError("no answer") from None

    decorated: Any = vcr_llm.use_cassette(cassette)(answer)
    with pytest.raises(RuntimeError) as caught:
        decorated()
    (note,) = caught.value.__notes__
    assert "messages[0].content" in note


def test_miss_itself_has_no_note(cassette: Path) -> None:
    """What the exception says already is not said twice."""
    import httpx

    with (
        pytest.raises(CannotOverwriteExistingCassetteException) as caught,
        vcr_llm.use_cassette(cassette),
    ):
        httpx.get("http://127.0.0.1:1/nowhere")
    assert not hasattr(caught.value, "__notes__")


# Secrets


GITHUB = "ghp_" + "aB3" * 12
ANTHROPIC = "sk-ant-api03-" + "Qw9" * 10


def test_planted_keys_are_in_no_report(project: Project) -> None:
    """Headers, query and prompt hold keys: pytest prints none of them, logs included."""
    project.test(f"""
        import httpx

        SECRETS = {{"api_key": "{ANTHROPIC}", "note": "my key is {GITHUB}"}}

        @pytest.mark.vcr
        def test_answer():
            httpx.post("http://127.0.0.1:1/v1/x?key={ANTHROPIC}", json=SECRETS,
                       headers={{"Authorization": "Bearer {KEY}"}})
        """)
    result = project.replay("--log-level=DEBUG", "--tb=short", "--show-capture=all")
    result.assert_outcomes(failed=1)
    said = "\n".join(
        line for line in result.outlines if "SECRETS = " not in line and "httpx.post(" not in line
    )
    assert "No recording answers POST" in said
    assert [secret for secret in (KEY, GITHUB, ANTHROPIC) if secret in said] == []


def test_planted_keys_are_in_no_difference(project: Project) -> None:
    """Prompts that differ beside a key are compared without the key."""
    said = missed(
        project,
        recorded=asking(f"Ann has {GITHUB}"),
        asked=asking(f"Bob has {GITHUB}"),
    )
    differences = [line for line in lines_of(said) if line.startswith("messages[0].content")]
    assert differences
    assert all("Ann" in line and "Bob" in line for line in differences)
    assert not any(GITHUB in line for line in differences)
