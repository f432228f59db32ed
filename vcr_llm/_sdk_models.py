"""Payloads that the installed SDK's own model refuses.

The model is the one that `label_of` names for the payload. Nothing is imported because a file
names it, and nothing but the SDKs below.

The SDKs themselves read answers leniently: compatible servers speak their protocols with an
accent, and newer versions have fields that an old recording lacks. So a refusal is what would
break code that reads the answer: a value of a wrong kind, or a part that is missing. Unknown
fields, words that are new, and bookkeeping that is absent are none.
"""

from __future__ import annotations

import importlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple, Protocol

from vcr_llm._foreign import Document, as_documented
from vcr_llm._interaction import split_url
from vcr_llm._json import JSON, render
from vcr_llm._json_path import item, member
from vcr_llm._labels import label_of
from vcr_llm._redaction import Redaction
from vcr_llm._secret_shapes import PLACEHOLDER
from vcr_llm._tagged import DATA, tag_of, untag_json

SDKS = ("openai", "anthropic", "google.genai", "ollama", "mistralai", "cohere")

_LABEL = re.compile(rf"(?:{'|'.join(map(re.escape, SDKS))})(?:\.\w+)+")
_CLIENT_ERROR = 400
_LONGEST_PROBLEM = 200
_REDACTION = Redaction()
_UNKNOWN_FIELD = "extra_forbidden"
_UNKNOWN_WORD = frozenset({"literal_error", "enum", "union_tag_invalid"})
# What compatible servers and older versions of an API leave out, and code seldom reads.
_BOOKKEEPING = frozenset({"created", "id", "index", "object", "type"})
_COUNTS = frozenset({"usage", "usageMetadata", "meta"})
# Whose protocol it is. On other hosts a text may be more than a text.
_OWN_HOSTS = {
    "openai": ("openai.com", "azure.com", "localhost", "127.0.0.1"),
    "anthropic": ("anthropic.com", "googleapis.com", "amazonaws.com", "localhost", "127.0.0.1"),
}


class Refusal(NamedTuple):
    """A place in a document that an SDK's model does not take."""

    place: str
    model: str
    problem: str


class _Model(Protocol):
    """What all of these SDKs make their models of: pydantic's."""

    def model_validate(self, value: object, /) -> object: ...


class _Error(NamedTuple):
    """An error of pydantic's: the rest of the way to its place, and what it is."""

    way: tuple[int | str, ...]
    kind: str
    text: str


class _At(NamedTuple):
    """Where in a payload the errors are looked at."""

    place: str
    value: JSON
    name: str = ""
    is_missing: bool = False
    may_be_missing: bool = False
    has_accent: bool = False


def refusals(document: Document) -> Iterator[Refusal]:
    """What the installed SDKs refuse of a document's response."""
    documented = as_documented(document)
    request, response = documented.get("request"), documented.get("response")
    if not (isinstance(request, dict) and isinstance(response, dict)) or _is_error(response):
        return
    url = split_url(str(request.get("url")))
    for place, payload, tag in _payloads(response):
        label = label_of(payload, url.path, is_event=response.get("is_streaming") is True)
        model = None if label is None or _says_error(payload) else _model(label)
        if label is None and tag is not None and _LABEL.fullmatch(tag):
            yield Refusal(place, tag, "is labelled so, but nothing in it says that it is one")
        elif label is not None and model is not None:
            at = _At(place, payload, has_accent=not _is_at_home(label, url.hostname))
            for found, problem in _refused(_errors(model, payload), at):
                yield Refusal(found, label, problem)


def _is_error(response: Document) -> bool:
    status = response.get("status")
    is_refusal = isinstance(status, int) and status >= _CLIENT_ERROR
    return is_refusal or bool(response.get("is_exception"))


def _says_error(payload: JSON) -> bool:
    return isinstance(payload, dict) and bool(payload.get("error"))


def _payloads(response: Document) -> Iterator[tuple[str, JSON, str | None]]:
    """The payloads of a response, each with its place and its tag."""
    body = response.get("body")
    if response.get("is_streaming") is not True:
        yield _untagged("response.body", body)
    elif isinstance(body, list):
        for index, entry in enumerate(body):
            yield _untagged(item("response.body", index), entry)


