"""A terminal for what commands print."""

from __future__ import annotations

import io

import pytest


class Terminal(io.StringIO):
    """What was printed to somebody who watches."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal in the place of both streams; no fixture, as pytest sets these when it calls."""
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr("sys.stderr", screen)
    return screen
