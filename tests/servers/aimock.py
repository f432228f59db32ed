"""aimock, a mock of the providers' APIs that is not ours: https://github.com/CopilotKit/aimock."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LLMOCK = Path(__file__).parents[1] / "aimock" / "node_modules" / ".bin" / "llmock"


@contextmanager
def running_aimock(answers: Any, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running program with these answers, and the address that it printed."""
    fixtures = folder / "fixtures.json"
    fixtures.write_text(json.dumps(answers), "utf-8")
    command = [str(LLMOCK), "-p", "0", "-f", str(fixtures)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        assert program.stdout is not None
        found = None
        while found is None and (line := program.stdout.readline()):
            found = re.search(r"http://[\w.]+:\d+", line)
        assert found is not None
        try:
            yield program, found[0]
        finally:
            program.kill()
