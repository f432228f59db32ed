"""Streams that are dropped, and collected at the worst moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.streams.callers import LIBRARIES, responses
from tests.streams.stream_server import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_collected_stream_stops_nobody(library: str, cassette: Path) -> None:
    """Sync streams that end while an async one is being saved are saved too; nothing waits."""
    pytest.importorskip(library)
    command = [sys.executable, "-m", "tests.streams.dropping_child", library, str(cassette)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=PATIENCE)
    assert ["ended" in response for response in responses(cassette)].count(True) == 3
    assert len(responses(cassette)) == 6
