"""Cassettes on disk: every file is whole, and what is not ours is never touched."""

from __future__ import annotations

import errno
import gzip
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from vcr.persisters.filesystem import CassetteNotFoundError

from tests.test_document import EXCHANGES, whole
from tests.test_foreign import TOOL_CALL, failed
from vcr_llm import (
    MalformedRecording,
    RecordingError,
    RecordingNotSaved,
    _recording_directory,
    serializer,
)
from vcr_llm._address import address_of
from vcr_llm._cassette_files import directory_of, old_cassette_of, read_old_cassette, shortened_name
from vcr_llm._json import document_text
from vcr_llm._recording_directory import Recording, RecordingDirectory, read_document
from vcr_llm._recording_writer import RecordingWriter
from vcr_llm._vcrpy import to_vcrpy
from vcr_llm.persister import DirectoryPersister

ADDRESS = "a" * 64

DIRECTORIES = [
    ("cassettes/test_a", "cassettes/test_a"),
    ("cassettes/test_a.llm", "cassettes/test_a"),
    ("cassettes/test_a.yaml", "cassettes/test_a"),
    ("cassettes/test_a.yaml.gz", "cassettes/test_a"),
    ("cassettes/test_a.json.llm", "cassettes/test_a"),
    ("cassettes/test_a[1.5].llm", "cassettes/test_a[1.5]"),
    ("cassettes/.yaml", "cassettes/.yaml"),
]

NOT_OURS = {
    "notes.txt": b"notes",
    ".hidden.json": b"{",
    "package.json": b'{"name": "x"}',
    "README": b"",
    "metadata.json": b'{"a": 1}',
}

BROKEN: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "is empty"),
    ("no UTF-8", b'{"a": "\xff"}', "is not UTF-8: byte 7"),
    ("cut off", b'{"request": {', r"is not valid JSON: line 1, column 14"),
    ("a list", b"[]", "holds a list"),
    ("no response", b'{"request": {}}', "response is missing"),
    ("an empty object", b"{}", "is missing"),
    ("too deep", b"[" * 1_000_000, "nested more than"),
    ("a number as URL", b'{"request": {"url": 1}, "response": {}}', "response"),
]


def contents(directory: Path) -> dict[str, bytes]:
    """Every file below a directory and what it holds."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def named(number: int) -> dict[str, Any]:
    """A document of its own."""
    return whole({"request": {"body": {"number": number}}})


def save(directory: Path, *documents: dict[str, Any], **more: Any) -> None:
    """Let the persister save documents as vcrpy would."""
    requests, responses = [], []
    for document in documents:
        request, response = to_vcrpy(Recording(directory, document).interaction)
        requests.append(request)
        responses.append({**response, "recording": document})
    cassette = {"requests": requests, "responses": responses, **more}
    DirectoryPersister.save_cassette(directory, cassette, serializer)


@pytest.mark.parametrize(("path", "directory"), DIRECTORIES)
def test_a_cassettes_path_names_its_directory(path: str, directory: str) -> None:
    """The suffix that a host appends, or that an old cassette has, is no part of the name."""
    assert directory_of(path) == Path(directory)


def test_a_long_name_fits_every_file_system() -> None:
    """Names are cut to 255 bytes, between characters, and stay different."""
    one, other = (shortened_name("é" * 200 + end) for end in "ab")
    assert len(one.encode()) <= 255
    assert one != other
    assert one.startswith("ééé")
    assert shortened_name("short") == "short"


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Requests, responses and metadata come back in their order."""
    directory = tmp_path / "a" / "test_x"
    documents = [named(2), named(1), named(2)]
    save(directory, *documents, metadata={"a": 1})
    requests, responses, metadata = DirectoryPersister.load_cassette(directory, serializer)
    assert [request.body for request in requests] == [
        b'{"number":2}',
        b'{"number":1}',
        b'{"number":2}',
    ]
    assert [response["recording"]["sequence"] for response in responses] == [0, 1, 2]
    assert metadata == {"a": 1}
    address = address_of(named(2))
    assert sorted(contents(directory)) == sorted(
        [f"{address}.json", f"{address}-2.json", f"{address_of(named(1))}.json", "metadata.json"]
    )


