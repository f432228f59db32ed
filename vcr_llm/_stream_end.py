"""Whether a response whose client stopped reading was complete all the same.

SDKs stop at the event that says it is the last, and close the connection before the server does.
"""

from __future__ import annotations

import re

from vcr_llm._body import recognise_stream
from vcr_llm._event_stream import Syntax, parse_frame, split_frames
from vcr_llm._habits import NDJSON, SSE, Origin
from vcr_llm._headers import CONTENT_TYPE
from vcr_llm._interaction import Response, header
from vcr_llm._json import parse

_DONE = "[DONE]"
# The types of last events: Anthropic's, OpenAI's Responses and Assistants, Cohere's, Mistral's.
# SDKs raise an error that comes as an event, and read no further.
_LAST = frozenset(
    {
        "error",
        "message_stop",
        "response.completed",
        "response.failed",
        "response.incomplete",
        "message-end",
        "stream-end",
        "done",
        "conversation.response.done",
    }
)
_LAST_LINE = re.compile(r"[^\r\n]+(?=[\r\n]*\Z)")


def says_its_end(response: Response) -> bool:
    """Whether the last event that came is one after which none comes."""
    kind = recognise_stream(response.body, header(response.headers, CONTENT_TYPE), Origin("", ""))
    if kind == SSE:
        return _is_last_frame(list(split_frames(response.body))[-1:])
    if kind == NDJSON:
        line = _LAST_LINE.search(response.body.decode(errors="replace"))
        return line is not None and _says_last(line[0])
    return False


def _is_last_frame(frames: list[str]) -> bool:
    parsed = parse_frame(frames[0], Syntax()) if frames else None
    if parsed is None or not frames[0].endswith(("\n", "\r")):
        return False
    event = parsed[0]
    data = event.get("data") or ""
    return data.startswith(_DONE) or event.get("event") in _LAST or _says_last(data)


def _says_last(text: str) -> bool:
    """Whether a payload is a last one: by its type, as Ollama says it, or since it is an error."""
    try:
        payload = parse(text)
    except ValueError:
        return False
    match payload:
        case {"done": True}:
            return True
        case {"type": str(kind)} if kind in _LAST:
            return True
        case {"error": str() | dict() as error} if error:
            return True
        case _:
            return False
