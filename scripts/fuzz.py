"""`make fuzz`: a million random bodies and documents of each kind, there and back.

    python -m scripts.fuzz                                a million of each kind, on every core
    python -m scripts.fuzz --examples 1000 --kind sse     fewer, of one kind
    python -m scripts.fuzz --kind sse --seed 1 --only 42  one example again, in full

An example is made of its kind, the seed and its number, so that what failed can be made again (the
real samples, which are damaged, are those of cassettes/ and of ../shared/corpus). The exit status
is 1 if a property did not hold, something else than the library's own errors was raised, or an
example took more than a second of computing.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from random import Random
from time import perf_counter
from types import FrameType
from typing import Any, NamedTuple

from scripts.fuzzing.bodies import Body
from scripts.fuzzing.kinds import KINDS, import_models

EXAMPLES = 1_000_000
PER_JOB = 1_000
LONGEST = 1.0  # seconds of computing
MOST_FAILURES = 20
_SHOWN = 2_000  # characters of an example


class Failure(NamedTuple):
    """An example of which something is not true."""

    kind: str
    number: int
    problem: str
    example: str


class Hang(BaseException):
    """An example takes too long; nothing that catches exceptions may catch this one."""


def source_of(kind: str, seed: int, number: int) -> Random:
    """What an example is made of."""
    return Random(f"{kind} {seed} {number}")  # noqa: S311 - it is to be made again


def failures(kind: str, seed: int, numbers: range) -> list[Failure]:
    """The examples of these numbers that fail."""
    import_models()
    found = (failure_of(kind, seed, number) for number in numbers)
    return [failure for failure in found if failure is not None]


def failure_of(kind: str, seed: int, number: int) -> Failure | None:
    """What is wrong with one example, None where nothing is."""
    make, _check = KINDS[kind]
    try:
        with _watched():
            example = make(source_of(kind, seed, number))
    except (Exception, Hang):  # noqa: BLE001 - whatever it is, it is to be told
        return Failure(kind, number, traceback.format_exc(), "(it could not be made)")
    problem = _problem(kind, example)
    if problem is None:
        return None
    if isinstance(example, Body):
        example = _smaller(kind, example, problem)
        problem = _problem(kind, example) or problem
    return Failure(kind, number, problem, repr(example)[:_SHOWN])


def _problem(kind: str, example: Any) -> str | None:  # noqa: ANN401 - each kind has its own
    try:
        with _watched():
            KINDS[kind].check(example)
    except (Exception, Hang):  # noqa: BLE001 - whatever it is, it is to be told
        return traceback.format_exc()
    return None


def _smaller(kind: str, body: Body, problem: str) -> Body:
    """The body without what the same failure does not need."""
    size = len(body.content) // 2
    while size:
        for start in range(0, len(body.content), size):
            content = body.content[:start] + body.content[start + size :]
            shorter = body._replace(content=content)
            if _where(_problem(kind, shorter)) == _where(problem):
                body = shorter
                break
        else:
            size //= 2
    return body


def _where(problem: str | None) -> list[str]:
    """The places that a traceback names, without what was said there."""
    return [line for line in (problem or "").splitlines() if line.startswith('  File "')]


@contextmanager
def _watched() -> Iterator[None]:
    """Raise Hang in what computes for too long; waiting for the processor does not count."""
    signal.signal(signal.SIGPROF, _hang)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _hang(_signal: int, _frame: FrameType | None) -> None:
    msg = f"took more than {LONGEST} s"
    raise Hang(msg)


def fuzz(kind: str, seed: int, examples: int, pool: ProcessPoolExecutor) -> bool:
    """Whether all examples of a kind are as they should be; says so, and what is not."""
    started, failed = perf_counter(), 0
    jobs = [range(start, min(start + PER_JOB, examples)) for start in range(0, examples, PER_JOB)]
    for found in pool.map(partial(failures, kind, seed), jobs):
        for failure in found[: MOST_FAILURES - failed]:
            _tell(failure, seed)
        failed += len(found)
    seconds = perf_counter() - started
    print(f"{kind}: {examples:,} examples, {failed} failed, {seconds:,.0f} s", flush=True)
    return not failed


def _tell(failure: Failure, seed: int) -> None:
    print(f"\n{failure.problem}\n{failure.example}", flush=True)
    again = f"python -m scripts.fuzz --kind {failure.kind} --seed {seed} --only {failure.number}"
    print(f"Again: {again}\n", flush=True)


def main() -> int:
    """Fuzz what was asked for; the result is the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="of each kind")
    parser.add_argument("--kind", action="append", choices=tuple(KINDS), help="only this kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one example")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    options = parser.parse_args()
    kinds = options.kind or list(KINDS)
    if options.only is not None:
        number = range(options.only, options.only + 1)
        found = [failure for kind in kinds for failure in failures(kind, options.seed, number)]
        for failure in found:
            _tell(failure, options.seed)
        return int(bool(found))
    with ProcessPoolExecutor(options.jobs) as pool:
        results = [fuzz(kind, options.seed, options.examples, pool) for kind in kinds]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
