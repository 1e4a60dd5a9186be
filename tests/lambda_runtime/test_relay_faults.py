"""What the client gets when the only upstream fails before its first content: a status, never half an answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambda_runtime.config import Operation
from lambda_runtime.secure_answer import HOLD_LIMIT
from tests.lambda_runtime.faults_kit import ask, free_port, limits_for
from tests.lambda_runtime.gateway_kit import Kit, both_formats, gateway_over
from tests.lambda_runtime.samples import CHAT, CHAT_STREAM
from tests.lambda_runtime.upstream_server import (
    JSON,
    SSE,
    Connection,
    Received,
    UpstreamServer,
    answer_bytes,
    answer_with_silence,
)


@pytest.fixture
def kit(upstream: UpstreamServer, request: pytest.FixtureRequest) -> Iterator[Kit]:
    with gateway_over(both_formats("main", upstream.url), timeouts=limits_for(request)) as kit:
        yield kit


def test_an_upstream_that_is_not_there_is_a_502_in_the_routes_format() -> None:
    with gateway_over(both_formats("main", f"http://127.0.0.1:{free_port()}")) as kit:
        chat = ask(kit)
        assert chat.status == 502
        assert chat.json()["error"]["code"] == "upstream_unreachable"
        assert set(chat.json()["error"]) == {"message", "type", "param", "code"}
        messages = ask(kit, Operation.MESSAGES)
        assert messages.status == 502
        assert messages.json()["type"] == "error"
        assert messages.json()["error"]["type"] == "api_error"
        assert messages.json()["request_id"] == "request-1"
        assert messages.header("x-should-retry") == "false"  # it was tried again already


@pytest.mark.parametrize("stream", [True, False])
def test_silence_before_the_headers_is_a_504(kit: Kit, upstream: UpstreamServer, stream: bool) -> None:
    upstream.answer = answer_with_silence
    response = ask(kit, stream=stream)
    assert response.status == 504
    assert response.json()["error"]["code"] == "upstream_timeout"
    assert len(upstream.received) == 1  # it may have been billed: never asked twice


@pytest.mark.parametrize("headers", [SSE, JSON])
@pytest.mark.parametrize("frames", [[], CHAT_STREAM[:1], [CHAT_STREAM[0], CHAT_STREAM[1][:60]]])
def test_silence_after_the_headers_is_a_504_too(
    kit: Kit, upstream: UpstreamServer, headers: tuple[str, str], frames: list[bytes]
) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [headers])
        for frame in frames:
            connection.chunk(frame)
        connection.wait_until_peer_closes()

    upstream.answer = answer
    response = ask(kit)
    assert (response.status, response.json()["error"]["code"]) == (504, "upstream_timeout")
    assert len(upstream.received) == 1


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_closed_without_an_answer_is_a_502(kit: Kit, upstream: UpstreamServer, reset: bool) -> None:
    upstream.answer = lambda _received, connection: connection.cut(reset=reset)
    response = ask(kit)
    assert response.status == 502
    assert response.json()["error"]["code"] in {"upstream_error", "upstream_unreachable"}


@pytest.mark.parametrize("sent", [b"", b'{"a"', b'{"choices":[{"message":{"content":"hi"}}]'])
@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_a_json_answer_that_is_cut_is_a_502(
    kit: Kit, upstream: UpstreamServer, sent: bytes, chunked: bool, stream: bool
) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        if chunked:
            connection.start(200, [JSON])
            if sent:
                connection.chunk(sent)
        else:
            connection.start(200, [JSON, ("content-length", "99")], chunked=False)
            connection.send(sent)
        connection.cut()

    upstream.answer = answer
    response = ask(kit, stream=stream)
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_interrupted")
    assert response.header("x-should-retry") == "false"
    assert response.ended


@pytest.mark.parametrize("body", [b"<html><body>Bad gateway</body></html>", b"", b" \n", b"[]", b'"hi"', b"{'a': 1}", b"\xff"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES, Operation.RESPONSES])
def test_a_good_status_without_an_answer_is_a_502(
    kit: Kit, upstream: UpstreamServer, body: bytes, stream: bool, operation: Operation
) -> None:
    upstream.answer = answer_bytes(body, headers=[("content-type", "text/html")])
    response = ask(kit, operation, stream=stream)
    assert response.status == 502
    assert response.header("content-type") == "application/json"


def test_an_answer_longer_than_is_held_is_passed_on_and_fails_in_trailers(kit: Kit, upstream: UpstreamServer) -> None:
    long = b'{"x":"' + b"x" * HOLD_LIMIT

    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [JSON, ("content-length", str(len(long) + 99))], chunked=False)
        connection.send(long)
        connection.cut()

    upstream.answer = answer
    response = ask(kit, stream=False)
    assert (response.status, response.body, response.ended) == (200, long, False)
    assert response.failure is not None


def test_an_answer_longer_than_is_held_passes(kit: Kit, upstream: UpstreamServer) -> None:
    long = b'{"x":"' + b"x" * (HOLD_LIMIT + 300_000) + b'"}'
    upstream.answer = answer_bytes(long)
    response = ask(kit, stream=False)
    assert (response.body, response.ended) == (long, True)


def test_what_is_no_http_is_a_502(kit: Kit, upstream: UpstreamServer) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
        connection.cut()

    upstream.answer = answer
    assert ask(kit).status == 502
