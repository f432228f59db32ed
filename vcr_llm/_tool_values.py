"""What a tool takes and gives back <-> JSON.

Arguments are only compared, so they are plain JSON: a model is an object, a date a text. What a
tool gives back has to come back as it was, so it carries a label wherever JSON alone would lose
what it is. A label is never imported: it names one of the types in `_LABELLED`, or a class that
the tool's own return annotation names.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from vcr_llm._errors import ConfigurationError, MalformedRecording
from vcr_llm._json import JSON, MAX_DEPTH, Number, is_deeper, render
from vcr_llm._json_path import item, member
from vcr_llm._tagged import BYTES, DATA, PLAIN, TEXT, TYPE, tag, tag_of, untag_json

Classes = Mapping[str, type]
"""Classes by their labels."""


def as_plain(value: object, place: str) -> JSON:
    """An argument as JSON.

    Raises ConfigurationError, which names the place, for what JSON cannot say.
    """
    return _checked(value, place, _Encoding(labels=False))


def as_labelled(value: object, place: str) -> JSON:
    """What a tool gave back as JSON, with labels; `restored` gives it back.

    Raises ConfigurationError as `as_plain` does.
    """
    return _checked(value, place, _Encoding(labels=True))


def restored(value: JSON, classes: Classes) -> Any:
    """The value behind `as_labelled`; a label that is not known gives its plain JSON.

    Raises MalformedRecording where the class that a label names takes the value no more.
    """
    if isinstance(value, list):
        return [restored(entry, classes) for entry in value]
    if isinstance(value, Number):
        return float(value)
    if not isinstance(value, dict):
        return value
    label = tag_of(value)
    if label is None:
        return {key: restored(entry, classes) for key, entry in value.items()}
    data = value[DATA]
    if label in _LABELLED:
        return _standard(label, data, classes)
    known = _class_of(label, classes)
    return restored(data, classes) if known is None else _instance(known, data, classes)


def adopted(value: JSON, kind: type, classes: Classes) -> Any:
    """A value of another system as the class that the tool gives back, or as `restored` has it.

    Its labels name classes of that system, and its plain objects name none.
    """
    data = untag_json(value)
    if isinstance(data, dict):
        with suppress(MalformedRecording):
            return _instance(kind, data, classes)
    return restored(value, classes)


def labels_in(value: JSON) -> set[str]:
    """The labels in a value."""
    if isinstance(value, list):
        return set().union(*map(labels_in, value))
    if not isinstance(value, dict):
        return set()
    label = tag_of(value)
    return set().union(*map(labels_in, value.values())) | (set() if label is None else {label})


def label_of(kind: type) -> str:
    """The label of a class: where it is defined."""
    return f"{kind.__module__}.{kind.__qualname__}"


# --- values to JSON -----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class _Encoding:
    """Values to JSON, with labels or without."""

    labels: bool

    def of(self, value: object, place: str) -> JSON:
        """The JSON of a value that stands in this place."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Enum):
            return self._tagged(label_of(type(value)), self.of(value.value, place))
        for kinds, encode in _SCALARS:
            if isinstance(value, kinds):
                return encode(value, place)
        for kind, label, as_text in _TEXTS:
            if isinstance(value, kind):
                return self._tagged(label, as_text(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return tag(BYTES, base64.b64encode(value).decode())
        return self._container(value, place)

    def _container(self, value: object, place: str) -> JSON:
        if _is_model(value):
            dumped = value.model_dump(mode="json", by_alias=True, round_trip=True)  # type: ignore[attr-defined]  # pydantic's, and whoever calls it so
            return self._tagged(label_of(type(value)), as_plain(dumped, place))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            return self._tagged(label_of(type(value)), self._fields(value, names, place))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return self._tagged(label_of(type(value)), self._fields(value, value._fields, place))
        if isinstance(value, Mapping):
            return self._mapping(value, place)
        if isinstance(value, AbstractSet):
            label = "frozenset" if isinstance(value, frozenset) else "set"
            return self._tagged(label, sorted(self._items(value, place), key=render))
        if isinstance(value, Sequence) and not isinstance(value, str):
            items = self._items(value, place)
            return self._tagged("tuple", items) if isinstance(value, tuple) else items
        raise _impossible(value, place)

    def _tagged(self, label: str, data: JSON) -> JSON:
        return tag(label, data) if self.labels else data

    def _items(self, values: Iterable[object], place: str) -> list[JSON]:
        return [self.of(value, item(place, index)) for index, value in enumerate(values)]

    def _fields(self, value: object, names: Iterable[str], place: str) -> JSON:
        return {name: self.of(getattr(value, name), member(place, name)) for name in names}

    def _mapping(self, value: Mapping[Any, object], place: str) -> JSON:
        names = {key: _key(key, place) for key in value}
        if self.labels and not all(isinstance(key, str) for key in names):
            pairs = [[key, entry] for key, entry in value.items()]
            return tag("dict", [self._items(pair, place) for pair in pairs])
        if len(set(names.values())) < len(names):
            msg = f"{place} has two keys that are one in JSON"
            raise ConfigurationError(msg)
        members = {name: self.of(value[key], member(place, name)) for key, name in names.items()}
        # What looks like a label of ours, and is none.
        return tag(PLAIN, members) if self.labels and TYPE in members else members


def _checked(value: object, place: str, encoding: _Encoding) -> JSON:
    try:
        encoded = encoding.of(value, place)
    except RecursionError:
        msg = f"{place} refers to itself or is nested too deep for a recording"
        raise ConfigurationError(msg) from None
    if is_deeper(encoded, MAX_DEPTH):
        msg = f"{place} is nested more than {MAX_DEPTH} levels deep"
        raise ConfigurationError(msg)
    return encoded


def _float(value: float, place: str) -> JSON:
    if not math.isfinite(value):
        msg = f"{place} is {value}, which is no number in JSON"
        raise ConfigurationError(msg)
    return float(value)


def _key(key: object, place: str) -> str:
    """What a key is called in JSON."""
    if isinstance(key, str):
        return key.value if isinstance(key, Enum) else str(key)
    plain = _Encoding(labels=False).of(key, f"a key of {place}")
    return plain if isinstance(plain, str) else render(plain, "spaced")


def _is_model(value: object) -> bool:
    """Whether this is an instance of a pydantic model, of which pydantic need not be imported."""
    kind = type(value)
    return hasattr(kind, "model_fields") and callable(getattr(kind, "model_dump", None))


def _impossible(value: object, place: str) -> ConfigurationError:
    return ConfigurationError(f"{place} is a {label_of(type(value))}, which JSON cannot say")


_SCALARS: tuple[tuple[Any, Callable[[Any, str], JSON]], ...] = (
    (str, lambda value, _place: str(value)),
    (int, lambda value, _place: int(value)),
    (float, _float),
)
_TEXTS: tuple[tuple[type, str, Callable[[Any], JSON]], ...] = (
    (datetime, "datetime.datetime", datetime.isoformat),
    (date, "datetime.date", date.isoformat),
    (time, "datetime.time", time.isoformat),
    (timedelta, "datetime.timedelta", timedelta.total_seconds),
    (Decimal, "decimal.Decimal", str),
    (UUID, "uuid.UUID", str),
    (Path, "pathlib.Path", str),
    (PurePath, "pathlib.PurePath", str),
)


# --- JSON to values -----------------------------------------------------------------------------


def _standard(label: str, data: JSON, classes: Classes) -> object:
    """The value of one of our own labels."""
    inner = data if label in _TAKES_JSON else restored(data, classes)
    if label == PLAIN and isinstance(data, dict):
        inner = {key: restored(entry, classes) for key, entry in data.items()}
    try:
        return _LABELLED[label](inner)
    except (TypeError, ValueError, ArithmeticError) as error:
        msg = f"response.body: {render(data)[:60]} is no {label} ({error})"
        raise MalformedRecording(msg) from None


_TAKES_JSON = (TEXT, BYTES, PLAIN)
_LABELLED: Mapping[str, Callable[[Any], object]] = {
    TEXT: str,
    BYTES: lambda data: base64.b64decode(data, validate=True),
    PLAIN: lambda data: data,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "datetime.datetime": datetime.fromisoformat,
    "datetime.date": date.fromisoformat,
    "datetime.time": time.fromisoformat,
    "datetime.timedelta": lambda seconds: timedelta(seconds=seconds),
    "decimal.Decimal": Decimal,
    "uuid.UUID": UUID,
    "pathlib.Path": Path,
    "pathlib.PurePath": PurePath,
}


def _class_of(label: str, classes: Classes) -> type | None:
    """The class that a label names; one that has moved is known by its own name."""
    if label in classes:
        return classes[label]
    name = label.rpartition(".")[2]
    found = {kind for known, kind in classes.items() if known.rpartition(".")[2] == name}
    return found.pop() if len(found) == 1 else None


def _instance(kind: type, data: JSON, classes: Classes) -> object:
    try:
        if hasattr(kind, "model_validate_json"):
            return kind.model_validate_json(render(data))
        inner = restored(data, classes)
        if issubclass(kind, Enum):
            return kind(inner)
        if dataclasses.is_dataclass(kind):
            return _dataclass(kind, inner)
        return kind(**inner)  # a NamedTuple
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        msg = f"response.body is no {label_of(kind)} any more: {error}"
        raise MalformedRecording(msg) from error


def _dataclass(kind: type, members: dict[str, object]) -> object:
    """An instance with these fields, as it was: what its construction would do was done live."""
    instance: object = object.__new__(kind)
    unknown = members.keys() - {field.name for field in dataclasses.fields(kind)}
    if unknown:
        msg = f"it has no {', '.join(sorted(unknown))}"
        raise TypeError(msg)
    for field in dataclasses.fields(kind):
        value = members[field.name] if field.name in members else _default(field)
        object.__setattr__(instance, field.name, value)
    return instance


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    msg = f"{field.name} is missing"
    raise TypeError(msg)
