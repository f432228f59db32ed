"""Options are checked, and a name that nobody knows is an error or a warning that helps."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

import vcr_llm
from vcr_llm._config import known_options, refuse_unknown, unknown_options
from vcr_llm._options import NAMES, Options

GOOD: list[tuple[str, Any, Any]] = [
    ("ignore", ["metadata", "messages[*].name"], (("metadata",), ("messages", "*", "name"))),
    ("ignore", "metadata", (("metadata",),)),
    ("normalize", False, False),
    ("keep_request_headers", ["x-*"], ("x-*",)),
    ("keep_response_headers", "date", ("date",)),
    ("redact", [re.compile("a"), "b"], (re.compile("a"), "b")),
    ("redact", re.compile("a"), (re.compile("a"),)),
    ("layout", "flat", "flat"),
    ("timing", False, False),
    ("replay_speed", None, None),
    ("on_unplayed", "fail", "fail"),
    ("max_age", None, None),
    ("on_expiry", "warn", "warn"),
    ("max_age", timedelta(hours=3), timedelta(hours=3)),
    ("max_age", 3, timedelta(days=3)),
    ("on_expiry", "rerecord", "rerecord"),
]

WRONG: list[tuple[str, Any, str]] = [
    ("ignore", 3, "ignore should be a list of paths such as"),
    ("ignore", [3], "ignore should be a list of paths such as"),
    ("ignore", ["a["], "is no path"),
    ("normalize", "no", "normalize should be True or False, not 'no'"),
    ("normalize", 1, "normalize should be True or False"),
    ("keep_request_headers", None, "should be a list of strings or regular expressions"),
    ("keep_response_headers", [1], "should be a list of strings or regular expressions"),
    ("redact", 5, "redact should be a list of strings or regular expressions"),
    ("layout", "tree", "layout should be 'directory' or 'flat', not 'tree'"),
    ("timing", None, "timing should be True or False"),
    ("replay_speed", 0, "replay_speed should be None or a number above 0"),
    ("replay_speed", True, "replay_speed should be None or a number above 0"),
    ("replay_speed", "fast", "replay_speed should be None or a number above 0"),
    ("on_unplayed", "explode", "on_unplayed should be 'ignore' or 'warn' or 'fail'"),
    ("max_age", "3d", "max_age should be None, a timedelta or a number of days"),
    ("max_age", True, "max_age should be None, a timedelta or a number of days"),
    ("on_expiry", None, "on_expiry should be 'warn' or 'fail' or 'rerecord'"),
]

HOSTS = [
    *["record_mode", "match_on", "filter_headers", "before_record_request", "cassette_library_dir"],
    *["additional_matchers", "allow_playback_repeats", "allowed_hosts", "before_record", "path"],
    *["filter_sensitive_data", "drop_unused_requests", "skip_patchers", "record_on_exception"],
]


@pytest.mark.parametrize(("name", "given", "kept"), GOOD)
def test_an_option_is_kept(name: str, given: Any, kept: Any) -> None:
    """Each option takes what its description says."""
    assert getattr(Options.of({name: given, "record_mode": "none"}), name) == kept
    assert vcr_llm.config(**{name: given})[name] is given


@pytest.mark.parametrize(("name", "given", "message"), WRONG)
def test_a_wrong_value_is_refused(name: str, given: Any, message: str) -> None:
    """The error names the option and what it can be; it is a ValueError, too."""
    with pytest.raises(vcr_llm.ConfigurationError, match=re.escape(message)):
        vcr_llm.config(**{name: given})
    with pytest.raises(ValueError, match=name):
        Options.of({name: given})


@pytest.mark.parametrize("name", [*HOSTS, *NAMES])
def test_every_option_of_the_hosts_is_known(name: str) -> None:
    """Options of vcrpy and pytest-recording pass through."""
    assert name in known_options()
    refuse_unknown([name])


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("normalise", "normalize"), ("ignores", "ignore"), ("recordmode", "record_mode")],
)
def test_an_unknown_option_is_refused_with_the_nearest_known_one(name: str, nearest: str) -> None:
    """A slip of the pen is met with what was probably meant."""
    with pytest.raises(
        vcr_llm.ConfigurationError, match=f"'{name}' is not an option .*'{nearest}'"
    ):
        vcr_llm.config(**{name: True})


def test_an_option_that_resembles_none_is_met_with_a_list() -> None:
    """Where nothing is near, our own options are named."""
    (sentence,) = unknown_options(["zzzzzzzzzz", "normalize"])
    assert "ours are: ignore, normalize" in sentence


def test_config_is_a_plain_dictionary() -> None:
    """It may be merged, changed and printed like any vcr_config."""
    config = vcr_llm.config(normalize=False, match_on=["method"])
    assert config == {"serializer": "llm", "match_on": ["method"], "normalize": False}
    assert vcr_llm.config()["match_on"] == [
        *("method", "scheme", "host", "port", "path", "query"),
        "llm_body",
    ]
