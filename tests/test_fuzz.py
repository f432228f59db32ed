"""What `make fuzz` does a million times is done some hundred times here, always the same."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from scripts import fuzz
from scripts.fuzz import Failure, Hang, failure_of, failures
from scripts.fuzzing import kinds
from scripts.fuzzing.bodies import ORIGINS, Body
from scripts.fuzzing.kinds import KINDS, Kind

_EXAMPLES = 200


@pytest.fixture(autouse=True)
def without_the_corpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The samples are the project's own cassettes, wherever the tests run."""
    monkeypatch.setattr(kinds, "CORPUS", tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_examples_of_every_kind_are_as_they_should_be(kind: str) -> None:
    """There and back is exact, and nothing crashes or hangs."""
    assert failures(kind, 0, range(_EXAMPLES)) == []


def test_an_example_can_be_made_again() -> None:
    """An example is made of its kind, the seed and its number alone."""
    make = KINDS["sse"].make
    assert make(fuzz.source_of("sse", 1, 42)) == make(fuzz.source_of("sse", 1, 42))
    assert make(fuzz.source_of("sse", 1, 42)) != make(fuzz.source_of("sse", 2, 42))


def test_a_failure_is_told_with_the_smallest_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the failure does not need is cut off, and its number makes it again."""

    def check(body: Body) -> None:
        assert b"!" not in body.content

    body = Body(b"some text! and more", None, ORIGINS[0])
    monkeypatch.setitem(KINDS, "broken", Kind(lambda _random: body, check))
    found = failure_of("broken", 0, 7)
    assert isinstance(found, Failure)
    assert (found.kind, found.number) == ("broken", 7)
    assert "AssertionError" in found.problem
    assert "content=b'!'" in found.example


def test_what_computes_for_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop without an end is a failure like any other, though it catches every exception."""

    def check(_example: object) -> None:
        while True:
            with suppress(Exception):  # as code that hangs may do
                sum(range(1000))

    monkeypatch.setattr(fuzz, "LONGEST", 0.01)
    monkeypatch.setitem(KINDS, "hanging", Kind(lambda random: random, check))
    found = failure_of("hanging", 0, 1)
    assert found is not None
    assert Hang.__name__ in found.problem
