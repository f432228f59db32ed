"""What the installed SDKs' models refuse: broken answers, and nothing that a provider sends."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pydantic
import pytest

from vcr_llm import _sdk_models
from vcr_llm._document import parse_document
from vcr_llm._sdk_models import refusals

CASSETTES = Path(__file__).parent.parent / "cassettes"
Place = tuple[str | int, ...]

_MESSAGE: Place = ("choices", 0, "message")
_GONE = object()


@pytest.fixture(scope="module")
def recorded() -> dict[str, dict[str, Any]]:
    """The repository's own recordings, one for each cassette."""
    return {
        folder.name: parse_document(min(folder.iterdir()).read_text("utf-8"))
        for folder in CASSETTES.iterdir()
    }


def _changed(document: dict[str, Any], place: Place, value: object) -> dict[str, Any]:
    """The document with something else in one place of it."""
    changed = copy.deepcopy(document)
    container: Any = changed
    for step in place[:-1]:
        container = container[step]
    if value is _GONE:
        del container[place[-1]]
    else:
        container[place[-1]] = value
    return changed


def _told(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(found.place, found.problem) for found in refusals(document)]


def test_what_was_recorded_is_refused_nowhere(recorded: dict[str, dict[str, Any]]) -> None:
    """Plain answers, streams, embeddings, errors, tools."""
    assert len(recorded) == 5
    refused = {name: found for name, each in recorded.items() if (found := _told(each))}
    assert refused == {}


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("choices",), "oops", "should be a valid list"),
        (("choices",), None, "should be a valid list"),
        (("choices",), _GONE, "is missing"),
        (("model",), _GONE, "is missing"),
        (_MESSAGE, _GONE, "is missing"),
        (_MESSAGE, [], "should be a valid dictionary"),
        ((*_MESSAGE, "content"), 5, "should be a valid string"),
        ((*_MESSAGE, "role"), 5, "should be 'assistant'"),
        (("usage",), 5, "should be a valid dictionary"),
        (("usage", "prompt_tokens"), "many", "should be a valid integer"),
    ],
)
def test_a_broken_answer_is_refused_by_place(
    recorded: dict[str, dict[str, Any]], place: Place, value: object, problem: str
) -> None:
    """What code that reads the answer would break on."""
    document = _changed(
        recorded["test_plain_chat"], ("response", "body", "__data__", *place), value
    )
    ((where, why),) = _told(document)
    expected = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    assert where == f"response.body.__data__{expected}"
    assert why.startswith(problem)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("unknown",), {"a": 1}),
        (("service_tier",), "on_demand"),
        (("choices", 0, "finish_reason"), "eos"),
        (("created",), "REDACTED"),
        ((*_MESSAGE, "content"), "my key is REDACTED"),
        (("model",), "REDACTED"),
        (("choices", 0, "index"), _GONE),
        (("usage", "total_tokens"), None),
        (("usage", "prompt_tokens_details"), {}),
        (("error",), {"message": "overloaded"}),
    ],
)
def test_what_sdks_let_pass_is_no_refusal(
    recorded: dict[str, dict[str, Any]], place: Place, value: object
) -> None:
    """Unknown fields and words, redacted values, bookkeeping that is absent, errors."""
    document = _changed(
        recorded["test_plain_chat"], ("response", "body", "__data__", *place), value
    )
    assert _told(document) == []


def test_an_event_is_named_by_its_index(recorded: dict[str, dict[str, Any]]) -> None:
    """As a reader counts the entries of the body."""
    document = recorded["test_streamed_chat_with_a_tool_over_two_turns"]
    place = ("response", "body", 1, "__data__", "choices", 0, "delta")
    ((where, _why),) = _told(_changed(document, place, "oops"))
    assert where == "response.body[1].__data__.choices[0].delta"


def test_a_union_is_judged_by_the_member_that_was_meant(
    recorded: dict[str, dict[str, Any]],
) -> None:
    """A type that is new to the SDK is none of its members; a broken one is refused as itself."""
    pytest.importorskip("openai.types.responses")
    document = recorded["test_streamed_response"]
    body = document["response"]["body"]
    last = next(
        index for index, entry in enumerate(body) if "ResponseCompletedEvent" in entry["__type__"]
    )
    output: Place = ("response", "body", last, "__data__", "response", "output", 0)
    ((where, why),) = _told(_changed(document, (*output, "content"), 5))
    assert where.endswith("response.output[0].content")
    assert why == "should be a valid list"
    assert _told(_changed(document, (*output, "type"), "a_new_type")) == []
    assert _told(_changed(document, (*output, "status"), _GONE)) == []


def test_embeddings_may_be_base64(recorded: dict[str, dict[str, Any]]) -> None:
    """The SDK asks for it and decodes it before anybody sees it."""
    document = recorded["test_embedding"]
    place: Place = ("response", "body", "__data__", "data", 0, "embedding")
    assert _told(_changed(document, place, "AACAPwAAAEA=")) == []
    assert len(_told(_changed(document, place, {"a": 1}))) == 1


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("https://api.openai.com/v1/chat/completions", 1),
        ("https://eu.openai.azure.com/openai/deployments/x/chat/completions", 1),
        ("http://127.0.0.1:8000/v1/chat/completions", 1),
        ("https://api.mistral.ai/v1/chat/completions", 0),
    ],
)
def test_servers_of_others_may_say_more_in_a_text(
    recorded: dict[str, dict[str, Any]], url: str, count: int
) -> None:
    """Mistral's thinking comes as a list where OpenAI has a text."""
    thinking = [{"type": "thinking", "thinking": []}]
    place: Place = ("response", "body", "__data__", *_MESSAGE, "content")
    document = _changed(recorded["test_plain_chat"], place, thinking)
    document["request"]["url"] = url
    assert len(_told(document)) == count


