"""What the files of a cassette should be: their keys in order, their numbers, their names.

Everything here is on values: documents with the names of their files go in, and come out as they
should be. What a client receives on replay never changes, nor does the order in which recordings
answer.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from vcr_llm._address import address_of, file_name
from vcr_llm._document import model_of
from vcr_llm._foreign import Document, as_documented, is_tool_call
from vcr_llm._interaction import split_url
from vcr_llm._recording import replay_order, sequence_of, with_sequence
from vcr_llm._request_key import RequestKey, request_key

# The documented keys in their order; what others have added stands between first and last.
_FIRST = ("test_id", "request", "response")
_LAST = ("sequence", "recorded_at")
_REQUEST = ("method", "url", "headers", "body", "endpoint", "model")
_RESPONSE = (
    *("body", "is_streaming", "status", "reason", "headers"),
    *("framing", "ended", "timing"),
)
_DERIVED = ("endpoint", "model")
# Names that the carried-over system gives by rules of its own.
_CARRIED_OVER = re.compile(r"(?:models-)?[0-9a-f]{12,64}(?:-[0-9a-f]+)?\.json")


class Named(NamedTuple):
    """A recording: the name of its file and the document in it."""

    name: str
    document: Document


def canonical(
    recordings: Sequence[Named],
    transform: Callable[[Document], Document] = dict,
    *,
    taken: Collection[str] = (),
    is_whole: bool = True,
) -> list[Named]:
    """What to make of the recordings of a cassette, which come in the order of their replay.

    ``transform`` changes each document before it is named. ``taken`` are the names of what else is
    there, and no recording gets one of them. Unless these are the whole cassette, no number
    changes, since those of the others are not known. Where new names alone would change which
    recording answers first, numbers keep the order; where there are to be none, the names stay.
    """
    documents = [in_order(transform(recording.document)) for recording in recordings]
    numberings: list[Sequence[int | None]] = [[sequence_of(document) for document in documents]]
    if is_whole and any(map(is_ours, documents)):
        numberings = [positions(documents), range(len(documents))]
    for numbers in numberings:
        after = list(map(with_sequence, documents, numbers))
        named = list(map(Named, _names(recordings, after, taken), after))
        if _replays_alike(named):
            return named
    return [Named(old.name, new) for old, new in zip(recordings, documents, strict=True)]


def changes(before: Named, after: Named) -> list[str]:
    """What is different about a recording, a few words for each thing."""
    old, new = before.document, after.document
    told = ["test_id"] if old.get("test_id") != new.get("test_id") else []
    told += [
        f"request.{key}" for key in _DERIVED if _request(old).get(key) != _request(new).get(key)
    ]
    if sequence_of(old) != sequence_of(new):
        told.append(f"sequence {_number(old)} -> {_number(new)}")
    if _said(old) != _said(new):
        told.append("secrets")
    if _key_order(old) != _key_order(new):
        told.append("order of keys")
    return told if before.name == after.name else [*told, "name"]


def _request(document: Document) -> Document:
    request = document.get("request")
    return request if isinstance(request, dict) else {}


def _number(document: Document) -> str:
    number = sequence_of(document)
    return "none" if number is None else str(number)


def _said(document: Document) -> Document:
    """What a recording says beside what was told already."""
    request = {"headers": {}, "body": None, **_request(document)}
    rest = {key: value for key, value in document.items() if key not in ("test_id", "sequence")}
    return {**rest, "request": {key: request[key] for key in request if key not in _DERIVED}}


def _key_order(document: Document) -> list[list[str]]:
    parts = (document, document.get("request"), document.get("response"))
    return [list(part) for part in parts if isinstance(part, dict)]


# --- keys -------------------------------------------------------------------------------------


def in_order(document: Document) -> Document:
    """The document with the documented keys first and in their order, and nothing left out.

    In a recording of our own none of them is missing, and ``endpoint`` and ``model`` are what URL
    and body say.
    """
    request, response = document.get("request"), document.get("response")
    ordered = dict(document)
    if isinstance(request, dict):
        ordered["request"] = _arranged(_completed(request, document), _REQUEST)
    if isinstance(response, dict):
        ordered["response"] = _arranged(response, _RESPONSE)
    if is_ours(document):
        ordered.setdefault("test_id", None)
    return _arranged(ordered, _FIRST, _LAST)


def is_ours(document: Document) -> bool:
    """Whether vcr-llm made the recording, and not the system whose shape it carries over."""
    return "recorded_at" in document


def _completed(request: Document, document: Document) -> Document:
    url = request.get("url")
    if not is_ours(document) or is_tool_call(document) or not isinstance(url, str):
        return request
    path = split_url(url).path
    model = model_of(request.get("body"), path)
    return {"headers": {}, "body": None, **request, "endpoint": path, "model": model}


def _arranged(members: Document, first: Sequence[str], last: Sequence[str] = ()) -> Document:
    between = [key for key in members if key not in (*first, *last)]
    return {key: members[key] for key in (*first, *between, *last) if key in members}


# --- numbers ----------------------------------------------------------------------------------


def positions(documents: Sequence[Document]) -> list[int | None]:
    """The number of each recording of a cassette, as the recorder would have given them.

    From 0 without a gap, and none for a recording that is alone. In a directory in which tests have
    numberings of their own (``layout="flat"``), each test's begin at 0. A test whose recordings are
    all of the carried-over system has no numbers, and gets none.
    """
    tests = list(map(_test_of, documents))
    if not _is_numbered_by_test(documents):
        return _counted(documents)
    if None in tests:  # these are in every test's order, which leaves many ways to number them
        numbers = [sequence_of(document) for document in documents]
        return numbers if _are_distinct(tests, numbers) else list(range(len(numbers)))
    counted: list[int | None] = [None] * len(documents)
    for places in _grouped(tests):
        group = _counted([documents[place] for place in places])
        for place, number in zip(places, group, strict=True):
            counted[place] = number
    return counted


def _counted(documents: Sequence[Document]) -> list[int | None]:
    if not any(map(is_ours, documents)):
        return [sequence_of(document) for document in documents]
    return [None] if len(documents) == 1 else list(range(len(documents)))


def _is_numbered_by_test(documents: Iterable[Document]) -> bool:
    """Whether more than one test begins at 0; tests that share one numbering have a single 0."""
    begins: dict[str, int] = {}
    for document in documents:
        test, number = _test_of(document), sequence_of(document) or 0
        if test is not None:
            begins[test] = min(begins.get(test, number), number)
    return sum(number == 0 for number in begins.values()) > 1


def _test_of(document: Document) -> str | None:
    test_id = document.get("test_id")
    return test_id if isinstance(test_id, str) else None


def _are_distinct(tests: Sequence[str | None], numbers: Sequence[int | None]) -> bool:
    """Whether no test meets a number twice, in its own recordings and in those of no test."""
    pairs = [(test, n) for test, n in zip(tests, numbers, strict=True) if n is not None]
    shared = [number for test, number in pairs if test is None]
    for test in {test for test, _number in pairs if test is not None}:
        met = shared + [number for other, number in pairs if other == test]
        if len(set(met)) < len(met):
            return False
    return len(set(shared)) == len(shared)


def _grouped(keys: Iterable[object]) -> list[list[int]]:
    """The places at which equal keys stand."""
    groups: defaultdict[object, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        groups[key].append(place)
    return list(groups.values())


# --- names ------------------------------------------------------------------------------------


def has_own_name(recording: Named) -> bool:
    """Whether the file's name follows another rule than that of addresses.

    Those of the carried-over system, which hashed other things at times.
    """
    name, document = recording
    request = document.get("request")
    if not isinstance(request, dict) or not (is_tool_call(document) or "url" in request):
        return True
    if is_ours(document) or _CARRIED_OVER.fullmatch(name) is None:
        return False
    return not name.startswith(address_of(document))


def _names(
    before: Sequence[Named], documents: Sequence[Document], taken: Collection[str]
) -> list[str]:
    """The names of the files; those of one address count up in the order of their replay."""
    keeps = list(map(has_own_name, before))
    reserved = {*taken, *(old.name for old, own in zip(before, keeps, strict=True) if own)}
    repeats: Counter[str] = Counter()

    def next_name(document: Document) -> str:
        address = address_of(document)
        while True:
            repeats[address] += 1
            name = file_name(address, repeats[address])
            if name not in reserved:
                return name

    return [
        old.name if own else next_name(document)
        for old, own, document in zip(before, keeps, documents, strict=True)
    ]


# --- the order of replay ----------------------------------------------------------------------


def _replays_alike(after: Sequence[Named]) -> bool:
    """Whether recordings of one request still come in the order in which they are given."""
    order = sorted(range(len(after)), key=lambda place: replay_order(*after[place]))
    if order == list(range(len(after))):
        return True
    keys = [_key_of(after[place].document) for place in order]
    return all(
        order[one] < order[other] for group in _grouped(keys) for one, other in pairwise(group)
    )


def _key_of(document: Document) -> RequestKey | None:
    request = as_documented(document).get("request")
    return request_key(request) if isinstance(request, dict) else None
