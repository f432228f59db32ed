"""What tests share: pytester, a fixture for it, markers of tests that need more than a clone."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# A machine that is busy makes no test fail; hypothesis itself does the same where CI is set.
settings.register_profile("without deadlines", deadline=None)
settings.register_profile("few", deadline=None, max_examples=10)  # where others have run before
settings.load_profile("without deadlines")

_ROOT = Path(__file__).parent
_NEEDED = {
    "shared": (_ROOT.parent / "shared", "needs the folder ../shared"),
    "aimock": (_ROOT / "tests" / "aimock" / "node_modules", "needs `npm ci` in tests/aimock"),
}


def pytest_sessionstart() -> None:
    """Say that this thread has no event loop, or asyncio makes one when pytest-asyncio asks for it.

    Nobody closes that one, and whichever test meets the warning about its sockets would fail.
    """
    asyncio.set_event_loop(None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs more than a clone has; in CI, scripts/nothing_skipped.py forbids that."""
    for marker, (path, reason) in _NEEDED.items():
        if item.get_closest_marker(marker) and not path.is_dir():
            pytest.skip(reason)


@pytest.fixture(scope="session")
def everything_is_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """pytester forgets what a run of its own was the first to import, so all is imported before."""
    importlib.import_module("concurrent.futures.process")  # what commands share their work by
    import vcr_llm
    from tests.plugin import agent
    from tests.plugin.project import talk_to
    from tests.servers.openai_server import OpenAIServer

    with (
        OpenAIServer() as server,
        pytest.MonkeyPatch.context() as patch,
        vcr_llm.use_cassette(tmp_path_factory.mktemp("first") / "cassette", record_mode="once"),
    ):
        patch.chdir(tmp_path_factory.mktemp("first"))
        talk_to(server, patch)
        agent.ask()
        for library in filter(importlib.util.find_spec, ("httpx", "httpx2")):
            importlib.import_module(library).get(server.url)
