"""What a marked test records, where it lies, and that it replays."""

from __future__ import annotations

import json
import re

import pytest

from .project import ONE_TEST, Project, recorded_and_replayed

NAME = r"[0-9a-f]{64}\.json"


# The tree


def test_each_request_becomes_one_file_in_the_directory_of_its_test(project: Project) -> None:
    """The tree is cassettes/MODULE/TEST/ADDRESS.json, and a plain run replays it."""
    project.test(ONE_TEST)
    recorded_and_replayed(project)
    (name,) = project.tree
    assert re.fullmatch(rf"test_agent/test_answer/{NAME}", name)


def test_equal_requests_get_numbered_files_and_replay_in_order(project: Project) -> None:
    """The second recording of a request is ADDRESS-2.json; each answer comes in its turn."""
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask(), ask(), ask()
        """)
    answers = recorded_and_replayed(project)
    assert answers == ["This is answer 1.", "This is answer 2.", "This is answer 3."]
    assert project.recorded_answers() == answers
    names = sorted(name.rpartition("/")[2] for name in project.tree)
    address = names[-1].removesuffix(".json")
    assert names == [f"{address}-2.json", f"{address}-3.json", f"{address}.json"]


def test_plain_run_without_cassette_sends_nothing(project: Project) -> None:
    """Without --record-mode nothing is recorded and no request leaves."""
    project.test(ONE_TEST)
    project.run().assert_outcomes(failed=1)
    assert project.tree == {}
    assert project.server.requests == []


def test_no_key_is_in_any_file(project: Project) -> None:
    """The key that the client sends is in no recording, and no request header is."""
    project.test(ONE_TEST)
    project.record()
    (document,) = project.documents()
    assert project.server.requests[0].header("authorization").endswith("J0sA5")
    assert document["request"]["headers"] == {}
    assert all(b"J0sA5" not in content for content in project.tree.values())


def test_marked_test_that_sends_nothing_leaves_no_file(project: Project) -> None:
    """A test without requests records nothing and replays."""
    project.test("""
        @pytest.mark.vcr
        def test_answer(vcr):
            assert len(vcr) == 0
        """)
    assert recorded_and_replayed(project) == []
    assert project.tree == {}
    assert not (project.path / "cassettes").exists()


def test_recording_again_changes_no_file(project: Project) -> None:
    """With new_episodes, what is there is replayed."""
    project.test(ONE_TEST)
    project.record()
    tree = project.tree
    project.record().assert_outcomes(passed=1)
    assert project.tree == tree
    assert len(project.server.requests) == 1


def test_async_and_sync_clients_write_the_same_document(project: Project) -> None:
    """Which client sent a request is not in its recording."""
    project.test("""
        import openai

        @pytest.mark.vcr
        @pytest.mark.default_cassette("sync")
        def test_answer():
            ask("Hello")

        @pytest.mark.vcr
        @pytest.mark.default_cassette("async")
        async def test_async():
            async with openai.AsyncOpenAI(max_retries=0) as client:
                reply = await client.chat.completions.create(
                    model="gpt-4o", messages=[{"role": "user", "content": "Hello"}]
                )
            assert reply.choices[0].message.content == "You said: Hello"
        """)
    project.record().assert_outcomes(passed=2)
    project.replay().assert_outcomes(passed=2)
    (sync_one,), (async_one,) = (project.documents(f"test_agent/{x}") for x in ("sync", "async"))
    assert sync_one["request"] == async_one["request"]


# Marks


MARKED = {
    "function": ("test_answer", ONE_TEST),
    "module": (
        "test_answer",
        """
        pytestmark = pytest.mark.vcr

        def test_answer():
            assert ask("Hello") == "You said: Hello"
        """,
    ),
    "class": (
        "TestAgent.test_answer",
        """
        @pytest.mark.vcr
        class TestAgent:
            def test_answer(self):
                assert ask("Hello") == "You said: Hello"
        """,
    ),
    "class in a module": (
        "TestAgent.test_answer",
        """
        pytestmark = [pytest.mark.vcr]

        class TestAgent:
            def test_answer(self):
                assert ask("Hello") == "You said: Hello"
        """,
    ),
    "asynchronous": (
        "test_answer",
        """
        @pytest.mark.vcr
        async def test_answer():
            assert ask("Hello") == "You said: Hello"
        """,
    ),
}


@pytest.mark.parametrize(("cassette", "source"), MARKED.values(), ids=MARKED)
def test_mark_records_wherever_it_stands(project: Project, cassette: str, source: str) -> None:
    """A function, a class and a module can carry the mark."""
    project.test(source)
    recorded_and_replayed(project)
    assert project.folders == [f"test_agent/{cassette}"]


def test_mark_added_at_collection_records(project: Project) -> None:
    """A conftest may mark its tests instead of their source."""
    project.configure(
        more="""
        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.vcr)
        """
    )
    project.test("""
        def test_answer():
            ask()
        """)
    recorded_and_replayed(project)
    assert project.folders == ["test_agent/test_answer"]


def test_unmarked_test_is_left_alone(project: Project) -> None:
    """Without a mark requests go to the server, whatever the record mode."""
    project.test("""
        def test_answer(vcr):
            assert vcr is None
            ask()
        """)
    project.record().assert_outcomes(passed=1)
    project.run().assert_outcomes(passed=1)
    assert len(project.server.requests) == 2
    assert project.tree == {}


# Names


def test_document_names_its_test(project: Project) -> None:
    """`test_id` is pytest's node id, with parameters as pytest writes them."""
    project.test("""
        @pytest.mark.vcr
        @pytest.mark.parametrize("prompt", ["a/b", "c d"])
        def test_answer(prompt):
            ask(prompt)
        """)
    recorded_and_replayed(project, tests=2)
    found = {
        document["test_id"] for folder in project.folders for document in project.documents(folder)
    }
    assert found == {"test_agent.py::test_answer[a/b]", "test_agent.py::test_answer[c d]"}


