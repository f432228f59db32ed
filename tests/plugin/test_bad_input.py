"""What is wrong in files, options and names is said clearly, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import vcr_llm
from tests.servers.fault_server import FaultServer, Reply
from tests.servers.loopback import LoopbackServer, ReceivedRequest
from tests.servers.openai_server import OpenAIServer

from .project import Project

TWO_TESTS = """
@pytest.mark.vcr
def test_answer():
    assert ask("Hello") == "You said: Hello"

@pytest.mark.vcr
def test_other():
    assert ask("Hello") == "You said: Hello"
"""

DEEP = 1_000_000


@pytest.fixture
def recording(project: Project) -> Path:
    """The file of the recording of `test_answer`; `test_other` has one too."""
    project.test(TWO_TESTS)
    project.record().assert_outcomes(passed=2)
    (path,) = (project.path / "cassettes/test_agent/test_answer").iterdir()
    return path


def text_of(result: pytest.RunResult) -> str:
    """All that pytest printed, in one line without the marks that it puts before lines."""
    return " ".join(line.removeprefix("E").strip() for line in result.outlines)


# Malformed recordings


def whole() -> dict[str, object]:
    """A small recording."""
    return {
        "test_id": None,
        "request": {
            "method": "POST",
            "url": "http://127.0.0.1/v1/chat/completions",
            "headers": {},
            "body": {},
            "endpoint": "/v1/chat/completions",
            "model": None,
        },
        "response": {"body": {}, "is_streaming": False},
    }


def without(part: str, key: str) -> bytes:
    """A recording that lacks a key."""
    document = whole()
    target: object = document[part] if part else document
    assert isinstance(target, dict)
    del target[key]
    return json.dumps(document).encode()


def with_(part: str, key: str, value: object) -> bytes:
    """A recording in which a key has this value."""
    document = whole()
    target: object = document[part] if part else document
    assert isinstance(target, dict)
    target[key] = value
    return json.dumps(document).encode()


MALFORMED: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"{'test_id': null}", "line 1, column 2"),
    "text": (b"hello\n", "line 1, column 1"),
    "truncated": (json.dumps(whole()).encode()[:-20], "not valid JSON"),
    "truncated in a string": (b'{"test_id": "te', "line 1, column 13"),
    "not UTF-8": (b'{"test_id": "\xff"}', "byte 13"),
    "UTF-16": (json.dumps(whole()).encode("utf-16"), "not UTF-8"),
    "a list": (b"[]", "a list"),
    "a number": (b"1", "a JSON object"),
    "null": (b"null", "a JSON object"),
    "empty": (b"", "empty"),
    "white space": (b"  \n", "empty"),
    "an empty object": (b"{}", "is missing"),
    "a merge conflict": (b"<<<<<<< HEAD\n{}\n", "line 1, column 1"),
    "no request": (without("", "request"), "request is missing"),
    "no response": (without("", "response"), "response is missing"),
    "no method": (without("request", "method"), "request.method is missing"),
    "no URL": (without("request", "url"), "request.url is missing"),
    "no body of the response": (without("response", "body"), "response.body is missing"),
    "a request that is a list": (with_("", "request", []), "request should be"),
    "a response that is text": (with_("", "response", "x"), "response should be"),
    "a method that is a number": (with_("request", "method", 1), "request.method should be"),
    "a URL that is null": (with_("request", "url", None), "request.url "),
    "headers that are a list": (with_("request", "headers", [1]), "request.headers should be"),
    "a stream that is no list": (
        with_("response", "is_streaming", True),
        "response.body should be",
    ),
    "is_streaming that is a word": (with_("response", "is_streaming", "no"), "is_streaming should"),
    "a status that is text": (with_("response", "status", "200"), "response.status should be"),
    "framing that is a list": (with_("response", "framing", []), "response.framing should be"),
    "a broken base64": (
        with_("response", "body", {"__type__": "bytes", "__data__": "*"}),
        "response.body",
    ),
    "nested a million deep": (b"[" * DEEP + b"]" * DEEP, "deep"),
    "a body nested a million deep": (
        with_("response", "body", "deep").replace(b'"deep"', b"[" * DEEP + b"]" * DEEP),
        "deep",
    ),
}


@pytest.mark.parametrize(("content", "expected"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_recording_is_an_error_that_says_all(
    project: Project, recording: Path, content: bytes, expected: str
) -> None:
    """The error names file, place, expectation and cure; the file stays, other tests pass."""
    recording.write_bytes(content)
    sent = len(project.server.requests)
    result = project.record()
    result.assert_outcomes(passed=1, failed=1)
    said = text_of(result)
    assert "MalformedRecording" in said
    assert f"cassettes/test_agent/test_answer/{recording.name}" in said
    assert expected in said
    assert "Repair it, or delete it and record it again with --record-mode=new_episodes." in said
    assert recording.read_bytes() == content
    assert len(project.server.requests) == sent


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [("rewrite", "errors"), ("all", "errors"), ("once", "failed"), ("none", "failed")],
)
def test_malformed_recording_is_never_overwritten(
    project: Project, recording: Path, mode: str, outcome: str
) -> None:
    """No record mode writes over a file that cannot be read, nor pays for what it cannot save."""
    recording.write_bytes(b"{ broken")
    project.run(f"--record-mode={mode}").assert_outcomes(passed=1, **{outcome: 1})
    assert recording.read_bytes() == b"{ broken"
    assert list(recording.parent.iterdir()) == [recording]


BROKEN_OLD = {
    "test_answer.yaml": b"interactions: [",
    "test_answer.yml": b"- just\n- a list\n",
    "test_answer.json": b"{ broken",
    "test_answer.yaml.gz": b"not compressed",
}


@pytest.mark.parametrize(("name", "content"), BROKEN_OLD.items(), ids=BROKEN_OLD)
def test_malformed_old_cassette_is_an_error_that_names_it(
    project: Project, name: str, content: bytes
) -> None:
    """An old cassette that vcrpy cannot read is neither ignored nor touched."""
    old = project.path / "cassettes/test_agent" / name
    old.parent.mkdir(parents=True)
    old.write_bytes(content)
    project.test(TWO_TESTS)
    result = project.record()
    result.assert_outcomes(passed=1, errors=1)
    assert f"cassettes/test_agent/{name}" in text_of(result)
    assert old.read_bytes() == content


def test_malformed_metadata_is_an_error_that_names_it(project: Project, recording: Path) -> None:
    """The file beside the recordings is read as strictly."""
    metadata = recording.with_name("metadata.json")
    metadata.write_bytes(b"[1]")
    result = project.record()
    result.assert_outcomes(passed=1, errors=1)
    assert "test_answer/metadata.json: " in text_of(result)
    assert metadata.read_bytes() == b"[1]"


# Labels


LABELS = ["os.system", "builtins.eval", "no.such.module.Class", "planted.Planted", "", "🦀", "a b"]


@pytest.mark.parametrize("label", LABELS)
def test_label_is_never_imported(project: Project, recording: Path, label: str) -> None:
    """`__type__` may say what it likes: it is data, and the recording replays."""
    project.write("planted.py", 'raise SystemExit("imported")')
    document = json.loads(recording.read_text(encoding="utf-8"))
    document["response"]["body"]["__type__"] = label
    recording.write_text(json.dumps(document), encoding="utf-8")
    project.replay().assert_outcomes(passed=2)
    assert "planted" not in sys.modules


# Names and edits


@pytest.mark.parametrize(
    "name", [f"{'0' * 64}.json", f"{'0' * 64}-7.json", "hello.json", "größe 東京.json"]
)
def test_renamed_recording_replays_by_its_content(
    project: Project, recording: Path, name: str
) -> None:
    """A file name only helps to find a file."""
    recording.rename(recording.with_name(name))
    project.replay().assert_outcomes(passed=2)
    project.record().assert_outcomes(passed=2)
    assert len(project.server.requests) == 2


def test_edited_answer_replays_as_edited(project: Project, recording: Path) -> None:
    """Whoever edits a recording by hand gets what they wrote, with a body of the right length."""
    text = recording.read_text(encoding="utf-8")
    recording.write_text(text.replace("You said: Hello", "Edited: größer"), encoding="utf-8")
    project.replay().assert_outcomes(passed=1, failed=1)
    assert project.answers == ["Edited: größer", "You said: Hello"]


def test_edited_request_is_matched_as_edited(project: Project, recording: Path) -> None:
    """The request in the file decides, not the address that it had."""
    text = recording.read_text(encoding="utf-8")
    recording.write_text(text.replace('"content": "Hello"', '"content": "Bye"'), encoding="utf-8")
    project.test("""
        @pytest.mark.vcr
        def test_answer():
            assert ask("Bye") == "You said: Hello"
        """)
    project.replay().assert_outcomes(passed=1)


def test_line_ends_of_windows_replay(project: Project, recording: Path) -> None:
    """A checkout that changed the line ends still replays."""
    recording.write_bytes(recording.read_bytes().replace(b"\n", b"\r\n"))
    project.replay().assert_outcomes(passed=2)


# Options


WRONG_OPTIONS: list[tuple[str, Any, list[str]]] = [
    ("normalise", False, ["'normalise'", "'normalize'"]),
    ("ignored", (), ["'ignored'", "'ignore'"]),
    ("record_modes", "none", ["'record_modes'", "'record_mode'"]),
    ("filter_header", (), ["'filter_header'", "'filter_headers'"]),
    ("zzz", 1, ["'zzz'", "keep_request_headers"]),
    ("normalize", "no", ["normalize", "True or False", "'no'"]),
    ("normalize", None, ["normalize", "True or False"]),
    ("ignore", 1, ["ignore", "messages[*].name"]),
    ("ignore", [1], ["ignore", "[1]"]),
    ("redact", 1, ["redact", "regular expressions"]),
    ("redact", ["a", 1], ["redact", "regular expressions"]),
    ("keep_response_headers", [None], ["keep_response_headers", "regular expressions"]),
    ("layout", "flatt", ["layout", "'directory' or 'flat'"]),
    ("layout", [], ["layout", "'directory' or 'flat'"]),
    ("on_unplayed", "never", ["on_unplayed", "'warn'"]),
    ("on_expiry", 1, ["on_expiry", "'rerecord'"]),
    ("max_age", "soon", ["max_age", "timedelta"]),
    ("replay_speed", 0, ["replay_speed", "number above 0"]),
    ("replay_speed", True, ["replay_speed", "number above 0"]),
    ("timing", 1, ["timing", "True or False"]),
]


@pytest.mark.parametrize(("name", "value", "expected"), WRONG_OPTIONS)
def test_wrong_option_is_refused_in_plain_vcrpy_too(
    tmp_path: Path, name: str, value: Any, expected: list[str]
) -> None:
    """Unknown ones are refused with the nearest one named, wrong types with the right one."""
    for refuse in (
        lambda: vcr_llm.config(**{name: value}),
        lambda: vcr_llm.VCR(**{name: value}),
        lambda: vcr_llm.use_cassette(tmp_path / "cassette", **{name: value}).__enter__(),
    ):
        with pytest.raises(ValueError, match=name) as caught:
            refuse()
        assert isinstance(caught.value, vcr_llm.ConfigurationError)
        assert [word for word in expected if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [("normalise=False", "did you mean 'normalize'?"), ("normalize='no'", "True or False")],
)
def test_wrong_option_in_conftest_errors_every_test(
    project: Project, options: str, expected: str
) -> None:
    """The error is pytest's report of each test, and no request is sent."""
    project.configure(options)
    project.test(TWO_TESTS)
    result = project.record()
    result.assert_outcomes(errors=2)
    assert "ConfigurationError" in text_of(result)
    assert expected in text_of(result)
    assert project.server.requests == []


