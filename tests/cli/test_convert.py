"""``vcr-llm convert``: trees, secrets, running it again, and bad input."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from vcr.serializers import jsonserializer, yamlserializer

import vcr_llm
from tests.cli.trees import (
    URL,
    cassette,
    directories,
    documents,
    exchange,
    interactions,
    summary_of,
    tree,
    write,
)
from vcr_llm._document import from_document
from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm.cli import main
from vcr_llm.cli._conversion import LARGEST

_KEY = "sk-proj-abcdefghijklmnopqrstuvwx"
_IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def _convert(*arguments: str | Path) -> int:
    return main(["convert", *map(str, arguments)])


# --- trees ------------------------------------------------------------------------------------


def test_a_tree_becomes_a_tree_of_the_same_shape(tmp_path: Path) -> None:
    """Each file is a directory of its name, whatever its suffix."""
    text = cassette(exchange())
    files: dict[str, str | bytes] = {
        "test_a": text,
        "sub__test_b.yml": text,
        "sub__deep__test_c[x-1].json": json.dumps({"interactions": [exchange()]}),
        "sub__test_d.yaml.gz": gzip.compress(text.encode()),
        "README.md": "no cassette",
    }
    old = write(tmp_path / "old", **files)
    before = tree(old)
    assert _convert(old, tmp_path / "new") == 0
    assert directories(tmp_path / "new") == {
        "test_a",
        "sub/test_b",
        "sub/deep/test_c[x-1]",
        "sub/test_d",
    }
    assert tree(old) == before


def test_a_single_file_becomes_a_directory(tmp_path: Path) -> None:
    """A SOURCE may be a file."""
    write(tmp_path, test_a=cassette(exchange()))
    assert _convert(tmp_path / "test_a.yaml", tmp_path / "new") == 0
    assert directories(tmp_path / "new") == {"test_a"}


def test_a_tree_can_be_converted_in_place(tmp_path: Path) -> None:
    """The directories appear beside the old files, and a second run adds nothing."""
    old = write(tmp_path, a__test_x=cassette(exchange(), exchange()))
    assert _convert(old, old) == 0
    assert directories(old) == {"a", "a/test_x"}
    before = tree(old)
    assert _convert(old, old) == 0
    assert tree(old) == before


@pytest.mark.parametrize("written", [yamlserializer, jsonserializer])
def test_a_cassette_without_a_suffix_is_converted(tmp_path: Path, written: ModuleType) -> None:
    """vcrpy takes any name; what else lies beside it is left alone."""
    old = tmp_path / "old"
    old.mkdir()
    text = written.serialize({"interactions": [exchange()], "version": 1})
    (old / "catalog_xml").write_text(text, encoding="utf-8")
    (old / "test.cassette").write_text(text, encoding="utf-8")
    (old / "README").write_text("interactions are in here", encoding="utf-8")
    assert _convert(old, tmp_path / "new") == 0
    assert directories(tmp_path / "new") == {"catalog_xml", "test.cassette"}
    assert main(["show", str(old / "catalog_xml")]) == 0


def test_a_cassette_that_has_the_name_of_its_directory_makes_way_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only where it is to go: until then nothing can have its name."""
    write(tmp_path, test_x=cassette(exchange()))
    (tmp_path / "test_x.yaml").rename(tmp_path / "test_x")
    before = tree(tmp_path)
    assert _convert(tmp_path, tmp_path) == 1
    assert f"{tmp_path / 'test_x'}: has the name of its directory" in capsys.readouterr().err
    (tmp_path / "test_x.yaml").mkdir()
    assert _convert(tmp_path, tmp_path, "--delete") == 1
    assert "and test_x.yaml is there, too" in capsys.readouterr().err
    (tmp_path / "test_x.yaml").rmdir()
    assert tree(tmp_path) == before
    assert _convert(tmp_path, tmp_path, "--delete") == 0
    assert directories(tmp_path) == {"test_x"}
    assert len(list((tmp_path / "test_x").iterdir())) == 1


