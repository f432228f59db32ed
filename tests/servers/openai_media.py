"""Embeddings, moderations, images, audio and models.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import base64
import hashlib
import random
import struct
from typing import Any

from .loopback import Framing, Reply
from .openai_answers import tokens
from .openai_wire import (
    DONE,
    ApiError,
    JsonObject,
    Part,
    bytes_reply,
    frame,
    json_reply,
    now,
    obfuscation,
    stream_reply,
)

MODELS = ("gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "tts-1", "whisper-1")

_AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm", "opus": "audio/opus"}

_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)

# The smallest picture there is: one transparent pixel.
_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)


def embeddings(body: JsonObject) -> JsonObject:
    """The reply to POST /embeddings: numbers that depend on the text alone."""
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    is_base64 = body.get("encoding_format") == "base64"
    count = sum(len(tokens(str(text))) for text in texts)
    data = []
    for index, text in enumerate(texts):
        numbers = _embedding(str(text), body.get("dimensions") or 1536)
        value = _packed(numbers) if is_base64 else numbers
        data.append({"object": "embedding", "index": index, "embedding": value})
    usage = {"prompt_tokens": count, "total_tokens": count}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def moderation(body: JsonObject) -> JsonObject:
    """The reply to POST /moderations: a text that says `violence` is flagged."""
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    return {
        "id": f"modr-{random.getrandbits(128):032x}",
        "model": body.get("model") or "omni-moderation-latest",
        "results": [_moderation_result(str(text)) for text in texts],
    }


def images(body: JsonObject) -> JsonObject:
    """The reply to POST /images/generations and /images/edits."""
    return {
        "created": now(),
        "background": "opaque",
        "data": [{"b64_json": _PNG}] * int(body.get("n") or 1),
        "output_format": "png",
        "quality": "low",
        "size": "1024x1024",
        "usage": {
            "input_tokens": 12,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 12},
            "output_tokens": 272,
            "total_tokens": 284,
        },
    }


def speech(body: JsonObject) -> Reply:
    """The reply to POST /audio/speech: bytes that depend on the text alone."""
    audio = _audio(body["input"])
    if body.get("stream_format") == "sse":
        return stream_reply(map(frame, _speech_events(audio)))
    content_type = _AUDIO_TYPES[body.get("response_format") or "mp3"]
    pieces = tuple(audio[start : start + 1024] for start in range(0, len(audio), 1024))
    return Reply(pieces, 200, (("Content-Type", content_type),), Framing.CHUNKED)


def transcription(form: dict[str, Part]) -> Reply:
    """The reply to POST /audio/transcriptions, which says what was uploaded."""
    upload = form["file"]
    text = f"A recording of {len(upload.body)} bytes called {upload.filename}."
    if "stream" in form and form["stream"].body.lower() == b"true":
        return stream_reply([*_transcript_frames(text), DONE])
    format_ = form["response_format"].body if "response_format" in form else b"json"
    if format_ == b"text":
        return bytes_reply(f"{text}\n".encode(), "text/plain; charset=utf-8")
    if format_ == b"verbose_json":
        return json_reply(_verbose(text))
    return json_reply({"text": text, "usage": {"type": "duration", "seconds": 1}})


def models() -> JsonObject:
    """The reply to GET /models, which has no pages."""
    return {"object": "list", "data": [model(name) for name in MODELS]}


def model(name: str) -> JsonObject:
    """The reply to GET /models/{name}."""
    if name not in MODELS:
        message = f"The model '{name}' does not exist"
        raise ApiError(404, message, param="model", code="model_not_found")
    return {"id": name, "object": "model", "created": 1_715_367_049, "owned_by": "system"}


def _embedding(text: str, dimensions: int) -> list[float]:
    numbers = random.Random(text)
    raw = [numbers.gauss(0, dimensions**-0.5) for _ in range(dimensions)]
    # Single precision, so that both encodings mean the same numbers.
    return list(struct.unpack(f"<{dimensions}f", struct.pack(f"<{dimensions}f", *raw)))


def _packed(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _moderation_result(text: str) -> JsonObject:
    flags: dict[str, Any] = {name: name == "violence" and name in text for name in _CATEGORIES}
    return {
        "flagged": any(flags.values()),
        "categories": flags,
        "category_scores": {name: 0.91 if flag else 1.93e-7 for name, flag in flags.items()},
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }


def _audio(text: str) -> bytes:
    """About 5 kB that begin like an MP3 and are no UTF-8."""
    frames = (hashlib.sha256(f"{text}{i}".encode()).digest() for i in range(150))
    return b"ID3\x04" + b"".join(b"\xff\xfb\x90" + frame_ for frame_ in frames)


def _speech_events(audio: bytes) -> list[JsonObject]:
    encoded = base64.b64encode(audio).decode()
    usage = {"input_tokens": 5, "output_tokens": 50, "total_tokens": 55}
    return [
        {"type": "speech.audio.delta", "audio": encoded},
        {"type": "speech.audio.done", "usage": usage},
    ]


def _transcript_frames(text: str) -> list[bytes]:
    kind = "transcript.text"
    events: list[JsonObject] = [
        {"type": f"{kind}.delta", "delta": token, "obfuscation": obfuscation()}
        for token in tokens(text)
    ]
    events.append({"type": f"{kind}.done", "text": text})
    return [frame(event, event["type"]) for event in events]


def _verbose(text: str) -> JsonObject:
    segment = {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": 1.0,
        "text": text,
        "tokens": [50364, 318],
        "temperature": 0.0,
        "avg_logprob": -0.2860786020755768,
        "compression_ratio": 1.2363636493682861,
        "no_speech_prob": 0.00985979475080967,
    }
    head = {"task": "transcribe", "language": "english", "duration": 1.0}
    return {**head, "text": text, "segments": [segment]}
