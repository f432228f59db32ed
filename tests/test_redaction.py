"""No secret reaches a file, wherever in an exchange it stands, and nothing else is taken away."""

from __future__ import annotations

import base64
import json
import random
import re
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits, hexdigits
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_document import documents, interactions
from tests.test_json import fuzzed
from vcr_llm import _secret_shapes
from vcr_llm._document import from_document, to_document
from vcr_llm._interaction import Headers, Interaction, Request, Response
from vcr_llm._json import JSON, document_text, parse
from vcr_llm._options import Options
from vcr_llm._recording import new_recording
from vcr_llm._redaction import Redaction, secrets_in_headers
from vcr_llm._secret_shapes import PLACEHOLDER, without_known_shapes
from vcr_llm._tagged import tag

_CHANCE = random.Random(7)
_WORD = ascii_letters + digits
_HEX = hexdigits[:16]


def _some(alphabet: str, length: int) -> str:
    return "".join(_CHANCE.choices(alphabet, k=length))


# Made up here, so that no scanner finds a key in this file.
FORM = "application/x-www-form-urlencoded"
KEYS = {
    "OpenAI": "sk-" + _some(_WORD, 48),
    "OpenAI project": "sk-proj-" + _some(_WORD + "_-", 120) + "x",
    "OpenAI service account": "sk-svcacct-" + _some(_WORD, 60),
    "OpenAI ephemeral": "ek_" + _some(_HEX, 32),
    "OpenAI session": "sess-" + _some(_WORD, 40),
    "Anthropic": "sk-ant-api03-" + _some(_WORD, 90) + "-AA",
    "OpenRouter": "sk-or-v1-" + _some(_HEX, 64),
    "DeepSeek": "sk-" + _some(_HEX, 32),
    "Google": "AIza" + _some(_WORD, 35),
    "Google OAuth": "ya29." + _some(_WORD, 80),
    "Google client secret": "GOCSPX-" + _some(_WORD, 28),
    "AWS": "AKIA" + _some(ascii_uppercase + digits, 16),
    "AWS temporary": "ASIA" + _some(ascii_uppercase + digits, 16),
    "Bedrock": "ABSK" + _some(_WORD, 120),
    "xAI": "xai-" + _some(_WORD, 80),
    "Groq": "gsk_" + _some(_WORD, 52),
    "Hugging Face": "hf_" + _some(ascii_letters, 34),
    "Perplexity": "pplx-" + _some(_WORD, 48),
    "Replicate": "r8_" + _some(_WORD, 37),
    "NVIDIA": "nvapi-" + _some(_WORD, 64),
    "Fireworks": "fw_" + _some(_WORD, 24),
    "Cerebras": "csk-" + _some(ascii_lowercase + digits, 48),
    "Tavily": "tvly-dev-" + _some(_WORD, 32),
    "LangSmith": "lsv2_pt_" + _some(_HEX, 32) + "_" + _some(_HEX, 10),
    "Langfuse": "sk-lf-" + "-".join(_some(_HEX, n) for n in (8, 4, 4, 4, 12)),
    "Voyage": "pa-" + _some(_WORD, 43),
    "Pinecone": "pcsk_" + _some(_WORD, 70),
    "Databricks": "dapi" + _some(_HEX, 32),
    "GitHub": "ghp_" + _some(_WORD, 36),
    "GitHub fine-grained": "github_pat_" + _some(_WORD, 82),
    "GitLab": "glpat-" + _some(_WORD, 20),
    "Slack": "xoxb-" + _some(digits, 12) + "-" + _some(_WORD, 24),
    "Stripe": "sk_live_" + _some(_WORD, 24),
    "SendGrid": "SG." + _some(_WORD, 22) + "." + _some(_WORD, 43),
    "npm": "npm_" + _some(_WORD, 36),
    "a JWT": "eyJ" + _some(_WORD, 20) + ".eyJ" + _some(_WORD, 40) + "." + _some(_WORD, 43),
}
NO_SHAPE = _some(ascii_lowercase, 10) + "7" + _some(ascii_lowercase, 10)
"""A secret that only its place tells."""

PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + _some(_WORD, 64) + "\n-----END RSA PRIVATE KEY-----"

