r"""JSON text <-> values, exactly (RFC 8259).

Python's own parser loses what a recording has to keep: ``1e400`` becomes infinity, ``-1.9e-7``
comes back as ``-1.9e-07``, a lone surrogate cannot be written as UTF-8. Here a number that Python
would spell differently is a `Number`, surrogates are written as ``\udXXX``, and the layout of a
text (its spaces, line breaks and escapes) has a name, so that ``render(parse(text), layout)``
gives the text back.
"""

from __future__ import annotations

import itertools
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from json.encoder import encode_basestring, encode_basestring_ascii
from operator import attrgetter
from typing import Any, NoReturn, TypeAlias

JSON: TypeAlias = (
    "dict[str, JSON] | list[JSON] | Deferred | str | int | float | Number | bool | None"
)

MAX_DEPTH = 200
"""Deeper payloads are not parsed: far below Python's recursion limit, far above real ones."""

MAX_DOCUMENT_DEPTH = MAX_DEPTH + 20
"""How deep a recording may be: a payload stands some levels down in it."""

_SURROGATE = re.compile("[\ud800-\udfff]")
# The integer, or what looks like it in a string. The look behind comes second, so that the search
# runs from one "-0" to the next.
_NEGATIVE_ZERO = re.compile(r"-0(?<![^\[:,\s]-0)(?![\d.eE])")


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number that Python would spell differently, such as ``-0``, ``1E5`` or ``1e400``."""

    text: str

    def __float__(self) -> float:
        """The nearest float; infinity for one that is out of range."""
        return float(self.text)


class Deferred(ABC):
    """An array whose items are made one by one, when it is written or when somebody asks."""

    @abstractmethod
    def texts(self, render: Callable[[JSON], str]) -> Iterator[str]:
        """The texts of its items; ``render`` gives that of a value, in the layout of all."""

    def __iter__(self) -> Iterator[JSON]:
        for text in self.texts(document_text):
            yield parse(text, max_depth=MAX_DOCUMENT_DEPTH)

    def __eq__(self, other: object) -> bool:
        return list(self) == (list(other) if isinstance(other, Deferred) else other)

    __hash__ = None  # type: ignore[assignment]  # it is equal to lists, which have none


def parse(text: str, *, unique_keys: bool = False, max_depth: int = MAX_DEPTH) -> JSON:
    """The value of a JSON text.

    Raises ValueError where the text is no JSON (``NaN`` is none), where it nests deeper than
    ``max_depth``, and, with ``unique_keys``, where an object names a key twice.
    """
    is_careful = unique_keys or _NEGATIVE_ZERO.search(text) is not None
    decoder = _UNIQUE if unique_keys else _decoder(text, is_careful=is_careful)
    try:
        value: JSON = decoder.decode(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise ValueError(_too_deep(max_depth)) from None
    except ValueError:
        if is_careful:
            raise
        value = _decoder(text, is_careful=True).decode(text)
    brackets = text.count("[") + text.count("{")
    if brackets > max_depth and is_deeper(value, max_depth):
        raise ValueError(_too_deep(max_depth))
    return value


def render(value: JSON, layout: str = "compact") -> str:
    """The text of a value in a layout: a name of `layouts_like` or of the documented ones.

    Raises ValueError for a layout that does not exist.
    """
    return _Layout.named(layout).render(value)


def render_each(values: Sequence[JSON], layout: str = "compact") -> list[str]:
    """The text of each value, as `render` gives it, in half the time.

    Raises ValueError for a layout that does not exist.
    """
    return _Layout.named(layout).render_each(values)


def sorted_text(value: JSON) -> str | None:
    """What ``json.dumps(value, sort_keys=True)`` gives, None where there is a `Number` in it.

    Values that have the same such text are the same, down to the spelling of their numbers.
    """
    try:
        return _SORTED.encode(value)
    except TypeError:
        return None


def compact_text(value: JSON) -> str | None:
    """The text in the layout ``compact``, None where only `render` can write the value."""
    return _Layout.named("compact").fast(value)


def layout_of(text: str, value: JSON, *, first: str = "compact") -> str | None:
    """The name of the layout that gives ``text`` for ``value``, or None if no layout does.

    ``first`` is tried before the others: a stream's events mostly look alike.
    """
    for name in itertools.chain((first,), _candidates(text)):
        if _Layout.named(name).gives(text, value):
            return name
    return None


def write_document(value: JSON, write: Callable[[str], object]) -> None:
    """Write the canonical text of a recording: indent 2, non-ASCII as itself, a final newline."""
    writer = _Writer(_DOCUMENT, write)
    writer.put(value, "\n")
    writer.parts.append("\n")
    writer.flush()


def document_text(value: JSON) -> str:
    """The canonical text of a recording, as `write_document` writes it."""
    pieces: list[str] = []
    write_document(value, pieces.append)
    return "".join(pieces)


# A recording of 20 MB is written in pieces, so that its text is never in memory as a whole.
_PARTS_AT_ONCE = 8192
_ITEMS_AT_ONCE = 256  # of a `Deferred`, whose texts are longer
_KEYS_REMEMBERED = 1024
_LARGE = 1_000_000  # characters from which memory counts for more than speed
_MOST_SHARED, _LONGEST_SHARED = 10_000, 40  # of the texts and numbers of a large value


def _too_deep(max_depth: int) -> str:
    return f"it is nested more than {max_depth} levels deep"


def _float(text: str) -> float | Number:
    value = float(text)
    return value if repr(value) == text else Number(text)


def _integer(text: str) -> int | Number:
    if text == "-0":
        return Number(text)
    try:
        return int(text)
    except ValueError:  # more digits than Python converts, which is 4300 unless told otherwise
        return Number(text)


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members = dict(pairs)
    if len(members) != len(pairs):
        msg = "an object names a key twice"
        raise ValueError(msg)
    return members


_SORTED = json.JSONEncoder(sort_keys=True, check_circular=False)
_FAST = json.JSONDecoder(parse_float=_float, parse_constant=_no_constant)
_CAREFUL = json.JSONDecoder(parse_float=_float, parse_int=_integer, parse_constant=_no_constant)
_UNIQUE = json.JSONDecoder(
    parse_float=_float,
    parse_int=_integer,
    parse_constant=_no_constant,
    object_pairs_hook=_unique,
)


def _decoder(text: str, *, is_careful: bool) -> json.JSONDecoder:
    """What parses a text; in a large one, what is equal and short becomes the same object."""
    if len(text) < _LARGE:
        return _CAREFUL if is_careful else _FAST
    texts: dict[JSON, JSON] = {}

    def members(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
        if len(texts) > _MOST_SHARED:
            texts.clear()
        return {
            key: texts.setdefault(value, value)
            if isinstance(value, str) and len(value) <= _LONGEST_SHARED
            else value
            for key, value in pairs
        }

    return json.JSONDecoder(
        parse_float=lru_cache(_MOST_SHARED)(_float),
        parse_int=_integer if is_careful else None,
        parse_constant=_no_constant,
        object_pairs_hook=members,
    )


def is_deeper(value: JSON, limit: int) -> bool:
    """Whether more containers than that are inside each other, counted level by level."""
    level = [value]
    for _depth in range(limit):
        level = [
            child for item in level for child in children(item) if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def children(value: JSON) -> Iterator[JSON]:
    """The values directly inside a container; nothing for any other value."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def map_strings(value: JSON, replace: Callable[[str], str]) -> JSON:
    """The value with every string in it replaced, keys included."""
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, list):
        return [map_strings(item, replace) for item in value]
    if isinstance(value, dict):
        return {replace(key): map_strings(item, replace) for key, item in value.items()}
    return value


