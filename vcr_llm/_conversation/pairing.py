"""Which recording of one cassette is which of another.

Recordings of the same request are the same, whatever their files are called; of the others those
belong together whose requests are most alike.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from vcr_llm._conversation.exchange import exchange_of
from vcr_llm._conversation.texts import similarity
from vcr_llm._foreign import Document
from vcr_llm._json import JSON, render
from vcr_llm._request_key import request_key

_ALIKE = 0.4
_MOST_COMPARED = 200  # pairs; beyond them the order decides
_LONGEST = 1500  # characters of a request


class Pair(NamedTuple):
    """The places of two recordings that belong together, or of one that has none to it."""

    old: int | None
    new: int | None


def paired(old: Sequence[Document], new: Sequence[Document]) -> list[Pair]:
    """All recordings of two cassettes, in the order of the new one; what it lost stands before."""
    partners: dict[int, int] = {}
    before, after = list(map(_request, old)), list(map(_request, new))
    _pair_equal(_with_test(before, old), _with_test(after, new), partners)
    _pair_equal(before, after, partners)
    _pair_alike(old, new, partners)
    kept = {place: partner for partner, place in partners.items()}
    pairs = [Pair(kept.get(place), place) for place in range(len(new))]
    for lost in (place for place in range(len(old)) if place not in partners):
        pairs.insert(_place_of_lost(lost, pairs), Pair(lost, None))
    return pairs


def _place_of_lost(lost: int, pairs: Sequence[Pair]) -> int:
    """Behind the recording that it followed."""
    before = (place for place, pair in enumerate(pairs) if pair.old is not None and pair.old < lost)
    return max(before, default=-1) + 1


def _with_test(keys: Sequence[Hashable], documents: Sequence[Document]) -> list[Hashable]:
    """The keys, and whose recordings they are: tests may share a directory."""
    tests = (str(document.get("test_id")) for document in documents)
    return list(zip(tests, keys, strict=True))


def _request(document: Document) -> Hashable:
    request = exchange_of(document).document.get("request")
    return request_key(request) if isinstance(request, dict) else repr(request)


def _pair_equal(old: Sequence[Hashable], new: Sequence[Hashable], partners: dict[int, int]) -> None:
    """Pair what has equal keys, the first with the first."""
    taken = set(partners.values())
    places: dict[Hashable, list[int]] = {}
    for place, key in enumerate(new):
        if place not in taken:
            places.setdefault(key, []).append(place)
    for place, key in enumerate(old):
        if place not in partners and places.get(key):
            partners[place] = places[key].pop(0)


def _pair_alike(old: Sequence[Document], new: Sequence[Document], partners: dict[int, int]) -> None:
    """Pair what is left, among those of one endpoint."""
    taken = set(partners.values())
    left = _by(_endpoint, old, partners)
    right = _by(_endpoint, new, taken)
    for endpoint, befores in left.items():
        afters = right.get(endpoint, [])
        if len(befores) == len(afters) == 1 or len(befores) * len(afters) > _MOST_COMPARED:
            partners.update(zip(befores, afters, strict=False))
        else:
            partners.update(_most_alike(old, new, befores, afters))


def _most_alike(
    old: Sequence[Document], new: Sequence[Document], befores: list[int], afters: list[int]
) -> dict[int, int]:
    """The pairs that are alike, the most alike first, and of equals those in the same order."""
    said_before = {place: _said(old[place]) for place in befores}
    said_after = {place: _said(new[place]) for place in afters}
    scores = sorted(
        (-similarity(said_before[before], said_after[after]), abs(before - after), before, after)
        for before in befores
        for after in afters
    )
    found: dict[int, int] = {}
    for score, _distance, before, after in scores:
        if -score >= _ALIKE and before not in found and after not in found.values():
            found[before] = after
    return found


def _said(document: Document) -> str:
    sent: JSON = exchange_of(document).sent
    return (sent if isinstance(sent, str) else render(sent))[-_LONGEST:]


def _endpoint(document: Document) -> Hashable:
    exchange = exchange_of(document)
    return exchange.method, exchange.path


def _by(
    key: Callable[[Document], Hashable], documents: Sequence[Document], without: Iterable[int]
) -> dict[Hashable, list[int]]:
    left_out = set(without)
    places: dict[Hashable, list[int]] = {}
    for place, document in enumerate(documents):
        if place not in left_out:
            places.setdefault(key(document), []).append(place)
    return places
