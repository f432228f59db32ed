"""``--vcr-llm-verify``: a cassette's requests are sent again, and the answers compared by shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from vcr_llm._conversation.exchange import exchange_of
from vcr_llm._conversation.members import at
from vcr_llm._entry import Entry
from vcr_llm._foreign import Document
from vcr_llm._interaction import Headers, Interaction
from vcr_llm._network_watch import exchange_under_way
from vcr_llm._options import Options
from vcr_llm._recording import new_recording
from vcr_llm._redaction import Redaction
from vcr_llm._shape import differences
from vcr_llm._vcrpy import VcrResponse, from_vcrpy

_TOO_MANY_REQUESTS = 429  # RFC 6585, 4
_SERVER_ERROR = 500  # RFC 9110, 15.6: from here on it is the server that has failed


class Drift:
    """What the server answers now, beside what one cassette has recorded of it."""

    def __init__(self, options: Options) -> None:
        self.compared = 0
        self.found: list[tuple[str, str]] = []
        """The recordings that differ, by path, and what is said of each; one for a difference."""
        self._options = options
        self._sent: set[Entry] = set()

    def next(self, matching: Iterable[Entry]) -> Entry | None:
        """The first of the recordings of a request that was not compared yet, if it is to be.

        What was a passing trouble of the server, or an error instead of an answer, says nothing
        about the shape of answers.
        """
        entry = next((one for one in matching if one not in self._sent), None)
        if entry is None:
            return None
        self._sent.add(entry)
        return None if _is_trouble(self._document(entry)) else entry

    def compare(self, entry: Entry, answered: Interaction, sent_headers: Headers) -> None:
        """Note where an answer has another shape than the recorded one."""
        self.compared += 1
        now = new_recording(answered, self._options, secret_headers=sent_headers).document
        for difference in differences(exchange_of(self._document(entry)), exchange_of(now)):
            self._note(entry, str(difference))

    def unanswered(self, entry: Entry, error: Exception) -> None:
        """Note that a request could not be sent, or had no answer."""
        self._note(entry, f"was not answered: {type(error).__name__}: {error}")

    def _document(self, entry: Entry) -> Document:
        if entry.recording is not None:
            return entry.recording.document
        return new_recording(from_vcrpy(entry.request, entry.response), self._options).document

    def _note(self, entry: Entry, said: str) -> None:
        path = "an old cassette" if entry.recording is None else entry.recording.path.absolute()
        self.found.append((str(path), Redaction(self._options.redact).text(said)))


class SentAgain:
    """The context in which a request is sent; its answer is compared when the context is left.

    An error of the client or of its network is noted, and does not reach the test.
    """

    def __init__(self, settle: Callable[[VcrResponse | Exception], None]) -> None:
        self.answer: VcrResponse | None = None
        self.settle = settle
        self._under_way = ExitStack()

    def __enter__(self) -> Self:
        self._under_way.enter_context(exchange_under_way())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._under_way.close()
        result = self.answer if error is None else error
        if isinstance(result, dict | Exception):
            self.settle(result)
        return isinstance(error, Exception)


def _is_trouble(document: Document) -> bool:
    status = exchange_of(document).status or 0
    has_no_answer = at(document, "response", "ended", "before_response") is True
    return has_no_answer or status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR
