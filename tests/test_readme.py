"""The examples of README.md do what it says: the code, the commands, the recording, the miss."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

# Imported here, since pytester forgets what a run of its own was the first to import.
import openai.resources.chat  # noqa: F401
import pytest

import vcr_llm._recorder  # noqa: F401
from tests.servers.openai_server import OpenAIServer

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(
    r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE
)
FRANCE, ITALY = "Is Paris the capital of France?", "Is Rome the capital of Italy?"
RECORD = "--record-mode=new_episodes"
LEFT_OUT = "…"
_QUIETLY = ("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")


def blocks(language: str, containing: str = "") -> list[str]:
    """The code blocks in a language that contain a text."""
    return [text for name, text in BLOCKS if name == language and containing in text]


def file_blocks(name: str) -> list[str]:
    """The Python blocks that begin with a comment that names this file."""
    return [text for text in blocks("python") if text.startswith(f"# {name}\n")]


def pytest_commands() -> list[list[str]]:
    """The lines of the shell blocks that run pytest, as words."""
    lines = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    return [words for words in lines if "pytest" in words]


def table(first_header: str) -> list[list[str]]:
    """The rows of a table, without its head: the cells as Markdown has them."""
    start = README.index(f"| {first_header} |")
    rows = README[start:].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def as_shown(shortened: str) -> re.Pattern[str]:
    """What a text stands for in which `…` leaves something out: lines where it is alone in one."""
    lines = [re.escape(line) + "\n" for line in shortened.splitlines()]
    alone = (line.strip("\\ \n") == LEFT_OUT for line in lines)
    return re.compile(
        "".join(
            r"(?:.*\n)*?" if is_alone else line.replace(LEFT_OUT, ".*")
            for line, is_alone in zip(lines, alone, strict=True)
        )
    )


class Project:
    """A folder with the first conftest.py and the first test of README.md, and a server."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.path = pytester.path
        self.server = OpenAIServer()
        self.write("conftest.py", file_blocks("conftest.py")[0])
        self.write("test_capital.py", file_blocks("test_capital.py")[0])

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        (self.path / name).write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in the project."""
        return self._pytester.runpytest_inprocess(*_QUIETLY, *arguments)

    def record(self, *arguments: str) -> pytest.RunResult:
        """Run pytest while the server is there."""
        with self.server:
            return self.run(*arguments)

    def recordings(self) -> list[Path]:
        """All recordings."""
        return sorted((self.path / "cassettes").rglob("*.json"))


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose server the SDK finds by itself, when it is there."""
    made = Project(pytester)
    with made.server:  # once, so that it has an address, to which it comes back
        monkeypatch.setenv("OPENAI_BASE_URL", made.server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.delenv("VCR_LLM_MODE", raising=False)
    # A test file that is written twice within a second would be taken from the cache.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return made


@pytest.mark.parametrize("words", pytest_commands(), ids=" ".join)
def test_command_does_what_it_says(
    project: Project, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """A command that records makes one recording; one that replays needs no server for it."""
    position = words.index("pytest")
    is_recording = "record" in " ".join(words)
    if not is_recording:
        project.record(RECORD)
    for assignment in words[:position]:
        monkeypatch.setenv(*assignment.split("=", 1))
    run = project.record if is_recording else project.run
    run(*words[position + 1 :]).assert_outcomes(passed=1)
    assert len(project.recordings()) == len(project.server.requests) == 1


def test_recording_is_the_one_that_is_shown(project: Project) -> None:
    """The first test of README.md writes the recording that README.md shows."""
    project.record(RECORD)
    (recording,) = project.recordings()
    assert recording.parent == project.path / "cassettes" / "test_capital" / "test_capital"
    document = json.loads(recording.read_bytes())
    # openai 1 and 2 send the same fields in another order.
    body = document["request"]["body"]
    document["request"]["body"] = {key: body[key] for key in ("model", "stream", "messages")}
    document["recorded_at"] = "2026-11-22T12:00:00Z"
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    text = text.replace(project.server.url, "https://api.openai.com")
    assert as_shown(blocks("json")[0]).fullmatch(text)


def test_miss_is_the_one_that_is_shown(project: Project) -> None:
    """After the change that README.md names, pytest prints the text that README.md shows."""
    project.record(RECORD)
    project.write("test_capital.py", file_blocks("test_capital.py")[0].replace(FRANCE, ITALY))
    printed = project.run().stdout.str().replace(project.server.url, "https://api.openai.com")
    lines = [re.sub(r"^E +", "", line) for line in printed.splitlines()]
    lines = [re.sub(r"^[\w.]+: (?=No recording)", "", line) for line in lines]
    (shown,) = blocks("text", "No recording answers")
    unindented = "\n".join(line.strip() for line in shown.splitlines())
    assert as_shown(unindented).search("\n".join(line.strip() for line in lines) + "\n")


def test_options_work_in_the_project_that_is_shown(project: Project) -> None:
    """The conftest and the mark of the section on options are accepted and take effect."""
    project.write("conftest.py", file_blocks("conftest.py")[1])
    project.write("test_account.py", file_blocks("test_account.py")[0])
    project.record(RECORD, "test_account.py").assert_outcomes(passed=1)
    project.run("test_account.py", "--block-network").assert_outcomes(passed=1)
    (recording,) = project.recordings()
    response = json.loads(recording.read_bytes())["response"]
    assert response["headers"] == {"openai-version": "2020-10-01"}
    assert response["body"]["__data__"]["id"].startswith("chatcmpl-")
    assert "ACME-4711" not in recording.read_text(encoding="utf-8")


def test_a_session_fixture_records_as_shown(project: Project) -> None:
    """The conftest of the section on fixtures records into the folder that it names."""
    project.write("conftest.py", file_blocks("conftest.py")[2])
    project.write("test_italy.py", "def test_italy(italy):\n    assert italy\n")
    project.record(RECORD, "test_italy.py").assert_outcomes(passed=1)
    project.run("test_italy.py", "--block-network").assert_outcomes(passed=1)
    (recording,) = project.recordings()
    assert recording.parent == project.path / "cassettes" / "questions"


def test_plain_vcrpy_example_runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example without pytest records, and replays what it recorded."""
    (example,) = blocks("python", "vcr_llm.VCR(")
    monkeypatch.chdir(project.path)
    with project.server:
        exec(example, {})  # noqa: S102 - it is our own text
    assert len(project.recordings()) == len(project.server.requests) == 1


def test_every_mode_is_in_the_table(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has the words that VCR_LLM_MODE can be, as its error lists them."""
    monkeypatch.setenv("VCR_LLM_MODE", "nonsense")
    message = project.run().stderr.str()
    words = {row[1].strip("`") for row in table("`--record-mode`")} - {""}
    assert words == set(re.findall(r"[\w-]+", message.partition("it can be ")[2]))


def test_links_lead_to_files() -> None:
    """What README.md links to in this repository is there."""
    targets = re.findall(r"\]\((?!https:)([^)]+)\)", README)
    root = Path(__file__).parent.parent
    assert [target for target in targets if not (root / target).exists()] == []