def test_saving_what_was_loaded_changes_no_byte(tmp_path: Path) -> None:
    """A cassette that nobody changed keeps its files as they are."""
    save(tmp_path / "c", *(named(number) for number in range(3)))
    before = contents(tmp_path)
    requests, responses, _metadata = DirectoryPersister.load_cassette(tmp_path / "c", serializer)
    cassette = {"requests": requests, "responses": responses}
    DirectoryPersister.save_cassette(tmp_path / "c", cassette, serializer)
    assert contents(tmp_path) == before


def test_a_shorter_cassette_leaves_no_stale_file(tmp_path: Path) -> None:
    """Recordings that are not in the cassette any more are removed."""
    save(tmp_path / "c", *(named(number) for number in range(3)))
    save(tmp_path / "c", named(1))
    assert list(contents(tmp_path / "c")) == [f"{address_of(named(1))}.json"]


def test_an_exchange_that_vcrpy_made_is_saved(tmp_path: Path) -> None:
    """An interaction that no document came with is a new recording."""
    request, response = to_vcrpy(EXCHANGES[4].interaction)
    cassette = {"requests": [request], "responses": [response]}
    DirectoryPersister.save_cassette(tmp_path / "c", cassette, serializer)
    (recording,) = RecordingDirectory(tmp_path / "c").recordings()
    assert recording.interaction.response == EXCHANGES[4].interaction.response


def test_a_directory_that_is_not_there_is_no_cassette(tmp_path: Path) -> None:
    """vcrpy is told what it understands: no cassette, so record one."""
    with pytest.raises(CassetteNotFoundError):
        DirectoryPersister.load_cassette(tmp_path / "none", serializer)
    assert RecordingDirectory(tmp_path / "none").recordings() == []


def test_a_file_where_the_directory_should_be_is_an_error(tmp_path: Path) -> None:
    """Whatever it is, it is not overwritten."""
    (tmp_path / "c").write_text("mine")
    with pytest.raises(RecordingError, match="is a file, where the directory"):
        DirectoryPersister.load_cassette(tmp_path / "c", serializer)
    with pytest.raises(RecordingError, match="is a file, where the directory"):
        RecordingDirectory(tmp_path / "c").replace(named(1), tmp_path / "c" / "x.json")
    assert contents(tmp_path) == {"c": b"mine"}


def test_what_is_not_ours_is_neither_read_nor_touched(tmp_path: Path) -> None:
    """Files of other people survive loading, saving and emptying a cassette."""
    directory = tmp_path / "c"
    directory.mkdir()
    for name, content in NOT_OURS.items():
        (directory / name).write_bytes(content)
    (directory / "sub").mkdir()
    assert RecordingDirectory(directory).recordings() == []
    save(directory, named(1))
    save(directory)
    assert contents(directory) == NOT_OURS


