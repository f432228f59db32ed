"""``make screenshot``: the picture of the report in the README, made from the showcase."""

from __future__ import annotations

import contextlib
import importlib
import tempfile
from pathlib import Path

from tests.browser.conftest import ARGUMENTS, CHROMIUM, NOW
from tests.browser.showcase import save_project
from vcr_llm.cli import main

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "report.png"
_SIZE = {"width": 1280, "height": 800}


def take(report: Path) -> None:
    """The list of what changed with a recording beside it: its conversation and its stream."""
    sync_api = importlib.import_module("playwright.sync_api")  # not in every environment
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS])
        page = browser.new_page(viewport=_SIZE, color_scheme="light")
        page.goto((report / "index.html").as_uri())
        page.locator(".row-link", has_text="cheapest flight").last.click()
        page.wait_for_selector(".part-raw")
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=PICTURE)
        browser.close()


def make() -> None:
    """Save the showcase as it was and as it is, report it, and take the picture."""
    PICTURE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        save_project(Path("main"), is_old=True)
        save_project(Path("tests/cassettes"))
        status = main(["report", "tests/cassettes", "-o", "out", "--base", "main", "--now", NOW])
        if status:
            raise SystemExit(status)
        take(Path("out").absolute())


if __name__ == "__main__":
    make()
