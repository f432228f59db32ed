"""Answers that are no conversation, in a line each: embeddings, images, moderations, listings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from vcr_llm._conversation.exchange import Exchange, base64_bytes
from vcr_llm._conversation.media import media
from vcr_llm._conversation.members import (
    at,
    counted,
    digest_of,
    first_text,
    items,
    mapping,
    mappings,
    text,
    whole,
)
from vcr_llm._conversation.values import Answer, Note, Part, Text
from vcr_llm._json import JSON

_MOST_NAMES = 20
_FLOAT = 4  # bytes


class Listing(NamedTuple):
    """A kind of answer: its name, and what it says of a payload that is one (else nothing)."""

    name: str
    read: Callable[[dict[str, JSON]], tuple[Part, ...]]


def listing_of(exchange: Exchange) -> Listing | None:
    """The kind that a payload of the answer is, None where none is one."""
    return next(
        (
            listing
            for listing in _LISTINGS
            if any(listing.read(payload) for payload in exchange.payloads)
        ),
        None,
    )


def listing_answers(exchange: Exchange, listing: Listing) -> tuple[Answer, ...]:
    """What came, as one answer."""
    parts = tuple(part for payload in exchange.payloads for part in listing.read(payload))
    return (Answer(parts, role="answer"),)


# --- embeddings -------------------------------------------------------------------------------


def _embeddings(payload: dict[str, JSON]) -> tuple[Part, ...]:
    vectors = list(_vectors(payload))
    if not vectors:
        return ()
    sizes = sorted(set(map(_dimensions, vectors)))
    numbers = " or ".join(f"{size:,}" for size in sizes)
    of = f"{counted(len(vectors), 'embedding')} of {numbers} numbers"
    return (Note(of, digest_of([*vectors])),)


def _vectors(payload: dict[str, JSON]) -> Iterator[JSON]:
    """The embeddings of a payload: numbers, or floats in base64."""
    held = payload.get("embeddings")
    for by_type in mapping(held).values() if isinstance(held, dict) else [held]:  # Cohere's types
        yield from (vector for item in items(by_type) if (vector := _numbers(item)) is not None)
    named = [*mappings(payload.get("data")), *mappings(payload.get("results")), payload]
    for item in named:
        if (vector := _numbers(item.get("embedding"))) is not None:
            yield vector


def _numbers(held: JSON) -> JSON:
    """The numbers that a value is or holds, None where it is something else."""
    values = at(held, "values") if isinstance(held, dict) else held
    if isinstance(values, list):
        return values if values and not isinstance(values[0], dict | list | str) else None
    return values if isinstance(values, str) and base64_bytes(values) is not None else None


def _dimensions(vector: JSON) -> int:
    if isinstance(vector, list):
        return len(vector)
    return len(base64_bytes(vector) or b"") // _FLOAT


# --- images -----------------------------------------------------------------------------------


def _images(payload: dict[str, JSON]) -> tuple[Part, ...]:
    """Images by OpenAI, plain and streamed, by Imagen and by Stability on Bedrock."""
    lists = [mappings(payload.get(name)) for name in ("data", "artifacts", "predictions")]
    found = [part for held in lists for item in held for part in _image(item)]
    if payload.get("b64_json") is not None:
        found.append(media("image", payload))
    images = [item for item in items(payload.get("images")) if isinstance(item, str)]
    return (*found, *(media("image", {"data": image}) for image in images))


def _image(item: dict[str, JSON]) -> Iterator[Part]:
    """An image, and the prompt that the provider made of the user's."""
    data = first_text(item, "b64_json", "base64", "bytesBase64Encoded")
    if data is None and not _is_link(item):
        return
    yield media("image", {**item, "data": data})
    if revised := first_text(item, "revised_prompt"):
        yield Text(revised)


def _is_link(item: dict[str, JSON]) -> bool:
    return isinstance(item.get("url"), str) and item.keys() <= {"url", "revised_prompt", "b64_json"}


# --- verdicts and ranks -----------------------------------------------------------------------


def _moderations(payload: dict[str, JSON]) -> tuple[Part, ...]:
    results = [item for item in mappings(payload.get("results")) if "categories" in item]
    return tuple(Note(_verdict(result), digest_of(result)) for result in results)