LONG_NAMES = {
    "ASCII": "a" * 310,
    "two bytes a letter": "ö" * 200,
    "three bytes a letter": "京" * 130,
    "just at the limit": "a" * (255 - len("test_")),
    "just above the limit": "a" * (256 - len("test_")),
    "at the limit with the suffix of an old cassette": "a" * (250 - len("test_")),
}


@pytest.mark.parametrize("name", LONG_NAMES.values(), ids=LONG_NAMES)
def test_long_name_is_shortened_by_bytes(project: Project, name: str) -> None:
    """A name that no file system takes is cut; tests whose names differ at the end stay two."""
    project.test(f"""
        @pytest.mark.vcr
        @pytest.mark.parametrize("prompt", ["one", "two"])
        def test_{name}(prompt):
            ask("count")

        @pytest.mark.vcr
        def test_{name}():
            assert ask("count") == "This is answer 1."
        """)
    assert recorded_and_replayed(project) == ["This is answer 1."]
    (folder,) = project.folders
    assert len(folder.removeprefix("test_agent/").encode()) <= 255


def test_long_names_that_differ_at_the_end_are_two_cassettes(project: Project) -> None:
    """What tells two names apart is not lost when they are cut."""
    project.test(f"""
        @pytest.mark.vcr
        @pytest.mark.parametrize("prompt", ["{"x" * 300}1", "{"x" * 300}2"])
        def test_answer(prompt):
            ask("count")
        """)
    recorded_and_replayed(project, tests=2)
    assert len(project.folders) == 2


def test_non_ascii_names_stay_readable(project: Project) -> None:
    """Letters of any language are kept in the directory's name."""
    project.test("""
        @pytest.mark.vcr
        def test_größe_東京():
            ask()
        """)
    recorded_and_replayed(project)
    assert project.folders == ["test_agent/test_größe_東京"]


