"""``vcr-llm check``: secrets, malformed documents, wrong names, refused payloads, bad input."""

from __future__ import annotations

import base64
import gzip
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.recordings import DEAD_PROCESS, cassette, named, recording, save
from tests.cli.trees import summary_of, tree
from vcr_llm._json import document_text
from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm.cli import main
from vcr_llm.cli._conversion import LARGEST

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
_IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
_KEY = "sk-proj-abcdefghijklmnopqrstuvwx"

Found = list[dict[str, str]]


def _check(*arguments: str | Path) -> int:
    return main(["check", *map(str, arguments)])


def _found(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Found:
    """The findings that are printed for programs; the exit status says whether there are any."""
    capsys.readouterr()
    status = _check("--json", *arguments)
    found: Found = json.loads(capsys.readouterr().out)
    assert status == (1 if found else 0)
    return found


def _brief(found: Found) -> list[tuple[str, str, str]]:
    return [(Path(each["path"]).name, each["place"], each["rule"]) for each in found]


# --- what is clean ----------------------------------------------------------------------------


def test_nothing_is_found_in_what_was_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status is 0, and the counts say what was looked at."""
    save(tmp_path / "test_x", cassette("a", "b", "a"))
    assert _check(tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == ["cassettes: 1", "recordings: 3", "findings: 0"]


def test_the_recordings_of_this_repository_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    """Recorded by the recorder, with the installed SDKs."""
    assert _found(capsys, ROOT / "cassettes") == []


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_what_convert_writes_is_clean_and_canonical(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No false alarm in 2,600 public recordings, nor in those of the carried-over system."""
    main(["convert", str(SHARED / "corpus"), str(tmp_path)])
    assert _found(capsys, tmp_path, SHARED / "corpus" / "llama-stack-seed", SHARED / "seed") == []
    found = summary_of(capsys, "fmt", "--check", tmp_path)
    assert (found["status"], found["changed"]) == (0, [])
    assert found["recordings"] > 2500


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_what_was_converted_verbatim_is_cured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real credentials in real headers are found, and fmt --redact takes every one of them out."""
    for name in ("simonw+llm", "simonw+llm-anthropic", "posit-dev+chatlas"):
        main(["convert", "--verbatim", str(SHARED / "corpus" / name), str(tmp_path / name)])
    found = _found(capsys, tmp_path)
    assert {each["rule"] for each in found} == {"secret"}
    assert len(found) > 30
    assert main(["fmt", "--redact", str(tmp_path)]) == 0
    assert _found(capsys, tmp_path) == []


# --- secrets ----------------------------------------------------------------------------------


def test_a_secret_is_told_by_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line with the file, the place, what it is and what to do; the secret is never printed."""
    document = recording(f"my key is {_KEY}")
    path = save(tmp_path / "test_x", [document]) / named(document)
    assert _check(tmp_path) == 1
    line, *counts = capsys.readouterr().out.splitlines()
    assert line == (
        f"{path}: request.body.prompt: holds what looks like a secret, by its shape; "
        "`vcr-llm fmt --redact` takes it out; if it is a real one, revoke it"
    )
    assert counts == ["cassettes: 1", "recordings: 1", "findings: 1", "  secret: 1"]


def test_every_kind_of_cure_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What redaction takes out, what comes back with the next recording, what needs a hand."""
    discord = f"MTA{'b' * 21}.Ccccc1.{'d' * 27}"  # a shape that our own redaction does not know
    hidden = base64.b64encode(gzip.compress(f"the key is {_KEY}".encode())).decode()
    document = recording(hidden, discord) | {"test_id": f"t.py::test_x[{_KEY}]"}
    document["request"]["body"]["bot"] = discord
    save(tmp_path / "test_x", [document])
    messages = {each["place"]: each["message"] for each in _found(capsys, tmp_path)}
    assert "take it out by hand" in messages["request.body.prompt"]
    assert "`vcr-llm fmt --redact` takes it out; if" in messages["response.body.answer"]
    assert "and the option redact lets the request still match" in messages["request.body.bot"]
    assert "give the test's parameter an id that does not show it" in messages["test_id"]
    assert all(_KEY not in message and discord not in message for message in messages.values())


def test_secrets_beside_recordings_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the metadata, and in the names of files and directories, which are not printed then."""
    folder = save(tmp_path / f"test_x[{_KEY}]", {f"{_KEY}.json": recording()})
    (folder / "metadata.json").write_text(document_text({"token": {"of": _KEY}}))
    found = _found(capsys, tmp_path)
    assert _KEY not in json.dumps(found)
    rules = [(each["place"], each["rule"]) for each in found]
    assert sorted(rules) == [
        ("name", "name"),
        ("name", "secret"),
        ("name", "secret"),
        ("token.of", "secret"),
    ]


def test_a_broken_file_is_looked_through_as_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That it is no recording does not make the key in it less of a key."""
    document = recording(_KEY)
    path = save(tmp_path / "test_x", [document]) / named(document)
    path.write_text(path.read_text().removesuffix("}\n"))
    number = 1 + [_KEY in line for line in path.read_text().splitlines()].index(True)
    found = _brief(_found(capsys, tmp_path))
    assert [(place, rule) for _name, place, rule in found] == [
        ("line 21, column 1", "malformed"),
        (f"line {number}", "secret"),
    ]


# --- malformed --------------------------------------------------------------------------------


def _without(*places: str) -> Callable[[dict[str, Any]], object]:
    def change(document: dict[str, Any]) -> None:
        *path, last = places
        container = document
        for step in path:
            container = container[step]
        del container[last]

    return change


def _with(value: object, *places: str) -> Callable[[dict[str, Any]], object]:
    def change(document: dict[str, Any]) -> None:
        *path, last = places
        container = document
        for step in path:
            container = container[step]
        container[last] = value

    return change


_FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no request": (_without("request"), "request"),
    "no response": (_without("response"), "response"),
    "no body": (_without("response", "body"), "response.body"),
    "no method": (_without("request", "method"), "request.method"),
    "wrong URL": (_with("http://x:port/", "request", "url"), "request.url"),
    "wrong headers": (_with([1], "response", "headers"), "response.headers"),
    "wrong status": (_with("200", "response", "status"), "response.status"),
    "wrong is_streaming": (_with("no", "response", "is_streaming"), "response.is_streaming"),
    "no events": (_with(True, "response", "is_streaming"), "response.body"),
    "no base64": (
        _with({"__type__": "bytes", "__data__": "?"}, "response", "body"),
        "response.body.__data__",
    ),
    "no form": (
        _with({"__type__": "multipart/form-data", "__data__": 1}, "request", "body"),
        "request.body.__data__",
    ),
    "wrong framing": (
        _with({"json": "upside-down"}, "response", "framing"),
        "response.framing.json",
    ),
    "wrong test_id": (_with(5, "test_id"), "test_id"),
    "wrong sequence": (_with(-1, "sequence"), "sequence"),
    "sequence of the wrong type": (_with("0", "sequence"), "sequence"),
    "sequence that is no number": (_with(True, "sequence"), "sequence"),
    "wrong time": (_with("yesterday", "recorded_at"), "recorded_at"),
    "wrong endpoint": (_with(5, "request", "endpoint"), "request.endpoint"),
    "wrong model": (_with(5, "request", "model"), "request.model"),
}


@pytest.mark.parametrize(("change", "place"), _FAULTS.values(), ids=_FAULTS)
def test_a_malformed_document_is_told_by_place(
    tmp_path: Path,
    change: Callable[[dict[str, Any]], object],
    place: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is missing or of the wrong type, and bodies that do not decode."""
    document = recording()
    name = named(document)
    change(document)
    save(tmp_path / "test_x", {name: document})
    found = [each for each in _found(capsys, tmp_path) if each["rule"] == "malformed"]
    assert [each["place"] for each in found] == [place]
    assert "epair it" in found[0]["message"]


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b"{\n  ?", "line 2, column 3", "is not valid JSON"),
        (b'{"request": "\xff"}', "", "is not UTF-8: byte 13"),
        (b"", "", "is empty"),
        (b"[1]", "", "holds a list"),
        (b"\xef\xbb\xbf{}", "", "byte order mark"),
        (b'{"a": NaN}', "", "NaN is not JSON"),
        (b"[" * 1000, "", "nested more than"),
    ],
)
def test_a_file_that_is_no_document_is_told(
    tmp_path: Path,
    content: bytes,
    place: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever its bytes are."""
    folder = save(tmp_path / "test_x", [recording()])
    (folder / f"{'0' * 64}.json").write_bytes(content)
    (found,) = _found(capsys, tmp_path)
    assert (found["place"], found["rule"]) == (place, "malformed")
    assert message in found["message"]


def test_a_key_that_is_there_twice_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of both values is never seen."""
    document = recording()
    path = save(tmp_path / "test_x", [document]) / named(document)
    path.write_text(path.read_text().replace('"prompt"', '"a": [{"b": 1, "b": 1}], "prompt"'))
    (found,) = _found(capsys, tmp_path)
    assert (found["place"], found["rule"]) == ("request.body.a[0].b", "malformed")


def test_recorded_exceptions_and_tool_calls_are_looked_at_for_what_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are no exchange over HTTP, and still have a test."""
    tool: dict[str, Any] = {
        "test_id": "t.py::test_x",
        "request": {"provider": "p", "tool_name": "search", "kwargs": {"password": "hunter2"}},
        "response": {"body": 1, "is_streaming": False},
    }
    wrong = tool | {"test_id": 5, "request": tool["request"] | {"kwargs": {"query": "x"}}}
    save(tmp_path / "test_x", {f"{'0' * 64}.json": tool, f"{'1' * 64}.json": wrong})
    found = _brief(_found(capsys, tmp_path))
    assert [(place, rule) for _name, place, rule in found] == [
        ("request.kwargs.password", "secret"),
        ("test_id", "malformed"),
    ]


# --- among the recordings of a cassette -------------------------------------------------------


def test_a_wrong_name_is_told_with_the_right_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And that fmt gives it."""
    save(tmp_path / "test_x", {"answer.json": recording()})
    (found,) = _found(capsys, tmp_path)
    assert (found["place"], found["rule"]) == ("name", "name")
    assert found["message"] == (
        f"is not what its address says; `vcr-llm fmt` calls it {named(recording())}"
    )


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0, 2, 3], {1: "is 2, where 1 would be next"}),
        ([0, 1, 1, 2], {2: "is 1, which another recording has"}),
        ([2, 3], {0: "is 2, where 0 would be next"}),
        ([None, 1], {0: "is missing, though the recording is not the only one"}),
        ([0], {0: "is 0, though the recording is the only one"}),
        ([0, 3, 4, 9], {1: "is 3, where 1 would be next", 3: "is 9, where 3 would be next"}),
    ],
)
def test_wrong_numbers_are_told_where_they_go_wrong(
    tmp_path: Path,
    numbers: list[int | None],
    expected: dict[int, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Taken twice, with a gap, missing; not once for each file behind."""
    documents = [
        recording(f"prompt {place}", sequence=number) for place, number in enumerate(numbers)
    ]
    twins = [place for place, number in enumerate(numbers) if numbers.index(number) != place]
    for place in twins:  # of two that claim a place, the one with the later name comes later
        first = numbers.index(numbers[place])
        documents[first], documents[place] = sorted((documents[first], documents[place]), key=named)
    save(tmp_path / "test_x", documents)
    found = {each["path"]: each["message"] for each in _found(capsys, tmp_path)}
    assert {Path(path).name: message.partition(";")[0] for path, message in found.items()} == {
        named(documents[place]): message for place, message in expected.items()
    }


def test_a_copy_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two files that say the same, in the same place; two answers that were recorded are fine."""
    files = cassette("a", "b")
    folder = save(tmp_path / "test_x", files)
    first = next(iter(files))
    (folder / "copy.json").write_bytes((folder / first).read_bytes())
    found = _brief(_found(capsys, tmp_path))
    assert ("copy.json", "", "copy") in found
    assert ("copy.json", "name", "name") in found
    assert "sequence" not in [rule for name, _place, rule in found if name == "copy.json"]
    twice = [recording("a", "same", sequence=place) for place in range(2)]
    save(tmp_path / "test_y", {named(each, 1 + n): each for n, each in enumerate(twice)})
    assert _found(capsys, tmp_path / "test_y") == []


def test_recordings_of_the_carried_over_system_are_no_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They have neither numbers nor times, and names of their own."""
    document = recording()
    del document["recorded_at"]
    save(tmp_path / "test_x", {f"{key * 64}.json": document for key in "ab"})
    assert _found(capsys, tmp_path) == []


def test_a_linked_recording_is_looked_at_and_keeps_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """fmt leaves links alone, so that nothing is told that it would not cure."""
    elsewhere = save(tmp_path / "elsewhere", {"x.json": recording(_KEY, sequence=7)})
    folder = save(tmp_path / "tree" / "test_x", [recording("a")])
    (folder / "link.json").symlink_to(elsewhere / "x.json")
    found = _brief(_found(capsys, tmp_path / "tree"))
    assert found == [("link.json", "request.body.prompt", "secret")]


def test_what_a_killed_run_left_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """But nothing that a running process is writing; fmt removes what is told."""
    folder = save(tmp_path / "test_x", [recording()])
    (folder / f".a.json.{DEAD_PROCESS}-0.tmp").write_text("{")
    save(tmp_path / f".test_x.{DEAD_PROCESS}-1.recording", {"x.json": recording(_KEY)})
    (folder / f".a.json.{os.getpid()}-0.tmp").write_text("{")
    found = _found(capsys, tmp_path)
    assert {(each["rule"], "`vcr-llm fmt` removes it" in each["message"]) for each in found} == {
        ("leftover", True)
    }
    assert len(found) == 2
    assert main(["fmt", str(tmp_path)]) == 0
    assert _found(capsys, tmp_path) == []


# --- refused payloads -------------------------------------------------------------------------


def test_a_payload_that_the_sdk_refuses_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By path, with the model; the events that have the same fault share a line."""
    chunk = {"id": "rec-1", "object": "chat.completion.chunk", "created": 0, "model": "gpt-4o"}
    label = "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"
    events = [{"__type__": label, "__data__": chunk | {"choices": "oops"}}] * 3
    save(tmp_path / "test_x", [recording(body=events, is_streaming=True)])
    found = _found(capsys, tmp_path)
    assert [(each["place"], each["rule"]) for each in found] == [
        (f"response.body[{index}].__data__.choices", "sdk") for index in range(3)
    ]
    assert _check(tmp_path) == 1
    line, *_counts = capsys.readouterr().out.splitlines()
    assert f"response.body[0].__data__.choices: {label} refuses it" in line
    assert line.endswith("(and 2 more like it)")


# --- which files ------------------------------------------------------------------------------


def test_files_that_were_named_are_all_that_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a pre-commit hook names them; a directory tells of all that is in it."""
    folder = save(tmp_path / "test_x", {"a.json": recording("a"), "b.json": recording(_KEY)})
    assert {name for name, *_ in _brief(_found(capsys, folder / "a.json"))} == {"a.json"}
    both = _found(capsys, folder / "a.json", folder / "b.json")
    assert {name for name, *_ in _brief(both)} == {"a.json", "b.json"}
    assert _found(capsys, folder / "a.json", folder) == _found(capsys, folder)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("notes.json", '{"mine": true}', "is no recording"),
        ("broken.json", "{", "is not valid JSON"),
        ("test_x.yaml", "interactions: []", "is not valid JSON"),
    ],
)
def test_a_file_that_was_named_and_is_no_recording_is_told(
    tmp_path: Path, name: str, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever names a file wants to hear of it; in a tree it is somebody else's."""
    path = tmp_path / name
    path.write_text(text)
    (found,) = _found(capsys, path)
    assert found["path"] == str(path)
    assert message in found["message"]
    assert _found(capsys, tmp_path) == []


def test_metadata_that_was_named_is_looked_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is ours, and no recording."""
    folder = save(tmp_path / "test_x", [recording()])
    (folder / "metadata.json").write_text(document_text({"token": _KEY}))
    assert _brief(_found(capsys, folder / "metadata.json")) == [
        ("metadata.json", "token", "secret")
    ]


def test_a_large_directory_is_looked_through_in_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file once, whichever part it is in; broken ones, too."""
    documents = [recording(f"prompt {place}", sequence=place) for place in range(250)]
    folder = save(tmp_path / "test_x", documents)
    assert _check(folder) == 0
    assert "recordings: 250" in capsys.readouterr().out.splitlines()
    names = sorted(path.name for path in folder.iterdir())
    (folder / names[-1]).write_text("{")
    (folder / "zzzz.json").write_text('{"mine": true}')
    found = _brief(_found(capsys, folder))
    assert found == [(names[-1], "line 1, column 2", "malformed")]


def test_checking_writes_nothing(tmp_path: Path) -> None:
    """Whatever it finds."""
    folder = save(tmp_path / "test_x", {"a.json": recording(_KEY, sequence=5)})
    (folder / "broken.json").write_text("{")
    before = tree(tmp_path)
    assert _check(tmp_path) == 1
    assert tree(tmp_path) == before


# --- bad input --------------------------------------------------------------------------------


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST * 10)


def _unreadable(path: Path) -> None:
    path.write_text(document_text(recording("b")))
    path.chmod(0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_huge, "larger than 100 MB"),
        pytest.param(
            _unreadable,
            "cannot be read",
            marks=pytest.mark.skipif(_IS_ROOT, reason="root reads everything"),
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path,
    make: Callable[[Path], None],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The others are looked at."""
    folder = save(tmp_path / "test_x", [recording(_KEY)])
    bad = folder / f"{'b' * 64}.json"
    make(bad)
    found = _found(capsys, tmp_path)
    assert {each["rule"] for each in found} == {"unreadable", "secret"}
    (told,) = [each for each in found if each["rule"] == "unreadable"]
    assert told["path"] == str(bad)
    assert message in told["message"]


def test_a_file_that_cannot_be_opened_is_told_where_it_may_be_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody knows what is in it, so that saying nothing would say too much."""
    bad = tmp_path / "x.json"
    bad.write_text("{}")
    real = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == bad:
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    (found,) = _found(capsys, tmp_path)
    assert (found["path"], found["rule"]) == (str(bad), "unreadable")
    assert "cannot be read: Permission denied" in found["message"]


def test_a_file_that_goes_meanwhile_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was there when the directory was listed."""
    path = save(tmp_path / "test_x", [recording()]) / named(recording())
    monkeypatch.setattr("vcr_llm.cli._cassettes._says_recording", lambda _path: True)
    monkeypatch.setattr(RecordingDirectory, "candidates", lambda _self: iter([path]))
    path.unlink()
    (found,) = _found(capsys, tmp_path / "test_x")
    assert "cannot be read: No such file" in found["message"]


def test_malformed_metadata_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As any other file of a cassette."""
    folder = save(tmp_path / "test_x", [recording()])
    (folder / "metadata.json").write_text("[")
    assert _brief(_found(capsys, tmp_path)) == [("metadata.json", "line 1, column 2", "malformed")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks for rights to make links")
def test_a_loop_of_directories_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends; and a cassette that two links lead to is looked at once."""
    folder = save(tmp_path / "tree" / "test_x", [recording(_KEY)])
    (folder / "loop").symlink_to(tmp_path / "tree", target_is_directory=True)
    (tmp_path / "tree" / "again").symlink_to(folder, target_is_directory=True)
    (tmp_path / "tree" / "itself").symlink_to("itself")
    found = _found(capsys, tmp_path / "tree")
    assert [name for name, _place, rule in _brief(found) if rule == "secret"] == [
        named(recording(_KEY))
    ]
    assert {name for name, _place, rule in _brief(found) if rule == "unreadable"} == {"loop"}


@pytest.mark.parametrize(
    ("error", "message"),
    [(OSError(5, "Input/output error"), "Input/output error"), (MemoryError(), "more memory")],
)
def test_whatever_the_machine_refuses_is_told(
    tmp_path: Path,
    error: BaseException,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is a finding, not the end of the run."""

    def fail(_folder: Path) -> None:
        raise error

    save(tmp_path / "test_x", [recording()])
    monkeypatch.setattr("vcr_llm.cli._checking.contents", fail)
    (found,) = _found(capsys, tmp_path)
    assert message in found["message"]


def test_a_directory_that_goes_meanwhile_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory that cannot be listed is a finding."""
    save(tmp_path / "a" / "test_x", [recording()])
    scandir = os.scandir

    def vanish(path: Any) -> Any:
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", vanish)
    assert _brief(_found(capsys, tmp_path)) == [("a", "", "unreadable")]
    monkeypatch.setattr("vcr_llm.cli.check.cassette_folders", lambda *_: [tmp_path / "a"])
    assert _brief(_found(capsys, tmp_path)) == [("a", "", "unreadable")]
    monkeypatch.undo()
    monkeypatch.setattr(os, "scandir", vanish)
    assert _brief(_found(capsys, tmp_path / "a")) == [("a", "", "unreadable")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_hostile_names_and_places_are_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a terminal would obey is written out."""
    document = recording() | {"\x1b[31m[bold]\u202e": {"password": "hunter2"}}
    save(tmp_path / "\x1b]0;title\x07", {"x.json": document})
    assert _check(tmp_path) == 1
    shown = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\u202e"} & {*shown}
    assert "hunter2" not in shown


def test_colour_is_for_terminals_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain in a pipe; in a terminal the path stands out."""
    save(tmp_path / "test_x", [recording(_KEY)])
    _check(tmp_path)
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    _check(tmp_path)
    assert "\x1b[1m" in capsys.readouterr().out


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """And says what is looked for."""
    assert _check("--help") == 0
    shown = capsys.readouterr().out
    assert "Example: vcr-llm check tests/cassettes" in shown
    assert "detect-secrets" in shown


def test_a_path_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing mistake is no clean cassette."""
    assert _check("nowhere") == 2
    assert "does not exist" in capsys.readouterr().err