@dataclass(frozen=True)
class _Layout:
    """How a JSON text is spaced and escaped."""

    item_separator: str
    key_separator: str
    indent: str | None = None
    escapes: frozenset[str] = frozenset()

    @classmethod
    def named(cls, name: str) -> _Layout:
        layout = _LAYOUTS.get(name)
        if layout is None:
            layout = _LAYOUTS[name] = cls._parsed(name)
        return layout

    @classmethod
    def _parsed(cls, name: str) -> _Layout:
        base, *escapes = name.split("+")
        if not set(escapes) <= _ESCAPES.keys() | {"ascii"}:
            msg = f"{name!r} is no JSON layout"
            raise ValueError(msg)
        if base in _SEPARATORS:
            return cls(*_SEPARATORS[base], escapes=frozenset(escapes))
        indented = re.fullmatch(r"indent-([1-8]|tab)", base)
        if indented is None:
            msg = f"{name!r} is no JSON layout"
            raise ValueError(msg)
        width = indented[1]
        indent = "\t" if width == "tab" else " " * int(width)
        return cls(",", ": ", indent, frozenset(escapes))

    def render(self, value: JSON) -> str:
        text = self.fast(value)
        return self._finished(self._exact(value) if text is None else text)

    def render_each(self, values: Sequence[JSON]) -> list[str]:
        """The texts of the values: cut from that of all, where Python's C encoder can write it.

        A string's text has no quotation marks inside. What stands between two of the values is
        thus found nowhere else, unless one of the values holds the same string; then there is one
        piece too many.
        """
        listed = [item for value in values for item in (_NEXT, value)]
        text = self.fast(listed[1:]) if len(values) > 1 else None
        if text is not None:
            between = f'{self.item_separator}"{_NEXT}"{self.item_separator}'
            pieces = self._finished(text[1:-1]).split(between)
            if len(pieces) == len(values):
                return pieces
        return [self.render(value) for value in values]

    def _finished(self, text: str) -> str:
        """The text of Python's encoder with what this layout writes otherwise."""
        for character, escaped in self._replaced:
            text = text.replace(character, escaped)
        return text if text.isascii() else _SURROGATE.sub(_escape_surrogate, text)

    def gives(self, text: str, value: JSON) -> bool:
        """Whether a value in this layout is exactly this text."""
        if len(text) < _LARGE or self.escapes:
            return self.render(value) == text
        comparison = _Comparison(text)
        writer = _Writer(self, comparison.take)
        writer.put(value, "\n" if self.indent is not None else "")
        writer.flush()
        return comparison.place == len(text)

    def fast(self, value: JSON) -> str | None:
        """The text by Python's C encoder, which knows neither `Number` nor indents."""
        if self.indent is not None:
            return None
        try:
            return self._encode(value)
        except TypeError:
            return None

    @cached_property
    def _encode(self) -> Callable[[JSON], str]:
        """Python's C encoder for a layout without indent."""
        encoder = json.JSONEncoder(
            ensure_ascii="ascii" in self.escapes,
            allow_nan=False,
            check_circular=False,
            separators=(self.item_separator, self.key_separator),
        )
        return encoder.encode

    @cached_property
    def _replaced(self) -> tuple[tuple[str, str], ...]:
        """The characters that are written otherwise in the finished text, and how."""
        escapes = self.escapes - {"ascii"}
        return tuple(pair for escape in escapes for pair in _ESCAPES[escape])

    def _exact(self, value: JSON) -> str:
        pieces: list[str] = []
        writer = _Writer(self, pieces.append)
        writer.put(value, "\n" if self.indent is not None else "")
        writer.flush()
        return "".join(pieces)


