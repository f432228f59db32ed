"""Calls of tools, recorded and replayed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vcr_llm
from tests.tools.weather import ran


def recorded_then_played(path: Path, scenario: Callable[[], Any]) -> tuple[Any, Any]:
    """What a scenario gives while it is recorded, and on replay, where no tool may run."""
    with vcr_llm.use_cassette(path, record_mode="once"):
        live = scenario()
    ran.clear()
    with vcr_llm.use_cassette(path, record_mode="none") as cassette:
        played = scenario()
    assert ran == []
    assert cassette.all_played
    return live, played


def documents(path: Path) -> list[dict[str, Any]]:
    """The recordings of a cassette in the order in which they were made."""
    found = [json.loads(file.read_text("utf-8")) for file in path.glob("*.json")]
    return sorted(found, key=lambda document: document.get("sequence", 0))


def raised(function: Callable[[], Any]) -> tuple[type[BaseException], Any, str]:
    """What a call raises: its type, its arguments and what it says."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it is compared
        function()
    return type(caught.value), caught.value.args, str(caught.value)
