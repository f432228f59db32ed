"""Images, sounds and files in a payload: what they are, without their bytes."""

from __future__ import annotations

import re

from vcr_llm._conversation.exchange import base64_bytes
from vcr_llm._conversation.members import at, digest, first_text, text
from vcr_llm._conversation.values import Media
from vcr_llm._json import JSON

_DATA_URL = re.compile(r"data:([^;,]*)[^,]*,(.*)", re.DOTALL)
_KINDS = ("image", "audio", "video")
# Where a part says what its bytes are, in base64; the part itself comes first.
_DATA = ("data", "bytes", "b64_json", "file_data", "base64", "image_base64")
_MEDIA_TYPE = ("media_type", "mimeType", "mime_type", "mediaType")
_URL = ("url", "uri", "fileUri", "file_uri", "gcsUri", "file_url", "image_url")
_NAME = ("filename", "file_name", "name", "displayName", "title", "file_id", "fileId")
_FORMAT = ("format", "output_format")
# The members of a part in which the rest stands: OpenAI's and Mistral's, Anthropic's, Converse's.
_HOLDERS = ("image_url", "input_audio", "audio_url", "video_url", "document_url", "file", "source")


def media(kind: str, part: JSON) -> Media:
    """The image or other file that a part of a message is, or refers to."""
    holders = [part, *(at(part, name) for name in _HOLDERS), at(part, "source", "s3Location")]
    url = _first(holders, _URL) or next((held for held in holders if isinstance(held, str)), None)
    media_type = _first(holders, _MEDIA_TYPE)
    data = _first(holders, _DATA)
    if data is None and url is not None and (inline := _DATA_URL.fullmatch(url)):
        media_type, data, url = media_type or text(inline[1]), inline[2], None
    elif data is not None and (inline := _DATA_URL.fullmatch(data)):
        media_type, data = media_type or text(inline[1]), inline[2]
    content = base64_bytes(data)
    return Media(
        kind=kind_of(media_type, kind),
        media_type=media_type or _named_format(kind, _first(holders, _FORMAT)),
        name=_first(holders, _NAME),
        url=url,
        size=None if content is None else len(content),
        digest=None if content is None else digest(content),
    )


def media_of_bytes(content: bytes, media_type: str | None, name: str | None = None) -> Media:
    """The file that a body or a part of a form is."""
    return Media(
        kind=kind_of(media_type, "file"),
        media_type=media_type,
        name=name,
        size=len(content),
        digest=digest(content),
    )


def kind_of(media_type: str | None, otherwise: str) -> str:
    """What a media type is a type of, in a word."""
    family = (media_type or "").partition("/")[0]
    return family if family in _KINDS else otherwise


def _named_format(kind: str, name: str | None) -> str | None:
    if name is None:
        return None
    return f"{kind}/{name}" if kind in _KINDS else name


def _first(holders: list[JSON], names: tuple[str, ...]) -> str | None:
    found = (first_text(holder, *names) for holder in holders)
    return next((value for value in found if value is not None), None)
