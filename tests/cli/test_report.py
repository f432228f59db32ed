"""``vcr-llm report``: the files that it writes, what they say, what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.recordings import cassette, recording, save
from tests.cli.trees import cassette as old_cassette
from tests.cli.trees import exchange, summary_of, tree, write
from tests.reports import data, details, rows
from vcr_llm._report_page import ASSETS
from vcr_llm.cli import main

KEY = "sk-proj-Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two cassettes of two recordings each."""
    save(tmp_path / "cassettes/test_a", cassette("What is one?", "What is two?", test_id="t.py::a"))
    save(tmp_path / "cassettes/test_b", cassette("Say hello", "Say bye", test_id="t.py::b"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str | Path) -> int:
    """The exit status."""
    return main(["report", *map(str, arguments)])


def git(*arguments: str) -> None:
    """Run git in the current directory, as somebody."""
    someone = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *someone, *arguments], check=True, capture_output=True)


@pytest.mark.usefixtures("project")
def test_a_report_holds_its_page_and_its_data(capsys: pytest.CaptureFixture[str]) -> None:
    """The page, an index of all recordings, their details and what a search looks through."""
    assert run("-o", "report") == 0
    assert capsys.readouterr().out == "report/index.html: 4 recordings of 2 cassettes\n"
    assert set(tree(Path("report"))) == {*ASSETS, "data/index.js", "data/d0.js", "data/t0.js"}
    assert [(row["cassette"], row["test"], row["asked"]) for row in rows(Path("report"))] == [
        ("test_a", "t.py::a", "What is one?"),
        ("test_a", "t.py::a", "What is two?"),
        ("test_b", "t.py::b", "Say hello"),
        ("test_b", "t.py::b", "Say bye"),
    ]
    index = data(Path("report"))["index"]
    assert (index["title"], index["base"], index["now"], index["problems"]) == (
        "cassettes",
        None,
        None,
        [],
    )
    assert ["say bye", [3]] in data(Path("report"))["t0"]


def test_the_same_recordings_give_the_same_bytes(project: Path) -> None:
    """Nothing of when or where a report was made is in it."""
    assert run("-o", "one", "--now", "2026-11-25") == 0
    assert run("-o", "two", "--now", "2026-11-25") == 0
    assert tree(project / "one") == tree(project / "two")
    assert data(project / "one")["index"]["now"] == "2026-11-25T00:00:00+00:00"


def test_links_stay_when_recordings_come(project: Path) -> None:
    """A recording is called the same in the next report."""
    assert run("-o", "one") == 0
    save(project / "cassettes/test_0", cassette("before all others"))
    assert run("-o", "two") == 0
    assert [row["id"] for row in rows(project / "two")][1:] == [
        row["id"] for row in rows(project / "one")
    ]


@pytest.mark.parametrize("path", ["cassettes/test_a", "."])
def test_a_cassette_or_a_tree(project: Path, path: str) -> None:
    """Whatever the path is; a report that lies within it is not looked at."""
    assert run(path, "-o", "cassettes/test_a/report") == 0
    before = tree(project / "cassettes/test_a/report")
    assert run(path, "-o", "cassettes/test_a/report") == 0
    assert tree(project / "cassettes/test_a/report") == before
    names = {row["cassette"] for row in rows(project / "cassettes/test_a/report")}
    assert names == ({path} if path != "." else {"cassettes/test_a", "cassettes/test_b"})


def test_an_old_cassette(tmp_path: Path) -> None:
    """One of vcrpy's is read as `show` reads it."""
    write(tmp_path, old=old_cassette(exchange("hello", "hi there")))
    assert run(tmp_path / "old.yaml", "-o", tmp_path / "report") == 0
    assert [row["asked"] for row in rows(tmp_path / "report")] == ["hello"]


# --- what is there already ------------------------------------------------------------------------


def test_an_older_report_is_replaced(project: Path) -> None:
    """As a whole, also through a link, and an empty directory is taken."""
    (project / "report").mkdir()
    assert run("-o", "report") == 0
    (project / "link").symlink_to("report")
    assert run("cassettes/test_a", "-o", "link") == 0
    assert (project / "link").is_symlink()
    assert len(rows(project / "report")) == 2


