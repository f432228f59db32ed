"""What each provider's bodies usually look like, so that a document says only what is unusual.

Measured on public recordings: OpenAI indents its JSON by two and, but for the Responses API, ends
it with a line break; Azure, Groq and most others write compact JSON; Google indents, and streams
with CRLF. Nothing here can make a body wrong: the writer compares, and what differs from the
habit is written into ``response.framing``.
"""

from __future__ import annotations

from typing import NamedTuple

from vcr_llm._interaction import split_url

SSE = "sse"
NDJSON = "ndjson"
JSON_ARRAY = "json-array"
AWS = "aws-event-stream"
STREAM_KINDS = (SSE, NDJSON, JSON_ARRAY, AWS)
"""Server-sent events, JSON lines, a JSON array sent in pieces, Amazon's event stream."""

_CONTENT_TYPES = {
    "text/event-stream": SSE,
    "application/x-ndjson": NDJSON,
    "application/ndjson": NDJSON,
    "application/jsonl": NDJSON,
    "application/jsonlines": NDJSON,
    "application/stream+json": NDJSON,
    "application/vnd.amazon.eventstream": AWS,
}
_USUAL_CONTENT_TYPE = {
    SSE: "text/event-stream; charset=utf-8",
    NDJSON: "application/x-ndjson",
    JSON_ARRAY: "application/json",
    AWS: "application/vnd.amazon.eventstream",
}
_AWS_STREAMS = ("/converse-stream", "/invoke-with-response-stream")
_OLLAMA_STREAMS = ("/api/chat", "/api/generate", "/api/pull", "/api/push", "/api/create")
_CLOSED_BY_DONE = ("/completions", "/v2/chat")  # OpenAI's and all that speak like it; Cohere's
_GOOGLE = (".googleapis.com",)
_COMPACT_WITH_LINE_BREAK = (".openai.azure.com", ".cognitiveservices.azure.com", "api.groq.com")


class Origin(NamedTuple):
    """Where a body comes from, as far as its looks depend on it."""

    host: str
    path: str
    query: str = ""

    @classmethod
    def of(cls, url: str, path: str) -> Origin:
        """The origin of a URL, with its path as the document's ``endpoint`` has it."""
        parts = split_url(url)
        return cls((parts.hostname or "").lower(), path, parts.query)


class JSONHabit(NamedTuple):
    """A layout of `vcr_llm._json` and what follows the value."""

    layout: str
    end: str


class StreamHabit(NamedTuple):
    """Line ends and JSON layout of a stream, and whether ``data: [DONE]`` closes it."""

    line_end: str
    layout: str
    done: bool


def json_habit(origin: Origin) -> JSONHabit:
    """How a JSON body from there is usually laid out."""
    host, path, _query = origin
    if host == "api.openai.com":
        return JSONHabit("indent-2", "" if "/responses" in path else "\n")
    if host.endswith(_GOOGLE):
        return JSONHabit("indent-2", "\n")
    if host.endswith(_COMPACT_WITH_LINE_BREAK):
        return JSONHabit("compact", "\n")
    return JSONHabit("compact", "")


def stream_habit(origin: Origin) -> StreamHabit:
    """How a stream of events from there is usually written."""
    host, path, _query = origin
    if host.endswith(_GOOGLE) and not path.endswith("/completions"):
        return StreamHabit("\r\n", "colon-spaced", done=False)
    return StreamHabit("\n", "compact", done=path.endswith(_CLOSED_BY_DONE))


def stream_kind(content_type: str | None, origin: Origin) -> str:
    """The kind of stream that a content type, or where there is none the origin, stands for."""
    known = _CONTENT_TYPES.get(essence(content_type))
    if known is not None:
        return known
    if origin.path.endswith(_AWS_STREAMS):
        return AWS
    if is_json_array(origin):
        return JSON_ARRAY
    return NDJSON if origin.path in _OLLAMA_STREAMS else SSE


def is_json_array(origin: Origin) -> bool:
    """Whether Gemini streams from there as an array, which it does unless asked for events."""
    return origin.path.endswith(":streamGenerateContent") and "alt=sse" not in origin.query


def stream_kind_of_content_type(content_type: str | None) -> str | None:
    """The kind of stream that a content type names, or None if it names none."""
    return _CONTENT_TYPES.get(essence(content_type))


def usual_content_type(kind: str) -> str:
    """The content type that a stream of this kind comes with."""
    return _USUAL_CONTENT_TYPE[kind]


def essence(content_type: str | None) -> str:
    """A content type without its parameters, in lower case (MIME Sniffing, 4.2)."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_implied(content_type: str, usual: str | None) -> bool:
    """Whether a body that usually comes as ``usual`` says this content type by itself.

    UTF-8 is what all of them mean, whether they name it or not.
    """
    if usual is None or essence(content_type) != essence(usual):
        return False
    parameters = content_type.partition(";")[2].strip().lower().replace('"', "")
    return parameters in ("", "charset=utf-8")
