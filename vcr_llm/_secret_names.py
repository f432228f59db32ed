"""Places that hold a secret by their name: headers, query and form parameters, JSON fields.

The names are those that the recorders of other projects redact. ``max_tokens`` or a log
probability's ``token`` are no secrets: a bare ``token`` is one only where its value looks random.
"""

from __future__ import annotations

import re
from functools import cache

_SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "api-key",
        "x-api-key",
        "x-auth-token",
        "x-goog-api-key",
        "x-amz-security-token",
        "anthropic-api-key",
        "openai-api-key",
        "azure-api-key",
        "ocp-apim-subscription-key",
        "x-access-token",
        "x-functions-key",
        "x-subscription-token",
        "xi-api-key",
        "x-gitlab-token",
        "private-token",
    }
)
_SECRET_PARAMETERS = frozenset(
    {
        "accesstoken",
        "apikey",
        "auth",
        "authtoken",
        "clientsecret",
        "code",
        "key",
        "password",
        "passwd",
        "refreshtoken",
        "secret",
        "sig",
        "signature",
        "subscriptionkey",
        "token",
        "xamzcredential",
        "xamzsecuritytoken",
        "xamzsignature",
        "xgoogcredential",
        "xgoogsignature",
    }
)
_SECRET_FIELDS = frozenset(
    {
        "accesskey",
        "accesskeyid",
        "accountkey",
        "apikeys",
        "authorization",
        "authtoken",
        "awsaccesskeyid",
        "awssecretaccesskey",
        "awssessiontoken",
        "bearertoken",
        "clientsecret",
        "connectionstring",
        "idtoken",
        "passwd",
        "password",
        "privatekey",
        "pwd",
        "secret",
        "secretaccesskey",
        "secretkey",
        "securitytoken",
        "sessiontoken",
        "staticheaders",
    }
)
# Fields whose object holds a secret in every member.
_SECRET_OBJECTS = frozenset({"staticheaders"})
_SECRET_ENDINGS = (
    "accesstoken",
    "apikey",
    "authtoken",
    "clientsecret",
    "credentials",
    "password",
    "privatekey",
    "refreshtoken",
    "secretaccesskey",
    "secretkey",
    "sessiontoken",
)
# Names that hold a secret only now and then: what they hold decides.
_DOUBTFUL_FIELDS = frozenset({"token", "key", "bearer", "jwt"})
_SHORTEST_RANDOM = 16
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9._~+/=-]+")
# The key of an object in a store. It begins with a folder's name, as fewer than one random key in a
# thousand does where it is written in base64, which has slashes; or it has a slash and one of the
# signs that are in no base64 that has a slash (RFC 4648, 4 and 5).
_OBJECT_PATH = re.compile(r"[a-z][a-z_-]{3,}/|(?=.*[_.~-])[\w.~-]+(?:/[\w.~-]+)+\Z")


def is_secret_header(name: str) -> bool:
    """Whether a header carries credentials."""
    return name.lower() in _SECRET_HEADERS


def holds_secrets(name: str) -> bool:
    """Whether every member of the object under this name is a secret."""
    return _folded(name) in _SECRET_OBJECTS


def is_secret_field(name: str, value: str) -> bool:
    """Whether a field holds a secret, by its name or by its name and its value."""
    if is_secret_name(name):
        return True
    doubtful = name.lower()
    return (
        doubtful in _DOUBTFUL_FIELDS
        and len(value) >= _SHORTEST_RANDOM
        and _RANDOM.fullmatch(value) is not None
        and not (doubtful == "key" and _OBJECT_PATH.match(value))
    )


@cache
def may_be_secret(name: str) -> bool:
    """Whether a field of this name may hold a secret; whether it does may depend on its value."""
    return not is_ordinary_name(name)


def is_ordinary_name(name: str) -> bool:
    """Whether no field of this name holds a secret; of any text, since nothing is remembered."""
    folded = _folded(name)
    is_secret = folded in _SECRET_FIELDS or folded.endswith(_SECRET_ENDINGS)
    return not is_secret and name.lower() not in _DOUBTFUL_FIELDS


@cache
def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    folded = _folded(name)
    return folded in _SECRET_FIELDS or folded.endswith(_SECRET_ENDINGS)


@cache
def is_secret_parameter(name: str) -> bool:
    """Whether a parameter of a query or a form holds a secret."""
    folded = _folded(name)
    return folded in _SECRET_PARAMETERS or is_secret_name(name)


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(".", "")