@pytest.mark.parametrize("foreign", ["notes.txt", "data/mine.js", "deep/er/file", ".hidden"])
def test_what_is_no_report_is_left_alone(
    project: Path, foreign: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that no report has, alone or beside one, is named and stays."""
    if foreign == ".hidden":
        assert run("-o", "report") == 0
    (project / "report" / foreign).parent.mkdir(parents=True, exist_ok=True)
    (project / "report" / foreign).write_text("mine")
    before = tree(project)
    assert run("-o", "report") == 2
    assert f"'{foreign}' is not of a report" in " ".join(capsys.readouterr().err.split())
    assert tree(project) == before


def test_names_alone_do_not_make_a_report(project: Path) -> None:
    """Somebody else's index.html and data/index.js stay."""
    write(project / "report", **{"index.html": "mine", "data__index.js": "mine"})
    before = tree(project)
    assert run("-o", "report") == 2
    assert tree(project) == before


def test_a_page_without_its_index_is_no_report(project: Path) -> None:
    """Somebody else's index.html stays."""
    write(project / "report", **{"index.html": "mine"})
    assert run("-o", "report") == 2
    assert (project / "report/index.html").read_text() == "mine"


def test_a_file_is_left_alone(project: Path) -> None:
    """Where a directory was expected."""
    (project / "report").write_text("mine")
    assert run("-o", "report") == 2
    assert (project / "report").read_text() == "mine"


@pytest.mark.parametrize("fails_at", ["while writing", "at the end"])
def test_a_report_is_written_whole_or_not_at_all(
    project: Path,
    fails_at: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where the disk is full the old report stays, and nothing lies beside it."""
    assert run("-o", "report") == 0
    before = tree(project)
    method = "write_text" if fails_at == "while writing" else "rename"
    real = getattr(Path, method)

    def full(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "index.js" or (method == "rename" and self.name.endswith("-0.tmp")):
            raise OSError(28, "No space left on device")
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, method, full)
    capsys.readouterr()
    assert run("-o", "report") == 1
    assert "report: cannot be written: No space left on device" in capsys.readouterr().err
    assert tree(project) == before


# --- what cannot be read, what is secret ----------------------------------------------------------


def test_what_cannot_be_read_is_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the page and on stderr, with exit status 1; everything else is shown."""
    (project / "cassettes/test_a" / f"{'a' * 64}.json").write_text("{")
    found = summary_of(capsys, "report", "-o", "report")
    assert (found["status"], found["recordings"], found["cassettes"]) == (1, 4, 2)
    (problem,) = data(project / "report")["index"]["problems"]
    assert problem == list(found["failed"][0].values())
    assert problem[0] == f"cassettes/test_a/{'a' * 64}.json"


def test_nothing_to_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is said, and the page is written all the same: a CI artifact expects it."""
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty", "-o", tmp_path / "report") == 1
    assert "holds no recordings" in capsys.readouterr().err
    assert rows(tmp_path / "report") == []


def test_no_secret_is_on_the_page(tmp_path: Path) -> None:
    """Wherever it stands in a file: headers, bodies, keys that nobody knows, the test's name."""
    document = {
        **recording(f"my key is {KEY}", f"you said {KEY}", test_id=f"t.py::test[{KEY}]"),
        "note": {"x": KEY},
    }
    document["request"] |= {"headers": {"Authorization": f"Bearer {KEY}"}, "extra": [KEY]}
    document["request"]["url"] += f"?api_key={KEY}"
    save(tmp_path / "cassettes" / f"test[{KEY}]", {f"{KEY}.json": document})
    (tmp_path / "cassettes" / f"test[{KEY}]" / f"{'a' * 64}.json").write_text(f'"{KEY}')
    assert run(tmp_path / "cassettes", "-o", tmp_path / "report") == 1
    written = b"".join(tree(tmp_path / "report").values())
    assert KEY.encode() not in written
    assert KEY[8:].lower().encode() not in written
    (shown,) = details(tmp_path / "report")
    assert shown["has_secrets"]
    assert ["redacted", "request.headers.Authorization", "REDACTED", 1] in shown["marks"]


@pytest.mark.parametrize(
    "name", ["</script><script>alert(1)</script>", "'; alert(1); '", "a\\u0027b", "\u2028\u202e"]
)
def test_names_are_data(tmp_path: Path, name: str) -> None:
    """Whatever a directory or a test is called, a data file is one call with one string."""
    folder = name.replace("/", "_")
    save(tmp_path / "cassettes" / folder, cassette(name, name, test_id=f"../../{name}"))
    assert run(tmp_path / "cassettes", "-o", tmp_path / "report") == 0
    assert {row["cassette"] for row in rows(tmp_path / "report")} == {folder}
    assert all("<" not in path.read_text() for path in (tmp_path / "report/data").iterdir())
    assert set(tree(tmp_path)) - set(tree(tmp_path / "cassettes"))
    assert {path.name for path in tmp_path.iterdir()} == {"cassettes", "report"}


# --- what changed ---------------------------------------------------------------------------------


def changed_project(project: Path) -> None:
    """One answer, one prompt, one recording more, one less."""
    save(
        project / "cassettes/test_a", cassette("What is one?", "What is three?", test_id="t.py::a")
    )
    for path in (project / "cassettes/test_a").iterdir():
        if "What is two?" in path.read_text():
            path.unlink()
    (goes, *_rest) = sorted((project / "cassettes/test_b").iterdir())
    goes.unlink()
    save(project / "cassettes/test_c", cassette("New here"))


def states(report: Path) -> list[tuple[str, str]]:
    """What became of each recording, by what it asks."""
    return sorted((row["asked"], row["state"]) for row in rows(report))


@pytest.mark.parametrize("base", ["directory", "revision"])
def test_what_changed(
    project: Path, base: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a directory, or against a revision of git's, also from a folder below its root."""
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "before")
    for name, content in tree(project / "cassettes").items():
        write(project / "before", **{name.replace("/", "__"): content})
    changed_project(project)
    monkeypatch.chdir(project / "cassettes")
    before = tree(project)
    found = summary_of(
        capsys,
        "report",
        ".",
        "-o",
        "../report",
        "--base",
        "../before" if base == "directory" else "main",
    )
    assert found["changes"] == {"added": 1, "removed": 1, "changed": 1, "same": 2}
    shown = dict(states(project / "report"))
    assert shown["What is three?"] == "changed"
    assert shown["New here"] == "added"
    after = tree(project)
    assert {name: after[name] for name in before} == before
    (change,) = (held for held in details(project / "report") if held["changes"])
    (prompt,) = (one for one in change["changes"] if "lines" in one)
    assert ["removed", "two"] in prompt["lines"][0]
    assert ["added", "three"] in prompt["lines"][0]


@pytest.mark.usefixtures("project")
def test_a_path_that_the_revision_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything is new."""
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "empty")
    found = summary_of(capsys, "report", "cassettes/test_a", "-o", "report", "--base", "HEAD")
    assert found["changes"] == {"added": 2, "removed": 0, "changed": 0, "same": 0}


@pytest.mark.usefixtures("project")
def test_one_recording_against_a_revision(project: Path) -> None:
    """A path may be a file."""
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "before")
    path = next(iter((project / "cassettes/test_a").iterdir()))
    path.write_text(path.read_text().replace("answer 0", "another"))
    assert run(path, "-o", "report", "--base", "HEAD") == 0
    assert len(rows(project / "report")) == 1


@pytest.mark.usefixtures("project")
def test_a_broken_file_of_the_base_is_named_by_its_revision(project: Path) -> None:
    """Not by where it was looked at."""
    broken = project / "cassettes/test_a" / f"{'a' * 64}.json"
    broken.write_text("{")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "before")
    broken.unlink()
    assert run("-o", "report", "--base", "HEAD") == 1
    ((path, _reason),) = data(project / "report")["index"]["problems"]
    assert path == f"HEAD:cassettes/test_a/{'a' * 64}.json"


def test_broken_files_on_both_sides(project: Path) -> None:
    """Each is named by where it stands."""
    for root in ("cassettes", "before"):
        save(project / root / "test_a", {})
        (project / root / "test_a" / f"{'a' * 64}.json").write_text("{")
    assert run("-o", "report", "--base", "before") == 1
    paths = [path for path, _reason in data(project / "report")["index"]["problems"]]
    assert paths == [f"{root}/test_a/{'a' * 64}.json" for root in ("before", "cassettes")]


def test_a_cassette_that_is_empty_now(project: Path) -> None:
    """Is called as before, not as the folder in which a revision is looked at."""
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "before")
    for path in (project / "cassettes/test_a").iterdir():
        path.unlink()
    assert run("cassettes/test_a", "-o", "report", "--base", "HEAD") == 0
    assert {(row["cassette"], row["state"]) for row in rows(project / "report")} == {
        ("cassettes/test_a", "removed")
    }


def test_objects_that_git_does_not_have(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As in a clone that was made without them: told by the file's name, and nothing is written."""
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "before")
    path = next(iter((project / "cassettes/test_a").iterdir()))
    hashed = subprocess.run(["git", "hash-object", path], check=True, capture_output=True)
    digest = hashed.stdout.decode().strip()
    (project / ".git/objects" / digest[:2] / digest[2:]).unlink()
    assert run("-o", "report", "--base", "HEAD") == 2
    assert "cannot be read from its objects" in " ".join(capsys.readouterr().err.split())
    assert not (project / "report").exists()


def git_made(*arguments: str, given: str) -> str:
    """The digest of what git makes of a text."""
    done = subprocess.run(
        ["git", *arguments], input=given, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_tree_that_leads_out_of_itself(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As only somebody who means harm makes one: nothing is written beside the folder."""
    git("init", "-q")
    blob = git_made("hash-object", "-w", "--stdin", given="{}")
    tree_of = git_made("mktree", given=f"100644 blob {blob}\tevil.json\n")
    outside = git_made("mktree", given=f"040000 tree {tree_of}\t..\n")
    root = git_made("mktree", given=f"040000 tree {outside}\tcassettes\n")
    someone = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    commit = git_made(*someone, "commit-tree", root, "-m", "evil", given="")
    (project / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(project / "temporary"))
    assert run("-o", "report", "--base", commit) == 0
    assert not [name for name in tree(project) if name.endswith("evil.json")]
    assert {row["state"] for row in rows(project / "report")} == {"added"}


def test_links_in_a_revision_are_not_followed(project: Path) -> None:
    """What they lead to may be anywhere."""
    (project / "cassettes/test_a" / f"{'b' * 64}.json").symlink_to("/etc/hostname")
    (project / "cassettes/test_a/notes.txt").write_text("mine")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "before")
    (project / "cassettes/test_a" / f"{'b' * 64}.json").unlink()
    assert run("-o", "report", "--base", "HEAD") == 0
    assert {row["state"] for row in rows(project / "report")} == {"same"}


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("nowhere", "nowhere"),
        ("--help", "neither a directory nor a revision"),
        ("", "neither a directory nor a revision"),
    ],
)
def test_a_base_that_is_not_there(
    project: Path, base: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong usage, and nothing is written."""
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "empty")
    assert run("-o", "report", f"--base={base}") == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert not (project / "report").exists()


@pytest.mark.usefixtures("project")
def test_a_base_without_git(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is told to be missing."""
    monkeypatch.setenv("PATH", "")
    assert run("-o", "report", "--base=main") == 2
    assert "git is not installed" in " ".join(capsys.readouterr().err.split())


@pytest.mark.usefixtures("project")
def test_a_time_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage."""
    assert run("-o", "report", "--now", "tomorrow") == 2
    assert "is no time" in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """As every command's."""
    assert run("--help") == 0
    assert "vcr-llm report tests -o report --base origin/main" in capsys.readouterr().out


def test_json_says_what_was_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs."""
    assert run("-o", "report", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "page": "report/index.html",
        "cassettes": 2,
        "recordings": 4,
        "changes": None,
        "failed": [],
    }
