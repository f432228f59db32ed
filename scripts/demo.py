"""`make demo`: record a conversation with a model once, then replay it with the network blocked.

Everything happens on this machine: a small server speaks OpenAI's API on loopback, and the test
runs in a temporary folder. The exit status is 1 if anything is not as it is said here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent, fill, indent
from typing import Any

from tests.servers.loopback import Framing, ReceivedRequest, Reply
from tests.servers.openai_server import OpenAIServer

CONFTEST = """\
import pytest
import vcr_llm

@pytest.fixture(scope="session")
def vcr_config():
    return vcr_llm.config()
"""

TEST = '''\
import openai
import pytest

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"enum": ["Paris", "Rome"]}},
        },
    },
}

def get_weather(arguments):
    return "18 degrees and sunny"

def ask_agent(question):
    """Stream answers until the model asks for no tool any more."""
    client = openai.OpenAI()
    messages = [{"role": "user", "content": question}]
    while True:
        text, call = "", None
        for chunk in client.chat.completions.create(
            model="gpt-4o", messages=messages, tools=[TOOL], stream=True
        ):
            delta = chunk.choices[0].delta
            text += delta.content or ""
            for piece in delta.tool_calls or ():
                if piece.id:
                    function = {"name": piece.function.name, "arguments": ""}
                    call = {"id": piece.id, "type": "function", "function": function}
                call["function"]["arguments"] += piece.function.arguments
        if call is None:
            return text
        result = get_weather(call["function"]["arguments"])
        messages.append({"role": "assistant", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})

@pytest.mark.vcr
def test_agent():
    answer = ask_agent("What is the weather in Paris?")
    assert answer == "The tools said: 18 degrees and sunny"
'''

API_KEY = "sk-demo-2f6b8c1d9e4a7035"
TURNS = 2
PAUSE = 0.03  # seconds before each event of a stream, as if a model were thinking
EVENTS_SHOWN = 2
WIDTH = 90
MARGIN = "   "

# What would change the runs of pytest, or send them through a proxy, is left out.
FOREIGN_VARIABLES = ("PYTEST_", "VCR_LLM_", "OPENAI_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class DemoError(Exception):
    """Something is not as the demo says."""


class PacedServer(OpenAIServer):
    """The tests' server, which takes its time over each event of a stream."""

    def answer(self, request: ReceivedRequest) -> Reply:
        """The usual answer, with a pause before each event."""
        reply = super().answer(request)
        if reply.framing is not Framing.CHUNKED:
            return reply
        return replace(reply, pieces=tuple(one for event in reply.pieces for one in (PAUSE, event)))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of pytest: how it ended, what it printed, how long the test itself took."""

    is_passed: bool
    output: str
    seconds: float


def main() -> int:
    """Run the demo; 0 if all was as it says."""
    with tempfile.TemporaryDirectory(prefix="vcr-llm-demo-") as folder:
        try:
            demonstrate(Path(folder).resolve())
        except DemoError as error:
            print(f"\nThe demo failed: {error}")
            return 1
    return 0


def demonstrate(project: Path) -> None:
    """Write a project; record, replay and change its test. Raises DemoError."""
    say(
        "1. A project with one test: an agent that streams the model's answers and calls a tool. "
        "conftest.py switches vcr-llm on; the test has the mark of pytest-recording."
    )
    show(project / "conftest.py", CONFTEST)
    show(project / "test_agent.py", TEST)
    recorded, url = record(project)
    replayed = replay(project, url)
    inspect(project)
    change(project, url)
    say(
        f"The test took {recorded.seconds:.2f} s when it was recorded and {replayed.seconds:.2f} s "
        "when it was replayed. The rest of each run is the start of pytest and of the SDK."
    )


def record(project: Path) -> tuple[Run, str]:
    """Run the test against a server, which is then stopped; the run, and the server's URL."""
    say(
        "2. Record it. A small server on this machine speaks OpenAI's API; it sends an event "
        f"every {PAUSE * 1000:.0f} ms."
    )
    with PacedServer() as server:
        variables = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": API_KEY}
        run = run_pytest(project, variables, "--record-mode=new_episodes")
        asked = len(server.requests)
    check(run.is_passed, "the test did not pass while it was recorded", run.output)
    check(asked == TURNS, f"the server got {asked} requests, not {TURNS}")
    return run, server.base_url