FORBIDDEN_PAIR = """
@pytest.mark.vcr
@pytest.mark.parametrize("name", ["a/b", "a:b"])
def test_answer(name):
    ask("count")
"""


def test_names_that_differ_in_forbidden_characters_replay_their_own(project: Project) -> None:
    """Two tests that share a directory each get what they recorded."""
    project.test(FORBIDDEN_PAIR)
    both = recorded_and_replayed(project, tests=2)
    assert both == ["This is answer 1.", "This is answer 2."]
    project.replay("test_agent.py::test_answer[a:b]").assert_outcomes(passed=1)
    assert project.answers == both[1:]


def test_recording_one_of_two_forbidden_names_leaves_the_other(project: Project) -> None:
    """Recording a test anew keeps what the test beside it recorded."""
    project.test(FORBIDDEN_PAIR)
    project.record().assert_outcomes(passed=2)
    only = "test_agent.py::test_answer[a/b]"
    project.run("--record-mode=rewrite", only).assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=2)
    assert project.answers == ["This is answer 3.", "This is answer 2."]


def test_renamed_test_replays_what_it_recorded(project: Project) -> None:
    """When a directory is moved after its test, the recordings still answer."""
    project.test(ONE_TEST)
    project.record()
    project.test(ONE_TEST.replace("test_answer", "test_reply"))
    cassettes = project.path / "cassettes" / "test_agent"
    (cassettes / "test_answer").rename(cassettes / "test_reply")
    project.replay().assert_outcomes(passed=1)


# Where cassettes lie


def test_default_cassette_names_the_directory(project: Project) -> None:
    """The name in the mark is the directory's; tests with the same one share it."""
    project.test("""
        @pytest.mark.vcr
        @pytest.mark.default_cassette("shared")
        def test_answer():
            ask("Hello")

        @pytest.mark.vcr
        @pytest.mark.default_cassette("shared")
        def test_again():
            ask("Hello")
        """)
    recorded_and_replayed(project, tests=2)
    assert project.folders == ["test_agent/shared"]
    assert len(project.server.requests) == 1


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".llm", ".yml"])
def test_suffix_of_a_default_cassette_is_no_part_of_the_directory(
    project: Project, suffix: str
) -> None:
    """A name that was meant for a file names the directory beside it."""
    project.test(f"""
        @pytest.mark.vcr
        @pytest.mark.default_cassette("shared{suffix}")
        def test_answer():
            ask()
        """)
    recorded_and_replayed(project)
    assert project.folders == ["test_agent/shared"]


def test_cassette_directory_can_be_overridden(project: Project) -> None:
    """The fixture `vcr_cassette_dir` says where the cassettes lie."""
    project.configure(
        more="""
        @pytest.fixture(scope="module")
        def vcr_cassette_dir(request):
            return f"cassettes/_vcr/{request.module.__name__}"
        """
    )
    project.test(ONE_TEST)
    recorded_and_replayed(project)
    assert project.folders == ["_vcr/test_agent/test_answer"]


def test_default_cassette_name_can_be_overridden(project: Project) -> None:
    """The fixture `default_cassette_name` gives the directory's name."""
    project.configure(
        more="""
        @pytest.fixture
        def default_cassette_name(request):
            return f"all/{request.node.name}"
        """
    )
    project.test(ONE_TEST)
    recorded_and_replayed(project)
    assert project.folders == ["test_agent/all/test_answer"]


# The command line of pytest-recording


def test_disabled_recording_opens_no_cassette(project: Project) -> None:
    """With --disable-recording the fixture is None and requests reach the server."""
    project.test("""
        @pytest.mark.vcr
        def test_answer(vcr):
            assert vcr is None
            ask()
        """)
    project.run("--disable-recording").assert_outcomes(passed=1)
    assert len(project.server.requests) == 1
    assert project.tree == {}