def test_results_inside_a_source_are_no_sources(tmp_path: Path) -> None:
    """DEST may lie in the source; what is in it is left alone."""
    old = write(tmp_path, test_x=cassette(exchange()), new__other=cassette(exchange()))
    assert _convert(old, old / "new") == 0
    assert directories(old / "new") == {".", "test_x"}


def test_recordings_keep_the_order_of_the_cassette(tmp_path: Path) -> None:
    """The same request with two answers is two files, and the place of each is written down."""
    write(tmp_path, test_x=cassette(*(exchange("same", str(n)) for n in range(3)), exchange("b")))
    assert _convert(tmp_path, tmp_path) == 0
    found = list(documents(tmp_path / "test_x"))
    assert [document["sequence"] for document in found] == [0, 1, 2, 3]
    assert [json.loads(item.response.body) for item in interactions(tmp_path / "test_x")] == [
        {"answer": "0"},
        {"answer": "1"},
        {"answer": "2"},
        {"answer": "hi"},
    ]
    names = sorted(path.stem[64:] for path in (tmp_path / "test_x").iterdir())
    assert names == ["", "", "-2", "-3"]


def test_a_converted_cassette_replays(tmp_path: Path) -> None:
    """What was converted answers the same requests, in the same order."""
    write(tmp_path, test_x=cassette(exchange(answer="one"), exchange(answer="two")))
    assert _convert(tmp_path, tmp_path, "--delete") == 0
    sent = {"prompt": "hello", "model": "gpt-4o"}
    with vcr_llm.use_cassette(str(tmp_path / "test_x"), record_mode="none"):
        answers = [httpx.post(URL, json=sent).json()["answer"] for _ in range(2)]
    assert answers == ["one", "two"]


def test_an_empty_cassette_is_an_empty_directory(tmp_path: Path) -> None:
    """A test that sent nothing has a cassette all the same."""
    write(tmp_path, test_x=cassette())
    assert _convert(tmp_path, tmp_path) == 0
    assert list((tmp_path / "test_x").iterdir()) == []


# --- what is in the documents -----------------------------------------------------------------


def test_secrets_go_and_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys in headers, URLs and bodies are in no file that is written."""
    item = exchange(prompt=f"my key is {_KEY}", answer=_KEY)
    item["request"]["uri"] += "?key=AIzaSy0123456789"
    item["request"]["headers"]["Authorization"] = ["Bearer abcdef1234567890"]
    old = write(tmp_path / "old", test_x=cassette(item, metadata={"api_key": "xyz123456"}))
    found = summary_of(capsys, "convert", old, tmp_path / "new")
    assert found["secrets_removed"] == 4
    written = b"".join(tree(tmp_path / "new").values())
    for secret in (_KEY, "AIzaSy", "abcdef12", "xyz123"):
        assert secret.encode() not in written


def test_a_header_that_was_redacted_before_is_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cassettes that others have cleaned count nothing."""
    item = exchange()
    item["request"]["headers"]["Authorization"] = ["**REDACTED**"]
    found = summary_of(capsys, "convert", write(tmp_path, a=cassette(item)), tmp_path / "new")
    assert found["secrets_removed"] == 0