AROUND = [
    ("a bearer token", f"Authorization: Bearer {NO_SHAPE}"),
    ("a bearer token in lower case", f"curl -H 'authorization: bearer {NO_SHAPE}'"),
    ("basic credentials", f"Authorization: Basic {NO_SHAPE}=="),
    ("a password in a URL", f"postgres://user:{NO_SHAPE}@db.example.com/x"),
    ("a key in a URL", f"https://h/x?key={NO_SHAPE}&b=1"),
    ("an api_key in a URL", f"https://h/x?a=1&api_key={NO_SHAPE}"),
    ("Azure's account key", f"DefaultEndpointsProtocol=https;AccountKey={NO_SHAPE}==;"),
    ("Azure's shared access signature", f"https://h/x?sv=1&sig={NO_SHAPE}%3D"),
    ("a token as a user", f"https://{NO_SHAPE}@sentry.example.com/15"),
    (
        "Amazon's signature",
        f"https://h/x?a=1&X-Amz-Signature={NO_SHAPE}&X-Amz-Date=20260101T000000Z",
    ),
    ("Amazon's token", f"https://h/x?x-amz-security-token={NO_SHAPE}%2Fx"),
    ("Google's credential", f"https://h/x?X-Goog-Credential={NO_SHAPE}%2F20260101%2Fauto"),
    ("CloudFront's signature", f"<img src='https://h/x?Expires=1&amp;Signature={NO_SHAPE}~~'>"),
    (
        "a signature in JSON",
        json.dumps({"url": f"?a&Signature={NO_SHAPE}"}).replace("&", r"\u0026"),
    ),
    (
        "a signed URL in a URL",
        f"https://h/x?image=https%3A%2F%2Fh%3FSignature%3D{NO_SHAPE}%7E%26a%3D1",
    ),
    ("JSON in a string", json.dumps({"api_key": NO_SHAPE, "q": 1})),
    ("JSON in JSON in a string", json.dumps(json.dumps({"client_secret": NO_SHAPE}))),
    ("spaced JSON in a string", '{ "password" : "' + NO_SHAPE + '" }'),
    ("an upload's policy", json.dumps({"conditions": [{"x-amz-security-token": NO_SHAPE}]})),
    ("an assignment in code", f'OPENAI_API_KEY = "{NO_SHAPE}"'),
    ("a dictionary in code", "{'access_token': '" + NO_SHAPE + "'}"),
]

