"""Recordings as a page to read: documents -> the files of a static report.

`page_recording` says all that the page shows of one recording, `report_files` turns many of them
into scripts that the page loads: an index at once, details when they are opened, texts when they
are searched. The page itself stands in `assets`.
"""

from __future__ import annotations

from vcr_llm._report_page.files import ASSETS, Heading, report_files
from vcr_llm._report_page.recording import PageRecording, Source, page_recording

__all__ = [
    "ASSETS",
    "Heading",
    "PageRecording",
    "Source",
    "page_recording",
    "report_files",
]
