"""Thousands of recordings: the seed, those of public projects, and five thousand of one project."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Opener
from tests.browser.showcase import answered
from vcr_llm.cli import main

pytestmark = pytest.mark.browser

_LAST = "Question 4995: what is 4995 times 4995?"
SHARED = Path(__file__).parents[3] / "shared"
_TIMES = """() => {
    const times = performance.getEntriesByType('navigation')[0];
    return Math.round(times.domContentLoadedEventEnd);
}"""
# How long a search takes until the list is drawn: in the page, without the way there.
_SEARCH = """async (word) => {
    const field = document.getElementById('q'), count = document.getElementById('count');
    const before = count.textContent, start = performance.now();
    field.value = word;
    field.dispatchEvent(new Event('input', {bubbles: true}));
    while (count.textContent === before) await new Promise(requestAnimationFrame);
    return Math.round(performance.now() - start);
}"""


def save_many(root: Path, count: int) -> Path:
    """So many recordings, five in each cassette, each with words of its own."""
    text = "A paragraph that a model has written, in which every recording has a number: "
    for place in range(count):
        document: dict[str, Any] = answered(
            f"Question {place}: what is {place} times {place}?",
            f"{text * 6}{place * place}.",
            test=f"test_number[{place // 5}]",
            model=f"model-{place % 7}",
        )
        folder = root / f"test_{place // 5:04}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{place:064x}.json").write_text(json.dumps(document), encoding="utf-8")
    return root


def test_five_thousand_recordings(tmp_path: Path, opened: Opener, record_property: Any) -> None:
    """The index is small, the rest comes when it is asked for, and all rows can be scrolled to."""
    root = save_many(tmp_path / "cassettes", 5000)
    assert main(["report", str(root), "-o", str(tmp_path / "report")]) == 0
    assert (tmp_path / "report/data/index.js").stat().st_size < 4_000_000
    without = tmp_path / "without"
    shutil.copytree(tmp_path / "report", without, ignore=shutil.ignore_patterns("[dt][0-9]*.js"))
    assert opened(without).inner_text("#count") == "5,000 recordings in 1,000 cassettes"
    page = opened(tmp_path / "report")
    record_property("DOMContentLoaded, ms", page.evaluate(_TIMES))
    record_property("first search, ms", page.evaluate(_SEARCH, "24950025."))
    assert page.locator(".row-link").all_inner_texts() == [
        "Question 4995: what is 4995 times 4995?"
    ]
    record_property("next search, ms", page.evaluate(_SEARCH, "paragraph model"))
    assert page.inner_text("#count") == "5,000 recordings in 1,000 cassettes"
    assert page.locator(".row-link").count() <= 200
    page.click("#reset")
    page.select_option("#model", "model-3")
    page.wait_for_selector("#count:has-text('714 of 5,000')")
    for _ in range(12):
        page.mouse.wheel(0, 40_000)
        page.wait_for_timeout(60)
    assert page.locator(".row-link").count() == 714
    page.locator(".row-link").last.click()
    page.wait_for_selector("h2:has-text('Question 4994')")


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the folder ../shared is not there")
def test_recordings_of_public_projects(tmp_path: Path, opened: Opener) -> None:
    """All are in the list, and those of every fifth kind open and play."""
    converted = tmp_path / "converted"
    assert main(["convert", str(SHARED / "corpus"), str(converted)]) == 0
    assert main(["report", str(converted), "-o", str(tmp_path / "report")]) == 0
    page = opened(tmp_path / "report")
    assert int(page.inner_text("#count").split()[0].replace(",", "")) > 2500
    rows = page.evaluate(
        """async () => {
            const index = await vcrLlmReport.index();
            const kinds = new Map();
            for (const row of index.rows) kinds.set(`${row.endpoint} ${row.outcome}`, row.id);
            return [...kinds.values()];
        }"""
    )
    assert len(rows) > 100
    for row in rows[::5]:
        page.evaluate("id => { location.hash = `#open=${id}`; }", row)
        page.wait_for_selector(f"tr[data-id='{row}'] [aria-current]")
        page.wait_for_selector(".part-raw")
        for play in page.locator("[data-play]").all():
            play.click()


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the folder ../shared is not there")
def test_the_seed(tmp_path: Path, opened: Opener) -> None:
    """Recordings of another recorder, one alone and some in flat directories."""
    for name in ("seed", "corpus/llama-stack-seed"):
        report = tmp_path / name
        assert main(["report", str(SHARED / name), "-o", str(report)]) == 0
        page = opened(report)
        page.click(".row-link >> nth=0")
        page.wait_for_selector(".part-raw")
        assert page.locator(".turn").count() >= 1
