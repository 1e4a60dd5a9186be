"""An upstream fails before its first content: the next one answers, and the client hears nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambda_runtime.config import Operation
from lambda_runtime.state.outcome import Outcome
from tests.lambda_runtime.failing_upstreams import (
    EITHER,
    STREAMED,
    UNSTREAMED,
    silent_after,
)
from tests.lambda_runtime.failover_kit import Several, several, whole
from tests.lambda_runtime.faults_kit import free_port, limits_for
from tests.lambda_runtime.samples import CHAT, FRAMES, MESSAGES, RESPONSES, STREAMS
from tests.lambda_runtime.upstream_server import (
    answer_stream,
)


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[Several]:
    with several(timeouts=limits_for(request)) as gateway:
        yield gateway


@pytest.mark.parametrize("fault", EITHER)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
def test_the_next_one_answers(gateway: Several, fault: str, stream: bool, operation: Operation) -> None:
    gateway.answers(a=EITHER[fault])
    response = gateway.ask(operation, stream=stream)
    assert (response.status, response.body, response.ended) == (200, whole(operation, stream=stream), True)
    assert gateway.asked == ["a", "b"]
    failed = Outcome.RATE_LIMITED if fault.startswith(("402", "429")) else Outcome.FAILURE
    assert gateway.states.outcomes == [("a", failed), ("b", Outcome.SUCCESS)]
    assert gateway.slept == []


@pytest.mark.parametrize("fault", STREAMED)
def test_the_next_one_streams(gateway: Several, fault: str) -> None:
    gateway.answers(a=STREAMED[fault])
    response = gateway.ask()
    assert (response.status, response.body, response.ended) == (200, whole(), True)
    assert gateway.asked == ["a", "b"]
    assert gateway.states.outcomes == [("a", Outcome.FAILURE), ("b", Outcome.SUCCESS)]


@pytest.mark.parametrize("fault", UNSTREAMED)
def test_the_next_one_gives_json(gateway: Several, fault: str) -> None:
    gateway.answers(a=UNSTREAMED[fault])
    response = gateway.ask(stream=False)
    assert (response.status, response.body, response.ended) == (200, whole(stream=False), True)
    assert gateway.asked == ["a", "b"]
    assert gateway.states.outcomes == [("a", Outcome.FAILURE), ("b", Outcome.SUCCESS)]


@pytest.mark.parametrize("operation", [MESSAGES, RESPONSES])
def test_other_formats_frames_errors_and_silence_are_failures_too(gateway: Several, operation: Operation) -> None:
    frames = STREAMS[operation][: FRAMES[operation]]
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n\n'
    for fault in (
        answer_stream(frames),
        answer_stream([*frames, error]),
        answer_stream(frames, cut=True),
        silent_after(*frames),
    ):
        gateway.asked.clear()
        gateway.states.recorded.clear()
        gateway.answers(a=fault)
        assert gateway.ask(operation).body == whole(operation)
        assert gateway.asked == ["a", "b"]


def test_a_refused_connection_goes_on() -> None:
    with several(urls={"a": f"http://127.0.0.1:{free_port()}"}) as gateway:
        assert gateway.ask().body == whole()
    assert gateway.asked == ["b"]
    assert gateway.states.outcomes == [("a", Outcome.FAILURE), ("b", Outcome.SUCCESS)]
