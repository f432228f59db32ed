"""What ``--vcr-llm-verify`` found, told at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vcr_llm._modes import VARIABLE, mode_word
from vcr_llm._run_uses import RunUses

VERIFY = "--vcr-llm-verify"


def verify_problem(config: pytest.Config) -> str | None:
    """What stands in the way of verifying, None where nothing does or nobody asks for it."""
    option = config.getoption
    if not option(VERIFY):
        return None
    mode = option("--record-mode", default=None)
    word = mode_word() if mode is None else None
    given = {
        "--block-network": option("--block-network", default=False),
        "--disable-recording": option("--disable-recording", default=False),
        "--vcr-llm-prune": option("--vcr-llm-prune"),
        f"--record-mode={mode}": mode not in (None, "none"),
        f"{VARIABLE}={word}": word not in (None, "replay"),
    }
    wrong = next((name for name, is_given in given.items() if is_given), None)
    if wrong is None:
        return None
    return (
        f"{VERIFY} sends recorded requests and writes nothing, which does not go with {wrong}. "
        f"Leave {wrong} out; where it stands in addopts, override that: -o addopts="
    )


class DriftReport:
    """The answers of a whole run that have another shape than their recordings."""

    def __init__(self, config: pytest.Config, uses: RunUses) -> None:
        self._config = config
        self._uses = uses

    @property
    def has_failed(self) -> bool:
        """Whether anything differs, or could not be compared."""
        return any(use.drift for use in self._uses.all)

    def tell(self, terminal: pytest.TerminalReporter) -> None:
        """List what differs by test, recording and path; without any, a line says that."""
        if self.has_failed:
            terminal.section("vcr-llm: answers that differ from their recordings")
            for line in self._lines():
                terminal.write_line(line)
        elif self._config.getoption("verbose") >= 0:
            terminal.write_line(self.summary)

    @property
    def summary(self) -> str:
        """How many answers were compared, and how many recordings they do not fit."""
        compared = sum(use.compared for use in self._uses.all)
        differing = len({path for use in self._uses.all for path, _said in use.drift})
        verb = "differs" if differing == 1 else "differ"
        answers = f"{compared:,} answer{'' if compared == 1 else 's'}"
        return f"vcr-llm: {answers} compared by shape; {differing:,} {verb} from the recording"

    def _lines(self) -> Iterator[str]:
        told: dict[str, dict[str, list[str]]] = {}
        for use in self._uses.all:
            for path, said in use.drift:
                by_path = told.setdefault(use.test_id or "outside of a test's own cassette", {})
                by_path.setdefault(path, []).append(said)
        for test, by_path in told.items():
            yield test
            for path, differences in by_path.items():
                yield f"  {self._relative(path)}"
                yield from (f"    {said}" for said in dict.fromkeys(differences))
        yield "Nothing was written. To record a test anew:    pytest TEST --record-mode=rewrite"

    def _relative(self, path: str) -> str:
        root = self._config.rootpath
        return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path
