"""Runs the benchmarks in this process and prints the results as JSON; `scripts.bench` starts it.

The contestants take turns, and each round begins with another one, so that what else the machine
does hits all of them. What a user waits for is measured: from a call to its result.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

import openai

from scripts.benchmarks.contestants import (
    NEW_EPISODES,
    NONE,
    ClientAlone,
    Contestant,
    OpenCassette,
    Vcrpy,
    all_recorders,
    frames,
)
from scripts.benchmarks.exchanges import (
    EMBEDDING,
    EVENT_STREAM,
    MODEL,
    STREAMED,
    TOOLS,
    Exchange,
    embedding_question,
    event_stream,
    exchange,
    messages,
)
from scripts.benchmarks.scale import SCALES, Scale
from scripts.benchmarks.tables import Results, Table
from scripts.benchmarks.targets import (
    ALL_READ,
    BODY,
    FIRST_EVENT,
    LONGER,
    MANY_EVENTS,
    first_save_of,
    save_of,
)
from tests.servers.loopback import Framing, LoopbackServer, ReceivedRequest, Reply

PARTS = ("replay", "save", "live")
"""Each runs in a process of its own: 10,000 recordings leave a heap that slows what comes after."""

Item = TypeVar("Item")
PAUSE = 0.02
_BEGAN = perf_counter()
PEAK = Path("/proc/self/clear_refs")


class Streams(LoopbackServer):
    """Streams so many events to everybody, with a pause before each or without."""

    def __init__(self, events: int, pause: float = 0) -> None:
        super().__init__()
        self.body = event_stream(0, events=events)
        paced = tuple(one for frame in frames(self.body) for one in (pause, frame))
        self._pieces = paced if pause else (self.body,)

    def answer(self, request: ReceivedRequest) -> Reply:  # noqa: ARG002 - the base class asks
        """The stream."""
        return Reply(self._pieces, 200, (("Content-Type", EVENT_STREAM),), Framing.CHUNKED)


class Turn(NamedTuple):
    """A contestant's turn, with an empty folder."""

    contestant: Contestant
    folder: Path


class Opened(NamedTuple):
    """An open cassette of some size."""

    size: int
    context: AbstractContextManager[OpenCassette]
    cassette: OpenCassette


