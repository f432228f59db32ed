"""Which recording answers a call, and when the tool runs instead."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from vcr.errors import CannotOverwriteExistingCassetteException

import vcr_llm
from tests.tools import weather
from tests.tools.scenarios import documents, raised, recorded_then_played
from tests.tools.weather import Place

# --- matching -----------------------------------------------------------------------------------


def _name(value: object) -> str:
    """A parameter's name, the same in every process."""
    return re.sub(r" at 0x.*", "", str(value))[:40]


def counting() -> Callable[..., int]:
    """A tool that counts how often it ran."""
    calls = iter(range(100))

    @vcr_llm.recorded_tool(provider="p", exclude=["client"])
    def count(value: Any = None, *, client: object = None, extra: Any = None) -> int:
        return next(calls)

    return count


SAME: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"value": 1}, {"value": 1.0}),
    ({"value": 0.1 + 0.2}, {"value": 0.3}),
    ({"value": {"a": 1, "b": 2}}, {"value": {"b": 2, "a": 1}}),
    ({"value": (1, 2)}, {"value": [1, 2]}),
    ({"value": {3, 1, 2}}, {"value": {1, 2, 3}}),
    ({"value": 1}, {"value": 1, "extra": None}),
    ({"client": object()}, {"client": object()}),
    ({"value": {"tool_call_id": "call_a"}}, {"value": {"tool_call_id": "call_b"}}),
    ({"value": {"api_key": "one"}}, {"value": {"api_key": "another"}}),
]


@pytest.mark.parametrize(
    ("recorded", "asked"), SAME, ids=lambda value: re.sub(r" at 0x.*", "", str(value))[:40]
)
def test_the_same_call(tmp_path: Path, recorded: dict[str, Any], asked: dict[str, Any]) -> None:
    """Arguments are compared by value, without secrets, as bodies of requests are."""
    count = counting()
    with vcr_llm.use_cassette(tmp_path / "c"):
        assert count(**recorded) == 0
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="new_episodes"):
        assert count(**asked) == 0


OTHER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"value": 1}, {"value": True}),
    ({"value": 1}, {"value": "1"}),
    ({"value": None}, {"value": 0}),
    ({"value": [1, 2]}, {"value": [2, 1]}),
    ({"value": 1}, {"value": 1, "extra": 2}),
    ({"value": 0.1}, {"value": 0.2}),
]


@pytest.mark.parametrize(
    ("recorded", "asked"), OTHER, ids=lambda value: re.sub(r" at 0x.*", "", str(value))[:40]
)
def test_another_call(tmp_path: Path, recorded: dict[str, Any], asked: dict[str, Any]) -> None:
    """Nothing else is ignored."""
    count = counting()
    with vcr_llm.use_cassette(tmp_path / "c"):
        assert count(**recorded) == 0
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="new_episodes"):
        assert count(**asked) == 1


def test_ignored_places_do_not_count(tmp_path: Path) -> None:
    """`ignore` names places of arguments as it names those of bodies."""
    count = counting()
    with vcr_llm.use_cassette(tmp_path / "c"):
        assert count({"a": 1, "trace": "x"}) == 0
    ignoring = {"record_mode": "none", "ignore": ["value.trace"]}
    with vcr_llm.use_cassette(tmp_path / "c", **ignoring):
        assert count({"a": 1, "trace": "y"}) == 0


def test_provider_and_name_tell_tools_apart(tmp_path: Path) -> None:
    """Functions of the same arguments."""
    made = {
        (provider, name): vcr_llm.recorded_tool(provider=provider, name=name)(
            partial("/".join, [provider, name])
        )
        for provider in ("a", "b", "A")
        for name in ("x", "y")
    }
    with vcr_llm.use_cassette(tmp_path / "c"):
        for tool in made.values():
            tool()
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="none"):
        assert {key: tool() for key, tool in made.items()} == {key: "/".join(key) for key in made}


