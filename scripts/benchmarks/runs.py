"""Whole runs of pytest: of a project without cassettes, and of one with very many recordings."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from scripts.benchmarks.contestants import VcrLlm, made_from, write_recording
from scripts.benchmarks.exchanges import PLAIN
from scripts.benchmarks.tables import OURS, Samples
from scripts.benchmarks.targets import FLAT, IN_DIRECTORIES, PYTEST_ALONE
from scripts.environments import ROOT, CommandError

HOST, OWN = "pytest_recording.plugin", "vcr_llm.pytest_plugin"
LAYOUTS = {IN_DIRECTORIES: "directory", FLAT: "flat"}

_CONFTEST = """\
import pytest
import vcr_llm

@pytest.fixture(scope="session")
def vcr_config():
    return vcr_llm.config(layout="{layout}")

@pytest.fixture(scope="session")
def vcr_cassette_dir():
    return "cassettes"
"""

_TESTS = """\
import httpx
import pytest
from scripts.benchmarks.exchanges import JSON, ORIGIN, PLAIN, exchange

@pytest.mark.vcr
@pytest.mark.parametrize("number", range({first}, {end}))
def test_chat(number):
    one = exchange(number, PLAIN)
    headers = {{"content-type": JSON}}
    answer = httpx.post(ORIGIN + one.path, content=one.request, headers=headers)
    assert answer.json()["choices"]
"""
_TESTS_IN_FILE = 100


def starts(rounds: int) -> Samples:
    """Whole runs with a trivial test, with our plugin and without it, in turns."""
    seconds: Samples = {OURS: [], PYTEST_ALONE: []}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_nothing.py").write_text("def test_nothing(): pass\n")
        for number in range(rounds):
            both = [(PYTEST_ALONE, (HOST,)), (OURS, (HOST, OWN))]
            for name, plugins in both if number % 2 else reversed(both):
                seconds[name].append(run_of_pytest(Path(folder), *plugins))
    return seconds


def layouts(tests: int, recordings: int, rounds: int) -> Samples:
    """Seconds a test of whole runs in which each test uses one recording, by the layout, in turns.

    The flat directory has more recordings than tests, since a run may be a part of all tests.
    """
    seconds: Samples = {layout: [] for layout in LAYOUTS}
    with tempfile.TemporaryDirectory() as folder:
        for name, layout in LAYOUTS.items():
            many = recordings if name == FLAT else tests
            make_project(Path(folder) / layout, layout, tests, many)
        for number in range(rounds):
            order = list(LAYOUTS)
            for name in order if number % 2 else reversed(order):
                taken = run_of_pytest(Path(folder) / LAYOUTS[name], HOST, OWN)
                seconds[name].append(taken / tests)
    return seconds


def make_project(folder: Path, layout: str, tests: int, recordings: int) -> None:
    """Tests that send one request each, and the recordings that answer them, among others."""
    cassettes = folder / "cassettes"
    cassettes.mkdir(parents=True)
    (folder / "conftest.py").write_text(_CONFTEST.format(layout=layout))
    for first in range(0, tests, _TESTS_IN_FILE):
        text = _TESTS.format(first=first, end=min(tests, first + _TESTS_IN_FILE))
        (folder / _file_of(first)).write_text(text)
    pattern = VcrLlm().pattern(PLAIN)
    for number in range(recordings):
        name = f"test_chat[{number}]"
        document = {**made_from(pattern, number), "test_id": f"{_file_of(number)}::{name}"}
        directory = cassettes if layout == "flat" else cassettes / name
        directory.mkdir(exist_ok=True)
        write_recording(directory, document)


def _file_of(number: int) -> str:
    return f"test_{number // _TESTS_IN_FILE}.py"


def run_of_pytest(folder: Path, *plugins: str) -> float:
    """The seconds of one run with these plugins and no others."""
    wanted = [word for plugin in plugins for word in ("-p", plugin)]
    began = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *wanted],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = perf_counter() - began
    if done.returncode:
        raise CommandError(f"{done.stdout}\n{done.stderr}")
    return seconds
