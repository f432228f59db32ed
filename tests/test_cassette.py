"""The cassette itself: what vcrpy's stubs and users ask of it, one thing at a time."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import Request, urlopen

import httpx
import pytest
import vcr
from vcr.errors import UnhandledHTTPRequestError
from vcr.request import HeadersDict
from vcr.request import Request as VcrRequest

import vcr_llm
from tests.servers.fault_server import FaultServer, Reply
from vcr_llm import _recording_directory, pytest_plugin
from vcr_llm._address import address_of
from vcr_llm._cassette import RecordingCassette
from vcr_llm._habits import AWS, Origin, stream_kind
from vcr_llm._json import JSON
from vcr_llm._keyed_request import KeyedRequest, WrittenRequest
from vcr_llm._labels import label_of
from vcr_llm._misses import Candidate, describe_miss
from vcr_llm._plan import Plan
from vcr_llm._raw_text import framing_after
from vcr_llm._recorder import open_cassette
from vcr_llm._recording_directory import RecordingDirectory
from vcr_llm._recording_writer import RecordingWriter
from vcr_llm._redaction import Redaction
from vcr_llm._report import redact_report
from vcr_llm._request_key import parse_ignored_path, request_key
from vcr_llm._tagged import tag
from vcr_llm._vcrpy import from_vcrpy, request_with_headers

URL = "https://api.example.com/v1/things"
HTTP: dict[str, JSON] = {
    "test_id": None,
    "request": {
        "method": "GET",
        "url": URL,
        "headers": {},
        "body": None,
        "endpoint": "/v1/things",
        "model": None,
    },
    "response": {"body": {"a": 1}, "is_streaming": False},
    "recorded_at": "2025-01-01T00:00:00Z",
}
TOOL: dict[str, JSON] = {
    "test_id": None,
    "request": {"test_id": None, "provider": "search", "tool_name": "web", "kwargs": {}},
    "response": {"body": {}, "is_streaming": False},
}


def asking(url: str = URL) -> VcrRequest:
    """A request as vcrpy's stubs make it."""
    return VcrRequest("GET", url, None, {})


def answer(body: Any = b"{}") -> dict[str, Any]:
    """A response as vcrpy's stubs make it."""
    return {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}}


def directory(path: Path, *documents: dict[str, JSON]) -> Path:
    """A cassette that holds these documents."""
    path.mkdir()
    for number, document in enumerate(documents):
        (path / f"{number}.json").write_text(json.dumps(document), "utf-8")
    return path


def opened(path: Path, plan: Plan, **options: Any) -> Any:
    """The context of a cassette that is used by a plan."""
    host = vcr_llm.VCR()
    return open_cassette(host, host._use_cassette, {"path": str(path), **options}, lambda: plan)


def test_tool_calls_are_no_http_exchanges(tmp_path: Path) -> None:
    """Recordings of tools stand in the same directories and answer no request."""
    own = directory(tmp_path / "own", TOOL, HTTP)
    extra = directory(tmp_path / "extra", HTTP, TOOL)
    with opened(own, Plan(extra_paths=(str(extra),)), record_mode="none") as cassette:
        assert len(cassette.requests) == 2
        assert len(cassette) == 4


def test_a_load_hook_may_hide_recordings(tmp_path: Path) -> None:
    """What `after_load_interaction` takes away is not there."""
    own = directory(tmp_path / "own", HTTP)
    hiding: list[dict[str, Any]] = [
        {"after_load_interaction": lambda _request, _response: None},
        {"before_record_request": lambda _request: None},
    ]
    for hide in hiding:
        with vcr_llm.use_cassette(own, record_mode="none", **hide) as cassette:
            assert len(cassette) == 0


@pytest.mark.filterwarnings("ignore::vcr_llm.VcrLlmWarning")
def test_playing_what_is_not_there_is_vcrpys_error(tmp_path: Path) -> None:
    """`play_response` without a recording raises what vcrpy raises."""
    with (
        vcr_llm.use_cassette(tmp_path / "none") as cassette,
        pytest.raises(UnhandledHTTPRequestError, match="No recording answers GET"),
    ):
        cassette.play_response(asking())
    assert len(cassette.misses) == 1


@pytest.mark.filterwarnings("ignore::vcr_llm.VcrLlmWarning")
def test_one_miss_is_told_once(tmp_path: Path) -> None:
    """The same request, missed twice, is one miss."""
    with vcr_llm.use_cassette(tmp_path / "none", record_mode="none") as cassette:
        assert cassette.miss_text(asking()) == cassette.miss_text(asking())
        assert len(cassette.misses) == 1


