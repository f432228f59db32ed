"""``vcr-llm export``: vcrpy reads what it writes, and nothing of an exchange is lost on the way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcr.persisters.filesystem import FilesystemPersister
from vcr.serializers import yamlserializer

from tests.cli.trees import URL, cassette, exchange, interactions, summary_of, tree, write
from vcr_llm._interaction import Interaction
from vcr_llm._old_cassette import read_cassette
from vcr_llm.cli import main


def _export(*arguments: str | Path) -> int:
    return main(["export", *map(str, arguments)])


def _converted(tmp_path: Path, **files: str | bytes) -> Path:
    old = write(tmp_path / "old", **files)
    assert main(["convert", str(old), str(tmp_path / "new"), "--verbatim"]) == 0
    return tmp_path / "new"


def _read(path: Path) -> list[Interaction]:
    return [old.interaction for old in read_cassette(path.read_bytes()).interactions]


def _told(interaction: Interaction) -> tuple[Any, ...]:
    """What of an exchange has to survive; JSON that was sent counts by its value."""
    request, response = interaction.request, interaction.response
    try:
        sent = json.loads(request.body or b"null")
    except ValueError:
        sent = request.body
    return (
        (request.method, request.url, sorted(request.headers), sent),
        (response.status, response.reason, sorted(response.headers), response.body),
    )


def test_a_tree_becomes_a_tree_of_the_same_shape(tmp_path: Path) -> None:
    """Each directory of recordings is a file of its name."""
    text = cassette(exchange())
    new = _converted(tmp_path, test_a=text, sub__test_b=text, **{"sub/test_c[x.y].yaml": text})
    assert _export(new, tmp_path / "back") == 0
    assert set(tree(tmp_path / "back")) == {
        "test_a.yaml",
        "sub/test_b.yaml",
        "sub/test_c[x.y].yaml",
    }


def test_vcrpy_reads_what_was_exported(tmp_path: Path) -> None:
    """vcrpy's own persister loads the file: requests, responses and metadata."""
    new = _converted(tmp_path, test_x=cassette(exchange(answer="hé"), metadata={"x": 1}))
    assert _export(new, tmp_path / "back") == 0
    requests, responses, metadata = FilesystemPersister.load_cassette(
        tmp_path / "back" / "test_x.yaml", yamlserializer
    )
    assert [request.uri for request in requests] == [URL]
    assert json.loads(responses[0]["body"]["string"]) == {"answer": "hé"}
    assert metadata == {"x": 1}


def test_bodies_of_text_are_readable(tmp_path: Path) -> None:
    """Only what is no text is base64."""
    items = exchange("one", "two"), exchange(body={"string": b"\xff\x00"})
    new = _converted(tmp_path, test_x=cassette(*items))
    assert _export(new, tmp_path / "back") == 0
    text = (tmp_path / "back" / "test_x.yaml").read_text(encoding="utf-8")
    assert "two" in text
    assert text.count("!!binary") == 1


def test_one_cassette_or_one_recording_can_be_exported(tmp_path: Path) -> None:
    """CASSETTE may be the directory of one cassette, or one of its files."""
    new = _converted(tmp_path, test_x=cassette(exchange("a"), exchange("b")))
    first = min((new / "test_x").iterdir())
    assert _export(new / "test_x", first, tmp_path / "back") == 0
    assert set(tree(tmp_path / "back")) == {"test_x.yaml", f"{first.stem}.yaml"}
    assert len(_read(tmp_path / "back" / "test_x.yaml")) == 2
    assert len(_read(tmp_path / "back" / f"{first.stem}.yaml")) == 1


