"""A whole gateway over an upstream that is no server but a list of bytes."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Any, NamedTuple

import httpx

from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    AuthStyle,
    Endpoint,
    GatewayConfig,
    ModelRoute,
    Operation,
    UpstreamConfig,
)
from lambda_runtime.credentials import Credentials
from lambda_runtime.gateway import Gateway
from lambda_runtime.invocation import Invocation
from tests.lambda_runtime.gateway_kit import CLIENT_KEY, UPSTREAM_KEY, FixedSecrets, RecordingWriter

MODELS = {
    "m": "openai/gpt-4.1",
    "r": "openai/gpt-5.5",
    "o": "openai/o3",
    "c": "claude/claude-sonnet-4-20250514",
    "n": "claude/claude-opus-5-5",
    "d": "local/deepseek-chat",
}
"""Requested models, each with its target: of both formats, old and new ones."""


def _upstream(name: str, url: str, auth: AuthStyle, operations: tuple[Operation, ...], **more: Any) -> UpstreamConfig:
    return UpstreamConfig(name=name, endpoints=(Endpoint(base_url=url, auth=auth, operations=operations),), **more)


UPSTREAMS = (
    _upstream("openai", "https://openai.test/v1", AuthStyle.BEARER, OPENAI_OPERATIONS),
    _upstream("claude", "https://claude.test", AuthStyle.X_API_KEY, ANTHROPIC_OPERATIONS),
    _upstream("local", "http://local.test:8000/v1", AuthStyle.NONE, OPENAI_OPERATIONS, stream_usage=False),
)


class Answered(NamedTuple):
    """What an upstream answers.

    Args:
        status: its status.
        headers: its headers.
        pieces: its body.
        cut: whether the connection breaks after them.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    pieces: list[bytes]
    cut: bool = False


class _Body(httpx.SyncByteStream):
    def __init__(self, answered: Answered) -> None:
        self._answered = answered

    def __iter__(self) -> Iterator[bytes]:
        yield from filter(None, self._answered.pieces)
        if self._answered.cut:
            raise httpx.RemoteProtocolError("the peer closed the connection")


class Wire(httpx.BaseTransport):
    """Takes requests and hands out what is to be answered."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request], Answered] = lambda _request: Answered(500, [], [])

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["connected"]()
        self.requests.append(request)
        answered = self.answer(request)
        return httpx.Response(answered.status, headers=answered.headers, stream=_Body(answered))


class Outcome(NamedTuple):
    """What came of an event.

    Args:
        writer: the client's side.
        requests: what upstreams were asked.
        log: the lines of the log.
    """

    writer: RecordingWriter
    requests: list[httpx.Request]
    log: list[dict[str, Any]]


def _built() -> tuple[Gateway, Wire]:
    config = GatewayConfig(
        upstreams=UPSTREAMS, models={name: ModelRoute((target,)) for name, target in MODELS.items()}, client_delivery=True
    )
    environ = {upstream.secret_variable: upstream.name for upstream in UPSTREAMS}
    secrets = FixedSecrets({upstream.name: UPSTREAM_KEY for upstream in UPSTREAMS})
    wire = Wire()
    gateway = Gateway(config, transport=wire, credentials=Credentials(config, environ, secrets), environ=environ)
    gateway._relay._failover._sleep = lambda _seconds: None
    return gateway, wire


_GATEWAY, _WIRE = _built()


def answer(event: dict[str, Any], upstream: Callable[[httpx.Request], Answered]) -> Outcome:
    """Have an event answered, and see that what is always true of an answer and of the log is true."""
    _WIRE.requests = []
    _WIRE.answer = upstream
    writer, log = RecordingWriter(), io.StringIO()
    with redirect_stdout(log):
        _GATEWAY.handle(event, Invocation(request_id="lambda-1", deadline=time.time() + 900), writer)
    text = log.getvalue()
    assert text.endswith("\n")
    assert text.isascii()  # so that nothing in it is a line break to anybody
    assert UPSTREAM_KEY not in text
    assert CLIENT_KEY not in text
    lines = [json.loads(line) for line in text[:-1].split("\n")]
    assert [line["message"] for line in lines].count("request") == 1
    # An upstream's answer of an odd shape may raise while it is read; nothing else may.
    assert all("upstream" in line for line in lines if line["message"].startswith("unexpected")), text
    assert all(line.get("error") != "internal_error" for line in lines), text
    assert all(len(line) < 8000 for line in text.split("\n"))
    _headers(writer)
    assert writer.ended != (writer.failure is not None)
    assert UPSTREAM_KEY.encode() not in writer.body or writer.status < 400
    return Outcome(writer, _WIRE.requests, lines)


def _headers(writer: RecordingWriter) -> None:
    names = [name for name, _ in writer.headers]
    assert names.count("content-type") == 1
    assert sum(len(name) + len(value) for name, value in writer.headers) < 10_240  # what API Gateway takes
    for name, value in writer.headers:
        assert name == name.lower()
        assert name.replace("-", "").isalnum()
        assert not set(value) & {"\r", "\n", "\0"}
        value.encode("latin-1")
    assert not {"set-cookie", "connection", "transfer-encoding", "content-length", "server", "authorization"} & set(names)
