"""Every command of docs/commands.md does what the page says, one after the other in a project."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from vcr_llm.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line for name, text in BLOCKS if name == "sh" for line in text.splitlines()]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with cassettes in directories, some of an earlier day, and old ones in files."""
    recorded = tmp_path / "tests" / "cassettes"
    shutil.copytree(ROOT / "cassettes", recorded)
    shutil.copytree(ROOT / "cassettes", tmp_path / "before")
    for path in (tmp_path / "before" / "test_plain_chat").iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace("gpt-4o", "gpt-4"), "utf-8")
    assert main(["export", str(recorded / "test_rate_limit"), str(tmp_path / "old")]) == 0
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_every_command_ends_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 0 unless the page says another one; nothing goes to stderr."""
    for line in LINES:
        command, _hash, comment = line.partition("#")
        expected = int(comment.rpartition(" ")[2]) if comment else 0
        assert main(shlex.split(command)[1:]) == expected, (line, capsys.readouterr())
        assert capsys.readouterr().err == "", line


def test_the_page_shows_every_command() -> None:
    """Each has a line that is run."""
    assert {line.split()[1] for line in LINES} == set(COMMANDS)


def test_the_hook_takes_recordings() -> None:
    """The pattern of the pre-commit hook finds files in directories of cassettes."""
    (text,) = [text for name, text in BLOCKS if name == "yaml"]
    pattern = yaml.safe_load(text)[0]["hooks"][0]["files"]
    assert re.search(pattern, "tests/cassettes/test_a/test_b/0.json")
    assert not re.search(pattern, "docs/recording.schema.json")
