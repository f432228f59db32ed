"""Recordings and their parts, short to write, for the tests of conversations."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from vcr_llm._conversation import (
    Answer,
    Conversation,
    Media,
    Message,
    Part,
    Text,
    conversation_of,
)

CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
MESSAGES = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0"


def digest(content: bytes) -> str:
    """The beginning of the SHA-256."""
    return hashlib.sha256(content).hexdigest()[:8]


def digest_of(value: Any) -> str:
    """The digest of a value, by its text as a recording would have it."""
    return digest(f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode())


PNG = b"\x89PNG\r\n\x1a\n"
PNG_TEXT = base64.b64encode(PNG).decode()
IMAGE = Media("image", "image/png", size=len(PNG), digest=digest(PNG))
WEATHER: Any = {"type": "object", "properties": {"city": {"type": "string"}}}
HELLO = Message("user", (Text("Hello"),))


def recording(
    body: Any = None, answer: Any = None, *, url: str = CHAT, **response: Any
) -> dict[str, Any]:
    """A document; a list as the answer is a stream's entries."""
    path = "/" + url.partition("://")[2].partition("/")[2]
    request = {"method": "POST", "url": url, "headers": {}, "body": body, "endpoint": path}
    head = {"body": answer, "is_streaming": isinstance(answer, list)}
    model = body.get("model") if isinstance(body, dict) else None
    return {
        "test_id": None,
        "request": {**request, "model": model},
        "response": {**head, **response},
        "recorded_at": "2026-01-01T00:00:00Z",
    }


def read(body: Any = None, answer: Any = None, *, url: str = CHAT, **response: Any) -> Conversation:
    """The conversation in a recording."""
    return conversation_of(recording(body, answer, url=url, **response))


def parts(content: Any) -> tuple[Part, ...]:
    """What the content of a message says."""
    (message,) = read({"model": "m", "messages": [{"role": "user", "content": content}]}).messages
    return message.parts


def event(name: str, payload: Any) -> dict[str, Any]:
    """An entry whose event has a name beside its payload."""
    return {"__data__": payload, "__event__": name}


def only(conversation: Conversation) -> Answer:
    """The answer, of which there is one."""
    (answer,) = conversation.answers
    return answer


FILE = Media("file", "application/pdf", size=3, digest=digest(b"pdf"))
PDF = base64.b64encode(b"pdf").decode()


def chunk(delta: dict[str, Any], reason: str | None = None, index: int = 0) -> dict[str, Any]:
    """An event of a streamed chat."""
    return {"choices": [{"index": index, "delta": delta, "finish_reason": reason}]}