class Benchmark:
    """Measures on one scale, and keeps the samples."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._recorders = all_recorders()
        self._with_client = [Contestant(), *filter(is_loaded_its_own_way, self._recorders)]
        self._tables: dict[str, Table] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        self._notes: dict[str, None] = {}

    def run(self, part: str) -> Results:
        """Measure one of the parts."""
        measure = {"replay": self._replays, "save": self._saves, "live": self._live}[part]
        measure()
        return Results(self._tables, list(self._notes))

    def _replays(self) -> None:
        for kind, sizes in self._scale.replayed.items():
            for size in sizes:
                progress(f"replay, {kind}, {size:,} recordings")
                self._replay(kind, size)

    def _saves(self) -> None:
        for kind, sizes in self._scale.saved_into.items():
            into = ", ".join(f"{size:,}" for size in sizes)
            progress(f"saving, {kind}, into {into} recordings")
            self._save(kind, sizes)

    def _live(self) -> None:
        progress("recording live streams")
        self._first_event()
        self._many_events()
        progress("memory of recording long streams")
        self._memory()

    def _replay(self, kind: str, size: int) -> None:
        """Requests answered from a cassette of this size; and how long it takes to load it."""
        scale = self._scale
        exchanges = [exchange(number, kind) for number in range(size)]
        limits = [ClientAlone()]
        if kind == STREAMED:
            limits.append(ClientAlone(in_events=True))
        with tempfile.TemporaryDirectory() as folder:
            recorders = [one for one in self._recorders if self._can_match(one, size)]
            paths = written(recorders, exchanges, Path(folder))
            for contestant in in_turns([*limits, *recorders], scale.rounds):
                client = contestant.client(exchanges)
                path = paths.get(contestant.name, Path(folder))
                if size == scale.loaded and is_loaded_its_own_way(contestant):
                    self._load(kind, contestant, path)
                context = contestant.open(path, NONE)
                if self._entered(context, contestant, size, kind) is None:
                    continue
                for number in range(0, size, max(1, size // scale.asked)):
                    began = perf_counter()
                    ask(client, number, kind)
                    self._note(kind, f"{size:,}", contestant, perf_counter() - began)
                context.__exit__(None, None, None)

    def _load(self, kind: str, contestant: Contestant, path: Path) -> None:
        """Opened, as a test does it; and until everything is read, which a test may not need."""
        if isinstance(contestant, ClientAlone):
            return
        began = perf_counter()
        context = contestant.open(path, NONE)
        cassette = self._entered(context, contestant, self._scale.loaded, kind)
        if cassette is None:
            return
        opened = perf_counter() - began
        contestant.prepare(cassette)
        self._note("load", kind, contestant, opened)
        self._note("load", f"{kind}{ALL_READ}", contestant, perf_counter() - began)
        context.__exit__(None, None, None)

    def _can_match(self, contestant: Contestant, size: int) -> bool:
        """Whether a run of this contestant would end: vcrpy compares every body with every one."""
        is_quadratic = isinstance(contestant, Vcrpy) and contestant.with_body
        if not is_quadratic or size <= self._scale.body_matched:
            return True
        self._tell(
            f"vcrpy with the body matched was not run with {size:,} recordings: it compares each"
            " request with each recording, which takes seconds a request."
        )
        return False

    def _entered(
        self,
        context: AbstractContextManager[OpenCassette],
        contestant: Contestant,
        size: int,
        kind: str,
    ) -> OpenCassette:
        """The open cassette; None, and a note, where the contestant cannot load so many."""
        try:
            cassette = context.__enter__()
        except Exception as error:  # noqa: BLE001 - whatever it says is the result
            reason = str(error).partition("\n")[0].rpartition("error: ")[2]
            self._tell(f"{contestant.name} cannot load {size:,} recordings ({kind}): {reason}")
            return None
        # Its length is not asked for, which would read all recordings.
        return contestant if cassette is None else cassette

    def _save(self, kind: str, sizes: Sequence[int]) -> None:
        """More recordings in cassettes of these sizes, all open at once.

        They are saved into by turns: the speed of the machine and the memory of the process are
        then the same for each, and only the size differs. The first save ends with the closed
        cassette: vcrpy and cassetter write their whole file then, with what was added before.
        """
        recorders = [one for one in self._recorders if is_loaded_its_own_way(one)]
        with tempfile.TemporaryDirectory() as folder:
            paths = {size: self._cassettes(recorders, kind, size, Path(folder)) for size in sizes}
            for contestant, own in with_folders(in_turns(recorders, self._scale.save_rounds)):
                cassettes = self._opened(contestant, kind, paths, own)
                taken: dict[int, list[float]] = {one.size: [] for one in cassettes}
                for number in range(1 + self._scale.saved):
                    for one in rotated(cassettes, number):
                        more = exchange(one.size + number, kind)
                        taken[one.size].append(timed(contestant, one.cassette, more))
                for one in reversed(cassettes):
                    began = perf_counter()
                    one.context.__exit__(None, None, None)
                    taken[one.size][0] += perf_counter() - began
                for size, (first, *others) in taken.items():
                    self._note(first_save_of(kind), f"{size:,}", contestant, first)
                    for seconds in others:
                        self._note(save_of(kind), f"{size:,}", contestant, seconds)

    def _cassettes(
        self, recorders: Sequence[Contestant], kind: str, size: int, folder: Path
    ) -> dict[str, Path]:
        """Each recorder's cassette of this size."""
        of_size = folder / str(size)
        of_size.mkdir()
        return written(recorders, [exchange(number, kind) for number in range(size)], of_size)

    def _opened(
        self, contestant: Contestant, kind: str, paths: dict[int, dict[str, Path]], own: Path
    ) -> list[Opened]:
        """Copies of this recorder's cassettes, open and ready to be saved into."""
        copies = {}
        for size, by_name in paths.items():
            of_size = own / str(size)
            of_size.mkdir()
            copies[size] = copied(by_name[contestant.name], of_size)
        os.sync()  # the copies are the benchmark's: no save waits for them
        opened = []
        for size, path in copies.items():
            context = contestant.open(path, NEW_EPISODES)
            cassette = self._entered(context, contestant, size, kind)
            if cassette is not None:
                contestant.prepare(cassette)
                opened.append(Opened(size, context, cassette))
        gc.collect()
        return opened

    def _first_event(self) -> None:
        """How long a client waits for the first of some slow events, while they are recorded."""
        with Streams(self._scale.slow_events, PAUSE) as server:
            for contestant, folder in self._live_turns(self._scale.live_rounds):
                client = contestant.client((), f"{server.url}/v1")
                with contestant.open(folder / "live.yaml", NEW_EPISODES):
                    began = perf_counter()
                    stream = open_stream(client, 0)
                    next(stream)
                    self._note("live", FIRST_EVENT, contestant, perf_counter() - began)
                    list(stream)

    def _many_events(self) -> None:
        """A long stream, from the request to the closed cassette."""
        with Streams(self._scale.many_events) as server:
            for contestant, folder in self._live_turns(self._scale.live_rounds):
                client = contestant.client((), f"{server.url}/v1")
                began = perf_counter()
                with contestant.open(folder / "live.yaml", NEW_EPISODES):
                    events = sum(1 for _event in open_stream(client, 0))
                self._note("live", MANY_EVENTS, contestant, perf_counter() - began)
                if events != self._scale.many_events:
                    msg = f"{contestant.name}: {events} events"
                    raise AssertionError(msg)

    def _memory(self) -> None:
        """What recording a long stream takes, each time in a process of its own."""
        if not PEAK.exists():
            self._tell("Memory was not measured: that takes Linux.")
            return
        many = self._scale.many_events
        with Streams(2) as short, Streams(many) as server, Streams(2 * many) as longer:
            for contestant, folder in self._live_turns(self._scale.memory_rounds):
                for column, streams in ((MANY_EVENTS, server), (LONGER, longer)):
                    path = folder / column
                    path.mkdir()
                    taken = memory_of(contestant, path, short.url, streams.url)
                    self._note("memory", column, contestant, taken)
            self._tables["memory"][MANY_EVENTS][BODY] = [len(server.body)]
            self._tables["memory"][LONGER][BODY] = [len(longer.body)]

    def _live_turns(self, rounds: int) -> Iterator[Turn]:
        return with_folders(in_turns(self._with_client, rounds))

    def _note(self, table: str, column: str, contestant: Contestant, sample: float) -> None:
        """Keep one measurement."""
        self._tables[table][column][contestant.name].append(sample)

    def _tell(self, note: str) -> None:
        """Say once why something was not measured."""
        self._notes[note] = None