def replay(project: Path, url: str) -> Run:
    """Run the test without the server."""
    say("3. Replay it. The server is stopped, the network is blocked, the key is gone.")
    before = contents(project)
    run = run_pytest(project, without_key(url), "--block-network")
    check(run.is_passed, "the test did not pass without the server", run.output)
    check(contents(project) == before, "the replay changed a file")
    return run


def inspect(project: Path) -> None:
    """Show what was recorded."""
    say("4. What was recorded: a directory for the test, a file for each request.")
    print(indent("\n".join(tree(project)), MARGIN))
    recordings = sorted((project / "cassettes").rglob("*.json"), key=position)
    check(len(recordings) == TURNS, f"there are {len(recordings)} recordings, not {TURNS}")
    say("5. The first of the two recordings. Most events of the stream are left out here.")
    print(indent(shortened(recordings[0]), MARGIN))
    key = API_KEY.encode()
    check(not any(key in content for content in contents(project).values()), "a file has the key")
    print(f"\n{MARGIN}No file holds the API key.")


def change(project: Path, url: str) -> None:
    """Show what a changed prompt does."""
    say('6. Ask for the weather "in Rome" instead. The test fails and says what changed.')
    (project / "test_agent.py").write_text(TEST.replace("in Paris?", "in Rome?"), encoding="utf-8")
    run = run_pytest(project, without_key(url), "--block-network")
    miss = excerpt(run.output, "No recording answers", "--record-mode=rewrite")
    check(not run.is_passed and bool(miss), "the changed prompt was answered", run.output)
    print("\n" + indent(miss, MARGIN))


def without_key(url: str) -> dict[str, str]:
    """The variables of a replay: the SDK wants a key to be there, whatever it is."""
    return {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none"}


def run_pytest(project: Path, variables: dict[str, str], option: str) -> Run:
    """What a user would type, run in the project."""
    # No settings from folders above, no cache in the tree, no colours.
    quiet = ("-c", os.devnull, "--rootdir", project, "-p", "no:cacheprovider", "--color=no")
    own = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "NO_PROXY": "127.0.0.1"}
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(FOREIGN_VARIABLES)
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", option, *quiet, "--durations=0", "-vv"],
        cwd=project,
        env={**inherited, **own, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    durations = re.findall(r"([\d.]+)s call ", done.stdout)
    closing = done.stdout.rstrip().rpartition("\n")[2].strip("= ")
    print(f"\n{MARGIN}$ pytest {option}\n{MARGIN}{closing}", flush=True)
    return Run(done.returncode == 0, done.stdout, sum(map(float, durations)))


def check(is_true: bool, problem: str, details: str = "") -> None:  # noqa: FBT001 - an assertion
    """Raise DemoError with the problem unless something is true."""
    if not is_true:
        raise DemoError(f"{problem}\n{details}".rstrip())


def say(text: str) -> None:
    """Print a paragraph."""
    print("\n" + fill(text, WIDTH, subsequent_indent=MARGIN if text[0].isdigit() else ""))


def show(path: Path, text: str) -> None:
    """Write a file of the project, and print it."""
    path.write_text(text, encoding="utf-8")
    print(f"\n{MARGIN}--- {path.name}\n{indent(text, MARGIN)}", end="", flush=True)


def contents(project: Path) -> dict[Path, bytes]:
    """Every file of the project."""
    return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


def tree(folder: Path, margin: str = "") -> Iterator[str]:
    """The names in a folder and below it, folders with a slash."""
    for path in sorted(folder.iterdir()):
        yield f"{margin}{path.name}{'/' if path.is_dir() else ''}"
        if path.is_dir():
            yield from tree(path, margin + "  ")


def position(recording: Path) -> int:
    """The place of a recording in its test."""
    place: int = json.loads(recording.read_bytes()).get("sequence", 0)
    return place


def shortened(recording: Path) -> str:
    """A recording without most of its events."""
    document: dict[str, Any] = json.loads(recording.read_bytes())
    events = document["response"]["body"]
    left_out = f"... {len(events) - EVENTS_SHOWN} more"
    document["response"]["body"] = [*events[:EVENTS_SHOWN], left_out]
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return text.replace(json.dumps(left_out, ensure_ascii=False), left_out)


def excerpt(text: str, first: str, last: str) -> str:
    """The lines from one that contains `first` to one that contains `last`."""
    lines = text.splitlines()
    begin = next((i for i, line in enumerate(lines) if first in line), len(lines))
    end = next((i for i, line in enumerate(lines) if i > begin and last in line), begin)
    return dedent("\n".join(line.removeprefix("E ") for line in lines[begin : end + 1]))


if __name__ == "__main__":
    sys.exit(main())
