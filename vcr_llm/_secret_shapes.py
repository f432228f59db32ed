"""Keys that are known by their shape: the prefixes that providers give them.

The shapes are those that providers document or that secret scanners publish.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

PLACEHOLDER = "REDACTED"

_Shape = tuple[str, str]  # a text that stands in it, and a pattern
_SHORTEST_SHAPE = 12

# The shapes of keys: the text that each begins with, and what follows it. A key begins a word, so
# that "task-specific-instructions" holds no "sk-" key.
_WORD = r"[A-Za-z0-9_-]"
_SHAPES = (
    ("sk-", rf"{_WORD}{{16,}}"),  # OpenAI, Anthropic, DeepSeek, OpenRouter, Langfuse
    *((f"{kind}k_{mode}_", r"[A-Za-z0-9]{16,}") for kind in "prs" for mode in ("live", "test")),
    ("ek_", rf"{_WORD}{{16,}}"),  # OpenAI, ephemeral
    ("sess-", r"[A-Za-z0-9]{24,}"),  # OpenAI, session
    ("AIza", rf"{_WORD}{{30,}}"),  # Google
    ("AQ.", rf"{_WORD}{{30,}}"),  # Google
    ("ya29.", rf"{_WORD}{{20,}}"),  # Google OAuth
    ("GOCSPX-", rf"{_WORD}{{20,}}"),
    ("1//0", rf"{_WORD}{{20,}}"),
    ("AKIA", r"[A-Z0-9]{16}"),  # AWS
    ("ASIA", r"[A-Z0-9]{16}"),
    ("ABIA", r"[A-Z0-9]{16}"),
    ("ACCA", r"[A-Z0-9]{16}"),
    ("ABSK", r"[A-Za-z0-9+/]{40,}={0,2}"),  # Bedrock
    ("bedrock-api-key-", r"[A-Za-z0-9+/=_-]{20,}"),
    ("xai-", r"[A-Za-z0-9]{20,}"),
    ("gsk_", r"[A-Za-z0-9]{20,}"),  # Groq
    ("hf_", r"[A-Za-z0-9]{20,}"),  # Hugging Face
    ("pplx-", r"[A-Za-z0-9]{20,}"),  # Perplexity
    ("r8_", r"[A-Za-z0-9]{20,}"),  # Replicate
    ("nvapi-", rf"{_WORD}{{20,}}"),
    ("fw_", r"[A-Za-z0-9]{20,}"),  # Fireworks
    ("csk-", r"[a-z0-9]{20,}"),  # Cerebras
    ("esecret_", r"[A-Za-z0-9]{20,}"),  # Anyscale
    ("tvly-", r"[A-Za-z0-9-]{16,}"),  # Tavily
    ("lsv2_", r"[a-z]{2}_[a-f0-9]{32}(?:_[a-f0-9]{8,})?"),  # LangSmith
    ("ls__", r"[a-f0-9]{32}"),
    ("pa-", rf"{_WORD}{{36,}}"),  # Voyage
    ("pcsk_", r"[A-Za-z0-9_]{20,}"),  # Pinecone
    ("jina_", r"[A-Za-z0-9]{32,}"),
    ("fc-", r"[a-f0-9]{32}"),  # Firecrawl
    ("e2b_", r"[a-f0-9]{32,}"),
    ("dapi", r"[a-f0-9]{32}"),  # Databricks
    *((f"gh{kind}_", r"[A-Za-z0-9]{20,}") for kind in "pousr"),  # GitHub
    ("github_pat_", r"[A-Za-z0-9_]{20,}"),
    *(
        (f"gl{kind}-", rf"{_WORD}{{20,}}")  # GitLab
        for kind in ("pat", "dt", "ft", "soat", "rt", "cbt", "ptt", "agent", "oas", "imt")
    ),
    ("GR1348941", rf"{_WORD}{{20,}}"),  # GitLab's runners
    *((f"xox{kind}-", r"[A-Za-z0-9-]{10,}") for kind in "abcdeoprs"),  # Slack
    ("xapp-", r"[A-Za-z0-9-]{20,}"),
    ("npm_", r"[A-Za-z0-9]{30,}"),
    ("pypi-", rf"{_WORD}{{60,}}"),
    ("whsec_", r"[A-Za-z0-9+/=]{24,}"),  # Stripe's webhooks, Svix
    ("sk_", r"[a-f0-9]{40,}"),  # ElevenLabs
    ("pylf_v", rf"{_WORD}{{30,}}"),  # Logfire
    ("dop_v1_", r"[a-f0-9]{64}"),  # DigitalOcean
    ("dp.st.", r"[A-Za-z0-9._-]{40,}"),  # Doppler
    ("dp.pt.", r"[A-Za-z0-9]{40,}"),
    *((f"shp{kind}_", r"[a-fA-F0-9]{32}") for kind in ("at", "ca", "pa", "ss")),  # Shopify
    ("lin_api_", r"[A-Za-z0-9]{32,}"),  # Linear
    ("ntn_", r"[A-Za-z0-9]{40,}"),  # Notion
    ("figd_", rf"{_WORD}{{36,}}"),  # Figma
    ("PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),  # Postman
    ("glsa_", r"[A-Za-z0-9]{32}_[a-f0-9]{8}"),  # Grafana
    ("hvs.", rf"{_WORD}{{24,}}"),  # Vault
    ("hvb.", rf"{_WORD}{{24,}}"),
    ("sbp_", r"[a-f0-9]{40}"),  # Supabase
    ("sq0csp-", rf"{_WORD}{{40,}}"),  # Square
    ("sq0atp-", rf"{_WORD}{{20,}}"),
    ("EAAAE", rf"{_WORD}{{55,}}"),
    ("AC", r"[a-f0-9]{32}(?![A-Za-z0-9])"),  # Twilio
    ("SK", r"[a-f0-9]{32}(?![A-Za-z0-9])"),
    ("AKCp", r"[A-Za-z0-9]{60,}"),  # Artifactory
    ("SG.", rf"{_WORD}{{16,}}\.{_WORD}{{16,}}"),  # SendGrid
    ("eyJ", rf"{_WORD}{{10,}}\.eyJ{_WORD}{{10,}}\.{_WORD}+"),  # JWT (RFC 7519)
)
# What signs a URL of Amazon's or Google's stores and of CloudFront, also inside of another URL.
# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
# https://cloud.google.com/storage/docs/authentication/signatures
_SIGNED = (
    r"(?:[?&]|&amp;|\\u0026)(?:[Xx]-(?:[Aa]mz|[Gg]oog)-)?(?:[Ss]ignature|[Cc]redential|[Ss]ecurity-[Tt]oken)"
    r"=(?P<signed>[^\s&#\"'<>\\]{8,})"
)
_SIGNED_INSIDE = (
    r"%(?:3F|26)(?:X-(?:Amz|Goog)-)?Signature%3D"
    r"(?P<signed_inside>(?:[^\s&#\"'<>\\%]|%(?!26)[0-9A-Fa-f]{2}){8,})"
)
# Shapes that stand around a secret: the text that each has, and the group that goes.
_BEARER = r"\b[Bb](?:earer|EARER)\s+(?P<bearer>[A-Za-z0-9._~+/=-]{16,})"
_BASIC = r"\b[Bb](?:asic|ASIC)\s+(?P<basic>[A-Za-z0-9+/]{16,}={0,2})(?![\w+/])"
_SURROUNDINGS = (
    (
        "PRIVATE KEY",
        (
            r"-{4,5} ?BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)? ?-{4,5}"
            r"(?P<pem>[\s\S]*?)(?:-{4,5} ?END [A-Z0-9 ]*KEY|\Z)"
        ),
    ),
    ("PuTTY-User-Key-File-", r"PuTTY-User-Key-File-[23]:(?P<putty>[\s\S]*)"),
    ("earer ", _BEARER),
    ("EARER ", _BEARER),
    ("asic ", _BASIC),
    ("ASIC ", _BASIC),
    ("://", r"://(?P<user>[^\s/?#@:\"'<>]+:[^\s/?#@\"'<>]+)@"),
    ("://", r"://(?P<token>(?=[A-Za-z_-]*\d)[0-9A-Za-z_-]{20,})@"),
    ("AccountKey=", r"AccountKey=(?P<account>[A-Za-z0-9+/]{20,}={0,2})"),
    ("sig=", r"[?&]sig=(?P<sig>[A-Za-z0-9%+/=_-]{16,})"),
    ("key=", r"[?&](?:api_?|api-)?key=(?P<query>[^\s&#\"'<>]{8,})"),
    ("ignature=", _SIGNED),
    ("redential=", _SIGNED),
    ("ecurity-Token=", _SIGNED),
    ("ecurity-token=", _SIGNED),
    ("ignature%3D", _SIGNED_INSIDE),
    (":AA", r"(?<![0-9A-Za-z])(?:bot)?(?P<telegram>\d{8,10}:[0-9A-Za-z_-]{35})(?![0-9A-Za-z_-])"),
    ("-us", r"(?<![0-9a-z])(?P<mailchimp>[0-9a-f]{32}-us\d{1,2})(?!\d)"),
    (
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<slack>[A-Za-z0-9_/]{20,})",
    ),
    ("/webhooks/", r"discord(?:app)?\.com/api/webhooks/(?P<hook>\d{17,20}/[\w-]{60,})"),
    ("_authToken=", r"_authToken=(?P<npm>[A-Za-z0-9_-]{20,})"),
)
# A field of JSON, or an assignment, inside a string: tool arguments are JSON in JSON, and a prompt
# may quote a file of settings. A value without quotes is one where it looks random.
_ASSIGNMENT = re.compile(
    r"""(?ix)
    \b(?P<name>(?:[a-z0-9]+[_-])*(?:api[_-]?key|password|passwd|client[_-]?secret|secret[_-]?key
        |access[_-]?token|refresh[_-]?token|auth[_-]?token|secret[_-]?access[_-]?key
        |(?:session|security)[_-]?token|private[_-]?key))
    (?:
        (?P<between>\\*["']?\s*[:=]\s*\\*["'])(?P<value>[^\s"'\\]{6,})(?=\\*["'])
        |
        (?P<bare>\s*[:=]\s*)(?=\S*\d)(?=\S*[a-z])[a-z0-9+/_.=-]{16,}
    )
    """
)
# What documentation and examples have in the place of a key.
_EXAMPLE = re.compile(r"(?i)\A[<{\[]?your[-_a-z]*[>}\]]?\Z")
_ASSIGNED = ("key", "assw", "ecret", "oken", "KEY", "ASSW", "ECRET", "OKEN", "Key")


def without_known_shapes(text: str) -> str:
    """The text without keys of known shapes. Most texts have none and are only looked over."""
    if len(text) < _SHORTEST_SHAPE:
        return text
    # A few long words are sooner searched for each of the shapes than a long text is.
    words = " ".join(_LONG_WORD.findall(f" {text}")) if len(text) > _LONG else text
    for part, rest in _possible(_SHAPES_BY_SIGN, words):
        text = _shape(part, rest).sub(PLACEHOLDER, text)
    for _part, shape in _possible(_SURROUNDINGS_BY_SIGN, text):
        text = _surrounding(shape).sub(_without_group, text)
    if (":" in text or "=" in text) and any(part in text for part in _ASSIGNED):
        text = _ASSIGNMENT.sub(_without_value, text)
    return text


def _without_value(match: re.Match[str]) -> str:
    value = match["value"]
    if value is not None and _EXAMPLE.match(value):
        return match[0]
    return f"{match['name']}{match['between'] or match['bare']}{PLACEHOLDER}"


def _by_sign(shapes: Iterable[_Shape], signs: str) -> dict[str, tuple[_Shape, ...]]:
    """The shapes by a character that each has: a text without it needs no closer look.

    Those that have none of these stand under the empty string, which every text has.
    """
    grouped: dict[str, tuple[_Shape, ...]] = {}
    for shape in shapes:
        sign = next((sign for sign in signs if sign in shape[0]), "")
        grouped[sign] = (*grouped.get(sign, ()), shape)
    return grouped


def _possible(shapes_by_sign: dict[str, tuple[_Shape, ...]], text: str) -> list[_Shape]:
    """The shapes whose own part stands in the text."""
    return [
        shape
        for sign, shapes in shapes_by_sign.items()
        if sign in text
        for shape in shapes
        if shape[0] in text
    ]


_LONG = 100
# Every key of a known shape is one of these words, or a part of it.
_LONG_WORD = re.compile(r"[^\w./+=-][\w./+=-]{15,}", re.ASCII)
_SHAPES_BY_SIGN = _by_sign(_SHAPES, "-_.")
_SURROUNDINGS_BY_SIGN = _by_sign(_SURROUNDINGS, " :=")


@cache
def _shape(beginning: str, rest: str) -> re.Pattern[str]:
    # The look behind comes second, so that the search runs from one beginning to the next.
    literal = re.escape(beginning)
    return re.compile(rf"{literal}(?<!{_WORD}{literal}){rest}")


@cache
def _surrounding(shape: str) -> re.Pattern[str]:
    return re.compile(shape)


def _without_group(match: re.Match[str]) -> str:
    start, end = match.span(str(match.lastgroup))
    whole, offset = match[0], match.start()
    return whole[: start - offset] + PLACEHOLDER + whole[end - offset :]
