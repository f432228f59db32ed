"""Every command of docs/report.md does what the page says, one after the other in a project."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.reports import rows
from vcr_llm.cli import main

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
LINES = [
    line
    for text in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in text.splitlines()
]


def test_every_command_does_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a project under git, with its cassettes of an earlier day beside it."""
    shutil.copytree(ROOT / "cassettes", tmp_path / "cassettes")
    shutil.copytree(ROOT / "cassettes", tmp_path / "before")
    monkeypatch.chdir(tmp_path)
    someone = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "."), (*someone, "commit", "-q", "-m", "recorded")):
        subprocess.run(["git", *command], check=True)
    bases = []
    for line in LINES:
        assert main(shlex.split(line)[1:]) == 0, line
        bases.append({row["state"] for row in rows(Path("report"))})
    assert bases == [{None}, {"same"}, {"same"}]


def test_the_pictures_of_the_readme_are_there() -> None:
    """Small enough for a page."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", readme)
    assert pictures
    for picture in pictures:
        assert 0 < (ROOT / picture).stat().st_size < 200_000
