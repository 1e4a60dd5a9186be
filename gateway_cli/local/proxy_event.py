"""Builds what API Gateway gives a function: the proxy event of payload format 1.0."""

from __future__ import annotations

import base64
import datetime as dt
import fnmatch
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from gateway_cli.local.rest_api_model import Match, RestApi

_NOT_PASSED_ON = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as it came in.

    Args:
        method: the HTTP method.
        path: the raw path behind the stage.
        full_path: the raw path with the stage.
        query: the raw query string.
        headers: names and values as sent.
        body: the body.
        source_ip: address of the client.
        host: the host that the client asked.
        port: the port that the client asked.
    """

    method: str
    path: str
    full_path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    host: str
    port: int
    received: float = field(default_factory=time.time)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    extended_id: str = field(default_factory=lambda: base64.b64encode(uuid.uuid4().bytes[:11]).decode())
    trace_id: str = field(default_factory=lambda: f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}")

    def header(self, name: str) -> str | None:
        """The last value of a header, whatever the case of its name, or None."""
        return next((value for known, value in reversed(self.headers) if known.lower() == name.lower()), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who sent a request, as far as API Gateway has found out.

    Args:
        api_key: value of the API key, or None.
        api_key_id: id of the API key, or None.
        authorizer: what the authorizer says about the caller, its principal included.
    """

    api_key: str | None = None
    api_key_id: str | None = None
    authorizer: Mapping[str, Any] = field(default_factory=dict)


def multiple(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Values by name, in order."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def request_context(api: RestApi, match: Match, request: Request, caller: Caller) -> dict[str, Any]:
    """The event's `requestContext`."""
    identity = {
        "accessKey": None,
        "accountId": None,
        "caller": None,
        "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None,
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "principalOrgId": None,
        "sourceIp": request.source_ip,
        "user": None,
        "userAgent": request.header("user-agent"),
        "userArn": None,
    }
    if caller.api_key is not None:
        identity |= {"apiKey": caller.api_key, "apiKeyId": caller.api_key_id}
    context = {
        "accountId": api.account,
        "apiId": api.api_id,
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "extendedRequestId": request.extended_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": request.full_path,
        "protocol": "HTTP/1.1",
        "requestId": request.request_id,
        "requestTime": dt.datetime.fromtimestamp(request.received, dt.UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(request.received * 1000),
        "resourceId": match.method.resource_id,
        "resourcePath": match.method.resource,
        "stage": api.stage,
    }
    if caller.authorizer:
        context["authorizer"] = dict(caller.authorizer)
    return context


def build_event(api: RestApi, match: Match, request: Request, caller: Caller) -> dict[str, Any]:
    """The event for a proxy integration, without its body: see `with_body`."""
    passed = [(name, value) for name, value in request.headers if name.lower() not in _NOT_PASSED_ON]
    passed += [
        ("X-Amzn-Trace-Id", request.trace_id),
        ("X-Forwarded-For", request.source_ip),
        ("X-Forwarded-Port", str(request.port)),
        ("X-Forwarded-Proto", "http"),
    ]
    query = multiple(parse_qsl(request.query, keep_blank_values=True))
    headers = multiple(passed)
    return {
        "resource": match.method.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(match.path_parameters) or None,
        "stageVariables": None,
        "requestContext": request_context(api, match, request, caller),
    }


def with_body(event: dict[str, Any], request: Request, binary_media_types: Sequence[str]) -> dict[str, Any]:
    """The event with its body: text, or base64 where the content type is declared binary or the bytes are not UTF-8."""
    content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if not request.body:
        return {**event, "body": None, "isBase64Encoded": False}
    if not any(fnmatch.fnmatch(content_type, pattern.lower()) for pattern in binary_media_types):
        try:
            return {**event, "body": request.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {**event, "body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}
