"""What is for no reader, told by its digest: embeddings, and base64 inside of texts."""

from __future__ import annotations

import re

from vcr_llm._conversation.members import digest, digest_of
from vcr_llm._json import JSON, Number

_ENCODED = re.compile(r"[A-Za-z0-9+/=_-]{401,}")  # longer than any word or path
_SHOWN = 32
_NUMBER = int | float | Number


def abridged(value: JSON) -> JSON:
    """A value with lists of numbers told by their digests."""
    if isinstance(value, list):
        if len(value) > _SHOWN and all(isinstance(item, _NUMBER) for item in value):
            return f"[{len(value):,} numbers, sha256 {digest_of(value)}]"
        return [abridged(item) for item in value]
    if isinstance(value, dict):
        return {key: abridged(item) for key, item in value.items()}
    return value


def abridged_words(text: str) -> str:
    """A text with what is no word told by its beginning and its digest."""
    return _ENCODED.sub(lambda word: _abridged_word(word[0]), text)


def _abridged_word(word: str) -> str:
    told = f"{len(word):,} characters, sha256 {digest(word.encode())}"
    return f"{word[:_SHOWN]}… ({told})"
