"""The simulated request against the gateway's own failover, threads and table client, through the same incident."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
import simpy

from lambda_runtime.attempt import Attempts
from lambda_runtime.config import Timeouts
from lambda_runtime.failover import ExhaustedError, Failover
from lambda_runtime.failures import FailedAttempt
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.shared_states import SharedStates
from lambda_runtime.state.table_health import TableHealth
from simulation.asking import ask
from simulation.fault import Fault, Kind
from simulation.gateway_code import MAIN, SPARE, routes, simulated
from simulation.inputs import MIDNIGHT
from simulation.memory_table import MemoryTable
from simulation.run import Run
from simulation.scenarios import EVENT, incident
from tests.lambda_runtime.state.table_kit import ClientOf, Clock, Instance, running_table

INSTANCES = 4
END = 90.0


def arrivals() -> list[tuple[float, int, bool]]:
    """When requests come, to which instance, and whether they stream."""
    random = Random(11)
    found, now = [], 0.0
    while now < 150.0:
        now += random.expovariate(0.7)
        found.append((now, random.randrange(INSTANCES), random.random() < 0.5))
    return found


def fault_of(kind: Kind, names: Sequence[str]) -> Callable[[str, float, bool], FailedAttempt | None]:
    faults = [Fault(kind, name, 20.0, END) for name in names]

    def fails(upstream: str, now: float, streamed: bool) -> FailedAttempt | None:
        for fault in faults:
            failed = fault.of(upstream, now, Timeouts(), streamed=streamed)
            if failed is not None:
                return failed[1]
        return None

    return fails


Fails = Callable[[str, float, bool], FailedAttempt | None]


def by_simulation(fails: Fails) -> Iterator[list[Attempted]]:
    """What each request tries, as the simulation has it; attempts take no time."""
    now = [0.0]
    table = MemoryTable(lambda: MIDNIGHT + now[0])
    clock = lambda: MIDNIGHT + now[0]  # noqa: E731
    instances = [SharedStates(table, TableHealth(clock), clock=clock, jitter=lambda: 0.0) for _each in range(INSTANCES)]
    [routed] = routes(1)
    with simulated(clock):
        for when, index, streamed in arrivals():
            now[0] = when
            states, attempts = instances[index], list[Attempted]()
            states.refresh()

            def failing(upstream: str, when: float = when, streamed: bool = streamed) -> tuple[float, FailedAttempt] | None:
                failure = fails(upstream, when, streamed)
                return None if failure is None else (0.0, failure)

            turn = _ended(ask(simpy.Environment(), routed, states, failing, attempts))
            if turn is not None:
                attempts.append(Attempted(turn.candidate.target, Outcome.SUCCESS, probe=turn.probe))
            states.record(attempts)
            yield attempts


def _ended(steps: Generator[Any, Any, Any]) -> Any:
    try:
        while True:
            next(steps)
    except StopIteration as over:
        return over.value


class ScriptedAttempts(Attempts):
    """Upstreams that fail when the incident says so, and answer otherwise."""

    def __init__(self, fails: Fails) -> None:
        self.fails = fails
        self.now, self.streamed = 0.0, False

    def ask(self, question: Any, terms: Any, first: float, admitted: Callable[[], None]) -> Any:  # noqa: ARG002
        admitted()
        failure = self.fails(question.candidate.upstream.name, self.now, self.streamed)
        if failure is not None:
            raise failure
        return question


def by_the_gateway(fails: Fails) -> Iterator[list[Attempted]]:
    """The same by `Failover` and `SharedStates` with their threads, over HTTP to moto's table."""
    [routed] = routes(1)
    client_of, clock = ClientOf(), Clock(MIDNIGHT)
    with running_table() as table:
        try:
            instances = [Instance(client_of(table.url), clock) for _each in range(INSTANCES)]
            for when, index, streamed in arrivals():
                clock.now = MIDNIGHT + when
                states, attempts = instances[index], ScriptedAttempts(fails)
                attempts.now, attempts.streamed = when, streamed
                states.look()
                request = SimpleNamespace(
                    question=lambda candidate: SimpleNamespace(candidate=candidate, content=b"", dropped=()),
                    first_limit=lambda *_all: 30.0,
                )
                record = SimpleNamespace(attempts=[], asked=lambda *_all: None, possibly_billed=0, request_id="")
                failover = Failover(attempts, states, Timeouts())
                try:
                    answer, probe = failover.ask(*cast("Any", (request, routed, None, record)))
                except ExhaustedError:
                    pass
                else:
                    record.attempts.append(Attempted(cast("Any", answer).candidate.target, Outcome.SUCCESS, probe=probe))
                states.record(record.attempts)
                yield record.attempts
        finally:
            client_of.close()


@pytest.mark.parametrize(
    ("kind", "names"), [(Kind.STATUS_500, [MAIN]), (Kind.SILENT, [MAIN]), (Kind.STATUS_500, [MAIN, SPARE])], ids=str
)
def test_a_request_tries_what_the_gateway_tries(kind: Kind, names: list[str]) -> None:
    fails = fault_of(kind, names)
    simulated_ = list(by_simulation(fails))
    assert simulated_ == list(by_the_gateway(fails))
    failed = [attempt for attempts in simulated_ for attempt in attempts if attempt.outcome is Outcome.FAILURE]
    assert any(attempt.probe for attempts in simulated_ for attempt in attempts)
    # Far fewer than there were requests, since the breaker is open for most of the time.
    assert 5 <= len(failed) < 0.8 * sum(20 < when < END for when, *_rest in arrivals()) * len(names)


def test_nobody_waits_for_an_upstream_that_is_known_to_be_down() -> None:
    result = Run(incident(100_000, Kind.STATUS_500, 1_000)).run()
    assert result.failed == 0
    opened = result.lines["circuit breaker opened"]
    # Of each model, and again by each probe that fails.
    assert len(opened) >= 3
    assert len(result.late) < 0.25 * result.requests
    assert result.told == result.counted


def test_what_is_counted_at_once_opens_sooner() -> None:
    opened = [
        Run(incident(100_000, Kind.STATUS_500, 1_000, told_at_once=told)).run().lines["circuit breaker opened"][0]
        for told in (False, True)
    ]
    assert EVENT < opened[1] < opened[0]
