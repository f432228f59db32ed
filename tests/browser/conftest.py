"""A browser that watches: no page may log an error, open a dialog or load what is no file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.showcase import save_project
from vcr_llm.cli import main

CHROMIUM = shutil.which("chromium")
NOW = "2026-11-25T12:00:00Z"
# Without its own traffic, of which a closed network would refuse every piece.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (`apt-get install chromium`)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs `make browser`")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS])
        yield browser
        browser.close()


def leaving(url: str, root: str) -> list[str]:
    """The address, where it is none of a file of the report."""
    return [] if url.startswith(root) else [url]


Opener = Callable[..., Any]


@pytest.fixture
def opened(chromium: Any) -> Iterator[Opener]:
    """Open a report: a page of a context of its own, that is ready to be used.

    Whatever a test does, its pages log nothing, open no dialog and load files alone.
    """
    contexts: list[Any] = []
    seen: list[str] = []

    def dismiss(dialog: Any) -> None:
        seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def watch(page: Any, root: str) -> None:
        page.on("console", lambda message: seen.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: seen.append(f"error: {error}"))
        page.on("dialog", dismiss)
        page.on("request", lambda request: seen.extend(leaving(request.url, root)))
        page.on("requestfailed", lambda request: seen.append(f"failed: {request.url}"))

    def open_report(report: Path, address: str = "", **options: Any) -> Any:
        size = options.pop("viewport", {"width": 1280, "height": 850})
        context = chromium.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        watch(page, f"{report.as_uri()}/")
        page.goto(f"{(report / 'index.html').as_uri()}{address}")
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert seen == []


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a small team's recordings."""
    root = tmp_path_factory.mktemp("report")
    cassettes = save_project(root / "cassettes")
    assert main(["report", str(cassettes), "-o", str(root / "out"), "--now", NOW]) == 0
    return root / "out"


@pytest.fixture(scope="session")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same report, of what a pull request changed."""
    root = tmp_path_factory.mktemp("comparison")
    base, cassettes = save_project(root / "before", is_old=True), save_project(root / "cassettes")
    options = ["-o", str(root / "out"), "--now", NOW, "--base", str(base)]
    assert main(["report", str(cassettes), *options]) == 0
    return root / "out"
