"""Secrets that are left in a document: every shape, in every place, in every form."""

from __future__ import annotations

import base64
import gzip
import json
import random
import string
import time
import uuid
import zlib
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.recordings import recording
from vcr_llm._secret_detector import secrets_in
from vcr_llm._secret_shapes import _SHAPES, PLACEHOLDER
from vcr_llm._secrets_left import Cure, kind_in, secrets_left, shown, without_secrets

_KEY = "sk-proj-abcdefghijklmnopqrstuvwx"
_WORDS = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_CHANCE = random.Random(7)


def _random(length: int, alphabet: str = _WORDS) -> str:
    return "".join(_CHANCE.choice(alphabet) for _ in range(length))


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _pem(kind: str) -> str:
    return f"-----BEGIN {kind}-----\n{_random(64)}\n{_random(64)}\n-----END {kind}-----\n"


_UPPER = string.ascii_uppercase + "234567"
_SECRETS = {
    "openai": f"sk-{_random(48)}",
    "openai, project": f"sk-proj-{_random(74)}T3BlbkFJ{_random(73)}",
    "anthropic": f"sk-ant-api03-{_random(93)}AA",
    "google": f"AIza{_random(35)}",
    "google oauth": f"ya29.{_random(60)}",
    "aws": f"AKIA{_random(16, _UPPER)}",
    "aws, temporary": f"ASIA{_random(16, _UPPER)}",
    "aws, bedrock": f"ABIA{_random(16, _UPPER)}",
    "aws pair": f"AKIA{_random(16, _UPPER)} aws_secret_access_key = '{_random(40)}'",
    "aws secret": f'aws_secret_access_key = "{_random(40)}"',
    "github": f"ghp_{_random(36)}",
    "github, fine-grained": f"github_pat_{_random(22)}_{_random(59)}",
    "gitlab": f"glpat-{_random(20)}",
    "gitlab, deploy": f"gldt-{_random(20)}",
    "gitlab, runner": f"GR1348941{_random(20)}",
    "slack": f"xoxb-123456789012-1234567890123-{_random(24)}",
    "slack, webhook": f"https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/{_random(24)}",
    "stripe": f"sk_live_{_random(24)}",
    "stripe, restricted": f"rk_live_{_random(24)}",
    "sendgrid": f"SG.{_random(22)}.{_random(43)}",
    "npm": f"npm_{_random(36)}",
    "npmrc": f"//npm.example.com/:_authToken={uuid.UUID(int=_CHANCE.getrandbits(128))}",
    "pypi": f"pypi-AgEIcHlwaS5vcmc{_random(80)}",
    "twilio": f"SK{_random(32, _HEX)}",
    "twilio, account": f"AC{_random(32, _HEX)}",
    "telegram": f"1234567890:{_random(35)}",
    "telegram, url": f"https://api.telegram.org/bot1234567890:{_random(35)}/getMe",
    "discord": f"MTA{_random(21)}.{_random(6)}.{_random(27)}",
    "jwt": f"{_encoded({'alg': 'HS256'})}.{_encoded({'sub': '1', 'iat': 1})}.{_random(43)}",
    "basic auth": "https://user:hunter2pass@example.com/x",
    "database": "postgresql://app:s3cr3tpw@db.internal:5432/x",
    "bearer": f"Bearer {_random(40)}",
    "azure storage": f"AccountName=a;AccountKey={base64.b64encode(bytes(range(64))).decode()};x",
    "azure signature": f"https://a.blob.core.windows.net/c?sv=2020&sig={_random(43)}%3D",
    "pem": _pem("PRIVATE KEY"),
    "pem, rsa": _pem("RSA PRIVATE KEY"),
    "pem, ec": _pem("EC PRIVATE KEY"),
    "pem, openssh": _pem("OPENSSH PRIVATE KEY"),
    "pem, pgp": _pem("PGP PRIVATE KEY BLOCK"),
    "ssh2": f"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{_random(64)}\n",
    "putty": f"PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 1\n{_random(64)}\n",
    "environment": f"AWS_SECRET_ACCESS_KEY={_random(39)}1 HOME=/",
    "mailchimp": f"{_random(32, _HEX)}-us12",
    "square": f"sq0csp-{_random(43)}",
    "artifactory": f"AKCp{_random(69)}",
    "ibm": f"ibm_cloud_iam_api_key: {_random(44)}",
    "xai": f"xai-{_random(80)}",
    "groq": f"gsk_{_random(52)}",
    "hugging face": f"hf_{_random(34)}",
    "password": '{"password": "hunter2"}',
    "token": json.dumps({"access_token": _random(40)}),
}


def _sent(body: Any) -> dict[str, Any]:
    document = recording()
    return document | {"request": document["request"] | {"body": body}}