def test_a_directory_that_holds_nothing_goes_with_its_last_recording(tmp_path: Path) -> None:
    """An emptied cassette leaves no empty directory behind."""
    save(tmp_path / "c", named(1))
    save(tmp_path / "c")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("content", "message"), [r[1:] for r in BROKEN], ids=[r[0] for r in BROKEN]
)
@pytest.mark.parametrize("name", [f"{ADDRESS}.json", "edited.json"])
def test_a_broken_recording_is_an_error_that_names_it(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """File, place and cure are said, and the file stays as it is."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MalformedRecording, match=message) as error:
        RecordingDirectory(tmp_path).recordings()
    assert error.value.path == str(path)
    assert "Repair it, or delete it" in str(error.value)
    assert contents(tmp_path) == {name: content}


def test_a_recording_that_is_not_replayed_over_http_is_listed(tmp_path: Path) -> None:
    """Tool calls and errors without an answer are recordings, but none that vcrpy could play."""
    for name, document in (("tool.json", TOOL_CALL), ("error.json", failed({}))):
        (tmp_path / name).write_text(document_text(document), encoding="utf-8")
    assert len(RecordingDirectory(tmp_path).recordings()) == 2
    requests, _responses, _metadata = DirectoryPersister.load_cassette(tmp_path, serializer)
    assert requests == []


def test_an_unchanged_answer_leaves_its_file(tmp_path: Path) -> None:
    """A recording that differs only in when it was made keeps every byte."""
    directory, path = RecordingDirectory(tmp_path), tmp_path / f"{ADDRESS}.json"
    directory.put(named(1), path)
    before = path.read_bytes()
    later = {**named(1), "recorded_at": "2030-01-01T00:00:00Z"}
    assert directory.put(later, path).document == named(1)
    assert path.read_bytes() == before
    directory.put({**later, "test_id": "other"}, path)
    assert path.read_bytes() != before


def test_a_broken_file_is_replaced_only_by_who_means_to(tmp_path: Path) -> None:
    """A cassette that begins anew writes over its own files, whatever they hold."""
    path = tmp_path / f"{ADDRESS}.json"
    path.write_text("{")
    assert RecordingDirectory(tmp_path).add(named(1), path) is None
    assert path.read_text() == "{"
    RecordingDirectory(tmp_path).put(named(1), path)
    assert RecordingDirectory(tmp_path).recordings()[0].document == named(1)


def test_repeats_are_numbered_past_names_that_are_taken(tmp_path: Path) -> None:
    """A new recording never takes the place of another one."""
    (tmp_path / f"{ADDRESS}-2.json").write_text("mine")
    writer = RecordingWriter(RecordingDirectory(tmp_path))
    names = [writer.write(ADDRESS, named(1)).path.name for _ in range(3)]
    assert names == [f"{ADDRESS}.json", f"{ADDRESS}-3.json", f"{ADDRESS}-4.json"]
    assert (tmp_path / f"{ADDRESS}-2.json").read_text() == "mine"


def test_the_first_recording_is_numbered_when_there_is_a_second(tmp_path: Path) -> None:
    """A cassette of one recording needs no positions."""
    writer = RecordingWriter(RecordingDirectory(tmp_path))
    first = writer.write("a" * 64, named(1))
    assert "sequence" not in read_document(first.path)
    second = writer.write("b" * 64, named(2))
    assert read_document(first.path)["sequence"] == 0
    assert read_document(second.path)["sequence"] == 1


def test_a_cassette_goes_on_after_its_last_position(tmp_path: Path) -> None:
    """New recordings follow those that were there."""
    save(tmp_path, named(1), named(2))
    directory = RecordingDirectory(tmp_path)
    writer = RecordingWriter(directory, before=directory.recordings())
    assert writer.write("c" * 64, named(3)).document["sequence"] == 2


def test_threads_never_get_the_same_name(tmp_path: Path) -> None:
    """Sixteen writers of one address make sixteen files, each of them whole."""
    writers = [RecordingWriter(RecordingDirectory(tmp_path)) for _ in range(16)]
    threads = [
        threading.Thread(target=writer.write, args=(ADDRESS, named(number)))
        for number, writer in enumerate(writers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [
        recording.document["request"] for recording in RecordingDirectory(tmp_path).recordings()
    ]
    assert len(found) == 16
    assert all(named(number)["request"] in found for number in range(16))


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_disk_that_takes_nothing_is_an_error_and_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    """The reason is given, what was there stays, and no temporary file is left."""
    save(tmp_path / "c", named(1))
    before = contents(tmp_path)

    def refused(*_arguments: Any) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(_recording_directory, "write_document", refused)
    with pytest.raises(RecordingNotSaved, match=f"{os.strerror(reason)}.*nothing was overwritten"):
        RecordingWriter(RecordingDirectory(tmp_path / "c")).write(ADDRESS, named(2))
    assert contents(tmp_path) == before


def test_a_file_system_without_links_still_takes_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no hard link can be made, a name is taken by renaming."""

    def refused(*_arguments: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    writer = RecordingWriter(RecordingDirectory(tmp_path))
    names = [writer.write(ADDRESS, named(number)).path.name for number in range(2)]
    assert names == [f"{ADDRESS}.json", f"{ADDRESS}-2.json"]


def test_a_path_that_is_too_long_is_an_error(tmp_path: Path) -> None:
    """The reason is given instead of a bare OSError."""
    directory = RecordingDirectory(tmp_path.joinpath(*["x" * 200] * 30))
    with pytest.raises(RecordingNotSaved, match="cannot be saved: File name too long"):
        RecordingWriter(directory).write(ADDRESS, named(1))


def test_what_a_killed_run_left_is_swept_up_later(tmp_path: Path) -> None:
    """A temporary file is removed once it is old enough to be nobody's."""
    old, young = tmp_path / ".a.json.1-1.tmp", tmp_path / ".b.json.2-1.tmp"
    for path in (old, young):
        path.write_text("{")
    os.utime(old, (0, 0))
    directory = RecordingDirectory(tmp_path)
    assert directory.recordings() == []
    directory.sweep()
    assert list(contents(tmp_path)) == [young.name]
    RecordingDirectory(tmp_path / "none").sweep()


VCRPY_YAML = """\
version: 1
interactions:
- request: {method: GET, uri: "https://h/x", body: null, headers: {}}
  response:
    status: {code: 200, message: OK}
    headers: {content-type: [text/plain]}
    body: {string: hello}
"""


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".yaml.gz"])
def test_an_old_cassette_is_read(tmp_path: Path, suffix: str) -> None:
    """vcrpy's YAML stands where the directory would, packed or not."""
    path = tmp_path / f"test_x{suffix}"
    content = VCRPY_YAML.encode()
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    assert old_cassette_of(tmp_path / "test_x") == path
    assert old_cassette_of(tmp_path / "test_y") is None
    (interaction,), metadata = read_old_cassette(path)
    assert (interaction.request.url, interaction.response.body) == ("https://h/x", b"hello")
    assert metadata == {}


