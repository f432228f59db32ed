"""The modes of the documented system, in the words of vcrpy and pytest-recording."""

from __future__ import annotations

import os

from vcr_llm._errors import ConfigurationError

VARIABLE = "VCR_LLM_MODE"
LIVE = "live"

_RECORD_MODES = {
    LIVE: None,
    "record": "rewrite",
    "replay": "none",
    "record-if-missing": "new_episodes",
}


def mode_word() -> str | None:
    """The word in ``VCR_LLM_MODE``, None where it is not set.

    Raises ConfigurationError for a word that is none of the four.
    """
    word = os.environ.get(VARIABLE) or None
    if word is not None and word not in _RECORD_MODES:
        msg = f"{VARIABLE} is {word!r}; it can be {', '.join(_RECORD_MODES)}"
        raise ConfigurationError(msg)
    return word


def mode_from_environment() -> str | None:
    """The record mode that ``VCR_LLM_MODE`` asks for, None for ``live`` and where it is not set."""
    word = mode_word()
    return None if word is None else _RECORD_MODES[word]


def mode_problem() -> str | None:
    """What is wrong with ``VCR_LLM_MODE``, if anything."""
    try:
        mode_word()
    except ConfigurationError as error:
        return str(error)
    return None
