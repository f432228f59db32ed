"""Finding the recordings that match a request, at a cost that does not grow with their number.

vcrpy asks every matcher about every recording. Here its own matchers and ours become parts of a
key, the key finds the candidates, and only the user's matchers are asked, about these few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from operator import attrgetter
from typing import Any

import vcr.matchers
from vcr.request import Request as VcrRequest

from vcr_llm._entry import Entry
from vcr_llm._interaction import Headers
from vcr_llm._keyed_request import KeyedRequest
from vcr_llm._options import Options
from vcr_llm._redaction import redaction_by
from vcr_llm._request_key import RequestKey
from vcr_llm._vcrpy import request_from_vcrpy
from vcr_llm.matchers import BodyMatcher

Matcher = Callable[[VcrRequest, VcrRequest], Any]
Failure = tuple[str, str | None]
"""The name of a matcher that does not agree, and what it says."""

# vcrpy's matchers that a key answers, and the parts of the key that each one compares.
_INDEXED: Mapping[Matcher, tuple[str, ...]] = {
    vcr.matchers.method: ("method",),
    vcr.matchers.scheme: ("scheme",),
    vcr.matchers.host: ("host",),
    vcr.matchers.port: ("port",),
    vcr.matchers.path: ("path",),
    vcr.matchers.query: ("query",),
    vcr.matchers.uri: ("scheme", "host", "port", "path", "query"),
}


class RequestIndex:
    """The recorded requests of a cassette, by what ``match_on`` compares."""

    def __init__(self, match_on: Iterable[Matcher], options: Options) -> None:
        self._match_on = list(match_on)
        self._matcher = BodyMatcher(options)
        self._redaction = redaction_by(options.redact)
        self._others = [matcher for matcher in self._match_on if not _is_indexed(matcher)]
        self._by_key: dict[tuple[Any, ...], list[Entry]] = {}
        self._is_exact = vcr.matchers.uri in self._match_on
        self.parts = _indexed_parts(self._match_on)
        """The parts of a key that decide."""

    def look_at(self, request: VcrRequest, sent_headers: Headers = ()) -> KeyedRequest:
        """A request as matching sees it, without secrets."""
        return self._matcher.keyed(request, sent_headers)

    def add(self, entry: Entry) -> None:
        """Take a recorded request in."""
        self._by_key.setdefault(self.deciding(self.recorded(entry)), []).append(entry)

    def matching(self, seen: KeyedRequest, request: VcrRequest) -> list[Entry]:
        """The recorded requests that match, in the order of replay."""
        candidates = self._by_key.get(self.deciding(seen), ())
        found = [entry for entry in candidates if self.agree(request, entry)]
        return sorted(found, key=attrgetter("order"))

    def agree(self, request: VcrRequest, entry: Entry) -> bool:
        """Whether the matchers that no key answers find that two requests match."""
        return not any(_failure(matcher, request, entry.request) for matcher in self._others)

    def alike(self, entry: Entry) -> list[Entry]:
        """The recorded requests with the same key as this one."""
        return self._by_key[self.deciding(self.recorded(entry))]

    def recorded(self, entry: Entry) -> KeyedRequest:
        """A recorded request as matching sees it."""
        if entry.keyed is None:
            entry.keyed = self.look_at(entry.request)
        return entry.keyed

    def compare(
        self, seen: KeyedRequest, request: VcrRequest, entry: Entry
    ) -> tuple[list[str], list[Failure]]:
        """The names of the matchers that agree about two requests, and those that do not."""
        recorded = self.recorded(entry)
        successes: list[str] = []
        failures: list[Failure] = []
        for matcher in self._match_on:
            if _is_indexed(matcher):
                failure = _indexed_failure(matcher, seen, recorded)
            else:
                failure = _failure(matcher, request, entry.request)
                failure = failure and self._without_secrets(failure, request, entry.request)
            if failure is None:
                successes.append(matcher.__name__)
            else:
                failures.append(failure)
        return successes, failures

    def deciding(self, seen: KeyedRequest) -> tuple[Any, ...]:
        """What two requests have in common that match, but for what other matchers say."""
        parts = _parts_of(seen.key, self.parts)
        return (*parts, seen.query_text) if self._is_exact else parts

    def _without_secrets(self, failure: Failure, *requests: VcrRequest) -> Failure:
        """What somebody's matcher says, without what the headers of its requests carry."""
        name, said = failure
        if said is None:
            return failure
        sent = (request_from_vcrpy(request).headers for request in requests)
        return name, self._redaction.text(said, tuple(chain.from_iterable(sent)))


def _is_indexed(matcher: Matcher) -> bool:
    return matcher in _INDEXED or isinstance(matcher, BodyMatcher)


def _indexed_parts(matchers: Iterable[Matcher]) -> tuple[str, ...]:
    """The parts of a request key that these matchers compare, in the order of the key."""
    known = list(matchers)
    wanted = set(chain.from_iterable(_INDEXED.get(matcher, ()) for matcher in known))
    if any(isinstance(matcher, BodyMatcher) for matcher in known):
        wanted.add("body")
    return tuple(part for part in RequestKey._fields if part in wanted)


def _parts_of(key: RequestKey, parts: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(key, part) for part in parts)


def _indexed_failure(
    matcher: Matcher, incoming: KeyedRequest, recorded: KeyedRequest
) -> Failure | None:
    parts = _indexed_parts([matcher])
    sides = _parts_of(incoming.key, parts), _parts_of(recorded.key, parts)
    if sides[0] == sides[1]:
        if matcher is vcr.matchers.uri and incoming.query_text != recorded.query_text:
            return matcher.__name__, f"{incoming.query_text} != {recorded.query_text}"
        return None
    if parts == ("body",):  # a digest says nothing to anybody
        return matcher.__name__, None
    return matcher.__name__, " != ".join(", ".join(map(str, side)) for side in sides)


def _failure(matcher: Matcher, incoming: VcrRequest, recorded: VcrRequest) -> Failure | None:
    """What a matcher objects to: by vcrpy's contract True and None agree, AssertionError not."""
    try:
        verdict = matcher(incoming, recorded)
    except AssertionError as error:
        return matcher.__name__, str(error)
    return None if verdict is None or verdict else (matcher.__name__, None)
