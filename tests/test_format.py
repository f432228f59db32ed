"""The schema in docs/ holds for every recording, and its examples are recordings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.test_body import ANSWERS, REQUESTS, REQUESTS_BY_VALUE
from tests.test_document import EXCHANGES, interactions, whole
from tests.test_ending import ENDINGS, endings
from tests.test_foreign import FOREIGN, TOOL_CALL
from tests.test_json import fuzzed
from tests.test_multipart import FORMS
from tests.test_stream_body import STREAMS
from vcr_llm._cassette_files import read_old_cassette
from vcr_llm._document import from_document
from vcr_llm._ending import Ending
from vcr_llm._errors import MalformedRecording
from vcr_llm._interaction import Arrival, Interaction
from vcr_llm._json import document_text
from vcr_llm._options import Options
from vcr_llm._recording import new_recording
from vcr_llm._tagged import tag

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
SCHEMA: dict[str, Any] = json.loads(
    (ROOT / "docs/recording.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)

EXAMPLES = re.findall(
    r"^```json ?(\w*)\n(.*?)^```$",
    (ROOT / "docs/format.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)

RESPONSE_KEYS = set(SCHEMA["$defs"]["response"]["properties"]) - {
    *("provider_metadata", "is_exception", "exception_data", "exception_message"),  # of others
}

PARTS: list[tuple[str, Any]] = [
    *(("value", row[3]) for row in (*REQUESTS, *REQUESTS_BY_VALUE)),
    *(("value", tag("multipart/form-data", row[2])) for row in FORMS),
    *(("value", answer.value) for answer in ANSWERS if answer.kind is None),
    *(("json_framing", answer.framing) for answer in ANSWERS if answer.kind is None),
    *(("event", entry) for stream in STREAMS for entry in stream.entries),
    *(("stream_framing", stream.framing) for stream in STREAMS),
    *(("ended", value) for _ending, value in ENDINGS),
]

MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("no test", {"test_id": 1}),
    ("no request", {"request": None}),
    ("a request that is a list", {"request": []}),
    ("no response", {"response": None}),
    ("a method that is none", {"request": {"method": "GET it"}}),
    ("a url that is null", {"request": {"url": None}}),
    ("an unknown key in the request", {"request": {"header": {}}}),
    ("an unknown key in the response", {"response": {"is_stream": True}}),
    ("headers that are a list", {"request": {"headers": []}}),
    ("a header that is a number", {"response": {"headers": {"a": 1}}}),
    ("headers that are empty", {"response": {"headers": {}}}),
    ("a status as text", {"response": {"status": "404"}}),
    ("a status out of range", {"response": {"status": 42}}),
    ("is_streaming as text", {"response": {"is_streaming": "no"}}),
    ("a stream that is no list", {"response": {"is_streaming": True}}),
    ("framing that is empty", {"response": {"framing": {}}}),
    ("framing of a stream on JSON", {"response": {"framing": {"done": True}}}),
    ("a layout that does not exist", {"response": {"framing": {"json": "pretty"}}}),
    ("an end that is no white space", {"response": {"framing": {"end": "x"}}}),
    ("text that is none", {"response": {"body": tag("str", 1)}}),
    ("no base64", {"response": {"body": tag("bytes", "a")}}),
    ("a tag without data", {"response": {"body": {"__type__": "str"}}}),
    ("a tag that is no text", {"response": {"body": {"__type__": 1, "__data__": 2}}}),
    ("an event's key outside a stream", {"response": {"body": {"__event__": "a"}}}),
    ("a form of objects", {"request": {"body": tag("application/x-www-form-urlencoded", [{}])}}),
    ("a part without a body", {"request": {"body": tag("multipart/form-data", [{"name": "a"}])}}),
    ("an id that is a number", {"response": {"is_streaming": True, "body": [{"__id__": 1}]}}),
    (
        "framing of an event that has no index",
        {"response": {"is_streaming": True, "body": [], "framing": {"events": {"x": {"end": ""}}}}},
    ),
    (
        "an order of unknown fields",
        {"response": {"is_streaming": True, "body": [], "framing": {"order": ["name"]}}},
    ),
    (
        "a rest that is none",
        {
            "response": {
                "is_streaming": True,
                "body": [],
                "framing": {"events": {"0": {"rest": False}}},
            }
        },
    ),
    ("an ending as text", {"response": {"ended": "error"}}),
    ("an ending by nobody", {"response": {"ended": {}}}),
    ("an ending by the server", {"response": {"ended": {"by": "server"}}}),
    ("an error without its name", {"response": {"ended": {"by": "error", "message": "x"}}}),
    ("an error without its text", {"response": {"ended": {"by": "error", "type": "ReadError"}}}),
    ("a client with an error", {"response": {"ended": {"by": "client", "type": "ReadError"}}}),
    (
        "an error that was cancelled",
        {
            "response": {
                "ended": {"by": "error", "type": "ReadError", "message": "", "cancelled": True}
            }
        },
    ),
    ("a client that was not cancelled", {"response": {"ended": {"by": "client", "cancelled": 0}}}),
    ("timing as a number", {"response": {"timing": 1}}),
    ("timing that is empty", {"response": {"timing": []}}),
    ("a time before the request", {"response": {"timing": [-1]}}),
    ("a time in parts of milliseconds", {"response": {"timing": [1.5]}}),
    ("a negative position", {"sequence": -1}),
    ("a time that is none", {"recorded_at": "yesterday"}),
]


def read(text: str) -> Any:
    """A JSON value, with an integer that Python refuses to read cut short."""
    return json.loads(text, parse_int=lambda digits: int(digits[:400]))


def problems(document: Any, part: str | None = None) -> list[str]:
    """What the schema, or one definition in it, finds wrong with a value."""
    validator = VALIDATOR
    if part:
        validator = Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]})
    return [
        f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)
    ]


def test_the_schema_is_valid() -> None:
    """It is a JSON Schema of 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("part", "text"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_documentation_is_what_it_says(part: str, text: str) -> None:
    """Each example in docs/format.md keeps to the schema."""
    assert problems(json.loads(text), part) == []


def test_the_documentation_has_examples_of_everything() -> None:
    """A whole recording, a value, an event, both kinds of framing, endings and times are shown."""
    assert {part for part, _ in EXAMPLES} == {
        "",
        "value",
        "event",
        "json_framing",
        "stream_framing",
        "ended",
        "timing",
    }


def test_every_kind_of_ending_is_documented() -> None:
    """There is an example of each that is written, told apart by its keys."""
    shown = [list(json.loads(text)) for part, text in EXAMPLES if part == "ended"]
    assert all(list(value) in shown for _ending, value in ENDINGS)


@pytest.mark.parametrize("key", sorted(RESPONSE_KEYS))
def test_every_key_of_a_response_is_documented(key: str) -> None:
    """The tables explain each one that is ours."""
    assert f"| `response.{key}` |" in (ROOT / "docs/format.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", sorted(SCHEMA["$defs"]["stream_framing"]["properties"]))
def test_every_key_of_the_framing_is_documented(key: str) -> None:
    """What the schema allows, docs/format.md explains."""
    assert f"`{key}`" in (ROOT / "docs/format.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
def test_every_exchange_of_the_tables_keeps_to_the_schema(exchange: Any) -> None:
    """The documents of these tests and what would be recorded of their exchanges."""
    assert problems(exchange.document) == []
    assert problems(new_recording(exchange.interaction, Options()).document) == []


@pytest.mark.parametrize(("part", "value"), PARTS, ids=range(len(PARTS)))
def test_every_body_of_the_tables_keeps_to_the_schema(part: str, value: Any) -> None:
    """Bodies, events and framings of every kind."""
    assert problems(read(document_text(value)), part) == []


@pytest.mark.parametrize("document", [TOOL_CALL, FOREIGN[0][1], FOREIGN[1][1], FOREIGN[4][1]])
def test_recordings_of_others_keep_to_the_schema(document: dict[str, Any]) -> None:
    """Tool calls, recorded exceptions and keys that only they know."""
    assert problems(document) == []


def test_the_recordings_of_this_repository_keep_to_the_schema() -> None:
    """Every file in cassettes/ is a recording."""
    paths = sorted((ROOT / "cassettes").rglob("*.json"))
    assert paths
    for path in paths:
        assert problems(json.loads(path.read_text(encoding="utf-8"))) == [], path.name


@pytest.mark.parametrize("changes", [row[1] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_found(changes: dict[str, Any]) -> None:
    """A document that is not quite a recording does not keep to the schema."""
    assert problems(whole({})) == []
    assert problems(whole(changes)) != []


@pytest.mark.parametrize("key", ["request", "response"])
def test_a_missing_part_is_found(key: str) -> None:
    """A recording needs both its halves, and every documented key of each."""
    document = whole({})
    for name in list(document[key]):
        part = {other: document[key][other] for other in document[key] if other != name}
        assert problems({**document, key: part}) != [], name
    del document[key]
    assert problems(document) != []


@fuzzed
@given(interactions)
def test_whatever_is_recorded_keeps_to_the_schema(interaction: Interaction) -> None:
    """No exchange gives a document that the schema refuses."""
    recorded = new_recording(interaction, Options()).document
    assert problems(read(document_text(recorded))) == []


@fuzzed
@given(interactions, st.none() | endings, st.lists(st.integers(0, 5000), max_size=5))
def test_however_a_response_ended_and_whenever_it_came(
    interaction: Interaction, ended: Ending | None, times: list[int]
) -> None:
    """Endings and times keep to the schema, and come back out of the document."""
    size = len(interaction.response.body)
    arrivals = tuple(Arrival(size, at) for at in sorted(times)) if size else ()
    response = replace(interaction.response, ended=ended, arrivals=arrivals)
    recorded = new_recording(replace(interaction, response=response), Options()).document
    assert problems(read(document_text(recorded))) == []
    back = from_document(recorded).response
    assert back.ended == ended
    assert {arrival.at for arrival in back.arrivals} == set(sorted(times)[:1] if size else [])


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_the_shared_recordings_keep_to_the_schema() -> None:
    """The seed and its kin, which other software wrote."""
    for root in (SHARED / "seed", SHARED / "corpus" / "llama-stack-seed"):
        for path in sorted(root.rglob("*.json")):
            assert problems(json.loads(path.read_text(encoding="utf-8"))) == [], path.name


def _recorded_by_others() -> Iterator[tuple[str, Interaction]]:
    """The exchanges in a sample of the shared cassettes, those that vcrpy can read."""
    paths = sorted((SHARED / "corpus").rglob("*.yaml"))
    for path in paths[::12]:
        try:
            found, _metadata = read_old_cassette(path)
        except (MalformedRecording, yaml.YAMLError):
            continue
        yield from ((path.name, interaction) for interaction in found)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_what_public_projects_recorded_would_keep_to_the_schema() -> None:
    """Real exchanges with many providers give documents that the schema knows."""
    count = 0
    for name, interaction in _recorded_by_others():
        document = read(document_text(new_recording(interaction, Options()).document))
        assert problems(document) == [], name
        count += 1
    assert count > 100
