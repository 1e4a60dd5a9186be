"""The function's own time is up: whatever an upstream does, the client is told so."""

from __future__ import annotations

import pytest

from lambda_runtime.config import Operation
from tests.lambda_runtime.faults_kit import ask, last_event
from tests.lambda_runtime.gateway_kit import both_formats, gateway_over
from tests.lambda_runtime.samples import CHAT, CHAT_STREAM, FRAMES, STREAMS
from tests.lambda_runtime.upstream_server import (
    Connection,
    Received,
    UpstreamServer,
    answer_with_silence,
)


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
        connection.chunk(STREAMS[operation][FRAMES[operation]])
        connection.wait_until_peer_closes()

    upstream.answer = answer
    with gateway_over(both_formats("main", upstream.url), deadline_in=2.5) as kit:
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
            connection.chunk(CHAT_STREAM[1])

    upstream.answer = answer
    with gateway_over(both_formats("main", upstream.url), deadline_in=1.7) as kit:
        assert last_event(ask(kit))[1]["error"]["code"] == "gateway_deadline_exceeded"


def test_our_deadline_ends_frames_that_never_pause(upstream: UpstreamServer) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        while not connection.wait_until_peer_closes(0.005):
            connection.chunk(CHAT_STREAM[0])

    upstream.answer = answer
    with gateway_over(both_formats("main", upstream.url), deadline_in=1.7) as kit:
        response = ask(kit)
    assert (response.status, response.json()["error"]["code"]) == (504, "gateway_deadline_exceeded")


def test_frames_without_end_do_not_fill_the_memory(upstream: UpstreamServer) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        while True:
            connection.chunk(CHAT_STREAM[0] * 1000)

    upstream.answer = answer
    with gateway_over(both_formats("main", upstream.url)) as patient:
        response = ask(patient)
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_empty_answer")


def test_no_time_at_all_asks_nobody(upstream: UpstreamServer) -> None:
    with gateway_over(both_formats("main", upstream.url), deadline_in=0.5) as kit:
        assert ask(kit).status == 504
    assert upstream.received == []
