"""The call of a tool and what came of it <-> the document that a recording holds.

The shape is that of the carried-over system: ``request`` has ``test_id``, ``provider``,
``tool_name`` and ``kwargs`` where an HTTP exchange has a method and a URL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from vcr_llm._document import test_id_of
from vcr_llm._ending import Ending, decode_ending, encode_ending
from vcr_llm._errors import MalformedRecording
from vcr_llm._foreign import Document
from vcr_llm._json import JSON, render
from vcr_llm._request_key import IgnoredPath, normalized_body

Arguments = dict[str, JSON]


class ToolCall(NamedTuple):
    """Which tool was called, and its arguments by their names."""

    provider: str
    tool_name: str
    kwargs: Arguments


class ToolFailure(NamedTuple):
    """An exception: the name of its type, what it says, and its arguments where these say more."""

    type_name: str
    message: str
    arguments: list[JSON] | None = None


class ToolAnswer(NamedTuple):
    """What a tool gave back: one value, or a list of them where it is streaming.

    A stream that failed has the items that came before. ``ended`` says that the caller did not
    want the rest of it.
    """

    body: JSON
    is_streaming: bool = False
    failure: ToolFailure | None = None
    ended: Ending | None = None


class ToolKey(NamedTuple):
    """What decides a match. ``arguments`` is a digest of the normalised arguments."""

    provider: str
    tool_name: str
    arguments: str


def tool_key(
    call: ToolCall, *, defaults: Mapping[str, JSON], ignore: Sequence[IgnoredPath] = ()
) -> ToolKey:
    """The key of a call whose secrets are taken out.

    An argument that has its default may as well be missing, so that a tool which gets a new one
    still finds its recordings.
    """
    given = compared_arguments(call.kwargs, ignore)
    usual = compared_arguments(defaults, ignore)
    decisive: JSON = {
        name: value
        for name, value in given.items()
        if name not in usual or render(usual[name]) != render(value)
    }
    digest = hashlib.sha256(render(decisive).encode()).hexdigest()
    return ToolKey(call.provider, call.tool_name, digest)


def compared_arguments(kwargs: Mapping[str, JSON], ignore: Sequence[IgnoredPath] = ()) -> Arguments:
    """The arguments as matching sees them: by value, as a request's body."""
    normal = normalized_body(dict(kwargs), ignore)
    return normal if isinstance(normal, dict) else {}


# --- documents --------------------------------------------------------------------------------


def tool_document(call: ToolCall, answer: ToolAnswer, test_id: str | None) -> Document:
    """The document of a call; `call_of` and `answer_of` give it back."""
    response: Document = {"body": answer.body, "is_streaming": answer.is_streaming}
    if answer.ended is not None:
        response["ended"] = encode_ending(answer.ended)
    if answer.failure is not None:
        response["is_exception"] = True
        response["exception_data"] = _encoded_failure(answer.failure)
    request: Document = {"test_id": test_id, **call._asdict()}
    return {"test_id": test_id, "request": request, "response": response}


def call_of(document: Document) -> ToolCall:
    """The call that a document holds.

    Raises MalformedRecording, which names the place, where it holds none.
    """
    request = document.get("request")
    if not isinstance(request, dict):
        raise _wrong("request", "an object")
    kwargs = request.get("kwargs")
    if kwargs is not None and not isinstance(kwargs, dict):
        raise _wrong("request.kwargs", "an object, the arguments by their names")
    return ToolCall(_name(request, "provider"), _name(request, "tool_name"), kwargs or {})


def answer_of(document: Document) -> ToolAnswer:
    """What came of the call that a document holds.

    Raises MalformedRecording, which names the place, where it does not say.
    """
    response = document.get("response")
    if not isinstance(response, dict):
        raise _wrong("response", "an object")
    failure = _decoded_failure(response) if response.get("is_exception") is True else None
    if failure is None and "body" not in response:
        raise MalformedRecording("response.body is missing")
    body = response.get("body")
    is_streaming = response.get("is_streaming", False)
    if not isinstance(is_streaming, bool):
        raise _wrong("response.is_streaming", "true or false")
    if is_streaming and not isinstance(body, list):
        raise _wrong("response.body", "a list, one entry for each item")
    return ToolAnswer(body, is_streaming, failure, decode_ending(response.get("ended")))


def check_tool_document(document: Document) -> None:
    """Raise MalformedRecording, which names the place, where a document holds no call."""
    _ = call_of(document), answer_of(document), test_id_of(document)


def _encoded_failure(failure: ToolFailure) -> Document:
    data: Document = {"type": failure.type_name, "message": failure.message}
    return data if failure.arguments is None else {**data, "args": failure.arguments}


def _decoded_failure(response: Document) -> ToolFailure:
    """The failure in a response; others name the message beside ``exception_data``, too."""
    data = response.get("exception_data")
    told = data if isinstance(data, dict) else {}
    message = told.get("message", response.get("exception_message"))
    arguments = told.get("args")
    return ToolFailure(
        str(told.get("type") or "Exception"),
        "" if message is None else str(message),
        arguments if isinstance(arguments, list) else None,
    )


def _name(request: Document, key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str):
        raise _wrong(f"request.{key}", "a string")
    return value


def _wrong(place: str, expected: str) -> MalformedRecording:
    return MalformedRecording(f"{place} should be {expected}")
