"""Documents of the system whose shape this one carries over, read as they are.

It recorded at the SDK's methods instead of on the wire, so its documents say some things
differently: `as_documented` tells the same exchange the way HTTP had it. A document of our own
comes back as it is.
"""

from __future__ import annotations

from vcr_llm._interaction import split_url
from vcr_llm._json import JSON
from vcr_llm._tagged import tag_of, untag_json

Document = dict[str, JSON]

TOOL_SCHEME = "tool"

_LISTINGS = ("/models", "/api/tags", "/api/ps", "/api/version")
_SDK_ONLY = ("extra_headers", "extra_query", "extra_body", "timeout")


def as_documented(document: Document) -> Document:
    """The document in the documented shape, as the wire would have had the exchange."""
    request, response = document.get("request"), document.get("response")
    if not (isinstance(request, dict) and isinstance(response, dict)):
        return document
    if "tool_name" in request and "method" not in request:
        return {**document, "request": _tool_request(request)}
    if "payload" in request and "body" not in request:
        return {**document, "request": {**request, "body": request["payload"]}}
    if "recorded_at" in document:
        return document
    request = _wire_request(request)
    return {**document, "request": request, "response": _wire_response(request, response)}


def is_tool_call(document: Document) -> bool:
    """Whether the document holds the call of a tool instead of an HTTP exchange."""
    request = document.get("request")
    return isinstance(request, dict) and "tool_name" in request


def is_foreign(document: Document) -> bool:
    """Whether another system made the recording: ours say when."""
    return "recorded_at" not in document


def is_http_exchange(document: Document) -> bool:
    """Whether a server answered: neither a tool call nor an error before any response."""
    response = document.get("response")
    if is_tool_call(document):
        return False
    if not isinstance(response, dict):  # then it should be one, which reading it will say
        return True
    return not response.get("is_exception") or _status_of(response) is not None


def _tool_request(request: Document) -> Document:
    provider, name = request.get("provider"), request.get("tool_name")
    return {
        "method": "CALL",
        "url": f"{TOOL_SCHEME}://{provider}/{name}",
        "headers": {},
        "body": request.get("kwargs"),
        "endpoint": f"/{name}",
        "model": None,
    }


def _wire_request(request: Document) -> Document:
    url, endpoint, body = request.get("url"), request.get("endpoint"), request.get("body")
    if not isinstance(url, str):
        return request
    path = split_url(url).path
    if not isinstance(endpoint, str):
        endpoint = path
    wire_path, wire_body = path, body
    if path != endpoint and path.endswith(endpoint):
        # The SDK's base URL ends in /v1 (or what a provider has instead), the endpoint begins so.
        wire_path = path.removesuffix(endpoint) + endpoint.removeprefix("/v1")
        wire_body = _openai_body(body, endpoint)
    elif endpoint.startswith("/api/") and isinstance(body, dict):
        wire_path, wire_body = _ollama_request(endpoint, body)
    method = request.get("method")
    if body == {} and endpoint.endswith(_LISTINGS):
        method, wire_body = "GET", None
    return {
        **request,
        "method": method,
        "url": url.replace(path, wire_path, 1) if path else url,
        "body": wire_body,
        "endpoint": wire_path,
    }


def _openai_body(body: JSON, endpoint: str) -> JSON:
    """The body that openai's client makes of its method's arguments."""
    if not isinstance(body, dict):
        return body
    wire = {key: value for key, value in body.items() if key not in _SDK_ONLY}
    extra = body.get("extra_body")
    if isinstance(extra, dict):
        wire |= extra
    if endpoint.endswith("/embeddings"):
        wire.setdefault("encoding_format", "base64")
    return wire


def _ollama_request(endpoint: str, body: Document) -> tuple[str, JSON]:
    """The path and the body that ollama's client makes of its method's arguments."""
    wire: Document = {key: value for key, value in body.items() if value is not None}
    if endpoint == "/api/embeddings" and "input" in wire:
        endpoint = "/api/embed"
    if endpoint == "/api/chat":
        wire.setdefault("tools", [])
    if endpoint in ("/api/chat", "/api/generate", "/api/pull"):
        wire.setdefault("stream", False)
    return endpoint, wire


def _wire_response(request: Document, response: Document) -> Document:
    if response.get("is_exception"):
        return _error_response(response)
    body = response.get("body")
    if response.get("is_streaming") is False and isinstance(body, list):
        if body and all(tag_of(item) == "openai.types.model.Model" for item in body):
            return {**response, "body": _envelope(body)}
        if not body and str(request.get("endpoint")).endswith("/models"):
            return {**response, "body": _envelope(body)}
    return response


def _envelope(models: list[JSON]) -> JSON:
    return {"object": "list", "data": [untag_json(model) for model in models]}


def _status_of(response: Document) -> int | None:
    details = response.get("exception_data")
    status = details.get("status_code") if isinstance(details, dict) else None
    return status if isinstance(status, int) else None


def _error_response(response: Document) -> Document:
    """The answer behind a recorded SDK exception; what the stream gave before it stays."""
    details = response.get("exception_data")
    error = details if isinstance(details, dict) else {}
    message = error.get("message") or response.get("exception_message")
    body = error.get("body") or {"message": message}
    if not (isinstance(body, dict) and "error" in body):
        body = {"error": body}
    events = response.get("body")
    if response.get("is_streaming") and isinstance(events, list) and events:
        return {**response, "body": [*events, body], "framing": {"done": False}}
    status = _status_of(response) or 500
    return {**response, "body": body, "is_streaming": False, "status": status}
