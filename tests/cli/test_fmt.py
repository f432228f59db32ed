"""``vcr-llm fmt``: text, names and order of recordings, bad input."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fmt_runs import documents_in, fmt, sequences_in
from tests.cli.recordings import (
    answers,
    cassette,
    named,
    read,
    recording,
    save,
)
from tests.cli.trees import summary_of, tree
from vcr_llm._document import from_document
from vcr_llm._json import document_text
from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm.cli import main
from vcr_llm.cli._conversion import LARGEST
from vcr_llm.cli._formatting import _usual_directory

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
_IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
_KEY = "sk-proj-abcdefghijklmnopqrstuvwx"


# --- text -------------------------------------------------------------------------------------


def test_what_is_canonical_keeps_every_byte(tmp_path: Path) -> None:
    """Recordings as the recorder writes them are left alone, down to the time of the file."""
    folder = save(tmp_path / "test_x", cassette("a", "b", "a"))
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert fmt(tmp_path) == 0
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert after == before


def test_the_recordings_of_this_repository_are_canonical(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the recorder wrote is what fmt would write."""
    found = summary_of(capsys, "fmt", "--check", ROOT / "cassettes")
    assert (found["status"], found["changed"], found["failed"]) == (0, [], [])
    assert found["recordings"] > 5


def _upside_down(value: Any) -> Any:
    return dict(reversed(value.items()))


def _with(part: str) -> Callable[[dict[str, Any]], str]:
    return lambda document: document_text({**document, part: _upside_down(document[part])})


_SPELLINGS: dict[str, tuple[Callable[[dict[str, Any]], str], str]] = {
    "one line": (json.dumps, "text"),
    "indent 4": (lambda each: json.dumps(each, indent=4, ensure_ascii=False), "text"),
    "escaped": (lambda each: json.dumps(each, indent=2) + "\n", "text"),
    "no final newline": (lambda each: document_text(each).rstrip("\n"), "text"),
    "carriage returns": (lambda each: document_text(each).replace("\n", "\r\n"), "text"),
    "keys": (lambda each: document_text(_upside_down(each)), "order of keys"),
    "keys of the request": (_with("request"), "order of keys"),
    "keys of the response": (_with("response"), "order of keys"),
}


