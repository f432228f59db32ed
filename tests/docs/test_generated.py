"""What the pages say of options, commands and names is what the code says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.docs import PAGES, filled
from scripts.environments import ROOT
from scripts.self_description import PARTS

_DOCS = ROOT / "docs"
_TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_what_the_code_says(page: Path) -> None:
    """An option that has changed, or an edit by hand between the marks, is found.

    `make format` writes it again.
    """
    assert filled(_TEXTS[page]) == _TEXTS[page]


def test_every_part_is_in_a_page() -> None:
    """Nothing is generated that nobody reads, and each mark has its end."""
    marks = re.findall(r"^<!-- generated: (.*) -->$", "\n".join(_TEXTS.values()), re.MULTILINE)
    assert set(marks) == set(PARTS)
    assert len(marks) == sum(text.count("\n<!-- end -->") for text in _TEXTS.values())


def test_an_edit_by_hand_is_undone() -> None:
    """What stands between the marks is the generator's."""
    page = "# Options\n\n<!-- generated: options -->\n\n| mine |\n\n<!-- end -->\n\nText.\n"
    assert filled(page).endswith("\n\n<!-- end -->\n\nText.\n")
    assert "mine" not in filled(page)
    assert "| `ignore` | `()` |" in filled(page)


def _pages(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else _pages(value)


def test_every_page_is_in_the_navigation() -> None:
    """A reader finds it."""
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(_pages(site["nav"])) == sorted(
        page.name for page in PAGES if page.parent == _DOCS
    )


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_to_files(page: str) -> None:
    """What a page outside of the site links to is there; `make docs` looks at the others."""
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https:)([^)#]+)(?:#[^)]*)?\)", text)
    assert [target for target in targets if not (ROOT / target).exists()] == []