FIELDS = [
    *[
        "api_key",
        "apiKey",
        "api-key",
        "x-api-key",
        "openai_api_key",
        "OPENAI_API_KEY",
        "password",
        "client_secret",
    ],
    *[
        "access_token",
        "refresh_token",
        "id_token",
        "auth_token",
        "session_token",
        "aws_secret_access_key",
    ],
    *[
        "aws_access_key_id",
        "private_key",
        "secret",
        "secret_key",
        "authorization",
        "vertex_credentials",
    ],
    *["connection_string", "db_password", "token"],
]
PARAMETERS = [
    *[
        "key",
        "api_key",
        "api-key",
        "apikey",
        "access_token",
        "token",
        "client_secret",
        "sig",
        "signature",
        "code",
    ],
    *["X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "subscription-key"],
]
HEADERS = [
    *["Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "api-key", "x-goog-api-key"],
    *["x-amz-security-token", "anthropic-api-key", "xi-api-key", "Ocp-Apim-Subscription-Key"],
]

INNOCENT: list[tuple[str, Any]] = [
    ("limits", {"max_tokens": 5, "max_completion_tokens": "1000000000000000", "n_tokens": "12"}),
    ("log probabilities", {"token": " Paris", "logprob": -0.1, "bytes": [32], "top_logprobs": []}),
    ("a long token of a log probability", {"token": "internationalisation"}),
    ("a page token", {"next_page_token": "CAESBgoEIgIIAQ1234567890"}),
    ("usage", {"prompt_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 0}}),
    (
        "a tool's schema",
        {
            "properties": {
                "api_key": {"type": "string", "description": "The API key to use"},
                "password": {"type": "string"},
            },
            "required": ["api_key", "password"],
        },
    ),
    (
        "words with hyphens",
        "task-specific-instructions-for-the-model and risk-averse-decision-makers",
    ),
    ("talk of keys", "Set the api_key parameter; the password: ask your admin. Use Bearer auth."),
    ("an author", "https://user@example.com/x mailto:someone@example.com:25"),
    ("ids", {"id": "chatcmpl-" + _some(_WORD, 29), "call_id": "call_" + _some(_WORD, 24)}),
    ("fingerprints", {"system_fingerprint": "fp_f33640a400", "item_id": "msg_" + _some(_HEX, 48)}),
    ("a short value of a doubtful name", {"key": "name", "token": "abc"}),
    ("an empty secret", {"api_key": "", "password": None, "secret": False}),
    ("Python", "risk_keys = dict(hf_model='x'); eyJust = 'desk-bound-people-who-like-tea'"),
    ("a sort key", {"key": "created_at", "order": "desc"}),
    (
        "a signature that is none",
        "x;credential=computed(value) f(x)?signature=7 https://someone@example.com/",
    ),
    ("a file in an object store", {"key": "t5_29ey0j/styles/image_widget_nh2xvtre84b51.png"}),
    ("an object in a store", {"key": "t5_2t5o6/t2_4cixf/a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"}),
    ("a path in an object store", {"key": f"rte_images/{_some(_WORD, 12)}", "bucket": "uploads"}),
]


def exchange(
    body: bytes = b"{}",
    answer: bytes = b"{}",
    *,
    url: str = "https://api.openai.com/v1/x",
    headers: Headers = (("content-type", "application/json"),),
    answer_headers: Headers = (("content-type", "application/json"),),
) -> Interaction:
    """An exchange with these parts."""
    return Interaction(
        Request("POST", url, headers, body), Response(200, "OK", answer_headers, answer)
    )


def saved(interaction: Interaction, **options: Any) -> str:
    """What is written of an exchange, with everything in base64 laid open."""
    document = new_recording(interaction, Options(**options)).document
    text = document_text(document)
    from_document(document)
    found = re.findall(r'"__data__": "([A-Za-z0-9+/]+={0,2})"', text)
    opened = [base64.b64decode(data + "===") for data in found if len(data) % 4 != 1]
    return text + b"".join(opened).decode("latin-1")


def _sse(*events: str) -> bytes:
    return "".join(f"data: {event}\n\n" for event in events).encode()


def _chat_chunk(text: str) -> str:
    return json.dumps(
        {"object": "chat.completion.chunk", "choices": [{"delta": {"content": text}}]}
    )


def _places(secret: str) -> dict[str, Interaction]:
    """An exchange for each place in which a key of a known shape may stand."""
    sse: Headers = (("content-type", "text/event-stream"),)
    form: Headers = (("content-type", "application/x-www-form-urlencoded"),)
    multipart: Headers = (("content-type", "multipart/form-data; boundary=b"),)
    text = json.dumps({"a": f"my key is {secret}, keep it"})
    part = f'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nkey {secret}\r\n--b--\r\n'
    arguments = json.dumps({"arguments": json.dumps({"query": f"find {secret}"})})
    return {
        "query": exchange(url=f"https://h/x?q={quote(secret)}"),
        "path": exchange(url=f"https://h/{quote(secret, safe='')}/x"),
        "prompt": exchange(text.encode()),
        "answer": exchange(answer=text.encode()),
        "answer under a layout of its own": exchange(answer=text.replace(": ", " :  ").encode()),
        "answer with a key named twice": exchange(
            answer=f'{{"a":"{secret}","a":"{secret}"}}'.encode()
        ),
        "key of an object": exchange(json.dumps({secret: 1}).encode()),
        "tool arguments": exchange(arguments.encode(), arguments.encode()),
        "form": exchange(f"a={quote(secret)}".encode(), headers=form),
        "multipart": exchange(part.encode(), headers=multipart),
        "text": exchange(
            f"key {secret}".encode(), f"key {secret}".encode(), headers=(), answer_headers=()
        ),
        "binary": exchange(b"\xff " + secret.encode(), b"\xff " + secret.encode()),
        "streamed answer": exchange(
            answer=_sse(_chat_chunk(f"it is {secret}.")), answer_headers=sse
        ),
        "raw event": exchange(
            answer=_sse('{"a":"' + secret + '", "b":1,"b":2}', f"oops {secret}")
            + f"error: {secret}\n\nid: 1\nid: {secret}\ndata: x".encode(),
            answer_headers=sse,
        ),
        "names and comments of events": exchange(
            answer=f": key {secret}\nevent: {secret}\nid: {secret}\ndata: 1\n\n".encode(),
            answer_headers=sse,
        ),
        "response header": exchange(answer_headers=(("location", f"https://h/{secret}"),)),
        "request header that is kept": exchange(headers=(("x-note", f"key {secret}"),)),
    }


PLACES = list(_places("x"))


@pytest.mark.parametrize("provider", KEYS)
def test_a_key_is_found_by_its_shape_wherever_it_stands(provider: str) -> None:
    """A key of a provider's shape is in no file: query, path, prompt, answer, stream, raw text."""
    secret = KEYS[provider]
    for place, interaction in _places(secret).items():
        text = saved(interaction, keep_request_headers=("x-note",))
        hidden = secret not in text and quote(secret) not in text and PLACEHOLDER in text
        assert hidden, place


@pytest.mark.parametrize("scheme", ["", "data:text/plain;base64,"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_key_in_base64_is_found(scheme: str, times: int) -> None:
    """A policy or a file that is sent in base64 says what it said, without the key."""
    told = f'{{"credential": "{KEYS["AWS"]}/20260101", "learned": "{NO_SHAPE}"}}'
    for _ in range(times):
        told = base64.b64encode(told.encode()).decode()
    body = json.dumps({"policy": scheme + told}).encode()
    headers: Headers = (
        ("content-type", "application/json"),
        ("authorization", f"Bearer {NO_SHAPE}"),
    )
    document: Any = new_recording(exchange(body, body, headers=headers), Options()).document
    for place in ("request", "response"):
        found = document[place]["body"]["policy"]
        assert found.startswith(scheme)
        found = found.removeprefix(scheme)
        for _ in range(times):
            found = base64.b64decode(found).decode()
        assert found == '{"credential": "REDACTED/20260101", "learned": "REDACTED"}'


@pytest.mark.parametrize("place", [place for place in PLACES if place != "path"])
def test_a_private_key_is_found_wherever_it_stands(place: str) -> None:
    """The inside of a PEM block is taken out, escaped line breaks or not."""
    middle = PEM.split("\n")[1]
    escaped = PEM.replace("\n", "\\n")
    text = saved(_places(escaped)[place], keep_request_headers=("x-note",))
    assert middle not in text


@pytest.mark.parametrize("text", [row[1] for row in AROUND], ids=[row[0] for row in AROUND])
def test_a_secret_is_found_by_what_stands_around_it(text: str) -> None:
    """Credentials of no shape are found in text by the words, signs and names before them."""
    body = json.dumps({"messages": [{"content": text}]}).encode()
    assert NO_SHAPE not in saved(exchange(body, body))
    stream: Headers = (("content-type", "text/event-stream"),)
    assert NO_SHAPE not in saved(exchange(answer=_sse(_chat_chunk(text)), answer_headers=stream))


@pytest.mark.parametrize("name", FIELDS)
def test_a_secret_is_found_by_the_name_of_its_field(name: str) -> None:
    """A JSON field, form field or part that carries a credential has none in the file."""
    body = json.dumps({"config": [{name: NO_SHAPE}], name: NO_SHAPE}).encode()
    part = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{NO_SHAPE}\r\n--b--\r\n'
    form: Headers = (("content-type", "application/x-www-form-urlencoded"),)
    assert NO_SHAPE not in saved(exchange(body, body))
    assert NO_SHAPE not in saved(exchange(f"{name}={NO_SHAPE}".encode(), headers=form))
    assert NO_SHAPE not in saved(exchange(part.encode(), headers=()))
    assert NO_SHAPE not in saved(exchange(url=f"https://h/x?{name}={NO_SHAPE}"))


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "Mka1b2c3d4e5/a1b2c3d4e5"},
        {"key": "Mka1b2c3d4e5/a1b2c3d4e5+x_="},
        {"key": "Mka1b2c3d4e5-_a1b2c3d4e5"},
        {"token": "uploads/a1b2c3d4e5"},
        {"api_keys": ["a1b2c3d4e5", "x"]},
        {"static_headers": {"X-Team": "a1b2c3d4e5"}},
        {"password": 1234567890123},
    ],
    ids=lambda fields: f"{fields}",
)
def test_a_secret_field_of_any_type_is_emptied(fields: Any) -> None:
    """A list of keys, an object of headers and a number are as secret as a string."""
    text = saved(exchange(json.dumps(fields).encode()))
    assert "a1b2c3d4e5" not in text
    assert "1234567890123" not in text


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_secret_is_found_by_the_name_of_its_parameter(name: str) -> None:
    """The value of a secret query parameter goes; the rest of the URL stays as it was."""
    document: Any = new_recording(
        exchange(url=f"https://h/x%20y?a=%2F&{name}=abc&b=#{name}"), Options()
    ).document
    assert document["request"]["url"] == f"https://h/x%20y?a=%2F&{name}={PLACEHOLDER}&b=#{name}"


@pytest.mark.parametrize("name", HEADERS)
def test_what_a_header_carries_is_a_secret_everywhere(name: str) -> None:
    """A server that echoes a credential, whole or without its scheme, has told nothing."""
    answer = json.dumps({"error": f"Incorrect API key provided: {NO_SHAPE}."}).encode()
    for value in (NO_SHAPE, f"Bearer {NO_SHAPE}"):
        interaction = exchange(answer=answer, headers=((name, value),))
        text = saved(interaction, keep_request_headers=("*",))
        assert NO_SHAPE not in text
        hidden = new_recording(exchange(answer=answer), Options(), secret_headers=((name, value),))
        assert NO_SHAPE not in document_text(hidden.document)


def test_a_cookie_is_never_kept() -> None:
    """Cookies are secrets even where the user keeps their header."""
    interaction = exchange(answer_headers=(("set-cookie", f"a={NO_SHAPE}"),))
    assert NO_SHAPE not in saved(interaction, keep_response_headers=("set-cookie",))


def test_userinfo_leaves_the_url() -> None:
    """Name and password before the host are replaced."""
    document: Any = new_recording(exchange(url="https://me:pw@h:1/x@y"), Options()).document
    assert document["request"]["url"] == f"https://{PLACEHOLDER}@h:1/x@y"


def test_what_the_user_adds_is_redacted_too() -> None:
    """Strings and patterns of the user's are found everywhere, and none turns a rule off."""
    body = json.dumps({"a": "Acme Corp, order ACME-1234", "b": KEYS["OpenAI"]}).encode()
    text = saved(exchange(body, body), redact=("Acme Corp", re.compile(r"ACME-\d+"), ""))
    assert "Acme" not in text
    assert "ACME" not in text
    assert KEYS["OpenAI"] not in text


def test_a_message_is_redacted_like_a_file() -> None:
    """A text for a log has no known shapes, and its URLs are cleaned like a request's."""
    text = f"GET https://me:pw@h/x?token={NO_SHAPE}&a=1 failed with {KEYS['Google']}"
    expected = f"GET https://{PLACEHOLDER}@h/x?token={PLACEHOLDER}&a=1 failed with {PLACEHOLDER}"
    assert Redaction().text(text) == expected


def test_short_header_values_teach_nothing() -> None:
    """A dummy key such as "test" is not hunted through the whole exchange."""
    assert secrets_in_headers((("authorization", "Bearer test"), ("x-api-key", "dummy"))) == set()


def test_a_password_that_is_also_a_word_leaves_no_raw_text_that_contradicts_the_value() -> None:
    """Where a secret's text also stands where it is none, value and bytes still say the same."""
    body = b'{ "password":"hunter22", "note":"hunter22 is a name" }'
    document = new_recording(exchange(answer=body), Options()).document
    expected = {"password": PLACEHOLDER, "note": "hunter22 is a name"}
    assert json.loads(from_document(document).response.body) == expected


@pytest.mark.parametrize("value", [row[1] for row in INNOCENT], ids=[row[0] for row in INNOCENT])
def test_what_is_no_secret_stays(value: Any) -> None:
    """Limits, log probabilities, page tokens, schemas and ordinary words are left alone."""
    interaction = exchange(json.dumps({"x": value}).encode(), json.dumps({"x": value}).encode())
    assert Redaction().document(to_document(interaction)) == to_document(interaction)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"url": 1, "headers": [], "endpoint": None, "model": 2},
        {"body": tag(FORM, [1, ["a"], {"api_key": NO_SHAPE}])},
        {"body": tag(FORM, NO_SHAPE)},
        {"body": tag("multipart/form-data", [1, {"name": "password", "body": 3}])},
        {"body": tag("bytes", 7)},
        {"body": tag("bytes", KEYS["OpenAI"])},
        {"url": f"http://[{KEYS['OpenAI']}"},
    ],
    ids=range(8),
)
def test_what_is_malformed_is_redacted_too(request_: dict[str, Any]) -> None:
    """A request that was edited by hand into something else is cleaned as far as it can be."""
    cleaned = document_text(Redaction().request(request_))
    assert KEYS["OpenAI"] not in cleaned
    assert document_text(Redaction().request(Redaction().request(request_))) == cleaned


