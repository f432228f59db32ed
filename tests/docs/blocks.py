"""The code blocks of a page, and what `…` stands for in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

LEFT_OUT = "…"
_GENERATED = re.compile(r"^<!-- generated: [\w-]+ -->$.*?^<!-- end -->$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(
    r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$|^<!-- run: (?P<hidden>[^\n]*) -->$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A code block, or a step that readers do not see: `<!-- run: COMMAND -->`."""

    language: str
    text: str

    @property
    def file_name(self) -> str:
        """The file that a block is, by the comment that it begins with; empty for others."""
        found = re.match(r"# ([\w./-]*\.[\w.]+)\n", self.text)
        return found[1] if found else ""


def blocks_of(page: Path) -> list[Block]:
    """The blocks in their order, without what is generated, which has a test of its own."""
    text = _GENERATED.sub("", page.read_text(encoding="utf-8"))
    return [
        Block("sh", f"{found['hidden']}\n")
        if found["hidden"]
        else Block(found["language"], found["text"])
        for found in _BLOCK.finditer(text)
    ]


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
