"""What docs/streams.md says is so; tests/docs runs its examples."""

from __future__ import annotations

from pathlib import Path

import pytest

import vcr_llm
from tests.test_ending import ENDINGS
from vcr_llm._options import Options

PAGE = (Path(__file__).parents[2] / "docs/streams.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["timing", "replay_speed", "record_errors"])
def test_options_have_the_default_that_the_page_names(name: str) -> None:
    """The table is that of the code."""
    assert f"| `{name}` | `{getattr(Options(), name)}` |" in PAGE


@pytest.mark.parametrize("value", [row[1] for row in ENDINGS], ids=range(len(ENDINGS)))
def test_every_kind_of_ending_is_on_the_page(value: dict[str, object]) -> None:
    """Each key that a recording may have in `ended`, and who is named by it."""
    assert f'"by": "{value["by"]}"' in PAGE
    assert all(f'"{key}"' in PAGE for key in set(value) - {"message"})


def test_the_errors_that_the_page_names_are_there() -> None:
    """`RecordingEnds` is public."""
    assert "`vcr_llm.RecordingEnds`" in PAGE
    assert issubclass(vcr_llm.RecordingEnds, vcr_llm.RecordingError)
