"""What vcr-llm relies on in vcrpy and pytest-recording, or works around.

Each test asserts on the host alone: where one fails, the host has changed, and the place in
vcr_llm that it names has to be looked at.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr
import vcr.cassette
import vcr.errors
import vcr.matchers
import vcr.patch
from pytest_recording import _vcr as recording
from pytest_recording import hooks
from pytest_recording import plugin as recording_plugin
from vcr.cassette import Cassette, CassetteContextDecorator
from vcr.persisters.filesystem import CassetteDecodeError, CassetteNotFoundError
from vcr.record_mode import RecordMode
from vcr.request import HeadersDict, Request

from tests.servers.fault_server import FaultServer, Reply
from vcr_llm import _recorder

URL = "http://127.0.0.1/path"


def request(body: bytes = b"") -> Request:
    """A request as vcrpy has it."""
    return Request("POST", URL, body, {})


def response(text: str = "answer") -> dict[str, Any]:
    """A response as vcrpy has it."""
    return {
        "status": {"code": 200, "message": "OK"},
        "headers": {},
        "body": {"string": text.encode()},
    }


class Memory:
    """A persister that keeps what it was given."""

    def __init__(self) -> None:
        self.saved: list[dict[str, Any]] = []
        self.paths: list[str] = []

    def load_cassette(self, cassette_path: str, serializer: object) -> Any:
        """Nothing was saved before."""
        self.paths.append(cassette_path)
        raise CassetteNotFoundError

    def save_cassette(self, cassette_path: str, cassette_dict: Any, serializer: object) -> None:
        """Keep it."""
        self.saved.append(cassette_dict)


# vcrpy, vcr_llm/_cassette.py


def test_cassette_is_named_in_the_source_of_its_configuration() -> None:
    """`VCR._use_cassette` takes no class of cassette: it says `Cassette` itself."""
    source = inspect.getsource(vcr.VCR._use_cassette)
    assert "Cassette.use(**config)" in source
    assert "Cassette.use_arg_getter(args_getter)" in source


def test_context_makes_its_cassette_of_the_class_it_is_given() -> None:
    """`CassetteContextDecorator(cls, getter)` calls `cls.load` with what the getter gives."""
    given: dict[str, Any] = {}

    class Ours(Cassette):
        """A cassette that remembers its arguments."""

        @classmethod
        def load(cls, **kwargs: Any) -> Any:
            """Remember."""
            given.update(kwargs)
            return Cassette(kwargs["path"])

    arguments = {"path": "x", "extra": 1, "record_on_exception": True, "path_transformer": None}
    with CassetteContextDecorator(Ours, lambda: dict(arguments)):
        pass
    assert given == {"path": "x", "extra": 1}


def test_decorated_function_gets_a_context_of_the_same_type() -> None:
    """A subclass of the context decorates as itself: `type(self)(self.cls, getter)`."""

    class Ours(CassetteContextDecorator):
        """A context that is told from its parent by its type."""

        def _execute_function(self, *arguments: Any) -> Any:
            return type(self)

    kind: Any = Ours
    context = kind(Cassette, lambda: {"path": "x", "persister": Memory()})
    assert context(lambda: None)() is Ours


def test_context_saves_before_it_restores_and_not_at_all_after_an_error_in_saving() -> None:
    """`__exit__` calls `_save` first: what it raises leaves the HTTP libraries patched."""
    original = httpx.HTTPTransport.handle_request

    class Failing(Memory):
        """A persister on a full disk."""

        def save_cassette(self, *arguments: object, **options: object) -> None:
            """Refuse."""
            raise OSError("no space left")

    context = CassetteContextDecorator.from_args(Cassette, path="x", persister=Failing())
    with pytest.raises(OSError, match="no space left"), context as cassette:
        cassette.append(request(), response())
    try:
        assert httpx.HTTPTransport.handle_request is not original
    finally:
        next(context._CassetteContextDecorator__finish, None)
    assert httpx.HTTPTransport.handle_request is original


def test_error_of_loading_leaves_the_libraries_alone() -> None:
    """`__enter__` loads before it patches."""
    original = httpx.HTTPTransport.handle_request

    class Broken(Memory):
        """A persister with a broken file."""

        def load_cassette(self, *arguments: object, **options: object) -> Any:
            """Refuse."""
            raise ValueError("broken")

    context = CassetteContextDecorator.from_args(Cassette, path="x", persister=Broken())
    with pytest.raises(ValueError, match="broken"):
        context.__enter__()
    assert httpx.HTTPTransport.handle_request is original


def test_error_derived_from_decode_error_would_lose_the_file(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """vcrpy swallows CassetteDecodeError and goes on with an empty cassette."""

    class Broken(Memory):
        """A persister whose file cannot be decoded."""

        def load_cassette(self, *arguments: object, **options: object) -> Any:
            """Refuse in vcrpy's own way."""
            raise CassetteDecodeError

    cassette = Cassette.load(path="x", persister=Broken())
    assert len(cassette) == 0
    assert not cassette.write_protected
    assert "recording may overwrite it" in caplog.text


