"""A test's report without secrets.

pytest prints the arguments of the innermost function, and vcrpy's and httpx's innermost functions
have the request as an argument: its URL with the key in the query, its body with all it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vcr_llm._redaction import Redaction


def redact_report(report: pytest.TestReport, redaction: Redaction) -> None:
    """Take what is a secret by its shape out of the report's text, in place."""
    clean = redaction.text
    report.sections = [(title, clean(text)) for title, text in report.sections]
    shown: Any = report.longrepr
    if isinstance(shown, str):
        report.longrepr = clean(shown)
        return
    for traceback, crash, _description in getattr(shown, "chain", ()):
        _clean_traceback(traceback, clean)
        if crash is not None:
            crash.message = clean(crash.message)
    if hasattr(shown, "sections"):
        shown.sections = [(title, clean(text), line) for title, text, line in shown.sections]
    # pytest keeps the last of the chain a second time, for the short summary.
    crash = getattr(shown, "reprcrash", None)
    if crash is not None:
        crash.message = clean(crash.message)


def _clean_traceback(traceback: Any, clean: Callable[[str], str]) -> None:
    """The lines of a ``ReprTraceback``, with the arguments and locals that it may show."""
    for entry in traceback.reprentries:
        entry.lines = [clean(line) for line in entry.lines]
        arguments = getattr(entry, "reprfuncargs", None)
        if arguments is not None:
            arguments.args = [(name, clean(str(value))) for name, value in arguments.args]
        local_variables = getattr(entry, "reprlocals", None)
        if local_variables is not None:
            local_variables.lines = [clean(line) for line in local_variables.lines]