def test_a_tool_that_got_a_new_argument_finds_its_recordings(tmp_path: Path) -> None:
    """As long as the argument has its default; a default that changed is another call."""

    def tool(function: Callable[..., str]) -> Callable[..., str]:
        return vcr_llm.recorded_tool(provider="p", name="search")(function)

    with vcr_llm.use_cassette(tmp_path / "c"):
        assert tool(lambda query, limit=5: "old")("x") == "old"
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="new_episodes"):
        assert tool(lambda query, limit=5, region=None: "new")("x") == "old"
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="new_episodes"):
        assert tool(lambda query, limit=6: "new")("x") == "new"


def test_repeated_calls_replay_in_their_order(tmp_path: Path) -> None:
    """One recording each; the second has the address of the first and a number."""
    count = counting()

    def scenario() -> list[int]:
        return [count("a"), count("b"), count("a"), count("a")]

    live, played = recorded_then_played(tmp_path / "c", scenario)
    assert live == played == [0, 1, 2, 3]
    names = sorted(path.name.partition("-")[2] for path in (tmp_path / "c").iterdir())
    assert names == ["", "", "2.json", "3.json"]


def test_playback_repeats(tmp_path: Path) -> None:
    """vcrpy's option holds for tools as well; `rewind` begins again."""
    count = counting()
    with vcr_llm.use_cassette(tmp_path / "c"):
        count("a")
    once = {"record_mode": "none"}
    with vcr_llm.use_cassette(tmp_path / "c", allow_playback_repeats=True, **once) as cassette:
        assert [count("a"), count("a")] == [0, 0]
        assert cassette.play_count == 2
    with vcr_llm.use_cassette(tmp_path / "c", **once) as cassette:
        count("a")
        cassette.rewind()
        assert count("a") == 0


# --- modes ----------------------------------------------------------------------------------------


def test_outside_a_cassette_the_function_is_just_called() -> None:
    """With whatever it takes and gives back."""

    @vcr_llm.recorded_tool
    def identity(value: object) -> object:
        return value

    thing = object()
    assert identity(thing) is thing
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'value'"):
        identity()  # type: ignore[call-arg]  # that is the point


def test_a_wrong_call_raises_what_the_function_raises(tmp_path: Path) -> None:
    """And records nothing."""
    with (
        vcr_llm.use_cassette(tmp_path / "c"),
        pytest.raises(TypeError, match=r"hours\(\) missing 1 required positional argument"),
    ):
        list(weather.hours())  # type: ignore[call-arg]  # that is the point
    assert not (tmp_path / "c").exists()


def test_the_record_modes(tmp_path: Path) -> None:
    """They mean for calls what they mean for requests."""
    for mode in ("new_episodes", "all", "rewrite"):
        count, path = counting(), tmp_path / mode
        with vcr_llm.use_cassette(path, record_mode=mode):
            assert [count("a"), count("b")] == [0, 1]
        with vcr_llm.use_cassette(path, record_mode=mode):
            again = [count("a"), count("c")]
        assert again == ([0, 2] if mode == "new_episodes" else [2, 3])
        kept = {document["request"]["kwargs"]["value"] for document in documents(path)}
        assert kept == ({"a", "c"} if mode == "rewrite" else {"a", "b", "c"})
    count, path = counting(), tmp_path / "once"
    with vcr_llm.use_cassette(path, record_mode="once"):
        count("a")
    with (
        pytest.raises(CannotOverwriteExistingCassetteException),
        vcr_llm.use_cassette(path, record_mode="once"),
    ):
        count("b")


