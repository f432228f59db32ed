"""``vcr-llm ls``: what cassettes there are and what is in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import terminal
from tests.cli.test_show import OURS, document, saved
from tests.cli.trees import summary_of, tree
from vcr_llm.cli import _jobs, ls, main
from vcr_llm.cli._conversation_text import readable_size

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ages are told as of one moment."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return NOW

    monkeypatch.setattr(ls, "datetime", Clock)


def recorded(prompt: str, when: str = "2026-01-01T00:00:00Z", **more: Any) -> dict[str, Any]:
    """A recording with its tokens."""
    found = document(prompt, **more)
    found["response"]["body"]["usage"] = {"prompt_tokens": 1000, "completion_tokens": 234}
    return {**found, "recorded_at": when}


def embedding() -> dict[str, Any]:
    """A recording that names no tokens and no time."""
    found = document("x", model="text-embedding-3-small")
    found["request"] |= {
        "endpoint": "/v1/embeddings",
        "url": "https://api.openai.com/v1/embeddings",
    }
    del found["recorded_at"]
    return found


def listed(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[list[str]]:
    """The cells of each row."""
    capsys.readouterr()
    assert main(["ls", *map(str, arguments)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return [line.split("\t") for line in printed.out.splitlines()]


def sizes(directory: Path) -> int:
    """The bytes in a directory."""
    return sum(map(len, tree(directory).values()))


def test_a_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each cassette, then their sum, in columns with tabs between."""
    saved(
        tmp_path / "a/test_x",
        recorded("one"),
        recorded("two", "2026-06-29T12:00:00Z", model="o4-mini"),
    )
    saved(tmp_path / "b/test_y", embedding())
    size, more = (readable_size(sizes(tmp_path / name)) for name in ("a", "b"))
    whole = readable_size(sizes(tmp_path))
    assert listed(capsys, tmp_path) == [
        ["cassette", "requests", "tokens", "size", "age", "models", "endpoints"],
        [
            str(tmp_path / "a/test_x"),
            "2",
            "2,468",
            size,
            "6 months",
            "gpt-4o, o4-mini",
            "/v1/chat/completions",
        ],
        [
            str(tmp_path / "b/test_y"),
            "1",
            "—",
            more,
            "—",
            "text-embedding-3-small",
            "/v1/embeddings",
        ],
        [
            "total: 2",
            "3",
            "2,468",
            whole,
            "6 months",
            "gpt-4o, o4-mini, text-embedding-3-small",
            "/v1/chat/completions, /v1/embeddings",
        ],
    ]


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The numbers as such, and when the oldest and the newest were recorded."""
    saved(tmp_path / "test_x", recorded("one"), recorded("two", "2026-06-29T12:00:00Z"))
    found = summary_of(capsys, "ls", tmp_path)
    members = {
        "requests": 2,
        "models": ["gpt-4o"],
        "endpoints": ["/v1/chat/completions"],
        "input_tokens": 2000,
        "output_tokens": 468,
        "size": sizes(tmp_path),
        "oldest": "2026-01-01T00:00:00Z",
        "newest": "2026-06-29T12:00:00Z",
    }
    assert found == {
        "status": 0,
        "cassettes": [{"path": str(tmp_path / "test_x"), **members}],
        "total": {"cassettes": 1, **members},
        "failed": [],
    }


def test_cassettes_are_looked_for_where_they_usually_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In "cassettes", or where there is none below the current directory."""
    monkeypatch.chdir(tmp_path)
    assert len(listed(capsys)) == 2
    saved(tmp_path / "tests/cassettes/test_x", recorded("one"))
    assert listed(capsys)[1][0] == "tests/cassettes/test_x"
    saved(tmp_path / "cassettes/test_y", recorded("one"))
    assert [row[0] for row in listed(capsys)] == ["cassette", "cassettes/test_y", "total: 1"]


def test_a_cassette_and_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is named is listed, even if it stands in a row twice."""
    first, _second = saved(tmp_path, recorded("one"), recorded("two"))
    rows = listed(capsys, tmp_path, first)
    assert [row[:2] for row in rows[1:-1]] == [[str(tmp_path), "2"], [str(first), "1"]]


def test_cassettes_in_cassettes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory of recordings may hold others."""
    saved(tmp_path, recorded("one"))
    saved(tmp_path / "inner", recorded("two"))
    assert [row[0] for row in listed(capsys, tmp_path)[1:-1]] == [
        str(tmp_path),
        str(tmp_path / "inner"),
    ]


