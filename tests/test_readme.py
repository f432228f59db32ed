"""README.md does what it says, on every Python and with every openai; the site has its own test."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import blocks_of
from tests.docs.walkthrough import ROOT, Walkthrough

pytestmark = pytest.mark.usefixtures("everything_is_imported")

README = ROOT / "README.md"
_TABLE = re.compile(r"^\| `--record-mode` \|.*?(?=^$)", re.MULTILINE | re.DOTALL)


def test_a_reader_who_follows_it_meets_what_it_shows(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code, the commands, the recording, the miss."""
    Walkthrough(pytester, monkeypatch).follow(blocks_of(README))


def test_every_mode_is_in_the_table(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table has the words that VCR_LLM_MODE can be, as its error lists them."""
    walkthrough = Walkthrough(pytester, monkeypatch)
    assert walkthrough.run("VCR_LLM_MODE=nonsense pytest") == pytest.ExitCode.USAGE_ERROR
    (table,) = _TABLE.findall(README.read_text(encoding="utf-8"))
    words = re.findall(r"^\|[^|]*\| `([\w-]+)` \|", table, re.MULTILINE)[1:]
    assert set(words) == set(re.findall(r"[\w-]+", walkthrough.output.partition("it can be ")[2]))


def test_the_table_of_modes_is_that_of_the_site() -> None:
    """What a mode does is said once, in the same words."""
    (table,) = _TABLE.findall(README.read_text(encoding="utf-8"))
    assert table in (ROOT / "docs/options.md").read_text(encoding="utf-8")


def test_the_pictures_of_the_readme_are_there() -> None:
    """Small enough for a page."""
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", README.read_text(encoding="utf-8"))
    assert pictures
    for picture in pictures:
        assert 0 < (ROOT / picture).stat().st_size < 200_000