def test_unused_recordings_go_where_they_are_to_go(tmp_path: Path) -> None:
    """`drop_unused_requests` drops calls, too; `record_on_exception=False` sets them aside."""
    count = counting()
    with vcr_llm.use_cassette(tmp_path / "c"):
        count("a")
        count("b")
    drops = {"record_mode": "new_episodes", "drop_unused_requests": True}
    with vcr_llm.use_cassette(tmp_path / "c", **drops):
        count("b")
    assert [found["request"]["kwargs"]["value"] for found in documents(tmp_path / "c")] == ["b"]
    with (
        pytest.raises(ZeroDivisionError),
        vcr_llm.use_cassette(tmp_path / "d", record_on_exception=False),
    ):
        _ = count("c") / 0
    assert [path.name for path in (tmp_path / "d").iterdir()] == [".failed"]
    with vcr_llm.use_cassette(tmp_path / "d"):
        assert count("c") == 2  # it did not run again
    assert [found["request"]["kwargs"]["value"] for found in documents(tmp_path / "d")] == ["c"]
    with vcr_llm.use_cassette(tmp_path / "d", record_on_exception=False):
        count("c")
    assert len(documents(tmp_path / "d")) == 1


def test_a_rewrite_in_which_a_tool_was_interrupted_removes_nothing(tmp_path: Path) -> None:
    """What it did not answer may still be wanted."""

    @vcr_llm.recorded_tool(provider="p")
    def tool(value: str) -> str:
        if value == "stop":
            raise KeyboardInterrupt
        return value

    with vcr_llm.use_cassette(tmp_path / "c"):
        tool("a")
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="rewrite"):
        tool("b")
        with pytest.raises(KeyboardInterrupt):
            tool("stop")
    values = {found["request"]["kwargs"]["value"] for found in documents(tmp_path / "c")}
    assert values == {"a", "b"}


def test_live_mode_calls_and_records_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`VCR_LLM_MODE=live`, for a cassette that nobody gave a mode."""
    monkeypatch.setenv("VCR_LLM_MODE", "live")
    count = counting()
    with vcr_llm.use_cassette(tmp_path / "c"):
        assert [count("a"), count("a")] == [0, 1]
    assert not (tmp_path / "c").exists()


def test_secrets_are_not_written(tmp_path: Path) -> None:
    """Neither in arguments nor in what comes back nor in what is raised nor in a miss."""
    key = "sk-proj-Zx8vT2mQpL4nR7wK1bY6cD3fG9hJ0sA5"

    @vcr_llm.recorded_tool(provider="p")
    def tool(token: str, *, password: str) -> dict[str, str]:
        if password == "fail":
            raise ValueError(f"bad key {key}")
        return {"key": token, "customer": "ACME-4711"}

    with vcr_llm.use_cassette(tmp_path / "c", redact=["ACME-4711"]):
        assert tool(key, password="hunter2") == {"key": key, "customer": "ACME-4711"}
        with pytest.raises(ValueError, match=key):
            tool(key, password="fail")
    written = "".join(path.read_text("utf-8") for path in (tmp_path / "c").iterdir())
    assert key not in written
    assert "hunter2" not in written
    assert "ACME" not in written
    with (
        pytest.raises(CannotOverwriteExistingCassetteException) as caught,
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none") as cassette,
    ):
        _ = (
            tool(key, password="1"),
            raised(lambda: tool(key, password="2")),
            tool(key, password="3"),
        )
    assert key not in str(caught.value)
    assert cassette.misses == [str(caught.value)]


# --- which cassette, and who else is at work ------------------------------------------------------


def test_the_innermost_cassette_takes_the_call(tmp_path: Path) -> None:
    """And when it is closed, the outer one does."""
    count = counting()
    with vcr_llm.use_cassette(tmp_path / "outer"):
        with vcr_llm.use_cassette(tmp_path / "inner"):
            count("a")
        count("b")
    (inner,), (outer,) = documents(tmp_path / "inner"), documents(tmp_path / "outer")
    assert inner["request"]["kwargs"]["value"] == "a"
    assert outer["request"]["kwargs"]["value"] == "b"


def test_threads_find_the_cassette(tmp_path: Path) -> None:
    """It is open for the whole process, as vcrpy's is; each recording is taken by one of them."""
    lock = threading.Lock()
    made = iter(range(100))

    @vcr_llm.recorded_tool(provider="p")
    def tool(value: int) -> list[int]:
        with lock:
            return [value, next(made)]

    def scenario() -> list[list[int]]:
        with ThreadPoolExecutor(8) as pool:
            return sorted(pool.map(tool, [number % 5 for number in range(40)]))

    live, played = recorded_then_played(tmp_path / "c", scenario)
    assert played == live