def test_the_projects_own_cassettes(capsys: pytest.CaptureFixture[str]) -> None:
    """As many as there are directories."""
    found = summary_of(capsys, "ls", OURS)
    assert found["total"]["cassettes"] == len(list(OURS.iterdir()))
    assert found["total"]["models"] == ["gpt-4o", "text-embedding-3-small"]


def test_many_names_are_cut_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A flat directory may hold dozens; programs get them all."""
    saved(tmp_path, *(recorded("x", model=f"m{number}") for number in range(6)))
    assert listed(capsys, tmp_path)[1][5] == "m0, m1, m2, m3 and 2 more"
    assert len(summary_of(capsys, "ls", tmp_path)["total"]["models"]) == 6


def test_broken_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are listed; exit status 1."""
    saved(tmp_path / "test_x", recorded("one"))
    broken = tmp_path / "test_x" / f"{'0' * 64}.json"
    broken.write_text("{")
    assert main(["ls", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{broken}: is not valid JSON: ")
    assert f"{tmp_path / 'test_x'}\t1\t" in printed.out
    assert summary_of(capsys, "ls", tmp_path)["failed"][0]["path"] == str(broken)


def test_what_is_not_ours_is_not_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another JSON file beside the recordings; a directory with nothing else is none."""
    saved(tmp_path / "test_x", recorded("one"))
    (tmp_path / "test_x" / "notes.json").write_text('{"a": 1}')
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "package.json").write_text("{")
    assert [row[:2] for row in listed(capsys, tmp_path)[1:]] == [
        [str(tmp_path / "test_x"), "1"],
        ["total: 1", "1"],
    ]


@pytest.mark.parametrize("at", ["document_in", "recording_files"])
def test_what_may_not_be_read(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file or a directory that is gone, or not for everybody, is named."""
    saved(tmp_path / "test_x", recorded("one"))

    def refused(_path: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ls, at, refused)
    assert main(["ls", str(tmp_path)]) == 1
    assert "cannot be read: Permission denied" in capsys.readouterr().err


def test_many_recordings_are_read_in_several_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """More files than one process reads, in one cassette and its sum."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    count = _jobs._WORTH_PROCESSES
    saved(tmp_path, *(recorded(f"prompt {number}") for number in range(count)))
    assert listed(capsys, tmp_path)[1][1:3] == [str(count), f"{count * 1234:,}"]


def test_a_terminal_gets_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Columns, a bold head and sum; no cell is cut, whatever the width."""
    saved(tmp_path / "test_[bold]x", recorded("one"))
    monkeypatch.setenv("COLUMNS", "20")
    screen = terminal(monkeypatch)
    assert main(["ls", str(tmp_path)]) == 0
    text = screen.getvalue()
    assert f"\n{tmp_path / 'test_[bold]x'}         1   1,234  " in text
    assert "\x1b[1mcassette" in text
    assert "\x1b[1mtotal: 1" in text
    assert "Reading" in text  # the progress bar, which is gone afterwards


def test_hostile_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tabs and control characters of a path make neither cells nor colours."""
    saved(tmp_path / "a\tb\x1b[31m", recorded("one", model="\x1b[2J"))
    row = listed(capsys, tmp_path)[1]
    assert len(row) == 7
    assert row[0].endswith(r"a b\x1b[31m")
    assert row[5] == r"\x1b[2J"


def test_secrets_in_names_are_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recording that was edited by hand, or converted with --verbatim."""
    secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    found = recorded("one", model=secret)
    found["request"]["endpoint"] = f"/v1/{secret}"
    saved(tmp_path, found)
    assert listed(capsys, tmp_path)[1][5:] == ["REDACTED", "/v1/REDACTED"]


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (timedelta(days=-1), "0 min"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=59), "59 days"),
        (timedelta(days=60), "2 months"),
        (timedelta(days=729), "24 months"),
        (timedelta(days=730), "2 years"),
    ],
)
def test_ages(passed: timedelta, expected: str) -> None:
    """In the largest unit of which there are two."""
    assert ls.age((NOW - passed).isoformat(), NOW) == expected


@pytest.mark.parametrize("recorded_at", [None, "", "yesterday", "2026-13-01T00:00:00Z"])
def test_an_age_that_is_not_known(recorded_at: str | None) -> None:
    """Where there is no time, or none that makes sense."""
    assert ls.age(recorded_at, NOW) == "—"


def test_a_time_without_a_zone_is_utc() -> None:
    """As `convert` finds them in old cassettes."""
    assert ls.age("2026-06-29T12:00:00", NOW) == "2 days"


def test_json_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list, and a sum of nothing."""
    assert main(["ls", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["cassettes"], found["total"]["requests"], found["total"]["oldest"]) == (
        [],
        0,
        None,
    )
