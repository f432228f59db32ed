"""Texts without secrets, and what was found out about texts before."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet

from vcr_llm._secret_names import is_ordinary_name
from vcr_llm._secret_shapes import PLACEHOLDER, without_known_shapes

# Base64 (RFC 4648), alone or in a data URL (RFC 2397), of a text that is long enough for a key.
_BASE64 = re.compile(
    r"(?P<scheme>data:[^,\s]{0,100};base64,)?(?P<content>[A-Za-z0-9+/]{16,}={0,2})"
)
_MOST_OPENED = 3  # base64 in base64 in base64
_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"')
_LONGEST_TOLD_APART = 1_000_000  # characters of a JSON text: beyond that, memory counts for more


class Cleaner:
    """Replaces what is a secret by its own shape, or by what the user or a header said of it.

    Names and ids, which each event of a stream repeats, are looked at once, and so is a prompt
    that is sent again and again.
    """

    def __init__(
        self, literals: Iterable[str] = (), patterns: Iterable[re.Pattern[str]] = ()
    ) -> None:
        self._literals = tuple(literals)
        self._patterns = tuple(patterns)
        self._harmless = _Texts()
        self._ordinary = _Texts()

    def __call__(self, text: str) -> str:
        """The text without secrets, the very same object where it has none."""
        if text in self._harmless.known:
            return text
        cleaned = self._clean(text)
        if cleaned != text:
            return cleaned
        self._harmless.add(text)
        return text

    def finds_nothing(self, json_text: str, special: AbstractSet[str]) -> bool:
        """Whether it shows in the JSON text of a value that there is no secret in the value.

        No text in it changes or is one of the ``special`` ones, and none, be it a name or not,
        would be the name of a secret. False says nothing: a closer look may find that what looked
        like a secret is none, and a large text is not looked at here.
        """
        if len(json_text) > _LONGEST_TOLD_APART:
            return False
        # What stands between two quotation marks is a text, or else it stands between two texts.
        found = _STRING.findall(json_text) if "\\" in json_text else json_text.split('"')[1::2]
        texts = set(found)
        if not texts.isdisjoint(special):
            return False
        return all(map(self._is_ordinary, texts - self._ordinary.known))

    def _is_ordinary(self, written: str) -> bool:
        """Whether a text, as JSON writes it, is neither a secret nor the name of one."""
        text: str = json.loads(f'"{written}"') if "\\" in written else written
        if not is_ordinary_name(text) or self(text) is not text:
            return False
        self._ordinary.add(written)
        return True

    def _clean(self, text: str, opened: int = 0) -> str:
        for literal in self._literals:
            if literal in text:
                text = text.replace(literal, PLACEHOLDER)
        for pattern in self._patterns:
            text = pattern.sub(PLACEHOLDER, text)
        cleaned = without_known_shapes(text)
        if cleaned != text or opened == _MOST_OPENED:
            return cleaned
        if (encoded := _BASE64.fullmatch(text)) is None:
            return text
        return _clean_base64(encoded, lambda said: self._clean(said, opened + 1))


class _Texts:
    """Texts of which something is known; all are forgotten when they have become too many."""

    _LONGEST = 10_000
    _MOST = 1_000_000  # characters

    def __init__(self) -> None:
        self.known: set[str] = set()
        self._length = 0

    def add(self, text: str) -> None:
        if len(text) > self._LONGEST:
            return
        self._length += len(text)
        if self._length > self._MOST:
            self.known.clear()
            self._length = len(text)
        self.known.add(text)


def _clean_base64(encoded: re.Match[str], clean: Callable[[str], str]) -> str:
    """A text that is base64, without the secrets in the text that it says."""
    try:
        said = base64.b64decode(encoded["content"], validate=True).decode()
    except ValueError:
        return encoded[0]
    cleaned = clean(said)
    if cleaned == said:
        return encoded[0]
    return f"{encoded['scheme'] or ''}{base64.b64encode(cleaned.encode()).decode()}"
