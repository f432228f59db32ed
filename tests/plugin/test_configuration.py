"""Every option of vcrpy and pytest-recording keeps its meaning, and so do the users' own hooks."""

from __future__ import annotations

import pytest

from .project import ONE_TEST, Project, recorded_and_replayed

# Where options stand


@pytest.mark.parametrize("scope", ["session", "package", "module", "class", "function"])
def test_configuration_fixture_may_have_any_scope(project: Project, scope: str) -> None:
    """`vcr_config` works in each of pytest's scopes, autouse or not."""
    project.write(
        "conftest.py",
        f"""
        import pytest
        import vcr_llm

        @pytest.fixture(scope={scope!r}, autouse=True)
        def vcr_config():
            return vcr_llm.config()
        """,
    )
    project.test(ONE_TEST)
    recorded_and_replayed(project)
    assert project.folders == ["test_agent/test_answer"]


def test_a_strict_project_runs_with_our_options(project: Project) -> None:
    """No name in pytest's own configuration, no mark and no option of ours is unknown to pytest."""
    strict = (
        "addopts = --strict-markers --strict-config --vcr-llm-summary=summary.json --vcr-llm-prune"
    )
    settings = (project.path / "pytest.ini").read_text("utf-8")
    project.write("pytest.ini", settings.replace("addopts =", strict))
    project.test("""
        @pytest.mark.block_network(allowed_hosts=["127.0.0.1"])
        @pytest.mark.default_cassette("named")
        @pytest.mark.vcr(normalize=False)
        def test_answer(vcr):
            ask("Hello")
        """)
    recorded_and_replayed(project)
    assert project.folders == ["test_agent/named"]


def test_module_may_override_the_configuration(project: Project) -> None:
    """A module's own fixture may build on the conftest's, or leave our serializer out."""
    project.test("""
        @pytest.fixture(scope="module")
        def vcr_config(vcr_config):
            return vcr_config | {"record_mode": "new_episodes"}

        @pytest.mark.vcr
        def test_answer():
            ask("Hello")
        """)
    project.test(
        """
        @pytest.fixture
        def vcr_config():
            return {}

        @pytest.mark.vcr
        def test_answer():
            ask("Hello")
        """,
        "test_plain.py",
    )
    recorded_and_replayed(project, tests=2)
    assert [name for name in project.tree if "plain" in name] == ["test_plain/test_answer.yaml"]
    assert project.folders == ["test_agent/test_answer", "test_plain"]


def test_mark_alone_may_configure_a_test(project: Project) -> None:
    """Without a fixture the mark can name the serializer and the matchers."""
    project.write("conftest.py", "")
    project.test("""
        import vcr_llm

        @pytest.mark.vcr(serializer="llm")
        def test_answer():
            ask("count")

        @pytest.mark.vcr(**vcr_llm.config(normalize=False))
        def test_configured():
            ask("count")
        """)
    recorded_and_replayed(project, tests=2)
    (named,), (configured,) = (
        project.documents(f"test_agent/{test}") for test in ("test_answer", "test_configured")
    )
    assert named["response"]["body"]["__data__"]["id"].startswith("rec-")
    assert configured["response"]["body"]["__data__"]["id"].startswith("chatcmpl-")


def test_serializer_named_without_matchers_compares_bodies(project: Project) -> None:
    """`serializer="llm"` alone does not play an answer to another prompt."""
    project.write("conftest.py", "")
    source = '@pytest.mark.vcr(serializer="llm")\ndef test_answer():\n    ask({prompt!r})\n'
    project.test(source.format(prompt="Hello"))
    project.record().assert_outcomes(passed=1)
    project.test(source.format(prompt="Bye"))
    project.replay().assert_outcomes(failed=1)


def test_nearest_mark_wins(project: Project) -> None:
    """Options of the function's mark go before those of the class and the module."""
    project.test("""
        pytestmark = pytest.mark.vcr(keep_response_headers=["x-module"], normalize=False)

        @pytest.mark.vcr(keep_response_headers=["x-class"])
        class TestAgent:
            @pytest.mark.vcr(normalize=True)
            def test_answer(self):
                ask()
        """)
    recorded_and_replayed(project)
    (document,) = project.documents("test_agent/TestAgent.test_answer")
    assert document["response"]["body"]["__data__"]["id"].startswith("rec-")


def test_ignored_path_is_left_out_of_matching(project: Project) -> None:
    """A path named in `ignore` may change without a miss; the others may not."""
    source = """
        @pytest.mark.vcr(ignore=["temperature"])
        def test_answer():
            ask("Hello", {options})
        """
    project.test(source.format(options="temperature=0"))
    project.record().assert_outcomes(passed=1)
    for options, passes in (("temperature=1", True), ("", True), ("seed=1", False)):
        project.test(source.format(options=options))
        project.replay().assert_outcomes(passed=passes, failed=not passes)


