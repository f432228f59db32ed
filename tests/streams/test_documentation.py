"""What docs/streams.md says is so: its examples run, its table of options is that of the code."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import vcr_llm
from tests.servers.fault_server import FaultServer
from tests.streams.callers import LIBRARIES, documents
from tests.streams.stream_server import events, stream
from tests.test_ending import ENDINGS
from vcr_llm._options import Options

PAGE = (Path(__file__).parents[2] / "docs/streams.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(example: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **names: str) -> None:
    """Run an example in a folder, with the names that it takes for granted."""
    monkeypatch.chdir(folder)
    (folder / "example.py").write_text(example, "utf-8")
    runpy.run_path(str(folder / "example.py"), init_globals=names)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_example_of_timing_runs(
    library: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It records once, and replays event by event."""
    pytest.importorskip(library)
    with FaultServer(stream(events(3))) as server:
        run(EXAMPLES[0].replace("httpx", library), tmp_path, monkeypatch, url=server.url)
        assert len(server.requests) == 1
    assert capsys.readouterr().out.splitlines() == [str(event) for event in events(3)]
    (document,) = documents(tmp_path / "cassettes/slow")
    assert len(document["response"]["timing"]) == 3


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_example_of_errors_runs(
    library: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It records an error, and meets it again."""
    pytest.importorskip(library)
    for _ in range(2):
        run(EXAMPLES[1].replace("httpx", library), tmp_path, monkeypatch)
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    (document,) = documents(tmp_path / "cassettes/unreachable")
    assert document["response"]["ended"]["before_response"] is True


def test_there_are_no_other_examples() -> None:
    """Each is run above."""
    assert len(EXAMPLES) == 2


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
