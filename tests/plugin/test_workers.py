"""pytest-xdist: two workers record, judge and tell what one process does."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from vcr_llm.cli import main

from .project import Project

OLD = "2020-02-03T04:05:06Z"
CONFIGURATION = 'max_age=30, on_unplayed="fail", record_on_exception=False'
# One test for each thing that is told of a test when it is over.
RECORDED = """
@pytest.mark.vcr
def test_old():
    ask("Old?")

@pytest.mark.vcr(on_expiry="fail")
def test_too_old():
    ask("Too old?")

@pytest.mark.vcr
def test_of_unknown_age():
    ask("Of unknown age?")

@pytest.mark.vcr
def test_leftover():
    ask("Played?")
    ask("Left?")

@pytest.mark.vcr
def test_missing():
    ask("Recorded?")
"""
CHANGED = (
    RECORDED.replace('    ask("Left?")\n', "").replace("Recorded?", "Unknown?")
    + """
@pytest.mark.vcr
def test_nothing():
    pass

@pytest.mark.vcr
def test_past():
    import os, socket
    from urllib.parse import urlsplit
    server = urlsplit(os.environ["OPENAI_BASE_URL"])
    socket.create_connection((server.hostname, server.port)).close()
"""
)
TOLD: dict[str, Any] = {
    "warnings": [
        "1 recording has no recorded_at",
        "1 recording is older than 30 days",
        "The test is marked with vcr, but no request came to its cassette",
        "The test reached 127.0.0.1",
    ],
    "errors": {
        "test_leftover": "did not play 1 recording",
        "test_too_old": "1 recording is older than 30 days",
    },
    "failures": {"test_missing": "No recording answers"},
}


def date(project: Project, test: str, moment: str | None) -> None:
    """Write when the recordings of a test were made."""
    for path in (project.path / "cassettes/test_agent" / test).glob("*.json"):
        document = json.loads(path.read_text("utf-8"))
        document["recorded_at"] = moment
        if moment is None:
            del document["recorded_at"]
        path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def told(project: Project, result: pytest.RunResult) -> dict[str, Any]:
    """The warnings on the screen, and the failures and errors in JUnit's XML."""
    known = "|".join(re.escape(each) for each in {*TOLD["warnings"]})
    junit = ET.parse(project.path / "junit.xml").iter("testcase")  # noqa: S314 - our own
    cases = {case.get("name"): case for case in junit}
    sentences = {**TOLD["errors"], **TOLD["failures"]}
    found = {
        kind: {
            name: sentences[str(name)]
            for name, case in cases.items()
            for said in case.findall(tag)
            if sentences[str(name)] in f"{said.get('message')}\n{said.text}"
        }
        for kind, tag in (("errors", "error"), ("failures", "failure"))
    }
    warned = [line for line in result.outlines if "VcrLlmWarning: " in line]
    return {"warnings": sorted(re.findall(known, "\n".join(warned))), **found}


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_what_is_odd_about_tests_is_told(project: Project, workers: tuple[str, ...]) -> None:
    """Age, leftovers, misses and what was not intercepted, in warnings, errors and JUnit's XML."""
    project.configure(CONFIGURATION)
    project.test(RECORDED)
    project.record().assert_outcomes(passed=5)
    date(project, "test_old", OLD)
    date(project, "test_too_old", OLD)
    date(project, "test_of_unknown_age", None)
    project.test(CHANGED)
    before = project.tree
    run = project.run_apart if workers else project.run
    result = run("--junitxml=junit.xml", *workers)
    result.assert_outcomes(passed=6, failed=1, errors=2, warnings=4)
    assert told(project, result) == TOLD
    assert project.tree == before


OF_OLD = """
@pytest.mark.vcr
def test_old():
    ask("Old?")
"""
FAILING = """
import pathlib

@pytest.mark.vcr
@pytest.mark.parametrize("number", range(3))
def test_answer(number):
    ask(f"Number {number}?")
    assert pathlib.Path("mended").exists()
"""


def test_failed_tests_set_aside_and_commands_read_the_rest(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers keep `.failed`, take it over, and record anew what is old; commands know it all."""
    project.configure('record_on_exception=False, max_age=30, on_expiry="rerecord"')
    project.test(OF_OLD)
    project.record().assert_outcomes(passed=1)
    date(project, "test_old", OLD)
    project.test(OF_OLD + FAILING)
    recording = ("--record-mode=new_episodes", "-n2")
    project.run_apart(*recording).assert_outcomes(passed=1, failed=3)
    tests = [f"test_agent/test_answer[{number}]" for number in range(3)]
    assert project.folders == [*(f"{test}/.failed" for test in tests), "test_agent/test_old"]
    (document,) = project.documents("test_agent/test_old")
    assert document["recorded_at"] > OLD
    project.write("mended", "")
    with project.server_down():
        project.run_apart(*recording).assert_outcomes(passed=4)
    assert project.folders == [*tests, "test_agent/test_old"]
    monkeypatch.chdir(project.path)
    project.test(OF_OLD + FAILING.replace("range(3)", "range(1, 3)"))
    capsys.readouterr()
    assert main(["orphans", "--json"]) == 1
    (orphan,) = json.loads(capsys.readouterr().out)["found"]
    assert orphan["path"] == f"cassettes/{tests[0]}"
    assert main(["report", "cassettes", "-o", "report"]) == 0
    assert capsys.readouterr().out == "report/index.html: 4 recordings of 4 cassettes\n"