def test_kept_headers_are_written(project: Project) -> None:
    """Request headers are stored when they are named, response headers too."""
    project.configure('keep_request_headers=["x-stainless-lang"], keep_response_headers=["cf-ray"]')
    project.test(ONE_TEST)
    recorded_and_replayed(project)
    (document,) = project.documents()
    assert {name.lower() for name in document["request"]["headers"]} == {"x-stainless-lang"}
    assert "cf-ray" in {name.lower() for name in document["response"]["headers"]}


def test_own_patterns_are_redacted(project: Project) -> None:
    """A string or pattern in `redact` is in no file, and the test still replays."""
    project.configure('redact=["Project Falcon"]')
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("Tell me about Project Falcon")
        """)
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=1)
    assert all(b"Falcon" not in content for content in project.tree.values())


@pytest.mark.parametrize("place", ["fixture", "mark"])
def test_unknown_key_outside_config_is_a_warning(project: Project, place: str) -> None:
    """Teams keep keys of their own there; the warning names the nearest option."""
    keys = {"fixture": 'vcr_llm.config() | {"normalise": False}', "mark": "vcr_llm.config()"}
    project.write(
        "conftest.py",
        f"""
        import pytest
        import vcr_llm

        @pytest.fixture
        def vcr_config():
            return {keys[place]}
        """,
    )
    mark = "(normalise=False)" if place == "mark" else ""
    project.test(ONE_TEST.replace("mark.vcr", f"mark.vcr{mark}"))
    result = project.record("-Wdefault")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*VcrLlmWarning: 'normalise' is not an option*'normalize'*"])


def test_wrong_type_in_a_mark_is_an_error(project: Project) -> None:
    """An option of ours with a wrong value stops the test that has it, and only that one."""
    project.test("""
        @pytest.mark.vcr(normalize="no")
        def test_answer():
            ask()

        @pytest.mark.vcr
        def test_other():
            ask()
        """)
    result = project.record()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ConfigurationError: normalize should be True or False*"])


# Without our serializer


def test_other_serializers_are_exactly_vcrpys(project: Project) -> None:
    """Without our serializer a YAML file is written and the cassette is vcrpy's own class."""
    project.write("conftest.py", "")
    project.test("""
        import vcr as vcrpy

        @pytest.mark.vcr
        def test_answer(vcr):
            assert type(vcr) is vcrpy.cassette.Cassette
            ask("Hello")
        """)
    recorded_and_replayed(project)
    (name,) = project.tree
    assert name == "test_agent/test_answer.yaml"
    assert b"Bearer sk-proj" in project.tree[name]


def test_run_without_our_serializer_imports_nothing_of_ours(project: Project) -> None:
    """Beside the hooks themselves nothing of ours is loaded, nor by a test without marks vcrpy."""
    project.write("conftest.py", "")
    project.write(
        "test_agent.py",
        """
        import sys

        PLUGIN = {"vcr_llm", *("vcr_llm." + name for name in (
            "pytest_plugin", "_modes", "_errors", "_ledger", "_run_end", "_run_uses", "_whole_run",
            "_miss_reports", "_drift_report",
        ))}

        def test_answer():
            loaded = {name for name in sys.modules if name.partition(".")[0] == "vcr_llm"}
            assert loaded <= PLUGIN
            assert not {"vcr", "httpx", "openai"} & sys.modules.keys()
        """,
    )
    project.run_apart("-p", "no:anyio").assert_outcomes(passed=1)


def test_match_on_of_a_plain_test_may_name_our_matcher(project: Project) -> None:
    """A YAML cassette can compare bodies as ours does."""
    project.write("conftest.py", "")
    source = """
        @pytest.mark.vcr(match_on=["method", "path", "llm_body"])
        def test_answer():
            ask({prompt!r})
        """
    project.test(source.format(prompt="Hello"))
    project.record().assert_outcomes(passed=1)
    assert list(project.tree) == ["test_agent/test_answer.yaml"]
    project.replay().assert_outcomes(passed=1)
    project.test(source.format(prompt="Bye"))
    project.replay().assert_outcomes(failed=1)


# Hooks of the user's conftest


ORDERS = pytest.mark.parametrize("order", ["tryfirst", "trylast"])


def hook(order: str, body: str) -> str:
    """A conftest's `pytest_recording_configure`, before or after ours."""
    return f"""
@pytest.hookimpl({order}=True)
def pytest_recording_configure(config, vcr):
    {body}
"""


