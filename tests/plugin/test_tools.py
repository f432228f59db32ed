"""Tools in tests: recorded beside requests, replayed, missed, recorded anew."""

from __future__ import annotations

import json

import pytest

from .project import Project, answer_of

_TOOLS = """
import vcr_llm

@vcr_llm.recorded_tool(provider="shop")
def price(article: str) -> dict:
    with open("ran.log", "a") as log:  # one write to the end: two workers lose nothing
        log.write(f"{article}\\n")
    return {"article": article}
"""
_TEST = """
from shop import price

@pytest.mark.vcr
@pytest.mark.parametrize("article", ["tea", "rice", "salt"])
def test_answer(article):
    ask(article)
    assert price(article)["article"] == article
    ask("thanks")
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """A project whose tests ask a model and a tool."""
    project.write("shop.py", _TOOLS)
    project.test(_TEST)
    return project


def cassette(article: str) -> str:
    """The cassette of one test."""
    return f"test_agent/test_answer[{article}]"


def ran(project: Project) -> list[str]:
    """The calls for which the tool ran."""
    log = project.path / "ran.log"
    return log.read_text("utf-8").splitlines() if log.exists() else []


def kinds(project: Project, article: str = "tea") -> list[tuple[int, str]]:
    """The numbers and kinds of a test's recordings."""
    return [
        (found["sequence"], found["request"].get("tool_name", "request"))
        for found in project.documents(cassette(article))
    ]


MIXED = [(0, "request"), (1, "price"), (2, "request")]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_requests_and_calls_replay_and_are_recorded_anew_together(
    shop: Project, workers: tuple[str, ...], tmp_path: object
) -> None:
    """One numbering for both; a rewrite leaves what it recorded, and the summary counts both."""
    run = shop.run_apart if workers else shop.run
    run("--record-mode=new_episodes", *workers).assert_outcomes(passed=3)
    assert [kinds(shop, article) for article in ("tea", "rice", "salt")] == [MIXED] * 3
    assert sorted(ran(shop)) == ["rice", "salt", "tea"]
    before = shop.tree
    with shop.server_down():
        result = run("--block-network", "--vcr-llm-summary=summary.json", *workers)
    result.assert_outcomes(passed=3)
    assert len(ran(shop)) == 3
    assert shop.tree == before
    summary = json.loads((shop.path / "summary.json").read_text("utf-8"))
    assert summary["replayed"] == 9
    run("--record-mode=rewrite", *workers).assert_outcomes(passed=3)
    assert len(ran(shop)) == 6
    assert [kinds(shop, article) for article in ("tea", "rice", "salt")] == [MIXED] * 3
    assert shop.tree.keys() == before.keys()


def test_a_rewrite_follows_what_the_test_does_now(shop: Project) -> None:
    """Calls that it makes no more are gone, new ones have their place in the order."""
    shop.record("-k", "tea").assert_outcomes(passed=1)
    shop.test(_TEST.replace("ask(article)", "price('sugar')\n    ask(article)", 1))
    shop.run("--record-mode=rewrite", "-k", "tea").assert_outcomes(passed=1)
    assert kinds(shop) == [(0, "price"), (1, "request"), (2, "price"), (3, "request")]
    shop.test(_TEST.replace('assert price(article)["article"] == article', ""))
    shop.run("--record-mode=rewrite", "-k", "tea").assert_outcomes(passed=1)
    assert kinds(shop) == [(0, "request"), (1, "request")]


def test_a_failed_rewrite_leaves_everything(shop: Project) -> None:
    """Until the test passes, the old recordings are untouched."""
    shop.record("-k", "tea").assert_outcomes(passed=1)
    before = shop.tree
    shop.test(_TEST + "    assert False\n")
    shop.run("--record-mode=rewrite", "-k", "tea").assert_outcomes(failed=1)
    assert {name: shop.tree.get(name) for name in before} == before


def test_a_miss_is_a_section_of_the_report_with_the_command(shop: Project) -> None:
    """Also where the code under test has swallowed it."""
    shop.record("-k", "tea").assert_outcomes(passed=1)
    shop.test(
        _TEST.replace(
            'assert price(article)["article"] == article',
            "try:\n        price('coffee')\n    except Exception:\n        pass",
        )
    )
    result = shop.replay("-k", "tea")
    result.assert_outcomes(passed=1)
    said = str(result.stdout)
    assert 'No recording answers the call price(article="coffee") of shop' in said
    assert 'article: recorded "tea", this call has "coffee"' in said
    assert "pytest 'test_agent.py::test_answer[tea]' --record-mode=new_episodes" in said
    assert ran(shop) == ["tea"]


def test_a_call_that_is_not_played_is_left_over(shop: Project) -> None:
    """`on_unplayed` counts calls as it counts requests."""
    shop.record("-k", "tea").assert_outcomes(passed=1)
    shop.test(_TEST.replace('assert price(article)["article"] == article', ""))
    shop.configure("on_unplayed='fail'")
    result = shop.replay("-k", "tea")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*1 recording*"])


def test_modes_of_the_environment(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """`live` runs the tool and records nothing; pytest's default replays."""
    monkeypatch.setenv("VCR_LLM_MODE", "live")
    shop.run("-k", "tea").assert_outcomes(passed=1)
    assert ran(shop) == ["tea"]
    assert shop.tree == {}
    monkeypatch.setenv("VCR_LLM_MODE", "record-if-missing")
    shop.run("-k", "tea").assert_outcomes(passed=1)
    monkeypatch.setenv("VCR_LLM_MODE", "replay")
    shop.replay("-k", "tea").assert_outcomes(passed=1)
    assert ran(shop) == ["tea", "tea"]
    first, _call, last = shop.documents(cassette("tea"))
    assert [answer_of(first), answer_of(last)] == shop.answers
