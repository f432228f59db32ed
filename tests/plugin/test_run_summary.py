"""What is told at the end of a run: replayed, recorded, missed, not spent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from .project import Project

FILE = "--vcr-llm-summary=out/summary.json"
# A test that asks twice, one that asks once, and one that has nothing to do with us.
TESTS = """
@pytest.mark.vcr
def test_twice():
    ask("Hello")
    ask("Good bye")

@pytest.mark.vcr
def test_once():
    ask("Hello")

def test_plain():
    pass
"""


def line_of(result: pytest.RunResult) -> str | None:
    """The line of the summary, None where there is none."""
    found = [line for line in result.outlines if line.startswith("vcr-llm: ")]
    assert len(found) <= 1
    return found[0] if found else None


def summary(project: Project) -> dict[str, Any]:
    """The summary in the file."""
    loaded: dict[str, Any] = json.loads((project.path / "out/summary.json").read_text("utf-8"))
    return loaded


@pytest.fixture
def recorded(project: Project) -> Project:
    """A project whose tests are recorded."""
    project.test(TESTS)
    project.record().assert_outcomes(passed=3)
    return project


def test_recording_run_says_what_it_recorded(project: Project) -> None:
    """What was recorded was spent."""
    project.test(TESTS)
    result = project.record(FILE)
    assert line_of(result) == (
        "vcr-llm: 0 replayed, 3 recorded, 0 missed; not spent: 0 requests, 0 tokens"
    )
    found = summary(project)
    assert (found["replayed"], found["recorded"], found["missed"]) == (0, 3, 0)
    assert found["not_spent"] == {
        "requests": 0,
        "tokens": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "requests_without_usage": 0,
    }


def tokens(project: Project) -> tuple[int, int]:
    """The tokens that all recordings of the project tell of."""
    usages = [
        json.loads(content)["response"]["body"]["__data__"]["usage"]
        for content in project.tree.values()
    ]
    return (
        sum(usage["prompt_tokens"] for usage in usages),
        sum(usage["completion_tokens"] for usage in usages),
    )


@pytest.mark.parametrize("arguments", [(), ("-n2",), ("-n2", "--dist=loadfile")], ids=" ".join)
def test_replay_says_what_was_not_spent(recorded: Project, arguments: tuple[str, ...]) -> None:
    """Requests and tokens add up, with pytest-xdist too; the file says it by cassette."""
    sent, came = tokens(recorded)
    run = recorded.run_apart if arguments else recorded.run
    with recorded.server_down():
        result = run(FILE, *arguments)
    result.assert_outcomes(passed=3)
    assert line_of(result) == (
        "vcr-llm: 3 replayed, 0 recorded, 0 missed; not spent: 3 requests, "
        f"{sent + came:,} tokens ({sent:,} in, {came:,} out)"
    )
    found = summary(recorded)
    assert found["version"] == 1
    assert found["exit_status"] == 0
    assert found["not_spent"]["tokens"] == sent + came
    assert [
        (one["path"], one["tests"], one["record_modes"], one["replayed"])
        for one in found["cassettes"]
    ] == [
        ("cassettes/test_agent/test_once", ["test_agent.py::test_once"], ["none"], 1),
        ("cassettes/test_agent/test_twice", ["test_agent.py::test_twice"], ["none"], 2),
    ]


def test_quiet_run_has_a_file_and_no_line(recorded: Project) -> None:
    """`-q` silences the line; the file is written all the same, also without a terminal."""
    assert line_of(recorded.replay("-q", FILE)) is None
    assert summary(recorded)["replayed"] == 3
    assert line_of(recorded.replay("-p", "no:terminal", FILE)) is None
    assert summary(recorded)["replayed"] == 3


def test_run_without_our_cassettes_has_no_line(project: Project) -> None:
    """Tests that record nothing, or with vcrpy's own cassettes, are not spoken of."""
    project.configure("serializer='yaml'")
    project.test(TESTS)
    assert line_of(project.record()) is None
    assert line_of(project.replay(FILE)) is None
    assert summary(project)["cassettes"] == []


def test_misses_are_counted(recorded: Project) -> None:
    """A request that no recording answered, in a test that fails for it."""
    recorded.test(TESTS.replace("Good bye", "See you"))
    result = recorded.replay(FILE)
    result.assert_outcomes(passed=2, failed=1)
    assert "2 replayed, 0 recorded, 1 missed" in str(line_of(result))
    assert summary(recorded)["exit_status"] == 1


def test_other_cassettes_count_too(recorded: Project) -> None:
    """`use_cassette` in a test, in a session's fixture, and after the last report."""
    recorded.test("""
        import vcr_llm

        @pytest.fixture(scope="session", autouse=True)
        def session():
            with vcr_llm.use_cassette("cassettes/session"):
                ask("Hello")
                yield
                ask("Good bye")

        def test_inside():
            with vcr_llm.use_cassette("cassettes/inside"):
                ask("Hello")
        """)
    assert "3 recorded" in str(line_of(recorded.run()))
    with recorded.server_down():
        alone = recorded.run(FILE)
        assert "3 replayed" in str(line_of(alone))
        assert [one["tests"] for one in summary(recorded)["cassettes"]] == [
            ["test_agent.py::test_inside"],
            [],
        ]
        assert "3 replayed" in str(line_of(recorded.run_apart("-n2")))


def test_worker_that_dies_loses_only_its_own_test(recorded: Project) -> None:
    """What its other tests did was told with their reports."""
    recorded.test(TESTS + "\ndef test_zombie():\n    import os\n    os._exit(1)\n")
    with recorded.server_down():
        result = recorded.run_apart("-n1", FILE)
    result.assert_outcomes(passed=3, failed=1)
    assert "3 replayed" in str(line_of(result))


def test_answer_without_usage_is_at_least(recorded: Project) -> None:
    """Where a recording tells no usage, the sum says that it is a lower bound."""
    (path,) = (recorded.path / "cassettes/test_agent/test_once").iterdir()
    document = json.loads(path.read_text("utf-8"))
    del document["response"]["body"]["__data__"]["usage"]
    path.write_text(json.dumps(document), "utf-8")
    assert re.search(r"3 requests, at least [1-9]\d* tokens", str(line_of(recorded.replay(FILE))))
    assert summary(recorded)["not_spent"]["requests_without_usage"] == 1
    alone = recorded.replay("-k", "test_once")
    assert str(line_of(alone)).endswith("not spent: 1 request, tokens not known")


def test_file_that_cannot_be_written_fails_a_green_run(recorded: Project) -> None:
    """The reason is told; a run that failed already stays failed by its tests."""
    (recorded.path / "out").write_text("a file", "utf-8")
    result = recorded.replay(FILE)
    result.assert_outcomes(passed=3)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["vcr-llm: --vcr-llm-summary=*out?summary.json: *directory*"])
    refused = recorded.replay(f"--vcr-llm-summary={recorded.path}")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    assert "is no regular file" in refused.stderr.str()


def test_summary_is_in_the_help(project: Project) -> None:
    """The options stand under a heading of their own."""
    result = project.run("--help")
    result.stdout.fnmatch_lines(["*vcr-llm*:", "*--vcr-llm-summary=FILE*"])