def test_tasks_find_the_cassette(tmp_path: Path) -> None:
    """Calls that are under way at the same time."""

    async def scenario() -> list[Any]:
        places = [Place(name=str(number)) for number in range(20)]
        return await asyncio.gather(*map(weather.forecast, places))

    live, played = recorded_then_played(tmp_path / "c", lambda: asyncio.run(scenario()))
    assert played == live


def test_of_a_tool_that_calls_another_only_the_outer_one_is_recorded(tmp_path: Path) -> None:
    """On replay the inner one is not called at all."""

    @vcr_llm.recorded_tool(provider="p")
    async def outer() -> list[weather.Forecast | weather.Reading | None]:
        return [await weather.forecast(weather.ROME), *weather.hours(2)]

    with vcr_llm.use_cassette(tmp_path / "c"):
        asyncio.run(outer())
        weather.station("near")
    assert [found["request"]["tool_name"] for found in documents(tmp_path / "c")] == [
        "outer",
        "station",
    ]


# --- misses -------------------------------------------------------------------------------------


def test_a_miss_names_the_nearest_recording_and_what_differs(tmp_path: Path) -> None:
    """By path, with the way to record; it is kept in `misses`."""
    with vcr_llm.use_cassette(tmp_path / "c"):
        weather.report(Place(name="Rome"), 2)
        weather.report(Place(name="Oslo"), 5, wind=1)
    with (
        pytest.raises(CannotOverwriteExistingCassetteException) as caught,
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none") as cassette,
    ):
        weather.report(Place(name="Rome"), 3)
    said = str(caught.value)
    assert cassette.misses == [said]
    (nearest,) = [
        path.name
        for path in (tmp_path / "c").iterdir()
        if json.loads(path.read_text("utf-8"))["request"]["kwargs"]["days"] == 2
    ]
    shown = 'place={"name": "Rome", "since": null}, days=3, units="C"'
    assert said.splitlines() == [
        f"No recording answers the call report({shown}) of weather",
        f"Cassette: {tmp_path / 'c'} (2 recorded tool calls, record mode none)",
        "",
        f"Nearest is {nearest}. It differs in:",
        "  days: recorded 2, this call has 3",
        "",
        'To record it, use record_mode="new_episodes"; to record the cassette anew, "rewrite".',
    ]


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        (["near", "far"], "Nearest is"),
        (["near", "near"], "These match, but are already played:"),
    ],
)
def test_misses_of_a_known_tool(tmp_path: Path, calls: list[str], said: str) -> None:
    """What is nearest may be played already."""
    with vcr_llm.use_cassette(tmp_path / "c"):
        weather.station("near")
    with (
        pytest.raises(CannotOverwriteExistingCassetteException, match=said),
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none"),
    ):
        _ = [weather.station(name) for name in calls]


def test_misses_of_an_unknown_tool(tmp_path: Path) -> None:
    """A cassette of other tools, and one that is not there."""
    with vcr_llm.use_cassette(tmp_path / "c"):
        weather.station("near")
    for name, said in (("c", "other tools only:\n  station of weather"), ("d", "0 recorded tool")):
        with (
            pytest.raises(CannotOverwriteExistingCassetteException, match=said),
            vcr_llm.use_cassette(tmp_path / name, record_mode="none"),
        ):
            weather.report(weather.ROME)