def test_a_request_that_had_its_answer_sets_no_other_aside(tmp_path: Path) -> None:
    """vcrpy's connections ask again about their last request when they reconnect."""
    own = directory(tmp_path / "own", HTTP, HTTP)
    first, second = asking(), asking()
    with vcr_llm.use_cassette(own, record_mode="none") as cassette:
        cassette.play_response(first)
        assert cassette.can_play_response_for(first)
        assert cassette.can_play_response_for(second)
        cassette.play_response(second)
        assert cassette.all_played


def test_a_closed_cassette_records_nothing(tmp_path: Path) -> None:
    """A thread that outlives its test leaves no trace in the test's cassette."""
    with vcr_llm.use_cassette(tmp_path / "own") as cassette:
        pass
    cassette.append(asking(), answer())
    assert len(cassette) == 0
    assert not (tmp_path / "own").exists()


def test_mode_none_writes_not_even_what_is_appended(tmp_path: Path) -> None:
    """What a user appends by hand can be played, and stays in memory."""
    with vcr_llm.use_cassette(tmp_path / "own", record_mode="none") as cassette:
        cassette.append(asking(), answer())
        assert len(cassette) == 1
    assert not (tmp_path / "own").exists()


def test_what_a_response_hook_drops_is_not_recorded(tmp_path: Path) -> None:
    """`before_record_response` may say None."""
    drop = {"before_record_response": lambda _response: None}
    with vcr_llm.use_cassette(tmp_path / "own", **drop) as cassette:
        cassette.append(asking(), answer())
    assert not (tmp_path / "own").exists()


def test_what_cannot_be_saved_in_a_loop_is_told_at_the_end(tmp_path: Path) -> None:
    """The request gets its answer; leaving the cassette raises the reason."""
    path = tmp_path / "own"

    async def ask(url: str) -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).status_code

    with FaultServer(Reply((b"{}",))) as server:
        context = vcr_llm.use_cassette(path)
        context.__enter__()
        path.write_text("somebody's file", "utf-8")
        assert asyncio.run(ask(server.url)) == 200
        with pytest.raises(vcr_llm.RecordingError, match="is a file"):
            context.__exit__(None, None, None)
    assert path.read_text("utf-8") == "somebody's file"


def _with_httpx(url: str, content: bytes, headers: dict[str, str]) -> int:
    return httpx.post(url, content=content, headers=headers).status_code


def _with_urllib(url: str, content: bytes, headers: dict[str, str]) -> int:
    with urlopen(Request(url, content, headers)) as response:  # noqa: S310 - it is http
        return int(response.status)


@pytest.mark.parametrize("post", [_with_httpx, _with_urllib])
def test_a_key_that_a_filter_takes_away_matches_where_it_is_echoed(
    tmp_path: Path, post: Callable[[str, bytes, dict[str, str]], int]
) -> None:
    """What is recorded as REDACTED is asked for as REDACTED, too."""
    key = "the-own-key-of-a-team"
    content, headers = f"by {key}".encode(), {"authorization": f"Bearer {key}"}
    options: Any = {"filter_headers": ["authorization"], "ignore_localhost": False}
    with FaultServer(Reply((b"{}",))) as server:
        for mode in ("new_episodes", "none"):
            with vcr_llm.use_cassette(tmp_path / "own", record_mode=mode, **options) as cassette:
                assert post(server.url, content, headers) == 200
            assert cassette.play_count == (mode == "none")
    (file,) = (tmp_path / "own").glob("*.json")
    assert key not in file.read_text("utf-8")


def test_an_error_inside_comes_before_one_of_saving(tmp_path: Path) -> None:
    """What the test raised is what its author has to see; the other is a note on it."""
    path = tmp_path / "own"

    def fail() -> None:
        with vcr_llm.use_cassette(path) as cassette:
            path.write_text("somebody's file", "utf-8")
            cassette.append(asking(), answer())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        fail()
    assert "is a file" in raised.value.__notes__[0]


def test_another_serializer_is_vcrpys_own_cassette(tmp_path: Path) -> None:
    """`vcr_llm.VCR` with `yaml` gives what `vcr.VCR` gives."""
    with vcr_llm.VCR(serializer="yaml").use_cassette(tmp_path / "own.yaml") as cassette:
        assert type(cassette) is vcr.cassette.Cassette