def test_hooks_of_an_interaction_are_run_by_one_function() -> None:
    """`_run_hooks(hooks, request, response, cassette)` gives the pair, or None for a drop."""
    pair = request(), response()
    assert vcr.cassette._run_hooks([], *pair, None) == pair
    assert vcr.cassette._run_hooks([lambda _a, _b: None], *pair, None) is None
    with_cassette = vcr.cassette._run_hooks([lambda a, _b, c: (a, c)], *pair, "cassette")
    assert with_cassette == (pair[0], "cassette")


def test_sensitive_data_becomes_two_hooks() -> None:
    """`filter_sensitive_data` ends in the lists of hooks that `_run_hooks` takes."""
    cassette = Cassette("x", filter_sensitive_data={"<KEY>": "secret"})
    assert len(cassette._before_save_interaction) == len(cassette._after_load_interaction) == 1


def test_recorded_interaction_is_not_played_in_the_same_run() -> None:
    """In a new cassette `rewound` is False, so nothing is played until it is loaded again."""
    cassette = Cassette.load(path="x", persister=Memory(), record_mode=RecordMode.NEW_EPISODES)
    cassette.append(request(), response())
    assert not cassette.can_play_response_for(request())
    cassette.rewound = True
    assert cassette.can_play_response_for(request())


def test_unplayed_recordings_are_dropped_in_none_too() -> None:
    """drop_unused_requests writes in `none`: vcr-llm must not leave that to vcrpy."""

    class Stored(Memory):
        """A persister with one interaction."""

        def load_cassette(self, *arguments: object, **options: object) -> Any:
            """The interaction."""
            return [request()], [response()]

    persister = Stored()
    arguments = {"path": "x", "persister": persister, "record_mode": RecordMode.NONE}
    with Cassette.use(**arguments, drop_unused_requests=True):
        pass
    assert persister.saved == [{"requests": [], "responses": []}]


def test_metadata_may_come_without_interactions() -> None:
    """`get_metadata` alone makes a cassette dirty; the persister gets it as a third entry."""
    persister = Memory()
    with Cassette.use(path="x", persister=persister) as cassette:
        assert cassette.get_metadata("seed", 1) == 1
    assert persister.saved == [{"requests": [], "responses": [], "metadata": {"seed": 1}}]


def test_stub_asks_and_plays_with_the_same_request_object() -> None:
    """A recording can be set aside for a request object between the two calls."""
    seen: list[tuple[str, int]] = []

    class Asked(Cassette):
        """A cassette that remembers what it was asked."""

        def can_play_response_for(self, request: Any) -> bool:
            """Yes, always."""
            seen.append(("asked", id(request)))
            return True

        def play_response(self, request: Any) -> Any:
            """The same answer, always."""
            seen.append(("played", id(request)))
            return response()

    arguments = {"path": "x", "persister": Memory()}
    with CassetteContextDecorator(Asked, lambda: dict(arguments)):
        assert httpx.get(URL).text == "answer"
    (first, asked), (second, played) = seen
    assert (first, second) == ("asked", "played")
    assert asked == played


def test_stub_raises_the_miss_when_the_cassette_is_write_protected() -> None:
    """The stub asks `can_play_response_for`, `write_protected` and `filter_request`."""

    class Protected(Cassette):
        """A cassette that never records."""

        write_protected = True

    arguments = {"path": "x", "persister": Memory()}
    with (
        CassetteContextDecorator(Protected, lambda: dict(arguments)),
        pytest.raises(vcr.errors.CannotOverwriteExistingCassetteException),
    ):
        httpx.get(URL)


def test_stub_joins_the_stream_before_it_records() -> None:
    """Each body that `append` gets is whole, and it comes before the caller has the response."""
    recorded: list[bytes] = []

    class Recorded(Cassette):
        """A cassette that remembers bodies."""

        def append(self, request: Any, response: Any) -> None:
            """Remember."""
            recorded.append(response["body"]["string"])

    arguments = {"path": "x", "persister": Memory()}
    with (
        FaultServer(Reply((b"one", b"two"))) as server,
        CassetteContextDecorator(Recorded, lambda: dict(arguments)),
        httpx.stream("GET", server.url),
    ):
        assert recorded == [b"onetwo"]


