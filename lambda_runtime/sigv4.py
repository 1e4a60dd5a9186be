"""AWS Signature Version 4, for the few calls to AWS on the hot path. botocore's signer alone would cost 130 ms of start-up."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED_HEADERS = frozenset(
    (
        *("authorization", "baggage", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id"),
    ),
)
"""Proxies and clients may change these on the way."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Credentials(NamedTuple):
    """AWS credentials.

    Args:
        access_key: the access key's id.
        secret_key: the secret access key.
        token: session token of temporary credentials. Default: empty, for long-lived ones.
    """

    access_key: str
    secret_key: str
    token: str = ""

    def __repr__(self) -> str:
        return f"Credentials(access_key={self.access_key!r})"


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    service: str,
    region: str,
    credentials: Credentials,
    now: datetime | None = None,
) -> dict[str, str]:
    """Sign a request to any AWS service but S3, which normalises paths in its own way.

    Args:
        method: HTTP method, in upper case.
        url: absolute URL, with path and query encoded as they are sent.
        headers: what is sent besides; all of it is signed, except what proxies may change. `host` is taken from the URL if
            absent.
        body: the whole body.
        service: signing name, for example `secretsmanager`.
        region: for example `eu-west-1`.
        credentials: whose signature it is.
        now: time of signing, in UTC. Default: the current time.

    Returns:
        The given headers with `x-amz-date`, `authorization` and, with temporary credentials, `x-amz-security-token`.
    """
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    day = moment[:8]
    parts = urlsplit(url)
    signed = {name: value for name, value in headers.items() if name.lower() not in {"x-amz-date", "authorization"}}
    signed["x-amz-date"] = moment
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token

    canonical = {name.lower(): " ".join(value.split()) for name, value in signed.items()}
    canonical.setdefault("host", _host(parts.scheme, parts.hostname or "", parts.port))
    names = sorted(canonical.keys() - _UNSIGNED_HEADERS)
    request = "\n".join(
        (
            method,
            quote(_normalised(parts.path), safe="/~"),
            "&".join("=".join(pair) for pair in sorted(_pairs(parts.query))),
            *(f"{name}:{canonical[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        ),
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_key}".encode()
    for step in (day, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    signed["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return signed


def _host(scheme: str, hostname: str, port: int | None) -> str:
    host = f"[{hostname}]" if ":" in hostname else hostname
    return host if port in {None, _DEFAULT_PORTS.get(scheme)} else f"{host}:{port}"


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (piece.partition("=") for piece in query.split("&"))] if query else []


def _normalised(path: str) -> str:
    """The path without empty, `.` and `..` segments; a slash at the end stays."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")
