"""A reader who does in a new folder what a page says, block by block.

- Python with a comment that names a file is that file; other Python is run as a script.
- Shell is run line by line. A comment says where the exit status is not 0: `# exit status 1`.
- Text is what the last command printed, JSON is a recording, YAML is a file of a tool.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import Block, as_shown
from tests.servers.openai_server import OpenAIServer
from vcr_llm.cli import main

ROOT = Path(__file__).parents[2]
# hypothesis's plugin would be imported, and rewritten, in every run: most of its time.
_QUIETLY = (
    *("-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
    *("-o", "asyncio_default_fixture_loop_scope=function"),
)
_API = "https://api.openai.com"
_STATUS = re.compile(r"\s+# exit status (\d+)$")


class Walkthrough:
    """The folder, the server that the SDK takes for OpenAI's, and the last output."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester = pytester
        self._patch = monkeypatch
        self.path = pytester.path
        self.server = OpenAIServer()
        self.output = ""
        monkeypatch.chdir(self.path)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.delenv("VCR_LLM_MODE", raising=False)
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{role}_NAME", "A")
            monkeypatch.setenv(f"GIT_{role}_EMAIL", "a@example.com")
        # A test file that is written twice within a second would be taken from the cache.
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        subprocess.run(["git", "init", "-q", "-b", "main"], check=True)

    def follow(self, blocks: list[Block]) -> None:
        """Do what the blocks say; a block of a language that nobody knows is an error."""
        with self.server:
            self._patch.setenv("OPENAI_BASE_URL", self.server.base_url)
            for block in blocks:
                getattr(self, f"_{block.language}")(block)

    def run(self, line: str) -> int:
        """The exit status of one line of shell; what it printed is the output from now on."""
        words = shlex.split(line, comments=True)
        assignments = [word for word in words if re.match(r"[A-Z_]+=", word)]
        command, *arguments = words[len(assignments) :]
        runs = {
            "pytest": self._pytest,
            "vcr-llm": self._vcr_llm,
            "pip": self._pip,
            "make": self._make,
        }
        if command not in runs:
            return self._shell(line)
        with self._patch.context() as patch:
            for assignment in assignments:
                patch.setenv(*assignment.split("=", 1))
            return runs[command](arguments)

    def _python(self, block: Block) -> None:
        if block.file_name:
            self._write(block)
            return
        script = self.path / "example.py"
        script.write_text(block.text, encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            runpy.run_path(str(script))
        script.unlink()
        self.output = printed.getvalue()

    def _sh(self, block: Block) -> None:
        for line in block.text.splitlines():
            expected = int(found[1]) if (found := _STATUS.search(line)) else 0
            before = len(self.server.requests)
            assert self.run(_STATUS.sub("", line)) == expected, f"{line}\n{self.output}"
            if "pytest" in line and not re.search("record|verify", line):
                assert len(self.server.requests) == before, f"{line}: it sent a request"

    def _text(self, block: Block) -> None:
        if block.file_name:
            self._write(block)
            return
        shown = "\n".join(line.strip() for line in block.text.splitlines())
        printed = self.output.replace(self.server.url, _API)
        printed = re.sub(r"^E +", "", printed, flags=re.MULTILINE)
        printed = re.sub(r"^[\w.]+: (?=No recording)", "", printed, flags=re.MULTILINE)
        lines = "\n".join(line.strip() for line in printed.splitlines())
        assert as_shown(shown).search(f"{lines}\n"), printed

    def _json(self, block: Block) -> None:
        recordings = sorted((self.path / "cassettes").rglob("*.json"))
        texts = [self._as_on_a_page(path) for path in recordings]
        assert any(as_shown(block.text).fullmatch(text) for text in texts), "\n".join(texts)

    def _yaml(self, block: Block) -> None:
        assert yaml.safe_load(block.text)
        if block.file_name:
            self._write(block)

    def _write(self, block: Block) -> None:
        path = self.path / block.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def _as_on_a_page(self, recording: Path) -> str:
        document = json.loads(recording.read_bytes())
        # openai 1 and 2 send the same fields in another order.
        first = ("model", "stream", "messages")
        if body := document["request"].get("body"):
            document["request"]["body"] = {
                **{key: body[key] for key in first if key in body},
                **{key: body[key] for key in body if key not in first},
            }
        document["recorded_at"] = "2026-11-22T12:00:00Z"
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        return text.replace(self.server.url, _API)

    def _pytest(self, arguments: list[str]) -> int:
        result = self._pytester.runpytest_inprocess(*_QUIETLY, *arguments)
        self.output = result.stdout.str() + result.stderr.str()
        return int(result.ret)

    def _vcr_llm(self, arguments: list[str]) -> int:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            status = main(arguments)
        self.output = printed.getvalue()
        return status

    def _pip(self, arguments: list[str]) -> int:
        """Nothing is installed; it is what is installed already."""
        assert arguments == ["install", "vcr-llm"]
        return 0

    def _make(self, arguments: list[str]) -> int:
        """It is CI that runs them, for they take minutes."""
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        return 0 if all(f"\n{target}:" in makefile for target in arguments) else 2

    def _shell(self, line: str) -> int:
        done = subprocess.run(
            ["bash", "-euc", line], capture_output=True, text=True, check=False, env=os.environ
        )
        self.output = done.stdout + done.stderr
        return done.returncode