def test_framing_that_makes_no_sense_is_left_to_its_reader() -> None:
    """Framing edited by hand is kept, but for raw texts, which are cleaned or left out."""
    secret = KEYS["OpenAI"]
    hidden = "".join(f"\\u{ord(character):04X}" for character in secret)
    events = {
        "x": {"end": "x"},
        "0": 3,
        "1": {"data": f'{{"a":"{hidden}", "b":1}}'},
        "2": {"data": f'{{"a":"{secret}", "b":1', "raw": 4},
        "9": {"end": "y"},
    }
    response: Any = {
        "body": [1, {"a": secret, "b": 1}, {"a": secret}],
        "is_streaming": True,
        "framing": {"events": events, "raw": 5},
    }
    cleaned: Any = Redaction().document({"response": response})["response"]
    assert cleaned["framing"]["events"]["x"] == {"end": "x"}
    assert "1" not in cleaned["framing"]["events"]
    assert secret not in document_text(cleaned)
    assert hidden not in document_text(cleaned)


def test_framing_that_holds_no_secret_stays() -> None:
    """Redacting a value changes nothing of how its bytes are laid out."""
    body = b'{ "api_key":"' + NO_SHAPE.encode() + b'",  "n":1E5 }'
    document = new_recording(exchange(answer=body), Options()).document
    replayed = from_document(document).response.body
    assert replayed == body.replace(NO_SHAPE.encode(), PLACEHOLDER.encode())


