"""A plugin for pytest that writes down which tests there are and which cassettes they would use.

`vcr-llm orphans` loads it in a pytest that collects and runs nothing. Tests that are deselected
exist, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vcr_llm._test_renaming import usual_name

FILE = "VCR_LLM_COLLECTED"
"""The environment variable that names the file to write."""

_items: list[pytest.Item] = []


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note a test, before anybody deselects it."""
    _items.append(item)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write them down, now that plugins and conftests have marked what they mark."""
    found = {
        item.nodeid: {
            "is_marked": item.get_closest_marker("vcr") is not None,
            "file": os.fspath(item.path),
            "cassettes": [os.fspath(path) for path in _cassettes(item)],
        }
        for item in _items
    }
    collected = {"root": os.fspath(session.config.rootpath), "tests": found}
    Path(os.environ[FILE]).write_text(json.dumps(collected), encoding="utf-8")


def _cassettes(item: pytest.Item) -> Iterator[Path]:
    """The test's own cassette where pytest-recording puts it by default, and the extra ones.

    pytest-recording 0.14.1: ``default_cassette_name``, ``vcr_cassette_dir``, ``use_cassette``.
    """
    folder = item.path.parent / "cassettes" / item.path.stem
    named = item.get_closest_marker("default_cassette")
    scope = item.cls.__name__ if isinstance(item, pytest.Function) and item.cls else None
    yield folder / (str(named.args[0]) if named and named.args else usual_name(scope, item.name))
    for mark in item.iter_markers("vcr"):
        yield from (folder / str(name) for name in mark.args)