@pytest.mark.parametrize(("respelled", "change"), _SPELLINGS.values(), ids=_SPELLINGS)
def test_another_spelling_becomes_the_canonical_one(
    tmp_path: Path,
    respelled: Callable[[dict[str, Any]], str],
    change: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Indent 2, UTF-8, a final newline, documented keys first and in their order."""
    document = recording("grüße", status=201)
    path = save(tmp_path / "test_x", [document]) / named(document)
    canonical = path.read_bytes()
    path.write_bytes(respelled(document).encode())
    found = summary_of(capsys, "fmt", tmp_path)
    assert (found["status"], found["failed"]) == (0, [])
    assert found["changed"] == [{"path": str(path), "name": path.name, "changes": [change]}]
    assert path.read_bytes() == canonical


def test_keys_of_others_are_kept_after_the_documented_ones(tmp_path: Path) -> None:
    """What is not known here is somebody's."""
    document = {
        "note": "mine",
        "recorded_at": "2026-01-31T12:00:00Z",
        **recording(mine=1, framing={"json": "compact"}),
    }
    document["request"] = {"mine": [1.0, -0.0], **document["request"]}
    path = save(tmp_path / "test_x", [document]) / named(document)
    assert fmt(tmp_path) == 0
    after = read(path)
    assert list(after) == ["test_id", "request", "response", "note", "recorded_at"]
    assert list(after["request"])[-2:] == ["model", "mine"]
    assert list(after["response"]) == ["body", "is_streaming", "framing", "mine"]
    assert after == document


def test_what_an_edit_by_hand_left_out_is_there_again(tmp_path: Path) -> None:
    """The documented keys are always there, and endpoint and model say what URL and body say."""
    document = recording()
    del document["test_id"], document["request"]["headers"]
    document["request"]["model"] = "another one"
    document["request"]["url"] = "https://api.example.com/v2/chat"
    path = save(tmp_path / "test_x", [document]) / named(document)
    assert fmt(tmp_path) == 0
    expected = recording()
    expected["request"] |= {"url": "https://api.example.com/v2/chat", "endpoint": "/v2/chat"}
    assert path.read_bytes() == document_text(expected).encode()


def test_numbers_keep_their_spelling(tmp_path: Path) -> None:
    """Formatting is no rounding."""
    document = recording()
    path = save(tmp_path / "test_x", [document]) / named(document)
    text = path.read_text().replace('"hi"', "[1.0, 1E5, -0, 1e400, 0.10]")
    path.write_text(text.replace("\n", ""))
    assert fmt(tmp_path) == 0
    body = " ".join(path.read_text().split())
    assert '"answer": [ 1.0, 1E5, -0, 1e400, 0.10 ]' in body


def test_metadata_gets_its_text_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The keys of what is stored beside the recordings stay in their order."""
    folder = save(tmp_path / "test_x", [recording()])
    (folder / "metadata.json").write_text('{"z": 1, "a": "ü"}')
    found = summary_of(capsys, "fmt", tmp_path)
    assert [change["changes"] for change in found["changed"]] == [["text"]]
    assert (folder / "metadata.json").read_text("utf-8") == '{\n  "z": 1,\n  "a": "ü"\n}\n'
    assert fmt("--check", tmp_path) == 0


# --- names and numbers ------------------------------------------------------------------------


def test_files_are_named_by_their_addresses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever they are called: by hand, by an older version, or for what they said before."""
    first, second = recording("a", sequence=0), recording("b", sequence=1)
    folder = save(tmp_path / "test_x", {"answer.json": first, named(first): second})
    found = summary_of(capsys, "fmt", tmp_path)
    assert {change["name"] for change in found["changed"]} == {named(first), named(second)}
    assert tree(folder) == tree(save(tmp_path / "expected", [first, second]))


def test_repeats_are_numbered_in_the_order_of_replay(tmp_path: Path) -> None:
    """The first of one address has the bare name, then come -2 and -3."""
    documents = [recording("a", str(place), sequence=place) for place in range(3)]
    names = [named(documents[0], repeat) for repeat in (3, 1, 2)]
    folder = save(tmp_path / "test_x", dict(zip(names, documents, strict=True)))
    before = answers(folder, "a", "a", "a")
    assert fmt(tmp_path) == 0
    for repeat, document in enumerate(documents, 1):
        assert read(folder / named(document, repeat)) == document
    assert answers(folder, "a", "a", "a") == before == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([None], [None]),
        ([0], [None]),
        ([7], [None]),
        ([0, 2, 3], [0, 1, 2]),
        ([3, 4, 9], [0, 1, 2]),
        ([0, 0, 0], [0, 1, 2]),
        ([0, 1, 1, 2], [0, 1, 2, 3]),
        ([None, 1, 5], [0, 1, 2]),
        ([0, 0, 5, 5], [0, 1, 2, 3]),
        ([4, None, 4, None], [0, 1, 2, 3]),
    ],
)
def test_numbers_count_from_0_without_a_gap(
    tmp_path: Path, numbers: list[int | None], expected: list[int | None]
) -> None:
    """In the order in which the recordings were replayed before; a single one needs none."""
    prompts = [f"prompt {place}" for place in range(len(numbers))]
    documents = [
        recording(prompt, prompt, sequence=number)
        for prompt, number in zip(prompts, numbers, strict=True)
    ]
    folder = save(tmp_path / "test_x", documents)
    order = [document["request"]["body"] for document in documents_in(folder)]
    assert fmt(tmp_path) == 0
    assert sequences_in(folder) == expected
    assert [document["request"]["body"] for document in documents_in(folder)] == order
    assert fmt("--check", tmp_path) == 0


def test_a_number_that_is_none_goes(tmp_path: Path) -> None:
    """It never said anything to replay."""
    folder = save(tmp_path / "test_x", [recording() | {"sequence": "first"}])
    assert fmt(tmp_path) == 0
    assert sequences_in(folder) == [None]


