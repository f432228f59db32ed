"""Tagged values: ``{"__type__": NAME, "__data__": VALUE}``, for what plain JSON cannot say.

NAME is a label. ``str``, ``bytes`` and ``json`` are ours; a dotted path is the SDK's model that
the value is an instance of. Nothing is imported because a tag names it.
"""

from __future__ import annotations

import base64

from vcr_llm._errors import MalformedRecording
from vcr_llm._json import JSON

TYPE = "__type__"
DATA = "__data__"

TEXT = "str"
BYTES = "bytes"
PLAIN = "json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def tag(name: str, data: JSON) -> dict[str, JSON]:
    """A tagged value."""
    return {TYPE: name, DATA: data}


def tag_of(value: JSON) -> str | None:
    """The label of a tagged value, or None for any other value."""
    if isinstance(value, dict) and DATA in value:
        label = value.get(TYPE)
        return label if isinstance(label, str) else None
    return None


def tag_text(body: bytes) -> dict[str, JSON]:
    """Bytes as text where they are UTF-8, else as base64 (RFC 4648)."""
    try:
        return tag(TEXT, body.decode())
    except UnicodeDecodeError:
        return tag(BYTES, base64.b64encode(body).decode())


def untag_text(value: JSON, place: str) -> bytes:
    """The bytes of a ``str`` or ``bytes`` value; ``place`` is where in the document it stands.

    Raises MalformedRecording for any other value.
    """
    label, data = tag_of(value), value.get(DATA) if isinstance(value, dict) else None
    if label == TEXT and isinstance(data, str):
        return data.encode(errors="surrogatepass")
    if label == BYTES and isinstance(data, str):
        try:
            return base64.b64decode(data, validate=True)
        except ValueError as error:
            msg = f"{place}.{DATA} is no base64 ({error})"
            raise MalformedRecording(msg) from None
    msg = f'{place} should be text or bytes, such as {{"{TYPE}": "{TEXT}", "{DATA}": "…"}}'
    raise MalformedRecording(msg)


def tag_json(payload: JSON, label: str | None) -> JSON:
    """A JSON value with its label, or as itself where that reads back as the same value."""
    if label is not None:
        return tag(label, payload)
    return tag(PLAIN, payload) if _reads_as_tagged(payload) else payload


def untag_json(value: JSON) -> JSON:
    """The JSON value behind a tag; a value without a tag is its own."""
    return value[DATA] if isinstance(value, dict) and DATA in value else value


def _reads_as_tagged(payload: JSON) -> bool:
    """Whether a reader would take this payload for one of ours: its own keys look like our tags."""
    if isinstance(payload, list):
        return any(_reads_as_tagged(item) for item in payload)
    return isinstance(payload, dict) and any(_is_reserved(key) for key in payload)


def _is_reserved(key: str) -> bool:
    return key.startswith("__") and key.endswith("__")
