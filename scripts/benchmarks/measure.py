"""Runs the benchmarks in this process and prints the seconds as JSON; `scripts.bench` starts it.

The contestants take turns, and each round begins with another one, so that what else the machine
does hits all of them. What a user waits for is measured: from the call of the SDK to its result.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from scripts.benchmarks.contestants import (
    NEW_EPISODES,
    NONE,
    Cassetter,
    ClientAlone,
    Contestant,
    VcrLlm,
    Vcrpy,
)
from scripts.benchmarks.exchanges import (
    EVENT_STREAM,
    MODEL,
    TOOLS,
    Exchange,
    event_stream,
    exchange,
    messages,
)
from tests.servers.loopback import Framing, LoopbackServer, ReceivedRequest, Reply

ROUNDS = 3
REQUESTS = 4  # in each round, spread over the cassette
SIZES, ALSO_IN_FULL = (10, 100, 1_000), (10_000,)
LOADED = 1_000
SAVED_INTO = (1, 1_000, 10_000)
ONE_SAVE_ONLY = 10_000  # from this size on, saving is measured once: loading takes its time
SLOW_EVENTS, PAUSE = 20, 0.02
MANY_EVENTS = 10_000

Timings = dict[str, dict[str, dict[str, list[float]]]]


class Streams(LoopbackServer):
    """Streams so many events, with a pause before each or none."""

    def __init__(self, events: int, pause: float = 0) -> None:
        super().__init__()
        frames = event_stream(0, events=events).replace(b"\n\n", b"\n\n\0").split(b"\0")
        paced: tuple[bytes | float, ...] = tuple(one for f in frames for one in (pause, f))
        self._pieces = paced if pause else (b"".join(frames),)

    def answer(self, request: ReceivedRequest) -> Reply:
        """The stream."""
        headers = (("Content-Type", EVENT_STREAM),)
        pieces = tuple(piece for piece in self._pieces if piece != b"")
        return Reply(pieces, 200, headers, Framing.CHUNKED)


class Benchmarks:
    """All contestants that are here, and what was measured of them."""

    def __init__(self) -> None:
        self.recorders: list[Contestant] = [VcrLlm()]
        for serializer in ("yaml", "json"):
            self.recorders += [Vcrpy(serializer), Vcrpy(serializer, with_body=True)]
        try:
            self.recorders.append(Cassetter())
        except ImportError as error:
            print(error, file=sys.stderr)
        self.timings: Timings = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))

    def note(self, table: str, column: str, contestant: Contestant, seconds: float) -> None:
        """Keep one measurement."""
        self.timings[table][column][contestant.name].append(seconds)

    def in_turns(
        self, contestants: Sequence[Contestant], measure: Callable[[Contestant], None], rounds: int
    ) -> None:
        """Measure each contestant once a round, beginning with another one each time."""
        for number in range(rounds):
            start = number % len(contestants)
            for contestant in (*contestants[start:], *contestants[:start]):
                measure(contestant)

    def replay(self, sizes: Sequence[int], *, streamed: bool) -> None:
        """Replaying a request from cassettes of several sizes, and loading them."""
        kind = "streamed" if streamed else "plain"
        for size in sizes:
            exchanges = [exchange(number, streamed=streamed) for number in range(size)]
            with cassettes(self.recorders, exchanges) as paths:

                def measure(
                    contestant: Contestant,
                    exchanges: list[Exchange] = exchanges,
                    paths: dict[str, Path] = paths,
                ) -> None:
                    size = len(exchanges)
                    path = paths.get(contestant.name, Path())
                    client = contestant.client(exchanges)
                    began = perf_counter()
                    with contestant.open(path, NONE):
                        loaded = perf_counter() - began
                        for number in range(0, size, max(1, size // REQUESTS)):
                            seconds = timed(lambda: ask(client, number, streamed=streamed))
                            self.note(f"replay {kind}", f"{size:,}", contestant, seconds)
                    if size == LOADED and contestant.name in paths:
                        self.note("load", kind, contestant, loaded)

                self.in_turns([ClientAlone(), *self.recorders], measure, ROUNDS)
