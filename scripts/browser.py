"""Run tests/browser with Playwright and Debian's Chromium, in an environment of its own.

With ``screenshot`` it makes the picture of the README again instead.
"""

from __future__ import annotations

import sys

from scripts.environments import (
    CommandError,
    Environment,
    build_wheel,
    read_pyproject,
    run,
)

_GROUP = "browser"


def environment() -> Environment:
    """The environment of the dependency group: the package's own dependencies come with it."""
    newest = read_pyproject()["project"]["dependencies"]
    requirements = (*newest, "pytest>=9", "--group", f"pyproject.toml:{_GROUP}")
    made = Environment(_GROUP, sys.executable, requirements)
    made.prepare()
    made.install_wheel(build_wheel())
    return made


def main(arguments: list[str]) -> int:
    """Show in full what failed; a skipped test is a failure here, where everything is installed."""
    try:
        made = environment()
        if arguments == ["screenshot"]:
            print(run(made.python, "-m", "tests.browser.screenshot"), end="")
            return 0
    except CommandError as error:
        print(error)
        return 1
    # The wheel, not the folder beside the tests: `append` puts the latter last.
    result = made.pytest("--import-mode=append", "-n", "2", "--dist=loadfile", "tests/browser")
    print(f"{_GROUP}: {result.summary}")
    failed = result.exit_code or result.counts.get("skipped")
    if failed:
        print(f"\n{result.output}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
