"""Random texts and values of JSON, and damage to bytes: what every other generator is made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

NUMBERS = (
    *("0", "-0", "-0.0", "1.0", "1.50", "1E5", "1e+5", "1e-05", "-1.93e-7", "1e400", "1e-400"),
    *("12345678901234567890123", "0.30000000000000004", "0.300000000000000044", "9" * 4500),
)
WORDS = (
    *("", "a", "id", "type", "object", "model", "chat.completion.chunk", "error", "[DONE]", "null"),
    *("__type__", "__data__", "__event__", "bytes", "str", "json", "choices", "delta", "content"),
    *("created", "usage", "tool_calls", "arguments", "api_key", "password", "token", "name"),
    *("sk-proj-abcdefghijklmnopqrstuvwx", "Bearer abcdefghijklmnop", "data: x", "\\u003c", "p\\/q"),
)
CHARACTERS = "\"\\/<>&'= \n\r\t\x00\x7f\x85\u2028\u2029\ufeffé😀\ud83d\ude00abc012{}[]:,%+;#?"
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def text(random: Random) -> str:
    """A short text: a word that means something somewhere, or odd characters."""
    if random.random() < 0.6:
        return random.choice(WORDS)
    return "".join(random.choices(CHARACTERS, k=random.randrange(8)))


def sendable(random: Random) -> str:
    """A short text that UTF-8 can spell, so without halves of surrogate pairs."""
    return text(random).encode(errors="replace").decode()


def value(random: Random, depth: int = 3) -> Any:
    """A value of JSON."""
    kind = random.random()
    if depth and kind < 0.3:
        return {text(random): value(random, depth - 1) for _ in range(random.randrange(5))}
    if depth and kind < 0.45:
        return [value(random, depth - 1) for _ in range(random.randrange(4))]
    if kind < 0.75:
        return text(random)
    return random.choice((None, True, False, 0, 1, -1, 200, 1.5, 1e300, random.getrandbits(70)))


def json_text(random: Random, depth: int = 3) -> str:
    """A text of JSON, spelled in one way throughout or in another at every turn."""
    style = random.random()
    if style < 0.4:
        layout: Any = random.choice(
            ({"separators": (",", ":")}, {}, {"indent": 2}, {"indent": "\t"}, {"indent": 1})
        )
        ascii_only = random.random() < 0.5
        spelled = json.dumps(value(random, depth), ensure_ascii=ascii_only, **layout)
        return spelled.replace("/", "\\/") if style < 0.05 else spelled
    return _spelled(random, depth, _blank if style < 0.7 else lambda _random: "")


def _spelled(random: Random, depth: int, blank: Callable[[Random], str]) -> str:
    kind = random.random()
    if depth and kind < 0.35:
        members = [
            f"{_string(random)}{blank(random)}:{blank(random)}{_spelled(random, depth - 1, blank)}"
            for _ in range(random.randrange(5))
        ]
        if members and random.random() < 0.1:
            members.append(random.choice(members))  # a key that is named twice
        return "{" + blank(random) + f"{blank(random)},{blank(random)}".join(members) + "}"
    if depth and kind < 0.5:
        items = [_spelled(random, depth - 1, blank) for _ in range(random.randrange(4))]
        return "[" + f",{blank(random)}".join(items) + blank(random) + "]"
    if kind < 0.75:
        return _string(random)
    if kind < 0.9:
        return random.choice(NUMBERS)
    return random.choice(("null", "true", "false"))


def _string(random: Random) -> str:
    return '"' + "".join(_character(random, character) for character in text(random)) + '"'


def _character(random: Random, character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    is_plain = character >= " " and not "\ud800" <= character <= "\udfff"
    if is_plain and random.random() < 0.8:
        return character
    if ord(character) > 0xFFFF:
        return json.dumps(character)[1:-1]
    return f"\\u{ord(character):04{random.choice('xX')}}"


def _blank(random: Random) -> str:
    return random.choice(("", "", "", " ", "\n", "\t", "\r\n  "))


def damaged(random: Random, body: bytes) -> bytes:
    """A body that was cut, spliced or changed in a few places; now and then as it was."""
    for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
        start = random.randrange(len(body) + 1)
        end = min(len(body), start + random.randrange(9))
        match random.randrange(5):
            case 0:
                body = body[:start]
            case 1:
                body = body[:start] + body[end:]
            case 2:
                body = body[:start] + body[start:end] * 2 + body[end:]
            case 3:
                body = body[:start] + random.choice(_SPLINTERS) + body[start:]
            case _:
                body = body[:start] + random.randbytes(1) + body[start + 1 :]
    return body


_SPLINTERS = (
    *(b"\n", b"\r", b"\r\n", b"\n\n", b" ", b":", b"data:", b"data: [DONE]\n\n", b"\xff", b"\xef"),
    *(
        b"\xef\xbb\xbf",
        b"\x00",
        b"{}",
        b"[",
        b"]",
        b"}",
        b'"',
        b"\\",
        b"\\u",
        b"--b\r\n",
        b"&",
        b"=",
    ),
    *(b"1e999", b"-0", b"null", b",", b": c\n", b"\xc3\xa9", b"\xed\xa0\x80"),
)