def test_a_secret_hidden_by_escapes_leaves_the_raw_text() -> None:
    """Raw text that spells a secret in another way is not kept at all."""
    secret = KEYS["OpenAI"]
    hidden = "".join(f"\\u{ord(character):04X}" for character in secret)
    document: Any = new_recording(
        exchange(answer=f'{{ "a":"{hidden}" }}'.encode()), Options()
    ).document
    assert hidden not in document_text(document)
    assert document["response"]["body"] == {"a": PLACEHOLDER}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'{"api_key": [""] ,"a":"\"\""}', {"api_key": [PLACEHOLDER], "a": '""'}),
        (rb'{ "password":"a", "x\"a":1}', {"password": PLACEHOLDER, 'x"a': 1}),
    ],
)
def test_a_secret_that_is_part_of_another_text_leaves_the_raw_text(body: bytes, value: Any) -> None:
    """Where the raw text cannot follow its value without being spoiled, it is not kept."""
    document: Any = new_recording(exchange(answer=body), Options()).document
    assert document["response"]["body"] == value
    assert parse(from_document(document).response.body.decode()) == value


_secrets = st.sampled_from([*KEYS.values(), PEM, *(text for _name, text in AROUND)])
_texts = st.lists(
    st.one_of(_secrets, st.text(max_size=5), st.sampled_from(['"', " ", "key=", "Bearer ", "://"])),
    max_size=4,
).map("".join)
planted: st.SearchStrategy[Any] = st.recursive(
    _texts | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FIELDS, "a", "b"]) | _texts, inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def _exchanges_with_secrets(draw: st.DrawFn) -> Interaction:
    value = draw(planted)
    text = json.dumps(value, ensure_ascii=draw(st.booleans())).replace(
        ": ", draw(st.sampled_from([":", " : "]))
    )
    streamed = f"data: {text}\n\nevent: a\ndata: {text} \n\n{draw(_texts)}"
    content_type, body = draw(
        st.sampled_from(
            [("application/json", text), ("text/event-stream", streamed), ("x/y", text)]
        )
    )
    url = f"https://h/x?a={quote(draw(_texts))}&key={quote(draw(_texts))}#{draw(_texts)}"
    return exchange(
        text.encode(errors="replace"),
        body.encode(errors="replace"),
        url=url,
        answer_headers=(("content-type", content_type), ("x-note", draw(_texts))),
    )


