"""Run the test suite against the built wheel in every environment that the project file promises.

One line per environment; those whose Python is not installed are named and not run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic

from scripts.environments import (
    ROOT,
    CommandError,
    Environment,
    TestRun,
    build_wheel,
    read_pyproject,
)

PROJECT = read_pyproject()["project"]
TEST_GROUP = ("--group", "pyproject.toml:test")
# What a clean clone on a newcomer's machine can run, and is not the same everywhere.
EVERYWHERE = "not shared and not aimock and not heavy"
# What depends on the Python: values, files, sockets, event loops and how functions are called.
# What a terminal, a report or a command shows is the same on each, and `make suite` tests it.
ON_EACH_PYTHON = (
    *("tests/sdk", "tests/tools/test_calls.py"),
    *("tests/plugin/test_recording.py", "tests/plugin/test_other_cassettes.py"),
)
# What depends on the lowest versions of pytest, pytest-recording, vcrpy and httpx.
WITH_LOWEST = (
    *("tests/plugin", "tests/sdk", "tests/servers", "tests/tools/test_calls.py"),
    *("tests/streams/test_endings.py", "tests/streams/test_closed_early.py"),
    "tests/streams/test_replaying.py",
)
# What depends on the version of openai.
WITH_OPENAI = ("tests/sdk", "tests/servers", "tests/test_cassettes.py", "tests/test_readme.py")
# Slow, and nothing in it depends on versions: killed processes, broken files, and the workers of
# pytest-xdist, which is the same everywhere.
LEFT_OUT = ("tests/sdk/test_killed.py", "tests/plugin/test_bad_input.py")
WORKERS = ("xdist", "n2", "worker")
# Bytes through a client, slow: they depend on the client's version, of which the lowest is run.
BYTES = "tests/sdk/test_exactness.py"
# About the source and the scripts, not about what is installed.
ABOUT_US = ("test_bench.py", "test_fuzz.py", "test_house.py")
SHOWN = ("openai", "vcrpy", "pytest-recording", "httpx", "pytest")


def promised_pythons() -> list[str]:
    """The versions that the classifiers name, lowest first."""
    found = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    return sorted(found, key=lambda version: int(version.partition(".")[2]))


def find_python(version: str) -> str | None:
    """An interpreter of this version that runs: on the PATH, or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(f"python{version}")
    candidates = [sys.executable, *([on_path] if on_path else [])]
    candidates += map(str, pyenv.glob(f"versions/{version}.*/bin/python"))
    return next((python for python in candidates if runs_as(version, python)), None)


def runs_as(version: str, python: str) -> bool:
    """Whether the interpreter starts and has that version; a pyenv shim may exist and fail."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version


def environments(pythons: dict[str, str]) -> list[Environment]:
    """Every environment that can be made with these interpreters."""
    newest = tuple(PROJECT["dependencies"])
    lowest = tuple(requirement.replace(">=", "==") for requirement in newest)
    here = ".".join(map(str, sys.version_info[:2]))
    oldest = next(iter(pythons.values()))  # old releases do not know the newest Python
    return [
        Environment("lowest", oldest, (*lowest, *TEST_GROUP)),
        Environment("openai-1", oldest, (*newest, "openai==1.60.*", *TEST_GROUP)),
        Environment("openai-2", oldest, (*newest, "openai==2.*", *TEST_GROUP)),
        *(
            Environment(version, python, (*newest, *TEST_GROUP))
            for version, python in pythons.items()
            if version != here  # `make suite` has run it
        ),
    ]


def pytest_options() -> list[str]:
    """The project's pytest settings as options, for a pytest below 9, which cannot read them."""
    table = read_pyproject()["tool"]["pytest"]
    del table["minversion"], table["strict"]
    lines = {k: v if isinstance(v, str) else "\n".join(v) for k, v in table.items()}
    return [f"--override-ini={key}={value}" for key, value in lines.items()]


def tests_in(name: str) -> list[str]:
    """What runs in the environment of this name."""
    left_out = [f"--ignore={path}" for path in LEFT_OUT]
    if name != "lowest":
        left_out.append(f"--ignore={BYTES}")
    if name.startswith("openai"):
        return [*WITH_OPENAI, *left_out]
    # The tests of the core's modules, beside the folders.
    modules = (path for path in (ROOT / "tests").glob("test_*.py") if path.name not in ABOUT_US)
    core = sorted(str(path.relative_to(ROOT)) for path in modules)
    return [*(WITH_LOWEST if name == "lowest" else ON_EACH_PYTHON), *core, *left_out]


def run_suite(environment: Environment, wheel: Path) -> TestRun:
    """Test the wheel, not the folder beside the tests: `append` puts the latter last."""
    try:
        environment.prepare()
        environment.install_wheel(wheel)
        settings = pytest_options() if environment.name == "lowest" else []
        began = monotonic()
        result = environment.pytest(
            *("-x", "--import-mode=append", "-m", EVERYWHERE, "--hypothesis-profile=few"),
            *("-k", " and ".join(f"not {name}" for name in WORKERS)),
            *settings,
            *tests_in(environment.name),
        )
        versions = ", ".join(environment.versions(*SHOWN))
        summary = f"{result.summary} in {monotonic() - began:.0f} s"
    except CommandError as error:
        result, versions, summary = TestRun(1, str(error)), "not made", "0 passed"
    print(f"{environment.name:<9} {versions}: {summary}", flush=True)
    return result


def main() -> int:
    """Run as many at a time as there are cores; show in full what failed."""
    found = {version: find_python(version) for version in promised_pythons()}
    pythons = {version: python for version, python in found.items() if python}
    wheel = build_wheel()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(partial(run_suite, wheel=wheel), environments(pythons)))
    for result in results:
        if result.exit_code:
            print(f"\n{result.output}")
    if absent := found.keys() - pythons:
        print(f"Not installed here, so not run: Python {', '.join(sorted(absent))}")
    return int(any(result.exit_code for result in results))


if __name__ == "__main__":
    sys.exit(main())
