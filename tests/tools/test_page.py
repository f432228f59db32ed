"""docs/tools.md is true: its project records, replays, and writes the recording that it shows."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.servers.openai_server import OpenAIServer

PAGE = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
QUIETLY = ("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")


def test_the_agent_of_the_page(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent's search is recorded once, and a replay neither sends nor searches."""
    files = [text for language, text in BLOCKS if language == "python"]
    for text in files:
        name = text.partition("\n")[0].removeprefix("# ")
        (pytester.path / name).write_text(text, encoding="utf-8")
    (commands,) = (text for language, text in BLOCKS if language == "sh")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    recording, replaying = (line.split()[1:] for line in commands.splitlines())
    with OpenAIServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        pytester.runpytest_subprocess(*QUIETLY, *recording).assert_outcomes(passed=1)
        sent = len(server.requests)
    agent = pytester.path / "agent.py"
    agent.write_text(
        agent.read_text(encoding="utf-8").replace("return [{", "raise RuntimeError; return [{"),
        encoding="utf-8",
    )
    pytester.runpytest_subprocess(*QUIETLY, *replaying).assert_outcomes(passed=1)
    assert sent == 2
    (shown,) = (text for language, text in BLOCKS if language == "json")
    pattern = ".*".join(re.escape(part) for part in shown.split("…"))
    recorded = [path.read_text(encoding="utf-8") for path in pytester.path.rglob("*.json")]
    (of_tool,) = [text for text in recorded if "tool_name" in json.loads(text)["request"]]
    assert re.fullmatch(pattern, of_tool)
