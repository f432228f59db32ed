"""A reviewer searches, filters, reads, plays and compares: by clicking, and by key."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Opener

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
QUESTION = "Find me the cheapest flight from Zurich to Lisbon on 4 December."


def counted(page: Any) -> str:
    """What the live region says."""
    return str(page.inner_text("#count"))


def titles(page: Any) -> list[str]:
    """The rows of the list."""
    return [str(text) for text in page.locator(".row-link").all_inner_texts()]


def searched(page: Any, query: str) -> list[str]:
    """The rows that a search leaves."""
    page.fill("#q", query)
    page.wait_for_timeout(150)
    return titles(page)


def open_row(page: Any, text: str, *, place: int = 0) -> None:
    """Click on a recording, and wait until it is shown."""
    page.locator(".row-link", has_text=text).nth(place).click()
    page.wait_for_selector(".part-raw")


def test_the_list_shows_all_recordings(report: Path, opened: Opener) -> None:
    """By their cassettes, with model, tokens, age and status."""
    page = opened(report)
    assert counted(page) == "9 recordings in 8 cassettes"
    row = page.locator("tr.row", has_text="When does the museum open").inner_text().split("\t")
    assert [cell.split("\n")[0] for cell in row][1:] == [
        *("gpt-4o", "/v1/chat/completions", "112", "21 months", "ok"),
    ]
    assert page.title().endswith("cassettes")


def test_a_search_looks_through_all_that_was_said(report: Path, opened: Opener) -> None:
    """Prompts, answers, arguments, errors, thoughts; all words, those in quotes in a row."""
    page = opened(report)
    assert searched(page, "TRAM martim") == ["How do I get to Alfama?"]
    assert searched(page, '"martim tram"') == []
    assert page.inner_text("#nothing") == "No recording is like that."
    assert searched(page, "carry-on is enough") == ["What should I pack for three days in Lisbon?"]
    assert len(searched(page, "IATA code")) == 2
    assert searched(page, "rate limit reached") == ["And the day after?"]
    assert searched(page, "16 degrees")[0].startswith("web_search(")
    page.click("#reset")
    page.wait_for_timeout(100)
    assert counted(page) == "9 recordings in 8 cassettes"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("model", "gpt-4o-mini", 1),
        ("endpoint", "/v1/messages", 1),
        ("outcome", "error", 1),
        ("outcome", "cut", 1),
        ("age", "-365", 1),
        ("age", "7", 7),
        ("age", "none", 1),
        ("test", "test_BOOKS", 2),
    ],
)
def test_filters(report: Path, opened: Opener, field: str, value: str, expected: int) -> None:
    """Each leaves what it says, and the address says it, too: the same link shows the same."""
    page = opened(report)
    if field == "test":
        page.fill(f"#{field}", value)
    else:
        page.select_option(f"#{field}", value)
    page.wait_for_timeout(100)
    assert counted(page).startswith(f"{expected} of 9 recordings")
    address = page.evaluate("location.hash")
    assert titles(opened(report, address)) == titles(page)


def test_a_recording_is_read(report: Path, opened: Opener) -> None:
    """The conversation, its parameters and tools, usage, what was made constant, the JSON."""
    page = opened(report)
    open_row(page, QUESTION, place=1)
    turns = page.locator(".turn > h4").all_inner_texts()
    assert turns == ["system", "user", "assistant", "tool", "answer"]
    assert "Four seats are left" in page.inner_text(".turn-assistant >> nth=1")
    assert page.inner_text(".call-name >> nth=0") == "calls find_flights #1"
    page.click("text=1 tool offered")
    page.click(".tool > summary")
    assert "The flights between two cities" in page.inner_text(".setup:has-text('1 tool offered')")
    assert page.inner_text(".usage").split() == ["Input", "322", "Output", "47", "Total", "369"]
    marks = page.locator(".marks tbody tr").all_inner_texts()
    assert marks[0].startswith("Made constant\tresponse.body[*].__data__.id\trec-")
    page.click("summary:has-text('JSON')")
    page.wait_for_selector(".raw:has-text('test_id')")
    document = json.loads(page.inner_text(".raw"))
    assert document["test_id"] == "tests/test_travel.py::test_books_a_flight"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click(".part-raw button:has-text('Copy')")
    page.wait_for_selector("text=Copied")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == document


def test_what_is_no_chat_is_read(report: Path, opened: Opener) -> None:
    """Errors, streams that broke off, tools that were called without HTTP, forms with files."""
    page = opened(report)
    open_row(page, "And the day after?")
    assert "Rate limit reached for gpt-4o" in page.inner_text(".turn-error")
    open_row(page, "How do I get to Alfama?")
    assert "ReadTimeout" in page.inner_text(".turn-error")
    open_row(page, "web_search(")
    assert "weather in Lisbon on 4 December" in page.inner_text(".part-conversation")
    assert "Lisbon: 16 degrees" in page.inner_text(".part-conversation")
    page.locator("tr.row", has_text="test_voice").locator("a").click()
    page.wait_for_selector(".marks >> text=request.headers.Authorization")
    assert "a.wav" in page.inner_text(".part-conversation")


def test_a_stream_plays(report: Path, opened: Opener) -> None:
    """The answer grows in the times that were recorded; it can be stopped, stepped, dragged."""
    page = opened(report)
    open_row(page, QUESTION, place=1)
    timeline = page.locator(".part-timeline")
    assert "as recorded" in timeline.inner_text()
    screen, where = page.locator(".screen"), page.locator(".where")
    whole = screen.inner_text()
    assert whole.startswith("TP 933 at 06:55 is the cheapest")
    page.select_option("[aria-label=Speed]", "0.5")
    page.click("[data-play]")
    page.wait_for_selector(".screen:has-text('TP 933')")
    page.click("[data-play]")
    stopped = screen.inner_text()
    assert whole.startswith(stopped)
    assert len(stopped) < len(whole)
    page.wait_for_timeout(200)
    assert screen.inner_text() == stopped
    before = where.inner_text()
    page.click("[aria-label='Next event']")
    assert where.inner_text() != before
    page.click("[aria-label='Previous event']")
    assert where.inner_text() == before
    page.focus(".slider")
    page.keyboard.press("Home")
    assert page.evaluate("document.querySelector('.head').style.left") == "0%"
    assert where.inner_text().startswith("0.00 s · before the first of")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert screen.inner_text() == "TP"
    page.click("summary:has-text('This event')")
    payload = json.loads(page.inner_text(".part-timeline .plain"))
    assert payload["__data__"]["choices"][0]["delta"] == {"content": "TP"}
    page.select_option("[aria-label=Speed]", "10")
    page.click("[data-play]")
    page.wait_for_selector(".where:has-text('chat.completion.chunk') >> nth=0")
    page.wait_for_selector("[data-play]:has-text('Play')")
    assert screen.inner_text() == whole


def test_a_stream_without_times_says_so(report: Path, opened: Opener) -> None:
    """And plays evenly; thinking is told from text, and the arguments of a tool grow."""
    page = opened(report)
    open_row(page, "What should I pack")
    assert "was not recorded" in page.inner_text(".part-timeline")
    assert page.inner_text(".said-thinking").endswith("so carry-on is enough.")
    open_row(page, QUESTION)
    assert page.inner_text(".said-call") == "calls find_flights"
    assert json.loads(page.inner_text(".said-arguments"))["destination"] == "LIS"
    for _ in range(4):
        page.click("[aria-label='Previous event']")
    assert '"destination": "LIS"' in page.inner_text(".said-arguments")
    assert not page.inner_text(".said-arguments").endswith("}")


def test_the_address_holds_what_is_open(report: Path, opened: Opener) -> None:
    """A link opens a recording; back closes it, and the list is as it was."""
    page = opened(report)
    page.fill("#q", "lisbon")
    page.wait_for_timeout(150)
    before = titles(page)
    open_row(page, "What should I pack")
    other = opened(report, page.evaluate("location.hash"))
    other.wait_for_selector(".part-raw")
    assert other.inner_text("h2#details-title") == page.inner_text("h2#details-title")
    assert titles(other) == before
    page.go_back()
    page.wait_for_selector("#details", state="hidden")
    assert titles(page) == before
    page.go_forward()
    page.wait_for_selector(".part-raw")


def test_everything_by_keyboard(report: Path, opened: Opener) -> None:
    """Search, move, open, read on, play and close, without a pointer; the focus comes back."""
    page = opened(report)
    page.keyboard.press("/")
    page.keyboard.type("cheapest")
    page.wait_for_timeout(150)
    assert counted(page).startswith("2 of 9")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.className === 'row-link'")
    assert page.evaluate("document.activeElement.textContent") == titles(page)[0]
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    page.wait_for_timeout(150)
    assert counted(page) == "9 recordings in 8 cassettes"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    focused = page.evaluate("document.activeElement.textContent")
    assert focused == titles(page)[1]
    page.keyboard.press("Enter")
    page.wait_for_selector(".part-raw")
    assert page.evaluate("document.activeElement.id") == "details-title"
    first = page.inner_text("#details-title")
    page.keyboard.press("j")
    page.wait_for_selector(f"#details-title:not(:has-text({json.dumps(first)}))")
    page.keyboard.press("k")
    page.wait_for_selector(f"#details-title:has-text({json.dumps(first)})")
    page.keyboard.press("Escape")
    page.wait_for_selector("#details", state="hidden")
    assert page.evaluate("document.activeElement.textContent") == focused
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")


def test_a_stream_is_played_by_its_key_where_it_can_be_seen(report: Path, opened: Opener) -> None:
    """However far below the conversation it stands."""
    page = opened(report, viewport={"width": 1280, "height": 420})
    page.click(".row-link:has-text('cheapest flight')")
    page.wait_for_selector(".part-raw")
    is_seen = """() => {
        const {top, bottom} = document.querySelector('[data-play]').getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
    }"""
    assert not page.evaluate(is_seen)
    page.keyboard.press("p")
    page.wait_for_selector("[data-play]:has-text('Pause')")
    assert page.evaluate(is_seen)


def test_every_control_can_be_tabbed_to(report: Path, opened: Opener) -> None:
    """In the order in which it stands, with a visible ring."""
    page = opened(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.id || document.activeElement.className")
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", reached
    assert reached == [
        *("keys-button", "theme-button", "q", "model", "endpoint", "outcome", "age", "test"),
        "row-link",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(report: Path, comparison: Path, opened: Opener, scheme: str) -> None:
    """Nothing is wider than 360 pixels: the list, a recording, a comparison."""
    for path, text in ((report, QUESTION), (comparison, QUESTION)):
        page = opened(path, viewport=PHONE, color_scheme=scheme)
        width = "document.documentElement.scrollWidth"
        assert page.evaluate(width) == 360
        page.click("summary:has-text('Filters')")
        assert page.evaluate(width) == 360
        open_row(page, text)
        assert page.evaluate(width) == 360
        assert not page.is_visible("#recordings")
        page.click("#close")
        page.wait_for_selector("#recordings")
    open_row(page, QUESTION)
    page.keyboard.press("/")
    page.wait_for_selector("#q:focus")


def test_light_and_dark(report: Path, opened: Opener) -> None:
    """As the system says, or as the reader chose, who is remembered."""
    ground = "getComputedStyle(document.body.parentElement).backgroundColor"
    assert opened(report, color_scheme="dark").evaluate(ground) == "rgb(20, 23, 28)"
    page = opened(report, color_scheme="light")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.click("#theme-button")
    page.click("#theme-button")
    assert page.evaluate(ground) == "rgb(20, 23, 28)"
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate(ground) == "rgb(20, 23, 28)"


def test_what_a_pull_request_changed(comparison: Path, opened: Opener) -> None:
    """Comes first, side by side, with the words that differ marked."""
    page = opened(comparison)
    assert counted(page) == "4 of 10 recordings in 4 cassettes"
    assert sorted(page.locator(".row .badge[class*=state-]").all_inner_texts()) == [
        *("added", "changed", "changed", "removed"),
    ]
    page.locator("tr.row", has_text="museum").locator("a").click()
    page.wait_for_selector(".part-changes")
    assert page.evaluate("document.documentElement.scrollHeight") == 850  # panes scroll, not it
    assert page.locator(".part-changes del").all_inner_texts() == ["08"]
    assert page.locator(".part-changes ins").all_inner_texts() == ["09"]
    left, right = (page.locator(f".line-{side}").bounding_box() for side in ("old", "new"))
    assert left["y"] == right["y"]
    assert left["x"] < right["x"]
    page.go_back()
    page.wait_for_selector("#details", state="hidden")
    assert counted(page) == "4 of 10 recordings in 4 cassettes"
    page.locator("tr.row", has_text="Tell me a joke").locator("a").click()
    page.wait_for_selector("text=This recording is gone")
    page.select_option("#state", "")
    page.wait_for_timeout(100)
    assert counted(page) == "10 recordings in 9 cassettes"
    page.locator("tr.row", has_text="What should I pack").locator("a").click()
    page.wait_for_selector("text=Nothing changed in what is said")


def test_it_prints(report: Path, opened: Opener) -> None:
    """A recording without what one can only click on."""
    page = opened(report)
    open_row(page, QUESTION)
    page.emulate_media(media="print")
    assert not page.is_visible(".filters")
    assert not page.is_visible("[data-play]")
    assert page.is_visible(".turn >> nth=0")


def test_a_part_that_is_missing_is_named(report: Path, tmp_path: Path, chromium: Any) -> None:
    """A report that was copied in part says so, where it is needed."""
    copy = tmp_path / "copy"
    shutil.copytree(report, copy)
    (copy / "data" / "d0.js").unlink()
    page = chromium.new_page()
    page.goto((copy / "index.html").as_uri())
    page.click(".row-link >> nth=0")
    page.wait_for_selector("[role=alert]:has-text('data/d0.js is missing')")
    page.close()
