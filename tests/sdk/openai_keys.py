"""Keys of every provider's shape, made here so that no file of the project holds one."""

from __future__ import annotations

import random
import string

_CHANCE = random.Random(20_240_806)


def _chars(alphabet: str, length: int) -> str:
    return "".join(_CHANCE.choices(alphabet, k=length))


def _word(length: int) -> str:
    """Letters and digits, at least one digit, as every random key of that length has one."""
    return _chars(string.ascii_letters + string.digits, length - 2) + "x7"


def _hexadecimal(length: int) -> str:
    return _chars("0123456789abcdef", length)


KEYS = {
    "openai": f"sk-{_word(48)}",
    "openai-project": f"sk-proj-{_word(20)}_{_word(30)}-{_word(40)}",
    "openai-service": f"sk-svcacct-{_word(40)}",
    "openai-admin": f"sk-admin-{_word(40)}",
    "openai-ephemeral": f"ek_{_word(40)}",
    "anthropic": f"sk-ant-api03-{_word(40)}-{_word(40)}AA",
    "openrouter": f"sk-or-v1-{_hexadecimal(64)}",
    "google": f"AIza{_word(35)}",
    "google-oauth": f"ya29.{_word(60)}",
    "aws": f"AKIA{_chars(string.ascii_uppercase, 16)}",
    "aws-temporary": f"ASIA{_chars(string.ascii_uppercase, 16)}",
    "xai": f"xai-{_word(80)}",
    "groq": f"gsk_{_word(52)}",
    "hugging-face": f"hf_{_word(34)}",
    "perplexity": f"pplx-{_word(48)}",
    "replicate": f"r8_{_word(37)}",
    "nvidia": f"nvapi-{_word(64)}",
    "github": f"ghp_{_word(36)}",
    "github-fine": f"github_pat_{_word(22)}_{_word(59)}",
    "slack": f"xoxb-{_chars(string.digits, 12)}-{_word(24)}",
    "jwt": f"eyJ{_word(20)}.eyJ{_word(40)}.{_word(43)}",
}
"""Keys that are known by their shape, wherever they stand."""

PEM = "\n".join(["-----BEGIN PRIVATE KEY-----", _word(64), _word(64), "-----END PRIVATE KEY-----"])

SHAPELESS = {
    "api_key": _word(32),
    "aws_secret_access_key": _word(40),
    "client_secret": _word(40),
    "password": "correct-horse-7-battery",
    "access_token": _word(40),
    "refresh_token": _word(40),
}
"""Secrets that only the name of their place gives away."""
