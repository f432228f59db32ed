"""pytest-recording's own test suite passes as many tests with vcr-llm installed as without it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from scripts.environments import Environment, build_wheel, download_source, read_pyproject

HOST = "pytest-recording"


def main() -> int:
    """Run the suite twice and compare the counts."""
    dependencies = read_pyproject()["project"]["dependencies"]
    environment = Environment("host", sys.executable, (f"{HOST}[tests]", *dependencies))
    environment.prepare()
    environment.uninstall("vcr-llm")
    with tempfile.TemporaryDirectory() as folder:
        source = download_source(HOST, Path(folder))
        if not (source / "tests").is_dir():
            print(f"{source.name} comes without its tests: nothing to compare")
            return 1
        alone = environment.pytest("tests", folder=source)
        environment.install_wheel(build_wheel())
        together = environment.pytest("tests", folder=source)
    print(f"{source.name} alone: {alone.summary}; with vcr-llm: {together.summary}")
    passed_alone = alone.counts.get("passed", 0)
    if passed_alone == 0:
        print(alone.output)
        return 1
    if together.counts.get("passed", 0) < passed_alone:
        print(together.output)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
