"""`make bench` measures, says what is reached and what is not, and writes what pages show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts import bench
from scripts.benchmarks.contestants import VcrLlm, frames, kind_of
from scripts.benchmarks.exchanges import KINDS, exchange
from scripts.benchmarks.measure import PEAK, Streams, memory_of
from scripts.benchmarks.tables import Results, milliseconds, rows
from scripts.benchmarks.targets import TARGETS, Target, beside, growth, over, slowest, spread

RESULTS = Results(
    {
        "replay": {
            "10": {"vcr-llm": [0.001, 0.002, 0.003], "client": [0.001], "other": []},
            "100": {"vcr-llm": [0.003], "client": [0.002]},
        }
    },
    [],
)


def test_a_table_shows_medians_and_how_many_times_ours_they_are() -> None:
    """Ours is the first row; what was not run is said."""
    assert list(rows(RESULTS.tables["replay"])) == [
        "| | 10 | 100 |",
        "| --- | ---: | ---: |",
        "| vcr-llm | 2.0 ms | 3.0 ms |",
        "| client | 1.0 ms (0.50 x) | 2.0 ms (0.67 x) |",
        "| other | not run | not run |",
    ]


def test_a_size_is_shown_in_megabytes() -> None:
    """The body of a stream and the memory that it takes."""
    table = {"many": {"vcr-llm": [3_000_000.0], "body": [1_500_000.0]}}
    assert list(rows(table, is_memory=True))[2:] == [
        "| vcr-llm | 3.0 MB |",
        "| body | 1.5 MB (0.50 x) |",
    ]


def test_what_is_required_is_computed_from_medians() -> None:
    """The column that is worst decides; what was not measured gives nothing."""
    assert beside("replay", "client", RESULTS) == 2
    assert growth("replay", RESULTS) == spread("replay", RESULTS) == 1.5
    assert slowest("replay", RESULTS) == 0.003
    assert over("replay", "100", "vcr-llm", "client", RESULTS) == pytest.approx(0.001)
    assert beside("replay", "other", RESULTS) is None
    assert growth("nothing", RESULTS) is spread("nothing", RESULTS) is None
    assert over("replay", "1,000", "vcr-llm", "client", RESULTS) is None


@pytest.mark.parametrize(
    ("most", "is_strict", "expected"),
    [
        (0.004, True, "| it | below 4.0 ms | 3.0 ms | yes |"),
        (0.003, False, "| it | at most 3.0 ms | 3.0 ms | yes |"),
        (0.003, True, "| it | below 3.0 ms | 3.0 ms | **no**: Why it is slow |"),
        (0.002, False, "| it | at most 2.0 ms | 3.0 ms | **no**: Why it is slow |"),
    ],
)
def test_a_figure_is_reached_or_the_paragraph_that_says_why_not_is_named(
    most: float, expected: str, *, is_strict: bool
) -> None:
    """The numbers decide, and whether the limit itself is still good."""
    target = Target(
        "it", most, lambda results: slowest("replay", results), milliseconds, "Why it is slow.",
        is_strict=is_strict,
    )  # fmt: skip
    assert target.row(RESULTS) == expected
    assert target.row(Results({}, [])).endswith(" | not run | |")


def test_the_page_has_each_paragraph_that_the_figures_name() -> None:
    """Who reads that a figure is not reached finds what limits it."""
    page = bench.PAGE.read_text(encoding="utf-8").partition("<!-- results -->")[0]
    assert {target.limit for target in TARGETS if f"**{target.limit}**" not in page} == set()


@pytest.mark.parametrize("kind", KINDS)
def test_an_exchange_has_a_prompt_of_its_own_and_all_of_its_body(kind: str) -> None:
    """Two of them differ in their requests; their events joined are the body."""
    first, second = exchange(1, kind), exchange(2, kind)
    assert first.request != second.request
    assert b"".join(frames(first.response)) == first.response
    assert (len(frames(first.response)) > 1) is (kind == "streamed")
    assert kind_of(first) == kind


@pytest.mark.skipif(not PEAK.exists(), reason="the peak of memory is known on Linux")
def test_the_memory_of_a_recording_is_that_of_a_process_of_its_own(tmp_path: Path) -> None:
    """It grows by more than the body that is recorded."""
    with Streams(2) as short, Streams(4_000) as long:
        taken = memory_of(VcrLlm(), tmp_path, short.url, long.url)
    assert taken > len(long.body)
    assert list(tmp_path.glob("long*/*.json"))


@pytest.mark.heavy
def test_a_quick_run_measures_everything_and_writes_the_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each table is printed and on the page, the README has one, and all else stays."""
    for name in ("PAGE", "README"):
        copy = shutil.copy(getattr(bench, name), tmp_path)
        monkeypatch.setattr(bench, name, Path(copy))
    before, _, after = bench.README.read_text(encoding="utf-8").partition("<!-- results -->")
    assert bench.main(["--quick", "--write"]) == 0
    printed, page = capsys.readouterr().out, bench.PAGE.read_text(encoding="utf-8")
    for title in bench.TITLES.values():
        assert f"## {title}" in printed
        assert page.count(f"## {title}") == 1
    assert all(f"| {target.title} | " in page for target in TARGETS)
    readme = bench.README.read_text(encoding="utf-8")
    assert readme.startswith(before)
    assert readme.endswith(after.partition("<!-- end of results -->")[2])
    assert "| vcr-llm | " in readme.removeprefix(before)
