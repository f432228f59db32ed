"""When two requests are the same request, and what differs where they are not.

Both sides are made from a document's ``request`` that has been redacted, by the same function, and
compared with ``==``: JSON by value, numbers as numbers, forms by their pairs, multipart by its
parts; tool-call ids are renumbered in the order of their appearance, since the model invents them
anew with each recording while the references between them say something.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import NamedTuple, TypeAlias
from urllib.parse import parse_qsl, quote

from vcr_llm._errors import ConfigurationError
from vcr_llm._interaction import split_url
from vcr_llm._json import JSON, Number, parse, render
from vcr_llm._tagged import DATA, FORM, MULTIPART, TYPE, tag_of

IgnoredPath = tuple[str | int, ...]
"""A path in a JSON body: names, indexes, and ``"*"`` for every item."""

_DEFAULT_PORTS = {"https": 443, "http": 80}
_TOOL_CALL_REFERENCES = ("tool_call_id", "tool_use_id", "call_id", "toolUseId")
# Gemini's, whose id is called just that, as its SDK and as LiteLLM spell them.
_TOOL_CALLS = ("functionCall", "functionResponse", "function_call", "function_response")
# The types of blocks and items whose `id` is that of a tool call: Anthropic's, OpenAI's.
_TOOL_CALL_TYPES = ("_call", "tool_use")
_ALLOWED_IN_PATHS = "/%:@!$&'()*+,;="  # and letters, digits, - . _ ~ (RFC 3986, 3.3)
_PATH = re.compile(r"\.?([^.\[\]]+)|\[(\*|\d+)\]")
_PLACES = 5
_LONGEST_INTEGER = 4000  # digits; Python refuses to write more than 4300
_SHOWN = 60


class RequestKey(NamedTuple):
    """What decides a match. ``body`` is a digest of the normalised body."""

    method: str
    scheme: str
    host: str
    port: int | None
    path: str
    query: tuple[tuple[str, str], ...]
    body: str


class Absent(Enum):
    """What a request has in a place that it does not have; null is a value."""

    ABSENT = "nothing"


Side: TypeAlias = "JSON | Absent"


class Difference(NamedTuple):
    """One place in which two requests differ."""

    path: str
    recorded: Side
    incoming: Side

    def __str__(self) -> str:
        return self.told("request")

    def told(self, what: str) -> str:
        """The place and both values; ``what`` is what has come now."""
        recorded, incoming = shortened(_shown(self.recorded), _shown(self.incoming))
        return f"{self.path}: recorded {recorded}, this {what} has {incoming}"


def request_key(request: dict[str, JSON], ignore: Sequence[IgnoredPath] = ()) -> RequestKey:
    """The key of a document's ``request``; ``ignore`` leaves places of the JSON body out."""
    method, scheme, host, port, path, query = _head(request)
    canonical = render(normalized_body(request.get("body"), ignore))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return RequestKey(method, scheme, host, port, path, query, digest)


def differences(
    recorded: dict[str, JSON], incoming: dict[str, JSON], ignore: Sequence[IgnoredPath] = ()
) -> list[Difference]:
    """Where two requests differ, by path: what the body differs in stands under its own path."""
    old_head, new_head = _head(recorded), _head(incoming)
    found = [
        Difference(name, str(old), str(new))
        for name, old, new in zip(_PARTS, old_head, new_head, strict=True)
        if old != new and name != "query"
    ]
    found += _query_differences(old_head[-1], new_head[-1])
    old_body = normalized_body(recorded.get("body"), ignore)
    new_body = normalized_body(incoming.get("body"), ignore)
    return found + value_differences(old_body, new_body)


def value_differences(recorded: JSON, incoming: JSON) -> list[Difference]:
    """Where two values that matching sees as `normalized_body` differ, by path."""
    return list(_differences(recorded, incoming, ""))


