"""Tests that were renamed: their ids, and the places of their cassettes.

The places are those of pytest-recording: the cassette of ``tests/test_a.py::TestC::test_x[p]`` is
``tests/cassettes/test_a/TestC.test_x[p]`` (0.14.1: ``vcr_cassette_dir``, ``default_cassette_name``,
``use_cassette``).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from vcr_llm._address import as_file_name
from vcr_llm._foreign import Document
from vcr_llm._recording import sequence_of

_AFTER_A_NAME = ("::", "[", "/")
_LONGEST_NAME = 255
_SUFFIX = "llm"  # the serializer's name, which pytest-recording counts as part of the file's


class Renaming(NamedTuple):
    """The old and the new id of a test, or what the ids of a module's or class's tests share."""

    old: str
    new: str


def renamed_test(test_id: str, renamings: Sequence[Renaming]) -> str:
    """The id that a test has now; one that has its new name already keeps it."""
    for old, new in renamings:
        if old == test_id or (_covers(old, test_id) and not _covers(new, test_id)):
            return new + test_id.removeprefix(old)
    return test_id


def names_test(renaming: Renaming, test_id: object) -> bool:
    """Whether a test is one that a renaming is about, under its old id or its new one."""
    return isinstance(test_id, str) and any(_covers(name, test_id) for name in renaming)


def contradiction(renamings: Sequence[Renaming]) -> str | None:
    """A new name that is also an old one, so that a second run would rename once more."""
    others = ((one.new, other) for one in renamings for other in renamings if one is not other)
    return next((new for new, other in others if renamed_test(new, [other]) != new), None)


def merged_test(documents: Sequence[Document], renamings: Sequence[Renaming]) -> str | None:
    """A test that would get the recordings of another one beside its own, None for none.

    Recordings that go on counting are those of one test, whose renaming was interrupted.
    """
    numbers: defaultdict[str, dict[str, set[int]]] = defaultdict(dict)
    for document in documents:
        test_id = document.get("test_id")
        if isinstance(test_id, str):
            of_test = numbers[renamed_test(test_id, renamings)].setdefault(test_id, set())
            of_test.add(sequence_of(document) or 0)
    for new, of_tests in numbers.items():
        if sum(map(len, of_tests.values())) > len(set().union(*of_tests.values())):
            return new
    return None


def _covers(name: str, test_id: str) -> bool:
    rest = test_id.removeprefix(name)
    return test_id.startswith(name) and (not rest or rest.startswith(_AFTER_A_NAME))


def renamed_document(document: Document, renamings: Sequence[Renaming]) -> Document:
    """The document with the id that its test has now; a tool's call says it twice."""
    renamed = _renamed_members(document, renamings)
    request = document.get("request")
    if isinstance(request, dict) and "test_id" in request:
        renamed = {**renamed, "request": _renamed_members(request, renamings)}
    return renamed


def _renamed_members(members: Document, renamings: Sequence[Renaming]) -> Document:
    test_id = members.get("test_id")
    if not isinstance(test_id, str):
        return members
    return {**members, "test_id": renamed_test(test_id, renamings)}


def usual_place(test_id: str) -> tuple[str, ...] | None:
    """The parts of the path, below pytest's root, where the cassette of a test usually is.

    None for an id that is no test's in a Python file.
    """
    file, _colons, rest = test_id.partition("::")
    head, bracket, parameters = rest.partition("[")
    *classes, function = head.split("::")
    *folders, module = file.split("/")
    if not module.endswith(".py") or not function:
        return None
    name = usual_name(classes[-1] if classes else None, function + bracket + parameters)
    return (*folders, "cassettes", module.removesuffix(".py"), name)


def usual_name(class_name: str | None, name: str) -> str:
    """What pytest-recording calls the cassette of a test of this name, with its parameters."""
    return _shortened(as_file_name(name if class_name is None else f"{class_name}.{name}"))


def _shortened(name: str) -> str:
    """What pytest-recording makes of a name that is too long for a file."""
    if len(name) + len(_SUFFIX) <= _LONGEST_NAME:
        return name
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: _LONGEST_NAME - len(_SUFFIX) - len(digest) - 3]}...{digest}"
