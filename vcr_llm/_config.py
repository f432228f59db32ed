"""``vcr_llm.config``: the ``vcr_config`` dictionary of pytest-recording."""

from __future__ import annotations

from typing import Any

SERIALIZER = "llm"
HOST_MATCH_ON = ("method", "scheme", "host", "port", "path", "query")
DEFAULT_MATCH_ON = (*HOST_MATCH_ON, "llm_body")


def config(**options: Any) -> dict[str, Any]:
    """The ``vcr_config`` that makes a test's cassette a directory of recordings.

    Takes our options and every one of vcrpy and pytest-recording; the dictionary may be merged
    with others. Raises ConfigurationError, a ValueError, for an option that does not exist, with
    the nearest one that does, and for one of ours with a wrong value.
    """
    from vcr_llm._options import Options, refuse_unknown

    refuse_unknown(options)
    Options.of(options)
    return {"serializer": SERIALIZER, "match_on": list(DEFAULT_MATCH_ON), **options}
