"""Heartbeats: in the client's format, between whole events only, and without losing a byte of the upstream's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambda_runtime import attempt
from lambda_runtime.config import Operation, Timeouts
from lambda_runtime.state.outcome import Outcome
from lambda_runtime.streams.event_stream import heartbeat
from tests.lambda_runtime.failing_upstreams import ROLE, cut_before_headers, status
from tests.lambda_runtime.failover_kit import Several, several, well, whole
from tests.lambda_runtime.faults_kit import last_event
from tests.lambda_runtime.gateway_kit import RecordingWriter
from tests.lambda_runtime.samples import CHAT, CHAT_STREAM, FRAMES, MESSAGES, RESPONSES, STREAMS
from tests.lambda_runtime.tls_kit import halting_tls_server
from tests.lambda_runtime.upstream_server import JSON, SSE, Answer, Connection, Received, answer_with_silence

BEATING = Timeouts(heartbeat=0.03)
PINGS = {CHAT: b": heartbeat\n\n", RESPONSES: b": heartbeat\n\n", MESSAGES: b'event: ping\ndata: {"type":"ping"}\n\n'}


@pytest.fixture
def gateway() -> Iterator[Several]:
    with several(timeouts=BEATING) as gateway:
        yield gateway


def next_beat_of(writer: RecordingWriter, ping: bytes) -> Callable[[], bool]:
    """Waits until the client has one more heartbeat."""

    def wait() -> bool:
        had = writer.body.count(ping)
        return writer.wait_until(lambda body: body.count(ping) > had)

    return wait


def halting(pieces: list[bytes], wait: Callable[[], bool]) -> Answer:
    """Bytes as they are, with a heartbeat's wait after each piece."""

    def answer(_received: Received, connection: Connection) -> None:
        for piece in pieces:
            connection.send(piece)
            assert wait()

    return answer


def fail_when_beaten(writer: RecordingWriter, ping: bytes, frames: list[bytes]) -> Answer:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        for frame in frames:
            connection.chunk(frame)
        assert next_beat_of(writer, ping)()
        connection.cut()

    return answer


@pytest.mark.parametrize("operation", list(STREAMS))
def test_before_the_content_they_begin_the_answer_and_failover_goes_on(gateway: Several, operation: Operation) -> None:
    writer, ping = RecordingWriter(), PINGS[operation]
    gateway.answers(a=fail_when_beaten(writer, ping, STREAMS[operation][: FRAMES[operation]]))
    gateway.ask(operation, writer=writer)
    assert gateway.asked == ["a", "b"]
    assert writer.body.startswith(ping)
    assert writer.body.replace(ping, b"") == whole(operation)
    assert (writer.status, writer.ended) == (200, True)
    assert writer.header("content-type") == "text/event-stream; charset=utf-8"
    assert writer.header("x-request-id") == "request-1"
    assert writer.header("access-control-allow-origin") == "*"


@pytest.mark.parametrize("operation", list(STREAMS))
def test_in_a_silent_stream_they_stand_between_whole_events(gateway: Several, operation: Operation) -> None:
    writer, ping = RecordingWriter(), PINGS[operation]
    stream = b"".join(STREAMS[operation])
    chunked = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    chunked += b"%x\r\n%b\r\n0\r\n\r\n" % (len(stream), stream)
    size = len(chunked) // 9 + 1
    pieces = [chunked[at : at + size] for at in range(0, len(chunked), size)]  # cuts heads, chunks, events and characters
    gateway.answers(a=halting(pieces[:-1], next_beat_of(writer, ping)))

    def answer(received: Received, connection: Connection) -> None:
        halting(pieces[:-1], next_beat_of(writer, ping))(received, connection)
        connection.send(pieces[-1])

    gateway.answers(a=answer)
    gateway.ask(operation, writer=writer)
    assert gateway.asked == ["a"]
    own = stream.count(ping)
    assert writer.body.count(ping) - own >= len(pieces) - 1
    assert all(piece.endswith(b"\n\n") for piece in writer.pieces)
    assert b"".join(piece for piece in writer.pieces if piece != ping) == stream
    assert writer.ended


def test_no_byte_of_a_tls_record_is_lost(authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pem, certificates = authority
    monkeypatch.setenv("SSL_CERT_DIR", str(certificates))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    writer = RecordingWriter()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(whole())
    pieces = [head + CHAT_STREAM[0], *CHAT_STREAM[1:]]
    with (
        halting_tls_server(pem, pieces, next_beat_of(writer, PINGS[CHAT])) as port,
        several(names="a", urls={"a": f"https://localhost:{port}"}, timeouts=BEATING) as secure,
    ):
        secure.ask(writer=writer)
    assert writer.body.replace(PINGS[CHAT], b"") == whole()
    assert writer.ended
    assert writer.body.count(PINGS[CHAT]) >= len(pieces)


def test_a_silent_upstream_is_given_up_in_time_behind_them() -> None:
    with several(names="ab", timeouts=Timeouts(heartbeat=0.03, first_content=0.5)) as gateway:
        gateway.answers(a=answer_with_silence)
        response = gateway.ask()
    assert gateway.asked == ["a", "b"]
    assert 1 <= response.body.count(PINGS[CHAT]) <= 0.5 / 0.03 + 1
    assert response.body.replace(PINGS[CHAT], b"") == whole()


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    ("last", "code"),
    [
        (status(503, type="overloaded"), "upstream_status_503"),
        (status(400, type="bad"), "upstream_status_400"),
        (cut_before_headers(), "upstream_error"),
    ],
)
def test_if_nobody_is_left_after_one_the_stream_says_so(operation: Operation, last: Answer, code: str) -> None:
    writer, ping = RecordingWriter(), PINGS[operation]
    with several(names="ab", timeouts=BEATING) as gateway:
        gateway.answers(a=fail_when_beaten(writer, ping, []), b=last)
        gateway.ask(operation, writer=writer)
    name, document = last_event(writer)
    assert (writer.status, writer.ended) == (200, False)
    assert writer.failure is not None
    if operation is CHAT:
        assert (name, document["error"]["code"]) == ("", code)
    else:
        assert (name, document["type"]) == ("error", "error")
    if code != "upstream_error":
        assert document["error"]["message"] == f"status {code[-3:]}"  # the upstream's own words, and not its JSON