def _places(secret: str) -> dict[str, dict[str, Any]]:
    """Documents that hold a secret, each in the place that it is found under."""
    text = f"look: {secret} ."
    plain = recording()
    encoded = base64.b64encode(text.encode()).decode()
    form = {"__type__": "application/x-www-form-urlencoded", "__data__": [["q", text]]}
    part = {"name": "file", "filename": text, "body": {"__type__": "str", "__data__": "x"}}
    return {
        "request.body.prompt": recording(text),
        "response.body.answer": recording(answer=text),
        "response.headers.x-debug": recording(headers={"x-debug": text}),
        "note[0].deep": plain | {"note": [{"deep": text}]},
        "request.mine": plain | {"request": plain["request"] | {"mine": text}},
        "response.mine": recording(mine=text),
        "response.body[0].__comment__": recording(body=[{"__comment__": text}], is_streaming=True),
        "response.framing": recording(framing={"raw": text}, body=None),
        "request.body.__data__[0][1]": _sent(form),
        "request.body.__data__[0].filename": _sent(
            {"__type__": "multipart/form-data", "__data__": [part]}
        ),
        "response.body.__data__": recording(body={"__type__": "bytes", "__data__": encoded}),
    }


@pytest.mark.parametrize("name", _SECRETS)
def test_every_secret_is_found_everywhere(name: str) -> None:
    """In requests and responses, names of others, headers, comments, forms, base64, raw text."""
    secret = _SECRETS[name]
    for place, document in _places(secret).items():
        found = secrets_left(document)
        assert [left.place for left in found if left.place.startswith(place)], (place, found)
        assert all(secret not in str(left) for left in found)


@pytest.mark.parametrize("name", _SECRETS)
def test_what_is_found_can_be_taken_out(name: str) -> None:
    """And then nothing is found any more."""
    for place, document in _places(_SECRETS[name]).items():
        cleaned = without_secrets(document)
        assert secrets_left(cleaned) == [], place
        assert without_secrets(cleaned) == cleaned


@pytest.mark.parametrize(("beginning", "rest"), _SHAPES)
def test_every_shape_of_our_own_is_found(beginning: str, rest: str) -> None:
    """Whatever redaction takes out, check finds."""
    example = st.from_regex(rest, fullmatch=True)

    @settings(max_examples=20)
    @given(example)
    def is_found(end: str) -> None:
        if end.isascii():
            assert secrets_left(recording(f"({beginning}{end})")) != []

    is_found()


def test_cures_say_what_helps() -> None:
    """Our own redaction, a removal that a new recording needs again, or a person's hand."""
    document = recording(_KEY, _SECRETS["discord"]) | {"test_id": f"t.py::test_x[{_KEY}]"}
    told = f"the key is {_KEY}".encode()
    document["response"]["body"]["text"] = base64.b64encode(told).decode()
    document["response"]["body"]["file"] = base64.b64encode(gzip.compress(told)).decode()
    cures = {left.place: left.cure for left in secrets_left(document)}
    assert cures["request.body.prompt"] is Cure.REDACTION
    assert cures["response.body.answer"] is Cure.REMOVAL
    assert cures["test_id"] is Cure.HAND
    assert cures["response.body.text"] is Cure.REDACTION
    assert cures["response.body.file"] is Cure.HAND


def test_the_test_keeps_its_id() -> None:
    """Without it, the recording would be no test's."""
    document = recording(test_id=f"t.py::test_x[{_KEY}]")
    assert without_secrets(document)["test_id"] == document["test_id"]
    assert "test_id" not in without_secrets({"note": _KEY})


def test_a_secret_that_a_header_carried_is_found_where_it_is_echoed() -> None:
    """Whatever it looks like."""
    document = recording(answer="Incorrect key provided: my-own-credential")
    document["request"]["headers"] = {"api-key": "my-own-credential", "authorization": None}
    found = {left.place for left in secrets_left(document)}
    assert found == {"request.headers.api-key", "response.body.answer"}
    assert "my-own-credential" not in json.dumps(without_secrets(document))


_FORMS = {
    "percent": quote(f"key {_KEY}", safe=""),
    "base64": base64.b64encode(f"the key: {_KEY}".encode()).decode(),
    "base64, url": base64.urlsafe_b64encode(f"the ~~~ key??? {_KEY}".encode()).decode().rstrip("="),
    "data url": "data:text/plain;base64," + base64.b64encode(f"the key: {_KEY}".encode()).decode(),
    "binary": base64.b64encode(b"\x00\xff\x80" + f"the key: {_KEY}".encode() + b"\xfe").decode(),
    "gzip": base64.b64encode(gzip.compress(f"the key: {_KEY}".encode())).decode(),
    "zlib": base64.b64encode(zlib.compress(f"the key: {_KEY}".encode())).decode(),
    "json": json.dumps({"tool": {"connectionString": "x", "n": 1}}),
    "json in base64": base64.b64encode(json.dumps({"authorization": "x" * 9}).encode()).decode(),
}


@pytest.mark.parametrize("form", _FORMS)
def test_other_forms_of_a_text_are_looked_at(form: str) -> None:
    """Encoded, compressed, nested."""
    assert [left.place for left in secrets_left(recording(_FORMS[form]))] == ["request.body.prompt"]