class _Comparison:
    """Compares a text with pieces that come one by one, so that it is not in memory twice."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.place = 0

    def take(self, piece: str) -> None:
        """The next piece; from the first that differs on, the place stays before the text."""
        is_next = self.place >= 0 and self._text.startswith(piece, self.place)
        self.place = self.place + len(piece) if is_next else -1


class _Writer:
    """Writes a value of any kind in any layout, in pieces of some thousand parts."""

    def __init__(self, layout: _Layout, write: Callable[[str], object]) -> None:
        self.parts: list[str] = []
        self._write = write
        self._layout = layout
        encode = encode_basestring_ascii if "ascii" in layout.escapes else _encode_string
        self._members = _Members(encode, layout.key_separator)
        self._simple: dict[type, Callable[[Any], str]] = {**_SIMPLE, str: encode}
        self._item_separator = layout.item_separator
        self._indent = layout.indent or ""

    def flush(self) -> None:
        self._write("".join(self.parts))
        self.parts.clear()

    def put(self, value: JSON, line: str) -> None:
        """Write a value whose container's lines begin with ``line``."""
        simple = self._simple.get(type(value))
        if simple is not None:
            self.parts.append(simple(value))
        elif isinstance(value, dict) and value:
            self._put_object(value, line)
        elif isinstance(value, list) and value:
            self._put_array(value, line)
        elif isinstance(value, Deferred):
            self._put_deferred(value, line)
        else:
            self.parts.append(self._unusual(value))

    # Nearly all members and items are simple and not worth a call of `put` each. Their texts stay
    # parts of their own, since one of them may be large.

    def _put_object(self, value: dict[str, JSON], line: str) -> None:
        parts, simple_of, members = self.parts, self._simple.get, self._members
        inner = line + self._indent
        lead, following = "{" + inner, self._item_separator + inner
        for key, item in value.items():
            simple = simple_of(type(item))
            if simple is not None:
                parts += (lead, members[key], simple(item))
            else:
                parts += (lead, members[key])
                self.put(item, inner)
            lead = following
            if len(parts) > _PARTS_AT_ONCE:
                self.flush()
        parts.append(line + "}")

    def _put_array(self, value: list[JSON], line: str) -> None:
        parts, simple_of = self.parts, self._simple.get
        inner = line + self._indent
        lead, following = "[" + inner, self._item_separator + inner
        for item in value:
            simple = simple_of(type(item))
            if simple is not None:
                parts += (lead, simple(item))
            else:
                parts.append(lead)
                self.put(item, inner)
            lead = following
            if len(parts) > _PARTS_AT_ONCE:
                self.flush()
        parts.append(line + "]")

    def _unusual(self, value: JSON) -> str:
        """The text of an empty container, or of an instance of somebody's own class."""
        if isinstance(value, str):
            return self._simple[str](value)
        return repr(value) if isinstance(value, int | float) else json.dumps(value)

    def _put_deferred(self, value: Deferred, line: str) -> None:
        inner = line + self._indent
        lead = "[" + inner

        def render(item: JSON) -> str:
            pieces: list[str] = []
            writer = _Writer(self._layout, pieces.append)
            writer.put(item, inner)
            writer.flush()
            return "".join(pieces)

        for text in value.texts(render):
            self.parts.append(lead + text)
            lead = self._item_separator + inner
            if len(self.parts) > _ITEMS_AT_ONCE:
                self.flush()
        self.parts.append(line + "]")


