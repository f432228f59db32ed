"""Random recordings and cassettes: valid ones, edited by hand, of other systems, and broken."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

import yaml

from scripts.fuzzing.bodies import PLAIN, REQUESTS, STREAMS, Body, body_of
from scripts.fuzzing.texts import damaged, json_text, sendable, text, value
from vcr_llm._document import to_document
from vcr_llm._ending import Ending
from vcr_llm._interaction import Arrival, Headers, Interaction, Request, Response
from vcr_llm._json import document_text

_HEADERS = (
    *(("Retry-After", "1"), ("location", "/x"), ("x-note", "é"), ("date", "now"), ("X-Note", "2")),
    *(("authorization", "Bearer abcdefghijklmnop"), ("content-encoding", "gzip"), ("etag", "")),
)
_QUERIES = ("", "", "?a=1", "?key=abcdefghijklmnop", "?a=%ff&a=&b", "#f")
_ENDINGS = (
    *(None, None, None, None, Ending(), Ending(is_cancelled=True), Ending("ReadTimeout", "é")),
    Ending("ConnectError", "", has_response=False),
)
_KEYS = (
    *("test_id", "request", "response", "method", "url", "headers", "body", "endpoint", "model"),
    *("is_streaming", "status", "reason", "framing", "ended", "timing", "sequence", "recorded_at"),
    *("kind", "json", "raw", "events", "line_end", "padding", "done", "start", "end", "order"),
    *("__type__", "__data__", "__event__", "0", "1", "tool_name", "payload", "is_exception"),
    *("exception_data", "status_code", "message", "content-type", "recordings", "interactions"),
    *("type", "by", "data", "string", "base64_string", "parsed_body", "uri", "code"),
)
_SCALARS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 200, 10**30, 1.5, "", "str", "bytes", "json", "\ud800", "POST"),
    *("multipart/form-data", "application/x-www-form-urlencoded", "http://[", "http://h:x/"),
    *("sse", "ndjson", "json-array", "aws-event-stream", "spaced", "indent-2", "openai.types.X"),
    *("https://h/v1/v1/models", "/v1/models", "/api/chat", "text/event-stream", "a b", "é=%ff&"),
)


# --- recordings -------------------------------------------------------------------------------


def interaction(random: Random, real: tuple[Interaction, ...] = ()) -> Interaction:
    """An exchange over HTTP with bodies of any kind."""
    if real and random.random() < 0.2:
        return random.choice(real)
    asked = body_of(random, *random.choice((PLAIN["json"], *REQUESTS.values())))
    answer = body_of(random, *random.choice((*PLAIN.values(), *STREAMS.values())))
    url = f"https://{answer.origin.host or 'h'}{answer.origin.path}{random.choice(_QUERIES)}"
    request = Request(
        random.choice(("POST", "POST", "GET", "PATCH")), url, _headers(random, asked), asked.content
    )
    return Interaction(request, _response(random, answer), random.choice((None, "t.py::test_x[é]")))


def _response(random: Random, body: Body) -> Response:
    length = len(body.content)
    ends = sorted({random.randint(0, length) for _ in range(random.choice((0, 0, 0, 2)))})
    return Response(
        random.choice((200, 200, 200, 404, 599)),
        random.choice(("OK", "OK", "", "é")),
        _headers(random, body),
        body.content,
        random.choice(_ENDINGS),
        tuple(Arrival(end, 10 * at) for at, end in enumerate(ends, 1)),
    )


def _headers(random: Random, body: Body) -> Headers:
    others = random.choices(_HEADERS, k=random.choice((0, 0, 1, 3)))
    said = () if body.content_type is None else (("Content-Type", body.content_type),)
    return (*others, *said)


def recording(random: Random, real: tuple[Interaction, ...] = ()) -> Any:
    """The document of an exchange."""
    document = to_document(interaction(random, real), keep_request_headers=["x-note"])
    return {**document, "recorded_at": "2026-01-01T00:00:00Z"}


def edited(random: Random, document: Any) -> Any:
    """A document in which members of any depth were replaced, added or removed, or none."""
    document = deepcopy(document)
    for _ in range(random.choice((0, 1, 1, 2, 4))):
        places = list(_containers(document))
        if not places:
            return document
        place = random.choice(places)
        if isinstance(place, list):
            _edit_list(random, place)
        else:
            _edit_object(random, place)
    return document


def _containers(value: Any, depth: int = 6) -> Any:
    """The objects and lists of a document; those that are far down are left alone."""
    if depth and isinstance(value, dict | list):
        yield value
        for child in value.values() if isinstance(value, dict) else value:
            yield from _containers(child, depth - 1)


def _edit_object(random: Random, place: dict[str, Any]) -> None:
    match random.randrange(4):
        case 0 if place:
            del place[random.choice(list(place))]
        case 1:
            place[random.choice(_KEYS)] = plausible(random)
        case _ if place:
            place[random.choice(list(place))] = plausible(random)
        case _:
            pass


def _edit_list(random: Random, place: list[Any]) -> None:
    if place and random.random() < 0.3:
        place.pop(random.randrange(len(place)))
    elif place and random.random() < 0.5:
        place[random.randrange(len(place))] = plausible(random)
    else:
        place.append(plausible(random))


def plausible(random: Random, depth: int = 3) -> Any:
    """A value made of the words that mean something in a recording."""
    kind = random.random()
    if depth and kind < 0.3:
        keys = random.choices(_KEYS, k=random.randrange(4))
        return {key: plausible(random, depth - 1) for key in keys}
    if depth and kind < 0.4:
        return [plausible(random, depth - 1) for _ in range(random.randrange(3))]
    if depth and kind < 0.5:
        return {"__type__": random.choice(_SCALARS), "__data__": plausible(random, depth - 1)}
    return random.choice(_SCALARS) if kind < 0.9 else value(random, 2)


# --- of the system whose shape ours carries on ------------------------------------------------


def foreign(random: Random) -> Any:
    """A recording made at an SDK's methods, or of a tool."""
    if random.random() < 0.2:
        request: Any = {"provider": "p", "tool_name": text(random), "kwargs": value(random)}
        return {"test_id": None, "request": request, "response": {"body": value(random)}}
    endpoint = random.choice(("/v1/chat/completions", "/v1/embeddings", "/v1/models", "/api/chat"))
    base = random.choice(
        ("http://localhost:11434/v1", "https://h", "http://h/v1", "http://h:1/v1/")
    )
    request = {
        "method": "POST",
        "url": base + endpoint,
        "headers": {},
        random.choice(("body", "body", "payload")): random.choice(
            ({}, {"model": "m", "extra_body": value(random)}, value(random))
        ),
        "endpoint": endpoint,
        "model": random.choice(("m", None)),
    }
    response = random.choice((_foreign_answer, _foreign_stream, _foreign_error))(random)
    return {
        "test_id": sendable(random),
        "request": request,
        "response": response,
        "id_normalization_mapping": {},
    }


