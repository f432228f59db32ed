"""Record and replay LLM traffic in tests: vcrpy cassettes as directories of readable JSON.

Everything is imported when it is first used, since the pytest plugin is loaded in every run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcr_llm import matchers, persister, serializer
    from vcr_llm._config import config
    from vcr_llm._errors import (
        ConfigurationError,
        MalformedRecording,
        RecordedToolError,
        RecordingEnds,
        RecordingError,
        RecordingExpired,
        RecordingNotSaved,
        VcrLlmError,
        VcrLlmWarning,
    )
    from vcr_llm._fixtures import cassette_fixture
    from vcr_llm._recorder import VCR, use_cassette
    from vcr_llm._tools import recorded_tool

__all__ = [
    "VCR",
    "ConfigurationError",
    "MalformedRecording",
    "RecordedToolError",
    "RecordingEnds",
    "RecordingError",
    "RecordingExpired",
    "RecordingNotSaved",
    "VcrLlmError",
    "VcrLlmWarning",
    "cassette_fixture",
    "config",
    "matchers",
    "persister",
    "recorded_tool",
    "serializer",
    "use_cassette",
]

__version__ = "0.1.0"

_HOMES = {
    "VCR": "_recorder",
    "ConfigurationError": "_errors",
    "MalformedRecording": "_errors",
    "RecordedToolError": "_errors",
    "RecordingEnds": "_errors",
    "RecordingError": "_errors",
    "RecordingExpired": "_errors",
    "RecordingNotSaved": "_errors",
    "VcrLlmError": "_errors",
    "VcrLlmWarning": "_errors",
    "cassette_fixture": "_fixtures",
    "config": "_config",
    "recorded_tool": "_tools",
    "use_cassette": "_recorder",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        msg = f"module 'vcr_llm' has no attribute {name!r}"
        raise AttributeError(msg)
    home = _HOMES.get(name)
    if home is None:
        return importlib.import_module(f"vcr_llm.{name}")
    return getattr(importlib.import_module(f"vcr_llm.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
