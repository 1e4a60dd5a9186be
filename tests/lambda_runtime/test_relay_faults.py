"""What the client gets when an upstream fails, before and after the first byte."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from lambda_runtime import upstream_call
from lambda_runtime.config import Operation, Timeouts
from tests.lambda_runtime.gateway_kit import Kit, RecordingWriter, both_formats, event, gateway_over
from tests.lambda_runtime.test_relay import CHAT_STREAM, MESSAGES_STREAM, RESPONSES_STREAM
from tests.lambda_runtime.upstream_server import (
    JSON,
    SSE,
    Connection,
    Received,
    UpstreamServer,
    answer_stream,
    answer_with_silence,
)

CHAT = Operation.CHAT_COMPLETIONS
QUICK = Timeouts(connect=1.0, first_byte=0.2, idle=0.2, unstreamed=0.2)


@pytest.fixture
def kit(upstream: UpstreamServer) -> Iterator[Kit]:
    with gateway_over(both_formats("main", upstream.url), timeouts=QUICK) as kit:
        yield kit


def ask(kit: Kit, operation: Operation = CHAT, **fields: Any) -> RecordingWriter:
    return kit.call(event(operation, {"model": "m", "stream": True, **fields}))


def last_event(response: RecordingWriter) -> tuple[str, Any]:
    """Name and data of the last event, which must be one of its own."""
    assert response.body.endswith(b"\n\n")
    lines = response.body[:-2].rpartition(b"\n\n")[2].decode().split("\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert set(fields) <= {"event", "data"}
    return fields.get("event", ""), json.loads(fields["data"])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


# Before the first byte


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
        assert messages.header("x-should-retry") is None


@pytest.mark.parametrize("stream", [True, False])
def test_silence_before_the_headers_is_a_504(kit: Kit, upstream: UpstreamServer, stream: bool) -> None:
    upstream.answer = answer_with_silence
    response = ask(kit, stream=stream)
    assert response.status == 504
    assert response.json()["error"]["code"] == "upstream_timeout"
    assert len(upstream.received) == 1  # it may have been billed: never asked twice


@pytest.mark.parametrize("headers", [SSE, JSON])
def test_silence_after_the_headers_is_a_504_too(kit: Kit, upstream: UpstreamServer, headers: tuple[str, str]) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [headers])
        connection.wait_until_peer_closes()

    upstream.answer = answer
    assert ask(kit).status == 504


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_closed_without_an_answer_is_a_502(kit: Kit, upstream: UpstreamServer, reset: bool) -> None:
    upstream.answer = lambda _received, connection: connection.cut(reset=reset)
    response = ask(kit)
    assert response.status == 502
    assert response.json()["error"]["code"] in {"upstream_error", "upstream_unreachable"}


def test_a_json_answer_cut_before_its_first_byte_is_a_502(kit: Kit, upstream: UpstreamServer) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [JSON, ("content-length", "10")], chunked=False)
        connection.cut()

    upstream.answer = answer
    response = ask(kit, stream=False)
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_interrupted")


def test_what_is_no_http_is_a_502(kit: Kit, upstream: UpstreamServer) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
        connection.cut()

    upstream.answer = answer
    assert ask(kit).status == 502


# After the first byte


def test_a_json_answer_cut_in_the_middle_fails_in_trailers(kit: Kit, upstream: UpstreamServer) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [JSON, ("content-length", "10")], chunked=False)
        connection.send(b'{"a"')
        connection.cut()

    upstream.answer = answer
    response = ask(kit, stream=False)
    assert (response.status, response.body, response.ended) == (200, b'{"a"', False)
    assert response.failure is not None


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize(
    "sent",
    [CHAT_STREAM[:2], [CHAT_STREAM[0], CHAT_STREAM[1][:40]], [CHAT_STREAM[0] + CHAT_STREAM[1].rstrip() + b"\n"]],
    ids=["between events", "in a line", "in an event"],
)
def test_a_chat_stream_that_breaks_ends_with_an_error_and_no_done(
    kit: Kit, upstream: UpstreamServer, sent: list[bytes], cut: bool
) -> None:
    upstream.answer = answer_stream(sent, cut=cut)
    response = ask(kit)
    assert response.status == 200
    assert response.body.startswith(b"".join(sent))
    name, data = last_event(response)
    assert name == ""
    assert data["error"]["code"] == "upstream_stream_interrupted"
    assert b"data: [DONE]" not in response.body
    assert response.failure is not None
    assert response.failure[0] == "StreamInterruptedError"
    assert not response.ended


@pytest.mark.parametrize("cut", [True, False])
def test_a_messages_stream_that_breaks_ends_with_an_error_event(kit: Kit, upstream: UpstreamServer, cut: bool) -> None:
    upstream.answer = answer_stream(MESSAGES_STREAM[:-1], cut=cut)
    response = ask(kit, Operation.MESSAGES)
    name, data = last_event(response)
    assert name == "error"
    assert data["type"] == "error"
    assert data["error"]["type"] == "api_error"
    assert b"message_stop" not in response.body
    assert response.failure is not None


def test_a_responses_stream_that_breaks_ends_with_an_error_event(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_stream(RESPONSES_STREAM[:-1])
    response = ask(kit, Operation.RESPONSES)
    name, data = last_event(response)
    assert (name, data["type"], data["code"]) == ("error", "error", "upstream_stream_interrupted")
    assert data["error"]["message"] == data["message"]


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize("ending", [b"\n\n", b"\n", b"\r\n\r\n"])
def test_a_finished_chat_stream_without_done_gets_it(kit: Kit, upstream: UpstreamServer, cut: bool, ending: bytes) -> None:
    sent = [*CHAT_STREAM[:3], CHAT_STREAM[3].rstrip() + ending]
    upstream.answer = answer_stream(sent, cut=cut)
    response = ask(kit)
    missing = b"" if ending != b"\n" else b"\n"
    assert response.body == b"".join(sent) + missing + b"data: [DONE]\n\n"
    assert response.ended
    assert response.failure is None


def test_a_finish_reason_in_a_line_that_is_cut_is_no_finish(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_stream([*CHAT_STREAM[:3], CHAT_STREAM[3][:-6]], cut=True)
    assert last_event(ask(kit))[1]["error"]["code"] == "upstream_stream_interrupted"


@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES, Operation.RESPONSES])
def test_a_connection_that_breaks_after_the_terminator_breaks_nothing(
    kit: Kit, upstream: UpstreamServer, operation: Operation
) -> None:
    streams = {CHAT: CHAT_STREAM, Operation.MESSAGES: MESSAGES_STREAM, Operation.RESPONSES: RESPONSES_STREAM}
    upstream.answer = answer_stream(streams[operation], cut=True)
    response = ask(kit, operation)
    assert response.body == b"".join(streams[operation])
    assert response.ended


def test_several_answers_of_which_one_finished_are_not_whole(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_stream([b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'])
    response = ask(kit, n=2)
    assert last_event(response)[1]["error"]["code"] == "upstream_stream_interrupted"
    assert b"[DONE]" not in response.body


def test_an_upstream_that_talks_on_after_the_terminator_is_not_listened_to(
    upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    listened_to_the_end = threading.Event()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(b"".join(CHAT_STREAM))
        pause = threading.Event()
        with suppress(OSError):
            for _ in range(300):
                connection.chunk(b": still here\n\n")
                pause.wait(0.01)
            listened_to_the_end.set()
        connection.cut()

    upstream.answer = answer
    monkeypatch.setattr(upstream_call, "_WIND_UP", 0.1)
    with gateway_over(both_formats("main", upstream.url)) as kit:
        response = ask(kit)
    assert not listened_to_the_end.is_set()
    assert response.ended
    assert response.body.startswith(b"".join(CHAT_STREAM))
    assert b"error" not in response.body


def test_an_upstream_that_stays_open_after_the_terminator_is_not_waited_for(
    upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(b"".join(CHAT_STREAM))
        connection.wait_until_peer_closes()

    upstream.answer = answer
    monkeypatch.setattr(upstream_call, "_WIND_UP", 0.05)
    with gateway_over(both_formats("main", upstream.url)) as kit:
        response = ask(kit)
    assert response.body == b"".join(CHAT_STREAM)
    assert response.ended


@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES, Operation.RESPONSES])
def test_every_split_of_a_stream_is_seen_as_complete(kit: Kit, upstream: UpstreamServer, operation: Operation) -> None:
    streams = {CHAT: CHAT_STREAM, Operation.MESSAGES: MESSAGES_STREAM, Operation.RESPONSES: RESPONSES_STREAM}
    whole = b"".join(streams[operation])
    upstream.answer = answer_stream([whole[i : i + 1] for i in range(len(whole))])
    response = ask(kit, operation)
    assert response.body == whole
    assert response.ended


def test_an_upstreams_own_error_event_is_the_last_one(
    kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    overloaded = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    upstream.answer = answer_stream([MESSAGES_STREAM[0], overloaded])
    response = ask(kit, Operation.MESSAGES)
    assert response.body == MESSAGES_STREAM[0] + overloaded
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["error"], line["Errors"]) == ("upstream_error_event", 1)
    chat_error = b'data: {"error":{"message":"server overloaded","code":503}}\n\n'
    upstream.answer = answer_stream([CHAT_STREAM[0], chat_error])
    assert ask(kit).body == CHAT_STREAM[0] + chat_error


def test_silence_in_a_stream_ends_it(kit: Kit, upstream: UpstreamServer) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[0])
        connection.wait_until_peer_closes()

    upstream.answer = answer
    response = ask(kit)
    error = last_event(response)[1]["error"]
    assert error["code"] == "upstream_stream_interrupted"
    assert "0.2 seconds" in error["message"]


# The function's own deadline


def test_our_deadline_before_the_first_byte_is_a_504(upstream: UpstreamServer) -> None:
    upstream.answer = answer_with_silence
    with gateway_over(both_formats("main", upstream.url), deadline_in=1.8) as kit:
        response = ask(kit)
    assert (response.status, response.json()["error"]["code"]) == (504, "gateway_deadline_exceeded")
    assert response.header("x-should-retry") == "false"


@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES])
def test_our_deadline_in_a_stream_is_an_error_event(upstream: UpstreamServer, operation: Operation) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[0])
        connection.wait_until_peer_closes()

    upstream.answer = answer
    with gateway_over(both_formats("main", upstream.url), deadline_in=1.8) as kit:
        response = ask(kit, operation)
    name, data = last_event(response)
    if operation is CHAT:
        assert data["error"]["code"] == "gateway_deadline_exceeded"
    else:
        assert (name, data["error"]["type"]) == ("error", "timeout_error")
    assert response.failure is not None
    assert response.failure[0] == "DeadlineError"


def test_our_deadline_ends_a_stream_that_never_pauses(upstream: UpstreamServer) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        while True:
            connection.chunk(CHAT_STREAM[0])

    upstream.answer = answer
    with gateway_over(both_formats("main", upstream.url), deadline_in=1.7) as kit:
        assert last_event(ask(kit))[1]["error"]["code"] == "gateway_deadline_exceeded"


def test_no_time_at_all_asks_nobody(upstream: UpstreamServer) -> None:
    with gateway_over(both_formats("main", upstream.url), deadline_in=0.5) as kit:
        assert ask(kit).status == 504
    assert upstream.received == []
