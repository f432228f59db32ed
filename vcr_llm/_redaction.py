"""Documents without secrets.

A secret is found in three ways: by the name of the place it stands in (a header, a query or form
parameter, a JSON field), by its own shape (the prefixes that providers give their keys), or
because the request's own headers carried it. What is found becomes ``REDACTED``. Both sides of a
match are redacted, so a secret never decides one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import is_
from urllib.parse import quote, unquote, unquote_plus

from vcr_llm._cleaner import Cleaner
from vcr_llm._headers import Pattern
from vcr_llm._interaction import Headers, split_url
from vcr_llm._json import JSON, Number
from vcr_llm._raw_text import framing_after
from vcr_llm._secret_names import (
    holds_secrets,
    is_secret_field,
    is_secret_header,
    is_secret_name,
    is_secret_parameter,
    may_be_secret,
)
from vcr_llm._secret_shapes import PLACEHOLDER, without_known_shapes
from vcr_llm._tagged import BYTES, DATA, FORM, MULTIPART, TEXT, tag, tag_of

_URL = re.compile(r"https?://[^\s<>\"'\\]+")
_BEYOND_PATH = re.compile(r"[?#%@]")
_SHORTEST_LEARNED = 12
_SHORTEST_IN_MESSAGES = 4  # which nothing is matched by, so that more may go
_MOST_CLEANERS = 16
_CLEANED_DIFFERENTLY = frozenset({BYTES, FORM, MULTIPART})  # tags

Clean = Callable[[str], str]


class Redaction:
    """What is a secret: the built-in rules and what the user adds to them."""

    def __init__(self, more: Sequence[Pattern] = ()) -> None:
        self._literals = tuple(rule for rule in more if isinstance(rule, str) and rule)
        self._patterns = tuple(rule for rule in more if isinstance(rule, re.Pattern))
        self._cleaners: dict[frozenset[str], Cleaner] = {}

    def document(self, document: dict[str, JSON], headers: Headers = ()) -> dict[str, JSON]:
        """The document without secrets; ``headers`` are the request's, which may carry some."""
        redacted = dict(document)
        request, response = document.get("request"), document.get("response")
        if isinstance(request, dict):
            redacted["request"] = self.request(request, headers)
        if isinstance(response, dict):
            redacted["response"] = self.response(response, headers)
        return redacted

    def request(
        self, request: dict[str, JSON], headers: Headers = (), *, body_text: str | None = None
    ) -> dict[str, JSON]:
        """A document's ``request`` without secrets.

        ``body_text`` is a JSON text of its body, if somebody has it: that is sooner looked over.
        """
        clean = self._cleaner(secrets_in_headers(headers))
        redacted = dict(request)
        if isinstance(url := request.get("url"), str):
            redacted["url"] = _clean_url(url, clean)
        if isinstance(endpoint := request.get("endpoint"), str):
            redacted["endpoint"] = _clean_path(endpoint, clean)
        if isinstance(kept := request.get("headers"), dict):
            redacted["headers"] = _clean_headers(kept, clean)
        if "body" in request:
            redacted["body"] = _clean_body(request["body"], clean, body_text)
        if "kwargs" in request:  # of a tool's call
            redacted["kwargs"] = _clean_value(request["kwargs"], clean)
        if isinstance(model := request.get("model"), str):
            redacted["model"] = clean(model)
        return redacted

    def leaves(self, headers: Headers) -> Callable[[str], bool]:
        """Whether a text stays as it is, in an exchange whose request has these headers."""
        clean = self._cleaner(secrets_in_headers(headers))
        return lambda text: clean(text) is text

    def text(self, text: str, headers: Headers = ()) -> str:
        """A text without secrets, for a message or a log; URLs in it as in a document.

        ``headers`` are those of a request that it is about.
        """
        clean = self._cleaner(secrets_in_headers(headers, _SHORTEST_IN_MESSAGES))
        return clean(_URL.sub(lambda url: _clean_url(url[0], clean), text))

    def response(
        self, response: dict[str, JSON], headers: Headers = (), *, body_text: str | None = None
    ) -> dict[str, JSON]:
        """A document's ``response`` without secrets; ``headers`` are the request's."""
        clean = self._cleaner(secrets_in_headers(headers))
        redacted = dict(response)
        if isinstance(kept := response.get("headers"), dict):
            redacted["headers"] = _clean_headers(kept, clean)
        if isinstance(reason := response.get("reason"), str):
            redacted["reason"] = clean(reason)
        for told in ("ended", "exception_data"):
            if isinstance(how := response.get(told), dict):
                redacted[told] = _clean_value(how, clean)
        before = response.get("body")
        after = redacted["body"] = _clean_body(before, clean, body_text)
        if isinstance(framing := response.get("framing"), dict):
            redacted["framing"] = framing_after(framing, before, after, clean)
            if not redacted["framing"]:
                del redacted["framing"]
        return redacted

    def _cleaner(self, learned: frozenset[str]) -> Cleaner:
        """What cleans a text; the requests of one client share it, and what it remembers."""
        cleaner = self._cleaners.get(learned)
        if cleaner is None:
            if len(self._cleaners) >= _MOST_CLEANERS:
                self._cleaners.clear()
            cleaner = Cleaner((*self._literals, *learned), self._patterns)
            self._cleaners[learned] = cleaner
        return cleaner


@lru_cache(maxsize=16)
def redaction_by(rules: tuple[Pattern, ...]) -> Redaction:
    """The redaction with these rules; whoever shares it shares what it has found harmless."""
    return Redaction(rules)


