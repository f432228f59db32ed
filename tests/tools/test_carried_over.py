"""Recordings of tools by the system whose shape this carries over, in a flat directory."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel
from vcr.errors import CannotOverwriteExistingCassetteException

import vcr_llm
from tests.tools import weather
from tests.tools.weather import Office, Place
from vcr_llm._address import address_of
from vcr_llm._plan import Plan
from vcr_llm._recorder import open_cassette
from vcr_llm.cli import main

SCHEMA = Path(__file__).parents[2] / "docs" / "recording.schema.json"
TEST = "tests/integration/agents/test_tools.py::test_search[tavily]"
RESULT = {"content": '{"top_k": []}', "error_message": None, "error_code": None, "metadata": None}


class ToolInvocationResult(BaseModel):
    """What that system's tools give back; the class has moved since it was recorded."""

    content: str | None = None
    error_message: str | None = None
    error_code: int | None = None
    metadata: dict[str, Any] | None = None


def recording(
    kwargs: dict[str, Any] | None, body: Any, *, test_id: str | None = TEST, **response: Any
) -> dict[str, Any]:
    """A recording as that system writes it."""
    call = {"provider": "tavily", "tool_name": "web_search", "kwargs": kwargs}
    return {
        "test_id": test_id,
        "request": {"test_id": test_id, **call},
        "response": {"body": body, "is_streaming": False, **response},
        "id_normalization_mapping": {},
    }


def name_of(document: dict[str, Any]) -> str:
    """What that system calls its file."""
    call = {key: document["request"][key] for key in ("provider", "tool_name", "kwargs")}
    return hashlib.sha256(json.dumps(call, sort_keys=True).encode()).hexdigest() + ".json"


def tagged(data: Any) -> dict[str, Any]:
    """A result with that system's label."""
    return {"__type__": "llama_stack.apis.tools.tools.ToolInvocationResult", "__data__": data}


RECORDINGS = [
    recording({"query": "Llama 4 Maverick number of experts"}, tagged(RESULT)),
    recording({"query": "of no test"}, tagged(RESULT), test_id=None),
    recording({"query": "of another test"}, tagged(RESULT), test_id="tests/test_x.py::test_other"),
    recording({"query": "plain"}, RESULT),
    recording(
        {"query": "failed"},
        None,
        is_exception=True,
        exception_data={"type": "RuntimeError", "message": "no key", "status_code": None},
    ),
]


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """The directory that all tests share."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    for document in RECORDINGS:
        text = json.dumps(document, indent=2) + "\n"
        (folder / name_of(document)).write_text(text, "utf-8")
    return folder


def in_test(flat: Path, **options: Any) -> Any:
    """The cassette of the test that the recordings are of."""
    host = vcr_llm.VCR()
    options = {"path": "x", "layout": "flat", "cassette_library_dir": str(flat)} | options
    plan = Plan(test_id=TEST, is_test=True)
    return open_cassette(host, host._use_cassette, options, lambda: plan)


@vcr_llm.recorded_tool(provider="tavily")
async def web_search(query: str, region: str | None = None) -> ToolInvocationResult:
    """A tool of the same provider and name; it never runs here."""
    raise AssertionError(query, region)


@vcr_llm.recorded_tool(provider="tavily", name="web_search")
def search(query: str) -> Any:
    """The same one without a word on what it gives back."""
    raise AssertionError(query)


def test_a_public_recording_has_the_name_that_is_computed() -> None:
    """That of llamastack/llama-stack, tests/integration/responses/recordings: it is found by it."""
    document = recording({"query": "Llama 4 Maverick model number of experts"}, tagged(RESULT))
    name = "54aa690e31b5c33a0488a5d7403393e5712917253462292829b37b9320d6df82"
    assert address_of(document) == name
    assert name_of(document) == f"{name}.json"


def test_they_answer_a_tool_of_the_same_name(flat: Path) -> None:
    """The test's own and those of no test, as the class that the annotation names."""
    before = {path.name: path.read_bytes() for path in flat.iterdir()}
    with in_test(flat, record_mode="none") as cassette:
        for query in ("Llama 4 Maverick number of experts", "of no test", "plain"):
            assert asyncio.run(web_search(query)) == ToolInvocationResult.model_validate(RESULT)
        with pytest.raises(RuntimeError, match="no key"):
            asyncio.run(web_search("failed"))
        assert cassette.play_count == 4
        assert cassette.all_played
    assert {path.name: path.read_bytes() for path in flat.iterdir()} == before


def test_without_an_annotation_they_give_their_json(flat: Path) -> None:
    """Nothing is imported because a label names it."""
    with in_test(flat, record_mode="none"):
        assert search("Llama 4 Maverick number of experts") == RESULT


def test_a_call_of_another_test_is_not_there(flat: Path) -> None:
    """In a flat directory, a test sees what is its own and what is of no test."""
    with (
        pytest.raises(CannotOverwriteExistingCassetteException, match="4 recorded tool calls"),
        in_test(flat, record_mode="none"),
    ):
        search("of another test")


def test_a_new_recording_has_that_systems_name(flat: Path, tmp_path: Path) -> None:
    """Which counts up where another test has recorded the same call."""

    @vcr_llm.recorded_tool(provider="tavily", name="web_search")
    def tool(query: str) -> dict[str, str]:
        return {"q": query}

    with in_test(flat, record_mode="new_episodes"):
        tool("new")
        tool("of another test")
    name = name_of(recording({"query": "new"}, None))
    other = name_of(recording({"query": "of another test"}, None))
    assert json.loads((flat / name).read_text("utf-8"))["response"]["body"] == {"q": "new"}
    assert json.loads((flat / other.replace(".", "-2.")).read_text("utf-8"))["test_id"] == TEST
    assert main(["check", str(flat)]) == 0
    assert main(["fmt", "--check", str(flat)]) == 0


def test_recordings_of_tools_keep_to_the_schema(flat: Path, tmp_path: Path) -> None:
    """Ours of every kind, and those of that system."""
    with vcr_llm.use_cassette(tmp_path / "c"):
        weather.report(Place(name="Rome"), 2, "x")
        list(weather.hours(2))
        next(weather.hours(3))
        Office("Rome").span(1)
        Office.motto("it")
        with pytest.raises(KeyError):
            weather.station("unknown")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    for path in (*(tmp_path / "c").iterdir(), *flat.iterdir()):
        document = json.loads(path.read_text("utf-8"))
        document.pop("id_normalization_mapping", None)
        jsonschema.validate(document, schema)


def test_the_command_line_reads_them(flat: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a conversation, with the exception that was raised."""
    assert main(["show", str(flat)]) == 0
    shown = capsys.readouterr().out
    assert "call web_search" in shown
    assert "RuntimeError" in shown
    assert "no key" in shown
