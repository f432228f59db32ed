"""The rules of detect-secrets, for a single text.

Only its rules for shapes are asked: neither entropy, which finds every id, nor words such as
"password", which prompts are full of. Nothing is verified over the network.
https://github.com/Yelp/detect-secrets
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector

# Addresses are no secrets. Of private keys the rule knows the first line, which texts mention and
# which is still there when the key is gone; our own redaction knows the whole of them.
_LEFT_OUT = frozenset({"Public IP (ipv4)", "Private Key"})
# The rules are made for lines of source code: a body is one line of a million characters, on which
# some of them would take its length to the square.
_WINDOW = 4000
_OVERLAP = 1100  # the longest shape (GitLab's agents) has 1,024 characters
_LONGEST_REMEMBERED = 200
# Rules that no text without this word can meet, and that are slow to find that out.
_NEEDED = {"NPM tokens": ":_authToken"}
# What a base64 text of this length holds by chance is no key.
_RUN = re.compile(r"[A-Za-z0-9+/_=-]*")
_CHANCE = 100
# OpenAI pads each event of a stream with up to 32 random characters, of which one in thousands
# looks like a password of Artifactory.
_PADDED = re.compile(r'"obfuscation"\s*:\s*"?\Z')
_LONGEST_PADDING = 32
_LONG_RUN = re.compile(r"[A-Za-z0-9+/_=-]{5000,}+")


class Found(NamedTuple):
    """A text that looks like a secret, and the kind that it looks like."""

    kind: str
    value: str


def secrets_in(text: str) -> tuple[Found, ...]:
    """What looks like a secret in a text, each once."""
    if len(text) <= _LONGEST_REMEMBERED:
        return _remembered(text)
    return tuple(dict.fromkeys(_search(text)))


@lru_cache(maxsize=20_000)
def _remembered(text: str) -> tuple[Found, ...]:
    return tuple(dict.fromkeys(_search(text)))


def _search(text: str) -> Iterator[Found]:
    for window in _windows(text):
        for kind, detector in _detectors():
            if _NEEDED.get(kind, "") in window:
                yield from _found(kind, detector, window)


def _windows(text: str) -> Iterator[str]:
    for line in _LONG_RUN.sub(" ", text).splitlines():
        for start in range(0, len(line), _WINDOW):
            yield line[max(0, start - _OVERLAP) : start + _WINDOW]


def _found(kind: str, detector: RegexBasedDetector, window: str) -> Iterator[Found]:
    secrets = set(detector.analyze_string(window))
    for rule in detector.denylist if secrets else ():
        for match in rule.finditer(window):
            said = {match[0], *match.groups()}
            if secrets & said and not (_is_chance(match) or _is_padding(match)):
                yield Found(kind, _value(match))


def _value(match: re.Match[str]) -> str:
    """The secret itself: a match may begin and end with what stands around it."""
    return match[0].strip(" \t\"'=:")


def _is_chance(match: re.Match[str]) -> bool:
    """Whether the match is a piece of a long text in base64."""
    text, (start, end) = match.string, match.span()
    before = _RUN.match(text[:start][::-1])
    after = _RUN.match(text, end)
    around = sum(len(run[0]) for run in (before, after) if run is not None)
    return around > _CHANCE


def _is_padding(match: re.Match[str]) -> bool:
    """Whether the match is the random text by which an event hides its length."""
    before = match.string[: match.start()][-_LONGEST_PADDING:]
    return len(_value(match)) <= _LONGEST_PADDING and _PADDED.search(before) is not None


@cache
def _detectors() -> tuple[tuple[str, RegexBasedDetector], ...]:
    kinds: Mapping[str, type[object]] = get_mapping_from_secret_type_to_class()
    return tuple(
        (kind, plugin())
        for kind, plugin in kinds.items()
        if issubclass(plugin, RegexBasedDetector) and kind not in _LEFT_OUT
    )