@fuzzed
@given(interactions | _exchanges_with_secrets())
def test_redacting_twice_is_redacting_once(interaction: Interaction) -> None:
    """A redacted document holds nothing more to redact, and still replays."""
    redaction = Redaction()
    once = redaction.document(to_document(interaction), interaction.request.headers)
    assert document_text(redaction.document(once)) == document_text(once)
    from_document({**once, "recorded_at": "x"})


@fuzzed
@given(_exchanges_with_secrets())
def test_what_is_sent_is_redacted_as_what_was_recorded(interaction: Interaction) -> None:
    """Both sides of a match lose the same: a request alone, within a document, and read back."""
    redaction = Redaction()
    document: Any = to_document(interaction)
    within: Any = redaction.document(document)
    alone = redaction.request(document["request"])
    assert alone == within["request"]
    read_back: Any = to_document(from_document({**within, "recorded_at": "x"}))
    assert redaction.request(read_back["request"])["body"] == alone["body"]


@fuzzed
@given(planted)
def test_no_key_of_a_known_shape_survives(value: Any) -> None:
    """However secrets are nested and joined, none of a known shape is left."""
    text = saved(exchange(json.dumps(value).encode(), json.dumps(value).encode()))
    for secret in KEYS.values():
        assert not re.search(rf"(?<![\w-]){re.escape(secret)}", text)