# The disk


def test_file_in_place_of_the_directory_is_an_error(project: Project) -> None:
    """Where the directory should be is a file: the test errors and the file stays."""
    blocked = project.write("cassettes/test_agent/test_answer", "mine")
    project.test(TWO_TESTS)
    result = project.record()
    result.assert_outcomes(passed=1, errors=1)
    assert "cassettes/test_agent/test_answer: is a file" in text_of(result)
    assert blocked.read_text() == "mine"


def test_directory_that_vanishes_is_made_again(project: Project) -> None:
    """Somebody clears the cassettes while a test runs: what comes later is saved."""
    project.test("""
        import shutil

        @pytest.mark.vcr
        def test_answer():
            ask("one")
            shutil.rmtree("cassettes")
            ask("two")
        """)
    project.record().assert_outcomes(passed=1)
    assert project.recorded_answers()[-1] == "You said: two"


BLOCKED_LATER = """
import shutil
from pathlib import Path

import httpx

ORIGINAL = httpx.HTTPTransport.handle_request

@pytest.mark.vcr
def test_answer(vcr):
    ask("one")
    shutil.move("cassettes", "moved")
    Path("cassettes").write_text("mine")
    ask("two")

def test_next():
    assert httpx.HTTPTransport.handle_request is ORIGINAL
"""


