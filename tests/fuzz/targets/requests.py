"""A client's request, from API Gateway's event to what an upstream is sent and what the client is answered."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

import httpx

from lambda_runtime.config import Operation, WireFormat
from lambda_runtime.json_scan import parse_object
from lambda_runtime.routes import wire_format_of
from lambda_runtime.transport import _serialized
from tests.fuzz.gateway import MODELS, Answered, Outcome, answer
from tests.fuzz.inputs import taken_apart
from tests.fuzz.shapes import strict
from tests.lambda_runtime.gateway_kit import CLIENT_KEY, UPSTREAM_KEY
from tests.lambda_runtime.samples import ANSWERS, STREAMS

KIND = "json"
SOURCES = (
    "lambda_runtime/request.py",
    "lambda_runtime/request_body.py",
    "lambda_runtime/routes.py",
    "lambda_runtime/headers.py",
    "lambda_runtime/config/formats.py",
)
OUTCOMES = frozenset({"no request", "relayed", "translated", "streamed", "listed", "400", "404", "405"})

_ORIGINS = {"openai.test": "/v1", "claude.test": "", "local.test:8000": "/v1"}
_PASSED = {
    "accept",
    "accept-encoding",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "openai-beta",
    "user-agent",
    "x-client-request-id",
}
_MODELS_OF = {target.partition("/")[2] for target in MODELS.values()}


def check(data: bytes) -> str:
    """What reaches an upstream is what may, and the client is told so if nothing does."""
    options, material = taken_apart(data)
    described = parse_object(material)
    if described is None:
        return "no request"
    event = _event(described)
    if "s" in options:  # some fronts give the last value of each name only
        del event["multiValueHeaders"], event["multiValueQueryStringParameters"]
    outcome = answer(event, _answered)
    # API Gateway may hand the same body over in base64, and no one may tell the difference.
    if "b" in options and event["body"] is not None and not event["isBase64Encoded"]:
        encoded = base64.b64encode(event["body"].encode("utf-8", "replace")).decode()
        again = answer({**event, "body": encoded, "isBase64Encoded": True}, _answered)
        if event["body"] == event["body"].encode("utf-8", "replace").decode():
            assert again.writer.status == outcome.writer.status
            assert [sent(request) for request in again.requests] == [sent(request) for request in outcome.requests]
    return _judged(event, outcome)


def _judged(event: dict[str, Any], outcome: Outcome) -> str:
    writer = outcome.writer
    asked = [request for request in outcome.requests if request.method == "POST"]
    if not asked:
        if writer.status == 200:
            assert event["httpMethod"] == "GET"
            strict(writer.body)
            return "listed"
        assert 400 <= writer.status < 500
        assert writer.header("x-should-retry") == "false"
        if event["httpMethod"] != "HEAD":
            _error(strict(writer.body), wire_format_of(event))
            assert len(writer.body) < 8192
        return str(writer.status)
    (request,) = asked
    _request(event, request)
    assert writer.status == 200
    assert writer.ended
    if request.url.path.removeprefix("/v1") != event["resource"].removeprefix("/v1"):
        return "translated"
    return "streamed" if writer.header("content-type") != "application/json" else "relayed"


def _request(event: dict[str, Any], request: httpx.Request) -> None:
    """What an upstream is sent."""
    assert request.url.netloc.decode() in _ORIGINS
    base = _ORIGINS[request.url.netloc.decode()]
    assert request.url.path in {base + operation.value for operation in Operation}
    assert not request.url.userinfo
    assert not request.url.fragment
    message = sent(request)
    head, _, body = message.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    assert lines[0] == f"POST {request.url.raw_path.decode()} HTTP/1.1"
    assert not set(lines[0]) & set("\r\n\0")
    headers = [line.partition(": ")[::2] for line in lines[1:]]
    names = [name for name, _ in headers]
    for name, value in headers:
        assert name in _PASSED or name.startswith("anthropic-") or name in {"authorization", "x-api-key"}, name
        assert not set(value) & {"\r", "\n", "\0"}
        assert CLIENT_KEY not in value
    assert (
        sorted(set(names) & {"authorization", "x-api-key"})
        == {
            "openai.test": ["authorization"],
            "claude.test": ["x-api-key"],
            "local.test:8000": [],
        }[request.url.netloc.decode()]
    )
    for name in ("host", "content-length", "accept-encoding", "content-type"):
        assert names.count(name) == 1, name
    named = dict(headers)
    assert named["host"] == request.url.netloc.decode()
    assert int(named["content-length"]) == len(body)
    assert UPSTREAM_KEY in named.get("authorization", named.get("x-api-key", UPSTREAM_KEY))
    _body(event, request, body)


def _body(event: dict[str, Any], request: httpx.Request, body: bytes) -> None:
    text = base64.b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    given, gets = strict(text), strict(body)
    assert gets["model"] == MODELS.get(given["model"], f"/{given['model']}").partition("/")[2]
    if request.url.path.removeprefix("/v1") == event["resource"].removeprefix("/v1"):
        single = {name: [value] for name, value in (event["queryStringParameters"] or {}).items()}
        several = event.get("multiValueQueryStringParameters") or single
        query = [(name, value) for name, values in several.items() for value in values]
        raw = request.url.query.decode("ascii")
        assert parse_qsl(raw, keep_blank_values=True, errors="strict") == [
            (name.encode("utf-8", "replace").decode(), value.encode("utf-8", "replace").decode()) for name, value in query
        ]
        assert {name: value for name, value in gets.items() if name not in {"model", "stream_options"}} == {
            name: value for name, value in given.items() if name not in {"model", "stream_options"}
        }
        assert len(body) <= len(text.encode("utf-8", "surrogatepass")) + 100 * (1 + text.count("model"))
    else:
        assert not request.url.query
        assert gets["model"] in _MODELS_OF or given["model"] not in MODELS
        assert bool(gets.get("stream")) == bool(given.get("stream"))
        assert len(body) <= 8 * len(text.encode("utf-8", "surrogatepass")) + 2000


def sent(request: httpx.Request) -> bytes:
    """The bytes of a request on the wire. Fails if a field would be two."""
    return _serialized(request)


def _error(document: dict[str, Any], wire_format: WireFormat | None) -> None:
    error = document["error"]
    assert error["message"]
    assert isinstance(error["type"], str)
    if wire_format is WireFormat.OPENAI:
        assert document.keys() == {"error"}
        assert error.keys() == {"message", "type", "param", "code"}
    else:
        assert document["type"] == "error"
        assert isinstance(document["request_id"], str)


def _answered(request: httpx.Request) -> Answered:
    """What a healthy upstream answers."""
    if request.method == "GET":
        return Answered(200, [], [b'{"data":[{"id":"gpt-4.1"},{"id":"claude-opus-5-5"}]}'])
    operation = next(one for one in Operation if request.url.path.endswith(one.value))
    if operation not in ANSWERS:
        return Answered(200, [(b"content-type", b"application/json")], [b'{"data":[],"input_tokens":3}'])
    if (parse_object(b"".join(request.stream)) or {}).get("stream") is True:  # type: ignore[arg-type]  # read at once
        return Answered(200, [(b"content-type", b"text/event-stream")], STREAMS[operation])
    return Answered(200, [(b"content-type", b"application/json")], [json.dumps(ANSWERS[operation]).encode()])


def _event(described: dict[str, Any]) -> dict[str, Any]:
    """The event that API Gateway would make of a description: whatever a client does, the types are these."""
    headers, query = _pairs(described.get("headers")), _pairs(described.get("query"))
    headers.setdefault("X-Api-Key", []).append(CLIENT_KEY)
    headers.setdefault("Authorization", []).append(f"Bearer {CLIENT_KEY}")
    body = described.get("body")
    resource, identity = described.get("resource"), described.get("id")
    return {
        "resource": resource if isinstance(resource, str) else "/v1/chat/completions",
        "path": str(described.get("path") or resource),
        "httpMethod": str(described.get("method") or "POST"),
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"id": str(identity)} if identity is not None else None,
        "requestContext": {"requestId": "request-1", "identity": {"apiKeyId": "consumer-1"}, "stage": "prod"},
        "body": body if isinstance(body, str) or body is None else json.dumps(body).replace("Infinity", "1e999"),
        "isBase64Encoded": described.get("base64") is True,
    }


def _pairs(value: Any) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = {}
    for item in value if isinstance(value, list) else []:
        if isinstance(item, list) and len(item) == 2:
            pairs.setdefault(str(item[0]), []).append(str(item[1]))
    return pairs