def test_blocked_network_blocks_unmarked_tests(project: Project) -> None:
    """With --block-network only marked tests record; the other's request does not leave."""
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask()

        def test_unmarked():
            ask()
        """)
    for mode in ("new_episodes", "none"):
        project.run_blocked(f"--record-mode={mode}").assert_outcomes(passed=1, failed=1)
    assert len(project.server.requests) == 1


def test_allowed_hosts_are_reached(project: Project) -> None:
    """With --allowed-hosts a blocked test may talk to the hosts that are named."""
    project.test("""
        def test_answer():
            ask()
        """)
    project.run("--block-network", r"--allowed-hosts=127\.0\.0\.1").assert_outcomes(passed=1)
    project.run_blocked("--allowed-hosts=example.com").assert_outcomes(failed=1)


def test_allowed_hosts_may_stand_in_the_configuration(project: Project) -> None:
    """pytest-recording's key `allowed_hosts` is an option that `config` takes."""
    project.configure('allowed_hosts=["127.0.0.1"]')
    project.test("""
        @pytest.mark.block_network
        def test_answer():
            ask()
        """)
    project.run().assert_outcomes(passed=1)


# pytest-xdist


PARALLEL = """
@pytest.mark.vcr
@pytest.mark.parametrize("prompt", ["one", "two", "three", "four"])
def test_answer(prompt):
    assert ask(prompt) == f"You said: {prompt}"

@pytest.mark.vcr
@pytest.mark.default_cassette("shared")
@pytest.mark.parametrize("prompt", ["five", "six", "seven", "eight"])
def test_shared(prompt):
    assert ask(prompt) == f"You said: {prompt}"
"""


def test_parallel_workers_record_and_replay(project: Project) -> None:
    """Under pytest-xdist every request is recorded, also into a directory that workers share."""
    project.test(PARALLEL)
    project.run_apart("--record-mode=new_episodes", "-n2").assert_outcomes(passed=8)
    assert len(project.tree) == 8
    project.replay().assert_outcomes(passed=8)
    with project.server_down():
        project.run_apart("-n2").assert_outcomes(passed=8)


# One directory for all tests


def test_flat_layout_keeps_all_tests_in_one_directory(project: Project) -> None:
    """With `layout="flat"` every recording lies in `vcr_cassette_dir` itself."""
    project.configure('layout="flat"')
    project.test("""
        @pytest.mark.vcr
        @pytest.mark.parametrize("prompt", ["a/b", "a:b"])
        def test_answer(prompt):
            ask("count")

        @pytest.mark.vcr
        def test_other():
            ask("count")
        """)
    recorded_and_replayed(project, tests=3)
    assert project.folders == ["test_agent"]
    assert len(project.tree) == 3


def test_flat_layout_shows_a_test_what_belongs_to_no_test(project: Project) -> None:
    """In a flat directory a test sees its own recordings and those whose test_id is null."""
    project.configure('layout="flat"')
    path = project.test(ONE_TEST)
    project.record().assert_outcomes(passed=1)
    project.test(ONE_TEST.replace("test_answer", "test_reply"), path.name)
    project.replay().assert_outcomes(failed=1)
    (recording,) = (project.path / "cassettes/test_agent").iterdir()
    document = json.loads(recording.read_text(encoding="utf-8"))
    recording.write_text(json.dumps({**document, "test_id": None}), encoding="utf-8")
    project.replay().assert_outcomes(passed=1)


def test_flat_layout_rewrites_only_the_own_recordings(project: Project) -> None:
    """Recording one test anew leaves the other tests' files in the same directory."""
    project.configure('layout="flat"')
    project.test("""
        @pytest.mark.vcr
        def test_one():
            ask("count")

        @pytest.mark.vcr
        def test_two():
            ask("count")
        """)
    project.record().assert_outcomes(passed=2)
    project.run("--record-mode=rewrite", "-k", "test_one").assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=2)
    assert project.answers == ["This is answer 3.", "This is answer 2."]
    assert len(project.tree) == 2