def test_a_redacted_json_structure_counts_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers, lists and names of fields may be redacted as well."""
    item = exchange()
    names = {_KEY: 1, f"{_KEY}z": 2}  # both become the same
    body = {"password": 123456, "list": [1, _KEY], _KEY: "x", "names": names}
    item["request"]["body"] = json.dumps(body)
    found = summary_of(capsys, "convert", write(tmp_path, a=cassette(item)), tmp_path / "new")
    assert found["secrets_removed"] == 4


def test_answers_keep_what_tests_know_of_them(tmp_path: Path) -> None:
    """An id and a time stay, which a test may assert; noise in headers goes."""
    answer = {"id": "chatcmpl-123", "object": "chat.completion", "created": 1, "choices": []}
    item = exchange(
        body={"string": json.dumps(answer)},
        headers={"Content-Type": ["application/json"], "Server": ["x"], "Retry-After": ["1"]},
    )
    write(tmp_path, test_x=cassette(item))
    assert _convert(tmp_path, tmp_path) == 0
    (document,) = documents(tmp_path / "test_x")
    assert document["response"]["body"]["__data__"] == answer
    assert document["response"]["headers"] == {"Retry-After": "1"}
    assert document["request"]["headers"] == {}
    assert document["test_id"] is None


def test_verbatim_keeps_headers_as_they_were(tmp_path: Path) -> None:
    """With --verbatim every header comes back, with its case and its spelling."""
    item = exchange(headers={"Content-Type": ["application/json; charset=UTF-8"], "Date": ["x"]})
    item["request"]["headers"] = {"Authorization": [f"Bearer {_KEY}"], "content-TYPE": ["text/x"]}
    write(tmp_path, test_x=cassette(item))
    assert _convert(tmp_path, tmp_path, "--verbatim") == 0
    (found,) = interactions(tmp_path / "test_x")
    assert sorted(found.request.headers) == [
        ("Authorization", f"Bearer {_KEY}"),
        ("content-TYPE", "text/x"),
    ]
    assert sorted(found.response.headers) == [
        ("Content-Type", "application/json; charset=UTF-8"),
        ("Date", "x"),
    ]


def test_verbatim_invents_no_header(tmp_path: Path) -> None:
    """A request and a response without a content type stay without one."""
    item = exchange(headers={})
    item["request"]["headers"] = {}
    write(tmp_path, test_x=cassette(item))
    assert _convert(tmp_path, tmp_path, "--verbatim") == 0
    (found,) = interactions(tmp_path / "test_x")
    assert (found.request.headers, found.response.headers) == ((), ())


_FILE = b'Content-Disposition: form-data; name="file"; filename="a.json"\r\n'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (
            "multipart/form-data; boundary=B1",
            b'--B1\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--B1\r\n'
            + _FILE
            + b'Content-Type: application/json\r\n\r\n{"a":  1}\r\n--B1--\r\n',
        ),
        ("**REDACTED**", b"--B1\r\n" + _FILE + b"Content-Length: 1\r\n\r\n1\r\n--B1--\r\n"),
        ("application/x-www-form-urlencoded", b"a=%20b&c=~%7e"),
    ],
    ids=["boundary", "boundary unknown", "pairs"],
)
def test_verbatim_keeps_forms_byte_for_byte(tmp_path: Path, content_type: str, body: bytes) -> None:
    """The boundary, the headers of the parts, the escapes: nothing is respelled."""
    item = exchange()
    item["request"] |= {"body": body, "headers": {"Content-Type": [content_type]}}
    write(tmp_path, test_x=cassette(item))
    assert _convert(tmp_path, tmp_path, "--verbatim") == 0
    (found,) = interactions(tmp_path / "test_x")
    assert found.request.body == body


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"recorded_at": "Fri, 17 Oct 2025 18:00:13 GMT"}, "2025-10-17T18:00:13Z"),
        ({}, "2025-10-18T18:00:13Z"),
        ({"recorded_at": "once upon a time"}, "2001-09-09T01:46:40Z"),
    ],
)
def test_the_time_of_a_recording_is_the_sources(
    tmp_path: Path, said: dict[str, str], expected: str
) -> None:
    """What the interaction says, else its response's Date, else when the file was changed."""
    item = {**exchange(headers={"Date": ["Sat, 18 Oct 2025 18:00:13 GMT"]}), **said}
    write(tmp_path, test_x=cassette(item))
    os.utime(tmp_path / "test_x.yaml", (1_000_000_000, 1_000_000_000))
    assert _convert(tmp_path, tmp_path) == 0
    (document,) = documents(tmp_path / "test_x")
    assert document["recorded_at"] == expected


# --- again ------------------------------------------------------------------------------------