@pytest.mark.parametrize("mode", ["new_episodes", "once", "all", "rewrite"])
def test_error_while_saving_fails_the_test_after_http_is_restored(
    project: Project, mode: str
) -> None:
    """The test errors with the reason, the next one finds httpx as it was, nothing is lost."""
    project.test(BLOCKED_LATER)
    result = project.run(f"--record-mode={mode}")
    result.assert_outcomes(passed=2, errors=1)
    said = text_of(result)
    assert "RecordingNotSaved" in said
    assert re.search(r"cassettes.*(is a file|Not a directory|File exists)", said)
    assert project.answers == ["You said: one", "You said: two"]
    assert (project.path / "cassettes").read_text() == "mine"
    finished = list((project.path / "moved").rglob("*.json"))
    assert len(finished) == 1


def test_full_disk_fails_the_test_and_keeps_what_was_finished(project: Project) -> None:
    """A recording that does not fit is not half there; those before it stay and replay."""
    pytest.importorskip("resource")
    project.test("""
        import resource, signal

        @pytest.mark.vcr
        def test_answer():
            ask("one")
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
            ask("x" * 10_000)
        """)
    result = project.run_apart("--record-mode=new_episodes", "-s", "-p", "no:terminalreporter")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert project.recorded_answers() == ["You said: one"]
    assert len(project.tree) == 1