def secrets_in_headers(headers: Headers, shortest: int = _SHORTEST_LEARNED) -> frozenset[str]:
    """The credentials that a request's headers carry, in the forms in which they may be echoed."""
    return frozenset(
        secret
        for name, value in headers
        if is_secret_header(name)
        for secret in (value, value.partition(" ")[2])
        if len(secret) >= shortest
    )


def _clean_body(body: JSON, clean: Cleaner, text: str | None) -> JSON:
    if text is not None and clean.finds_nothing(text, _CLEANED_DIFFERENTLY):
        return body
    return _clean_value(body, clean)


def _clean_value(value: JSON, clean: Clean) -> JSON:
    """A value without secrets; the very same object where it holds none."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        items = [_clean_value(item, clean) for item in value]
        return value if _are_the_same(items, value) else items
    if not isinstance(value, dict):
        return value
    label = tag_of(value)
    if label == BYTES:
        return _clean_bytes(value, clean)
    if label == FORM:
        return {**value, DATA: [_clean_pair(pair, clean) for pair in _items(value[DATA])]}
    if label == MULTIPART:
        return {**value, DATA: [_clean_part(part, clean) for part in _items(value[DATA])]}
    members = {clean(key): _clean_member(key, item, clean) for key, item in value.items()}
    has_same_keys = members.keys() == value.keys()
    is_same = has_same_keys and _are_the_same(members.values(), value.values())
    return value if is_same else members


def _are_the_same(cleaned: Iterable[JSON], values: Iterable[JSON]) -> bool:
    """Whether nothing was replaced: a large body is then not in memory twice."""
    return all(map(is_, cleaned, values))


def _clean_member(name: str, value: JSON, clean: Clean) -> JSON:
    """A member of an object; a tool's schema for a secret is no secret."""
    if not may_be_secret(name):
        return _clean_value(value, clean)
    if is_secret_name(name):
        if isinstance(value, int | float | Number) and not isinstance(value, bool):
            return PLACEHOLDER
        if isinstance(value, dict) and holds_secrets(name):
            return {key: _clean_member(name, item, clean) for key, item in value.items()}
    if isinstance(value, str) and value and is_secret_field(name, value):
        return PLACEHOLDER
    if isinstance(value, list) and is_secret_name(name):
        return [
            PLACEHOLDER if isinstance(item, str) else _clean_value(item, clean) for item in value
        ]
    return _clean_value(value, clean)


def _clean_pair(pair: JSON, clean: Clean) -> JSON:
    match pair:
        case [str(name), str(value)]:
            secret = is_secret_parameter(name) or is_secret_field(name, value)
            return [clean(name), PLACEHOLDER if secret and value else clean(value)]
        case _:
            return _clean_value(pair, clean)


def _clean_part(part: JSON, clean: Clean) -> JSON:
    match part:
        case {"name": str(name), "body": {"__data__": str(value)}} if value and (
            is_secret_field(name, value)
        ):
            return _clean_value({**_members(part), "body": tag(TEXT, PLACEHOLDER)}, clean)
        case _:
            return _clean_value(part, clean)


def _clean_bytes(value: dict[str, JSON], clean: Clean) -> JSON:
    """Base64 without the secrets that stand in its bytes as plain text."""
    data = value[DATA]
    if not isinstance(data, str):
        return value
    try:
        text = base64.b64decode(data, validate=True).decode("latin-1")
    except ValueError:
        return {**value, DATA: clean(data)}
    cleaned = clean(text)
    if cleaned == text:
        return value
    return tag(BYTES, base64.b64encode(cleaned.encode("latin-1", "replace")).decode())


def _clean_headers(headers: dict[str, JSON], clean: Clean) -> dict[str, JSON]:
    def cleaned(name: str, value: JSON) -> JSON:
        if is_secret_header(name) and value is not None:
            return PLACEHOLDER
        return _clean_value(value, clean)

    return {name: cleaned(name, value) for name, value in headers.items()}


def _clean_url(url: str, clean: Clean) -> str:
    """The URL with the values of secret parameters replaced; every other character stays."""
    if not _BEYOND_PATH.search(url):
        return clean(url)
    head, question, rest = url.partition("?")
    query, hash_sign, fragment = rest.partition("#")
    cleaned = "&".join(_clean_query_part(part) for part in query.split("&"))
    path = _clean_path(_without_userinfo(head), clean)
    return path + clean(question + cleaned + hash_sign + fragment)


def _clean_path(path: str, clean: Clean) -> str:
    """A path without secrets, in segments that are percent-encoded as well."""
    if "%" in path:
        path = "/".join(map(_clean_segment, path.split("/")))
    return clean(path)


def _clean_segment(segment: str) -> str:
    decoded = unquote(segment)
    without = without_known_shapes(decoded)
    return segment if without == decoded else quote(without)


def _clean_query_part(part: str) -> str:
    name, equals, value = part.partition("=")
    if not value:
        return part
    decoded = unquote_plus(value)
    if is_secret_parameter(unquote_plus(name)) or is_secret_field(unquote_plus(name), decoded):
        return f"{name}={PLACEHOLDER}"
    without = without_known_shapes(decoded)
    return part if without == decoded else f"{name}{equals}{quote(without)}"


def _without_userinfo(head: str) -> str:
    netloc = split_url(head).netloc
    userinfo, at, host = netloc.rpartition("@")
    return head.replace(netloc, f"{PLACEHOLDER}@{host}", 1) if at and userinfo else head


def _members(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _items(value: JSON) -> Iterator[JSON]:
    yield from value if isinstance(value, list) else [value]
