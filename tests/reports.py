"""What a report holds, read without a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_SCRIPT = re.compile(r"vcrLlmReport\.receive\('(\w+)', '([\x20-\x7e]*)'\);\n")


def received(script: str) -> tuple[str, Any]:
    """The name and the value that a data file hands to the page: it is one call, and plain ASCII.

    A JavaScript string in single quotes is a JSON string once its double quotes are escaped.
    """
    match = _SCRIPT.fullmatch(script)
    assert match is not None, script[:200]
    assert "'" not in match[2]
    text = json.loads('"{}"'.format(match[2].replace('"', '\\"')))
    return match[1], json.loads(text)


def data(report: Path) -> dict[str, Any]:
    """The values of all data files, by name."""
    return dict(
        received(path.read_text(encoding="utf-8")) for path in sorted((report / "data").iterdir())
    )


def rows(report: Path) -> list[dict[str, Any]]:
    """The rows of the list, as the page reads them."""
    index = data(report)["index"]
    tables = index["tables"]
    return [
        {
            name: tables[name][cell] if name in tables else cell
            for name, cell in zip(index["columns"], row, strict=True)
        }
        for row in index["rows"]
    ]


def details(report: Path) -> list[dict[str, Any]]:
    """The details of each row."""
    held = data(report)
    return [held[f"d{row['shard']}"][row["id"]] for row in rows(report)]
