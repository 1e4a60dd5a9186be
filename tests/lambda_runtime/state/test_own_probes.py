"""Probes while the table cannot be written: one for each instance and lease time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lambda_runtime.state.outcome import Outcome
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.state.faults import FAULTS, answer_error
from tests.lambda_runtime.state.table_kit import TARGET, ClientOf, Clock, Instance, Table, opened
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_with_silence

CLOSED, HALF_OPEN, OPEN = Availability.CLOSED, Availability.HALF_OPEN, Availability.OPEN


def test_each_instance_takes_one_a_lease_time(instance_of: Callable[[str], Instance], table: Table, clock: Clock) -> None:
    instances = [instance_of(table.url) for _ in range(8)]
    opened(instances[0], clock)
    for each in instances:
        each.look()
    clock.pass_(31)
    table.server.answer = answer_error("ThrottlingException")
    probes = 0
    for _second in range(120):
        for each in instances:
            assert each.availability(TARGET) is HALF_OPEN
            if each.take_probe(TARGET):
                probes += 1
                each.attempt(Outcome.FAILURE, probe=True)
        clock.pass_(1)
    assert probes == 8 * 2


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_is_wrong_the_second_waits(table: Table, client_of: ClientOf, clock: Clock, fault: str) -> None:
    instance = Instance(client_of(table.url), clock, probe_patience=0.05)
    opened(instance, clock)
    clock.pass_(31)
    table.server.answer, _ = FAULTS[fault]
    assert instance.take_probe(TARGET)
    asked = len(table.server.received)
    assert not instance.take_probe(TARGET)
    assert len(table.server.received) == asked
    clock.pass_(59)
    assert not instance.take_probe(TARGET)
    clock.pass_(1)
    assert instance.take_probe(TARGET)
    instance.forget()


def test_a_probe_does_not_wait_for_a_slow_table(table: Table, client_of: ClientOf, clock: Clock) -> None:
    instance = Instance(client_of(table.url), clock, probe_patience=0.05)
    opened(instance, clock)
    clock.pass_(31)
    table.server.answer = answer_with_silence  # the client's own patience is 30 s
    assert instance.take_probe(TARGET)
    instance.forget()


def test_a_table_that_is_well_again_decides(table: Table, instance: Instance, clock: Clock) -> None:
    opened(instance, clock)
    clock.pass_(31)
    table.server.answers.append(answer_error("ThrottlingException"))
    assert instance.take_probe(TARGET)
    assert not instance.take_probe(TARGET)
    clock.pass_(2)
    assert instance.take_probe(TARGET)  # with a lease in the table
    instance.attempt(Outcome.SUCCESS, probe=True)
    assert table.breaker(TARGET)["successes"] == 1


def test_the_upstreams_probe_is_one_for_all_its_models(table: Table, instance: Instance, clock: Clock) -> None:
    instance.attempt(Outcome.KEY_REFUSED)
    clock.pass_(31)
    table.server.answer = answer_error("ThrottlingException")
    assert instance.take_probe(TARGET)
    assert not instance.take_probe("main/other")


def test_a_clock_that_is_set_back_and_forgetting_end_a_lease(table: Table, instance: Instance, clock: Clock) -> None:
    opened(instance, clock)
    clock.pass_(40)
    table.server.answer = answer_error("ThrottlingException")
    assert instance.take_probe(TARGET)
    clock.pass_(-5)
    assert instance.take_probe(TARGET)
    assert not instance.take_probe(TARGET)
    instance.forget()
    table.server.answer = answer_error("ThrottlingException")
    assert instance._own_leases == {}


def test_a_table_of_which_nothing_is_known_closes_nothing(
    server: UpstreamServer, instance_of: Callable[[str], Instance]
) -> None:
    server.answer = answer_error("ThrottlingException")
    instance = instance_of(server.url)
    instance.look()
    instance.attempt(Outcome.FAILURE, times=9)
    for _ in range(9):
        assert instance.availability(TARGET) is CLOSED
        assert instance.take_probe(TARGET)
