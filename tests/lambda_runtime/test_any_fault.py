"""Whatever upstreams send: the client gets a whole answer or is told that it is none, and every attempt is accounted for."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_runtime.config import Operation, Timeouts
from lambda_runtime.state.outcome import Outcome
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.failover_kit import FakeStates, Several, several, well, whole
from tests.lambda_runtime.gateway_kit import RecordingWriter
from tests.lambda_runtime.samples import ANSWERS, CHAT, CHAT_USAGE, MESSAGES, STREAMS
from tests.lambda_runtime.upstream_server import JSON, SSE, Answer, Connection, Received

ODD_EVENTS = [
    b"data: {\n\n",
    b": comment\n\n",
    b"retry: 5\n\n",
    b"id: 1\n\n",
    b"data: [1]\n\n",
    b'data: {"choices":5}\n\n',
    b'data: {"choices":[{"delta":[],"finish_reason":{}}]}\n\n',
    b'event: error\ndata: {"type":"error","error":{"message":"m","type":"overloaded_error"}}\n\n',
    b'data: {"type":"message_start","message":[]}\n\n',
    b'data: {"type":"response.failed"}\n\n',
    b"\n\n",
    b"\xff\xfe\n\n",
    CHAT_USAGE,
]
ODD_BODIES = [
    b"",
    b"{}",
    b"[]",
    b"<html>",
    b'{"choices":[]}',
    b'{"error":"x"}',
    b'{"error":{"code":503}}',
    b'{"content":5}',
    b"\xff",
]


@st.composite
def answers(draw: st.DrawFn, operation: Operation) -> tuple[int, tuple[str, str], list[bytes], bool]:
    """Status, content type, pieces of the body, and whether the connection is cut after them."""
    status = draw(st.sampled_from([200, 200, 200, 200, 400, 404, 408, 429, 500, 503]))
    stream = draw(st.booleans())
    if stream:
        events = list(STREAMS[operation])
        for odd in draw(st.lists(st.sampled_from(ODD_EVENTS), max_size=3)):
            events.insert(draw(st.integers(0, len(events))), odd)
        body = b"".join(events)
    else:
        body = draw(st.sampled_from([json.dumps(ANSWERS[operation]).encode(), *ODD_BODIES]))
    length = draw(st.just(len(body)) | st.integers(0, len(body)))
    places = sorted(draw(st.lists(st.integers(0, length), max_size=4)))
    pieces = [body[begin:end] for begin, end in zip([0, *places], [*places, length], strict=True)]
    kind = draw(st.sampled_from([SSE, JSON, ("content-type", "text/plain")]))
    return status, kind, [piece for piece in pieces if piece], draw(st.booleans())


def answering(status: int, kind: tuple[str, str], pieces: list[bytes], cut: bool) -> Answer:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start(status, [kind])
        for piece in pieces:
            connection.chunk(piece)
        if cut:
            connection.cut()
        else:
            connection.end()

    return answer


@pytest.fixture(scope="module")
def shared() -> Iterator[Several]:
    with several(states=Forgetful(), timeouts=Timeouts(heartbeat=5)) as gateway:
        yield gateway


class Forgetful(FakeStates):
    """Takes more than one request's attempts."""

    def record(self, attempts: Any) -> None:
        self.recorded = list(attempts)


TERMINATORS = {CHAT: b"data: [DONE]\n\n", MESSAGES: STREAMS[MESSAGES][-1]}


ASKED = st.sampled_from(list(STREAMS)).flatmap(
    lambda operation: st.tuples(st.just(operation), st.booleans(), st.lists(answers(operation), min_size=3, max_size=3))
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=ASKED)
def test_an_answer_is_whole_or_says_that_it_is_not(
    shared: Several, capsys: pytest.CaptureFixture[str], asked: tuple[Operation, bool, list[Any]]
) -> None:
    operation, stream, said = asked
    faults = [answering(*how) for how in said]
    shared.answers(a=faults[0], b=faults[1], c=faults[2])
    shared.asked.clear()
    shared.states.recorded = []
    writer = shared.ask(operation, stream=stream)
    log = capsys.readouterr().out
    line = json.loads(log.splitlines()[-1])
    assert writer.status != 500 or line["error"] == "upstream_status_500", log
    assert '"internal_error"' not in log
    assert writer.ended != (writer.failure is not None)
    # Each request that an upstream got is an attempt, in its order, and at most one of them is a success.
    assert [attempt.target[0] for attempt in shared.states.recorded] == shared.asked
    assert 1 <= len(shared.asked) <= 3
    successes = [name for name, outcome in shared.states.outcomes if outcome is Outcome.SUCCESS]
    assert successes in ([], shared.asked[-1:])
    if writer.status >= 400:
        assert isinstance(writer.json(), dict)
    elif not stream:
        assert "error" not in writer.json()
    else:
        assert writer.header("content-type") == "text/event-stream; charset=utf-8"
        events = writer.body.split(b"\n\n")
        assert events[-1] == b""
        complete = (
            writer.body.endswith(TERMINATORS[operation]) if operation in TERMINATORS else b"response.completed" in events[-2]
        )
        assert complete or b"error" in events[-2] or b"response.failed" in events[-2]
        assert complete or (not successes and line["Errors"] == 1)


@settings(max_examples=40, deadline=None)
@given(
    states=st.lists(st.sampled_from(list(Availability)), min_size=3, max_size=3),
    becomes=st.lists(st.lists(st.sampled_from(list(Availability)), min_size=3, max_size=3), max_size=3),
    probes=st.booleans(),
)
def test_whatever_the_states_say_somebody_answers(
    states: list[Availability], becomes: list[list[Availability]], probes: bool
) -> None:
    """Nobody is stopped by the operator, and all are well: nothing that was learned meanwhile may lose the request."""
    fake = FakeStates(**dict(zip("abc", states, strict=True)))
    fake.since = {"a/m": 3.0, "b/m": 2.0, "c/m": 1.0}
    fake.probes = dict.fromkeys(fake.since, 9 if probes else 0)
    fake.settling = [
        lambda changed=changed: fake.states.update(zip(fake.since, changed, strict=True))  # type: ignore[misc]
        for changed in becomes
    ]
    with several(states=fake) as gateway:
        assert gateway.ask().body == whole()
    assert len(gateway.asked) == len(fake.recorded) == 1


def test_nothing_stays_open() -> None:
    """After every kind of end no connection is left but the idle one of each upstream."""
    with several(timeouts=Timeouts(heartbeat=0.02, first_content=0.1, idle=0.1, unstreamed=0.1)) as gateway:

        def open_files() -> int:
            gc.collect()
            return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

        gateway.ask()
        before = open_files()
        streams = [STREAMS[CHAT][:count] for count in range(1, 5)]
        faults = [answering(200, SSE, pieces, cut) for pieces in streams for cut in (True, False)]
        faults += [answering(status, JSON, [b"x" * 100_000], cut) for status in (404, 500) for cut in (True, False)]
        for fault in faults:
            for gone_after in (None, 0, 1):
                gateway.states.recorded.clear()
                gateway.answers(a=fault, b=fault, c=well)
                gateway.ask(writer=RecordingWriter(gone_after=gone_after))
        gateway.kit.transport.close()
        for server in gateway.servers.values():
            server.answer = well
        assert len(gateway.kit.transport._idle) == 0
        # The servers of the tests may be a little behind: three idle connections of either side at most.
        assert open_files() <= before + 6
