"""An interaction <-> the document that a recording holds.

The documented keys are always there, in their order. The extensions follow them and are written
only where the exchange needs them. Keys that are not known here are somebody's and are left to
whoever holds the document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from vcr_llm._body import (
    ResponseBody,
    as_good,
    decode_request_body,
    decode_response_events,
    encode_request_body,
    encode_response_body,
    implied_content_type,
)
from vcr_llm._ending import decode_ending, encode_ending
from vcr_llm._errors import MalformedRecording
from vcr_llm._foreign import Document, as_documented
from vcr_llm._habits import STREAM_KINDS, Origin, is_implied, stream_kind
from vcr_llm._headers import (
    CONTENT_ENCODING,
    CONTENT_TYPE,
    Pattern,
    decode_headers,
    encode_headers,
    is_named,
    named,
    worth_keeping,
)
from vcr_llm._interaction import (
    Headers,
    Interaction,
    Request,
    Response,
    header,
    split_url,
    standard_reason,
)
from vcr_llm._json import JSON, MAX_DOCUMENT_DEPTH, Deferred, parse
from vcr_llm._stream_body import with_implied_done, without_implied_done
from vcr_llm._tagged import BYTES, tag_of, untag_json
from vcr_llm._timing import decode_timing, encode_timing

# Azure and Bedrock have it before further segments, Gemini and OpenAI before a verb or the end;
# what hubs have there has two segments.
_MODEL_IN_PATH = re.compile(r"/(?:(?:deployments|model|engines)/([^/:]+)|models/([^/:]+)(?=:|$))")
_OK = 200


def to_document(
    interaction: Interaction,
    *,
    keep_request_headers: Sequence[Pattern] = (),
    keep_response_headers: Sequence[Pattern] = (),
) -> Document:
    """The document of an interaction; `from_document` gives the interaction back.

    What does not come back: request headers that are not kept, response headers that are noise,
    and the spelling of the request's body.
    """
    request = request_document(interaction.request, keep_request_headers)
    origin = Origin.of(interaction.request.url, interaction.request.path)
    return {
        "test_id": interaction.test_id,
        "request": request,
        "response": response_document(interaction.response, origin, keep_response_headers),
    }


def request_document(request: Request, keep_headers: Sequence[Pattern] = ()) -> Document:
    """The ``request`` of a document."""
    content_type = header(request.headers, CONTENT_TYPE)
    body = encode_request_body(request.body, content_type)
    kept = encode_headers(named(request.headers, keep_headers))
    if body is not None and content_type is None and is_named(CONTENT_TYPE, keep_headers):
        kept[CONTENT_TYPE] = None
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(kept),
        "body": body,
        "endpoint": request.path,
        "model": model_of(body, request.path),
    }


def response_document(
    response: Response, origin: Origin, keep_headers: Sequence[Pattern] = ()
) -> Document:
    """The ``response`` of a document."""
    content_type = header(response.headers, CONTENT_TYPE)
    content = encode_response_body(response.body, content_type, origin)
    document: Document = {"body": content.value, "is_streaming": content.kind is not None}
    if response.status != _OK:
        document["status"] = response.status
    if response.reason != standard_reason(response.status):
        document["reason"] = response.reason
    if headers := _headers_to_keep(response.headers, content, keep_headers):
        document["headers"] = headers
    framing = content.framing
    if response.ended is not None:
        framing = without_implied_done(framing, content.kind, origin)
    if framing:
        document["framing"] = framing
    if response.ended is not None:
        document["ended"] = encode_ending(response.ended)
    pieces = decode_response_events(content, origin) if response.arrivals else ()
    if timing := encode_timing(map(len, pieces), response.arrivals):
        document["timing"] = timing
    return document


def model_of(body: JSON, path: str) -> str | None:
    """The model that was asked for: in the body, in a form's field, or in the URL's path."""
    fields = untag_json(body)
    if tag_of(body) is None and isinstance(fields, dict) and isinstance(fields.get("model"), str):
        return str(fields["model"])
    for field in fields if isinstance(fields, list) else ():
        match field:
            case ["model", str(model)] | {"name": "model", "body": {"__data__": str(model)}}:
                return model
            case _:
                pass
    named = _MODEL_IN_PATH.search(path)
    return unquote(named[1] or named[2]) if named else None


def from_document(document: Document) -> Interaction:
    """The interaction that a document holds.

    Raises MalformedRecording, which names the place, where it holds none.
    """
    head, events = played_response(document)
    response = replace(head, body=b"".join(events))
    return Interaction(request_of(document), response, test_id_of(document))


def check_document(document: Document) -> None:
    """Raise MalformedRecording, which names the place, where a document holds no interaction."""
    response, content, origin = _response_parts(document)
    if response.get("timing") is None:
        content = as_good(content)
    _ = _played(response, content, origin), request_of(document), test_id_of(document)


def written_request(document: Document) -> Document:
    """The ``request`` as it is written; raises MalformedRecording where there is none."""
    return _object(as_documented(document), "request")


def request_of(document: Document) -> Request:
    """The request that a document holds, its body in a canonical spelling.

    Raises MalformedRecording where a part of it is missing or of the wrong type.
    """
    request = written_request(document)
    method, url = _string(request, "method", "request"), _url(request)
    if "body" not in request:
        raise _missing("request.body")
    stored = request.get("headers") or {}
    headers = decode_headers(stored, "request.headers")
    body, content_type = decode_request_body(request["body"], header(headers, CONTENT_TYPE))
    said = isinstance(stored, dict) and any(name.lower() == CONTENT_TYPE for name in stored)
    if content_type is not None and not said:
        headers = (*headers, (CONTENT_TYPE, content_type))
    return Request(method, url, headers, body)


def played_response(document: Document) -> tuple[Response, list[bytes]]:
    """The response without its body, and the bytes of the body event by event; none is empty.

    Raises MalformedRecording, which names the place, where the document holds none.
    """
    return _played(*_response_parts(document))


def _played(
    response: Document, content: ResponseBody, origin: Origin
) -> tuple[Response, list[bytes]]:
    events = list(filter(None, decode_response_events(content, origin)))
    status = response.get("status", _OK)
    reason = response.get("reason")
    if not isinstance(status, int) or isinstance(status, bool):
        raise _wrong("response.status", "an integer such as 200")
    if reason is not None and not isinstance(reason, str):
        raise _wrong("response.reason", "a string")
    timing = response.get("timing")
    head = Response(
        status,
        standard_reason(status) if reason is None else reason,
        _response_headers(response, content),
        ended=decode_ending(response.get("ended")),
        arrivals=() if timing is None else decode_timing(map(len, events), timing),
    )
    return head, events


def test_id_of(document: Document) -> str | None:
    """The test that made the recording, None where it says none."""
    test_id = document.get("test_id")
    if test_id is not None and not isinstance(test_id, str):
        raise _wrong("test_id", "a string or null")
    return test_id


def parse_document(text: str) -> Document:
    """The JSON object of a recording's text.

    Raises MalformedRecording, which says in which line and column, and what was expected.
    """
    if text.startswith("\ufeff"):
        msg = "begins with a byte order mark, which JSON does not have; save it without one"
        raise MalformedRecording(msg)
    if not text or text.isspace():
        msg = "is empty, where a recording (a JSON object) was expected"
        raise MalformedRecording(msg)
    try:
        value = parse(text, max_depth=MAX_DOCUMENT_DEPTH)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        msg = f"is not valid JSON: {place}: {error.msg}"
        raise MalformedRecording(msg) from None
    except ValueError as error:
        msg = f"is no recording: {error}"
        raise MalformedRecording(msg) from None
    if not isinstance(value, dict):
        found = "a list" if isinstance(value, list) else "a single value"
        msg = f"holds {found}, where a recording (a JSON object) was expected"
        raise MalformedRecording(msg)
    return value


def _headers_to_keep(headers: Headers, content: ResponseBody, keep: Sequence[Pattern]) -> Document:
    implied = implied_content_type(content)
    content_types = [value for name, value in headers if name.lower() == CONTENT_TYPE]
    says_nothing = len(content_types) == 1 and is_implied(content_types[0], implied)
    kept = encode_headers(
        tuple(
            (name, value)
            for name, value in worth_keeping(headers, keep)
            if name.lower() != CONTENT_TYPE or is_named(name, keep) or not says_nothing
        )
    )
    if implied is not None and not content_types:
        kept[CONTENT_TYPE] = None
    return kept


def _response_headers(response: Document, content: ResponseBody) -> Headers:
    stored = response.get("headers", {})
    headers = decode_headers(stored, "response.headers")
    if tag_of(content.value) != BYTES:  # what is readable here is not encoded any more
        headers = tuple(pair for pair in headers if pair[0].lower() != CONTENT_ENCODING)
    said = isinstance(stored, dict) and any(name.lower() == CONTENT_TYPE for name in stored)
    implied = None if said else implied_content_type(content)
    return headers if implied is None else ((CONTENT_TYPE, implied), *headers)


def _response_parts(document: Document) -> tuple[Document, ResponseBody, Origin]:
    """The ``response`` of a document, its body, and where that is from."""
    response = _object(as_documented(document), "response")
    if "body" not in response:
        raise _missing("response.body")
    is_streaming = response.get("is_streaming")
    if not isinstance(is_streaming, bool):
        if is_streaming is None:
            raise _missing("response.is_streaming")
        raise _wrong("response.is_streaming", "true or false")
    framing = response.get("framing", {})
    if not isinstance(framing, dict):
        raise _wrong("response.framing", "an object")
    if response.get("ended") is not None:
        framing = with_implied_done(framing)
    origin = _origin(document)
    kind = _kind(response, framing, origin) if is_streaming else None
    body = response["body"]
    content = ResponseBody(list(body) if isinstance(body, Deferred) else body, framing, kind)
    return response, content, origin


def _kind(response: Document, framing: Document, origin: Origin) -> str:
    headers = decode_headers(response.get("headers", {}), "response.headers")
    kind = framing.get("kind") or stream_kind(header(headers, CONTENT_TYPE), origin)
    if kind not in STREAM_KINDS:
        raise _wrong("response.framing.kind", f"one of {', '.join(STREAM_KINDS)}")
    return str(kind)


def _origin(document: Document) -> Origin:
    url = _url(written_request(document))
    return Origin.of(url, split_url(url).path)


def _url(request: Document) -> str:
    url = _string(request, "url", "request")
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise _wrong("request.url", f"a URL ({error})") from None
    return url


def _object(container: Document, key: str) -> Document:
    value = container.get(key)
    if value is None:
        raise _missing(key)
    if not isinstance(value, dict):
        raise _wrong(key, "an object")
    return value


def _string(container: Document, key: str, place: str) -> str:
    value = container.get(key)
    if value is None:
        raise _missing(f"{place}.{key}")
    if not isinstance(value, str):
        raise _wrong(f"{place}.{key}", "a string")
    return value


def _missing(place: str) -> MalformedRecording:
    return MalformedRecording(f"{place} is missing")


def _wrong(place: str, expected: str) -> MalformedRecording:
    return MalformedRecording(f"{place} should be {expected}")
