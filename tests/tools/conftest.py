"""What all tests of tools share."""

from __future__ import annotations

import pytest

from tests.tools.weather import ran


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    """Each test counts from zero."""
    ran.clear()
