"""Half-open breakers: who gets the probe, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lambda_runtime.state.operator_actions import close_breaker
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.state.table_kit import TARGET, Clock, Instance, Table, opened

CLOSED, HALF_OPEN, OPEN = Availability.CLOSED, Availability.HALF_OPEN, Availability.OPEN
WHOLE = "main/*"


def test_three_probes_close(instance: Instance, table: Table, clock: Clock) -> None:
    opened(instance, clock)
    clock.pass_(29.9)
    assert instance.availability(TARGET) is OPEN
    clock.pass_(0.2)
    for successes in range(1, 4):
        assert instance.availability(TARGET) is HALF_OPEN
        assert instance.take_probe(TARGET)
        instance.attempt(Outcome.SUCCESS, probe=True)
        assert table.breaker(TARGET)["successes"] == successes % 3
    assert instance.availability(TARGET) is CLOSED
    assert instance.open_since(TARGET) == 0.0
    assert table.breaker(TARGET)["openings"] == 0
    assert sum(bucket["calls"] for bucket in table.window(TARGET).values()) == 5  # a probe is one write as well: not counted


def test_a_probe_that_fails_opens_again_for_longer(instance: Instance, table: Table, clock: Clock) -> None:
    opened(instance, clock, times=2)
    assert table.breaker(TARGET)["openings"] == 2
    assert table.breaker(TARGET)["until"] == clock.now + 60
    assert instance.open_since(TARGET) == clock.now


def test_the_open_time_grows_to_five_minutes(instance: Instance, table: Table, clock: Clock) -> None:
    opened(instance, clock, times=12)
    assert table.breaker(TARGET)["openings"] == 12
    assert table.breaker(TARGET)["until"] == clock.now + 300


def test_one_probe_at_a_time(instance_of: Callable[[str], Instance], table: Table, clock: Clock) -> None:
    one, two = instance_of(table.url), instance_of(table.url)
    opened(one, clock)
    clock.pass_(31)
    two.look()
    assert one.take_probe(TARGET)
    assert not two.take_probe(TARGET)
    assert not one.take_probe(TARGET)
    one.attempt(Outcome.SUCCESS, probe=True)
    clock.pass_(2)
    two.look()
    assert two.take_probe(TARGET)


def test_a_lost_probe_is_replaced_after_its_lease(instance_of: Callable[[str], Instance], table: Table, clock: Clock) -> None:
    one, two = instance_of(table.url), instance_of(table.url)
    opened(one, clock)
    clock.pass_(31)
    assert one.take_probe(TARGET)
    clock.pass_(59)
    two.look()
    assert not two.take_probe(TARGET)
    clock.pass_(2)
    assert two.take_probe(TARGET)


@pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.FAILURE, Outcome.IGNORED])
def test_a_probe_that_outlasts_its_lease_says_nothing_about_the_next_opening(
    instance_of: Callable[[str], Instance], table: Table, clock: Clock, outcome: Outcome
) -> None:
    one, two = instance_of(table.url), instance_of(table.url)
    opened(one, clock)
    clock.pass_(31)
    assert one.take_probe(TARGET)
    clock.pass_(61)
    two.look()
    assert two.take_probe(TARGET)
    two.attempt(Outcome.FAILURE, probe=True)
    before = table.breaker(TARGET)
    assert before["openings"] == 2
    clock.pass_(61)
    one.attempt(outcome, probe=True)
    assert table.breaker(TARGET) == before


@pytest.mark.parametrize("outcome", [Outcome.IGNORED, Outcome.RATE_LIMITED])
def test_a_probe_that_says_nothing_makes_way(instance: Instance, table: Table, clock: Clock, outcome: Outcome) -> None:
    opened(instance, clock)
    clock.pass_(31)
    assert instance.take_probe(TARGET)
    instance.record([Attempted(TARGET, outcome, retry_after=5, probe=True)])
    assert table.breaker(TARGET)["state"] == "open"
    assert table.breaker(TARGET)["successes"] == 0
    clock.pass_(6)
    assert instance.take_probe(TARGET)


def test_a_probe_that_finds_its_breaker_closed_meanwhile_changes_nothing(
    instance_of: Callable[[str], Instance], table: Table, clock: Clock
) -> None:
    one, two = instance_of(table.url), instance_of(table.url)
    opened(one, clock)
    clock.pass_(31)
    assert one.take_probe(TARGET)
    table.do(*close_breaker(TARGET, now=clock.now))
    one.attempt(Outcome.FAILURE, probe=True)
    assert table.breaker(TARGET)["state"] == "closed"
    assert one.availability(TARGET) is CLOSED
    two.look()
    assert two.availability(TARGET) is CLOSED


def test_who_finds_the_breaker_closed_needs_no_probe(
    instance_of: Callable[[str], Instance], table: Table, clock: Clock
) -> None:
    one, two = instance_of(table.url), instance_of(table.url)
    opened(one, clock)
    clock.pass_(31)
    two.look()
    table.do(*close_breaker(TARGET, now=clock.now))
    assert two.availability(TARGET) is HALF_OPEN
    assert two.take_probe(TARGET)
    assert two.availability(TARGET) is CLOSED


def test_target_and_upstream_are_probed_together(instance: Instance, table: Table, clock: Clock) -> None:
    opened(instance, clock)
    instance.attempt(Outcome.KEY_REFUSED)
    clock.pass_(31)
    for _ in range(3):
        assert instance.take_probe(TARGET)
        instance.attempt(Outcome.SUCCESS, probe=True)
    assert table.breaker(WHOLE)["state"] == table.breaker(TARGET)["state"] == "closed"
    assert instance.availability(TARGET) is CLOSED