def test_if_all_fail_after_one_the_stream_says_so_once(gateway: Several) -> None:
    writer = RecordingWriter()
    failing = fail_when_beaten(writer, PINGS[CHAT], [ROLE])
    gateway.answers(a=failing, b=failing, c=failing)
    gateway.ask(writer=writer)
    assert gateway.asked == ["a", "b", "c"]
    assert last_event(writer)[1]["error"]["code"] == "upstream_interrupted"
    assert writer.body.count(b"data:") == 1


@pytest.mark.parametrize("operation", [CHAT, MESSAGES, Operation.EMBEDDINGS])
def test_answers_that_are_not_streamed_have_none(gateway: Several, operation: Operation) -> None:
    def answer(received: Received, connection: Connection) -> None:
        connection.wait_until_peer_closes(0.15)
        well(received, connection)

    gateway.answers(a=answer)
    if operation is Operation.EMBEDDINGS:
        gateway.answers(a=answer_late)
    response = gateway.ask(operation, stream=False)
    assert (response.status, len(response.pieces)) == (200, 1)


def answer_late(_received: Received, connection: Connection) -> None:
    connection.wait_until_peer_closes(0.15)
    connection.start(200, [JSON])
    connection.chunk(b'{"data":[]')
    connection.wait_until_peer_closes(0.15)
    connection.chunk(b"}")
    connection.end()


def test_none_stands_in_an_error_that_comes_in_pieces(gateway: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "MAX_ERROR_BODY", 100)

    def answer(_received: Received, connection: Connection) -> None:
        connection.start(404, [JSON])
        connection.chunk(b'{"error":"' + b"x" * 100)
        connection.wait_until_peer_closes(0.15)
        connection.chunk(b'"}')
        connection.end()

    gateway.answers(a=answer)
    response = gateway.ask()
    assert response.status == 404
    assert response.json() == {"error": "x" * 100}


@pytest.mark.parametrize("frames", [[], [ROLE]])
def test_a_client_that_is_gone_is_noticed_by_one(
    gateway: Several, frames: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    closed = threading.Event()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [SSE])
        for frame in frames:
            connection.chunk(frame)
        if connection.wait_until_peer_closes():
            closed.set()

    gateway.answers(a=answer)
    writer = RecordingWriter(gone_after=2)
    gateway.ask(writer=writer)
    assert closed.wait(10)
    assert len(writer.pieces) == 2
    assert gateway.asked == ["a"]
    assert gateway.states.outcomes == [("a", Outcome.IGNORED)]
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["error"], line["heartbeats"], line["Errors"]) == ("client_gone", 2, 0)


def test_a_client_that_goes_in_the_middle_is_noticed_by_one(gateway: Several, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[1])
        connection.wait_until_peer_closes()

    gateway.answers(a=answer)
    gateway.ask(writer=RecordingWriter(gone_after=1))
    assert gateway.states.outcomes == [("a", Outcome.IGNORED)]
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["error"], line["usage_estimated"], line["OutputTokens"]) == ("client_gone", True, 1)


def test_upstreams_pings_keep_ours_back() -> None:
    """After the content an upstream that pings keeps the client awake by itself."""

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[1])
        for _ in range(10):
            connection.chunk(b": theirs\n\n")
            connection.wait_until_peer_closes(0.01)
        connection.chunk(b"".join(CHAT_STREAM[3:]))
        connection.end()

    with several(names="a", timeouts=Timeouts(heartbeat=2)) as patient:
        patient.answers(a=answer)
        assert patient.ask().body.count(b"heartbeat") == 0


def test_our_own_defect_in_a_stream_does_not_look_like_its_end(
    gateway: Several, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def defect(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("lambda_runtime.relay._deliver_events", defect)

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[1])
        connection.wait_until_peer_closes()

    gateway.answers(a=answer)
    response = gateway.ask()
    assert last_event(response)[1]["error"]["code"] == "internal_error"
    assert response.failure is not None
    assert gateway.states.outcomes == [("a", Outcome.IGNORED)]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["Errors"] == 1


def test_the_clients_format_decides() -> None:
    for operation, ping in PINGS.items():
        assert heartbeat(operation.wire_format) == ping
