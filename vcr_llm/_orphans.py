"""Recordings whose test does not exist any more, and the new test that they look like."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

_LEAST_LIKENESS = 0.7
_LEAST_LIKENESS_OF_NAMES = 0.5


class Likeness(NamedTuple):
    """A test that looks like one that is gone, and how much: 1 is the same."""

    test_id: str
    score: float


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a pytest id is made of."""

    file: str
    name: str
    parameters: str

    @classmethod
    def of(cls, test_id: str) -> _Parts:
        file, _colons, rest = test_id.partition("::")
        name, _bracket, parameters = rest.partition("[")
        return cls(file, name, parameters.removesuffix("]"))

    @property
    def words(self) -> str:
        """The name without what all names of tests have."""
        return self.name.replace("test_", "").replace("Test", "")


def missing_tests(recorded: Mapping[str | None, int], collected: Collection[str]) -> dict[str, int]:
    """The tests of these recordings that do not exist, with the number of their recordings.

    What belongs to no test has no test that could be gone.
    """
    return {
        test_id: count
        for test_id, count in recorded.items()
        if test_id is not None and test_id not in collected
    }


def alike(gone: str, new: Iterable[str]) -> Likeness | None:
    """Which of the tests without recordings looks most like one that is gone, if any does.

    The same function with other parameters, in another class or module, or under a name that is
    not very different; else the only new test of the module.
    """
    candidates = list(new)
    rated = [Likeness(test_id, _likeness(gone, test_id)) for test_id in candidates]
    best = max(rated, key=lambda one: one.score, default=None)
    if best is not None and best.score >= _LEAST_LIKENESS:
        return best
    return _only_one_of_its_module(gone, candidates)


def _likeness(one: str, other: str) -> float:
    first, second = _Parts.of(one), _Parts.of(other)
    names = _ratio(first.words, second.words)
    if names < _LEAST_LIKENESS_OF_NAMES:
        return 0.0
    files = 1.0 if first.file == second.file else 0.5 * _ratio(first.file, second.file)
    return round(0.5 * names + 0.3 * files + 0.2 * _ratio(first.parameters, second.parameters), 2)


def _ratio(one: str, other: str) -> float:
    return 1.0 if one == other else SequenceMatcher(None, one, other, autojunk=False).ratio()


def _only_one_of_its_module(gone: str, candidates: Sequence[str]) -> Likeness | None:
    parts = _Parts.of(gone)
    in_module = [test_id for test_id in candidates if _Parts.of(test_id).file == parts.file]
    is_alike = len(in_module) == 1 and _Parts.of(in_module[0]).parameters == parts.parameters
    return Likeness(in_module[0], _LEAST_LIKENESS_OF_NAMES) if is_alike else None