@fuzzed
@given(_texts, _texts, st.sampled_from([0, 60, 200]))
def test_a_long_text_is_looked_at_like_a_short_one(before: str, after: str, length: int) -> None:
    """What is searched for in long words only is nowhere else."""
    text = f"{before}{'word ' * (length // 5)}{after}"
    with mock.patch.object(_secret_shapes, "_LONG", 10**9):
        expected = without_known_shapes(text)
    assert without_known_shapes(text) == expected


@pytest.mark.parametrize(("beginning", "rest"), _secret_shapes._SHAPES)
def test_every_known_shape_is_found_in_a_long_text(beginning: str, rest: str) -> None:
    """A key is one of the long words that are looked at, or a part of one."""

    @settings(max_examples=10)
    @given(st.from_regex(rest, fullmatch=True), st.sampled_from([" ", "\n", ":", "é", ""]))
    def is_found(end: str, lead: str) -> None:
        text = f"{'word ' * 30}{lead}{beginning}{end}"
        assert without_known_shapes(text) != text

    is_found()


def test_what_is_remembered_as_harmless_is_bounded() -> None:
    """Texts beyond the bound are looked at again, and are clean or redacted all the same."""
    redaction = Redaction(["word of ours"])
    texts: list[JSON] = [f"{number} " * 400 for number in range(100, 1000)]
    key = KEYS["OpenAI"]
    body: list[JSON] = [*texts, "x " * 10_000, key, *texts, "a word of ours"]
    cleaned = redaction.request({"body": body})["body"]
    assert cleaned == [*texts, "x " * 10_000, PLACEHOLDER, *texts, f"a {PLACEHOLDER}"]


@fuzzed
@given(documents)
def test_any_document_can_be_redacted(document: dict[str, Any]) -> None:
    """Whatever a file holds, redacting does not fail on it."""
    once = Redaction(["secret"]).document(document)
    assert document_text(Redaction(["secret"]).document(once)) == document_text(once)
