"""What docs/tools.md says beside the project that tests/docs follows."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import vcr_llm

PAGE = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
EXAMPLES = [
    source
    for source in re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    if not source.startswith("# ")
]


def test_the_examples_that_are_no_files_record_and_replay(tmp_path: Path) -> None:
    """What is excluded is not recorded, what is named is raised again."""

    class Database:
        def execute(self, _statement: str, parameters: list[str]) -> list[dict[str, str]]:
            return [{"customer": parameters[0]}]

    assert len(EXAMPLES) == 2
    names: dict[str, Any] = {"__name__": "examples"}
    for source in EXAMPLES:
        exec(source, names)  # noqa: S102 - the examples of the page
    for mode in ("once", "none"):
        with vcr_llm.use_cassette(tmp_path / "c", record_mode=mode):
            assert names["find_orders"](Database(), "Ann") == [{"customer": "Ann"}]
            with pytest.raises(names["RateLimited"], match="too many requests for tea"):
                names["news"]("tea")


def test_the_arguments_of_the_decorator_are_these() -> None:
    """Those of the table."""
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    parameters = inspect.signature(vcr_llm.recorded_tool).parameters.values()
    assert rows == [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
