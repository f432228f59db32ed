"""How one cassette is to be used, beyond what vcrpy passes to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from vcr_llm._options import Options


@dataclass(frozen=True, slots=True)
class Plan:
    """How one cassette is to be used, beyond what vcrpy passes to it."""

    options: Options = field(default_factory=Options)
    test_id: str | None = None
    is_test: bool = False
    """Whether ``test_id`` is a pytest test of our plugin: it then sees only what is its own."""
    opened_for: str | None = None
    """The test in whose set-up a fixture of a wider scope opened the cassette.

    Other processes may have the same fixture, and record into the same directory.
    """
    is_live: bool = False
    """Whether nothing is played and nothing recorded."""
    name_in_command: str | None = None
    """The test that records the cassette, as a command names it; None outside our plugin."""
    rewrite: bool = False
    verifies: bool = False
    """Whether what is played is also sent, to compare the answers."""
    record_on_exception: bool = True
    extra_paths: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()
    """Other names that a cassette in one file may have, without their suffix."""
    has_hooks: bool = True
    """Whether vcrpy's filters or hooks change what is loaded or asked for."""
    has_failed: Callable[[], bool] = bool
    is_finished_later: Callable[[], bool] = bool
    """Whether somebody else calls `RecordingCassette.finish` when more is over."""
