"""`make bench`: how fast vcr-llm is beside vcrpy, cassetter and the HTTP client alone.

Prints tables of medians. With `--write` they go into docs/benchmarks.md, too. With `--full`,
answers come from cassettes of 10,000 recordings as well, which takes several minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from scripts.benchmarks.conversion import conversions
from scripts.environments import ROOT, CommandError, Environment, run

DOCUMENT = ROOT / "docs" / "benchmarks.md"
CASSETTER = "cassetter"
SHOWN = ("openai", "vcrpy", "pytest-recording", "pytest", "PyYAML")
OURS = "vcr-llm"
STARTS = 7
BIG = 10  # a ratio from which on decimals say nothing
PYTEST_ALONE = "pytest-recording alone"
HOST, OWN = "pytest_recording.plugin", "vcr_llm.pytest_plugin"

TITLES = {
    "streamed": "Replay of a streamed chat, by the number of recordings in the cassette",
    "plain": "Replay of a plain chat, by the number of recordings in the cassette",
    "load": "Loading a cassette of 1,000 recordings",
    "save": "Saving one recording, by the number of recordings in the cassette",
    "live": "Recording a stream: until the first of 20 events (one every 20 ms); 10,000 events",
    "convert": "Converting a tree of cassettes: the whole command",
    "start": "A whole run of pytest with one test that uses no cassette",
}

Table = dict[str, dict[str, list[float]]]


class Results(NamedTuple):
    """What was measured: table, column, contestant, seconds; and what was not, with the reason."""

    tables: dict[str, Table]
    notes: list[str]


def main() -> int:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="also cassettes of 10,000 recordings")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.relative_to(ROOT)}")
    options = parser.parse_args()
    began = perf_counter()
    print("Measuring: this takes two or three minutes.", file=sys.stderr)
    load = os.getloadavg()[0]
    text = report(measure(is_full=options.full), load)
    print(f"{text}\nMeasured in {perf_counter() - began:.0f} s.")
    if options.write:
        write(text)
    return 0


def measure(*, is_full: bool) -> Results:
    """Everything: most of it in an environment that has cassetter, if there can be one."""
    python, notes = benchmark_python()
    full = ["--full"] if is_full else []
    printed = run(python, "-m", "scripts.benchmarks.measure", *full)
    found = json.loads(printed.rpartition("\n")[2])
    tables: dict[str, Table] = {
        **found["timings"],
        "convert": conversions(),
        "start": {"pytest": pytest_starts()},
    }
    return Results(tables, [*notes, *found["refusals"]])


def benchmark_python() -> tuple[Path, list[str]]:
    """An interpreter with all contestants and our versions of everything else; what is missing."""
    pinned = tuple(f"{name}=={version(name)}" for name in SHOWN)
    environment = Environment("bench", sys.executable, (CASSETTER, *pinned))
    try:
        environment.prepare()
    except CommandError as error:
        reason = str(error).strip().rpartition("\n")[2]
        return Path(sys.executable), [
            f"{CASSETTER} was not run, it could not be installed: {reason}"
        ]
    (found,) = environment.versions(CASSETTER)[1:]
    return environment.python, [f"{found}, from PyPI, runs in an environment of its own."]


def pytest_starts() -> dict[str, list[float]]:
    """Whole runs of pytest with a trivial test, with our plugin and without it, in turns."""
    seconds: dict[str, list[float]] = {OURS: [], PYTEST_ALONE: []}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_nothing.py").write_text("def test_nothing(): pass\n")
        for _ in range(STARTS):
            seconds[PYTEST_ALONE].append(pytest_start(folder, HOST))
            seconds[OURS].append(pytest_start(folder, HOST, OWN))
    return seconds


def pytest_start(folder: str, *plugins: str) -> float:
    """The seconds of one run with these plugins and no others."""
    options = ("-q", "-p", "no:cacheprovider", "-c", os.devnull)
    wanted = [word for plugin in plugins for word in ("-p", plugin)]
    began = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *wanted, folder],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=True,
        capture_output=True,
    )
    return perf_counter() - began


def report(results: Results, load: float) -> str:
    """Everything as Markdown."""
    lines = [*machine(load), ""]
    for name, title in TITLES.items():
        lines += [f"## {title}", "", *rows(results.tables[name]), ""]
    lines += [f"- {note}" for note in results.notes]
    return "\n".join(lines)


def machine(load: float) -> list[str]:
    """Where and when this was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in (OURS, *SHOWN))
    size = f"{os.cpu_count()} cores and {memory:.0f} GB of memory"
    return [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, {platform.system()} with {size}.",
        f"Load when it began: {load:.1f} (0 is idle; a busy machine blurs the numbers).",
        f"Python {platform.python_version()}, {packages}.",
    ]


def rows(table: Table) -> Iterator[str]:
    """A Markdown table: a row for each contestant, the median and how many times ours that is."""
    contestants = list(dict.fromkeys(name for column in table.values() for name in column))
    contestants.sort(key=lambda name: name != OURS)
    yield f"| | {' | '.join(table)} |"
    yield f"| --- |{' ---: |' * len(table)}"
    for name in contestants:
        yield f"| {name} | {' | '.join(cell(column, name) for column in table.values())} |"


def cell(column: dict[str, list[float]], name: str) -> str:
    """A median in milliseconds, and its ratio to ours."""
    if not column.get(name):
        return "not run"
    own, ours = median(column[name]), median(column[OURS])
    ratio = own / ours
    text = f"{own * 1000:,.{1 if own < 1 else 0}f} ms"
    return text if name == OURS else f"{text} ({ratio:,.{0 if ratio >= BIG else 2}f} x)"


def write(text: str) -> None:
    """Put the results between the two marks of the document."""
    document = DOCUMENT.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- results -->\n).*(<!-- end of results -->)", re.DOTALL)
    new = marked.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", document)
    DOCUMENT.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
