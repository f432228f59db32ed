"""Run tests/providers with each provider's newest SDK, in the two environments that this takes.

litellm and openai-agents want an openai below 3, pydantic-ai one from 3.31 on.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from scripts.environments import (
    CommandError,
    Environment,
    TestRun,
    build_wheel,
    read_pyproject,
)

OPENAI_2 = ("tests/providers/test_litellm.py", "tests/providers/test_openai_agents.py")
VERIFIED = "tests/plugin/test_drift.py::test_every_library_is_verified"
TESTS = {
    "providers": (
        "tests/providers",
        # Clients that are installed only here.
        *(f"{VERIFIED}[{client}]" for client in ("botocore", "httplib2")),
        *(f"--ignore={path}" for path in OPENAI_2),
    ),
    "providers-openai-2": OPENAI_2,
}
"""The dependency groups, which the environments are called like, and what runs in each."""


def environment(group: str) -> Environment:
    """The environment of a dependency group: the package's own dependencies come with it."""
    newest = read_pyproject()["project"]["dependencies"]
    return Environment(group, sys.executable, (*newest, "--group", f"pyproject.toml:{group}"))


def sdks(group: str) -> list[str]:
    """The names of the SDKs of a dependency group, without their extras."""
    required = read_pyproject()["dependency-groups"][group]
    return [re.split(r"[\[>]", line)[0] for line in required if isinstance(line, str)]


def run(group: str, wheel: Path) -> TestRun:
    """Test the wheel, not the folder beside the tests: `append` puts the latter last."""
    made = environment(group)
    try:
        made.prepare()
        made.install_wheel(wheel)
        processes = str(min(2, os.cpu_count() or 1))
        options = ("--import-mode=append", "-n", processes, "--dist=loadfile")
        result = made.pytest(*options, *TESTS[group])
        versions = ", ".join(made.versions(*sdks(group)))
    except CommandError as error:
        result, versions = TestRun(1, str(error)), "not made"
    print(f"{group}: {versions}\n{group}: {result.summary}", flush=True)
    return result


def main() -> int:
    """Show in full what failed; a skipped test is a failure here, where everything is installed."""
    wheel = build_wheel()
    results = [run(group, wheel) for group in TESTS]
    failed = [result for result in results if result.exit_code or result.counts.get("skipped")]
    for result in failed:
        print(f"\n{result.output}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
