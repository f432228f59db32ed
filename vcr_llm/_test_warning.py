"""Warnings about a test that has passed."""

from __future__ import annotations

import warnings

import pytest

from vcr_llm._errors import VcrLlmWarning


def warn_of(item: pytest.Item, text: str) -> None:
    """List a warning in pytest's summary of them, with the test that it is about.

    The project's filters can ignore it. None can make the test fail of it: projects make errors
    of all warnings, and a test that has passed did what it is there for.
    """
    path, line, _name = item.location
    warning = VcrLlmWarning(text)
    try:
        warnings.warn_explicit(warning, None, path, (line or 0) + 1)
    except VcrLlmWarning:
        recorded = warnings.WarningMessage(warning, VcrLlmWarning, path, (line or 0) + 1)
        item.ihook.pytest_warning_recorded.call_historic(
            kwargs={
                "warning_message": recorded,
                "nodeid": item.nodeid,
                "when": "runtest",
                "location": None,
            }
        )