def _untagged(place: str, value: JSON) -> tuple[str, JSON, str | None]:
    is_tagged = isinstance(value, dict) and DATA in value
    return member(place, DATA) if is_tagged else place, untag_json(value), tag_of(value)


def _is_at_home(label: str, host: str | None) -> bool:
    homes = _OWN_HOSTS.get(label.partition(".")[0])
    return homes is None or f".{host}".endswith(tuple(f".{home}" for home in homes))


# --- the SDK's side ---------------------------------------------------------------------------


@cache
def _model(label: str) -> _Model | None:
    """The model of a label, None where its SDK is not installed or does not have it."""
    module, _dot, name = label.rpartition(".")
    if not module.startswith(tuple(f"{sdk}." for sdk in SDKS)):
        return None
    try:
        found: _Model | None = getattr(importlib.import_module(module), name, None)
    except Exception:  # noqa: BLE001 - an SDK that cannot be imported here says nothing about a file
        return None
    return found if hasattr(found, "model_validate") else None


def _errors(model: _Model, payload: JSON) -> list[_Error]:
    """What validation objects to; a model whose own code fails has no verdict."""
    from pydantic import ValidationError  # every one of the SDKs brings it

    plain = json.loads(render(payload))
    try:
        model.model_validate(plain)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return [_Error(each["loc"], each["type"], each["msg"]) for each in found]
    except Exception:  # noqa: BLE001 - see above
        return []
    return []


# --- what counts ------------------------------------------------------------------------------


def _refused(errors: Iterable[_Error], at: _At) -> Iterator[tuple[str, str]]:
    """The places below one that are refused, and why.

    A step that leads nowhere in the payload names one member of a union: the payload is refused
    where every member refuses it that has the payload's ``type``.
    """
    steps: defaultdict[int | str, list[_Error]] = defaultdict(list)
    for error in errors:
        if not error.way:
            if _counts(error, at):
                yield at.place, _worded(error)
        else:
            steps[error.way[0]].append(error._replace(way=error.way[1:]))
    members = []
    for step, below in steps.items():
        child = _child(at, step, below)
        if child is not None:
            yield from _refused(below, child)
        elif not any(error.kind == "literal_error" and len(error.way) == 1 for error in below):
            members.append(list(_refused(below, at._replace(may_be_missing=True))))
    if members and all(members):
        yield from members[0]


def _child(at: _At, step: int | str, below: Iterable[_Error]) -> _At | None:
    """Where a step leads, None where it leads nowhere."""
    if isinstance(step, int) and isinstance(at.value, list) and step < len(at.value):
        return at._replace(place=item(at.place, step), value=at.value[step])
    if not (isinstance(step, str) and isinstance(at.value, dict)):
        return None
    is_missing = step not in at.value
    if is_missing and not any(error.kind == "missing" and not error.way for error in below):
        return None
    return at._replace(
        place=member(at.place, step),
        value=at.value.get(step),
        name=step,
        is_missing=is_missing,
        may_be_missing=at.may_be_missing or step in _COUNTS or step in _BOOKKEEPING,
    )


def _counts(error: _Error, at: _At) -> bool:
    """Whether the SDK would not let this pass."""
    if error.kind == _UNKNOWN_FIELD or (isinstance(at.value, str) and PLACEHOLDER in at.value):
        return False
    if error.kind in _UNKNOWN_WORD:
        return not isinstance(at.value, str | None)
    if at.value is None:
        return not at.may_be_missing
    if error.kind == "list_type" and at.name == "embedding":
        return not isinstance(at.value, str)  # base64, which the SDK decodes first
    return not (at.has_accent and error.kind == "string_type" and isinstance(at.value, dict | list))


def _worded(error: _Error) -> str:
    if error.kind == "missing":
        return "is missing"
    text = " ".join(_REDACTION.text(error.text).removeprefix("Input ").split())
    return text[:_LONGEST_PROBLEM]
