"""A table that is slow, throttled, gone or something else: requests go on as without it, and the log says so once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from lambda_runtime import state
from lambda_runtime.aws_credentials import AwsCredentialsSource
from lambda_runtime.state.operator_actions import open_breaker
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.shared_states import SharedStates
from lambda_runtime.state.state_reader import GRACE
from lambda_runtime.state.target_states import Availability, NoStates
from lambda_runtime.state.usage_counts import UsageCounts
from lambda_runtime.usage import Usage
from tests.lambda_runtime.state.faults import FAULTS, answer_error, reset, said
from tests.lambda_runtime.state.table_kit import OTHER, TARGET, ClientOf, Clock, Instance, Table, environ, fail
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json

HALF_OPEN, OPEN, CLOSED = Availability.HALF_OPEN, Availability.OPEN, Availability.CLOSED


@pytest.mark.parametrize("fault", FAULTS)
def test_requests_go_on_and_the_log_says_it_once(
    server: UpstreamServer, client_of: ClientOf, clock: Clock, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    server.answer, lines = FAULTS[fault]
    client = client_of(server.url)
    patient = client._read_timeout
    impatient = client._read_timeout = 0.05 if fault == "silent" else patient  # a busy machine is slow to answer, too
    instance = Instance(client, clock)
    usage = UsageCounts(client, instance.health, clock=clock)
    for _request in range(100):
        clock.pass_(1)
        instance.refresh()
        instance.settle()
        assert instance.availability(TARGET) is CLOSED
        assert instance.open_since(TARGET) == 0
        assert instance.take_probe(TARGET)
        instance.record([Attempted(TARGET, Outcome.FAILURE), Attempted(OTHER, Outcome.SUCCESS)])
        usage.add("key", Usage(1, 1))
        instance.wait()
    # After 2, 4, 8, 16, 30 and 30 s: to read states, and to write windows and usage.
    assert len(server.received) <= 7 * 3
    problems = said(capsys)
    assert len(problems) == lines
    assert all(problem.startswith("the table cannot be ") for problem in problems)
    assert sum(problem.endswith("usage is not counted but held back meanwhile") for problem in problems) == 1
    server.answer, client._read_timeout = answer_json({"Items": []}), patient
    clock.pass_(30)
    for _request in range(100):
        clock.pass_(1)
        instance.look()
        instance.record([Attempted(TARGET, Outcome.SUCCESS)])
    assert said(capsys) == ["the table can be used again"]
    assert len(server.received) > 100
    server.answer, client._read_timeout = FAULTS[fault][0], impatient
    for _request in range(3):
        clock.pass_(20)
        instance.look()
        instance.record([Attempted(TARGET, Outcome.SUCCESS)])
        usage.add("key", Usage(1, 1))
    assert len(said(capsys)) == lines
    instance.forget()


def elapsed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def test_a_slow_table_costs_one_grace_a_back_off(
    server: UpstreamServer, instance_of: Callable[[str], Instance], clock: Clock
) -> None:
    go = threading.Event()
    server.answer = lambda _received, connection: connection.cut() if go.wait(30) else None
    instance = instance_of(server.url)
    waits, others, readings = [], [], set()
    waited_at = {0, 2, 6, 14, 30, 60, 90, 120}  # 2, 4, 8, 16 and then 30 s apart
    for second in range(150):
        clock.pass_(1.0)
        instance.refresh()
        readings.add(instance._reader._reading)
        (waits if second in waited_at else others).append(elapsed(instance.settle))
    go.set()
    assert len(readings) == 75  # each second one is old enough to be given up
    assert all(reading.acquire(timeout=10) for reading in readings)
    # That it is not more: test_a_read_in_time_ends_the_back_off_of_waiting, where no busy machine matters.
    assert min(waits) >= GRACE * 0.9
    assert sorted(others)[len(others) // 2] < GRACE * 0.1


def test_asking_never_waits_for_a_read(server: UpstreamServer, instance_of: Callable[[str], Instance]) -> None:
    go = threading.Event()
    server.answer = lambda _received, connection: connection.cut() if go.wait(10) else None
    instance = instance_of(server.url)
    instance.refresh()
    reading = instance._reader._reading
    assert reading is not None
    for _ in range(3):
        assert instance.availability(TARGET) is CLOSED
        instance.refresh()
    assert instance._reader._reading is reading
    assert reading.locked()
    go.set()
    assert reading.acquire(timeout=10)


def test_a_read_that_is_done_in_time_counts_for_this_request(table: Table, instance: Instance, clock: Clock) -> None:
    table.do(*open_breaker(TARGET, now=clock.now))
    instance.refresh()
    instance.wait()
    instance.settle()
    assert instance.availability(TARGET) is OPEN


def test_what_was_known_holds_until_it_ends(
    table: Table, instance: Instance, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(instance, 5)
    table.do(*open_breaker(OTHER, now=clock.now))
    instance.look()
    table.server.answer = reset
    clock.pass_(3)
    instance.look()
    assert instance.availability(TARGET) is OPEN
    clock.pass_(30)
    instance.look()
    assert instance.availability(TARGET) is HALF_OPEN
    assert instance.take_probe(TARGET)  # nobody can be asked whether somebody else has it
    instance.attempt(Outcome.SUCCESS, probe=True)
    assert instance.availability(OTHER) is OPEN
    clock.pass_(270)
    assert instance.availability(OTHER) is CLOSED
    assert instance.open_since(OTHER) == 0
    assert instance.weight("a", OTHER) is None
    assert len([line for line in said(capsys) if "cannot" in line]) == 1


def test_a_cooling_is_heeded_without_table(
    server: UpstreamServer, instance_of: Callable[[str], Instance], clock: Clock
) -> None:
    server.answer = reset
    instance = instance_of(server.url)
    instance.look()
    instance.record([Attempted(TARGET, Outcome.RATE_LIMITED, 10.0)])
    assert len(server.received) == 1  # whoever could not be reached for reading is not for writing
    assert instance.availability(TARGET) is OPEN
    clock.pass_(11)
    assert instance.availability(TARGET) is CLOSED


def test_what_only_one_request_did_wrong_stops_no_other(
    server: UpstreamServer, instance_of: Callable[[str], Instance], capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = answer_error("ValidationException")
    instance = instance_of(server.url)
    for _ in range(10):
        instance.attempt(Outcome.SUCCESS)
    assert len(server.received) == 10
    assert len(said(capsys)) == 1


def test_garbage_among_the_items_is_passed_over(
    server: UpstreamServer, instance_of: Callable[[str], Instance], clock: Clock
) -> None:
    good = {"sk": {"S": f"cooling#{TARGET}"}, "since": {"N": "1"}, "until": {"N": str(clock.now + 9)}}
    odd = [{}, {"sk": 3}, {"sk": {"S": "weight#"}, "weight": {"L": []}}, {"sk": {"S": "breaker#"}}, 5, good]
    server.answer = answer_json({"Items": [*odd, {"sk": {"S": "cooling#x/y"}, "until": {"N": "1e999"}}]})
    instance = instance_of(server.url)
    instance.look()
    assert instance.availability(TARGET) is OPEN
    assert instance.availability("x/y") is CLOSED


def test_a_defect_of_ours_is_logged_and_goes_no_further(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("x")

    monkeypatch.setattr(instance.client, "update", broken)
    monkeypatch.setattr(instance.client, "query", broken)
    instance.attempt(Outcome.FAILURE)
    UsageCounts(instance.client, instance.health).add("key", Usage())
    instance.look()
    assert said(capsys) == [
        "unexpected RuntimeError",
        "unexpected RuntimeError",
        "the table cannot be read: unexpected RuntimeError; requests are answered without it",
    ]


# Connecting


def test_a_gateway_without_table_has_no_states(client_of: ClientOf) -> None:
    transport = client_of("http://127.0.0.1:1")._transport
    source = AwsCredentialsSource(None, {})  # type: ignore[arg-type]
    states, usage = state.connect({}, transport, source)
    assert isinstance(states, NoStates)
    assert usage is None


def test_a_gateway_with_one_asks_it(table: Table, client_of: ClientOf) -> None:
    client = client_of(table.url)
    states, usage = state.connect(environ(table.url), client._transport, client._aws_credentials)
    assert isinstance(states, SharedStates)
    assert usage is not None
    assert table.requests == []
    states.record([Attempted(TARGET, Outcome.SUCCESS)])
    usage.add("key", Usage(3))
    assert len(table.asked("UpdateItem")) == 2
    states.forget()
