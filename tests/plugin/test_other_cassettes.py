"""Cassettes that a test has not recorded itself: extra ones, and those of vcrpy."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from .project import ONE_TEST, Project, record_with_vcrpy, recorded_and_replayed


def as_directory(project: Project, folder: Path) -> str:
    """A cassette of ours; gives the name for the mark."""
    project.test(ONE_TEST, "test_other.py")
    project.record("test_other.py").assert_outcomes(passed=1)
    (project.path / "cassettes/test_other/test_answer").rename(folder / "extra")
    return "extra"


def as_single_file(project: Project, folder: Path) -> str:
    """One recording of ours as a file."""
    as_directory(project, folder)
    (recording,) = (folder / "extra").iterdir()
    recording.rename(folder / "extra.json")
    (folder / "extra").rmdir()
    return "extra.json"


def as_old_yaml(project: Project, folder: Path) -> str:
    """A cassette of vcrpy in YAML."""
    record_with_vcrpy(folder / "extra.yaml", "Hello")
    return "extra.yaml"


def as_old_json(project: Project, folder: Path) -> str:
    """A cassette of vcrpy in JSON."""
    record_with_vcrpy(folder / "extra.json", "Hello", serializer="json")
    return "extra.json"


def by_absolute_path(project: Project, folder: Path) -> str:
    """A cassette of ours that lies elsewhere."""
    as_directory(project, folder)
    return str((folder / "extra").rename(project.path / "elsewhere"))


EXTRAS: list[Callable[[Project, Path], str]] = [
    as_directory,
    as_single_file,
    as_old_yaml,
    as_old_json,
    by_absolute_path,
]


@pytest.mark.parametrize("make", EXTRAS, ids=lambda make: make.__name__)
def test_extra_cassette_answers_and_is_not_copied(
    project: Project, make: Callable[[Project, Path], str]
) -> None:
    """A cassette named in the mark is played; what is recorded beside it is saved alone."""
    folder = project.path / "cassettes/test_agent"
    folder.mkdir(parents=True)
    extra = make(project, folder)
    before = project.tree
    project.test(f"""
        @pytest.mark.vcr({extra!r})
        def test_answer():
            assert ask("Hello") == "You said: Hello"
            assert ask("More") == "You said: More"
        """)
    sent = len(project.server.requests)
    recorded_and_replayed(project, "test_agent.py")
    assert len(project.server.requests) == sent + 1
    assert {name: project.tree[name] for name in before} == before
    assert project.recorded_answers() == ["You said: More"]


def test_extra_cassettes_of_all_marks_are_played(project: Project) -> None:
    """Marks of the function and of the module add up; one that does not exist is ignored."""
    for prompt in ("One", "Two"):
        record_with_vcrpy(project.path / f"cassettes/test_agent/{prompt}.yaml", prompt)
    project.test("""
        pytestmark = pytest.mark.vcr("One.yaml", "missing.yaml")

        @pytest.mark.vcr("Two.yaml")
        def test_answer():
            assert [ask("One"), ask("Two")] == ["You said: One", "You said: Two"]
        """)
    project.replay().assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["once", "rewrite", "all"])
def test_extra_cassette_is_never_written(project: Project, mode: str) -> None:
    """Every record mode leaves extra cassettes as they are."""
    record_with_vcrpy(project.path / "cassettes/test_agent/extra.yaml", "Hello")
    before = project.tree
    project.test("""
        @pytest.mark.vcr("extra.yaml")
        def test_answer():
            ask("Hello"), ask("More")
        """)
    project.run(f"--record-mode={mode}").assert_outcomes(passed=1)
    assert {name: project.tree[name] for name in before} == before
    project.replay().assert_outcomes(passed=1)


# Old cassettes


def old_yaml(folder: Path) -> Path:
    """vcrpy's default."""
    record_with_vcrpy(folder / "test_answer.yaml", "Hello")
    return folder / "test_answer.yaml"


def old_json(folder: Path) -> Path:
    """vcrpy's other serializer."""
    record_with_vcrpy(folder / "test_answer.json", "Hello", serializer="json")
    return folder / "test_answer.json"


def old_compressed(folder: Path) -> Path:
    """A YAML cassette that a team compresses."""
    plain = old_yaml(folder)
    packed = folder / "test_answer.yaml.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return packed


OLD = pytest.mark.parametrize(
    "make", [old_yaml, old_json, old_compressed], ids=lambda make: make.__name__
)


@OLD
def test_old_cassette_replays_where_there_is_no_directory(
    project: Project, make: Callable[[Path], Path]
) -> None:
    """The cassette of before is played as it was, and stays the only file."""
    old = make(project.path / "cassettes/test_agent")
    before = project.tree
    project.test(ONE_TEST)
    project.replay().assert_outcomes(passed=1)
    project.record().assert_outcomes(passed=1)
    assert project.tree == before
    assert old.is_file()


@OLD
def test_new_recordings_go_beside_an_old_cassette(
    project: Project, make: Callable[[Path], Path]
) -> None:
    """What is recorded now goes into the directory, and a plain run then finds both."""
    old = make(project.path / "cassettes/test_agent")
    content = old.read_bytes()
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("Hello"), ask("More")
        """)
    sent = len(project.server.requests)
    answers = recorded_and_replayed(project)
    assert answers == ["You said: Hello", "You said: More"]
    assert len(project.server.requests) == sent + 1
    assert old.read_bytes() == content
    assert project.recorded_answers() == ["You said: More"]


@pytest.mark.parametrize("mode", ["once", "none", "new_episodes"])
def test_old_cassette_decides_as_a_directory_would(project: Project, mode: str) -> None:
    """With `once` and `none` an old cassette takes no new recordings; new_episodes does."""
    old_yaml(project.path / "cassettes/test_agent")
    before = project.tree
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("Another")
        """)
    records = mode == "new_episodes"
    project.run(f"--record-mode={mode}").assert_outcomes(passed=records, failed=not records)
    assert (project.tree == before) is not records


@pytest.mark.parametrize("mode", ["rewrite", "all"])
def test_rewriting_leaves_the_old_cassette(project: Project, mode: str) -> None:
    """A test recorded anew gets a directory, from which it then replays."""
    old = old_yaml(project.path / "cassettes/test_agent")
    content = old.read_bytes()
    project.test(ONE_TEST)
    project.run(f"--record-mode={mode}").assert_outcomes(passed=1)
    assert old.read_bytes() == content
    assert project.recorded_answers() == ["You said: Hello"]
    project.replay().assert_outcomes(passed=1)


def test_old_cassette_of_a_test_with_a_long_name_replays(project: Project) -> None:
    """pytest-recording's shortened name of a long test is found."""
    name = f"test_{'a' * 300}"
    source = f"""
        @pytest.mark.vcr
        def {name}():
            assert ask("Hello") == "You said: Hello"
        """
    project.test(source)
    project.write("conftest.py", "")
    project.record().assert_outcomes(passed=1)
    (old,) = project.tree
    assert old.endswith(".yaml")
    project.configure()
    project.replay().assert_outcomes(passed=1)