@ORDERS
def test_registered_matcher_is_used(project: Project, order: str) -> None:
    """A matcher of the conftest narrows a match, whichever hook runs first."""
    project.configure(
        "match_on=['method', 'path', 'same_model']",
        more="""
import json

def same_model(incoming, recorded):
    assert json.loads(incoming.body)["model"] == json.loads(recorded.body)["model"]
"""
        + hook(order, 'vcr.register_matcher("same_model", same_model)'),
    )
    project.test('@pytest.mark.vcr\ndef test_answer():\n    ask("Hello")\n')
    recorded_and_replayed(project)
    project.test('@pytest.mark.vcr\ndef test_answer():\n    ask("Bye")\n')
    project.replay().assert_outcomes(passed=1)


@ORDERS
@pytest.mark.parametrize("name", ["method", "path", "host", "query"])
def test_registered_matcher_may_replace_vcrpys(project: Project, order: str, name: str) -> None:
    """A matcher under the name of one of vcrpy's takes its place."""
    project.configure(
        more="""
def refuse(incoming, recorded):
    return False
"""
        + hook(order, f'vcr.register_matcher("{name}", refuse)')
    )
    project.test(ONE_TEST)
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(failed=1)


@ORDERS
def test_request_hook_on_the_vcr_object_is_used(project: Project, order: str) -> None:
    """`vcr.before_record_request` set in the hook works, unless a mark says otherwise."""
    project.configure(
        more="""
def without_answer(request):
    return None if b"private" in request.body else request
"""
        + hook(order, "vcr.before_record_request = without_answer")
    )
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("private"), ask("Hello")
        """)
    project.record().assert_outcomes(passed=1)
    assert project.recorded_answers() == ["You said: Hello"]


@ORDERS
def test_matchers_set_on_the_vcr_object_are_used(project: Project, order: str) -> None:
    """`vcr.match_on` set in the hook is the default of tests that name none."""
    project.write(
        "conftest.py",
        """
import pytest

@pytest.fixture
def vcr_config():
    return {"serializer": "llm"}
"""
        + hook(order, 'vcr.match_on = ["method", "path"]'),
    )
    project.test('@pytest.mark.vcr\ndef test_answer():\n    ask("Hello")\n')
    project.record().assert_outcomes(passed=1)
    project.test('@pytest.mark.vcr\ndef test_answer():\n    ask("Bye")\n')
    project.replay().assert_outcomes(passed=1)


@ORDERS
def test_persister_beside_our_serializer_is_explained(project: Project, order: str) -> None:
    """The two contradict each other, which is said instead of losing one of them."""
    project.configure(
        more="""
class Shortening:
    @classmethod
    def load_cassette(cls, path, serializer):
        raise FileNotFoundError

    @staticmethod
    def save_cassette(path, cassette_dict, serializer):
        raise AssertionError("never asked")
"""
        + hook(order, "vcr.register_persister(Shortening)")
    )
    project.test(ONE_TEST)
    result = project.record()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ['*ConfigurationError: serializer="llm"*persister Shortening*before_save_interaction*']
    )


@ORDERS
def test_serializer_under_vcrpys_name_leaves_ours_alone(project: Project, order: str) -> None:
    """pydantic-ai's pattern: a serializer registered as `yaml`, for tests without ours."""
    project.configure(
        more="""
class Own:
    @staticmethod
    def serialize(cassette):
        return "own"

    @staticmethod
    def deserialize(text):
        return {"interactions": []}
"""
        + hook(order, 'vcr.register_serializer("yaml", Own)')
    )
    project.test(
        ONE_TEST
        + """
@pytest.mark.vcr(serializer="yaml")
def test_plain():
    ask("count")
"""
    )
    project.record().assert_outcomes(passed=2)
    assert project.tree["test_agent/test_plain.yaml"] == b"own"
    assert project.recorded_answers() == ["You said: Hello"]


# Patterns of public projects


