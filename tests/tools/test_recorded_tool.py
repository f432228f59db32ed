"""What `recorded_tool` does inside a cassette and outside of one."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from vcr.errors import CannotOverwriteExistingCassetteException

import vcr_llm
from tests.tools import weather
from tests.tools.weather import Office, Place, StationDownError, ran

ROME = Place(name="Rome")


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    """Each test counts from zero."""
    ran.clear()


def recorded_then_played(path: Path, scenario: Callable[[], Any]) -> tuple[Any, Any]:
    """What a scenario gives while it is recorded, and on replay, where no tool may run."""
    with vcr_llm.use_cassette(path, record_mode="once"):
        live = scenario()
    ran.clear()
    with vcr_llm.use_cassette(path, record_mode="none") as cassette:
        played = scenario()
    assert ran == []
    assert cassette.all_played
    return live, played


def documents(path: Path) -> list[dict[str, Any]]:
    """The recordings of a cassette in the order in which they were made."""
    found = [json.loads(file.read_text("utf-8")) for file in path.glob("*.json")]
    return sorted(found, key=lambda document: document.get("sequence", 0))


def raised(function: Callable[[], Any]) -> tuple[type[BaseException], Any, str]:
    """What a call raises: its type, its arguments and what it says."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it is compared
        function()
    return type(caught.value), caught.value.args, str(caught.value)


# --- every kind of function -------------------------------------------------------------------


