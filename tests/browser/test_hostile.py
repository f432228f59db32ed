"""Nothing in a recording is run, loaded or obeyed, wherever it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import NOW, Opener
from tests.browser.showcase import cassettes
from vcr_llm.cli import main

pytestmark = pytest.mark.browser

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'\"><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "${alert(1)}\\u0027);alert(1);//",
    "]]><!--<script>alert(1)</script>--!>",
    "\u202egnp.exe\u2066\u0000\u001b[31m\u2028\ud800",
    "__proto__",
    "constructor",
)


def poisoned(value: Any, poison: str) -> Any:
    """A document with a poison in every text, and as the name of a member of every object."""
    if isinstance(value, dict):
        return {**{key: poisoned(item, poison) for key, item in value.items()}, poison: poison}
    if isinstance(value, list):
        return [poisoned(item, poison) for item in value]
    return f"{value} {poison}" if isinstance(value, str) else value


# What decides how a document is read; everything else is poisoned.
_KEPT = ("type", "role", "object", "__type__", "endpoint", "method", "recorded_at", "url")


def restored(poison: Any, original: Any) -> Any:
    """The poisoned document with those members as they were."""
    if isinstance(poison, dict) and isinstance(original, dict):
        kept = {key: original[key] for key in _KEPT if isinstance(original.get(key), str)}
        return {
            key: kept.get(key, restored(item, original.get(key))) for key, item in poison.items()
        }
    if isinstance(poison, list) and isinstance(original, list):
        return [restored(*pair) for pair in zip(poison, original, strict=True)]
    return poison


def save_poisoned(root: Path) -> Path:
    """The showcase, each recording with another poison in all its fields, its names included."""
    place = 0
    for name, documents in cassettes().items():
        for document in documents:
            poison = HOSTILE[place % len(HOSTILE)]
            safe = poison.replace("/", "\u2215").replace("\0", "").replace("\ud800", "")
            folder = root / f"{name} {safe}"
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(restored(poisoned(document, poison), document))
            (folder / f"{place:064x}.json").write_text(text, encoding="utf-8")
            place += 1
    broken = root / "broken <img src=x onerror=alert(1)>"
    broken.mkdir()
    (broken / f"{'a' * 64}.json").write_text("{")
    return root


def test_hostile_recordings_are_read_like_others(tmp_path: Path, opened: Opener) -> None:
    """Every recording opens, plays and shows its JSON; no page obeys a word of it."""
    root = save_poisoned(tmp_path / "<b>cassettes" / "now")
    old = save_poisoned(tmp_path / "old")
    for path in old.rglob("*.json"):
        path.write_text(path.read_text().replace("the", "<i onclick=alert(1)>the"))
    report = tmp_path / "'report' & <more>"
    options = ["-o", str(report), "--base", str(old), "--now", NOW]
    assert main(["report", str(root), *options]) == 1
    page = opened(report)
    page.select_option("#state", "")
    page.wait_for_timeout(100)
    links = page.locator(".row-link")
    for place in range(links.count()):
        links.nth(place).click()
        title = links.nth(place).inner_text()[:20].split("\n")[0]
        page.wait_for_selector(".part-raw")
        page.wait_for_selector("h2#details-title")
        assert page.inner_text("h2#details-title").startswith(title[:10])
        for summary in page.locator("#details summary").all():
            summary.click()
        for play in page.locator("[data-play]").all():
            play.click()
            play.click()
        assert page.locator("#details :is(img, svg, iframe, script, i, b)").count() == 0
        assert page.locator("#details a:not(.button)").count() == 0
    for poison in HOSTILE[:6]:
        page.fill("#q", f'"{poison.replace(chr(34), "")}"')
        page.wait_for_timeout(60)
    page.fill("#test", "<img src=x onerror=alert(1)>")
    page.click("#problems summary")
    assert page.evaluate("({}).polluted === undefined && !('<img' in {})")


def test_what_is_unseen_is_written_out(tmp_path: Path, opened: Opener) -> None:
    """Controls, halves of characters, and what turns the direction of text."""
    (document,) = cassettes()["test_opening_hours"]
    document["request"]["body"]["messages"][1]["content"] = "pay \u202e100\u2066\u0007 now\ud800"
    folder = tmp_path / "cassettes" / "test_a"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(document))
    assert main(["report", str(tmp_path / "cassettes"), "-o", str(tmp_path / "report")]) == 0
    page = opened(tmp_path / "report")
    page.click(".row-link")
    page.wait_for_selector(".part-raw")
    shown = page.inner_text(".turn-user .text")
    assert shown == "pay U+202E100U+2066U+0007 nowU+D800"
