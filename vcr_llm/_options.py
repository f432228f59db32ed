"""The options of our own, beside vcrpy's in the same dictionary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Literal

from vcr_llm._errors import ConfigurationError
from vcr_llm._headers import Pattern
from vcr_llm._request_key import IgnoredPath, parse_ignored_path


@dataclass(frozen=True, slots=True)
class Options:
    """What a cassette of ours can be told beyond what vcrpy knows.

    The text below each is its meaning in README.md and docs/options.md.
    """

    ignore: tuple[IgnoredPath, ...] = ()
    """Paths in the JSON body that matching leaves out, such as `messages[*].name`."""
    normalize: bool = True
    """Make ids and times of completions constant, so that recording again changes no file
    needlessly.
    """
    keep_request_headers: tuple[Pattern, ...] = ()
    """Names or patterns of request headers to keep; none is kept otherwise."""
    keep_response_headers: tuple[Pattern, ...] = ()
    """Names or patterns of response headers to keep that are left out otherwise."""
    redact: tuple[Pattern, ...] = ()
    """More strings or regular expressions to redact; the built-in ones always apply."""
    layout: Literal["directory", "flat"] = "directory"
    """`"directory"`: a directory for each test; `"flat"`: all tests share `vcr_cassette_dir`."""
    timing: bool = False
    """Record when each event of a stream came."""
    replay_speed: float | None = None
    """`None`: events come at once; `1.0`: as recorded with `timing`; `2.0`: twice as fast."""
    record_errors: bool = False
    """Record errors that come instead of a response, such as timeouts, and raise them again."""
    on_unplayed: Literal["ignore", "warn", "fail"] = "ignore"
    """`"warn"` or `"fail"` when a test passes on replay and leaves recordings unplayed."""
    max_age: timedelta | None = None
    """The age, in days or as a timedelta, after which a recording is stale."""
    on_expiry: Literal["warn", "fail", "rerecord"] = "warn"
    """What happens when a stale recording is played; `"rerecord"` where the mode records."""

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Options:
        """Our options out of a configuration that also holds others.

        Raises ConfigurationError where one has a wrong value.
        """
        return cls(**{name: _CHECKS[name](name, config[name]) for name in NAMES if name in config})


NAMES = tuple(field.name for field in fields(Options))
"""The names of our options."""


def _wrong(name: str, value: object, expected: str) -> ConfigurationError:
    return ConfigurationError(f"{name} should be {expected}, not {value!r}")


def _boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "True or False")
    return value


def _patterns(name: str, value: object) -> tuple[Pattern, ...]:
    values = (value,) if isinstance(value, str | re.Pattern) else value
    if not isinstance(values, Iterable):
        raise _wrong(name, value, "a list of strings or regular expressions")
    patterns = tuple(values)
    if not all(isinstance(item, str | re.Pattern) for item in patterns):
        raise _wrong(name, value, "a list of strings or regular expressions")
    return patterns


def _paths(name: str, value: object) -> tuple[IgnoredPath, ...]:
    values = (value,) if isinstance(value, str) else value
    if not isinstance(values, Iterable):
        raise _wrong(name, value, 'a list of paths such as "messages[*].name"')
    paths = tuple(values)
    if not all(isinstance(path, str) for path in paths):
        raise _wrong(name, value, 'a list of paths such as "messages[*].name"')
    return tuple(parse_ignored_path(path) for path in paths)


def _speed(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise _wrong(name, value, "None or a number above 0")
    return float(value)


def _age(name: str, value: object) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return timedelta(days=value)
    raise _wrong(name, value, "None, a timedelta or a number of days")


def _one_of(*words: str) -> Callable[[str, object], Any]:
    def check(name: str, value: object) -> object:
        if value not in words:
            raise _wrong(name, value, " or ".join(map(repr, words)))
        return value

    return check


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "ignore": _paths,
    "normalize": _boolean,
    "keep_request_headers": _patterns,
    "keep_response_headers": _patterns,
    "redact": _patterns,
    "layout": _one_of("directory", "flat"),
    "timing": _boolean,
    "replay_speed": _speed,
    "record_errors": _boolean,
    "on_unplayed": _one_of("ignore", "warn", "fail"),
    "max_age": _age,
    "on_expiry": _one_of("warn", "fail", "rerecord"),
}
