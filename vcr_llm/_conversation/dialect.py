"""What a dialect is: a form that the payloads of an answer may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vcr_llm._conversation.exchange import Exchange
from vcr_llm._conversation.members import text, whole
from vcr_llm._conversation.values import Answer
from vcr_llm._json import JSON

Answers = tuple[Answer, ...]


class Dialect(NamedTuple):
    """A form of payloads: its name, whether an answer has it, and what the answer says then."""

    name: str
    fits: Callable[[Exchange], bool]
    answers: Callable[[Exchange], Answers]


def finish_reason_of(pieces: list[dict[str, JSON]], *names: str) -> str | None:
    """The last reason that a piece names, by a word or by a number.

    DashScope writes "null" before there is one; Vertex sends numbers to clients that ask for them.
    """
    held = [piece.get(name) for piece in pieces for name in names]
    found = [text(reason) or whole(reason) for reason in held if reason != "null"]
    return next((str(reason) for reason in reversed(found) if reason is not None), None)
