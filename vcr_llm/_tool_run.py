"""One call of a tool inside a cassette: it is played, or the tool runs and is recorded."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from vcr_llm._ending import Ending
from vcr_llm._errors import ConfigurationError, MalformedRecording, RecordingError, VcrLlmWarning
from vcr_llm._foreign import is_foreign
from vcr_llm._json import JSON
from vcr_llm._tool_call import ToolAnswer, ToolCall, ToolFailure
from vcr_llm._tool_failure import failure_of, raised_again
from vcr_llm._tool_signature import Tool
from vcr_llm._tool_values import adopted, as_labelled, labels_in, restored
from vcr_llm._tools_at_work import tool_at_work

if TYPE_CHECKING:
    from vcr_llm._cassette import RecordingCassette

_LONGEST_SILENCE = 60.0  # seconds
_OUR_LINES = 5  # frames between a warning and the line that called the tool


class ToolRun:
    """A call, matched against the cassette.

    Raises vcrpy's exception for a miss where the tool may not run.
    """

    def __init__(self, cassette: RecordingCassette, tool: Tool, call: ToolCall) -> None:
        self._cassette = cassette
        self._tool = tool
        self._call = call
        self._entry = cassette.tools.play(call, tool.defaults)

    # --- replaying ----------------------------------------------------------------------------

    @property
    def is_recorded(self) -> bool:
        """Whether a recording answers, so that the tool does not run."""
        return self._entry is not None

    @property
    def is_streaming(self) -> bool:
        """Whether the recorded answer came item by item."""
        return self._answer.is_streaming

    def value(self) -> Any:
        """What the tool gave back; raises what it raised."""
        answer = self._answer
        if answer.failure is not None:
            raise raised_again(answer.failure, self._tool.raises)
        return self._restored(answer.body)

    def items(self) -> Iterator[Any]:
        """What the tool gave back item by item; raises what it raised then."""
        for item in self._entries():
            yield self._restored(item)
        self._end()

    async def async_items(self) -> AsyncIterator[Any]:
        """As `items`, for tasks: others run between two items, as they do live."""
        from anyio import lowlevel, sleep  # which httpx brings, for asyncio and for trio

        for item in self._entries():
            await lowlevel.checkpoint()
            yield self._restored(item)
        ended = self._answer.ended
        if ended is not None and ended.is_cancelled:
            await sleep(_LONGEST_SILENCE)  # until the task is cancelled once more
        self._end()

    @property
    def _answer(self) -> ToolAnswer:
        if self._entry is None:
            raise AssertionError("nothing answers the call")
        return self._entry.answer

    def _entries(self) -> list[JSON]:
        """The items; a tool that gave back a list streams it now, one that failed gave none."""
        body = self._answer.body
        if isinstance(body, list):
            return body
        return [] if body is None else [body]

    def _end(self) -> None:
        """Raise what a caller meets behind the last recorded item, if anything."""
        answer = self._answer
        if answer.failure is not None:
            raise raised_again(answer.failure, self._tool.raises)
        if answer.ended is not None and self._entry is not None:
            raise self._cassette.tools.unrecorded_rest(self._entry)

    def _restored(self, value: JSON) -> Any:
        recording = None if self._entry is None else self._entry.recording
        kind = self._tool.returned_class
        try:
            if kind is not None and recording is not None and is_foreign(recording.document):
                return adopted(value, kind, self._tool.returned_classes())
            return restored(value, self._tool.returned_classes() if labels_in(value) else {})
        except MalformedRecording as error:
            if recording is None:
                raise
            raise error.at(recording.path) from error

    # --- recording ----------------------------------------------------------------------------

    def record(self, function: Callable[[], Any]) -> Any:
        """Run the tool and record what it gives back or raises."""
        try:
            with tool_at_work():
                value = function()
        except Exception as error:
            self._fail(error)
            raise
        if inspect.iscoroutine(value):
            value.close()
            msg = (
                f"{self._tool.name} gives back a coroutine; decorate the coroutine function itself"
            )
            raise ConfigurationError(msg)
        return self.record_items(value) if isinstance(value, Iterator) else self._given(value)

    async def record_async(self, function: Callable[[], Awaitable[Any]]) -> Any:
        """As `record`, for a coroutine."""
        try:
            with tool_at_work():
                value = await function()
        except Exception as error:
            self._fail(error)
            raise
        if isinstance(value, AsyncIterator):
            return self.record_async_items(value)
        return self._given(value)

    def record_items(self, items: Iterator[Any]) -> Iterator[Any]:
        """Run the tool item by item and record what comes until it ends or nobody reads on."""
        tape = _ToolTape(self)
        try:
            while True:
                try:
                    with tool_at_work():
                        item = next(items)
                except StopIteration:
                    tape.end()
                    return
                except Exception as error:
                    tape.end(failure_of(error))
                    raise
                yield tape.take(item)
        finally:
            tape.close()
            with tool_at_work():
                _close(items)

    async def record_async_items(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """As `record_items`, for an async generator."""
        tape = _ToolTape(self)
        try:
            while True:
                try:
                    with tool_at_work():
                        item = await anext(items)
                except StopAsyncIteration:
                    tape.end()
                    return
                except Exception as error:
                    tape.end(failure_of(error))
                    raise
                except BaseException:  # the task is cancelled
                    tape.close(is_cancelled=True)
                    raise
                yield tape.take(item)
        finally:
            tape.close()
            with tool_at_work():
                await _aclose(items)

    def encoded(self, value: object, place: str) -> tuple[JSON, Any]:
        """A value as it is recorded, and as a replay will give it.

        The latter is the value itself, unless JSON and the annotation cannot bring it back:
        then a test must see while it is recorded what it will see later.
        """
        try:
            encoded = as_labelled(value, place)
        except ConfigurationError as error:
            msg = (
                f"{self._tool.name}: {error}, so the call was not recorded. "
                "Let the tool give back a model, a dataclass or plain JSON."
            )
            raise ConfigurationError(msg) from None
        replayed = restored(encoded, self._tool.returned_classes())
        if _is_equal(replayed, value):
            return encoded, value
        lost = labels_in(encoded) - labels_in(as_labelled(replayed, place))
        if lost:
            msg = (
                f"{self._tool.name} gives back {', '.join(sorted(lost))}, which its return "
                "annotation does not name, so that a replay cannot make it again. The test gets "
                "plain JSON instead, now and on replay; name the class in the annotation."
            )
            warnings.warn(msg, VcrLlmWarning, stacklevel=_OUR_LINES)
        return encoded, replayed

    def save(self, answer: ToolAnswer) -> None:
        """Give the call to the cassette."""
        self._cassette.tools.record(self._call, self._tool.defaults, answer)

    @property
    def cassette(self) -> RecordingCassette:
        """The cassette that the call is made in."""
        return self._cassette

    def _given(self, value: object) -> Any:
        encoded, replayed = self.encoded(value, "the return value")
        self.save(ToolAnswer(encoded))
        return replayed

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, RecordingError | ConfigurationError):
            self.save(ToolAnswer(None, failure=failure_of(error)))


class _ToolTape:
    """What has come of a streaming tool; it is saved once, when the stream ends."""

    def __init__(self, run: ToolRun) -> None:
        self._run = run
        self._items: list[JSON] = []
        self._is_over = False
        run.cassette.tapes.add(self)

    def take(self, item: object) -> Any:
        """The next item, as a replay will give it."""
        try:
            encoded, replayed = self._run.encoded(item, f"item {len(self._items)}")
        except ConfigurationError:
            self._finish()  # what cannot be recorded whole is not recorded
            raise
        self._items.append(encoded)
        return replayed

    def end(self, failure: ToolFailure | None = None) -> None:
        """The tool has nothing more to give, or raised something."""
        self._save(ToolAnswer(self._items, is_streaming=True, failure=failure))

    def close(self, *, is_cancelled: bool = False) -> None:
        """Nobody reads on.

        In the middle of another recording this waits until that one is saved.
        """
        if not self._is_over and not self._run.cassette.turns.puts_off(self):
            self._save(
                ToolAnswer(self._items, is_streaming=True, ended=Ending(is_cancelled=is_cancelled))
            )

    def _save(self, answer: ToolAnswer) -> None:
        if not self._is_over:
            self._finish()
            self._run.save(answer)

    def _finish(self) -> None:
        self._is_over = True
        self._run.cassette.tapes.discard(self)


def _is_equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - somebody's comparison, which may want anything
        return False


def _close(items: Any) -> None:
    if hasattr(items, "close"):
        items.close()


async def _aclose(items: Any) -> None:
    if hasattr(items, "aclose"):
        await items.aclose()
