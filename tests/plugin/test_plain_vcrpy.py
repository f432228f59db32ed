"""Cassettes without pytest-recording: contexts, decorators and VCR objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import vcr

import vcr_llm
from tests.servers.openai_server import OpenAIServer

from . import agent
from .project import Project


@pytest.fixture
def library(project: Project) -> Path:
    """A folder for cassettes, beside a server that answers."""
    return project.path / "library"


def prompts_in(folder: Path) -> list[str]:
    """The prompts of all recordings below a folder."""
    documents = [json.loads(path.read_text("utf-8")) for path in sorted(folder.rglob("*.json"))]
    return sorted(document["request"]["body"]["messages"][0]["content"] for document in documents)


def test_decorated_function_has_its_cassette(library: Path) -> None:
    """`use_cassette` decorates functions, each call opening the cassette anew."""

    def answer() -> str:
        """Ask once."""
        return agent.ask("count")

    decorated: Any = vcr_llm.use_cassette(library / "answer")(answer)
    assert decorated() == decorated() == "This is answer 1."
    assert prompts_in(library / "answer") == ["count"]


async def test_decorated_coroutine_has_its_cassette(library: Path) -> None:
    """A coroutine's cassette is open while it runs."""

    async def answer() -> str:
        """Ask once."""
        return agent.ask("count")

    decorated: Any = vcr_llm.use_cassette(library / "answer")(answer)
    assert await decorated() == await decorated() == "This is answer 1."


def test_decorated_generator_has_its_cassette(library: Path) -> None:
    """A generator's cassette is open until it is exhausted."""

    def answers() -> Iterator[str]:
        """Ask twice."""
        yield agent.ask("count")
        yield agent.ask("count")

    decorated: Any = vcr_llm.use_cassette(library / "answer")(answers)
    assert list(decorated()) == list(decorated()) == ["This is answer 1.", "This is answer 2."]


def test_cassette_is_named_after_its_function(library: Path) -> None:
    """Without a path, the function's name is the directory's."""
    recorder: Any = vcr_llm.VCR(cassette_library_dir=str(library), func_path_generator=_name_of)

    def plain() -> str:
        """Ask once."""
        return agent.ask("Hello")

    def called() -> str:
        """Ask once."""
        return agent.ask("Hello")

    decorated = [recorder.use_cassette(plain), recorder.use_cassette()(called)]
    assert [function() for function in decorated] == ["You said: Hello"] * 2
    assert sorted(path.name for path in library.iterdir()) == ["called", "plain"]


def _name_of(function: object) -> str:
    return str(getattr(function, "__name__", ""))


def test_injected_cassette_is_the_first_argument(library: Path) -> None:
    """`inject_cassette` gives the function its cassette."""

    def answer(cassette: vcr.cassette.Cassette) -> int:
        """The number of recordings after one request."""
        agent.ask("Hello")
        return len(cassette)

    decorated: Any = vcr_llm.use_cassette(library / "answer", inject_cassette=True)(answer)
    assert decorated() == 1


def test_recorder_takes_vcrpys_options(library: Path) -> None:
    """`VCR(...)` is a vcr.VCR: library folder, record mode, hooks, context manager."""
    recorder: Any = vcr_llm.VCR(
        cassette_library_dir=str(library), record_mode="once", normalize=False
    )
    assert isinstance(recorder, vcr.VCR)
    with recorder.use_cassette("answer") as cassette:
        agent.ask("Hello")
        assert isinstance(cassette, vcr.cassette.Cassette)
    (path,) = (library / "answer").iterdir()
    document = json.loads(path.read_text("utf-8"))
    assert document["response"]["body"]["__data__"]["id"].startswith("chatcmpl-")
    with recorder.use_cassette("answer", record_mode="none") as cassette:
        agent.ask("Hello")
    assert cassette.all_played


@pytest.mark.parametrize("mode", ["rewrite", "all"])
def test_plain_vcrpy_can_rewrite(library: Path, mode: str) -> None:
    """`record_mode="rewrite"` works outside pytest, and keeps the old cassette on an error."""
    with vcr_llm.use_cassette(library / "answer"):
        agent.ask("count")
    (path,) = (library / "answer").iterdir()
    with vcr_llm.use_cassette(library / "answer", record_mode=mode):
        assert agent.ask("count") == "This is answer 2."
    assert "This is answer 2." in path.read_text("utf-8")
    assert list((library / "answer").iterdir()) == [path]


def test_failed_rewrite_in_plain_vcrpy_keeps_the_old_cassette(library: Path) -> None:
    """An exception inside the cassette leaves the old recordings."""
    with vcr_llm.use_cassette(library / "answer"):
        agent.ask("count")
    (path,) = (library / "answer").iterdir()
    before = path.read_bytes()

    def fail() -> None:
        """Ask, then fail."""
        agent.ask("count")
        raise RuntimeError

    decorated: Any = vcr_llm.use_cassette(library / "answer", record_mode="rewrite")(fail)
    with pytest.raises(RuntimeError):
        decorated()
    assert path.read_bytes() == before
    assert list(library.iterdir()) == [library / "answer"]


def test_serializer_works_in_a_plain_vcr_object(library: Path, server: OpenAIServer) -> None:
    """Our serializer, persister and matcher registered by hand record and replay."""
    recorder: Any = vcr.VCR(serializer="llm", match_on=("method", "uri", "llm_body"))
    recorder.register_serializer("llm", vcr_llm.serializer)
    recorder.register_persister(vcr_llm.persister.DirectoryPersister)
    recorder.register_matcher("llm_body", vcr_llm.matchers.llm_body)
    with recorder.use_cassette(library / "answer"):
        agent.ask("Hello"), agent.ask("Bye")
    assert prompts_in(library / "answer") == ["Bye", "Hello"]
    server.stop()
    with recorder.use_cassette(library / "answer", record_mode="none"):
        assert [agent.ask("Bye"), agent.ask("Hello")] == ["You said: Bye", "You said: Hello"]


def test_custom_patches_are_applied(library: Path) -> None:
    """vcrpy's `custom_patches` replace what they name while the cassette is open."""

    class Patched:
        """What is put in place."""

    with vcr_llm.use_cassette(library / "answer", custom_patches=((agent, "ANSWERS", Patched),)):
        assert not isinstance(agent.ANSWERS, Path)
    assert isinstance(agent.ANSWERS, Path)
