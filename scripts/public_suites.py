"""Test suites of public projects pass as before, also with their cassettes converted.

Each project comes as its source release and runs in an environment of its own. Its tests replay in
five ways, and each should pass as many tests as the first; but where the body is matched, a test
fails whose request is no longer the recorded one, which is what matching it is for.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.environments import (
    CommandError,
    Environment,
    TestRun,
    build_wheel,
    download_source,
    read_pyproject,
    run,
)

PLUGIN = Path(__file__).with_name("configured.py")
OWN_MATCHING, OUR_MATCHING = "own", "ours"
FILES, DIRECTORIES = "files", "directories"


@dataclass(frozen=True, slots=True)
class Suite:
    """A project whose source release holds tests and their cassettes, and what they need."""

    project: str
    version: str
    requirements: tuple[str, ...]
    tests: tuple[str, ...] = ("tests",)
    """The arguments of pytest."""
    folder: str = "tests"
    """Where its tests and their cassettes are."""
    files_read: int = 0
    """How many tests open their cassette themselves, as a file, and do not find it converted."""

    @property
    def environment(self) -> Environment:
        """The project, its tests' requirements, and what vcr-llm needs."""
        needed = read_pyproject()["project"]["dependencies"]
        packages = (f"{self.project}=={self.version}", *self.requirements, *needed)
        return Environment(f"suite-{self.project}", sys.executable, packages)


@dataclass(frozen=True, slots=True)
class Way:
    """How a suite is run."""

    title: str
    matching: str = ""
    """Whose `match_on` decides where vcr-llm is configured."""
    cassettes: str = FILES


ALONE = Way("without vcr-llm")
WAYS = (
    Way("installed"),
    Way("old files", OWN_MATCHING),
    Way("converted", OWN_MATCHING, DIRECTORIES),
    Way("converted, body matched", OUR_MATCHING, DIRECTORIES),
)

_OPENTELEMETRY = ("opentelemetry-sdk>=1.38,<2", "pytest-asyncio>=0.23.7,<0.24", "pytest<9")
SUITES = (
    Suite("opentelemetry-instrumentation-cohere", "0.62.4", ("cohere<6", *_OPENTELEMETRY)),
    Suite(
        "opentelemetry-instrumentation-anthropic",
        "0.62.4",
        ("anthropic[bedrock]==0.86.0", *_OPENTELEMETRY),
    ),
    Suite(
        "opentelemetry-instrumentation-openai",
        "0.62.4",
        ("openai[datalib]==1.99.7", "requests", *_OPENTELEMETRY),
    ),
    Suite(
        "openinference-instrumentation-litellm",
        "0.1.51",
        ("litellm", "opentelemetry-sdk", "pytest-asyncio"),
    ),
    Suite(
        "magentic",
        "0.41.1",
        (
            *("anthropic==0.42.0", "litellm", "inline-snapshot"),
            *("pytest-asyncio", "pytest-mock", "python-dotenv"),
        ),
        ("-o", "addopts=--block-network", "tests"),
    ),
    # No SDK in it: plain vcrpy.
    Suite("habanero", "2.9.2", ("pytest-recording",), ("test",), folder="test", files_read=5),
)


def main() -> int:
    """Print a row for each suite; exit status 1 where a suite passes fewer tests in some way."""
    parser = argparse.ArgumentParser(prog="python -m scripts.public_suites", description=__doc__)
    parser.add_argument("projects", nargs="*", help="only these; all when none is named")
    wanted = parser.parse_args().projects
    wheel = build_wheel()
    print(f"| project | {ALONE.title} | {' | '.join(way.title for way in WAYS)} |")
    print(f"| --- |{' --- |' * (1 + len(WAYS))}", flush=True)
    differing: list[tuple[Way, str]] = []
    for suite in SUITES:
        if not wanted or suite.project in wanted:
            try:
                differing += compared(suite, wheel)
            except CommandError as error:
                differing.append((ALONE, f"{suite.project} was not run: {error}"))
    for way, test in differing:
        print(f"{way.title}: {test}")
    return int(any(way.matching != OUR_MATCHING for way, _test in differing))


def compared(suite: Suite, wheel: Path) -> list[tuple[Way, str]]:
    """Run a suite in every way, print its row; the tests that only passed without vcr-llm."""
    environment = suite.environment
    environment.prepare()
    environment.uninstall("vcr-llm")
    with tempfile.TemporaryDirectory() as folder:
        source = download_source(f"{suite.project}=={suite.version}", Path(folder) / "source")
        alone = suite_run(suite, source, ALONE)
        environment.install_wheel(wheel)
        runs = {way: suite_run(suite, source, way) for way in WAYS}
    row = " | ".join(result.summary for result in (alone, *runs.values()))
    print(f"| {suite.project} {suite.version} | {row} |", flush=True)
    return list(lost(suite, alone, runs))


def lost(suite: Suite, alone: TestRun, runs: Mapping[Way, TestRun]) -> Iterator[tuple[Way, str]]:
    """The tests that pass without vcr-llm and not in one of these ways; why none was run.

    Those that cannot find the file of their cassette once it is converted are not told.
    """
    before, expected = failures(alone), alone.counts.get("passed", 0)
    for way, result in {ALONE: alone, **runs}.items():
        passed = result.counts.get("passed", 0)
        reads_files = way.cassettes == DIRECTORIES and suite.files_read
        if passed and reads_files and passed == expected - suite.files_read:
            continue
        if not passed:
            yield way, f"{suite.project}: no test passed\n{result.output}"
        elif passed < expected:  # also where tests are skipped instead
            yield way, f"{suite.project}: {expected - passed} tests fewer pass"
        for test in failures(result):
            if test not in before:
                yield way, f"{suite.project}: {test}"


def failures(result: TestRun) -> list[str]:
    """The tests that failed, by pytest's short summary."""
    lines = [line for line in result.output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return list(dict.fromkeys(line.split(" - ")[0].partition(" ")[2] for line in lines))


def suite_run(suite: Suite, source: Path, way: Way) -> TestRun:
    """Run the suite on a copy of its source, configured and converted as a user would do it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / source.name
        shutil.copytree(source, copy)
        if way.cassettes == DIRECTORIES:
            convert(suite, copy)
        plugin = Path(shutil.copy(PLUGIN, folder)).stem  # alone there: it hides none of theirs
        configured = ("-p", plugin, f"--matching={way.matching}") if way.matching else ()
        return suite.environment.pytest(
            *("-rfE", "-p", "no:sugar", *configured, *suite.tests),
            folder=copy,
            variables={"PYTHONPATH": folder},
        )


def convert(suite: Suite, source: Path) -> None:
    """Turn the cassettes of the project's tests into directories, and remove the files."""
    command = suite.environment.python.with_name("vcr-llm")
    run(command, "convert", source / suite.folder, source / suite.folder, "--delete")


if __name__ == "__main__":
    sys.exit(main())
