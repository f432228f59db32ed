"""Tests that were renamed: their ids, and where pytest-recording looks for their cassettes."""

from __future__ import annotations

import pytest
from pytest_recording.plugin import get_default_cassette_name

from tests.cli.recordings import recording
from vcr_llm._test_renaming import (
    Renaming,
    contradiction,
    merged_test,
    renamed_document,
    renamed_test,
    usual_place,
)

_RENAMING = Renaming("tests/a.py::test_x", "tests/a.py::test_y")


@pytest.mark.parametrize(
    ("test_id", "expected"),
    [
        ("tests/a.py::test_x", "tests/a.py::test_y"),
        ("tests/a.py::test_x[1]", "tests/a.py::test_y[1]"),
        ("tests/a.py::test_x2", "tests/a.py::test_x2"),
        ("tests/a.py::test_y", "tests/a.py::test_y"),
        ("other/tests/a.py::test_x", "other/tests/a.py::test_x"),
    ],
)
def test_an_id_is_renamed_as_a_whole_or_by_what_it_begins_with(test_id: str, expected: str) -> None:
    """Never in the middle of a word."""
    assert renamed_test(test_id, [_RENAMING]) == expected


@pytest.mark.parametrize(
    ("renaming", "test_id", "expected"),
    [
        (Renaming("tests/a.py", "tests/b.py"), "tests/a.py::T::x[a]", "tests/b.py::T::x[a]"),
        (Renaming("tests", "checks"), "tests/a.py::x", "checks/a.py::x"),
        (Renaming("a.py::T", "a.py::U"), "a.py::T::x", "a.py::U::x"),
        (Renaming("a.py::x", "a.py::x[new]"), "a.py::x", "a.py::x[new]"),
        (Renaming("a.py::x", "a.py::x[new]"), "a.py::x[new]", "a.py::x[new]"),
        (Renaming("a.py", "a.py::T"), "a.py::T::x", "a.py::T::x"),
    ],
)
def test_modules_classes_and_parameters_are_renamed(
    renaming: Renaming, test_id: str, expected: str
) -> None:
    """What has its new name already keeps it, so that running again changes nothing."""
    assert renamed_test(test_id, [renaming]) == expected
    assert renamed_test(expected, [renaming]) == expected


def test_the_first_renaming_that_fits_decides() -> None:
    """One test has one new name."""
    renamings = [_RENAMING, Renaming("tests/a.py", "tests/b.py")]
    assert renamed_test("tests/a.py::test_x", renamings) == "tests/a.py::test_y"
    assert renamed_test("tests/a.py::test_z", renamings) == "tests/b.py::test_z"


def test_documents_of_no_test_stay() -> None:
    """There is nothing to rename."""
    assert renamed_document(recording(), [_RENAMING]) == recording()
    renamed = renamed_document(recording(test_id=_RENAMING.old), [_RENAMING])
    assert renamed == recording(test_id=_RENAMING.new)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "b")], None),
        ([("a", "b"), ("c", "d")], None),
        ([("a", "b"), ("b", "a")], "b"),
        ([("a.py", "b.py"), ("b.py::x", "b.py::y")], None),
        ([("a.py::x", "b.py::x"), ("b.py", "c.py")], "b.py::x"),
    ],
)
def test_new_names_that_are_old_ones_contradict(
    pairs: list[tuple[str, str]], expected: str | None
) -> None:
    """A second run would rename once more."""
    assert contradiction([Renaming(*pair) for pair in pairs]) == expected


@pytest.mark.parametrize(
    ("numbers", "is_merged"),
    [([[0, 1], []], False), ([[0], [1]], False), ([[None], [None]], True), ([[0, 1], [1]], True)],
)
def test_tests_that_would_share_numbers_are_two(
    numbers: list[list[int | None]], is_merged: bool
) -> None:
    """Numbers that go on are those of one test."""
    documents = [
        recording(test_id=test_id, sequence=number)
        for test_id, own in zip(_RENAMING, numbers, strict=True)
        for number in own
    ]
    merged = merged_test([*documents, recording()], [_RENAMING])
    assert merged == (_RENAMING.new if is_merged else None)


class TestX:
    """Stands for a class of somebody's tests."""


@pytest.mark.parametrize(
    ("test_id", "cls", "name"),
    [
        ("tests/sub/test_a.py::test_x", None, "test_x"),
        ("tests/sub/test_a.py::test_x[a/b::c-<d>]", None, "test_x[a/b::c-<d>]"),
        ("tests/sub/test_a.py::TestX::test_x[1]", TestX, "test_x[1]"),
        ("tests/sub/test_a.py::TestOuter::TestX::test_x", TestX, "test_x"),
    ],
)
def test_places_are_those_of_pytest_recording(test_id: str, cls: type | None, name: str) -> None:
    """By its own function."""
    expected = get_default_cassette_name(cls, name)
    assert usual_place(test_id) == ("tests", "sub", "cassettes", "test_a", expected)


@pytest.mark.parametrize("test_id", ["README.md::README.md", "test_a.py", "", "test_a.py::"])
def test_what_is_no_test_of_a_module_has_no_place(test_id: str) -> None:
    """Nothing is moved for it."""
    assert usual_place(test_id) is None


def test_a_test_that_lost_its_parameters_is_renamed() -> None:
    """Its new name is the beginning of the old one."""
    renaming = Renaming("a.py::test_x[1]", "a.py::test_x")
    assert renamed_test("a.py::test_x[1]", [renaming]) == "a.py::test_x"
    assert renamed_test("a.py::test_x", [renaming]) == "a.py::test_x"