def test_a_cassette_without_recordings_is_one(tmp_path: Path) -> None:
    """An empty directory is a cassette of a test that sent nothing."""
    new = _converted(tmp_path, test_x=cassette())
    assert _export(new, tmp_path / "back") == 0
    assert _read(tmp_path / "back" / "test_x.yaml") == []


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that says the same is left, one that says something else is named; both stay."""
    new = _converted(tmp_path, test_x=cassette(exchange()), test_y=cassette(exchange()))
    assert _export(new, tmp_path / "back") == 0
    (tmp_path / "back" / "test_x.yaml").write_text("mine")
    before = tree(tmp_path / "back")
    found = summary_of(capsys, "export", new, tmp_path / "back")
    assert (found["status"], found["cassettes"]) == (1, 1)
    assert found["failed"][0]["path"] == str(new / "test_x")
    assert tree(tmp_path / "back") == before


def test_a_tools_call_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """vcrpy knows exchanges over HTTP only; what else there is, is named."""
    new = _converted(tmp_path, test_x=cassette(exchange()))
    call = {
        "test_id": None,
        "request": {"provider": "search", "tool_name": "web", "kwargs": {}},
        "response": {"body": 1, "is_streaming": False},
    }
    path = new / "test_x" / f"{'0' * 64}.json"
    path.write_text(json.dumps(call), encoding="utf-8")
    found = summary_of(capsys, "export", new, tmp_path / "back")
    assert (found["status"], found["interactions"]) == (0, 1)
    assert [item["path"] for item in found["left_out"]] == [str(path)]
    assert _export(new, tmp_path / "again") == 0
    assert f"left out {path}" in capsys.readouterr().out


def test_a_broken_recording_is_named_and_the_rest_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One clear line for each cassette that cannot be read, and exit status 1."""
    new = _converted(tmp_path, test_x=cassette(exchange()), test_y=cassette(exchange()))
    (broken,) = (new / "test_x").iterdir()
    broken.write_text("{", encoding="utf-8")
    assert _export(new, tmp_path / "back") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{new / 'test_x'}: ")
    assert set(tree(tmp_path / "back")) == {"test_y.yaml"}


def test_what_yaml_cannot_say_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of a surrogate pair is no character; vcrpy cannot write one."""
    new = _converted(tmp_path, test_x=cassette(exchange()))
    (path,) = (new / "test_x").iterdir()
    text = path.read_text(encoding="utf-8").replace('"method": "POST"', r'"method": "\ud800"')
    path.write_text(text, encoding="utf-8")
    assert _export(new, tmp_path / "back") == 1
    assert "YAML cannot say" in capsys.readouterr().err
    assert tree(tmp_path / "back") == {}


def test_a_directory_that_cannot_be_listed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that goes, or may not be read, is a line and not the end of the run."""
    new = _converted(tmp_path, a=cassette(exchange()), b=cassette(exchange()))
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert _export(new, tmp_path / "back") == 1
    assert f"{new / 'a'}: cannot be read" in capsys.readouterr().err
    assert set(tree(tmp_path / "back")) == {"b.yaml"}


def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where a directory is needed stops one cassette, not the run."""
    new = _converted(tmp_path, sub__test_x=cassette(exchange()), test_y=cassette(exchange()))
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "sub").write_text("mine")
    assert _export(new, tmp_path / "back") == 1
    assert "cannot become" in capsys.readouterr().err
    assert (tmp_path / "back" / "test_y.yaml").is_file()


_NAMES = st.sampled_from(["Content-Type", "X-One", "x-one", "Set-Cookie", "Retry-After"])
_VALUES = st.sampled_from(
    ["application/json", "text/event-stream; charset=utf-8", "text/plain", "1", "é", "a: b", "- #"]
)
_HEADERS = st.lists(st.tuples(_NAMES, _VALUES), max_size=4).map(
    lambda pairs: {
        name: [value for other, value in pairs if other == name] for name, _value in pairs
    }
)
_LINES = st.sampled_from(
    [
        "data: {}",
        "event: x",
        ": c",
        "\r",
        "\n",
        "\n\n",
        "\ufeff",
        "\x85",
        "\u2028",
        "é",
        " ",
        "{",
        "}",
    ]
)
_TEXTS = st.text() | st.lists(_LINES).map("".join)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
).map(json.dumps)
_BODIES = st.none() | (_TEXTS | _JSON).map(lambda text: text.encode(errors="replace")) | st.binary()
_EXCHANGES = st.fixed_dictionaries(
    {
        "request": st.fixed_dictionaries(
            {
                "method": st.sampled_from(["POST", "GET", "delete"]),
                "uri": st.sampled_from([URL, f"{URL}?a=b&c=%20", "http://localhost:8000/x"]),
                "body": _BODIES.map(lambda body: body or None),
                "headers": _HEADERS,
            }
        ),
        "response": st.fixed_dictionaries(
            {
                "status": st.sampled_from([{"code": 200, "message": "OK"}, {"code": 418}]),
                "headers": _HEADERS,
                "body": st.fixed_dictionaries({"string": _BODIES}),
            }
        ),
    }
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(items=st.lists(_EXCHANGES, min_size=1, max_size=3))
def test_verbatim_and_back_gives_the_same_exchanges(
    items: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Method, URL, status, headers and body of every exchange, in the same order."""
    root = tmp_path_factory.mktemp("tree")
    new = _converted(root, test_x=str(yamlserializer.serialize({"interactions": items})))
    assert _export(new, root / "back") == 0
    before = list(map(_told, _read(root / "old" / "test_x.yaml")))
    assert list(map(_told, interactions(new / "test_x"))) == before
    assert list(map(_told, _read(root / "back" / "test_x.yaml"))) == before
