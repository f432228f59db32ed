"""What commands print: colour and tables in a terminal, plain text in a pipe, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

Item = TypeVar("Item")


def print_json(value: object) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def print_line(text: str, *, style: str = "") -> None:
    """Print a line of the result."""
    _print(Console(), text, style)


def print_problem(path: object, reason: str) -> None:
    """Print a line about a file with which something is wrong."""
    _print(Console(stderr=True), f"{path}: {reason}", "red")


def print_counts(counts: Mapping[str, int]) -> None:
    """Print how many of what there were: a table in a terminal, a line for each in a pipe."""
    console = Console()
    if not console.is_terminal:
        for name, count in counts.items():
            _print(console, f"{name}: {count}", "")
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, count in counts.items():
        table.add_row(Text(name), Text(f"{count:,}", style="bold", justify="right"))
    console.print(table)


def tracked(items: Iterable[Item], *, total: int, what: str) -> Iterator[Item]:
    """The items, with a progress bar while they come where somebody watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from items
        return
    with Progress(console=console, transient=True) as progress:
        yield from progress.track(items, total=total, description=what)


def _print(console: Console, text: str, style: str) -> None:
    # Names of files may hold bytes that are no text, and brackets that are no markup.
    shown = text.encode("utf-8", "backslashreplace").decode()
    console.print(Text(shown, style=style), soft_wrap=True)
