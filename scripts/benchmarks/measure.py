"""Runs the benchmarks in this process and prints the seconds as JSON; `scripts.bench` starts it.

The contestants take turns, and each round begins with another one, so that what else the machine
does hits all of them. What a user waits for is measured: from a call to its result.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import openai

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
REQUESTS = 10  # in each round, spread over the cassette
SIZES, ALSO_IN_FULL = (10, 100, 1_000), (10_000,)
LOADED = 1_000
SAVED_INTO = {1: ROUNDS, 1_000: ROUNDS, 10_000: 1}  # the rounds: to load 10,000 takes its time
SLOW_EVENTS, PAUSE = 20, 0.02
MANY_EVENTS = 10_000

TIMINGS: dict[str, dict[str, dict[str, list[float]]]] = defaultdict(
    lambda: defaultdict(lambda: defaultdict(list))
)
REFUSALS: list[str] = []


class Streams(LoopbackServer):
    """Streams so many events to everybody, with a pause before each or without."""

    def __init__(self, events: int, pause: float = 0) -> None:
        super().__init__()
        body = event_stream(0, events=events)
        frames = [frame + b"\n\n" for frame in body.split(b"\n\n")[:-1]]
        paced = tuple(one for frame in frames for one in (pause, frame))
        self._pieces = paced if pause else (body,)

    def answer(self, request: ReceivedRequest) -> Reply:  # noqa: ARG002 - the base class asks
        """The stream."""
        return Reply(self._pieces, 200, (("Content-Type", EVENT_STREAM),), Framing.CHUNKED)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="also replay from 10,000 recordings")
    is_full = parser.parse_args().full
    recorders = all_recorders()
    without_body = [one for one in recorders if is_loaded_its_own_way(one)]
    for size in (*SIZES, *(ALSO_IN_FULL if is_full else ())):
        for kind in ("streamed", "plain"):
            replay(recorders, kind, size)
    for size, rounds in SAVED_INTO.items():
        save(without_body, size, rounds)
    first_event([Contestant(), *without_body])
    many_events([Contestant(), *without_body])
    json.dump({"timings": TIMINGS, "refusals": REFUSALS}, sys.stdout)


def all_recorders() -> list[Contestant]:
    """Ours, and the others as far as they are installed."""
    recorders: list[Contestant] = [VcrLlm()]
    for serializer in ("yaml", "json"):
        recorders += [Vcrpy(serializer), Vcrpy(serializer, with_body=True)]
    try:
        return [*recorders, Cassetter()]
    except ImportError:
        return recorders


def is_loaded_its_own_way(contestant: Contestant) -> bool:
    """False where matching is the only difference, or where nothing is loaded at all."""
    is_variant = isinstance(contestant, Vcrpy) and contestant.with_body
    return not is_variant and not isinstance(contestant, ClientAlone)


def replay(recorders: Sequence[Contestant], kind: str, size: int) -> None:
    """Requests answered from a cassette of this size; and how long it takes to load it."""
    exchanges = [exchange(number, streamed=kind == "streamed") for number in range(size)]
    limit = ClientAlone()
    with tempfile.TemporaryDirectory() as folder:
        paths = written(recorders, exchanges, Path(folder))
        for contestant in in_turns([limit, *recorders], ROUNDS):
            client = contestant.client(exchanges)
            began = perf_counter()
            with contestant.open(paths.get(contestant.name, Path(folder)), NONE):
                if size == LOADED and is_loaded_its_own_way(contestant):
                    note("load", kind, contestant, perf_counter() - began)
                for number in range(0, size, max(1, size // REQUESTS)):
                    began = perf_counter()
                    ask(client, number, streamed=kind == "streamed")
                    note(kind, f"{size:,}", contestant, perf_counter() - began)


def save(recorders: Sequence[Contestant], size: int, rounds: int) -> None:
    """One more recording in a cassette of this size: from the answer to the closed cassette."""
    exchanges = [exchange(number, streamed=False) for number in range(size)]
    with tempfile.TemporaryDirectory() as folder:
        paths = written(recorders, exchanges, Path(folder))
        for turn, contestant in enumerate(in_turns(recorders, rounds)):
            context = contestant.open(paths[contestant.name], NEW_EPISODES)
            try:
                cassette = context.__enter__()
            except Exception as error:  # noqa: BLE001 - whatever it says is the result
                reason = str(error).replace(folder, "").partition("\n")[0]
                REFUSALS.append(f"{contestant.name} cannot load {size:,} recordings: {reason}")
                continue
            contestant.prepare(cassette)
            began = perf_counter()
            contestant.add(cassette, exchange(size + turn, streamed=False))
            context.__exit__(None, None, None)
            note("save", f"{size:,}", contestant, perf_counter() - began)


def first_event(contestants: Sequence[Contestant]) -> None:
    """How long a client waits for the first of some slow events, while they are recorded."""
    with Streams(SLOW_EVENTS, PAUSE) as server:
        for contestant, folder in with_folders(in_turns(contestants, ROUNDS)):
            client = contestant.client((), f"{server.url}/v1")
            with contestant.open(folder / "live.yaml", NEW_EPISODES):
                began = perf_counter()
                stream = open_stream(client, 0)
                next(stream)
                note("live", "first event", contestant, perf_counter() - began)
                list(stream)


def many_events(contestants: Sequence[Contestant]) -> None:
    """A long stream, from the request to the closed cassette."""
    with Streams(MANY_EVENTS) as server:
        for contestant, folder in with_folders(in_turns(contestants, ROUNDS)):
            client = contestant.client((), f"{server.url}/v1")
            began = perf_counter()
            with contestant.open(folder / "live.yaml", NEW_EPISODES):
                events = sum(1 for _event in open_stream(client, 0))
            note("live", "many events", contestant, perf_counter() - began)
            if events != MANY_EVENTS:
                msg = f"{contestant.name}: {events} events"
                raise AssertionError(msg)


def written(
    recorders: Sequence[Contestant], exchanges: Sequence[Exchange], folder: Path
) -> dict[str, Path]:
    """The cassette of each recorder."""
    return {recorder.name: recorder.write(folder, exchanges) for recorder in recorders}


def in_turns(contestants: Sequence[Contestant], rounds: int) -> Iterator[Contestant]:
    """Each contestant once a round; what the one before left to be collected is collected."""
    for number in range(rounds):
        start = number % len(contestants)
        for contestant in (*contestants[start:], *contestants[:start]):
            gc.collect()
            yield contestant


def with_folders(contestants: Iterator[Contestant]) -> Iterator[tuple[Contestant, Path]]:
    """Each contestant with an empty folder."""
    for contestant in contestants:
        with tempfile.TemporaryDirectory() as folder:
            yield contestant, Path(folder)


def note(table: str, column: str, contestant: Contestant, seconds: float) -> None:
    """Keep one measurement."""
    TIMINGS[table][column][contestant.name].append(seconds)


def ask(client: openai.OpenAI, number: int, *, streamed: bool) -> None:
    """One request, and its whole answer."""
    if streamed:
        list(open_stream(client, number))
        return
    question: Any = {"messages": messages(number), "tools": TOOLS}
    client.chat.completions.create(model=MODEL, **question)


def open_stream(client: openai.OpenAI, number: int) -> Iterator[Any]:
    """The events of a streamed answer."""
    question: Any = {"messages": messages(number), "tools": TOOLS}
    return iter(client.chat.completions.create(model=MODEL, stream=True, **question))


if __name__ == "__main__":
    main()
