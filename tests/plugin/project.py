"""A small project of a user: a conftest, a test file and code that talks to a server."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import Any

import pytest
import vcr

from tests.servers.openai_server import OpenAIServer

from . import agent

KEY = "sk-proj-Zx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5"

# The conftest of the documentation, with room for options and for more.
_CONFTEST = """
import pytest
import vcr_llm

@pytest.fixture(scope="session")
def vcr_config():
    return vcr_llm.config({options})
"""

_SETTINGS = """
[pytest]
addopts = -p no:cacheprovider -p no:hypothesispytest
filterwarnings = error
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""

# A test that asks once.
ONE_TEST = """
@pytest.mark.vcr
def test_answer():
    assert ask("Hello") == "You said: Hello"
"""

# What every test file begins with.
_HEAD = """
import pytest
from agent import ask
"""


class Project:
    """A folder with tests, the server they talk to, and pytest runs in that folder."""

    def __init__(self, pytester: pytest.Pytester, server: OpenAIServer) -> None:
        self.pytester = pytester
        self.server = server
        self.path = pytester.path
        self.write("pytest.ini", _SETTINGS)
        shutil.copy(agent.__file__, self.path / "agent.py")
        self.configure()

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        # What is written twice within a second, in the same size, would be taken from the cache.
        shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)
        return path

    def configure(self, options: str = "", more: str = "") -> None:
        """Write the documented conftest, with these options and more below it."""
        self.write("conftest.py", _CONFTEST.format(options=options) + textwrap.dedent(more))

    def test(self, source: str, name: str = "test_agent.py") -> Path:
        """Write a test file; pytest and `ask` are imported in it."""
        return self.write(name, _HEAD + textwrap.dedent(source))

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process."""
        self._forget_answers()
        return self.pytester.runpytest_inprocess(*arguments)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        self._forget_answers()
        return self.pytester.runpytest_subprocess(*arguments)

    def run_blocked(self, *arguments: str) -> pytest.RunResult:
        """Run with the network blocked where requests are made all the same.

        pytest-recording 0.14.1 raises in the middle of `socket.create_connection`, which leaves a
        socket open: that is nobody's fault here, and must not trouble a later test.
        """
        return self.run_apart("--block-network", "-Wignore::ResourceWarning", *arguments)

    def record(self, *arguments: str) -> pytest.RunResult:
        """Record what is missing."""
        return self.run("--record-mode=new_episodes", *arguments)

    def replay(self, *arguments: str) -> pytest.RunResult:
        """Replay with the server down and the network blocked."""
        with self.server_down():
            return self.run("--block-network", *arguments)

    def server_down(self) -> ServerDown:
        """While this lasts, nobody answers at the server's address."""
        return ServerDown(self.server)

    @property
    def answers(self) -> list[str]:
        """What `ask` gave in the last run."""
        log = self.path / agent.ANSWERS
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    @property
    def tree(self) -> dict[str, bytes]:
        """Every file below `cassettes`, hidden ones too, by its path in there."""
        root = self.path / "cassettes"
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}

    @property
    def folders(self) -> list[str]:
        """The folders of the tree that hold files, in order."""
        return sorted({name.rpartition("/")[0] for name in self.tree})

    def documents(self, cassette: str = "test_agent/test_answer") -> list[dict[str, Any]]:
        """The recordings of one cassette in the order in which they were made."""
        found = [
            json.loads(content)
            for name, content in self.tree.items()
            if name.rpartition("/")[0] == cassette and name.endswith(".json")
        ]
        return sorted(found, key=lambda document: document.get("sequence", 0))

    def recorded_answers(self, cassette: str = "test_agent/test_answer") -> list[str]:
        """The answers that one cassette holds, in the order in which they were made."""
        return [answer_of(document) for document in self.documents(cassette)]

    def _forget_answers(self) -> None:
        (self.path / agent.ANSWERS).unlink(missing_ok=True)


class ServerDown:
    """A context in which the server is stopped; afterwards it is back at its address."""

    def __init__(self, server: OpenAIServer) -> None:
        self._server = server

    def __enter__(self) -> None:
        self._server.stop()

    def __exit__(self, *exc_info: object) -> None:
        self._server.__enter__()


def answer_of(document: dict[str, Any]) -> str:
    """What the model answers in the recording of a chat completion."""
    return str(document["response"]["body"]["__data__"]["choices"][0]["message"]["content"])


def talk_to(server: OpenAIServer, patch: pytest.MonkeyPatch) -> None:
    """Have openai's clients take the server's address, and a key, from the environment."""
    patch.setenv("OPENAI_BASE_URL", server.base_url)
    patch.setenv("OPENAI_API_KEY", KEY)


def record_with_vcrpy(path: Path, *prompts: str, serializer: str = "yaml") -> None:
    """A cassette in one file, written by vcrpy itself."""
    with vcr.VCR(serializer=serializer).use_cassette(path):
        for prompt in prompts:
            agent.ask(prompt)


def recorded_and_replayed(project: Project, *arguments: str, tests: int = 1) -> list[str]:
    """The answers of a recording run, which a replay then gives again without changing a file."""
    project.record(*arguments).assert_outcomes(passed=tests)
    recorded, tree = project.answers, project.tree
    project.replay(*arguments).assert_outcomes(passed=tests)
    assert project.answers == recorded
    assert project.tree == tree
    return recorded