@pytest.mark.parametrize(
    "text",
    [
        "{not JSON, though it begins so}",
        "[1, 2",
        "0123456789abcdef0123456789abcdef",
        "A" * 25,
        "%zz is no percent-encoding, 100% sure",
        base64.b64encode(b"\x1f\x8b is no gzip, though it begins so").decode(),
        base64.b64encode(bytes(range(128, 256))).decode(),
        "YOUR_API_KEY_HERE",
        'api_key = "YOUR_API_KEY"',
        "password: 'your-password'",
        "Authorization: Bearer REDACTED",
        "-----BEGIN PRIVATE KEY-----REDACTED-----END PRIVATE KEY-----",
        "task-specific-instructions-for-the-agent",
        "the 8.8.8.8 server",
        "the text says BEGIN RSA PRIVATE KEY",
        "a" * 3000 + "AKIAABCDEFGHIJKLMNOP" + "a" * 3000,
        'data: {"choices":[],"obfuscation":"APEmcIQyJcyg"}',
        _encoded({"conditions": [{"bucket": "uploads"}, {"key": f"rte_images/{_random(13)}7a"}]}),
    ],
)
def test_harmless_texts_are_no_secrets(text: str) -> None:
    """Placeholders, ids, what was redacted, and what base64 holds by chance."""
    assert secrets_left(recording(text, text)) == []
    assert kind_in(text) is None


@pytest.mark.parametrize(
    ("name", "value", "is_found"),
    [
        ("obfuscation", "APEmcIQyJcyg", False),
        ("password_hash", "APEmcIQyJcyg", True),
        ("obfuscation", "AP5" + "x" * 40, True),
    ],
)
def test_the_padding_of_events_is_no_password(name: str, value: str, *, is_found: bool) -> None:
    """OpenAI pads events with random characters, some of which look like one of Artifactory's."""
    document = recording()
    document["response"]["body"] = [{name: value}]
    assert bool(secrets_left(document)) is is_found


def test_a_name_of_a_place_that_says_example_is_none() -> None:
    """Documentation shows keys, too."""
    document = recording() | {"config": {"api_key": "YOUR_API_KEY", "password": "hunter2"}}
    assert [left.place for left in secrets_left(document)] == ["config.password"]


def test_an_example_hides_no_secret_beside_it() -> None:
    """Only what is an example is passed over."""
    text = f'api_key = "YOUR_API_KEY" # or {_KEY}'
    assert [left.place for left in secrets_left(recording(text))] == ["request.body.prompt"]


def test_a_text_in_a_text_in_a_text_is_looked_at_and_no_deeper() -> None:
    """There is an end to it: of what is opened three times, redaction opens three more."""
    text = _KEY
    depths = []
    for _depth in range(8):
        text = base64.b64encode(text.encode()).decode()
        depths.append(len(secrets_left(recording(text))))
    assert depths == [1, 1, 1, 1, 1, 1, 0, 0]


def test_secrets_in_names_are_not_shown() -> None:
    """A place is told without them."""
    document = recording() | {"keys": {_KEY: {"password": "x"}, "a b\x1b": _KEY, "a": 1}}
    found = [left.place for left in secrets_left(document)]
    assert found == [f"keys.{PLACEHOLDER}", f"keys.{PLACEHOLDER}.password", r'keys["a b\u001b"]']
    assert _KEY not in json.dumps(without_secrets(document))


def test_several_secret_names_of_one_object_are_told_together() -> None:
    """Redacted, they are one."""
    document = recording() | {"keys": {_KEY: 1, f"{_KEY}2": 2}}
    assert {left.place for left in secrets_left(document)} >= {"keys"}


def test_numbers_in_secret_places_are_secrets() -> None:
    """A PIN is one."""
    document = recording() | {"password": 1234}
    assert [(left.place, left.cure) for left in secrets_left(document)] == [
        ("password", Cure.REDACTION)
    ]


def test_a_message_shows_no_secret() -> None:
    """Of our own rules and of the detector's."""
    text = f"tests/x[{_KEY}]/{_SECRETS['twilio']}"
    assert shown(text) == "tests/x[REDACTED]/REDACTED"
    assert shown("tests/cassettes/test_x") == "tests/cassettes/test_x"


def test_long_lines_are_looked_through() -> None:
    """A key that stands across the windows in which a line is read is found."""
    for start in range(3900, 4100, 7):
        (found,) = secrets_in(f"{'x ' * start}AKIA{'A' * 16} {'y ' * 9000}")
        assert found.value == f"AKIA{'A' * 16}"


@pytest.mark.parametrize(
    "piece", ["/", "eyJ", "://a:", "key: ", "{", "A1b2", "%41", "//:_authToken="]
)
def test_hostile_texts_take_no_time(piece: str) -> None:
    """Nothing is looked for in a time that grows with the square of the length."""
    started = time.perf_counter()
    secrets_left(recording(piece * (300_000 // len(piece))))
    assert time.perf_counter() - started < 10


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["request", "response", "test_id", "x"]), _JSON))
def test_any_document_can_be_looked_through(document: dict[str, Any]) -> None:
    """Malformed ones, too; and taking secrets out of one is done once."""
    secrets_left(document)
    cleaned = without_secrets(document)
    assert without_secrets(cleaned) == cleaned