def _foreign_answer(random: Random) -> Any:
    model = {"__type__": "openai.types.model.Model", "__data__": value(random)}
    body = random.choice(([], [model], value(random), {"__type__": "a.b.C", "__data__": {}}))
    return {"body": body, "is_streaming": False}


def _foreign_stream(random: Random) -> Any:
    events = [{"__type__": "a.b.C", "__data__": value(random)} for _ in range(random.randrange(4))]
    return {"body": events, "is_streaming": True}


def _foreign_error(random: Random) -> Any:
    details = {"status_code": random.choice((404, 500, None, "x")), "body": value(random, 1)}
    return {
        "body": random.choice((None, [value(random)])),
        "is_streaming": random.choice((True, False)),
        "is_exception": True,
        "exception_data": random.choice((details, details, None, {"message": "x"})),
        "exception_message": text(random),
    }


# --- texts of recordings and cassettes --------------------------------------------------------


def recording_text(random: Random, real: tuple[Interaction, ...] = ()) -> bytes:
    """The text of a recording that was damaged, or of any JSON."""
    if random.random() < 0.2:
        return json_text(random).encode(errors="replace")
    document = random.choice((lambda: recording(random, real), lambda: foreign(random)))()
    return damaged(random, document_text(document).encode())


def old_cassette(random: Random, real: tuple[Interaction, ...] = ()) -> Any:
    """A cassette of vcrpy, or of what its users' serializers make of it, now and then edited."""
    items = [
        _old_item(random, interaction(random, real)) for _ in range(random.choice((0, 1, 1, 2)))
    ]
    cassette: Any = random.choice(
        (
            lambda: {"interactions": items, "version": 1},
            lambda: {"interactions": items, "version": 1},
            lambda: {"http_interactions": items, "recorded_with": "VCR 6"},
            lambda: items,
            lambda: items[0] if items else {},
            lambda: {
                "requests": [item["request"] for item in items],
                "responses": [item["response"] for item in items],
            },
        )
    )()
    return edited(random, cassette)


