"""``vcr_llm.cassette_fixture``: a cassette for a module's or a session's fixtures.

pytest-recording opens cassettes for tests alone, so that what a fixture of a wider scope requests
is not recorded (pytest-recording 0.14.1; its issues 75 and 76).
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from vcr_llm._config import SERIALIZER, unknown_options
from vcr_llm._errors import ConfigurationError, VcrLlmWarning
from vcr_llm._modes import LIVE, mode_from_environment, mode_word
from vcr_llm._test_names import name_in_command

if TYPE_CHECKING:
    from vcr_llm._cassette import RecordingCassette


@dataclass(slots=True, eq=False)
class _Told:
    """A fixture's cassette while it is open, and how many of its misses were told."""

    cassette: RecordingCassette
    count: int = 0


_OPEN = pytest.StashKey[list[_Told]]()

Scope = Literal["session", "package", "module", "class", "function"]


def cassette_fixture(name: str, scope: Scope = "session", **options: Any) -> Any:
    """A fixture that opens the cassette ``name`` for its scope, for other fixtures to record into.

    It has the project's ``vcr_config``, in which ``options`` replace single keys, and the mode of
    the run; its value is the cassette, or None where recording is off. The cassette is a
    directory below ``cassettes`` beside the file that calls this function: ``cassettes/NAME`` for
    a ``conftest.py``, ``cassettes/MODULE/NAME`` for any other module. Its recordings belong to no
    test, so their ``test_id`` is null. A marked test's own requests go to the test's cassette.

    In the mode ``rewrite`` a new answer replaces the old one to the same request, and what nobody
    asks for stays: the run may be of a few tests only. That happens when the scope ends, unless a
    test has failed meanwhile.

    The fixture raises ConfigurationError, a ValueError, where ``vcr_config`` has a narrower scope
    and needs other fixtures.
    """
    caller = Path(sys._getframe(1).f_globals["__file__"])
    folder = caller.parent / "cassettes"
    path = (folder if caller.name == "conftest.py" else folder / caller.stem) / name

    @pytest.fixture(scope=scope)
    def cassette(request: pytest.FixtureRequest) -> Iterator[RecordingCassette | None]:
        opened_ones = request.config.stash.setdefault(_OPEN, [])
        with _opened(request, path, options) as opened:
            if opened is None:
                yield None
                return
            told = _Told(opened)
            opened_ones.append(told)
            yield opened
            opened_ones.remove(told)

    return cassette


def take_misses(config: pytest.Config) -> str:
    """A text about the requests to fixtures' cassettes without a recording, each told once."""
    found: list[str] = []
    for told in config.stash.get(_OPEN, ()):
        found += told.cassette.misses[told.count :]
        told.count = len(told.cassette.misses)
    return "\n\n".join(found)


def _opened(
    request: pytest.FixtureRequest, path: Path, options: Mapping[str, Any]
) -> AbstractContextManager[RecordingCassette | None]:
    """The cassette's context, or one without a cassette where recording is off."""
    merged = {**_configuration(request), **options}
    mode = _record_mode(request, merged)
    if mode is None:
        return nullcontext()
    import vcr

    from vcr_llm._plan import Plan
    from vcr_llm._recorder import REWRITE, equip, open_cassette

    for sentence in unknown_options(merged):
        warnings.warn(sentence, VcrLlmWarning, stacklevel=2)
    if mode == REWRITE:
        merged |= {"record_on_exception": False}
        mode = "all"
    host = vcr.VCR(serializer=SERIALIZER)
    equip(host)
    request.config.hook.pytest_recording_configure(config=request.config, vcr=host)
    session, failed_before = request.session, request.session.testsfailed
    plan = Plan(
        opened_for=request._pyfuncitem.nodeid,
        name_in_command=name_in_command(request._pyfuncitem),
        has_failed=lambda: session.testsfailed > failed_before or bool(session.exitstatus),
    )
    merged |= {"path": str(path), "record_mode": mode, "serializer": SERIALIZER}
    context: AbstractContextManager[RecordingCassette]
    context = open_cassette(host, host._use_cassette, merged, lambda: plan)
    return context


def _record_mode(request: pytest.FixtureRequest, merged: Mapping[str, Any]) -> str | None:
    """The mode as a test of the same configuration has it; None where recording is off."""
    if request.config.getoption("--disable-recording", default=True):
        return None
    asked: str | None = request.config.getoption("--record-mode")
    if "record_mode" in merged:
        return str(getattr(merged["record_mode"], "value", merged["record_mode"]))
    if asked is None and mode_word() == LIVE:
        return None
    return asked or mode_from_environment() or "none"


def _configuration(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The project's ``vcr_config``, also where its scope is narrower than the fixture's.

    pytest-recording's own default has the scope of a function, and so have most of those that
    projects write; what such a fixture gives does not depend on the test unless it asks for one.
    """
    # The only way to a fixture of a narrower scope (pytest 8.2 to 9.2).
    item = request._pyfuncitem
    definitions = request._fixturemanager.getfixturedefs("vcr_config", item)
    if not definitions:  # pytest-recording is switched off
        return {}
    definition = definitions[-1]
    if _is_as_wide(definition.scope, request.scope):
        return dict(request.getfixturevalue("vcr_config"))
    if definition.argnames or inspect.isgeneratorfunction(definition.func):
        msg = (
            f"vcr_config has the scope of a {definition.scope}, and the cassette_fixture "
            f"{request.fixturename} that of a {request.scope}, which needs it. Give vcr_config "
            f'scope="{request.scope}".'
        )
        raise ConfigurationError(msg)
    return dict(definition.func())


_SCOPES = ("function", "class", "module", "package", "session")


def _is_as_wide(one: str, other: str) -> bool:
    return _SCOPES.index(one) >= _SCOPES.index(other)
