"""Seconds of ``vcr-llm convert`` on a tree of cassettes, beside vcrpy that only loads them.

Whole commands, from the start of Python on, which write to the disk that temporary files are on.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from scripts.benchmarks.contestants import Vcrpy
from scripts.benchmarks.exchanges import PLAIN, STREAMED, exchange
from scripts.benchmarks.tables import OURS, Table
from scripts.environments import ROOT
from vcr_llm._cassette_files import OLD_SUFFIXES

CORPUS = ROOT.parent / "shared" / "corpus"
MADE = 500  # cassettes, where the corpus is not
LOAD = "vcrpy, loading those that it can"


def conversions(rounds: int, *, made: int | None) -> Table:
    """The seconds of both, in turns, by the number of cassettes."""
    seconds: dict[str, list[float]] = {OURS: [], LOAD: []}
    with cassettes(made) as root, tempfile.TemporaryDirectory() as folder:
        # What was just deleted makes ext4 slow, so everything stays until the end.
        for number in range(rounds):
            seconds[LOAD].append(duration("-m", "scripts.benchmarks.load_with_vcrpy", root))
            converting = ("-c", "import vcr_llm.cli as it; it.main()", "convert", root)
            seconds[OURS].append(duration(*converting, Path(folder) / str(number)))
        count = sum(path.name.endswith(OLD_SUFFIXES) for path in root.rglob("*"))
    return {f"{count:,} cassettes": seconds}


def duration(*arguments: str | Path) -> float:
    """How long a Python program runs."""
    began = perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    return perf_counter() - began


@contextmanager
def cassettes(made: int | None) -> Iterator[Path]:
    """So many cassettes made for this; else the corpus of public ones, where it is."""
    if made is None and CORPUS.is_dir():
        yield CORPUS
        return
    with tempfile.TemporaryDirectory() as folder:
        for number in range(made or MADE):
            own = Path(folder) / str(number)
            own.mkdir()
            kind = STREAMED if number % 2 else PLAIN
            exchanges = [exchange(number + step, kind) for step in range(3)]
            Vcrpy("yaml").write(own, exchanges)
        yield Path(folder)
