"""A stream that is delivered when it is complete: failover rescues even one that breaks in the middle."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lambda_runtime import secure_answer
from lambda_runtime.config import ModelRoute, Operation, Timeouts
from lambda_runtime.state.outcome import Outcome
from tests.lambda_runtime.failing_upstreams import silent_after, status
from tests.lambda_runtime.failover_kit import Several, several, whole
from tests.lambda_runtime.faults_kit import last_event, limits_for
from tests.lambda_runtime.gateway_kit import RecordingWriter
from tests.lambda_runtime.samples import CHAT, CHAT_STREAM, FRAMES, MESSAGES, MESSAGES_STREAM, RESPONSES, STREAMS
from tests.lambda_runtime.upstream_server import Answer, Connection, Received, answer_stream

WHOLE = ModelRoute(["a/m", "b/m"], delivery="whole")
ASKED = {"X-Ai-Gateway-Delivery": "Whole"}


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[Several]:
    with several(names="ab", route=WHOLE, timeouts=limits_for(request)) as gateway:
        yield gateway


def begun(operation: Operation) -> list[bytes]:
    return STREAMS[operation][: FRAMES[operation] + 1]


ERROR = b'event: error\ndata: {"type":"error","error":{"message":"m"}}\n\n'


@pytest.mark.parametrize("operation", list(STREAMS))
@pytest.mark.parametrize("how", ["ends", "cut", "half", "error", "silent", "too long"])
def test_what_breaks_in_the_middle_is_answered_by_the_next(
    gateway: Several, operation: Operation, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambda_runtime.streams.sse.MAX_EVENT", 1000)
    middle = begun(operation)
    faults: dict[str, Answer] = {
        "ends": answer_stream(middle),
        "cut": answer_stream(middle, cut=True),
        "half": answer_stream([*middle, STREAMS[operation][-1][:9]]),
        "error": answer_stream([*middle, ERROR]),
        "silent": silent_after(*middle),
        "too long": silent_after(*middle, b"data: " + b"x" * 2000),
    }
    gateway.answers(a=faults[how])
    response = gateway.ask(operation)
    assert (response.status, response.body, response.ended) == (200, whole(operation), True)
    # What the upstream says itself is repeated like the status it means.
    assert gateway.asked == (["a", "a", "b"] if how == "error" else ["a", "b"])
    assert gateway.states.outcomes[-2:] == [("a", Outcome.FAILURE), ("b", Outcome.SUCCESS)]


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
@pytest.mark.parametrize("how", ["ends", "cut", "silent"])
def test_what_lacks_only_its_terminator_is_whole(gateway: Several, operation: Operation, how: str) -> None:
    stream = STREAMS[operation][:-1]
    gateway.answers(a=silent_after(*stream) if how == "silent" else answer_stream(stream, cut=how == "cut"))
    response = gateway.ask(operation)
    assert (response.body, response.ended) == (whole(operation), True)
    assert gateway.asked == ["a"]


def test_nothing_is_delivered_before_the_end(gateway: Several) -> None:
    writer = RecordingWriter()
    started: list[bool] = []

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        for chunk in CHAT_STREAM:
            started.append(writer.started)
            connection.chunk(chunk)
        connection.end()

    gateway.answers(a=answer)
    gateway.ask(writer=writer)
    assert started == [False] * len(CHAT_STREAM)
    assert writer.pieces == [whole()]


def test_heartbeats_keep_the_client_meanwhile() -> None:
    writer = RecordingWriter()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        for chunk in CHAT_STREAM[:3]:
            connection.chunk(chunk)
            had = writer.body.count(b": heartbeat")
            assert writer.wait_until(lambda body, had=had: body.count(b": heartbeat") > had)  # type: ignore[misc]
        connection.cut()

    with several(names="ab", route=WHOLE, timeouts=Timeouts(heartbeat=0.03)) as gateway:
        gateway.answers(a=answer)
        gateway.ask(writer=writer)
    assert gateway.asked == ["a", "b"]
    assert writer.body.count(b": heartbeat\n\n") >= 3
    assert writer.body.replace(b": heartbeat\n\n", b"") == whole()
    assert writer.ended


def test_the_idle_time_out_counts_from_the_first_content() -> None:
    with several(names="ab", route=WHOLE, timeouts=Timeouts(first_content=5, idle=0.1)) as gateway:
        gateway.answers(a=silent_after(*CHAT_STREAM[:3]))
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a", "b"]


def test_if_all_break_the_client_gets_a_status(gateway: Several) -> None:
    gateway.answers(a=answer_stream(CHAT_STREAM[:2]), b=answer_stream(CHAT_STREAM[:3], cut=True))
    response = gateway.ask()
    assert (response.status, response.ended, response.header("x-should-retry")) == (502, True, "false")
    assert gateway.asked == ["a", "b"]


def test_what_breaks_in_the_middle_and_then_is_refused_is_the_last_ones(gateway: Several) -> None:
    gateway.answers(a=answer_stream(CHAT_STREAM[:2]), b=status(400))
    assert gateway.ask().status == 400


def test_what_is_longer_than_is_held_comes_from_there_on_as_it_comes(gateway: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secure_answer, "HOLD_LIMIT", len(b"".join(CHAT_STREAM[:2])))
    writer = RecordingWriter()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(b"".join(CHAT_STREAM[:2]))
        connection.chunk(CHAT_STREAM[2])
        assert writer.wait_for(CHAT_STREAM[2])
        connection.cut()

    gateway.answers(a=answer)
    gateway.ask(writer=writer)
    assert writer.body.startswith(b"".join(CHAT_STREAM[:3]))
    assert last_event(writer)[1]["error"]["code"] == "upstream_stream_interrupted"
    assert gateway.asked == ["a"]


@pytest.mark.parametrize(("allowed", "asked"), [(True, ["a", "b"]), (False, ["a"])])
def test_a_client_may_ask_for_it_where_that_is_allowed(allowed: bool, asked: list[str]) -> None:
    with several(names="ab", client_delivery=allowed) as gateway:
        gateway.answers(a=answer_stream(CHAT_STREAM[:2]))
        response = gateway.ask(headers=ASKED)
        assert gateway.asked == asked
        assert (response.body == whole()) is allowed
        assert gateway.servers["a"].last.header("x-ai-gateway-delivery") is None


@pytest.mark.parametrize("value", ["streamed", "", "wholesome"])
def test_other_values_of_the_header_mean_nothing(value: str) -> None:
    with several(names="ab", client_delivery=True) as gateway:
        gateway.answers(a=answer_stream(CHAT_STREAM[:2]))
        gateway.ask(headers={"x-ai-gateway-delivery": value})
    assert gateway.asked == ["a"]


@pytest.mark.parametrize("operation", [CHAT, MESSAGES, RESPONSES])
def test_an_answer_that_is_not_streamed_is_what_it_was(gateway: Several, operation: Operation) -> None:
    assert gateway.ask(operation, stream=False).body == whole(operation, stream=False)


def test_connections_are_used_again(gateway: Several) -> None:
    for _ in range(3):
        gateway.states.recorded.clear()
        assert gateway.ask().body == whole()
    assert gateway.servers["a"].connections == 1


def test_the_log_says_what_it_took(gateway: Several, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.answers(a=answer_stream(MESSAGES_STREAM[:3]))
    gateway.ask(MESSAGES)
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["attempts"] == ["a/m failure", "b/m success"]
    assert (line["InputTokens"], line["OutputTokens"], line["usage_estimated"]) == (3, 1, False)
