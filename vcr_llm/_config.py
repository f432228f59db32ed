"""``vcr_llm.config``: the ``vcr_config`` dictionary of pytest-recording."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from vcr_llm._errors import ConfigurationError

SERIALIZER = "llm"
HOST_MATCH_ON = ("method", "scheme", "host", "port", "path", "query")
DEFAULT_MATCH_ON = (*HOST_MATCH_ON, "llm_body")


def config(**options: Any) -> dict[str, Any]:
    """The ``vcr_config`` that makes a test's cassette a directory of recordings.

    Takes our options and every one of vcrpy and pytest-recording; the dictionary may be merged
    with others. Raises ConfigurationError, a ValueError, for an option that does not exist, with
    the nearest one that does, and for one of ours with a wrong value.
    """
    from vcr_llm._options import Options

    refuse_unknown(options)
    Options.of(options)
    return {"serializer": SERIALIZER, "match_on": list(DEFAULT_MATCH_ON), **options}


# Keys of the same dictionary that belong to neither vcrpy's signature nor us.
_HOSTS_OTHERS = (
    "additional_matchers",
    "allow_playback_repeats",
    "allowed_hosts",
    "before_record",
    "path",
    "persister",
    "with_current_defaults",
)


def known_options() -> frozenset[str]:
    """Every option that vcrpy, pytest-recording or we know."""
    import inspect

    import vcr

    host = inspect.signature(vcr.VCR.__init__).parameters
    return frozenset({*host, *_HOSTS_OTHERS, *own_names()} - {"self"})


def own_names() -> tuple[str, ...]:
    """The names of our options."""
    from vcr_llm._options import NAMES

    return NAMES


def unknown_options(names: Iterable[str]) -> list[str]:
    """A sentence about each name that nobody knows, with the nearest one that is known."""
    known = known_options()
    return [_unknown(name, known) for name in names if name not in known]


def refuse_unknown(names: Iterable[str]) -> None:
    """Raises ConfigurationError where one of these options does not exist."""
    for sentence in unknown_options(names):
        raise ConfigurationError(sentence)


def _unknown(name: str, known: frozenset[str]) -> str:
    nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"ours are: {', '.join(own_names())}"
    return f"{name!r} is not an option of vcr-llm, vcrpy or pytest-recording; {hint}"