def test_current_defaults_hold_for_later(tmp_path: Path) -> None:
    """`with_current_defaults` keeps the options of now, as in vcrpy."""
    recorder = vcr_llm.VCR(record_mode="none")
    context = recorder.use_cassette(tmp_path / "own", with_current_defaults=True)
    recorder.match_on = ("method",)
    with context as cassette:
        assert isinstance(cassette, RecordingCassette)
        assert len(cassette._match_on) > 1


def test_a_hook_outside_of_a_test_leaves_vcrpy_alone(pytestconfig: pytest.Config) -> None:
    """Somebody else may call pytest-recording's hook: the VCR object stays as it is."""
    host = vcr.VCR()
    config = SimpleNamespace(stash=pytest.Stash())
    pytest_plugin.pytest_recording_configure(config, host)  # type: ignore[arg-type]  # no test runs
    assert host.__dict__.keys() == vcr.VCR().__dict__.keys()


@pytest.mark.parametrize("recorded", ["sk-proj-0123456789abcdefghijABCDEFGHIJ", "REDACTED"])
def test_a_secret_decides_no_match(tmp_path: Path, recorded: str) -> None:
    """Whether a carried-over recording has the secret in it or not: any other one is answered."""
    head: Any = HTTP["request"]
    document = {**HTTP, "request": {**head, "body": {"key": recorded}}}
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / f"{address_of(document)}.json").write_text(json.dumps(document), "utf-8")
    for sent in (
        "sk-proj-0123456789abcdefghijABCDEFGHIJ",
        "sk-proj-JIHGFEDCBAjihgfedcba9876543210",
    ):
        with vcr_llm.use_cassette(str(tmp_path / "thing"), record_mode="none"):
            asked = httpx.request("GET", URL, json={"key": sent})
        assert asked.json() == {"a": 1}


def test_a_miss_lists_no_more_than_a_screen_holds() -> None:
    """Many differences and many played recordings are counted, not listed."""
    head: dict[str, JSON] = {"method": "POST", "url": URL}
    recorded: dict[str, JSON] = {**head, "body": {f"k{number}": 0 for number in range(20)}}
    sent: dict[str, JSON] = {**head, "body": {f"k{number}": 1 for number in range(20)}}
    seen = KeyedRequest(WrittenRequest(sent), lambda request: request)
    telling: dict[str, Any] = {
        "parts": ("body",),
        "ignore": (),
        "cassette": "c",
        "record_mode": "none",
        "test_id": None,
    }
    other = Candidate("x.json", recorded, request_key(recorded), False, [("llm_body", None)])
    assert "… and 12 more places" in describe_miss(seen, [other], **telling)
    played = [Candidate(f"{number}.json", sent, seen.key, True) for number in range(7)]
    assert "… and 2 more" in describe_miss(seen, played, **telling)


def test_a_raw_text_that_still_holds_a_secret_goes() -> None:
    """With the only difference gone, the framing is gone, too."""
    framing: dict[str, JSON] = {"events": {"0": {"data": '{"k": "my-secret", "l": "my-secret2"}'}}}
    before: JSON = [{"k": "my-secret", "l": "my-secret2"}]
    after: JSON = [{"k": "REDACTED", "l": "my-secret2"}]
    assert framing_after(framing, before, after, lambda text: text) == {}


def test_a_part_that_is_json_matches_by_value() -> None:
    """Spacing inside a form's JSON part is nothing; a part that only claims to be JSON is text."""

    def form(text: str) -> dict[str, JSON]:
        part: JSON = {"name": "a", "content_type": "application/json", "body": tag("str", text)}
        return {"method": "POST", "url": URL, "body": tag("multipart/form-data", [part])}

    assert request_key(form('{"b": 1}')) == request_key(form('{"b":1}'))
    assert request_key(form("{")) != request_key(form("{ "))


def test_an_item_of_a_list_can_be_ignored() -> None:
    """`messages[0]` leaves out what the first message says, not that it is there."""
    ignore = [parse_ignored_path("messages[0]")]
    said: list[list[JSON]] = [["a", "b"], ["c", "b"], ["a", "b", "c"]]
    one, other, longer = (
        request_key({"method": "POST", "url": URL, "body": {"messages": messages}}, ignore)
        for messages in said
    )
    assert one == other != longer
    nothing: dict[str, JSON] = {"method": "GET", "url": URL, "body": None}
    assert request_key(nothing, ignore) == request_key(nothing)