def _old_item(random: Random, exchange: Interaction) -> Any:
    request, response = exchange.request, exchange.response
    is_listed = random.random() < 0.7
    return {
        "request": {
            "method": request.method,
            random.choice(("uri", "uri", "url")): request.url,
            "headers": _old_headers(request.headers, is_listed=is_listed),
            "body": random.choice((None, _readable(request.body or b""), value(random, 2))),
        },
        "response": {
            "status": random.choice(({"code": response.status, "message": "OK"}, response.status)),
            "headers": _old_headers(response.headers, is_listed=is_listed),
            **random.choice(
                (
                    {"body": {"string": _readable(response.body)}},
                    {"body": _readable(response.body)},
                    {"content": _readable(response.body)},
                    {"parsed_body": value(random, 2)},
                    {"body": {"base64_string": "YWJj", "encoding": "utf-8"}},
                )
            ),
        },
    }


def _old_headers(headers: Headers, *, is_listed: bool) -> Any:
    return {name: [content] if is_listed else content for name, content in headers}


def _readable(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def yaml_text(random: Random, real: tuple[Interaction, ...] = ()) -> bytes:
    """An old cassette in YAML, damaged or not."""
    written = _dumped(random, old_cassette(random, real)).encode(errors="replace")
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        start = random.randrange(len(written) + 1)
        written = written[:start] + random.choice(_YAML_SPLINTERS) + written[start:]
    return damaged(random, written)


def _dumped(random: Random, cassette: Any) -> str:
    try:
        return str(
            yaml.dump(
                cassette,
                Dumper=yaml.CSafeDumper,
                allow_unicode=random.random() < 0.5,
                default_flow_style=random.choice((False, False, False, True)),
                sort_keys=False,
            )
        )
    except UnicodeEncodeError:  # libyaml does not write halves of surrogate pairs, Python 2 did
        return json.dumps(cassette, default=repr)


_YAML_SPLINTERS = (
    *(
        b"!!python/object:a.B ",
        b"!!binary |\n  YQ==\n",
        b"!!binary ",
        b"&a ",
        b"*a",
        b"<<: ",
        b"? ",
    ),
    *(b"!!set ", b"!!timestamp ", b"!!int ", b"!!float ", b".inf", b"0x", b"1_0:3", b"~", b"- "),
    *(b"!<tag:yaml.org,2002:str> ", b"!!omap ", b"---\n", b"...\n", b"%YAML 1.2\n", b"\t", b"| \n"),
    *(
        b"!!python/tuple ",
        b"!!python/object/apply:os.system ",
        b": ",
        b"#",
        b"{",
        b"[",
        b"\xc2\x85",
    ),
    *(b"!!python/object/new:multidict._multidict.CIMultiDict ", b"=", b"!!value ", b"!!bool "),
)


def old_json_text(random: Random, real: tuple[Interaction, ...] = ()) -> bytes:
    """An old cassette in JSON, damaged or not."""
    written = json.dumps(
        old_cassette(random, real),
        default=lambda content: content.decode("latin-1"),
        ensure_ascii=random.random() < 0.5,
        indent=random.choice((None, 2)),
    )
    return damaged(random, written.encode(errors="replace"))
