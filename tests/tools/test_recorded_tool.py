"""What `recorded_tool` records of a function and gives back, and what it refuses."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import vcr_llm
from tests.tools import weather
from tests.tools.scenarios import documents, raised, recorded_then_played
from tests.tools.weather import Office, Place, StationDownError, ran

# --- every kind of function -------------------------------------------------------------------


async def _async_items(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


KINDS: dict[str, Callable[[], Any]] = {
    "function": lambda: weather.report(weather.ROME, 2, "sat", wind=True),
    "coroutine": lambda: asyncio.run(weather.forecast(weather.ROME)),
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
        weather.report(weather.ROME, 1, "sat", wind=0.5)
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
        weather.report(weather.ROME)
    (path,) = (tmp_path / "c").iterdir()
    path.write_text(path.read_text("utf-8").replace('"degrees"', '"fahrenheit"'), "utf-8")
    with (
        vcr_llm.use_cassette(tmp_path / "c", record_mode="none"),
        pytest.raises(
            vcr_llm.MalformedRecording, match="Reading any more: it has no fahrenheit"
        ) as caught,
    ):
        weather.report(weather.ROME)
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
