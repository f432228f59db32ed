"""``vcr_llm.recorded_tool``: a function whose calls are recorded and replayed like requests.

It decorates functions of applications, so it costs next to nothing where no cassette is open:
what records and replays is imported when one is.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import aclosing
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, overload

from vcr_llm._errors import ConfigurationError
from vcr_llm._open_cassettes import innermost
from vcr_llm._tool_signature import Tool
from vcr_llm._tools_at_work import is_tools_own

if TYPE_CHECKING:
    from vcr_llm._tool_run import ToolRun

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def recorded_tool(function: Function, /) -> Function: ...
@overload
def recorded_tool(
    *,
    provider: str | None = None,
    name: str | None = None,
    exclude: Sequence[str] = (),
    raises: Sequence[type[Exception]] = (),
) -> Callable[[Function], Function]: ...
def recorded_tool(
    function: Any = None,
    /,
    *,
    provider: str | None = None,
    name: str | None = None,
    exclude: Sequence[str] = (),
    raises: Sequence[type[Exception]] = (),
) -> Any:
    """Have the calls of a function recorded and replayed inside a cassette.

    A call is known by ``provider`` (where the function is defined, unless given), ``name`` (the
    function's) and its arguments, without those that ``exclude`` names. ``raises`` are exceptions
    of your own that a replay may raise again. Outside a cassette the function is just called.
    """
    left_out, own = _names(exclude), _exceptions(raises)

    def decorate(target: Any) -> Any:
        if isinstance(target, staticmethod | classmethod):
            return type(target)(decorate(target.__func__))
        tool = Tool(
            target,
            provider=provider or getattr(target, "__module__", None) or "",
            name=name or _name_of(target),
            exclude=left_out,
            raises=own,
        )
        return wraps(target)(_wrapper_of(target)(target, tool))

    return decorate if function is None else decorate(function)


def _wrapper_of(function: Any) -> Callable[[Any, Tool], Any]:
    """What stands in for a function: one of the same kind, as frameworks look at it."""
    if inspect.isasyncgenfunction(function):
        return _async_generator
    if inspect.isgeneratorfunction(function):
        return _generator
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object whose calls are coroutines
    )
    return _coroutine if is_async else _function


def _function(function: Callable[..., Any], tool: Tool) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> Any:
        run = _run_of(tool, arguments, keywords)
        if run is None:
            return function(*arguments, **keywords)
        if run.is_recorded:
            return run.items() if run.is_streaming else run.value()
        return run.record(lambda: function(*arguments, **keywords))

    return call


def _coroutine(function: Callable[..., Any], tool: Tool) -> Callable[..., Any]:
    async def call(*arguments: Any, **keywords: Any) -> Any:
        run = _run_of(tool, arguments, keywords)
        if run is None:
            return await function(*arguments, **keywords)
        if run.is_recorded:
            return run.async_items() if run.is_streaming else run.value()
        return await run.record_async(lambda: function(*arguments, **keywords))

    return call


def _generator(function: Callable[..., Any], tool: Tool) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> Generator[Any, Any, Any]:
        run = _run_of(tool, arguments, keywords)
        if run is None:
            return (yield from function(*arguments, **keywords))
        if run.is_recorded:
            return (yield from run.items())
        return (yield from run.record_items(function(*arguments, **keywords)))

    return call


def _async_generator(function: Callable[..., Any], tool: Tool) -> Callable[..., Any]:
    async def call(*arguments: Any, **keywords: Any) -> AsyncIterator[Any]:
        run = _run_of(tool, arguments, keywords)
        if run is None:
            items = function(*arguments, **keywords)
        elif run.is_recorded:
            items = run.async_items()
        else:
            items = run.record_async_items(function(*arguments, **keywords))
        async with aclosing(items):
            async for item in items:
                yield item

    return call


def _run_of(tool: Tool, arguments: Sequence[Any], keywords: dict[str, Any]) -> ToolRun | None:
    """The call in the cassette that is open; None where the function is just called."""
    cassette = innermost()
    if cassette is None or is_tools_own(cassette):
        return None
    call = tool.call(arguments, keywords)
    if call is None:  # the function says best what is wrong with the arguments
        return None
    from vcr_llm._tool_run import ToolRun

    return ToolRun(cassette, tool, call)


def _name_of(function: Any) -> str:
    found = getattr(function, "__name__", None)
    if not callable(function) or not isinstance(found, str):
        what = "has no name" if callable(function) else "is no function"
        msg = f"recorded_tool: {function!r} {what}; give it one: recorded_tool(name=...)"
        raise ConfigurationError(msg)
    return found


def _names(names: Sequence[str]) -> tuple[str, ...]:
    found = (names,) if isinstance(names, str) else tuple(names)
    if not all(isinstance(name, str) for name in found):
        msg = f"recorded_tool: exclude should be names of arguments, not {names!r}"
        raise ConfigurationError(msg)
    return found


def _exceptions(kinds: Any) -> tuple[type[Exception], ...]:
    found = (kinds,) if isinstance(kinds, type) else tuple(kinds)
    if not all(isinstance(kind, type) and issubclass(kind, Exception) for kind in found):
        msg = f"recorded_tool: raises should be classes of exceptions, not {kinds!r}"
        raise ConfigurationError(msg)
    return found