def parse_ignored_path(path: str) -> IgnoredPath:
    """The segments of a path such as ``messages[*].name``.

    Raises ConfigurationError where it is none.
    """
    if not path or "".join(match[0] for match in _PATH.finditer(path)) != path:
        msg = f'ignore: {path!r} is no path; write "metadata" or "messages[*].name"'
        raise ConfigurationError(msg)
    return tuple(
        name or (index if index == "*" else int(index)) for name, index in _PATH.findall(path)
    )


def normalized_body(body: JSON, ignore: Sequence[IgnoredPath] = ()) -> JSON:
    """The body as matching sees it: a value that is equal for requests that say the same."""
    if tag_of(body) == FORM and isinstance(body, dict):
        pairs = body[DATA]
        ordered = sorted(pairs, key=render) if isinstance(pairs, list) else pairs
        return {TYPE: body[TYPE], DATA: ordered}
    normal = _normalized(_with_parsed_parts(body), {})
    for path in ignore:
        _remove(normal, path)
    return normal


def _with_parsed_parts(body: JSON) -> JSON:
    """A form's parts that are JSON by their own word, by value instead of by their text."""
    if tag_of(body) != MULTIPART or not isinstance(body, dict):
        return body
    parts = body[DATA]
    return {**body, DATA: [_parsed_part(part) for part in parts] if isinstance(parts, list) else []}


def _parsed_part(part: JSON) -> JSON:
    match part:
        case {"content_type": str(kind), "body": {"__type__": "str", "__data__": str(text)}} if (
            isinstance(part, dict) and "json" in kind
        ):
            try:
                return {**part, "body": parse(text)}
            except ValueError:
                return part
        case _:
            return part


def shortened(one: str, other: str) -> tuple[str, str]:
    """Two texts, cut to the neighbourhood of their first difference."""
    if max(len(one), len(other)) <= _SHOWN * 2:
        return one, other
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    return _excerpt(one, start), _excerpt(other, start)


_PARTS = ("method", "scheme", "host", "port", "path", "query")
_Query = tuple[tuple[str, str], ...]


def _head(request: dict[str, JSON]) -> tuple[str, str, str, int | None, str, _Query]:
    url = split_url(str(request.get("url")))
    try:
        port = url.port
    except ValueError:
        port = None
    query = tuple(sorted(parse_qsl(url.query, keep_blank_values=True)))
    host, path = url.hostname or "", _as_sent("/" + url.path.removeprefix("/"))
    port = port or _DEFAULT_PORTS.get(url.scheme)
    return str(request.get("method")).upper(), url.scheme, host, port, path, query


def _as_sent(path: str) -> str:
    """A path in which what no URI may hold is percent-encoded, as clients send it.

    Teams put <PLACEHOLDERS> into the URLs of what they recorded.
    """
    return quote(path, safe=_ALLOWED_IN_PATHS, errors="surrogatepass")


def _query_differences(recorded: _Query, incoming: _Query) -> Iterator[Difference]:
    for name in sorted({name for name, _value in (*recorded, *incoming)}):
        old = [value for key, value in recorded if key == name]
        new = [value for key, value in incoming if key == name]
        if old != new:
            yield Difference(f"query.{name}", _joined(old), _joined(new))


def _joined(values: list[str]) -> Side:
    return ", ".join(values) if values else Absent.ABSENT


def _normalized(value: JSON, tool_calls: dict[str, str]) -> JSON:
    if isinstance(value, dict):
        return {
            key: _renumbered(value[key], tool_calls)
            if _is_tool_call_id(key, value)
            else _normalized_member(key, value[key], tool_calls)
            for key in sorted(value)
        }
    if isinstance(value, list):
        return [_normalized(item, tool_calls) for item in value]
    if isinstance(value, float | Number):
        return _normalized_number(value)
    return value


def _normalized_member(key: str, value: JSON, tool_calls: dict[str, str]) -> JSON:
    if key in _TOOL_CALLS:
        return _with_renumbered_id(value, tool_calls)
    if key == "tool_calls" and isinstance(value, list):
        return [_with_renumbered_id(call, tool_calls) for call in value]
    return _normalized(value, tool_calls)