def test_a_second_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there already is left as it is, to the byte."""
    old = write(tmp_path / "old", a=cassette(exchange(), metadata={"x": 1}), b=cassette(exchange()))
    first = summary_of(capsys, "convert", old, tmp_path / "new")
    assert (first["files"], first["recordings"], first["unchanged_files"]) == (2, 2, 0)
    before = tree(tmp_path / "new")
    os.utime(old / "a.yaml", (1, 1))
    second = summary_of(capsys, "convert", old, tmp_path / "new")
    assert (second["files"], second["recordings"], second["unchanged_files"]) == (2, 0, 2)
    assert tree(tmp_path / "new") == before


@pytest.mark.parametrize("kept", range(4))
def test_an_interrupted_run_is_finished(tmp_path: Path, kept: int) -> None:
    """Whatever part of a directory was written, the next run gives the same directory."""
    write(tmp_path, test_x=cassette(*(exchange("same", str(n)) for n in range(3))))
    assert _convert(tmp_path, tmp_path / "whole") == 0
    assert _convert(tmp_path / "test_x.yaml", tmp_path / "part") == 0
    for path in sorted((tmp_path / "part" / "test_x").iterdir())[kept:]:
        path.unlink()
    assert _convert(tmp_path / "test_x.yaml", tmp_path / "part") == 0
    assert tree(tmp_path / "part") == tree(tmp_path / "whole")


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    """A directory takes its name when it is whole; what never did is removed by the next run."""
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    write(tmp_path / "old", test_x=cassette(exchange()))
    left = tmp_path / "new" / f".test_x.{gone.stdout.strip()}-0.recording"
    left.mkdir(parents=True)
    (left / "half.json").write_text("{", encoding="utf-8")
    assert _convert(tmp_path / "old", tmp_path / "new") == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["test_x"]


def test_a_killed_run_is_finished(tmp_path: Path) -> None:
    """Killed in the middle, and run again: the same tree as if nothing had happened."""
    names = {f"test_{number}": cassette(exchange(str(number))) for number in range(300)}
    old = write(tmp_path / "old", **names)
    assert _convert(old, tmp_path / "whole") == 0
    command = [sys.executable, "-c", "import sys; from vcr_llm.cli import main; sys.exit(main())"]
    part = tmp_path / "part"
    arguments = [*command, "convert", str(old), str(part)]
    with subprocess.Popen(arguments, start_new_session=True) as program:
        while program.poll() is None and not (part.is_dir() and len(list(part.iterdir())) > 3):
            pass
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)  # with its workers
    deadline = time.monotonic() + 10
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:  # what belongs to a process that is there is not swept
            os.killpg(program.pid, 0)
    assert _convert(old, part) == 0
    assert tree(part) == tree(tmp_path / "whole")


def test_a_recording_without_its_place_gets_it(tmp_path: Path) -> None:
    """A recorder that was killed may have left the first recording unnumbered."""
    write(tmp_path, test_x=cassette(exchange("a"), exchange("b")))
    assert _convert(tmp_path, tmp_path) == 0
    before = tree(tmp_path)
    for path in (tmp_path / "test_x").iterdir():
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('  "sequence": 0,\n', ""), encoding="utf-8")
    assert _convert(tmp_path, tmp_path) == 0
    assert tree(tmp_path) == before


def test_another_cassette_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory that holds something else is named and left as it is; the rest is converted."""
    first = write(tmp_path / "first", a=cassette(exchange(answer="one")))
    assert _convert(first, tmp_path / "new") == 0
    before = tree(tmp_path / "new")
    second = write(tmp_path / "second", a=cassette(exchange(answer="two")), b=cassette(exchange()))
    found = summary_of(capsys, "convert", second, tmp_path / "new")
    assert (found["status"], found["files"]) == (1, 1)
    assert found["failed"][0]["path"] == str(second / "a.yaml")
    assert "something else" in found["failed"][0]["reason"]
    assert before.items() <= tree(tmp_path / "new").items()


