"""Places in a document, as a person writes them: ``request.body.messages[0].content``."""

from __future__ import annotations

import json
import re

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_INDEX = re.compile(r"\[\d+\]")


def member(place: str, name: str) -> str:
    """The place of a member of an object; a name that is no plain word is quoted."""
    if not _NAME.fullmatch(name):
        return f"{place}[{json.dumps(name)}]"
    return f"{place}.{name}" if place else name


def item(place: str, index: int) -> str:
    """The place of an item of an array."""
    return f"{place}[{index}]"


def pattern(place: str) -> str:
    """The place with every index left open: what the items of an array have in common."""
    return _INDEX.sub("[*]", place)