def test_request_hook_runs_on_a_copy() -> None:
    """What `before_record_request` changes in place does not change what is sent."""
    seen = []

    def change(changed: Request) -> Request:
        seen.append(changed)
        changed.headers["x"] = "changed"
        return changed

    config = vcr.VCR(before_record_request=change).get_merged_config(path="x")
    original = request()
    assert config["before_record_request"](original).headers == {"x": "changed"}
    assert original.headers == {}
    assert seen[0] is not original


# vcrpy, vcr_llm/_recorder.py


def test_text_of_a_miss_is_made_by_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """`vcr.errors._message(cassette, request, similar, reason)` is looked up when it is called."""
    given: list[Any] = []

    def message(*arguments: Any) -> str:
        given.extend(arguments)
        return "ours"

    monkeypatch.setattr(vcr.errors, "_message", message)
    cassette, missed = Cassette("x"), request()
    error = vcr.errors.CannotOverwriteExistingCassetteException(
        cassette=cassette, failed_request=missed
    )
    assert str(error) == "ours"
    assert given == [cassette, missed, [], "cassette_not_found"]


def test_merged_configuration_ignores_what_vcrpy_does_not_know() -> None:
    """An unknown key vanishes silently, so we have to look for wrong names ourselves."""
    config = vcr.VCR().get_merged_config(path="x", normalise=False)
    assert "normalise" not in config


def test_rewrite_is_no_record_mode_of_vcrpy() -> None:
    """vcrpy refuses the word, so it is taken out before vcrpy sees it."""
    with pytest.raises(ValueError, match="rewrite"):
        vcr.VCR(record_mode="rewrite")


def test_default_matchers_are_those_that_ours_are_added_to() -> None:
    """The configuration of the package repeats vcrpy's default."""
    default = inspect.signature(vcr.VCR.__init__).parameters["match_on"].default
    assert default == ("method", "scheme", "host", "port", "path", "query")


def test_patchers_can_be_skipped_by_name() -> None:
    """`PATCHER_NAMES` holds every library that vcrpy patches."""
    assert {"httpx", "urllib3"} <= set(vcr.patch.PATCHER_NAMES)


def test_matchers_of_the_index_are_functions_of_one_module() -> None:
    """The default matchers are the functions that the index stands for."""
    matchers = vcr.VCR().matchers
    for name in ("method", "scheme", "host", "port", "path", "query", "uri"):
        assert matchers[name] is getattr(vcr.matchers, name)


def test_log_lines_hold_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    """vcrpy logs whole URLs: keys in a query would be in a failing test's report."""
    caplog.set_level("DEBUG", logger="vcr")
    Cassette("x").append(Request("GET", f"{URL}?key=planted", None, {}), response())
    assert "key=planted" in caplog.text


# pytest-recording, vcr_llm/pytest_plugin.py and _test_run.py


def test_cassette_path_ends_in_the_serializers_name() -> None:
    """The suffix is `.llm`, whatever the persister makes of the path."""
    assert recording.get_path_transformer({"serializer": "llm"})("name") == "name.llm"
    assert recording.get_path_transformer({})("name") == "name.yaml"


def test_extra_paths_are_on_the_persister_when_the_hook_is_called(tmp_path: Path) -> None:
    """CombinedPersister is registered first: its `extra_paths` can be read in the hook."""
    seen: list[Any] = []

    class Config:
        """A pytest config with one hook."""

        class hook:  # noqa: N801 - pytest's name
            """Its hooks."""

            @staticmethod
            def pytest_recording_configure(config: object, vcr: Any) -> None:
                """Look at the persister."""
                seen.append((type(vcr.persister), vcr.persister.extra_paths))

    mark = pytest.mark.vcr("extra.yaml", "/absolute.yaml").mark
    config: Any = Config()
    recording.use_cassette("name", str(tmp_path), "none", [mark], {}, config)
    expected = [str(tmp_path / "extra.yaml"), "/absolute.yaml"]
    assert seen == [(recording.CombinedPersister, expected)]