@pytest.mark.parametrize(
    ("request_", "response", "bodies"),
    [
        (VcrRequest("POST", URL, {"a": 1}, {}), answer(None), (b'{"a": 1}', b"")),
        (
            VcrRequest(
                "POST", URL, {"a": "b c"}, {"content-type": "application/x-www-form-urlencoded"}
            ),
            answer("text"),
            (b"a=b+c", b"text"),
        ),
        (
            VcrRequest("POST", URL, bytearray(b"x"), {}),
            {"status_code": 200, "headers": {}, "content": "old"},
            (b"x", b"old"),
        ),
    ],
    ids=["a dictionary", "a form", "the first stub of httpx"],
)
def test_shapes_of_vcrpy(
    request_: VcrRequest, response: dict[str, Any], bodies: tuple[bytes, bytes]
) -> None:
    """What the stubs hand over as a body, and what older ones did, are bytes here."""
    interaction = from_vcrpy(request_, response)
    assert (interaction.request.body, interaction.response.body) == bodies


def test_streams_and_messages_are_known_by_their_path() -> None:
    """Amazon's stream without a content type, Anthropic's message by its type."""
    assert stream_kind(None, Origin("h", "/model/m/converse-stream")) == AWS
    label = label_of({"type": "message"}, "/v1/messages")
    assert label == "anthropic.types.message.Message"


def test_metadata_that_is_empty_has_no_file(tmp_path: Path) -> None:
    """Nothing to store takes its file away."""
    where = RecordingDirectory(tmp_path / "own")
    where.save_metadata({"a": 1})
    where.save_metadata({})
    assert list((tmp_path / "own").iterdir()) == []


def test_a_moved_recording_takes_a_free_name(tmp_path: Path) -> None:
    """A file that is not to be replaced keeps its name and its bytes."""
    waiting, own = RecordingDirectory(tmp_path / "waiting"), RecordingDirectory(tmp_path / "own")
    address = address_of(HTTP)
    taken = RecordingWriter(own).write(address, HTTP)
    mover, writer = RecordingWriter(own), RecordingWriter(waiting)
    mover.move(writer.write(address, HTTP))
    mover.move(writer.write(address, HTTP))
    names = sorted(path.name for path in own.path.iterdir())
    assert names == [f"{address}-2.json", f"{address}-3.json", taken.path.name]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_name_that_was_taken_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    """A file of another process is not overwritten, on drives without links neither."""

    def refuse(*_arguments: Any) -> None:
        raise PermissionError

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "new").write_text("new", "utf-8")
    (tmp_path / "taken").write_text("old", "utf-8")
    assert not _recording_directory._take_name(tmp_path / "new", tmp_path / "taken")
    assert (tmp_path / "taken").read_text("utf-8") == "old"


def test_what_somebody_elses_process_writes_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that may not be asked is alive."""

    def refuse(*_arguments: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    names = {".x.json.1-0.tmp", f".x.json.{os.getpid()}-0.tmp"}
    for name in names:
        (tmp_path / name).write_text("", "utf-8")
    RecordingDirectory(tmp_path).sweep()
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_report_of_any_kind_is_redacted() -> None:
    """Text, tracebacks with and without arguments and locals, and what was captured."""
    key = "sk-" + "a" * 24
    redaction = Redaction()
    plain = SimpleNamespace(sections=[("stdout", key)], longrepr=key)
    redact_report(plain, redaction)  # type: ignore[arg-type]  # as much of a report as is read
    assert key not in str(plain)

    entries = [
        SimpleNamespace(
            lines=[key],
            reprfuncargs=SimpleNamespace(args=[("a", key)]),
            reprlocals=SimpleNamespace(lines=[key]),
        ),
        SimpleNamespace(lines=[key]),
    ]
    crash = SimpleNamespace(message=key)
    traceback = SimpleNamespace(reprentries=entries)
    shown = SimpleNamespace(
        chain=[(traceback, None, None), (traceback, crash, None)], reprcrash=crash
    )
    report = SimpleNamespace(sections=[], longrepr=shown)
    redact_report(report, redaction)  # type: ignore[arg-type]  # as much of a report as is read
    assert key not in str(report)
    nothing = SimpleNamespace(sections=[], longrepr=None)
    redact_report(nothing, redaction)  # type: ignore[arg-type]  # as much of a report as is read
    assert nothing.longrepr is None


@pytest.mark.parametrize(
    "pairs",
    [[], [("a", "1"), ("B", "2")], [("a", "1"), ("b", "2"), ("a", "3")], [("A", "1"), ("a", "2")]],
)
def test_the_headers_of_a_request_are_what_vcrpy_makes_of_httpxs(
    pairs: list[tuple[str, str]],
) -> None:
    """Whatever their case; several of one name are one, joined."""
    headers = httpx.Headers(pairs)
    made = request_with_headers("GET", URL, b"", headers.multi_items())
    assert vars(made.headers) == vars(HeadersDict(headers))
    assert vars(made) == vars(VcrRequest("GET", URL, b"", headers)) | {"_headers": made.headers}


def test_what_one_stub_has_recorded_another_one_plays(tmp_path: Path) -> None:
    """tornado's stub gives headers as a list, and httpx asks for the same in the same test."""
    headers = [("X-Request", ["a", "b"]), ("Content-Type", ["application/json"])]
    options: dict[str, Any] = {"record_mode": "new_episodes", "allow_playback_repeats": True}
    with vcr_llm.use_cassette(tmp_path / "c", **options) as cassette:
        cassette.append(asking(), {**answer(b'{"a": 1}'), "headers": headers})
        cassette.rewind()
        played = httpx.get(URL)
        assert cassette.play_response(asking())["headers"] == dict(headers)
    assert (played.json(), played.headers.get_list("x-request")) == ({"a": 1}, ["a", "b"])


