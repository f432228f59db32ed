"""How much is measured: what a reader can rely on, or just enough to see that it works."""

from __future__ import annotations

from typing import NamedTuple


class Scale(NamedTuple):
    """Sizes and numbers of rounds."""

    rounds: int
    """Of replay; each contestant once in each, and the first is another each time."""
    asked: int
    """Requests in each round, spread over the cassette."""
    replayed: dict[str, tuple[int, ...]]
    """The sizes of the cassettes, by the kind of body."""
    body_matched: int
    """The largest cassette in which vcrpy, whose time is quadratic, matches bodies."""
    loaded: int
    """The size of the cassettes whose loading is measured."""
    save_rounds: int
    saved_into: dict[str, tuple[int, ...]]
    """The sizes of the cassettes, by the kind of body."""
    saved: int
    """Recordings that are added after the first, in each round."""
    slow_events: int
    live_rounds: int
    many_events: int
    memory_rounds: int
    flat: int
    """Recordings in a flat directory."""
    tests: int
    """Tests that use one of them each."""
    run_rounds: int
    """Of whole pytest runs with these tests."""
    starts: int
    """Whole pytest runs of an idle project."""
    conversions: int
    converted: int | None
    """Cassettes that are made to be converted; None for the corpus of public ones."""


FULL = Scale(
    rounds=3,
    asked=10,
    replayed={
        "streamed": (10, 100, 1_000, 10_000),
        "plain": (10, 100, 1_000, 10_000),
        "embedding": (10, 100, 1_000),
    },
    body_matched=1_000,
    loaded=1_000,
    save_rounds=7,
    saved_into={"plain": (1, 1_000, 10_000), "streamed": (1, 1_000)},
    saved=10,
    slow_events=20,
    live_rounds=5,
    many_events=10_000,
    memory_rounds=3,
    flat=10_000,
    tests=1_000,
    run_rounds=3,
    starts=25,
    conversions=5,
    converted=None,
)
QUICK = Scale(
    rounds=1,
    asked=2,
    replayed={"streamed": (2, 4), "plain": (2, 4), "embedding": (2, 4)},
    body_matched=2,
    loaded=4,
    save_rounds=1,
    saved_into={"plain": (1, 3), "streamed": (1, 3)},
    saved=2,
    slow_events=2,
    live_rounds=1,
    many_events=30,
    memory_rounds=0,
    flat=6,
    tests=3,
    run_rounds=1,
    starts=1,
    conversions=1,
    converted=3,
)
SCALES = {"full": FULL, "quick": QUICK}
