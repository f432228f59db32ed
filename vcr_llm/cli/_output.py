"""What commands print: colour and tables in a terminal, plain text in a pipe, JSON for programs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal, NamedTuple, TypeVar

import click
from rich.console import Console
from rich.measure import Measurement
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

Item = TypeVar("Item")

_LINES_AT_ONCE = 1000

# What a terminal would obey instead of showing it: control characters but tabs, and those that
# turn the direction of text (https://trojansource.codes); and halves of characters.
_UNSEEN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Span(NamedTuple):
    """A piece of a line, and how it looks in a terminal."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def print_json(value: object) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def print_line(text: str, *, style: str = "") -> None:
    """Print a line of the result."""
    _print(Console(), text, style)


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines: styled in a terminal, else the same text whatever the width of anything."""
    console = Console(highlight=False)
    if console.is_terminal:
        for line in lines:
            text = Text.assemble(*((visible(span.text), span.style) for span in line))
            console.print(text, soft_wrap=True)
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    plain = (f"{''.join(visible(span.text) for span in line)}\n" for line in lines)
    while shown := "".join(islice(plain, _LINES_AT_ONCE)):
        click.echo(shown.encode(encoding, "backslashreplace").decode(encoding), nl=False)


def visible(text: str) -> str:
    """A text as one line, in which what a terminal would obey is written out."""
    return _UNSEEN.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - a byte


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


class Column(NamedTuple):
    """A column of a table; numbers stand at its right."""

    name: str
    is_number: bool = False


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], footer: Sequence[str]
) -> None:
    """Print a table, its last row a sum: in columns in a terminal, separated by tabs in a pipe.

    No cell is cut or wrapped, so that each can be copied: rows may be longer than the terminal.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        head = [column.name for column in columns]
        for row in (head, *rows, footer):
            click.echo("\t".join(_cell(cell) for cell in row))
        return
    table = Table(box=None, show_footer=True, padding=(0, 2, 0, 0))
    for column, last in zip(columns, footer, strict=True):
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        table.add_column(column.name, Text(visible(last), style="bold"), justify=justify)
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    endless = console.options.update(width=sys.maxsize)
    Console(width=Measurement.get(console, endless, table).maximum).print(table)


def _cell(text: str) -> str:
    return visible(text).replace("\t", " ")


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
    console.print(Text(visible(text), style=style), soft_wrap=True)
