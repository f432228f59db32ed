"""What all tests share: pytester, and the two markers of tests that need what a clone lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

_ROOT = Path(__file__).parent
_NEEDED = {
    "shared": (_ROOT.parent / "shared", "needs the folder ../shared"),
    "aimock": (_ROOT / "tests" / "aimock" / "node_modules", "needs `npm ci` in tests/aimock"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs more than a clone has; in CI, scripts/nothing_skipped.py forbids that."""
    for marker, (path, reason) in _NEEDED.items():
        if item.get_closest_marker(marker) and not path.is_dir():
            pytest.skip(reason)
