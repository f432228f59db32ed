"""Random streams of events that are alike, and whether those are recorded as any others are."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from scripts.fuzzing.bodies import CONTENT_TYPES, ORIGINS, json_lines, server_sent_events
from scripts.fuzzing.texts import damaged, json_text, text
from vcr_llm import _repeated_events
from vcr_llm._document import parse_document
from vcr_llm._ending import Ending
from vcr_llm._headers import Pattern
from vcr_llm._interaction import Headers, Interaction, Request, Response
from vcr_llm._json import Deferred, document_text
from vcr_llm._options import Options
from vcr_llm._recording import new_recording, recording_to_write

_NAMES = (
    *("content", "text", "delta", "arguments", "id", "object", "type", "created", "a", "model"),
    *("index", "a b", "é"),
)
_ODD_NAMES = ("token", "api_key", "event_type", "response_type", 'q"', "", "__data__", "__type__")
_TYPES = (
    *("chat.completion.chunk", "text_completion", "response.output_text.delta", "error", "ping"),
    *("content_block_delta", "text-generation", "message_stop", "response.new_in_this_sdk"),
)
_LEARNED = "abcdefgh-0123456789"
_SECRETS = (
    *("sk-proj-abcdefghijklmnopqrstuvwx", "Bearer abcdefghijklmnopqrstuv", _LEARNED, "hush"),
    *('"api_key": "abcdefghij"', "//user:password@", "tG8xJ2mQpL0vR4sWzY6k"),
)
_MARKS = ("\ue000", "\ue000000<>", "\ue001", "73019462850", "73019462850000")
_ODD_VALUES = (10**16, 1.5, 1e-7, None, True, "", "[DONE]", "data: x", "a" * 5000)
_REDACT: tuple[tuple[Pattern, ...], ...] = (
    *((), (), (), ("hush",), ("00",), (re.compile("o+"),), (re.compile(r"\A\d+\Z"),)),
    *((re.compile(r"[<>]"),), (re.compile(r"\Z"),), (re.compile("[^a-z]{3}"),)),
)


class LongStream(NamedTuple):
    """An exchange with a stream, and how it is recorded."""

    interaction: Interaction
    options: Options
    sent_headers: Headers


def long_stream(random: Random) -> LongStream:
    """Events of a few kinds, mixed with others, from a provider that streams."""
    is_sse = random.random() < 0.8
    events = _events(random) if is_sse else _lines(random)
    other = (server_sent_events if is_sse else json_lines)(random).decode(errors="surrogatepass")
    for _ in range(random.choice((0, 0, 1, 2))):
        events.insert(random.randrange(len(events) + 1), other)
    done = random.choice(("", "data: [DONE]\n\n")) if is_sse else ""
    body = random.choice(("", "", "", "\ufeff", "\n\n")) + "".join(events) + done
    content = damaged(random, body.encode(errors="surrogatepass"))
    usual = "text/event-stream; charset=utf-8" if is_sse else "application/x-ndjson"
    kind = usual if random.random() < 0.9 else random.choice(CONTENT_TYPES)
    origin = random.choice(ORIGINS)
    ended = random.choice((None, None, None, Ending(), Ending("ReadError", "cut")))
    return LongStream(
        Interaction(
            Request("POST", f"https://{origin.host}{origin.path}", (), b'{"model": "m"}'),
            Response(200, "OK", () if kind is None else (("content-type", kind),), content, ended),
            "test",
        ),
        Options(redact=random.choice(_REDACT), normalize=random.random() < 0.7),
        (("x-api-key", _LEARNED),) if random.random() < 0.3 else (),
    )


def check_long_stream(example: LongStream) -> None:
    """What is written is what would be written without looking for events that are alike."""
    with patch.multiple(_repeated_events, _SHORTEST=0, _SAMPLED=1):
        found, expected = (
            make(example.interaction, example.options, secret_headers=example.sent_headers)
            for make in (recording_to_write, new_recording)
        )
    written, plain = (
        document_text({**one.document, "recorded_at": None}) for one in (found, expected)
    )
    if (found.address, written) != (expected.address, plain):
        msg = f"{written} is not {plain}"
        raise AssertionError(msg)
    # In a file, halves of a surrogate pair that came from different places are one character.
    document: Any = found.document
    read: Any = parse_document(plain)
    body = document["response"]["body"]
    if isinstance(body, Deferred) and body != read["response"]["body"]:
        msg = f"what is written as {written} reads as something else"
        raise AssertionError(msg)


def _events(random: Random) -> list[str]:
    line_end = random.choice(("\n", "\n", "\n", "\r\n", "\r"))
    colon = random.choice((": ", ": ", ":"))
    head = random.choice(("", "", f"event{colon}ping{line_end}", f"id{colon}1{line_end}", ":c\n"))
    return [f"{head}data{colon}{payload}{line_end * 2}" for payload in _payloads(random)]


def _lines(random: Random) -> list[str]:
    line_end = random.choice(("\n", "\n", "\r\n"))
    return [payload + line_end for payload in _payloads(random)]


def _payloads(random: Random) -> list[str]:
    kinds = [_kind(random) for _ in range(random.choice((1, 1, 2, 3)))]
    oddity = random.choice((0.0, 0.02, 0.2))
    spell = random.choice((_compact, _compact, _compact, _spaced, _in_ascii, _for_html))
    return [
        json_text(random).replace("\n", "").replace("\r", "")
        if random.random() < oddity / 2
        else spell(_filled(random, random.choice(kinds), oddity))
        for _ in range(random.randrange(2, 20))
    ]


def _kind(random: Random, depth: int = 2) -> dict[str, Any]:
    """Names, and what stands under them: None for a value that differs, a type, or an object."""
    names = random.sample(_NAMES, k=random.randrange(1, 6))
    if random.random() < 0.1:
        names.append(random.choice(_ODD_NAMES))
    return {name: _member(random, name, depth) for name in names}


def _member(random: Random, name: str, depth: int) -> Any:
    if name in ("object", "type", *_ODD_NAMES[2:4]) and random.random() < 0.9:
        return random.choice(_TYPES)
    if depth and random.random() < 0.3:
        inner = _kind(random, depth - 1)
        return [inner] if random.random() < 0.5 else inner
    return None


def _filled(random: Random, kind: Any, oddity: float) -> Any:
    if isinstance(kind, dict):
        return {name: _filled(random, value, oddity) for name, value in kind.items()}
    if isinstance(kind, list):
        return [_filled(random, item, oddity) for item in kind]
    return kind or (_odd_value(random) if random.random() < oddity else _value(random))


def _value(random: Random) -> Any:
    if random.random() < 0.3:
        return random.choice((0, 1, 7, 123, -5, 10**15 - 1, 10**15))
    return "".join(random.choices('abcdefg hij klmno0123<>&é\n\t"\\', k=random.randrange(1, 9)))


def _odd_value(random: Random) -> Any:
    return random.choice((*_SECRETS, *_MARKS, *(text(random) for _ in range(9)), *_ODD_VALUES))


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _spaced(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _in_ascii(value: Any) -> str:
    return json.dumps(value)


def _for_html(value: Any) -> str:
    spelled = _compact(value)
    for character in "<>&":
        spelled = spelled.replace(character, f"\\u{ord(character):04x}")
    return spelled