def _with_renumbered_id(call: JSON, tool_calls: dict[str, str]) -> JSON:
    normal = _normalized(call, tool_calls)
    if isinstance(call, dict) and isinstance(normal, dict) and "id" in call:
        normal["id"] = _renumbered(call["id"], tool_calls)
    return normal


def _is_tool_call_id(key: str, holder: dict[str, JSON]) -> bool:
    """Whether this member is the id of a tool call or refers to one."""
    if key == "id":
        kind = holder.get("type")
        return isinstance(kind, str) and kind.endswith(_TOOL_CALL_TYPES)
    return key in _TOOL_CALL_REFERENCES


def _renumbered(value: JSON, tool_calls: dict[str, str]) -> JSON:
    if not isinstance(value, str):
        return _normalized(value, tool_calls)
    return tool_calls.setdefault(value, f"tool-call-{len(tool_calls) + 1}")


def _normalized_number(value: float | Number) -> JSON:
    """One spelling for one number: 1 and 1.0 are the same, 5 decimal places are enough."""
    if isinstance(value, Number):
        if (whole := _whole_number(value.text)) is not None:
            return whole
        spelling, value = value.text, float(value)
        if math.isinf(value):  # too large for a float, with a fraction
            return Number(spelling.lower())
    rounded = round(value, _PLACES)
    if rounded.is_integer():
        return int(rounded)
    return rounded


def _whole_number(text: str) -> JSON:
    """The integer that a number's spelling stands for, None where it has a fraction.

    Exact for any size; one that is too long to write out keeps its digits and its exponent.
    """
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:  # an exponent that no number has
        return Number(text.lower())
    stripped = "".join(map(str, digits)).rstrip("0") or "0"
    power = int(exponent) + len(digits) - len(stripped) if stripped != "0" else 0
    if power < 0:
        return None
    minus = "-" if sign else ""
    if len(stripped) + power > _LONGEST_INTEGER:
        return Number(f"{minus}{stripped}e{power}")
    return int(minus + stripped + "0" * power)


def _remove(value: JSON, path: IgnoredPath) -> None:
    """Take what a path names out of a value, in place."""
    if not isinstance(value, dict | list):
        return
    segment, rest = path[0], path[1:]
    for key in _keys(value, segment):
        if rest:
            _remove(_member(value, key), rest)
        elif isinstance(value, dict):
            value.pop(str(key))
        else:
            value[int(key)] = None


def _keys(value: dict[str, JSON] | list[JSON], segment: str | int) -> list[str | int]:
    if isinstance(value, dict):
        return list(value) if segment == "*" else [segment] if segment in value else []
    if segment == "*":
        return list(range(len(value)))
    return [segment] if isinstance(segment, int) and segment < len(value) else []


def _member(value: JSON, key: str | int) -> JSON:
    if isinstance(value, dict):
        return value[str(key)]
    return value[key] if isinstance(value, list) and isinstance(key, int) else None


def _differences(recorded: Side, incoming: Side, path: str) -> Iterator[Difference]:
    if isinstance(recorded, dict) and isinstance(incoming, dict):
        for key in sorted(recorded.keys() | incoming.keys()):
            where = f"{path}.{key}" if path else key
            old, new = recorded.get(key, Absent.ABSENT), incoming.get(key, Absent.ABSENT)
            yield from _differences(old, new, where)
    elif isinstance(recorded, list) and isinstance(incoming, list):
        for index in range(max(len(recorded), len(incoming))):
            old = recorded[index] if index < len(recorded) else Absent.ABSENT
            new = incoming[index] if index < len(incoming) else Absent.ABSENT
            yield from _differences(old, new, f"{path}[{index}]")
    elif not _same(recorded, incoming):
        yield Difference(path or "body", recorded, incoming)


def _same(one: Side, other: Side) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _shown(value: Side) -> str:
    return value.value if isinstance(value, Absent) else render(value, "spaced")


def _excerpt(text: str, start: int) -> str:
    first, last = max(0, start - _SHOWN // 2), start + _SHOWN
    opening = "…" if first else ""
    closing = "…" if last < len(text) else ""
    return f"{opening}{text[first:last]}{closing}"