def test_rewrite_removes_a_file_and_becomes_new_episodes(tmp_path: Path) -> None:
    """On a directory `os.remove` fails silently: the old recordings would be replayed."""
    modes: list[RecordMode] = []

    class Config:
        """A pytest config with one hook."""

        class hook:  # noqa: N801 - pytest's name
            """Its hooks."""

            @staticmethod
            def pytest_recording_configure(config: object, vcr: Any) -> None:
                """Look at the mode."""
                modes.append(vcr.record_mode)

    file, directory = tmp_path / "file.llm", tmp_path / "directory.llm"
    file.touch()
    (directory / "kept").mkdir(parents=True)
    config: Any = Config()
    for name in ("file", "directory"):
        mark = pytest.mark.vcr(serializer="llm").mark
        recording.use_cassette(name, str(tmp_path), "rewrite", [mark], {}, config)
    assert modes == [RecordMode.NEW_EPISODES] * 2
    assert not file.exists()
    assert (directory / "kept").exists()


def test_combined_persister_cannot_take_metadata(tmp_path: Path) -> None:
    """Three values of `deserialize` are one too many for it."""
    path = tmp_path / "x.yaml"
    path.write_text("version: 1\ninteractions: []\nmetadata: {a: 1}\n")
    persister = recording.CombinedPersister([])
    with pytest.raises(ValueError, match="unpack"):
        persister.load_cassette(str(path), vcr.VCR().serializers["yaml"])


def test_hook_is_told_neither_test_nor_options() -> None:
    """The hook gets pytest's config and the VCR object, so the test is noted elsewhere."""
    parameters = inspect.signature(hooks.pytest_recording_configure).parameters
    assert list(parameters) == ["config", "vcr"]


@pytest.mark.parametrize(
    "name",
    [
        "vcr",
        "vcr_config",
        "vcr_markers",
        "vcr_cassette_dir",
        "record_mode",
        "default_cassette_name",
        "block_network",
        "disable_recording",
    ],
)
def test_fixture_exists_under_its_documented_name(
    request: pytest.FixtureRequest, name: str
) -> None:
    """The fixtures that the plugin reads or watches are there."""
    assert request._fixturemanager.getfixturedefs(name, request.node)


def test_marks_are_given_with_the_nearest_first(pytester: pytest.Pytester) -> None:
    """`vcr_markers` goes from the function outwards; merged in reverse, the nearest wins."""
    pytester.makepyfile("""
        import pytest

        pytestmark = pytest.mark.vcr(a="module")

        @pytest.mark.vcr(a="function")
        def test_marks(vcr_markers, record_mode):
            assert [mark.kwargs["a"] for mark in vcr_markers] == ["function", "module"]
            assert record_mode == "none"
        """)
    result = pytester.runpytest_inprocess("-p", "no:asyncio", "-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)


def test_forbidden_characters_become_the_same_one() -> None:
    """Two names may get one directory: `<>?%*:|"'/` and the backslash all become a dash."""
    names = {
        recording_plugin.get_default_cassette_name(None, f"test[a{character}b]")
        for character in "<>?%*:|\"'/\\"
    }
    assert names == {"test[a-b]"}


def test_long_name_is_cut_by_characters() -> None:
    """pytest-recording counts characters where file systems count bytes."""
    source = inspect.getsource(recording.use_cassette)
    assert "len(default_cassette) + len(suffix) > MAX_FILENAME_LEN" in source


def test_plugin_called_vcr_would_stop_the_run(pytester: pytest.Pytester) -> None:
    """Our entry point must not be called `vcr`."""
    result = pytester.runpytest_subprocess("-p", "vcr")
    assert result.ret != pytest.ExitCode.OK
    result.stderr.fnmatch_lines(["*`pytest-recording` is incompatible with `pytest-vcr`*"])


# pytest


def test_pytest_tells_which_test_is_running(request: pytest.FixtureRequest) -> None:
    """`PYTEST_CURRENT_TEST` is the node id and the phase in brackets."""
    assert os.environ["PYTEST_CURRENT_TEST"] == f"{request.node.nodeid} (call)"


def test_vcrpys_headers_are_one_dictionary_by_lower_case_names() -> None:
    """`_vcrpy.request_with_headers` fills it."""
    headers = HeadersDict({"X-One": "1", "two": "2"})
    assert vars(headers) == {"_store": {"x-one": ("X-One", "1"), "two": ("two", "2")}}


def test_options_that_change_what_is_asked_or_recorded_are_known() -> None:
    """Where none of them is given, what vcrpy makes of them is not run."""
    changing = re.compile("filter_|ignore_|before_record|after_load|decode_")
    options = set(filter(changing.match, inspect.signature(vcr.VCR.__init__).parameters))
    options.discard("filter_nested_post_data_parameters")  # says how another one is meant
    assert set(_recorder._HOOKS) == options
