"""What the client gets when a stream breaks after its first content: an error event of its own, or the whole answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from lambda_runtime import patience
from lambda_runtime.config import Operation
from tests.lambda_runtime.faults_kit import ask, last_event, limits_for
from tests.lambda_runtime.gateway_kit import Kit, both_formats, gateway_over
from tests.lambda_runtime.samples import CHAT, CHAT_STREAM, FRAMES, MESSAGES_STREAM, RESPONSES_STREAM, STREAMS
from tests.lambda_runtime.upstream_server import (
    Connection,
    Received,
    UpstreamServer,
    answer_stream,
)


@pytest.fixture
def kit(upstream: UpstreamServer, request: pytest.FixtureRequest) -> Iterator[Kit]:
    with gateway_over(both_formats("main", upstream.url), timeouts=limits_for(request)) as kit:
        yield kit


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize("half", [b"", *(CHAT_STREAM[2][:n] for n in (1, 7, 40, -4)), b": a comment", b"event: cut", b"\n"])
def test_a_chat_stream_that_breaks_ends_with_an_error_and_no_done(
    kit: Kit, upstream: UpstreamServer, half: bytes, cut: bool
) -> None:
    upstream.answer = answer_stream([*CHAT_STREAM[:2], half] if half else CHAT_STREAM[:2], cut=cut)
    response = ask(kit)
    assert response.status == 200
    whole = b"".join(CHAT_STREAM[:2])
    assert response.body.startswith(whole)
    name, data = last_event(response)
    assert name == ""
    assert data["error"]["code"] == "upstream_stream_interrupted"
    # Half an event never reaches the client: the SDKs would raise on that, and not with our words.
    between = response.body[len(whole) : response.body.rindex(b'data: {"error"')]
    assert between in {b"", b": a comment\n\n"}
    assert b"data: [DONE]" not in response.body
    assert response.failure is not None
    assert response.failure[0] == "StreamInterruptedError"
    assert not response.ended


@pytest.mark.parametrize("cut", [True, False])
def test_an_event_that_lacks_only_its_ending_is_passed_on(kit: Kit, upstream: UpstreamServer, cut: bool) -> None:
    upstream.answer = answer_stream([*CHAT_STREAM[:2], CHAT_STREAM[2].rstrip()], cut=cut)
    response = ask(kit)
    assert response.body.startswith(b"".join(CHAT_STREAM[:3]))
    assert last_event(response)[1]["error"]["code"] == "upstream_stream_interrupted"


@pytest.mark.parametrize("cut", [True, False])
def test_a_stream_that_breaks_before_its_content_is_a_502(kit: Kit, upstream: UpstreamServer, cut: bool) -> None:
    for operation, stream in STREAMS.items():
        upstream.answer = answer_stream(stream[: FRAMES[operation]], cut=cut)
        response = ask(kit, operation)
        assert (response.status, response.ended) == (502, True)
        assert response.header("x-should-retry") == "false"
        assert response.header("content-type") == "application/json"


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize("half", [b"", b"event: message_delta", MESSAGES_STREAM[3][:50], b"event: message_delta\ndata: "])
def test_a_messages_stream_that_breaks_ends_with_an_error_event(
    kit: Kit, upstream: UpstreamServer, half: bytes, cut: bool
) -> None:
    upstream.answer = answer_stream([*MESSAGES_STREAM[:3], half] if half else MESSAGES_STREAM[:3], cut=cut)
    response = ask(kit, Operation.MESSAGES)
    name, data = last_event(response)
    assert name == "error"
    assert data["type"] == "error"
    assert data["error"]["type"] == "api_error"
    assert b"message_stop" not in response.body
    assert response.body.count(b"event: message_delta") == 0
    assert response.failure is not None


@pytest.mark.parametrize("cut", [True, False])
def test_a_finished_messages_stream_without_its_stop_gets_it(kit: Kit, upstream: UpstreamServer, cut: bool) -> None:
    upstream.answer = answer_stream(MESSAGES_STREAM[:-1], cut=cut)
    response = ask(kit, Operation.MESSAGES)
    assert response.body == b"".join(MESSAGES_STREAM)
    assert response.ended


def test_a_responses_stream_that_breaks_ends_with_an_error_event(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_stream(RESPONSES_STREAM[:-1])
    response = ask(kit, Operation.RESPONSES)
    name, data = last_event(response)
    assert (name, data["type"], data["code"]) == ("error", "error", "upstream_stream_interrupted")
    assert data["error"]["message"] == data["message"]


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize("ending", [b"\n\n", b"\n", b"", b"\r\n\r\n", b"\r\n", b"\r", b"\r\r"])
def test_a_finished_chat_stream_without_done_gets_it(kit: Kit, upstream: UpstreamServer, cut: bool, ending: bytes) -> None:
    upstream.answer = answer_stream([*CHAT_STREAM[:3], CHAT_STREAM[3].rstrip() + ending], cut=cut)
    response = ask(kit)
    assert response.body.replace(b"\r\n\r\n", b"\n\n") == b"".join(CHAT_STREAM)
    assert response.ended
    assert response.failure is None


def test_a_finish_reason_in_a_line_that_is_cut_is_no_finish(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_stream([*CHAT_STREAM[:3], CHAT_STREAM[3][:-6]], cut=True)
    assert last_event(ask(kit))[1]["error"]["code"] == "upstream_stream_interrupted"


@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES, Operation.RESPONSES])
def test_a_connection_that_breaks_after_the_terminator_breaks_nothing(
    kit: Kit, upstream: UpstreamServer, operation: Operation
) -> None:
    upstream.answer = answer_stream(STREAMS[operation], cut=True)
    response = ask(kit, operation)
    assert response.body == b"".join(STREAMS[operation])
    assert response.ended


def test_several_answers_of_which_one_finished_are_not_whole(kit: Kit, upstream: UpstreamServer) -> None:
    finish = b'data: {"choices":[{"index":%d,"delta":{},"finish_reason":"stop"}]}\n\n'
    upstream.answer = answer_stream([CHAT_STREAM[1], finish % 0])
    response = ask(kit, n=2)
    assert last_event(response)[1]["error"]["code"] == "upstream_stream_interrupted"
    assert b"data: [DONE]" not in response.body
    upstream.answer = answer_stream([CHAT_STREAM[1], finish % 0, finish % 1])
    assert ask(kit, n=2).body == CHAT_STREAM[1] + finish % 0 + finish % 1 + b"data: [DONE]\n\n"


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
    monkeypatch.setattr(patience, "_WIND_UP", 0.1)
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
    monkeypatch.setattr(patience, "_WIND_UP", 0.05)
    with gateway_over(both_formats("main", upstream.url)) as kit:
        response = ask(kit)
    assert response.body == b"".join(CHAT_STREAM)
    assert response.ended


@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES, Operation.RESPONSES])
def test_every_split_of_a_stream_is_seen_as_complete(kit: Kit, upstream: UpstreamServer, operation: Operation) -> None:
    whole = b"".join(STREAMS[operation])
    upstream.answer = answer_stream([whole[i : i + 1] for i in range(len(whole))])
    response = ask(kit, operation)
    assert response.body == whole
    assert response.ended


def test_silence_in_a_stream_ends_it(kit: Kit, upstream: UpstreamServer) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[1])
        connection.wait_until_peer_closes()

    upstream.answer = answer
    error = last_event(ask(kit))[1]["error"]
    assert error["code"] == "upstream_stream_interrupted"
    assert "0.3 seconds" in error["message"]