def test_path_that_is_too_long_fails_the_test_after_http_is_restored(project: Project) -> None:
    """A path beyond what the system takes is an error with its reason, not a lost patch."""
    project.configure(
        more="""
        @pytest.fixture(scope="module")
        def vcr_cassette_dir():
            return "cassettes/" + "/".join(["x" * 200] * 30)
        """
    )
    project.test("""
        import httpx

        ORIGINAL = httpx.HTTPTransport.handle_request

        @pytest.mark.vcr
        def test_answer():
            ask("one")

        def test_next():
            assert httpx.HTTPTransport.handle_request is ORIGINAL
        """)
    result = project.record()
    assert result.parseoutcomes()["errors"] == 1
    assert "File name too long" in text_of(result)
    result.stdout.fnmatch_lines(["*test_agent.py::test_answer*"])
    project.run("-k", "test_next").assert_outcomes(passed=1, deselected=1)


ODD_NAMES = {
    "parent": ("../outside", "cassettes/outside"),
    "parents": ("../../outside", "outside"),
    "separators": ("a/b/c", "cassettes/test_agent/a/b/c"),
    "a dot in the middle": ("a/./b", "cassettes/test_agent/a/b"),
}


@pytest.mark.parametrize(("name", "expected"), ODD_NAMES.values(), ids=ODD_NAMES)
def test_cassette_name_of_a_mark_is_used_as_given(
    project: Project, name: str, expected: str
) -> None:
    """pytest-recording takes the mark's name as a path below its directory, and so do we."""
    project.test(f"""
        @pytest.mark.vcr
        @pytest.mark.default_cassette({name!r})
        def test_answer():
            ask()
        """)
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=1)
    assert len(list((project.path / expected).glob("*.json"))) == 1


def test_absolute_cassette_name_is_used_as_given(project: Project) -> None:
    """An absolute path in the mark is where the cassette lies."""
    target = project.path / "elsewhere" / "answer"
    project.test(f"""
        @pytest.mark.vcr
        @pytest.mark.default_cassette({str(target)!r})
        def test_answer():
            ask()
        """)
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=1)
    assert len(list(target.glob("*.json"))) == 1


@pytest.mark.parametrize("name", ["../../outside", "/etc/outside", "..", ".", "a\\b", "C:x"])
def test_parameter_never_leads_out_of_the_directory(project: Project, name: str) -> None:
    """Whatever a parameter holds, the test's cassette is one directory in `vcr_cassette_dir`."""
    project.test(f"""
        @pytest.mark.vcr
        @pytest.mark.parametrize("name", [{name!r}])
        def test_answer(name):
            ask()
        """)
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=1)
    (folder,) = project.folders
    assert folder.startswith("test_agent/test_answer[")
    assert folder.count("/") == 1


# Restored libraries