def test_tests_of_a_flat_directory_count_each_for_itself(tmp_path: Path) -> None:
    """As they are recorded with layout="flat"."""
    files = {
        **cassette("a", "b", test_id="t.py::test_one"),
        **cassette("a", test_id="t.py::test_two"),
    }
    folder = save(tmp_path / "recordings", files)
    assert fmt("--check", tmp_path) == 0
    hole = recording("c", test_id="t.py::test_one", sequence=7)
    (folder / named(hole)).write_text(document_text(hole))
    assert fmt(tmp_path) == 0
    assert read(folder / named(hole))["sequence"] == 2


def test_tests_that_share_one_cassette_share_its_numbers(tmp_path: Path) -> None:
    """As they are recorded with the mark default_cassette."""
    files = [
        recording("a", test_id="t.py::test_one", sequence=0),
        recording("b", test_id="t.py::test_two", sequence=3),
    ]
    folder = save(tmp_path / "shared", files)
    assert fmt(tmp_path) == 0
    assert sequences_in(folder) == [0, 1]


def test_recordings_of_no_test_in_a_flat_directory_keep_their_numbers(tmp_path: Path) -> None:
    """They stand in the order of every test, as long as no test meets a number twice."""
    files = [
        recording("a", test_id="t.py::test_one", sequence=0),
        recording("b", test_id="t.py::test_one", sequence=1),
        recording("c", sequence=2),
        recording("d", test_id="t.py::test_two"),
    ]
    folder = save(tmp_path / "recordings", files)
    assert fmt("--check", tmp_path) == 0
    twice = recording("e", sequence=1)
    save(folder, [twice])
    assert fmt(tmp_path) == 0
    assert sequences_in(folder) == [0, 1, 2, 3, 4]


# --- what is left alone -----------------------------------------------------------------------


def test_files_of_others_are_not_touched(tmp_path: Path) -> None:
    """Neither those beside the recordings, nor those whose names look like what is wanted."""
    first, second = recording("a", "0", sequence=0), recording("a", "1", sequence=1)
    folder = save(tmp_path / "test_x", {named(first): first, "again.json": second})
    (folder / "notes.json").write_text('{"mine":  true}')
    (folder / "list.json").write_text('{"recordings":  []}')
    (folder / ".hidden.json").write_text("{")
    (folder / "README.md").write_text("mine")
    (folder / named(first, 2)).mkdir()
    others = {name: text for name, text in tree(folder).items() if len(name) < 20}
    assert fmt(tmp_path) == 0
    assert read(folder / named(first, 3)) == second
    after = {name: text for name, text in tree(folder).items() if len(name) < 20}
    assert after == {name: text for name, text in others.items() if name != "again.json"}


def test_directories_without_recordings_are_no_cassettes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever JSON they hold, broken or not, and old cassettes."""
    for name, text in {
        "package.json": '{"name":  "x"}',
        "broken.json": "{",
        "old.json": '{"interactions": [{"request": {}, "response": {}}]}',
    }.items():
        (tmp_path / name).write_text(text)
    before = tree(tmp_path)
    found = summary_of(capsys, "fmt", tmp_path)
    assert (found["status"], found["changed"], found["failed"]) == (0, [], [])
    assert tree(tmp_path) == before


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither to a directory outside of the tree, nor to a file; the order is kept all the same."""
    outside = tmp_path / "outside"
    save(outside, {"x.json": recording("a", sequence=5)})
    folder = save(tmp_path / "tree" / "test_x", {"y.json": recording("b", sequence=9)})
    (folder / "linked.json").symlink_to(outside / "x.json")
    (tmp_path / "tree" / "linked").symlink_to(outside, target_is_directory=True)
    before = tree(outside)
    assert fmt(tmp_path / "tree") == 0
    assert tree(outside) == before
    assert (folder / "linked.json").is_symlink()
    assert sequences_in(folder) == [5, 9]
    assert (folder / named(recording("b"))).is_file()


