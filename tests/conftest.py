"""What tests of several folders need that run pytest in a project of their own."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

import vcr_llm
from tests.plugin import agent
from tests.plugin.project import talk_to
from tests.servers.openai_server import OpenAIServer


@pytest.fixture(scope="session")
def everything_is_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """pytester forgets what a run of its own was the first to import, so all is imported before."""
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