async def _async_items(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


KINDS: dict[str, Callable[[], Any]] = {
    "function": lambda: weather.report(ROME, 2, "sat", wind=True),
    "coroutine": lambda: asyncio.run(weather.forecast(ROME)),
    "coroutine that gives nothing": lambda: asyncio.run(weather.forecast(Place(name="nowhere"))),
    "generator": lambda: list(weather.hours(3)),
    "async generator": lambda: asyncio.run(_async_items(weather.alerts(3))),
    "method": lambda: Office("Rome").span(3),
    "classmethod": lambda: Office.motto("it"),
    "staticmethod": lambda: Office.archive(1999),
    "built-in exception": lambda: raised(lambda: weather.station("unknown")),
    "built-in exception of many arguments": lambda: raised(lambda: weather.station("broken")),
    "text": lambda: weather.station("near"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_replay_gives_what_the_tool_gave(tmp_path: Path, kind: str) -> None:
    """Whatever the tool is and gives back, without running it."""
    live, played = recorded_then_played(tmp_path / "c", KINDS[kind])
    assert played == live
    assert type(played) is type(live)


def test_the_document_has_the_documented_shape(tmp_path: Path) -> None:
    """Arguments by name with defaults filled in; models and dataclasses as JSON; `self` is none."""
    with vcr_llm.use_cassette(tmp_path / "c"):
        weather.report(ROME, 1, "sat", wind=0.5)
        Office("Rome").span(3)
    first, second = documents(tmp_path / "c")
    assert list(first) == ["test_id", "request", "response", "sequence", "recorded_at"]
    assert first["request"] == {
        "test_id": first["test_id"],
        "provider": "weather",
        "tool_name": "report",
        "kwargs": {
            "place": {"name": "Rome", "since": None},
            "days": 1,
            "more": ["sat"],
            "units": "C",
            "wind": 0.5,
        },
    }
    assert first["response"]["is_streaming"] is False
    assert first["response"]["body"]["__type__"] == "tests.tools.weather.Report"
    assert second["request"]["kwargs"] == {"first": 3}


def test_a_stream_has_one_entry_per_item(tmp_path: Path) -> None:
    """And says that it is one."""
    with vcr_llm.use_cassette(tmp_path / "c"):
        list(weather.hours(2))
    (document,) = documents(tmp_path / "c")
    assert document["response"]["is_streaming"] is True
    assert [entry["__data__"]["degrees"] for entry in document["response"]["body"]] == [0.0, 1.0]


def test_a_stream_that_fails_keeps_its_items_and_fails_again(tmp_path: Path) -> None:
    """An OSError comes back with its number and its file."""

    def scenario() -> tuple[int, Any]:
        items = weather.hours(20)
        found = [next(items) for _number in range(12)]
        with pytest.raises(ConnectionResetError) as caught:
            next(items)
        return len(found), (caught.value.errno, caught.value.filename, str(caught.value))

    live, played = recorded_then_played(tmp_path / "c", scenario)
    assert played == live


def test_a_stream_that_nobody_reads_on_says_so_on_replay(tmp_path: Path) -> None:
    """What was read comes back; who reads on is told how to record again."""
    with vcr_llm.use_cassette(tmp_path / "c"):
        first = next(items := weather.hours(5))
        items.close()  # type: ignore[attr-defined]  # it is a generator, whatever it promises
    (document,) = documents(tmp_path / "c")
    assert document["response"]["ended"] == {"by": "client"}
    with (
        pytest.raises(vcr_llm.RecordingEnds, match="after 1 item, and this one reads on"),
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none"),
    ):
        assert list(weather.hours(5)) == [first]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stream_that_is_open_when_the_cassette_ends_is_saved(tmp_path: Path, kind: str) -> None:
    """As one that somebody dropped."""

    async def some() -> None:
        with vcr_llm.use_cassette(tmp_path / "c"):
            await anext(weather.alerts(3))
            gc.collect()

    if kind == "async":
        asyncio.run(some())
    else:
        with vcr_llm.use_cassette(tmp_path / "c"):
            items = weather.hours(3)
            next(items)
    (document,) = documents(tmp_path / "c")
    assert len(document["response"]["body"]) == 1


def test_a_cancelled_stream_waits_to_be_cancelled_on_replay(tmp_path: Path) -> None:
    """So that the code which sets a time limit meets it again."""

    @vcr_llm.recorded_tool
    async def stuck() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(60)

    async def scenario() -> list[int]:
        found = []
        try:
            async with asyncio.timeout(0.2):
                async for item in stuck():
                    found.append(item)  # noqa: PERF401 - what came before the limit counts
        except TimeoutError:
            return found
        raise AssertionError("nothing was cancelled")

    live, played = recorded_then_played(tmp_path / "c", lambda: asyncio.run(scenario()))
    assert live == played == [1]


def test_functions_that_give_back_an_iterator_are_streams(tmp_path: Path) -> None:
    """As clients of streaming APIs do it."""

    @vcr_llm.recorded_tool
    def numbers() -> Iterator[int]:
        return iter([1, 2])

    @vcr_llm.recorded_tool
    async def words() -> AsyncIterator[dict[str, int]]:
        return weather.alerts(2)

    async def both() -> list[Any]:
        return [item async for item in await words()]

    live, played = recorded_then_played(
        tmp_path / "c", lambda: (list(numbers()), asyncio.run(both()))
    )
    assert live == played == ([1, 2], [{"number": 0}, {"number": 1}])
    assert len(documents(tmp_path / "c")) == 2  # the inner tool belongs to the outer one


def test_frameworks_see_the_function(tmp_path: Path) -> None:
    """Its name, its documentation, its parameters, and of which kind it is."""
    assert weather.report.__name__ == "report"
    assert weather.report.__doc__ == "A function whose arguments come in every way."
    assert list(inspect.signature(weather.report).parameters)[:2] == ["place", "days"]
    assert inspect.iscoroutinefunction(weather.forecast)
    assert inspect.isgeneratorfunction(weather.hours)
    assert inspect.isasyncgenfunction(weather.alerts)


# --- exceptions ---------------------------------------------------------------------------------


def test_an_exception_of_the_application_is_raised_where_it_is_named(tmp_path: Path) -> None:
    """With what it says; what its construction wanted beside that is not known."""
    with vcr_llm.use_cassette(tmp_path / "c"), pytest.raises(StationDownError) as live:
        weather.station("far")
    assert live.value.retry_after == 5
    with (
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none"),
        pytest.raises(StationDownError, match="far is down"),
    ):
        weather.station("far")
    document = documents(tmp_path / "c")[0]
    assert document["response"]["is_exception"] is True
    assert document["response"]["exception_data"] == {
        "type": "tests.tools.weather.StationDownError",
        "message": "far is down",
    }


def test_an_exception_that_nobody_names_is_a_recorded_tool_error(tmp_path: Path) -> None:
    """Nothing is imported because a recording names it."""

    @vcr_llm.recorded_tool
    def fails() -> None:
        raise StationDownError("far", retry_after=1)

    with vcr_llm.use_cassette(tmp_path / "c"), pytest.raises(StationDownError):
        fails()
    with (
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none"),
        pytest.raises(vcr_llm.RecordedToolError, match="StationDownError: far is down") as caught,
    ):
        fails()
    assert caught.value.type_name == "tests.tools.weather.StationDownError"
    assert caught.value.message == "far is down"


@pytest.mark.parametrize("name", ["SystemExit", "eval", "os.system", "GeneratorExit"])
def test_no_recording_can_raise_or_call_anything_else(tmp_path: Path, name: str) -> None:
    """A hostile recording raises RecordedToolError, too."""

    @vcr_llm.recorded_tool(provider="p")
    def tool() -> None:
        """It never runs."""

    (tmp_path / "c").mkdir()
    data = {"type": name, "message": "boo", "args": ["id"]}
    document: dict[str, Any] = {
        "test_id": None,
        "request": {"test_id": None, "provider": "p", "tool_name": "tool", "kwargs": {}},
        "response": {"body": None, "is_streaming": False, "is_exception": True}
        | {"exception_data": data},
    }
    (tmp_path / "c" / "x.json").write_text(json.dumps(document), "utf-8")
    with (
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none"),
        pytest.raises(vcr_llm.RecordedToolError, match=f"{name}: boo"),
    ):
        tool()


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
        return [await weather.forecast(ROME), *weather.hours(2)]

    with vcr_llm.use_cassette(tmp_path / "c"):
        asyncio.run(outer())
        weather.station("near")
    assert [found["request"]["tool_name"] for found in documents(tmp_path / "c")] == [
        "outer",
        "station",
    ]


# --- what cannot be recorded ----------------------------------------------------------------------


def test_an_argument_that_json_cannot_say_is_named(tmp_path: Path) -> None:
    """With what to do about it; the tool does not run."""
    count: Any = vcr_llm.recorded_tool(lambda filters: ran.append("x"))
    with (
        vcr_llm.use_cassette(tmp_path / "c"),
        pytest.raises(vcr_llm.ConfigurationError) as caught,
    ):
        count({"after": [1, object()]})
    assert str(caught.value) == (
        "<lambda>: the argument filters.after[1] is a builtins.object, which JSON cannot say. "
        "Leave it out of the recording with recorded_tool(exclude=['filters']), "
        "or give the tool what JSON can say."
    )
    assert ran == []


@pytest.mark.parametrize("value", [object(), float("nan"), {"a": {1, object()}}])
def test_an_answer_that_json_cannot_say_is_an_error(tmp_path: Path, value: object) -> None:
    """The call is not recorded, and nothing else is removed."""
    tool: Any = vcr_llm.recorded_tool(provider="p", name="tool")(lambda: value)
    with (
        vcr_llm.use_cassette(tmp_path / "c"),
        pytest.raises(vcr_llm.ConfigurationError, match=r"tool: the return value.*not recorded"),
    ):
        tool()
    assert not (tmp_path / "c").exists()


def test_an_item_that_json_cannot_say_is_an_error(tmp_path: Path) -> None:
    """What came before it is not recorded as if it were all."""

    @vcr_llm.recorded_tool
    def tool() -> Iterator[object]:
        yield 1
        yield object()

    with (
        vcr_llm.use_cassette(tmp_path / "c"),
        pytest.raises(vcr_llm.ConfigurationError, match=r"tool: item 1 is a builtins\.object"),
    ):
        list(tool())
    assert not (tmp_path / "c").exists()


def test_a_coroutine_that_a_function_gives_back_is_an_error(tmp_path: Path) -> None:
    """The coroutine function is what to decorate."""

    async def inner() -> int:
        return 1

    def outer() -> Any:
        return inner()

    tool = vcr_llm.recorded_tool(provider="p", name="tool")(outer)
    with (
        vcr_llm.use_cassette(tmp_path / "c"),
        pytest.raises(vcr_llm.ConfigurationError, match="gives back a coroutine"),
    ):
        tool()


def test_without_an_annotation_the_test_sees_json_now_and_later(tmp_path: Path) -> None:
    """And a warning that says how a model comes back as one."""

    @vcr_llm.recorded_tool
    def tool() -> Any:
        return [Place(name="Rome")]

    with vcr_llm.use_cassette(tmp_path / "c"):
        with pytest.warns(vcr_llm.VcrLlmWarning, match=r"weather\.Place, which its return") as told:
            live = tool()
        assert told[0].filename == __file__
    with vcr_llm.use_cassette(tmp_path / "c", record_mode="none"):
        assert tool() == live == [{"name": "Rome", "since": None}]


def test_a_class_that_changed_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    """Rather than an object that was never made."""
    with vcr_llm.use_cassette(tmp_path / "c"):
        weather.report(ROME)
    (path,) = (tmp_path / "c").iterdir()
    path.write_text(path.read_text("utf-8").replace('"degrees"', '"fahrenheit"'), "utf-8")
    with (
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none"),
        pytest.raises(
            vcr_llm.MalformedRecording, match="Reading any more: it has no fahrenheit"
        ) as caught,
    ):
        weather.report(ROME)
    assert caught.value.path == str(path)


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: vcr_llm.recorded_tool(3), "3 is no function"),  # type: ignore[call-overload]  # the point
    (lambda: vcr_llm.recorded_tool(partial(print)), "has no name; give it one"),
    (lambda: vcr_llm.recorded_tool(exclude=[1]), "exclude should be names"),  # type: ignore[list-item]  # the point
    (lambda: vcr_llm.recorded_tool(raises=["x"]), "raises should be classes"),  # type: ignore[list-item]  # the point
    (lambda: vcr_llm.recorded_tool(exclude=["no"])(lambda yes: yes), "no argument 'no'"),
]


@pytest.mark.parametrize(("decorate", "problem"), WRONG)
def test_a_wrong_decoration_is_told_at_once(decorate: Callable[[], object], problem: str) -> None:
    """Not when the tool is called for the first time."""
    with pytest.raises(vcr_llm.ConfigurationError, match=problem):
        decorate()


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
            weather.report(ROME)
