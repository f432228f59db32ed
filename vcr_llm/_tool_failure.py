"""An exception that a tool raised <-> what a recording says of it.

Nothing is imported because a recording names it: what is raised again is a built-in exception, one
of those that the tool's author names, or `RecordedToolError`.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from vcr_llm._errors import ConfigurationError, MalformedRecording, RecordedToolError
from vcr_llm._tool_call import ToolFailure
from vcr_llm._tool_values import as_labelled, label_of, restored


def failure_of(error: Exception) -> ToolFailure:
    """What is recorded of an exception: its type's name, its message, and what it was made of.

    The arguments are there only where the message alone would not make it again.
    """
    kind = type(error)
    name = kind.__name__ if kind.__module__ == builtins.__name__ else label_of(kind)
    message = str(error)
    made_of = error.__reduce__()[1]  # an OSError has more than its `args`
    if not isinstance(made_of, tuple) or made_of in ((message,), ()):
        return ToolFailure(name, message)
    try:
        arguments = as_labelled(list(made_of), "arguments")
    except ConfigurationError:
        return ToolFailure(name, message)
    return ToolFailure(name, message, arguments if isinstance(arguments, list) else None)


def raised_again(failure: ToolFailure, own: Sequence[type[Exception]] = ()) -> Exception:
    """The exception to raise on replay; ``own`` are those that the tool's author names."""
    kind = _kind(failure.type_name, own)
    if kind is not None:
        for arguments in _arguments(failure):
            error = _made(kind, arguments)
            if error is not None and str(error) == failure.message:
                return error
        if kind in own:  # its construction wants something that nobody recorded
            error = kind.__new__(kind, failure.message)
            error.args = (failure.message,)
            return error
    return RecordedToolError(failure.type_name, failure.message)


def _kind(name: str, own: Sequence[type[Exception]]) -> type[Exception] | None:
    for kind in own:
        if name in (label_of(kind), kind.__name__):
            return kind
    found = vars(builtins).get(name)
    return found if isinstance(found, type) and issubclass(found, Exception) else None


def _arguments(failure: ToolFailure) -> list[list[object]]:
    """What the exception may be made of: what it was made of, its message, nothing."""
    plain: list[list[object]] = [[failure.message], []]
    if failure.arguments is None:
        return plain
    try:
        return [restored(list(failure.arguments), {}), *plain]
    except MalformedRecording:
        return plain


def _made(kind: type[Exception], arguments: Sequence[object]) -> Exception | None:
    try:
        return kind(*arguments)
    except Exception:  # noqa: BLE001 - somebody's construction, which may want anything
        return None
