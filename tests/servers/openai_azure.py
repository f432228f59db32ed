"""How Azure changes OpenAI's replies: other headers, other spacing, and filter results.

https://learn.microsoft.com/azure/ai-services/openai/reference
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from uuid import uuid4

from .loopback import Framing, Reply
from .openai_wire import DONE, JsonObject, dump, frame

_SAFE: JsonObject = {
    category: {"filtered": False, "severity": "safe"}
    for category in ("hate", "self_harm", "sexual", "violence")
}
_PROMPT_FILTER = [{"prompt_index": 0, "content_filter_results": _SAFE}]


def azure_reply(reply: Reply) -> Reply:
    """The same reply as Azure would send it."""
    if reply.framing is Framing.CHUNKED and DONE in reply.pieces:
        return replace(reply, pieces=(_first_frame(), *map(_azure_frame, _bytes(reply))))
    if ("Content-Type", "application/json") in reply.headers:
        return replace(reply, pieces=tuple(map(_azure_body, _bytes(reply))))
    return reply


def azure_headers() -> tuple[tuple[str, str], ...]:
    """The headers that Azure adds to each reply."""
    return (
        ("apim-request-id", str(uuid4())),
        ("x-ms-region", "Sweden Central"),
        ("x-ms-deployment-name", "vcr-llm"),
        ("x-ratelimit-remaining-requests", str(random.randrange(1, 1000))),
        ("x-ratelimit-remaining-tokens", str(random.randrange(1, 100_000))),
        ("x-request-id", str(uuid4())),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("x-content-type-options", "nosniff"),
    )


def _bytes(reply: Reply) -> list[bytes]:
    return [piece for piece in reply.pieces if isinstance(piece, bytes)]


def _first_frame() -> bytes:
    empty = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
    return frame({**empty, "prompt_filter_results": _PROMPT_FILTER})


def _azure_frame(piece: bytes) -> bytes:
    if piece == DONE:
        return piece
    event = json.loads(piece.removeprefix(b"data: "))
    event.pop("obfuscation", None)
    return frame({**event, "choices": [_filtered(choice) for choice in event["choices"]]})


def _azure_body(piece: bytes) -> bytes:
    value = json.loads(piece)
    if "choices" in value:
        value["choices"] = [_filtered(choice) for choice in value["choices"]]
        value["prompt_filter_results"] = _PROMPT_FILTER
    return f"{dump(value)}\n".encode()


def _filtered(choice: JsonObject) -> JsonObject:
    is_empty = choice.get("delta") == {}
    return {**choice, "content_filter_results": {} if is_empty else _SAFE}
