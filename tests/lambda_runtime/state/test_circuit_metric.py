"""Which upstreams requests are kept away from, as a metric: said by who changes it, once a minute, and taken back."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from lambda_runtime.state.circuit_metric import AGAIN
from lambda_runtime.state.operator_actions import close_breaker, open_breaker
from lambda_runtime.state.outcome import Attempted, Outcome
from tests.lambda_runtime.state.table_kit import OTHER, START, TARGET, Clock, Instance, Table, fail, opened, succeed

Said = Callable[[], list[tuple[str, int]]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    """Upstreams and values of the metric since the last call."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "gateway-function")

    def read() -> list[tuple[str, int]]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [(line["Upstream"], line["CircuitOpen"]) for line in lines if "CircuitOpen" in line]

    return read


def probed(instance: Instance, outcome: Outcome, times: int = 1) -> None:
    for _ in range(times):
        assert instance.take_probe(TARGET)
        instance.attempt(outcome, probe=True)


def test_a_line_is_a_metric_of_the_upstream(instance: Instance, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    opened(instance, clock)
    (line,) = (line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "CircuitOpen" in line)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "AiGateway",
        "Dimensions": [["Gateway", "Upstream"]],
        "Metrics": [{"Name": "CircuitOpen", "Unit": "None"}],
    }
    assert (line["Gateway"], line["Upstream"], line["CircuitOpen"], line["level"]) == ("local", "main", 1, "INFO")


def test_it_is_said_when_a_circuit_opens_and_when_it_closes(instance: Instance, clock: Clock, said: Said) -> None:
    fail(instance, 4)
    assert said() == []
    fail(instance)
    assert said() == [("main", 1)]
    clock.pass_(31)
    probed(instance, Outcome.SUCCESS, 2)
    assert said() == []
    probed(instance, Outcome.SUCCESS)
    assert said() == [("main", 0)]
    clock.pass_(3600)
    succeed(instance)
    assert said() == []


def test_a_probe_that_fails_says_it_again(instance: Instance, clock: Clock, said: Said) -> None:
    opened(instance, clock)
    clock.pass_(AGAIN)
    said()
    probed(instance, Outcome.FAILURE)
    assert said() == [("main", 1)]


def test_an_upstream_is_open_until_its_last_circuit_closes(instance: Instance, clock: Clock, said: Said) -> None:
    opened(instance, clock)
    fail(instance, 5, "main/gpt-4.1-mini")
    assert said() == [("main", 1)]
    clock.pass_(31)
    probed(instance, Outcome.SUCCESS, 3)
    assert said() == []  # the other one is half-open: what it gets is one request at a time
    clock.pass_(AGAIN)
    for _ in range(3):
        assert instance.take_probe("main/gpt-4.1-mini")
        instance.attempt(Outcome.SUCCESS, "main/gpt-4.1-mini", probe=True)
    assert said() == [("main", 1), ("main", 0)]


def test_a_refused_key_is_a_circuit_of_the_whole_upstream(instance: Instance, said: Said) -> None:
    instance.attempt(Outcome.KEY_REFUSED)
    assert said() == [("main", 1)]


def test_cooling_is_none(instance: Instance, said: Said) -> None:
    instance.record([Attempted(TARGET, Outcome.RATE_LIMITED, retry_after=30.0)])
    assert said() == []


def test_while_it_is_open_it_is_said_each_minute_of_requests(instance: Instance, clock: Clock, said: Said) -> None:
    opened(instance, clock)
    said()
    for _ in range(12):
        clock.pass_(10)
        instance.look()
        succeed(instance, 5, OTHER)
    assert said() == [("main", 1)] * 2


def test_only_who_opened_it_says_so(table: Table, instance_of: Callable[[str], Instance], clock: Clock, said: Said) -> None:
    first, *others = [instance_of(table.url) for _ in range(3)]
    opened(first, clock)
    assert said() == [("main", 1)]
    for _ in range(3):
        clock.pass_(AGAIN)
        for other in others:
            other.look()
            succeed(other, 5, OTHER)
    assert said() == []


def test_who_opened_it_takes_it_back_when_another_closes_it(
    table: Table, instance_of: Callable[[str], Instance], clock: Clock, said: Said
) -> None:
    first, second = instance_of(table.url), instance_of(table.url)
    opened(first, clock)
    clock.pass_(31)
    second.look()
    probed(second, Outcome.SUCCESS, 3)
    assert said() == [("main", 1), ("main", 0)]
    first.look()
    succeed(first, 2, OTHER)
    assert said() == [("main", 0)]


def test_who_opened_it_takes_it_back_when_an_operator_closes_it(
    table: Table, instance: Instance, clock: Clock, said: Said
) -> None:
    opened(instance, clock)
    clock.pass_(5)
    table.do(*close_breaker(TARGET, now=clock.now))
    assert said() == [("main", 1)]
    instance.look()
    succeed(instance)
    assert said() == [("main", 0)]


def test_what_an_operator_opens_is_not_said(table: Table, instance: Instance, clock: Clock, said: Said) -> None:
    table.do(*open_breaker(TARGET, now=clock.now))
    instance.look()
    succeed(instance, 3, OTHER)
    assert said() == []


def test_what_is_known_no_longer_is_not_said(instance: Instance, clock: Clock, said: Said) -> None:
    opened(instance, clock)
    said()
    clock.pass_(400)  # without having read the table
    succeed(instance, 1, OTHER)
    assert said() == []


def test_a_snapshot_holds_nothing_that_was_said(instance: Instance, clock: Clock, said: Said) -> None:
    opened(instance, clock)
    instance.forget()
    said()
    clock.pass_(AGAIN)
    instance.look()
    succeed(instance, 1, OTHER)
    assert said() == []
    assert clock.now == START + AGAIN
