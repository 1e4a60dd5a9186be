"""Which headers pass, in both directions. What is not named here does not pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Headers = list[tuple[str, str]]

# Not passed on purpose:
# - authorization, x-api-key, api-key, cookie: the client's gateway key must never reach an upstream.
# - openai-organization, openai-project: they belong to the account of the key, and the key is the gateway's. A client could
#   otherwise pick whose budget it spends, or get a 401 that looks as if the gateway's key were wrong.
# - x-stainless-*: the SDKs' telemetry about the client's machine. No answer depends on it, and it is half of an SDK's headers.
# - x-forwarded-*, forwarded, via, x-amzn-*: where the client sits is not the provider's business.
# - content-type: the body was read as JSON, whatever the client calls it; `curl -d` says that it is a form.
# - accept-encoding: we scan and relay plain bytes, so `identity` is asked for.
_TO_UPSTREAM = frozenset(
    {
        "accept",
        "idempotency-key",
        "openai-beta",
        "user-agent",
        "x-client-request-id",
    }
)
_TO_UPSTREAM_PREFIX = "anthropic-"

_TO_CLIENT = frozenset(
    {
        "cache-control",
        "content-encoding",
        "content-language",
        "content-type",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "x-request-id",
        "x-should-retry",
    }
)
_TO_CLIENT_PREFIXES = ("anthropic-", "openai-", "x-ratelimit-")

_OF_BOTH_FORMATS = frozenset({"cache-control", "request-id", "retry-after", "retry-after-ms", "x-request-id", "x-should-retry"})
_IMPORTANT = frozenset({"content-type", "request-id", "x-request-id", "retry-after", "retry-after-ms", "x-should-retry"})

MAX_HEADER_BYTES = 7_168
"""API Gateway takes 10,240 bytes of header values together; it, the authorizer and CORS add their own."""

EXPOSED = (
    "x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, x-ai-gateway-budget, x-ai-gateway-dropped, "
    "openai-processing-ms, openai-version, "
    "x-ratelimit-limit-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, "
    "x-ratelimit-reset-requests, x-ratelimit-reset-tokens, anthropic-ratelimit-requests-limit, "
    "anthropic-ratelimit-requests-remaining, anthropic-ratelimit-requests-reset, anthropic-ratelimit-tokens-limit, "
    "anthropic-ratelimit-tokens-remaining, anthropic-ratelimit-tokens-reset"
)
"""What a browser's script may read of an answer. Listed, because `*` is not understood for requests with credentials."""

# Visible characters, spaces and tabs of Latin-1: what HTTP/1.1 can carry. A line break in a value would begin a new header.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*").fullmatch
_NAME = re.compile(r"[0-9a-z!#$%&'*+.^_`|~-]+").fullmatch


def _multi(event: Mapping[str, Any]) -> Iterable[tuple[str, Sequence[str]]]:
    several = event.get("multiValueHeaders")
    if several:
        return [(name, values or ()) for name, values in several.items()]
    return [(name, (value,)) for name, value in (event.get("headers") or {}).items() if value]


def client_header(event: Mapping[str, Any], name: str) -> str:
    """One header of the client's request, by its lower-case name; empty if absent."""
    for key, values in _multi(event):
        if key.lower() == name and values:
            return str(values[0] or "")
    return ""


def to_upstream(event: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """The headers of the client's request that an upstream gets, with ours."""
    passed = [(b"accept-encoding", b"identity"), (b"content-type", b"application/json")]
    for key, values in _multi(event):
        name = key.lower()
        if name in _TO_UPSTREAM or (name.startswith(_TO_UPSTREAM_PREFIX) and _NAME(name)):
            passed += [(name.encode(), value.encode("latin-1")) for value in values if value and _VALUE(value)]
    return passed


def to_client(upstream: Iterable[tuple[str, str]]) -> Headers:
    """The headers of an upstream's answer that the client gets. If they are too many, the important ones stay."""
    passed: Headers = []
    size = 0
    for key, value in upstream:
        name = key.lower()
        if (name in _TO_CLIENT or name.startswith(_TO_CLIENT_PREFIXES)) and _VALUE(value):
            passed.append((name, value))
            size += len(name) + len(value)
    if size <= MAX_HEADER_BYTES:
        return passed
    kept: Headers = []
    size = 0
    for name, value in sorted(passed, key=lambda header: header[0] not in _IMPORTANT):
        size += len(name) + len(value)
        if size <= MAX_HEADER_BYTES:
            kept.append((name, value))
    return kept


def of_stream(headers: Headers) -> Headers:
    """The headers of a stream, whatever the upstream calls it: some say that their events are plain text or JSON."""
    return _called(headers, "text/event-stream", "text/event-stream; charset=utf-8")


def of_document(headers: Headers) -> Headers:
    """The headers of a JSON document, whatever the upstream calls it: the SDKs parse nothing else."""
    return _called(headers, "application/json", "application/json")


def _called(headers: Headers, kind: str, content_type: str) -> Headers:
    for name, value in headers:
        if name == "content-type" and value.lower().startswith(kind):
            return headers
    return [("content-type", content_type), *(header for header in headers if header[0] != "content-type")]


def of_translated(headers: Headers) -> Headers:
    """The headers of an answer that was translated: without what the other format's clients do not know."""
    passed = [(name, value) for name, value in headers if name in _OF_BOTH_FORMATS]
    return [("content-type", "application/json"), *passed]


class Cors:
    """The CORS headers of the function's answers. Preflight requests are answered by API Gateway.

    Args:
        allow_origins: as in `GatewayConfig.cors_allow_origins`.
    """

    def __init__(self, allow_origins: Sequence[str]) -> None:
        self._any = "*" in allow_origins
        self._origins = frozenset(allow_origins)
        self._expose = ("access-control-expose-headers", EXPOSED)

    def headers(self, event: Mapping[str, Any]) -> Headers:
        """What an answer to this event carries."""
        if self._any:
            return [("access-control-allow-origin", "*"), self._expose]
        if not self._origins:
            return []
        origin = client_header(event, "origin")
        if origin in self._origins:
            return [("access-control-allow-origin", origin), ("vary", "origin"), self._expose]
        # A cache must not give one origin's answer to another, so that it varies even where nothing is allowed.
        return [("vary", "origin")]