def test_other_metadata_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Metadata belongs to what a directory holds."""
    for version in (1, 2):
        write(tmp_path / "old", a=cassette(exchange(), metadata={"version": version}))
        found = summary_of(capsys, "convert", tmp_path / "old", tmp_path / "new")
    assert found["status"] == 1
    assert "metadata.json" in found["failed"][0]["reason"]


# --- --delete ---------------------------------------------------------------------------------


def test_delete_removes_each_file_that_was_converted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Old files go once their directories were read back; what was not converted stays."""
    old = write(
        tmp_path, a=cassette(exchange(), metadata={"x": 1}), bad="a: [", **{"notes.yaml": "text"}
    )
    found = summary_of(capsys, "convert", old, old, "--delete")
    assert (found["status"], found["deleted_files"]) == (1, 1)
    assert sorted(path.name for path in old.iterdir()) == ["a", "bad.yaml", "notes.yaml"]


def test_delete_after_a_run_without_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A first look without --delete, then the same with it."""
    old = write(tmp_path, a=cassette(exchange()))
    summary_of(capsys, "convert", old, old)
    found = summary_of(capsys, "convert", old, old, "--delete")
    assert (found["recordings"], found["deleted_files"]) == (0, 1)
    assert [path.name for path in old.iterdir()] == ["a"]


def test_delete_keeps_a_file_whose_directory_does_not_hold_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that loses what was written does not cost the old file as well."""
    fill = RecordingDirectory.fill

    def lose(self: Any, documents: Any) -> None:
        fill(self, {name: {**document, "test_id": "x"} for name, document in documents.items()})

    monkeypatch.setattr(RecordingDirectory, "fill", lose)
    old = write(tmp_path, a=cassette(exchange()))
    found = summary_of(capsys, "convert", old, old, "--delete")
    assert (found["status"], found["deleted_files"]) == (1, 0)
    assert "the old file stays" in found["failed"][0]["reason"]
    assert (old / "a.yaml").is_file()


# --- bad input --------------------------------------------------------------------------------


def _broken_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(b"interactions: []" * 100)[:-20])


def _no_gzip(path: Path) -> None:
    path.write_bytes(b"interactions: []")


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1024**3)


