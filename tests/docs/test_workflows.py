"""The workflows of docs/ci.md: safe by their text, and their steps run, with a server of ours."""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.blocks import blocks_of
from tests.docs.walkthrough import ROOT, Walkthrough

KEY = "sk-proj-Zx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5"
WORKFLOWS: dict[str, Any] = {
    Path(block.file_name).stem: yaml.safe_load(block.text)
    for block in blocks_of(ROOT / "docs/ci.md")
    if block.file_name.startswith(".github/workflows/")
}
KEYED = ("record", "verify")
# A gh that says what it was asked for; everything else of the steps is real.
GH = '#!/bin/sh\nprintf "%s\\n" "$@" > "$RUNNER_TEMP/gh"\n'


def steps(workflow: str) -> list[dict[str, Any]]:
    """The steps of all jobs."""
    return [step for job in WORKFLOWS[workflow]["jobs"].values() for step in job["steps"]]


@pytest.fixture
def walkthrough(
    everything_is_imported: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Walkthrough:
    """The project of the quick start, with its recording committed and pushed."""
    walkthrough = Walkthrough(pytester, monkeypatch)
    blocks = blocks_of(ROOT / "docs/index.md")
    files = [block for block in blocks if block.file_name]
    walkthrough.follow(files)
    temporary = pytester.mkdir("runner")
    monkeypatch.setenv("RUNNER_TEMP", str(temporary))
    program = temporary / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(GH, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    (walkthrough.path / ".gitignore").write_text("runner\norigin.git\nreport\n", encoding="utf-8")
    for command in (
        "git init -q --bare origin.git",
        "git remote add origin origin.git",
        "git add . && git commit -qm 'The quick start'",
        "git push -q origin main",
    ):
        assert walkthrough.run(command) == 0, walkthrough.output
    return walkthrough


def run_steps(
    walkthrough: Walkthrough, patch: pytest.MonkeyPatch, workflow: str, job: str, **values: str
) -> str:
    """Run the shell of a job's steps, with these values for what GitHub knows; all they print."""
    described = WORKFLOWS[workflow]["jobs"][job]
    printed = []
    for step in described["steps"]:
        environment = {**described.get("env", {}), **step.get("env", {})}
        with patch.context() as context:
            for name, value in environment.items():
                known = re.fullmatch(r"\$\{\{ ([\w.]+) \}\}", value)
                context.setenv(name, values[known[1]] if known else value)
            printed += _run(walkthrough, step.get("run", ""))
    return "\n".join(printed)


def _run(walkthrough: Walkthrough, script: str) -> list[str]:
    """One step: our programs in this process, anything else by bash; nothing is installed."""
    if not script or script.startswith("pip install"):
        return []
    is_ours = script.startswith(("pytest ", "vcr-llm "))
    with walkthrough.server if is_ours else nullcontext():
        status = walkthrough.run(os.path.expandvars(script) if is_ours else script)
    assert status == 0, f"{script}\n{walkthrough.output}"
    return [walkthrough.output]


def test_recording_on_demand(walkthrough: Walkthrough, monkeypatch: pytest.MonkeyPatch) -> None:
    """It records with the key, shows it nowhere, and proposes the recordings and nothing else."""
    values = {
        "inputs.tests": "test_capital.py",
        "inputs.mode": "new_episodes",
        "secrets.OPENAI_API_KEY": KEY,
        "github.token": "token",
    }
    temporary = walkthrough.path / "runner"
    printed = run_steps(walkthrough, monkeypatch, "record", "record", **values)
    assert "1 passed" in printed
    assert KEY not in printed
    assert {request.header("authorization") for request in walkthrough.server.requests} == {
        f"Bearer {KEY}"
    }
    assert (walkthrough.path / "report" / "index.html").exists()
    # What upload-artifact and download-artifact do, and the checkout of the second job.
    assert walkthrough.run("mkdir runner/recordings && mv cassettes report runner/recordings") == 0
    for name, value in {
        "GITHUB_RUN_ID": "17",
        "GITHUB_REF_NAME": "main",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "a/b",
    }.items():
        monkeypatch.setenv(name, value)
    run_steps(walkthrough, monkeypatch, "record", "propose", **values)
    assert "--head\nrecordings/17\n" in (temporary / "gh").read_text(encoding="utf-8")
    assert walkthrough.run("git diff --name-only main origin/recordings/17") == 0
    changed = walkthrough.output.split()
    assert len(changed) == 1
    assert changed[0].startswith("cassettes/test_capital/test_capital/")
    assert walkthrough.run(f"git grep -q {KEY} origin/recordings/17") == 1


def test_every_run_replays(walkthrough: Walkthrough, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its steps pass with a key that is none and the network blocked."""
    with walkthrough.server:
        assert walkthrough.run("pytest --record-mode=new_episodes") == 0
    assert walkthrough.run("git add . && git commit -qm recorded") == 0
    sent = len(walkthrough.server.requests)
    printed = run_steps(walkthrough, monkeypatch, "test", "test", **{"github.base_ref": "main"})
    assert "1 passed" in printed
    assert len(walkthrough.server.requests) == sent


def test_verifying_every_week(walkthrough: Walkthrough, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends what is recorded, writes nothing, and fails where an answer has another shape."""
    with walkthrough.server:
        assert walkthrough.run("pytest --record-mode=new_episodes") == 0
    assert walkthrough.run("git add . && git commit -qm recorded") == 0
    key = {"secrets.OPENAI_API_KEY": KEY}
    printed = run_steps(walkthrough, monkeypatch, "verify", "verify", **key)
    assert "vcr-llm: 1 answer compared by shape; 0 differ" in printed
    assert walkthrough.server.requests[-1].header("authorization") == f"Bearer {KEY}"
    assert walkthrough.run("git status --porcelain") == 0
    assert walkthrough.output == ""
    assert walkthrough.run("sed -i 's/finish_reason/reason/' cassettes/*/*/*.json") == 0
    with pytest.raises(AssertionError, match="--vcr-llm-verify"):
        run_steps(walkthrough, monkeypatch, "verify", "verify", **key)
    assert "reason is gone" in walkthrough.output


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_no_more_rights_than_it_needs(name: str) -> None:
    """None at the top; no trigger that runs a stranger's code with a key; pinned actions."""
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {}
    triggers = set(workflow[True])  # YAML 1.1 reads `on` so
    assert triggers <= {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert all("permissions" in job for job in workflow["jobs"].values())
    actions = [step["uses"] for step in steps(name) if "uses" in step]
    assert [action for action in actions if not re.fullmatch(r"actions/[\w-]+@v\d+", action)] == []
    assert [step["run"] for step in steps(name) if "${{" in step.get("run", "")] == []


def test_the_key_is_in_one_step_of_a_job_that_cannot_write() -> None:
    """Who has the key has no right to write, and who may write has no key."""
    for name, workflow in WORKFLOWS.items():
        for job in workflow["jobs"].values():
            holders = [step for step in job["steps"] if "secrets." in str(step)]
            may_write = "write" in job["permissions"].values()
            assert len(holders) == (1 if name in KEYED and not may_write else 0)
            assert "secrets." not in str(job.get("env", {}))