def main() -> None:
    """Measure one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scale", choices=SCALES)
    parser.add_argument("part", choices=PARTS)
    options = parser.parse_args()
    results = Benchmark(SCALES[options.scale]).run(options.part)
    json.dump(results._asdict(), sys.stdout)


def progress(step: str) -> None:
    """Tell what is measured now, and how long it took to come to that."""
    print(f"{perf_counter() - _BEGAN:5.0f} s  {step}", file=sys.stderr, flush=True)


def is_loaded_its_own_way(contestant: Contestant) -> bool:
    """False where matching is the only difference."""
    return not (isinstance(contestant, Vcrpy) and contestant.with_body)


def memory_of(contestant: Contestant, folder: Path, short: str, long: str) -> float:
    """The bytes by which the most memory that a process had grew while it recorded a stream."""
    module = "scripts.benchmarks.stream_memory"
    command: list[str | Path] = [sys.executable, "-m", module, contestant.name, folder, short, long]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def copied(cassette: Path, folder: Path) -> Path:
    """A copy of a cassette, whether it is a file or a directory."""
    copy = shutil.copytree if cassette.is_dir() else shutil.copy
    return Path(copy(cassette, folder / cassette.name))


def timed(contestant: Contestant, cassette: OpenCassette, one: Exchange) -> float:
    """How long it takes to add one exchange."""
    began = perf_counter()
    contestant.add(cassette, one)
    return perf_counter() - began


def written(
    recorders: Sequence[Contestant], exchanges: Sequence[Exchange], folder: Path
) -> dict[str, Path]:
    """The cassette of each recorder."""
    return {recorder.name: recorder.write(folder, exchanges) for recorder in recorders}


def in_turns(contestants: Sequence[Contestant], rounds: int) -> Iterator[Contestant]:
    """Each contestant once a round; what the one before left to be collected is collected."""
    for number in range(rounds):
        for contestant in rotated(contestants, number):
            gc.collect()
            yield contestant


def rotated(items: Sequence[Item], number: int) -> list[Item]:
    """The items in their order, beginning with another one each time."""
    start = number % len(items) if items else 0
    return [*items[start:], *items[:start]]


def with_folders(contestants: Iterator[Contestant]) -> Iterator[Turn]:
    """Each contestant with an empty folder."""
    for contestant in contestants:
        with tempfile.TemporaryDirectory() as folder:
            yield Turn(contestant, Path(folder))


def ask(client: openai.OpenAI, number: int, kind: str) -> None:
    """One request, and its whole answer."""
    if kind == EMBEDDING:
        client.embeddings.create(**embedding_question(number))
    elif kind == STREAMED:
        list(open_stream(client, number))
    else:
        question: Any = {"messages": messages(number), "tools": TOOLS}
        client.chat.completions.create(model=MODEL, **question)


def open_stream(client: openai.OpenAI, number: int) -> Iterator[Any]:
    """The events of a streamed answer."""
    question: Any = {"messages": messages(number), "tools": TOOLS}
    return iter(client.chat.completions.create(model=MODEL, stream=True, **question))


if __name__ == "__main__":
    main()