class _Members(dict[str, str]):
    """The text of a key and what separates it from its value; events repeat their keys."""

    def __init__(self, encode: Callable[[str], str], separator: str) -> None:
        super().__init__()
        self._encode = encode
        self._separator = separator

    def __missing__(self, key: str) -> str:
        text = f"{self._encode(key)}{self._separator}"
        if len(self) < _KEYS_REMEMBERED:
            self[key] = text
        return text


_SIMPLE: dict[type, Callable[[Any], str]] = {
    type(None): {None: "null"}.__getitem__,
    bool: {True: "true", False: "false"}.__getitem__,
    int: repr,
    float: repr,
    Number: attrgetter("text"),
}


def _encode_string(text: str) -> str:
    encoded = encode_basestring(text)
    return encoded if encoded.isascii() else _SURROGATE.sub(_escape_surrogate, encoded)


def _escape_surrogate(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


_SEPARATORS = {
    "compact": (",", ":"),
    "spaced": (", ", ": "),  # Python's json.dumps
    "colon-spaced": (",", ": "),  # Google's
    "comma-spaced": (", ", ":"),
}
# What some servers escape although JSON does not ask for it: all of these characters stand only
# inside strings, so replacing them in the finished text is exact.
_ESCAPES = {
    "html": (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ),  # Go's encoding/json, and Google's servers with "'" and "=" as well
    "quotes": (("'", "\\u0027"), ("=", "\\u003d")),
    "slash": (("/", "\\/"),),  # PHP's json_encode
    "delete": (("\x7f", "\\u007f"),),
}
_LAYOUTS: dict[str, _Layout] = {}
_NEXT = "then comes"  # no character that any layout escapes
_DOCUMENT = _Layout(",", ": ", "  ")


def _candidates(text: str) -> Iterator[str]:
    """The layouts that a text may have, by what it shows of itself."""
    escapes = _escapes_seen(text)
    for base in _bases(text):
        for choice in escapes:
            yield "+".join((base, *choice))


def _bases(text: str) -> tuple[str, ...]:
    indented = re.match(r"[\[{]\n(?:( {1,8})|(\t))\S", text)
    if indented is None:
        return tuple(_SEPARATORS)
    return (f"indent-{len(indented[1])}" if indented[1] else "indent-tab",)


def _escapes_seen(text: str) -> list[tuple[str, ...]]:
    found = [
        name
        for name, pairs in _ESCAPES.items()
        if any(escaped in text for _character, escaped in pairs)
    ]
    choices = [
        subset for size in range(len(found) + 1) for subset in itertools.combinations(found, size)
    ]
    if text.isascii() and "\\u" in text:
        choices += [("ascii", *choice) for choice in choices]
    return choices
