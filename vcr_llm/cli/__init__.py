"""``vcr-llm`` on the command line: one module per command, loaded when its command is called.

Exit statuses: 0 nothing to complain of, 1 something was found or went wrong, 2 wrong usage.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

import vcr_llm

OK = 0
FOUND = 1
USAGE = 2
_INTERRUPTED = 130  # what a shell reports for Ctrl-C

COMMANDS = {
    "ls": "List cassettes with their requests, models, endpoints, tokens, size and age.",
    "show": "Show recordings as conversations: messages, answers, tool calls, usage, errors.",
    "diff": "Show what changed between two recordings, cassettes or trees of cassettes.",
    "check": "Find secrets, broken recordings, wrong names, payloads that an SDK refuses.",
    "report": "Write recordings as static pages for a browser, and what changed side by side.",
    "fmt": "Give recordings their canonical text, names and order.",
    "orphans": "Find recordings whose test is gone, and the test that they look like.",
    "convert": "Turn cassettes of vcrpy and others into directories of readable JSON.",
    "export": "Turn directories of recordings back into vcrpy's YAML.",
}
"""Each command and its summary, so that ``--help`` imports none of them."""


class _LazyGroup(click.Group):
    """A group whose commands are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"vcr_llm.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Shell completion: eval "$(_VCR_LLM_COMPLETE=bash_source vcr-llm)", or zsh_source.',
)
@click.version_option(vcr_llm.__version__, prog_name="vcr-llm")
def cli() -> None:
    """Work with recordings of LLM traffic.

    Example: vcr-llm convert tests/cassettes tests/cassettes
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the result is the exit status."""
    arguments = None if argv is None else list(argv)
    try:
        status = cli.main(args=arguments, prog_name="vcr-llm", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Interrupted. Run the command again and it finishes the work.", err=True)
        return _INTERRUPTED
    return status if isinstance(status, int) else OK
