"""Which response headers a recording keeps.

Kept are those that change what a client does: ``retry-after``, ``location``, a content type that
the body does not show. Left out is noise that differs with every recording or says nothing to a
client library: dates, request ids, rate limits, cookies, what a CDN or a proxy adds, and what
belongs to the connection or to the body's encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from vcr_llm._errors import MalformedRecording
from vcr_llm._interaction import Headers
from vcr_llm._json import JSON

Pattern = str | re.Pattern[str]

_NOISE = re.compile(
    r"""
      # hop by hop and message framing (RFC 9110, 7.6.1 and 8)
      connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade
    | content-encoding|content-length|accept-ranges|vary|age|expires|pragma|cache-control
    | last-modified
      # time and place
    | date|server|server-timing|via|x-powered-by|x-served-by|x-runtime|timing-allow-origin
      # cookies, and who asked
    | set-cookie2?|openai-organization|openai-project|anthropic-organization-id
      # ids of requests and traces
    | .*request-?id|.*correlation-?id|.*trace-?id|traceparent|tracestate|traceresponse
    | x-cloud-trace-context|inference-id|x-generation-id|x-amz-id-2|x-amz-apigw-id|.*call-id
      # rate limits
    | (?:.*-)?ratelimit.*|x-.*-limit|x-.*-remaining|.*-monthly-call-limit
      # durations and versions of the service
    | .*processing-ms|.*upstream-.*|.*-latency|.*-time|.*duration-ms|openai-version|openai-model
    | x-openai-proxy-wasm|x-response-tracked|x-api-warning|x-hostname|x-.*-region
    | x-envoy-.*|x-kong-.*|x-litellm-.*|x-vercel-.*|x-railway-.*
      # content delivery networks and browsers' policies
    | cf-.*|x-cache.*|x-amz-cf-.*|x-served-by|x-timer|alt-svc|nel|report-to|reporting-endpoints
    | strict-transport-security|content-security-policy.*|permissions-policy|referrer-policy
    | expect-ct|x-content-type-options|x-frame-options|x-xss-protection|x-robots-tag
    | x-permitted-cross-domain-policies|access-control-.*|cross-origin-.*|x-accel-.*
      # Azure's and Amazon's bookkeeping
    | azureml-.*|x-ms-(?!error).*|skip-error-remapping|x-amzn-bedrock-.*|x-amzn-trace-id
    """,
    re.VERBOSE | re.IGNORECASE,
)
CONTENT_TYPE = "content-type"
CONTENT_ENCODING = "content-encoding"


def worth_keeping(headers: Headers, keep: Sequence[Pattern]) -> Headers:
    """The headers without the noise; what ``keep`` names stays, the content type always does."""
    return tuple(
        (name, value)
        for name, value in headers
        if is_named(name, keep) or not _NOISE.fullmatch(name)
    )


def named(headers: Headers, keep: Sequence[Pattern]) -> Headers:
    """Only the headers that ``keep`` names."""
    if not keep:
        return ()
    return tuple((name, value) for name, value in headers if is_named(name, keep))


def is_named(name: str, patterns: Iterable[Pattern]) -> bool:
    """Whether a header's name is one of these: names with ``*``, or regular expressions."""
    lowered = name.lower()
    return any(
        fnmatchcase(lowered, pattern.lower())
        if isinstance(pattern, str)
        else pattern.fullmatch(lowered) is not None
        for pattern in patterns
    )


def encode_headers(headers: Headers) -> dict[str, JSON]:
    """Headers as an object: a name that occurs several times has a list of its values."""
    grouped: dict[str, list[JSON]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in grouped.items()}


def decode_headers(value: JSON, place: str) -> Headers:
    """The headers of an object; one that is null is left out.

    Raises MalformedRecording where a value is neither a string nor a list of strings.
    """
    if not isinstance(value, dict):
        msg = f"{place} should be an object of header names and values"
        raise MalformedRecording(msg)
    headers: list[tuple[str, str]] = []
    for name, content in value.items():
        values = content if isinstance(content, list) else [content]
        for item in values:
            if isinstance(item, str):
                headers.append((name, item))
            elif item is not None:
                msg = f"{place}.{name} should be a string or a list of strings"
                raise MalformedRecording(msg)
    return tuple(headers)
