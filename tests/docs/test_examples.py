"""Every example of the site does what the page says; README.md has tests/test_readme.py."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.blocks import as_shown, blocks_of
from tests.docs.walkthrough import ROOT, Walkthrough
from vcr_llm.cli import COMMANDS, main

# Its documents are held against the schema, by tests/test_format.py.
_OF_ITS_OWN = "format.md"
PAGES = sorted(page for page in (ROOT / "docs").glob("*.md") if page.name != _OF_ITS_OWN)


def with_cassettes(walkthrough: Walkthrough) -> None:
    """A project under git, with cassettes, some of an earlier day, and old ones in files."""
    recorded = walkthrough.path / "tests" / "cassettes"
    before = walkthrough.path / "before"
    for folder in (recorded, before, walkthrough.path / "cassettes"):
        shutil.copytree(ROOT / "cassettes", folder)
    for path in (before / "test_plain_chat").iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace("gpt-4o", "gpt-4"), "utf-8")
    test = "import pytest\n\n\n@pytest.mark.vcr\ndef test_plain_chat(): ...\n"
    (walkthrough.path / "tests" / "test_chat.py").write_text(test, encoding="utf-8")
    assert main(["export", str(recorded / "test_rate_limit"), str(walkthrough.path / "old")]) == 0
    assert walkthrough.run("git add . && git commit -qm recorded") == 0


SETTINGS: dict[str, Callable[[Walkthrough], None]] = {
    "commands.md": with_cassettes,
    "report.md": with_cassettes,
}


@pytest.fixture
def walkthrough(
    everything_is_imported: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Walkthrough:
    """A reader with an empty folder."""
    return Walkthrough(pytester, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_does_what_it_says(walkthrough: Walkthrough, page: Path) -> None:
    """A reader who follows it from top to bottom meets what it shows."""
    if prepare := SETTINGS.get(page.name):
        prepare(walkthrough)
    walkthrough.follow(blocks_of(page))


def test_every_command_has_an_example() -> None:
    """The page about the command line runs each."""
    text = "".join(block.text for block in blocks_of(ROOT / "docs/commands.md"))
    assert {name for name in COMMANDS if f"vcr-llm {name} " not in f"{text} "} == set()


@pytest.mark.parametrize("page", ["commands.md", "secrets.md"])
def test_the_hook_takes_recordings(page: str) -> None:
    """The pattern of the pre-commit hook finds files in directories of cassettes."""
    (text,) = [block.text for block in blocks_of(ROOT / "docs" / page) if block.language == "yaml"]
    (pattern,) = re.findall(r"files: (.*)", text)
    assert re.search(pattern, "tests/cassettes/test_a/test_b/0.json")
    assert not re.search(pattern, "docs/recording.schema.json")


@pytest.mark.parametrize(
    ("shown", "text", "expected"),
    [
        ("a\n…\nc\n", "a\nb\nb\nc\n", True),
        ("a\n…\nc\n", "a\nc\n", True),
        ("a …\n", "a b\n", True),
        ("a …\n", "a\nb\n", False),
        ("a\n", "a b\n", False),
    ],
)
def test_an_ellipsis_stands_for_what_is_left_out(shown: str, text: str, *, expected: bool) -> None:
    """Alone it is any number of lines, else the rest of one."""
    assert (as_shown(shown).fullmatch(text) is not None) is expected
