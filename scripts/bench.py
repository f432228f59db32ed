"""`make bench`: how fast vcr-llm is beside vcrpy, cassetter and the HTTP client alone.

Prints tables of medians, and whether what must be reached is reached. With `--write` they go into
docs/benchmarks.md and README.md, too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from scripts.benchmarks.conversion import conversions
from scripts.benchmarks.measure import PARTS
from scripts.benchmarks.runs import layouts, starts
from scripts.benchmarks.scale import SCALES, Scale
from scripts.benchmarks.tables import OURS, Results, Table, rows
from scripts.benchmarks.targets import SAVED_KINDS, first_save_of, save_of, verdicts
from scripts.environments import ROOT, CommandError, Environment

PAGE, README = ROOT / "docs" / "benchmarks.md", ROOT / "README.md"
CASSETTER = "cassetter"
SHOWN = ("openai", "vcrpy", "pytest-recording", "pytest", "PyYAML")
REPLAY = "streamed"

TITLES = {
    REPLAY: "Replay of a streamed chat, by the number of recordings in the cassette",
    "plain": "Replay of a plain chat, by the number of recordings in the cassette",
    "embedding": "Replay of an embedding of 1,536 numbers, by the number of recordings",
    "load": "Loading a cassette of 1,000 recordings",
    **{
        table_of(kind): f"{title} of a {kind} chat, by the number of recordings in the cassette"
        for table_of, title in (
            (first_save_of, "The first save"),
            (save_of, "Every further save"),
        )
        for kind in SAVED_KINDS
    },
    "live": "Recording a stream: until the first of 20 events (one every 20 ms); 10,000 events",
    "memory": "Memory that it takes to record a stream: 10,000 events; 20,000 events",
    "flat": "A test that uses one recording: of 10,000 in a flat directory, or in one of its own",
    "convert": "Converting a tree of cassettes: the whole command",
    "start": "A whole run of pytest with one test that uses no cassette",
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small sizes, without cassetter: shows that it works, and the numbers say nothing",
    )
    parser.add_argument("--write", action="store_true", help="write the page and README.md")
    options = parser.parse_args(arguments)
    began = perf_counter()
    print("Measuring: this takes about eleven minutes.", file=sys.stderr)
    load = os.getloadavg()[0]
    results = measure("quick" if options.quick else "full")
    print(f"{report(results, load)}\nMeasured in {perf_counter() - began:.0f} s.")
    if options.write:
        write(PAGE, report(results, load))
        write(README, summary(results, load))
    return 0


def measure(name: str) -> Results:
    """Everything: most of it in an environment that has cassetter, if there can be one."""
    scale = SCALES[name]
    python, notes = benchmark_python() if name == "full" else (Path(sys.executable), [])
    tables: dict[str, Table] = {}
    for part in PARTS:
        command: list[str | Path] = [python, "-m", "scripts.benchmarks.measure", name, part]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        found = Results(**json.loads(done.stdout))
        tables |= found.tables
        notes += found.notes
    return Results({**tables, **runs(scale)}, notes)


def runs(scale: Scale) -> dict[str, dict[str, dict[str, list[float]]]]:
    """What is measured of whole programs."""
    print("         whole runs of pytest", file=sys.stderr)
    tables = {
        "flat": {"a test": layouts(scale.tests, scale.flat, scale.run_rounds)},
        "start": {"pytest": starts(scale.starts)},
    }
    print("         converting cassettes", file=sys.stderr)
    return {**tables, "convert": conversions(scale.conversions, made=scale.converted)}


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


def report(results: Results, load: float) -> str:
    """Everything as Markdown."""
    lines = [*machine(load), "", "## What must be reached", "", *verdicts(results), ""]
    for name, title in TITLES.items():
        table = rows(results.tables.get(name, {}), is_memory=name == "memory")
        lines += [f"## {title}", "", *table, ""]
    lines += [f"- {note}" for note in results.notes]
    return "\n".join(lines).rstrip()


def summary(results: Results, load: float) -> str:
    """What README.md shows: the replay of a streamed chat."""
    return "\n".join([TITLES[REPLAY] + ":", "", *rows(results.tables[REPLAY]), "", *machine(load)])


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


def write(page: Path, text: str) -> None:
    """Put the results between the two marks of a page."""
    marked = re.compile(r"(<!-- results -->\n).*(<!-- end of results -->)", re.DOTALL)
    document = page.read_text(encoding="utf-8")
    new = marked.sub(lambda found: f"{found[1]}{text}\n\n{found[2]}", document)
    page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