def _bomb(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(LARGEST // 2**20 + 1):
            file.write(b" " * 2**20)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _unreadable(path: Path) -> None:
    path.write_text(cassette(exchange()), encoding="utf-8")
    path.chmod(0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("bad.yaml.gz", _broken_gzip, "no whole gzip"),
        ("bad.yaml.gz", _no_gzip, "no whole gzip"),
        ("bad.yaml", _huge, "larger than 100 MB"),
        ("bad.yaml.gz", _bomb, "larger than 100 MB"),
        ("bad.yaml", _pipe, "no regular file"),
        ("bad.yaml", _dangling, "cannot be read"),
        pytest.param(
            "bad.yaml",
            _unreadable,
            "cannot be read",
            marks=pytest.mark.skipif(_IS_ROOT, reason="root reads everything"),
        ),
    ],
)
def test_a_bad_file_is_named_and_the_rest_is_converted(
    tmp_path: Path, name: str, make: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One clear line for each file that cannot be converted, and exit status 1."""
    old = write(tmp_path / "old", good=cassette(exchange()))
    make(old / name)
    assert _convert(old, tmp_path / "new") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{old / name}: ")
    assert reason in line
    assert directories(tmp_path / "new") == {"good"}


def test_two_sources_of_one_destination(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The one that would be replayed is converted, the other one is named and left alone."""
    old = write(
        tmp_path / "old",
        **{
            "a.json": json.dumps({"interactions": [exchange(answer="json")]}),
            "a.yaml": cassette(exchange(answer="yaml")),
            "b": cassette(exchange()),
        },
    )
    found = summary_of(capsys, "convert", old, tmp_path / "new", "--delete")
    assert (found["status"], found["files"]) == (1, 2)
    (failed,) = found["failed"]
    assert failed["path"] == str(old / "a.json")
    assert [path.name for path in old.iterdir()] == ["a.json"]
    (item,) = interactions(tmp_path / "new" / "a")
    assert json.loads(item.response.body) == {"answer": "yaml"}


def test_two_sources_that_say_the_same(tmp_path: Path) -> None:
    """The same cassette in two spellings is no contradiction."""
    text = json.dumps({"interactions": [exchange()]})
    old = write(tmp_path / "old", **{"a.json": text, "a.yaml": cassette(exchange())})
    assert _convert(old, tmp_path / "new") == 0
    assert directories(tmp_path / "new") == {"a"}


def test_the_same_source_twice_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is named twice is converted once."""
    old = write(tmp_path / "old", a=cassette(exchange()))
    found = summary_of(capsys, "convert", old, old / "a.yaml", tmp_path / "new")
    assert (found["files"], found["recordings"]) == (1, 1)


def test_a_loop_of_directories_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link to a directory above is left out; a link to another directory is followed, once."""
    old = write(tmp_path / "old", a__test_x=cassette(exchange()))
    elsewhere = write(tmp_path / "elsewhere", test_y=cassette(exchange()))
    (old / "a" / "loop").symlink_to(old, target_is_directory=True)
    (old / "self").symlink_to("self")
    for name in ("linked", "linked-again"):
        (old / name).symlink_to(elsewhere, target_is_directory=True)
    assert _convert(old, tmp_path / "new") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{old / 'a' / 'loop'}: ")
    assert directories(tmp_path / "new") == {"a/test_x", "linked/test_y"}


@pytest.mark.skipif(_IS_ROOT, reason="root reads everything")
def test_an_unreadable_directory_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is in it cannot be known; the rest is converted."""
    old = write(tmp_path / "old", a__test_x=cassette(exchange()), b=cassette(exchange()))
    (old / "a").chmod(0)
    try:
        assert _convert(old, tmp_path / "new") == 1
    finally:
        (old / "a").chmod(0o700)
    assert str(old / "a") in capsys.readouterr().err


def test_a_directory_that_goes_meanwhile_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that cannot be listed is a line, not the end of the run."""
    old = write(tmp_path / "old", a__test_x=cassette(exchange()), b=cassette(exchange()))
    scandir = os.scandir

    def vanish(path: Any) -> Any:
        if Path(path).name == "a":
            (old / "a").rename(tmp_path / "gone")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", vanish)
    assert _convert(old, tmp_path / "new") == 1
    assert f"{old / 'a'}: cannot be read" in capsys.readouterr().err


def test_a_file_where_the_directory_should_be_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is put in the place of somebody's file."""
    old = write(tmp_path / "old", test_x=cassette(exchange()))
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "test_x").write_text("mine")
    assert _convert(old, tmp_path / "new") == 1
    assert str(old / "test_x.yaml") in capsys.readouterr().err
    assert (tmp_path / "new" / "test_x").read_text() == "mine"


def test_a_directory_where_a_recording_should_be_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is taken by something that is no recording is not taken away from it."""
    old = write(tmp_path / "old", test_x=cassette(exchange()))
    assert _convert(old, tmp_path / "new") == 0
    (recording,) = (tmp_path / "new" / "test_x").iterdir()
    recording.unlink()
    recording.mkdir()
    assert _convert(old, tmp_path / "new") == 1
    assert recording.name in capsys.readouterr().err


def test_names_are_shortened_as_replay_expects_them(tmp_path: Path) -> None:
    """A name of 255 bytes is one that the file system takes, for the directory as well."""
    name = "ü" * 125
    write(tmp_path / "old", **{f"{name}.yaml": cassette(exchange())})
    assert _convert(tmp_path / "old", tmp_path / "new") == 0
    (directory,) = (tmp_path / "new").iterdir()
    assert len(os.fsencode(directory.name)) <= 255
    assert from_document(next(documents(directory))).request.url == URL


@pytest.mark.skipif(sys.platform != "linux", reason="others refuse such names")
def test_a_name_that_is_no_text_is_printed_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On Linux the name of a file is bytes."""
    write(tmp_path / "old", **{os.fsdecode(b"\xff.yaml"): "a: ["})
    assert _convert(tmp_path / "old", tmp_path / "new") == 1
    assert "not valid YAML" in capsys.readouterr().err


def test_running_out_of_memory_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is too much for the machine does not end the run."""

    def full(_content: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr("vcr_llm.cli._conversion.read_cassette", full)
    assert _convert(write(tmp_path, a=cassette(exchange())), tmp_path / "new") == 1
    assert "memory" in capsys.readouterr().err