def test_a_label_without_what_makes_it_one_is_told(recorded: dict[str, dict[str, Any]]) -> None:
    """The label is a reader's; the payload no longer shows that it is one."""
    document = _changed(
        recorded["test_plain_chat"], ("response", "body", "__data__", "object"), _GONE
    )
    assert _told(document) == [
        ("response.body.__data__", "is labelled so, but nothing in it says that it is one")
    ]


def test_ollamas_answers_are_looked_at(recorded: dict[str, dict[str, Any]]) -> None:
    """Every SDK that is installed, each by the label of its payload."""
    document = recorded["test_plain_chat"] | {
        "response": {
            "body": {"message": {"role": "assistant", "content": 5}},
            "is_streaming": False,
        }
    }
    document["request"] = document["request"] | {"url": "http://localhost:11434/api/chat"}
    ((where, _why),) = _told(document)
    assert where == "response.body.message.content"


@pytest.mark.parametrize(
    "change",
    [
        {"response": None},
        {"request": None},
        {"response": {"body": {"object": "chat.completion"}, "is_streaming": True}},
        {"response": {"body": {"object": "chat.completion"}, "status": 500}},
        {"response": {"body": {"object": "chat.completion"}, "is_exception": True}},
    ],
)
def test_errors_and_broken_documents_are_not_looked_at(
    recorded: dict[str, dict[str, Any]], change: dict[str, Any]
) -> None:
    """Somebody else tells what is wrong with these."""
    assert _told(recorded["test_plain_chat"] | change) == []


# --- what is imported -------------------------------------------------------------------------


def test_nothing_is_imported_because_a_file_names_it(tmp_path: Path) -> None:
    """A label of a module that is there, and would tell that it was imported."""
    (tmp_path / "evil.py").write_text("print('imported')")
    (tmp_path / "openai_evil.py").write_text("print('imported')")
    code = (
        "from vcr_llm._sdk_models import refusals\n"
        "for label in ('evil.Model', 'openai_evil.Model', 'openai.types.evil.Model'):\n"
        "    body = {'__type__': label, '__data__': {'object': 'evil', 'choices': 5}}\n"
        "    request = {'method': 'GET', 'url': 'https://api.openai.com/v1/x', 'body': None}\n"
        "    response = {'body': body, 'is_streaming': False}\n"
        "    print([*refusals({'request': request, 'response': response, 'recorded_at': ''})])\n"
        "import sys\n"
        "print(sorted({'evil', 'openai', 'openai_evil'} & {*sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "imported" not in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def _with_model(monkeypatch: pytest.MonkeyPatch, found: object) -> None:
    """Put something in the place of the SDK's module."""
    label = "openai.types.chat.chat_completion"
    module = ModuleType(label)
    if found is not None:
        module.ChatCompletion = found  # type: ignore[attr-defined]  # that is the point
    monkeypatch.setitem(sys.modules, label, module)
    _sdk_models._model.cache_clear()


@pytest.fixture
def broken(recorded: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A broken answer; the models that were looked up meanwhile are forgotten afterwards."""
    yield _changed(recorded["test_plain_chat"], ("response", "body", "__data__", "choices"), 5)
    _sdk_models._model.cache_clear()


def test_an_sdk_that_is_not_installed_says_nothing(
    broken: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither does one that cannot be imported, or does not have the model."""
    monkeypatch.setitem(sys.modules, "openai.types.chat.chat_completion", None)
    _sdk_models._model.cache_clear()
    assert _told(broken) == []
    _with_model(monkeypatch, None)
    assert _told(broken) == []
    _with_model(monkeypatch, SimpleNamespace(no="model"))
    assert _told(broken) == []


def test_a_label_of_no_sdk_is_not_looked_up(
    broken: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should our own table ever have one."""
    monkeypatch.setattr(_sdk_models, "label_of", lambda *_, **__: "os.path.join")
    assert _told(broken) == []


def test_a_model_whose_own_code_fails_has_no_verdict(
    broken: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google's enums stumble over numbers where Vertex sends them."""

    class Stumbling:
        @staticmethod
        def model_validate(_value: object) -> object:
            msg = "'int' object has no attribute 'upper'"
            raise AttributeError(msg)

    _with_model(monkeypatch, Stumbling)
    assert _told(broken) == []


def test_a_models_own_words_show_no_secret(
    recorded: dict[str, dict[str, Any]], broken: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A validator may quote what it refuses, at length."""
    key = "sk-proj-abcdefghijklmnopqrstuvwx"

    class Quoting(pydantic.BaseModel):
        choices: list[int]

        @pydantic.model_validator(mode="before")
        @classmethod
        def refuse(cls, _value: object) -> object:
            msg = f"{key} {'x' * 500}"
            raise ValueError(msg)

    _with_model(monkeypatch, Quoting)
    ((place, problem),) = _told(broken)
    assert place == "response.body.__data__"
    assert key not in problem
    assert len(problem) <= 200


def test_primitives_in_a_union_are_refused_together(
    broken: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that is none of the kinds is refused once, by the first of them."""

    class Choosing(pydantic.BaseModel):
        choices: str | list[str]

    _with_model(monkeypatch, Choosing)
    assert _told(broken) == [("response.body.__data__.choices", "should be a valid string")]
