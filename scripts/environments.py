"""Virtual environments that are made once, and pytest runs in them.

uv makes them, in a quarter of pip's time; CI makes ten of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"


class CommandError(Exception):
    """A command ended with an error; the message is what it printed."""


def read_pyproject() -> dict[str, Any]:
    """The project file as a dict."""
    return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))


def run(*command: str | Path) -> str:
    """What the command printed, or CommandError."""
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise CommandError(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def uv(*arguments: str | Path) -> None:
    """Run the uv of this environment."""
    run(sys.executable, "-m", "uv", "--quiet", *arguments)


def build_wheel() -> Path:
    """The wheel of the package as it is now."""
    folder = ROOT / "build" / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    run(
        *(sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation"),
        *("--wheel-dir", folder, ROOT),
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def download_source(requirement: str, folder: Path, *, isolated: bool = False) -> Path:
    """The unpacked source release of a project, which may hold its tests.

    pip asks the project's builder for its name: that of this environment, or ``isolated`` one of
    its own.
    """
    run(
        *(sys.executable, "-m", "pip", "download", "-qq", "--no-deps"),
        *(() if isolated else ("--no-build-isolation",)),
        *("--no-binary", ":all:", "--dest", folder, requirement),
    )
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


@dataclass(frozen=True, slots=True)
class TestRun:
    """How one run of pytest ended."""

    exit_code: int
    output: str
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_output(cls, exit_code: int, output: str) -> TestRun:
        """The counts are read from pytest's last line: `3 passed, 1 skipped in 0.12s`."""
        closing = output.rstrip().rpartition("\n")[2]
        counts = {word: int(n) for n, word in re.findall(r"(\d+) ([a-z]+)", closing)}
        return cls(exit_code, output, counts)

    @property
    def summary(self) -> str:
        """The counts in words: always the passed and failed ones, others where there are any."""
        failed = self.counts.get("failed", 0) + self.counts.get("error", 0)
        failed += self.counts.get("errors", 0)
        skipped = self.counts.get("skipped", 0)
        words = f"{self.counts.get('passed', 0)} passed, {failed} failed"
        return f"{words}, {skipped} skipped" if skipped else words


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment in the project's root, made again when what it is made from changes."""

    name: str
    interpreter: str
    requirements: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The folder."""
        return ROOT / f".venv-{self.name}"

    @property
    def python(self) -> Path:
        """The interpreter inside."""
        return self.path / "bin" / "python"

    def prepare(self) -> None:
        """Make the environment, unless the one that is there was made from the same things."""
        stamp = self.path / ".made-from"
        made_from = hashlib.sha256(repr(self).encode() + PYPROJECT.read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text() == made_from:
            return
        print(f"Making {self.path.name}", flush=True)
        shutil.rmtree(self.path, ignore_errors=True)
        uv("venv", "--python", self.interpreter, self.path)
        self.install(*self.requirements)
        stamp.write_text(made_from)

    def install(self, *arguments: str | Path) -> None:
        """Install packages."""
        uv("pip", "install", "--python", self.path, *arguments)

    def uninstall(self, package: str) -> None:
        """Remove the package, if it is there."""
        uv("pip", "uninstall", "--python", self.path, package)

    def install_wheel(self, wheel: Path) -> None:
        """Install this build of vcr-llm, whatever was there."""
        self.install("--no-deps", "--reinstall", wheel)

    def versions(self, *packages: str) -> list[str]:
        """The versions of Python and of the packages, as `name version`."""
        code = (
            "import platform, sys; from importlib.metadata import version;"
            "print('Python', platform.python_version());"
            "[print(name, version(name)) for name in sys.argv[1:]]"
        )
        return run(self.python, "-c", code, *packages).splitlines()

    def pytest(
        self, *arguments: str, folder: Path = ROOT, variables: Mapping[str, str] | None = None
    ) -> TestRun:
        """Run pytest in the folder, which is not on `sys.path`, with more environment variables."""
        done = subprocess.run(
            [self.path / "bin" / "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return TestRun.from_output(done.returncode, done.stdout)
