"""Tool recordings of the carried-over system replay from their flat directory."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import vcr_llm

CALL = {"provider": "brave-search", "tool_name": "web_search", "kwargs": {"query": "Rome"}}
RESULT = {"content": '{"top_k": []}', "error_message": None, "error_code": None}
LABEL = "llama_stack.apis.tools.tools.ToolInvocationResult"
TAGGED = {"__type__": LABEL, "__data__": RESULT}
TEST = "tests/integration/test_agents.py::test_search[txt=ollama/llama3.2]"


def written(folder: Path, response: dict[str, Any], *, test_id: str | None = TEST) -> Path:
    """A folder with one recording, named and written as that system does it."""
    folder.mkdir(exist_ok=True)
    address = hashlib.sha256(json.dumps(CALL, sort_keys=True).encode()).hexdigest()
    document = {
        "test_id": test_id,
        "request": {"test_id": test_id, **CALL},
        "response": response,
        "id_normalization_mapping": {},
    }
    (folder / f"{address}.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    return folder


@vcr_llm.recorded_tool(provider="brave-search")
def web_search(query: str) -> Any:
    """A tool that must not run."""
    pytest.fail(f"searched for {query}")


@pytest.mark.parametrize("layout", ["directory", "flat"])
@pytest.mark.parametrize("test_id", [TEST, None])
def test_a_result_replays(tmp_path: Path, layout: str, test_id: str | None) -> None:
    """What stands behind its label comes back; the label is not imported."""
    folder = written(tmp_path / "recordings", {"body": TAGGED, "is_streaming": False})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with vcr_llm.use_cassette(folder, record_mode="none", layout=layout):
        assert web_search("Rome") == RESULT
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_exception_replays(tmp_path: Path) -> None:
    """Its type is somebody else's, so it is a RecordedToolError with the message."""
    response = {
        "body": None,
        "is_streaming": False,
        "is_exception": True,
        "exception_data": {"type": "SearchFailed", "message": "no such engine"},
        "exception_message": "no such engine",
    }
    folder = written(tmp_path / "recordings", response)
    with (
        vcr_llm.use_cassette(folder, record_mode="none"),
        pytest.raises(vcr_llm.RecordedToolError, match="no such engine"),
    ):
        web_search("Rome")


def test_in_a_flat_directory_a_test_sees_its_own(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording of this test answers, that of another test does not."""
    pytester.makeconftest(
        """
        import pytest, vcr_llm
        @pytest.fixture(scope="session")
        def vcr_config():
            return vcr_llm.config(layout="flat")
        @pytest.fixture(scope="module")
        def vcr_cassette_dir():
            return "recordings"
        """
    )
    pytester.makepyfile(
        test_it="""
        import pytest, vcr_llm
        @vcr_llm.recorded_tool(provider="brave-search")
        def web_search(query: str):
            raise AssertionError
        @pytest.mark.vcr
        def test_own():
            assert web_search(query="Rome")["content"]
        @pytest.mark.vcr
        def test_other():
            web_search(query="Rome")
        """
    )
    response = {"body": TAGGED, "is_streaming": False}
    written(pytester.path / "recordings", response, test_id="test_it.py::test_own")
    result = pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function"
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*No recording answers *web_search*"])
