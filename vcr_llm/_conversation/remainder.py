"""What differs between two documents whose conversations are the same.

Some of it has no meaning: ids and times, which change with every recording, and how the bytes were
laid out. The rest is what a conversation does not show: log probabilities, headers, unknown keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from vcr_llm._conversation.changes import Change, Kind, value_changes
from vcr_llm._conversation.exchange import Exchange, exchange_of
from vcr_llm._conversation.members import mapping
from vcr_llm._conversation.values import Data
from vcr_llm._foreign import Document
from vcr_llm._json import JSON

# What the conversation shows, or is compared as a payload, or says when and where it was recorded.
_SHOWN = {
    "": ("request", "response", "test_id", "recorded_at", "sequence"),
    "request": ("method", "url", "endpoint", "model", "body"),
    "response": ("status", "reason", "ended", "body", "is_streaming"),
}
_LAYOUT = ("response.framing", "response.timing", "response.events")
_VOLATILE = re.compile(
    r"(?:^|[.\]_])(?:id|ids|created|obfuscation|p|nonce|timestamp|date)$"
    r"|(?:Id|_at|[tT]ime|_ns|duration|[lL]atency\w*|fingerprint|[sS]ignature|encrypted_content)$"
)


class Remainder(NamedTuple):
    """What differs beside the conversation: places without meaning, and changes that have one."""

    meaningless: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


def remainder_of(old: Document, new: Document) -> Remainder:
    """What differs between two documents whose conversations are the same."""
    found = list(_differences(exchange_of(old), exchange_of(new)))
    meaningless = [change.subject for change in found if _is_meaningless(change.subject)]
    places = dict.fromkeys(re.sub(r"\[\d*\]", "[]", place) for place in meaningless)
    rest = tuple(change for change in found if not _is_meaningless(change.subject))
    return Remainder(tuple(places), rest)


def _is_meaningless(place: str) -> bool:
    return place.startswith(_LAYOUT) or _VOLATILE.search(place) is not None


def _differences(old: Exchange, new: Exchange) -> Iterator[Change]:
    for place, shown in _SHOWN.items():
        before, after = _rest(old, place, shown), _rest(new, place, shown)
        yield from value_changes(before, after, place)
    yield from value_changes(old.sent, new.sent, "request.body")
    if old.is_streaming is not new.is_streaming:
        sides = Data(old.is_streaming), Data(new.is_streaming)
        yield Change(Kind.CHANGED, "response.is_streaming", *sides)
    elif not old.is_streaming:
        yield from value_changes(_body(old), _body(new), "response.body")
    elif old.events != new.events:  # which tell the same
        counts = Data(len(old.events)), Data(len(new.events))
        yield Change(Kind.CHANGED, "response.events", *counts)


def _rest(exchange: Exchange, place: str, shown: tuple[str, ...]) -> dict[str, JSON]:
    held = mapping(exchange.document.get(place)) if place else exchange.document
    return {name: value for name, value in held.items() if name not in shown}


def _body(exchange: Exchange) -> JSON:
    return exchange.events[0].payload if exchange.events else None
