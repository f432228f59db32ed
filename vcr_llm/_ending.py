"""How a response ended, where that was not as usual <-> ``response.ended``."""

from __future__ import annotations

from dataclasses import dataclass

from vcr_llm._errors import MalformedRecording
from vcr_llm._json import JSON

_CLIENT = "client"
_ERROR = "error"


@dataclass(frozen=True, slots=True)
class Ending:
    """The client closed the stream, or an error cut it.

    ``error`` is the name of the exception that the HTTP client raised, None where it was the
    client that did not want to read on; ``is_cancelled`` says that the task which read was
    cancelled. ``has_response`` is false where the error came before the server had answered.
    """

    error: str | None = None
    message: str = ""
    has_response: bool = True
    is_cancelled: bool = False


def encode_ending(ending: Ending) -> dict[str, JSON]:
    """The value of ``response.ended``."""
    if ending.error is None:
        return {"by": _CLIENT, "cancelled": True} if ending.is_cancelled else {"by": _CLIENT}
    value: dict[str, JSON] = {"by": _ERROR, "type": ending.error, "message": ending.message}
    return value if ending.has_response else {**value, "before_response": True}


def decode_ending(value: JSON) -> Ending | None:
    """The ending that a document names, None where it names none.

    Raises MalformedRecording where it makes no sense.
    """
    match value:
        case None:
            return None
        case {"by": "client", **more}:
            return Ending(is_cancelled=more.get("cancelled") is True)
        case {"by": "error", "type": str(error), "message": str(message), **more}:
            return Ending(error, message, has_response=more.get("before_response") is not True)
        case _:
            msg = (
                'response.ended should be {"by": "client"} or '
                '{"by": "error", "type": "ReadTimeout", "message": "…"}'
            )
            raise MalformedRecording(msg)
