"""Reading values that may be anything: what is not there, or is of another type, is nothing.

A recording may have been edited, cut or made by a server with ideas of its own. A reader of
conversations asks for what it expects, and shows what it gets.
"""

from __future__ import annotations

import hashlib

from vcr_llm._json import JSON, document_text, parse

_DIGEST_DIGITS = 8


def mapping(value: JSON) -> dict[str, JSON]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: JSON) -> list[JSON]:
    """The value where it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: JSON) -> list[dict[str, JSON]]:
    """The objects of an array."""
    return [item for item in items(value) if isinstance(item, dict)]


def text(value: JSON) -> str | None:
    """The value where it is a string with something in it."""
    return value if isinstance(value, str) and value else None


def whole(value: JSON) -> int | None:
    """The value where it is an integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def at(value: JSON, *path: str | int) -> JSON:
    """What stands at a path; None where nothing does."""
    for step in path:
        if isinstance(step, str):
            value = mapping(value).get(step)
        else:
            held = items(value)
            value = held[step] if step < len(held) else None
    return value


def first_text(value: JSON, *names: str) -> str | None:
    """The first of an object's members that is a string with something in it."""
    return next((found for name in names if (found := text(at(value, name)))), None)


def says_something(value: dict[str, JSON]) -> bool:
    """Whether an object has a member that is not empty; Snowflake writes empty calls and sounds."""
    return any(item not in (None, "", [], {}) for item in value.values())


def without(value: dict[str, JSON], *names: str) -> dict[str, JSON]:
    """The object without some members, and without those that are null."""
    return {name: item for name, item in value.items() if name not in names and item is not None}


def parsed(value: JSON) -> JSON:
    """Arguments that came as JSON in a string; a string that is no JSON is itself."""
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except ValueError:
        return value


def digest(content: bytes) -> str:
    """The beginning of the content's SHA-256."""
    return hashlib.sha256(content).hexdigest()[:_DIGEST_DIGITS]


def digest_of(value: JSON) -> str:
    """The beginning of the SHA-256 of a value's canonical text."""
    return digest(document_text(value).encode())


def counted(count: int, noun: str) -> str:
    """A count with its noun: 1 file, 1,200 files."""
    if count == 1:
        return f"1 {noun}"
    ending = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {ending}"