def test_a_single_recording_is_an_old_cassette(tmp_path: Path) -> None:
    """A recording of our own may stand where a cassette in one file would."""
    path = tmp_path / "test_x.json"
    path.write_text(document_text(EXCHANGES[0].document), encoding="utf-8")
    (interaction,), _metadata = read_old_cassette(path)
    assert interaction == EXCHANGES[0].interaction


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.yaml", b"a: [", "is not valid YAML"),
        ("x.yaml", b"- a\n", "no cassette of HTTP"),
        ("x.json", b"{", "is not valid JSON"),
        ("x.json", b'{"interactions": [{}]}', "no cassette of HTTP"),
        ("x.yaml.gz", b"no gzip", "cannot be read"),
        ("x.yaml", b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_an_old_cassette_that_is_broken_is_an_error(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """The file is named and left as it is."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError, match=message) as error:
        read_old_cassette(tmp_path / name)
    assert error.value.path == str(tmp_path / name)
    assert contents(tmp_path) == {name: content}


def test_an_empty_old_cassette_has_nothing(tmp_path: Path) -> None:
    """vcrpy writes an empty file for a cassette without interactions in some versions."""
    (tmp_path / "x.yaml").write_bytes(b"")
    assert read_old_cassette(tmp_path / "x.yaml") == ([], {})


def test_a_recording_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    """A directory that is named like a recording is told apart from a broken one."""
    with pytest.raises(RecordingError, match="cannot be read"):
        read_document(tmp_path)
