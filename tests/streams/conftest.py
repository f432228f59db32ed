"""The callers, and a place for a cassette."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.streams.callers import ALL_CALLERS, Caller


@pytest.fixture(params=ALL_CALLERS, ids="-".join)
def caller(request: pytest.FixtureRequest) -> Caller:
    """Each library, sync and async."""
    return Caller(*request.param)


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """Where a cassette may be made."""
    return tmp_path / "cassette"