def test_a_linked_metadata_file_is_left_alone(tmp_path: Path) -> None:
    """It is somebody's, somewhere else."""
    (tmp_path / "elsewhere.json").write_text('{"a":1}')
    folder = save(tmp_path / "tree" / "test_x", [recording()])
    (folder / "metadata.json").symlink_to(tmp_path / "elsewhere.json")
    assert fmt("--check", tmp_path / "tree") == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not valid JSON"),
        ("", "is empty"),
        ('"request" "response"', "is not valid JSON"),
        ('{"request": {}, "response": {}}', "is missing"),
        ('{"request": {"a": 1, "a": 2}}', "is missing"),
    ],
)
def test_a_malformed_file_is_named_and_the_rest_is_formatted(
    tmp_path: Path, text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays as it is, keeps its name, and numbers wait until its own is known."""
    files = {"one.json": recording("a", sequence=3), "two.json": recording("b", sequence=1)}
    folder = save(tmp_path / "test_x", files)
    broken = folder / named(recording("a"))
    broken.write_text(text)
    save(tmp_path / "test_y", {"three.json": recording("c")})
    found = summary_of(capsys, "fmt", tmp_path)
    assert found["status"] == 1
    ((path, why),) = [(each["path"], each["reason"]) for each in found["failed"]]
    assert (path, broken.read_text()) == (str(broken), text)
    assert reason in why
    assert (folder / named(recording("a"), 2)).is_file()
    assert (folder / named(recording("b"))).is_file()
    assert (tmp_path / "test_y" / named(recording("c"))).is_file()
    numbers = [read(path).get("sequence") for path in folder.iterdir() if path != broken]
    assert sorted(numbers) == [1, 3]


def test_a_key_that_is_there_twice_is_not_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which of both values is meant, nobody knows; the place is named."""
    document = recording()
    path = save(tmp_path / "test_x", [document]) / named(document)
    path.write_text(path.read_text().replace('"prompt"', '"prompt": "other", "prompt"'))
    before = path.read_bytes()
    assert fmt(tmp_path) == 1
    assert "request.body.prompt is there twice" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_malformed_metadata_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The recordings are formatted all the same."""
    folder = save(tmp_path / "test_x", {"a.json": recording()})
    (folder / "metadata.json").write_text("[")
    assert fmt(tmp_path) == 1
    assert f"{folder / 'metadata.json'}: is not valid JSON" in capsys.readouterr().err
    assert (folder / named(recording())).is_file()


def test_where_names_alone_would_reorder_and_numbers_may_not_change_names_stay(
    tmp_path: Path,
) -> None:
    """One request, two tests, in a cassette of which a part cannot be read."""
    tests = sorted("xy", key=lambda name: named(recording("a", test_id=name)))
    later, sooner = (recording("a", name, test_id=name) for name in tests)
    folder = save(tmp_path / "test_x", {"0.json": sooner, named(later): later})
    (folder / f"{'0' * 64}.json").write_text("{")
    assert fmt(tmp_path) == 1
    assert {path.name for path in folder.iterdir()} >= {"0.json", named(later)}


# --- the carried-over system ------------------------------------------------------------------


def _carried_over(prompt: str, test_id: str | None = None) -> dict[str, Any]:
    document = recording(prompt, test_id=test_id)
    del document["recorded_at"]
    return document


def test_names_by_other_rules_are_left_alone(tmp_path: Path) -> None:
    """A hash of other things, a listing, the call of a tool."""
    tool = {
        "test_id": "t.py::test_one",
        "request": {"test_id": None, "provider": "p", "tool_name": "search", "kwargs": {"q": 1}},
        "response": {"body": {"a": 1}, "is_streaming": False},
    }
    files = {
        f"{'ab' * 32}.json": _carried_over("a", "t.py::test_one"),
        "0123456789ab.json": _carried_over("b"),
        f"models-{'0' * 58}-1a2b3c4d.json": _carried_over("c", "t.py::test_two"),
        f"{'cd' * 32}.json": tool,
    }
    save(tmp_path / "recordings", files)
    before = tree(tmp_path)
    assert fmt(tmp_path) == 0
    assert tree(tmp_path) == before


def test_a_name_by_our_rule_is_kept_right(tmp_path: Path) -> None:
    """A renamed test renames the file of a carried-over recording that was named by its address."""
    document = _carried_over("a", "t.py::test_one")
    folder = save(tmp_path / "recordings", {named(document): document, "mine.json": document})
    assert fmt(tmp_path, "--renamed", "t.py::test_one", "t.py::test_two") == 0
    expected = document | {"test_id": "t.py::test_two"}
    assert tree(folder).keys() == {named(expected), named(expected, 2)}


def test_recordings_beside_carried_over_ones_are_numbered(tmp_path: Path) -> None:
    """As soon as one of a test's recordings is ours, all of them have their place."""
    later = recording("b", test_id="t.py::test_one", sequence=4)
    folder = save(tmp_path / "recordings", [_carried_over("a", "t.py::test_one"), later])
    assert fmt(tmp_path) == 0
    assert sequences_in(folder) == [0, 1]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_recordings_of_the_carried_over_system_replay_as_before(tmp_path: Path) -> None:
    """All of them, in the same order; only the text of files may change, and no name."""
    copy = tmp_path / "copy"
    shutil.copytree(SHARED / "corpus" / "llama-stack-seed", copy)
    shutil.copytree(SHARED / "seed", copy / "seed")
    for path in copy.rglob("*"):
        path.chmod(0o700)
    folders = {path.parent for path in copy.rglob("*.json")}
    before = {folder: RecordingDirectory(folder).recordings() for folder in folders}
    assert fmt(copy) == 0
    assert sum(map(len, before.values())) > 150
    for folder, recordings in before.items():
        after = RecordingDirectory(folder).recordings()
        assert [found.path for found in after] == [found.path for found in recordings]
        assert [found.document for found in after] == [found.document for found in recordings]
        assert [from_document(found.document) for found in after] == [
            from_document(found.document) for found in recordings
        ]
    assert fmt("--check", copy) == 0


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_what_convert_writes_verbatim_is_canonical(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With all headers; tests/cli/test_check.py looks at the whole corpus without them."""
    corpus = SHARED / "corpus" / "pydantic+pydantic-ai"
    main(["convert", "--verbatim", str(corpus), str(tmp_path)])
    found = summary_of(capsys, "fmt", "--check", tmp_path)
    assert (found["status"], found["changed"]) == (0, [])
    assert found["recordings"] > 300


# --- options ----------------------------------------------------------------------------------


def test_check_writes_nothing_and_tells_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file that would change, and how; the status is 1."""
    files = {"a.json": recording("a", sequence=1), "b.json": recording("b", sequence=4)}
    folder = save(tmp_path / "test_x", files)
    (folder / "a.json").write_text(json.dumps(files["a.json"]))
    before = tree(tmp_path)
    assert fmt("--check", tmp_path) == 1
    assert tree(tmp_path) == before
    first, second, *_counts = capsys.readouterr().out.splitlines()
    name = named(recording("a"))
    assert first == f"would format {folder / 'a.json'}: sequence 1 -> 0, name {name}"
    assert second.startswith(f"would format {folder / 'b.json'}: sequence 4 -> 1, name ")


def test_a_run_tells_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each changed file, then how many there were of what."""
    folder = save(tmp_path / "test_x", {"a.json": recording("a")})
    assert fmt(tmp_path) == 0
    line, *counts = capsys.readouterr().out.splitlines()
    assert line == f"formatted {folder / 'a.json'}: name {named(recording('a'))}"
    assert counts == [
        "cassettes: 1",
        "recordings: 1",
        "changed files: 1",
        "moved cassettes: 0",
        "failed: 0",
    ]


def test_a_recording_stands_for_its_cassette(tmp_path: Path) -> None:
    """As a pre-commit hook names files, several of one cassette."""
    files = {"a.json": recording("a", sequence=1), "b.json": recording("b", sequence=4)}
    folder = save(tmp_path / "test_x", files)
    assert fmt(folder / "a.json", folder / "b.json") == 0
    assert sequences_in(folder) == [0, 1]


def test_redact_takes_out_what_this_version_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In requests and responses, keys of others and metadata; names follow, check is silent."""
    document = recording(f"my key is {_KEY}", f"keep {_KEY} safe") | {"note": {"password": "x1"}}
    twilio = "SK" + "0123456789abcdef" * 2
    document["response"]["headers"] = {"x-echo": f"sid {twilio}"}
    document["test_id"] = f"t.py::test_x[{_KEY}]"
    folder = save(tmp_path / "test_x", [document])
    (folder / "metadata.json").write_text(document_text({"token": _KEY}))
    assert fmt(folder, "--redact") == 0
    assert _KEY not in capsys.readouterr().out
    (path,) = [path for path in folder.iterdir() if path.name != "metadata.json"]
    after = read(path)
    assert path.name == named(after) != named(document)
    assert after["request"]["body"]["prompt"] == "my key is REDACTED"
    assert after["response"]["body"]["answer"] == "keep REDACTED safe"
    assert after["response"]["headers"] == {"x-echo": "sid REDACTED"}
    assert after["note"] == {"password": "REDACTED"}
    assert after["test_id"] == document["test_id"]
    assert read(folder / "metadata.json") == {"token": "REDACTED"}
    found = main(["check", str(folder), "--json"])
    assert found == 1  # the id of the test, which a formatter must not change
    (left,) = json.loads(capsys.readouterr().out)
    assert left["place"] == "test_id"


def test_no_secret_in_a_path_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The parameter of a test may be one."""
    test_id = f"tests/test_a.py::test_x[{_KEY}]"
    place = _usual_directory(test_id)
    assert place is not None
    folder = save(tmp_path / place, {"a.json": recording(test_id=test_id)})
    (folder / f"{'0' * 64}.json").write_text("{")
    for more in (["--check"], ["--check", "--json"]):
        assert fmt(tmp_path, "--renamed", "tests/test_a.py", "tests/test_b.py", *more) == 1
        printed = capsys.readouterr()
        assert "test_x[REDACTED]" in printed.out
        assert _KEY not in printed.out + printed.err


def test_without_redact_nothing_is_redacted(tmp_path: Path) -> None:
    """Whoever converted verbatim wants it so."""
    save(tmp_path / "test_x", [recording(answer=_KEY)])
    assert fmt("--check", tmp_path) == 0


# --- bad input --------------------------------------------------------------------------------


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)


def _unreadable(path: Path) -> None:
    path.write_text(document_text(recording("b")))
    path.chmod(0)


def _no_text(path: Path) -> None:
    path.write_bytes(b'{"request": "\xff"}')


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_huge, "larger than 100 MB"),
        (_no_text, "is not UTF-8"),
        pytest.param(
            _unreadable,
            "cannot be read",
            marks=pytest.mark.skipif(_IS_ROOT, reason="root reads everything"),
        ),
    ],
)
def test_a_bad_file_is_named(
    tmp_path: Path,
    make: Callable[[Path], None],
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One clear line, exit status 1, and the file stays."""
    folder = save(tmp_path / "test_x", {"a.json": recording("a")})
    bad = folder / f"{'b' * 64}.json"
    make(bad)
    assert fmt(tmp_path) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{bad}: ")
    assert reason in line
    assert bad.exists()
    assert (folder / named(recording("a"))).is_file()


def test_a_full_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The recording is still there as it was."""
    folder = save(tmp_path / "test_x", [recording(sequence=4)])
    before = tree(folder)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vcr_llm._recording_directory.write_document", full)
    assert fmt(tmp_path) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert tree(folder) == before


@pytest.mark.parametrize(
    ("error", "reason"),
    [(OSError(5, "Input/output error"), "Input/output error"), (MemoryError(), "more memory")],
)
def test_whatever_the_machine_refuses_is_named(
    tmp_path: Path,
    error: BaseException,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is a line, not the end of the run."""

    def fail(_folder: Path) -> None:
        raise error

    save(tmp_path / "test_x", [recording()])
    monkeypatch.setattr("vcr_llm.cli._formatting.contents", fail)
    assert fmt(tmp_path) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_hostile_name_is_harmless(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a terminal would obey is written out."""
    save(tmp_path / "\x1b[31mred[bold]", {"\x1b]0;x.json": recording()})
    assert fmt(tmp_path) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "red[bold]" in shown


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """One for a tree, one for a renamed test."""
    assert fmt("--help") == 0
    shown = capsys.readouterr().out
    assert "Example: vcr-llm fmt tests/cassettes\n" in shown
    assert "--renamed tests/test_a.py::test_x tests/test_a.py::test_y" in shown


def test_nothing_given_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no default to be surprised by."""
    assert fmt() == 2
    assert "Missing argument 'PATHS" in capsys.readouterr().err
