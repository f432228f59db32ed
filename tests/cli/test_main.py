"""``vcr-llm`` itself: help, version, exit statuses, completion."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import vcr_llm
from vcr_llm import cli

_MAIN = "import sys; from vcr_llm.cli import main; sys.exit(main())"


def _run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """--version names the program and its version."""
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"vcr-llm, version {vcr_llm.__version__}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """--help names each command."""
    assert cli.main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n  {name} " in printed for name in cli.COMMANDS)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of each command has an example of it, and the group's summary is its first line."""
    assert cli.main([name, "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"Example: vcr-llm {name} " in printed
    assert cli.COMMANDS[name] in printed


def test_help_imports_no_command() -> None:
    """--help is quick: neither vcrpy nor rich is imported for it."""
    code = (
        "import sys; from vcr_llm.cli import main; main(['--help']); "
        "sys.exit(any(name in sys.modules for name in ('vcr', 'rich', 'yaml', 'pytest')))"
    )
    assert _run(code).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [["unheard-of"], ["convert"], ["convert", "only-one"], ["convert", "absent", "there"], ["-x"]],
)
def test_wrong_usage_exits_with_2(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be understood is said on stderr, with exit status 2."""
    assert cli.main(arguments) == cli.USAGE
    assert "Error" in capsys.readouterr().err


def test_the_arguments_of_the_process_are_the_default() -> None:
    """Without arguments of its own, main takes those of the process."""
    found = _run(_MAIN, "--version")
    assert (found.returncode, found.stdout.split()[-1]) == (0, vcr_llm.__version__)


def test_shells_can_complete() -> None:
    """Click's completion gives a script, and the names of commands."""
    script = _run(_MAIN, _VCR_LLM_COMPLETE="zsh_source")
    assert "#compdef vcr-llm" in script.stdout
    words = {"COMP_WORDS": "vcr-llm con", "COMP_CWORD": "1"}
    assert "convert" in _run(_MAIN, _VCR_LLM_COMPLETE="zsh_complete", **words).stdout


def test_interruption_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends with one line and the status that shells give it."""

    def interrupted(**_options: object) -> None:
        raise click.Abort

    monkeypatch.setattr(cli.cli, "main", interrupted)
    assert cli.main([]) == 130
    assert "again" in capsys.readouterr().err


def test_a_closed_pipe_is_no_crash() -> None:
    """`vcr-llm … | head` ends without a traceback: click sees to it."""
    code = (
        "import os, sys; from vcr_llm.cli import main; "
        "reading, writing = os.pipe(); os.close(reading); os.dup2(writing, 1); "
        "sys.exit(main(['--help']))"
    )
    found = _run(code)
    assert (found.returncode, found.stderr) == (1, "")
