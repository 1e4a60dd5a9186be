"""The simulation's parts against what is known of them by formula."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from random import Random

import pytest

from gateway_prices.quotas import SCALING_UNITS
from simulation.arrivals import Burst, Curve, arrivals
from simulation.durations import Durations, LogNormal
from simulation.inputs import DAY, GIVEN, HOUR
from simulation.lambda_pool import Account, Growth, Pool, Refused, Slot
from simulation.levels import Levels, percentile
from simulation.run import Run
from simulation.scenario import Scenario

EVEN = replace(GIVEN, hours=(1.0,) * 24, batch_share=0.0)


def test_as_many_come_as_are_said_to_in_each_hour() -> None:
    curve = Curve(50_000, GIVEN.hours, Burst(30_000.0, 600.0, 3.0))
    times = [when for when, count in arrivals(curve, GIVEN, Random(1), 0.0, DAY) for _each in range(count)]
    assert times == sorted(times)
    for hour, share in enumerate(GIVEN.hours):
        come = sum(hour * HOUR <= when < (hour + 1) * HOUR for when in times)
        expected = 50_000 * share / sum(GIVEN.hours) * (1 + 2 * 600 / HOUR * (hour == 8))
        # Batches of ten spread more than single requests do.
        assert abs(come - expected) < 5 * sqrt(expected * 3)


def test_durations_have_their_median_and_percentile() -> None:
    drawn = [LogNormal((6.0, 30.0)).draw(random) for random in [Random(2)] for _each in range(20_000)]
    assert percentile(drawn, 50) == pytest.approx(6.0, rel=0.05)
    assert percentile(drawn, 95) == pytest.approx(30.0, rel=0.06)
    assert sum(drawn) / len(drawn) == pytest.approx(LogNormal((6.0, 30.0)).mean, rel=0.05)


def test_executions_are_those_of_little_and_of_poisson() -> None:
    """An M/G/infinity queue: the number under way has a Poisson distribution, whatever the times are."""
    inputs = replace(EVEN, authorizer=1e-9, authorizer_init=0, lambda_start=1e-9, init=0, key_fetch=0, own_time=0, table_call=0)
    inputs = replace(inputs, budget=False)
    busiest = inputs.busiest_hour * HOUR
    rate = 5.0
    result = Run(
        Scenario(
            requests_a_day=rate * DAY,
            start=busiest - 200,
            count_from=busiest,
            end=busiest + 1_000,
            concurrency=10**6,
            inputs=inputs,
        )
    ).run()
    random = Random(3)
    durations = Durations(inputs, random)
    mean_seconds = sum(sum(durations.draw()) for _each in range(50_000)) / 50_000
    expected = rate * mean_seconds
    assert result.executions.mean == pytest.approx(expected, rel=0.07)
    assert result.executions.percentile(50) == pytest.approx(expected, rel=0.08)
    assert result.executions.percentile(99) == pytest.approx(expected + 2.33 * sqrt(expected), rel=0.12)
    assert result.billed / result.requests == pytest.approx(mean_seconds, rel=0.07)


def pool_of(limit: int = 10**6, keep_alive: float = 600.0, lifetime: float = 7_200.0) -> tuple[Pool[None], Growth]:
    growth = Growth()
    return Pool(
        lambda: None, Account(limit), growth, replace(GIVEN, keep_alive=keep_alive, lifetime=lifetime), Random(4)
    ), growth


def test_lambda_refuses_what_is_above_the_concurrency() -> None:
    pool, _growth = pool_of(2)
    taken = [pool.take(0.0) for _each in range(3)]
    assert taken[2] is Refused.CONCURRENCY
    assert isinstance(taken[0], Slot)
    pool.give_back(taken[0], 1.0)
    again = pool.take(1.0)
    assert again is taken[0]
    assert isinstance(again, Slot)
    assert not again.cold


def test_a_function_gets_a_thousand_instances_and_a_hundred_a_second_then() -> None:
    pool, growth = pool_of()
    taken = [pool.take(0.0) for _each in range(SCALING_UNITS + 1)]
    assert taken[-1] is Refused.SCALING
    assert growth.started == SCALING_UNITS
    assert sum(isinstance(pool.take(1.0), Slot) for _each in range(200)) == 100
    # What is not used is not saved.
    assert sum(isinstance(pool.take(1_000.0), Slot) for _each in range(3_000)) == SCALING_UNITS


@pytest.mark.parametrize(("when", "cold"), [(599.0, False), (601.0, True)])
def test_an_idle_instance_ends(when: float, cold: bool) -> None:
    pool, growth = pool_of(keep_alive=600.0)
    slot = pool.take(0.0)
    assert isinstance(slot, Slot)
    pool.give_back(slot, 0.0)
    later = pool.take(when)
    assert isinstance(later, Slot)
    assert later.cold is cold
    assert growth.instances.level == 1


def test_an_instance_in_use_is_replaced_after_its_lifetime() -> None:
    pool, growth = pool_of(lifetime=100.0)
    for when in (0.0, 50.0, 99.0):
        slot = pool.take(when)
        assert isinstance(slot, Slot)
        assert slot.cold is (when == 0)
        pool.give_back(slot, when)
    slot = pool.take(101.0)
    assert isinstance(slot, Slot)
    assert slot.cold
    assert (growth.started, growth.instances.level) == (2, 1)


def test_levels_know_for_how_long() -> None:
    levels = Levels()
    levels.change(2, 0.0)
    levels.change(3, 9.0)
    levels.change(-5, 10.0)
    levels.settle(10.0)
    assert (levels.mean, levels.highest, levels.percentile(50), levels.percentile(99)) == (2.3, 5, 2, 5)
    levels.count(10.0, counts=False)
    levels.change(7, 11.0)
    levels.count(20.0, counts=True)
    assert levels.stop(21.0).highest == 7
    assert levels.stop(21.0).mean == pytest.approx((2.3 * 10 + 7) / 11)


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (10, 1), (11, 2), (50, 5), (99, 10), (100, 10)], ids=str)
def test_percentiles(percent: float, value: int) -> None:
    assert percentile(list(range(10, 0, -1)), percent) == value


def test_the_same_comes_out_of_each_run() -> None:
    scenario = Scenario(requests_a_day=3_000, start=0.0, count_from=0.0, end=DAY / 2)
    first, second = Run(scenario).run(), Run(scenario).run()
    assert first.requests > 500
    assert [version.first_token for version in first.versions] == [version.first_token for version in second.versions]
    assert (first.billed, first.cold, first.meter.writes) == (second.billed, second.cold, second.meter.writes)