LEFT_BEHIND = {
    "exception in the test": """
        @pytest.mark.vcr
        def test_answer():
            ask()
            raise RuntimeError
        """,
    "miss": """
        @pytest.mark.vcr(record_mode="none")
        def test_answer():
            ask()
        """,
    "hook that raises while saving": """
        def refuse(request, response):
            raise RuntimeError("refused")

        @pytest.mark.vcr(before_save_interaction=refuse)
        def test_answer():
            ask()
        """,
    "hook that raises while recording": """
        def refuse(response):
            raise RuntimeError("refused")

        @pytest.mark.vcr(before_record_response=refuse)
        def test_answer():
            ask()
        """,
    "broken file": """
        @pytest.mark.vcr
        @pytest.mark.default_cassette("broken")
        def test_answer():
            ask()
        """,
    "unknown matcher": """
        @pytest.mark.vcr(match_on=["nothing"])
        def test_answer():
            ask()
        """,
    "wrong option": """
        @pytest.mark.vcr(normalize="no")
        def test_answer():
            ask()
        """,
    "exit": """
        @pytest.mark.vcr
        def test_answer():
            ask()
            raise SystemExit
        """,
}


@pytest.mark.parametrize("source", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
def test_http_libraries_are_restored(project: Project, source: str) -> None:
    """However a test ends, the one after it talks to the server without a cassette."""
    project.write("cassettes/test_agent/broken/broken.json", "{")
    original = httpx.HTTPTransport.handle_request
    project.test(source, "test_agent.py")
    project.test("def test_next():\n    ask('next')\n", "test_next.py")
    result = project.record()
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", outcomes.get("error", 0)) == 1
    assert project.answers[-1] == "You said: next"
    assert httpx.HTTPTransport.handle_request is original
    assert not any("next" in str(document) for document in project.documents())


def test_hook_error_while_saving_is_told(project: Project) -> None:
    """What a user's hook raises while saving errors the test with the hook's own words."""
    project.test(LEFT_BEHIND["hook that raises while saving"])
    result = project.record()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*RuntimeError: refused*"])


# Large, odd and simultaneous


JSON_TYPE = (("Content-Type", "application/json"),)
STREAM_TYPE = (("Content-Type", "text/event-stream"),)


def event(number: int, text: str = "x") -> bytes:
    """A chunk of a chat completion as the wire has it."""
    choice = {"index": 0, "delta": {"content": f"{text}{number}"}, "finish_reason": None}
    chunk = {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"

BODIES: dict[str, Reply] = {
    "NaN": Reply((b'{"a": [NaN, Infinity, -Infinity]}',), headers=JSON_TYPE),
    "duplicate keys": Reply((b'{"a": 1, "a": 2, "b": {"a": 1, "a": 1}}',), headers=JSON_TYPE),
    "lone surrogates": Reply((rb'{"a": "\ud800 \udc00\ud83e", "\udfff": 1}',), headers=JSON_TYPE),
    "huge integers": Reply((b'{"a": 1%b}' % (b"0" * 5000),), headers=JSON_TYPE),
    "numbers beyond a double": Reply((b'{"a": [1e400, -1e400, 1e-400]}',), headers=JSON_TYPE),
    "spellings of one": Reply((b'{"a": [1, 1.0, 1e0, 1E+0, 10e-1]}',), headers=JSON_TYPE),
    "spellings of zero": Reply((b'{"a": [0, -0, 0.0, -0.0, 0e0]}',), headers=JSON_TYPE),
    "long decimals": Reply((b'{"a": 0.1000000000000000055511151231257827}',), headers=JSON_TYPE),
    "the same in a stream": Reply(
        (b'data: {"a": [NaN, 1.0, 1e400], "a": "\\ud800"}\n\n', DONE), headers=STREAM_TYPE
    ),
    "JSON that is none": Reply((b'{"a": 1,}',), headers=JSON_TYPE),
    "JSON nested deeply": Reply((b"[" * 100_000 + b"]" * 100_000,), headers=JSON_TYPE),
    "not UTF-8": Reply((b'{"a": "\xff\xfe"}',), headers=JSON_TYPE),
    "10,000 events": Reply((*map(event, range(10_000)), DONE), headers=STREAM_TYPE),
    "one event of 1 MB": Reply((event(0, "x" * 1_000_000), DONE), headers=STREAM_TYPE),
}


def url_of(server: FaultServer) -> str:
    """Where chat completions are asked for."""
    return f"{server.url}/v1/chat/completions"


@pytest.mark.parametrize("reply", BODIES.values(), ids=BODIES)
def test_odd_body_is_replayed_byte_for_byte(tmp_path: Path, reply: Reply) -> None:
    """Numbers keep their spelling, keys their number, text its surrogates; nothing is too much."""
    sent = b"".join(piece for piece in reply.pieces if isinstance(piece, bytes))
    with FaultServer(reply) as server, httpx.Client(timeout=60) as client:
        with vcr_llm.use_cassette(tmp_path / "cassette", normalize=False):
            assert client.post(url_of(server), json={"stream": True}).content == sent
        server.stop()
        with vcr_llm.use_cassette(tmp_path / "cassette", record_mode="none") as cassette:
            assert client.post(url_of(server), json={"stream": True}).content == sent
        assert cassette.all_played


MEASURED = """
import re, sys
from pathlib import Path
import httpx
import vcr_llm

url, size, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]

def used():
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

def ask(url):
    with httpx.Client(timeout=60) as client:
        return len(client.post(url, json={"url": url.rpartition("/")[2]}).content)

with vcr_llm.use_cassette("small", record_mode="once"):
    ask(url + "/small")
before = used()
with vcr_llm.use_cassette("large", record_mode=mode, normalize=False):
    assert ask(url + "/large") == size
print((used() - before) / size)
"""

LARGE = {
    "one value": ("application/json", b'{"data": "' + b"x" * 20_000_000 + b'"}'),
    "events": ("text/event-stream", event(0, "x" * 1800) * 10_000 + DONE),
}


class LargeServer(LoopbackServer):
    """Answers with a large body, or with a small one of the same kind for a first time."""

    def __init__(self, content_type: str, body: bytes) -> None:
        super().__init__()
        self._headers = (("Content-Type", content_type),)
        self._body = body

    def answer(self, request: ReceivedRequest) -> Reply:
        """The body that the path asks for."""
        body = self._body if request.path.endswith("/large") else b"{}"
        return Reply((body,), headers=self._headers)


@pytest.mark.heavy
@pytest.mark.parametrize(("content_type", "body"), LARGE.values(), ids=LARGE)
def test_large_body_takes_less_than_eight_times_its_memory(
    pytester: pytest.Pytester, content_type: str, body: bytes
) -> None:
    """20 MB are recorded and replayed, and the process does not grow beyond eight bodies."""
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells how much memory a process has used at most")
    script = pytester.path / "measured.py"
    script.write_text(MEASURED)
    with LargeServer(content_type, body) as server:
        for mode in ("once", "none"):
            result = pytester.run(sys.executable, script, server.url, str(len(body)), mode)
            assert result.ret == 0
            assert float(result.outlines[-1]) < 8


def test_threads_each_get_their_own_answer(tmp_path: Path) -> None:
    """16 threads at once: distinct requests get theirs, identical ones one each, none twice."""
    with OpenAIServer() as server, httpx.Client(timeout=60) as client:

        def ask(prompt: str) -> str:
            messages = [{"role": "user", "content": prompt}]
            body = {"model": "m", "messages": messages}
            reply = client.post(f"{server.base_url}/chat/completions", json=body).json()
            return str(reply["choices"][0]["message"]["content"])

        prompts = [word for number in range(32) for word in ("count", f"prompt {number}")]
        for _ in range(2):
            with (
                vcr_llm.use_cassette(tmp_path / "cassette", record_mode="once") as cassette,
                ThreadPoolExecutor(16) as pool,
            ):
                answers = list(pool.map(ask, prompts))
            assert answers[1::2] == [f"You said: prompt {number}" for number in range(32)]
            assert sorted(answers[::2]) == sorted(f"This is answer {n + 1}." for n in range(32))
            server.stop()
        assert cassette.all_played
        assert len(list((tmp_path / "cassette").iterdir())) == 64


async def test_tasks_each_get_their_own_answer(tmp_path: Path) -> None:
    """200 tasks at once, recorded and replayed, as with threads."""
    with OpenAIServer() as server:

        async def ask(client: httpx.AsyncClient, prompt: str) -> str:
            messages = [{"role": "user", "content": prompt}]
            body = {"model": "m", "messages": messages}
            reply = await client.post(f"{server.base_url}/chat/completions", json=body)
            return str(reply.json()["choices"][0]["message"]["content"])

        prompts = [word for number in range(100) for word in ("count", f"prompt {number}")]
        for _ in range(2):
            with vcr_llm.use_cassette(tmp_path / "cassette", record_mode="once") as cassette:
                async with httpx.AsyncClient(timeout=60) as client:
                    answers = await asyncio.gather(*(ask(client, prompt) for prompt in prompts))
            assert answers[1::2] == [f"You said: prompt {number}" for number in range(100)]
            assert sorted(answers[::2]) == sorted(f"This is answer {n + 1}." for n in range(100))
            server.stop()
        assert cassette.all_played