def test_conftest_of_a_large_project_works(project: Project) -> None:
    """Header filters, hooks that rewrite in place and fixtures that look at the cassette."""
    project.configure(
        "filter_headers=HEADERS, ignore_localhost=False, decode_compressed_response=True,"
        "before_record_request=scrub_request, before_record_response=scrub_response",
        more="""
        import json
        from pathlib import Path

        HEADERS = ["authorization", "x-api-key", "cookie", "user-agent", "openai-organization",
                   *(f"x-stainless-{name}" for name in ("lang", "os", "arch", "runtime"))]

        def scrub_request(request):
            for name in ("x-request-id", "traceparent"):
                request.headers.pop(name, None)
            return request

        def scrub_response(response):
            for name in [n for n in response["headers"] if n.lower() in ("set-cookie", "cf-ray")]:
                del response["headers"][name]
            return response

        @pytest.fixture(scope="module")
        def vcr_cassette_dir(request):
            return f"cassettes/_vcr/{request.module.__name__}"

        @pytest.fixture(autouse=True)
        def everything_is_played(vcr):
            yield
            if vcr is not None and vcr.record_mode.value == "none":
                assert vcr.all_played, f"{vcr.play_count} of {len(vcr)} played"
                assert not Path(vcr._path).is_file()
                assert all(json.loads(request.body) for request in vcr.requests)
        """,
    )
    project.test("""
        pytestmark = [pytest.mark.vcr]

        def test_answer():
            ask("Hello"), ask("Bye")

        def test_that_sends_nothing():
            pass

        @pytest.mark.vcr(record_mode="none")
        def test_that_must_not_send():
            pass
        """)
    recorded_and_replayed(project, tests=3)
    assert project.folders == ["_vcr/test_agent/test_answer"]
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("Hello")
        """)
    result = project.replay()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*AssertionError: 1 of 2 played*"])


def test_requests_at_import_are_outside_any_cassette(project: Project) -> None:
    """What a module asks while it is imported goes to the server and into no file."""
    project.test("""
        ask("while importing")

        @pytest.mark.vcr
        def test_answer():
            ask("Hello")
        """)
    project.record().assert_outcomes(passed=1)
    assert project.recorded_answers() == ["You said: Hello"]
    project.run().assert_outcomes(passed=1)


def test_test_without_pytest_recording_runs(project: Project) -> None:
    """With pytest-recording switched off, our plugin does not stop the run."""
    project.write("conftest.py", "")
    project.write("test_agent.py", "def test_answer():\n    pass\n")
    project.run_apart("-p", "no:recording").assert_outcomes(passed=1)


# The cassette


def test_cassette_tells_the_truth(project: Project) -> None:
    """The attributes that teams use agree with what was recorded and played."""
    project.test("""
        import json
        from pathlib import Path

        from vcr.errors import UnhandledHTTPRequestError
        from vcr.request import Request

        @pytest.mark.vcr
        def test_answer(vcr):
            is_new = not vcr.rewound
            assert vcr.play_count == 0
            assert vcr.all_played is (len(vcr) == 0)
            ask("Hello"), ask("Hello"), ask("Bye")
            assert len(vcr) == len(vcr.requests) == len(vcr.responses) == 3
            assert vcr.play_count == (0 if is_new else 3)
            assert dict(vcr.play_counts) == ({} if is_new else {0: 1, 1: 1, 2: 1})
            assert vcr.all_played is not is_new
            assert vcr.dirty is is_new
            assert vcr.write_protected is not is_new
            assert vcr.record_mode.value == ("new_episodes" if is_new else "none")
            assert Path(vcr.path).is_dir() and vcr._path == vcr.path
            bodies = [json.loads(request.body) for request in vcr.requests]
            assert [body["messages"][0]["content"] for body in bodies] == ["Hello", "Hello", "Bye"]
            assert vcr.responses[0]["status"] == {"code": 200, "message": "OK"}
            assert b"You said: Bye" in vcr.responses[2]["body"]["string"]
            assert vcr.data[0] == (vcr.requests[0], vcr.responses[0])

            hello, other = vcr.requests[0], Request("POST", vcr.requests[0].uri, b"{}", {})
            assert len(vcr.responses_of(hello)) == 2
            assert hello not in vcr and other not in vcr
            with pytest.raises(UnhandledHTTPRequestError):
                vcr.responses_of(other)
            nearest = vcr.find_requests_with_most_matches(other)
            assert [failed[0][0] for _request, _succeeded, failed in nearest] == ["llm_body"] * 3

            vcr.rewind()
            assert vcr.play_count == 0
            if not is_new:
                assert hello in vcr
                assert ask("Hello") == "You said: Hello"
        """)
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=1)


def test_partly_played_cassette_says_so(project: Project) -> None:
    """`all_played` is for tests that must play the whole cassette."""
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            ask("Hello"), ask("Bye")
        """)
    project.record()
    project.test("""
        @pytest.mark.vcr
        def test_answer(vcr):
            assert not vcr.all_played
            ask("Bye")
            assert not vcr.all_played
            assert (vcr.play_count, len(vcr)) == (1, 2)
            ask("Hello")
            assert vcr.all_played
        """)
    project.replay().assert_outcomes(passed=1)
