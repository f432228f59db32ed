"""A tool as its author wrote it: its name, its arguments, and the classes that it gives back."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cached_property
from typing import Any

from vcr_llm._errors import ConfigurationError
from vcr_llm._json import JSON
from vcr_llm._tool_call import Arguments, ToolCall
from vcr_llm._tool_values import as_plain, label_of

_OWNERS = ("self", "cls")  # as PEP 8 has it
_BARE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Tool:
    """A function whose calls are recorded.

    Raises ConfigurationError where ``exclude`` names an argument that it does not take.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        provider: str,
        name: str,
        exclude: Sequence[str],
        raises: Sequence[type[Exception]],
    ) -> None:
        self.provider = provider
        self.name = name
        self.raises = tuple(raises)
        self._function = function
        self._exclude = frozenset(exclude)
        self._signature = inspect.signature(function)
        self._refuse_unknown()

    @cached_property
    def defaults(self) -> Arguments:
        """The defaults of the recorded arguments, as far as JSON can say them."""
        return {
            name: plain
            for name, parameter in self._recorded()
            if parameter.default is not parameter.empty
            for plain in _if_possible(parameter.default)
        }

    def call(self, arguments: Sequence[object], keywords: Mapping[str, object]) -> ToolCall | None:
        """The call with its arguments by name; None where they do not fit the function.

        Raises ConfigurationError, which names the argument, for what JSON cannot say.
        """
        try:
            bound = self._signature.bind(*arguments, **keywords)
        except TypeError:
            return None
        given = set(bound.arguments)
        bound.apply_defaults()
        kwargs: Arguments = {}
        for name, parameter in self._recorded():
            if name in given or parameter.kind in _BARE:
                kwargs |= self._argument(parameter, bound.arguments[name], kwargs)
            elif name in self.defaults:
                kwargs[name] = self.defaults[name]
        return ToolCall(self.provider, self.name, kwargs)

    def returned_classes(self) -> dict[str, type]:
        """The classes that the return annotation names, with their subclasses, by their labels."""
        return {label_of(kind): kind for kind in _classes(self._returns, set()) if _is_built(kind)}

    @cached_property
    def returned_class(self) -> type | None:
        """The one class that the tool gives back, or nothing else but None."""
        named = [self._returns, *typing.get_args(self._returns)]
        found = [kind for kind in named if isinstance(kind, type) and _is_built(kind)]
        return found[0] if len(found) == 1 else None

    @cached_property
    def _returns(self) -> object:
        function = inspect.unwrap(self._function)
        try:
            return typing.get_type_hints(function).get("return")
        except Exception:  # noqa: BLE001 - whatever stands in an annotation, it may only be for mypy
            return getattr(function, "__annotations__", {}).get("return")

    def _refuse_unknown(self) -> None:
        """Raise ConfigurationError where `exclude` names what the function does not take."""
        parameters = self._signature.parameters
        takes_any = any(
            parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
        )
        unknown = sorted(self._exclude - parameters.keys())
        if unknown and not takes_any:
            msg = f"recorded_tool: {self.name} has no argument {unknown[0]!r} to exclude"
            raise ConfigurationError(msg)

    def _recorded(self) -> Iterator[tuple[str, inspect.Parameter]]:
        """The parameters whose arguments are recorded."""
        for index, (name, parameter) in enumerate(self._signature.parameters.items()):
            is_owner = index == 0 and name in _OWNERS
            if not is_owner and name not in self._exclude:
                yield name, parameter

    def _argument(
        self, parameter: inspect.Parameter, value: object, others: Arguments
    ) -> Arguments:
        """One argument by its name; those of ``**options`` stand beside the others."""
        if parameter.kind is parameter.VAR_POSITIONAL and not value:
            return {}
        if parameter.kind is not parameter.VAR_KEYWORD or not isinstance(value, dict):
            return {parameter.name: self._plain(value, parameter.name)}
        more = {
            name: self._plain(item, name)
            for name, item in value.items()
            if name not in self._exclude
        }
        # A positional-only parameter may have the name of one of these.
        return {parameter.name: more} if more.keys() & others.keys() else dict(more)

    def _plain(self, value: object, name: str) -> JSON:
        try:
            return as_plain(value, name)
        except ConfigurationError as error:
            msg = (
                f"{self.name}: the argument {error}. Leave it out of the recording with "
                f"recorded_tool(exclude=[{name!r}]), or give the tool what JSON can say."
            )
            raise ConfigurationError(msg) from None


def _if_possible(default: object) -> Iterator[JSON]:
    """The default as JSON, or nothing: what stands for "not given" need not be recorded."""
    try:
        yield as_plain(default, "")
    except ConfigurationError:
        return


def _is_built(kind: type) -> bool:
    """Whether a recorded value can be made an instance of this class again."""
    return (
        hasattr(kind, "model_validate_json")
        or dataclasses.is_dataclass(kind)
        or (issubclass(kind, Enum) and kind.__module__ != "enum")
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    )


def _classes(annotation: object, seen: set[int]) -> Iterator[type]:
    """The classes in an annotation, in those of their fields, and all their subclasses."""
    if id(annotation) in seen:
        return
    seen.add(id(annotation))
    for part in (*typing.get_args(annotation), getattr(annotation, "__value__", None)):
        yield from _classes(part, seen)
    kind = typing.get_origin(annotation) or annotation
    if not isinstance(kind, type) or kind.__module__ == "builtins":
        return
    yield kind
    subclasses: list[type] = kind.__subclasses__()
    for subclass in subclasses:
        yield from _classes(subclass, seen)
    if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
        for hint in _hints(kind):
            yield from _classes(hint, seen)


def _hints(kind: type) -> list[object]:
    try:
        return list(typing.get_type_hints(kind).values())
    except Exception:  # noqa: BLE001 - as for a return annotation
        return []