def _verdict(result: dict[str, JSON]) -> str:
    categories = mapping(result.get("categories"))
    named = [name for name, is_found in categories.items() if is_found is True]
    return f"flagged: {', '.join(named)}" if named else "not flagged"


def _ranks(payload: dict[str, JSON]) -> tuple[Part, ...]:
    results = mappings(payload.get("results")) or mappings(payload.get("data"))
    ranked = [item for item in results if "relevance_score" in item]
    if not ranked:
        return ()
    scores = (f"{item.get('index')} ({_score(item.get('relevance_score'))})" for item in ranked)
    return (Note(f"{counted(len(ranked), 'document')} ranked: {', '.join(scores)}"),)


def _score(value: JSON) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


# --- counts, models, files --------------------------------------------------------------------


def _token_count(payload: dict[str, JSON]) -> tuple[Part, ...]:
    if payload.keys() & {"usage", "choices", "content"}:
        return ()
    counts = (whole(payload.get(name)) for name in ("totalTokens", "input_tokens", "inputTokens"))
    count = next((count for count in counts if count is not None), None)
    return () if count is None else (Note(counted(count, "input token")),)


def _listed(payload: dict[str, JSON]) -> tuple[Part, ...]:
    """A list of models, files and the like, by their names; anything else is not for here."""
    for holder, noun in (("data", None), ("models", "model"), ("files", "file")):
        held = mappings(payload.get(holder))
        nouns = {noun or _noun(item) for item in held}
        names = [_name(item) for item in held]
        if "?" not in names and len(nouns) == 1 and (found := nouns.pop()):
            return (Note(f"{counted(len(names), found)}: {_shortened(names)}", digest_of([*held])),)
    if payload.get("object") == "list" and payload.get("data") == []:
        return (Note("an empty list"),)
    return ()


def _noun(item: dict[str, JSON]) -> str:
    kind = first_text(item, "object", "type") or ""
    return kind.replace(".", " ").replace("_", " ")


def _name(item: dict[str, JSON]) -> str:
    return first_text(item, "id", "name", "model", "filename") or "?"


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


_OBJECTS = ("file", "model", "batch", "assistant", "thread", "vector_store", "message_batch")


def _single(payload: dict[str, JSON]) -> tuple[Part, ...]:
    """A file, a model or the like, or that it is deleted."""
    kind = first_text(payload, "object", "type") or ""
    noun = kind.removesuffix(".deleted").removesuffix("_deleted")
    if noun not in _OBJECTS or _name(payload) == "?":
        return ()
    words = noun.replace("_", " ")
    if payload.get("deleted") is True or kind != noun:
        return (Note(f"{words} {_name(payload)} deleted"),)
    return (Note(f"{words} {_name(payload)}{_details(payload)}", digest_of({**payload})),)


def _details(payload: dict[str, JSON]) -> str:
    size = whole(payload.get("bytes")) or whole(payload.get("size_bytes"))
    found = (
        first_text(payload, "filename"),
        None if size is None else f"{size:,} bytes",
        first_text(payload, "status", "processing_status"),
    )
    told = ", ".join(filter(None, found))
    return f" ({told})" if told else ""


def _transcription(payload: dict[str, JSON]) -> tuple[Part, ...]:
    """What was said in a sound (OpenAI's transcriptions and translations, plain and streamed)."""
    words = text(payload.get("text"))
    is_one = "text" in payload and payload.keys() <= _TRANSCRIPTION
    is_last = payload.get("type") == "transcript.text.done"
    return (Text(words),) if words is not None and (is_one or is_last) else ()


_TRANSCRIPTION = frozenset(
    {*("text", "usage", "logprobs", "language", "duration", "segments", "words", "task", "model")}
)
_LISTINGS = (
    Listing("embeddings", _embeddings),
    Listing("moderations", _moderations),
    Listing("rerank", _ranks),
    Listing("images", _images),
    Listing("transcription", _transcription),
    Listing("tokens", _token_count),
    Listing("listing", _listed),
    Listing("object", _single),
)
