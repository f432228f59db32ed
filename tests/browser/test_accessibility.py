"""axe-core finds nothing: https://github.com/dequelabs/axe-core, with the rules of WCAG 2.2 AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Opener

pytestmark = pytest.mark.browser

# Runs outside of the page's policy, which would not let anybody load it.
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Any, where: str = "html") -> list[str]:
    """What axe-core complains of in a part of the page: the rule, and the first element."""
    found = page.evaluate(
        "rules => axe.run(document, {preload: false, runOnly: {type: 'tag', values: rules}})",
        _RULES,
    )
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


@pytest.mark.parametrize(
    ("width", "scheme", "first"), [(360, "dark", 0), (1280, "light", 1), (1280, "dark", 2)]
)
def test_axe_finds_nothing(
    comparison: Path, opened: Opener, width: int, scheme: str, first: int
) -> None:
    """In the list, nor in a recording of any kind with all that unfolds unfolded."""
    viewport = {"width": width, "height": 900}
    page = opened(comparison, "#state=", viewport=viewport, color_scheme=scheme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert violations(page) == []
    links = page.evaluate("[...document.querySelectorAll('.row-link')].map(link => link.hash)")
    for link in links[first::3]:
        page.evaluate("link => { location.hash = link; }", link)
        page.wait_for_selector(".part-raw")
        page.wait_for_timeout(50)
        for summary in page.locator("#details summary").all():
            summary.click()
        assert violations(page, "#details") == [], link
    assert violations(page) == []
