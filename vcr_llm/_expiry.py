"""What happens to a cassette whose recordings are older than ``max_age``: ``on_expiry``."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vcr_llm._age import Aged, describe_expired, describe_unknown, recorded_at
from vcr_llm._errors import RecordingExpired, VcrLlmWarning

if TYPE_CHECKING:
    import pytest

    from vcr_llm._cassette import RecordingCassette


def judge_age(item: pytest.Item, cassette: RecordingCassette) -> None:
    """Warn of old recordings that a test has played, or fail it."""
    import pytest

    from vcr_llm._test_warning import warn_of

    expired, unknown = _texts(cassette)
    if unknown:
        warn_of(item, unknown)
    if expired and cassette.plan.options.on_expiry == "fail":
        pytest.fail(expired, pytrace=False)
    if expired:
        warn_of(item, expired)


def tell_age(cassette: RecordingCassette) -> None:
    """The same for a cassette that is no test's own.

    Raises RecordingExpired where the user wants a failure.
    """
    expired, unknown = _texts(cassette)
    if unknown:
        warnings.warn(unknown, VcrLlmWarning, stacklevel=4)
    if expired and cassette.plan.options.on_expiry == "fail":
        raise RecordingExpired(expired)
    if expired:
        warnings.warn(expired, VcrLlmWarning, stacklevel=4)


def _texts(cassette: RecordingCassette) -> tuple[str, str]:
    """What is to say of recordings that are too old, and of those whose age is not known."""
    max_age = cassette.plan.options.max_age
    if max_age is None:
        return "", ""
    played = [
        Aged(name, None if recording is None else recorded_at(recording.document))
        for name, recording in cassette.played()
    ]
    expired = describe_expired(played, max_age, datetime.now(UTC))
    unknown = describe_unknown(played)
    return expired and cassette.about(expired), unknown and cassette.about(unknown)
