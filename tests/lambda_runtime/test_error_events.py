"""Errors that an upstream sends under a good status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_runtime.config import Operation
from tests.lambda_runtime.faults_kit import answering_when_read, ask, limits_for
from tests.lambda_runtime.gateway_kit import UPSTREAM_KEY, Kit, RecordingWriter, both_formats, event, gateway_over
from tests.lambda_runtime.samples import CHAT, FRAMES, STREAMS
from tests.lambda_runtime.upstream_server import (
    UpstreamServer,
    answer_json,
    answer_stream,
)


@pytest.fixture
def kit(upstream: UpstreamServer, request: pytest.FixtureRequest) -> Iterator[Kit]:
    with gateway_over(both_formats("main", upstream.url), timeouts=limits_for(request)) as kit:
        yield kit


OVERLOADED = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
CHAT_ERROR = b'data: {"error":{"message":"server overloaded","code":503}}\n\n'


def test_an_upstreams_own_error_event_is_the_last_one(
    kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for operation, said in ((Operation.MESSAGES, OVERLOADED), (CHAT, CHAT_ERROR)):
        writer, begun = RecordingWriter(), STREAMS[operation][:3]
        upstream.answer = answering_when_read(writer, begun, [said, begun[-1], b"data: [DONE]\n\n"])
        kit.call(event(operation, {"model": "m", "stream": True}), writer)
        assert writer.body == b"".join(begun) + said
        line = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (line["error"], line["Errors"]) == ("upstream_error_event", 1)


@pytest.mark.parametrize(
    ("operation", "said", "status", "told"),
    [
        (Operation.MESSAGES, OVERLOADED, 529, {"type": "overloaded_error", "message": "Overloaded"}),
        (CHAT, CHAT_ERROR, 503, {"message": "server overloaded", "type": "api_error", "param": None, "code": 503}),
        (CHAT, b'data: {"error":"no"}\n\n', 502, {"message": "no", "type": "api_error", "param": None, "code": None}),
        (
            CHAT,
            b'data: {"error":{"message":"m","param":{"a":[]},"code":1e999}}\n\n',
            502,
            {"message": "m", "type": "api_error", "param": None, "code": None},
        ),
        (
            CHAT,
            b'data: {"error":{"message":"too fast","type":"rate_limit_error","code":"429"}}\n\n',
            429,
            {"message": "too fast", "type": "rate_limit_error", "param": None, "code": "429"},
        ),
        (
            CHAT,
            b'data: {"error":{"message":"bad","type":"invalid_request_error","param":"x","code":null}}\n\n',
            400,
            {"message": "bad", "type": "invalid_request_error", "param": "x", "code": None},
        ),
        (
            Operation.RESPONSES,
            b'data: {"type":"response.failed","response":{"error":{"code":"server_error","message":"m"}}}\n\n',
            502,
            {"message": "m", "type": "api_error", "param": None, "code": "server_error"},
        ),
        (
            Operation.RESPONSES,
            b'event: error\ndata: {"type":"error","code":"rate_limit_exceeded","message":"slow"}\n\n',
            429,
            {"message": "slow", "type": "error", "param": None, "code": "rate_limit_exceeded"},
        ),
    ],
)
def test_an_error_event_before_the_content_becomes_a_status(  # noqa: PLR0917
    kit: Kit, upstream: UpstreamServer, operation: Operation, said: bytes, status: int, told: dict[str, Any]
) -> None:
    for frames in ([], STREAMS[operation][: FRAMES[operation]]):
        upstream.answer = answer_stream([*frames, said])
        response = ask(kit, operation)
        assert (response.status, response.json()["error"]) == (status, told)
        assert response.header("x-should-retry") == (None if status == 400 else "false")


@pytest.mark.parametrize("stream", [True, False])
def test_a_refusal_of_our_key_in_an_event_is_not_the_clients(kit: Kit, upstream: UpstreamServer, stream: bool) -> None:
    error = {"error": {"type": "authentication_error", "message": f"invalid key {UPSTREAM_KEY}"}}
    upstream.answer = answer_stream([b"data: " + json.dumps(error).encode() + b"\n\n"]) if stream else answer_json(error)
    response = ask(kit, stream=stream)
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_credentials")
    assert UPSTREAM_KEY.encode() not in response.body


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("kind", ["invalid_request_error", "overloaded_error"])
def test_our_key_is_hidden_in_an_error_under_a_good_status(kit: Kit, upstream: UpstreamServer, stream: bool, kind: str) -> None:
    error = {"error": {"type": kind, "message": f"no {UPSTREAM_KEY} here"}}
    upstream.answer = answer_stream([b"data: " + json.dumps(error).encode() + b"\n\n"]) if stream else answer_json(error)
    assert ask(kit, stream=stream).json()["error"]["message"] == "no [redacted] here"