@pytest.mark.filterwarnings("ignore::vcr_llm.VcrLlmWarning")
@pytest.mark.parametrize("name", ["Authorization", b"Authorization"], ids=repr)
def test_what_a_matcher_says_holds_no_secret(tmp_path: Path, name: str | bytes) -> None:
    """vcrpy's own shows all headers, of which one may be a short password."""
    options: dict[str, Any] = {"match_on": ["method", "uri", "headers"]}
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="new_episodes", **options) as cassette:
        cassette.append(asking(), answer())
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="none", **options) as cassette:
        for secret in ("Basic YTpi", "Basic dXNlcjp3cm9uZ3Bhc3N3ZA=="):
            value = secret.encode() if isinstance(name, bytes) else secret
            request = VcrRequest("GET", URL, None, {name: value, "X-Case": "seven"})
            text = cassette.miss_text(request)
            assert "seven" in text
            assert "REDACTED" in text
            assert secret.partition(" ")[2] not in text


def test_the_uri_matcher_counts_the_order_of_parameters(tmp_path: Path) -> None:
    """As in vcrpy; the matcher of the query does not."""
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="new_episodes") as cassette:
        cassette.append(asking(f"{URL}?a=1&b=2"), answer())
    for matcher, is_found in (("query", True), ("uri", False)):
        options: dict[str, Any] = {"match_on": ["method", matcher, "llm_body"]}
        host = vcr_llm.VCR(record_mode="none", **options)
        with host.use_cassette(str(tmp_path / "c"), allow_playback_repeats=True) as cassette:
            assert asking(f"{URL}?a=1&b=2") in cassette
            assert (asking(f"{URL}?b=2&a=1") in cassette) is is_found
            if not is_found:
                assert "uri: b=2&a=1 != a=1&b=2" in cassette.miss_text(asking(f"{URL}?b=2&a=1"))
                cassette.misses.clear()


def test_a_recorder_changes_its_mode_as_vcrpys_does(tmp_path: Path) -> None:
    """A decorated function has the mode of the moment, unless it was to keep that of before."""
    host = vcr_llm.VCR(inject_cassette=True, record_mode="once")
    assert host.record_mode == "once"

    @host.use_cassette(str(tmp_path / "a"))
    def now(cassette: RecordingCassette) -> object:
        return cassette.record_mode

    @host.use_cassette(str(tmp_path / "b"), with_current_defaults=True)
    def before(cassette: RecordingCassette) -> object:
        return cassette.record_mode

    host.record_mode = "all"
    changed: Any = (now, before)
    assert [function() for function in changed] == [vcr.mode.ALL, vcr.mode.ONCE]
    host.record_mode = "rewrite"
    with host.use_cassette(str(tmp_path / "a")) as cassette:
        assert cassette.plan.rewrite
    with pytest.raises(ValueError, match="not a valid record_mode"):
        vcr_llm.VCR(record_mode="onec")
