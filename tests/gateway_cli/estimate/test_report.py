"""Concurrency, crossover, inference and savings."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_cli.estimate.concurrency import concurrency, poisson_quantile
from gateway_cli.estimate.containers import VARIANTS, Capacity
from gateway_cli.estimate.crossover import LEAST, crossover
from gateway_cli.estimate.inference import ModelShare, inference_usd, monthly_inference, request_usd
from gateway_cli.estimate.quotas import quotas
from gateway_cli.estimate.report import Asked, containers_cost, estimate, gateway_cost
from gateway_prices import aws
from gateway_prices.traffic import DAYS, Deployment, Traffic
from lambda_runtime.config.prices import NANO, Price

FLAT = ModelShare(name="a/b", share=1.0, price=Price(input=2, output=8), source="")


def asked(traffic: Traffic | None = None, **more: object) -> Asked:
    return replace(Asked(traffic=traffic or Traffic(), deployment=Deployment(), models=[FLAT]), **more)


@pytest.mark.parametrize("mean", [0.01, 0.5, 3, 42.5, 900, 20_000])
@pytest.mark.parametrize("probability", [0.5, 0.99, 0.999])
def test_quantiles_are_poissons(mean: float, probability: float) -> None:
    """The distribution summed the plain way, in logarithms."""
    found = poisson_quantile(mean, probability)

    def at_most(count: int) -> float:
        return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))

    assert at_most(found) >= probability - 1e-9
    assert found == 0 or at_most(found - 1) < probability + 1e-9


def test_requests_under_way_are_as_many_as_a_simulation_finds() -> None:
    """Little's mean, and Poisson's spread although all requests take the same time."""
    chance = random.Random(5)  # noqa: S311
    load = concurrency(Traffic(requests_per_day=86_400, peak_factor=2), Deployment(after_seconds=0))
    seconds, rate = load.at_peak / load.peak_rate, load.peak_rate
    now, ends, seen = 0.0, [0.0], []
    while len(seen) < 20_000:
        now += chance.expovariate(rate)
        ends = [end for end in ends if end > now]
        seen.append(len(ends))
        ends.append(now + seconds)
    seen.sort()
    assert sum(seen) / len(seen) == pytest.approx(load.at_peak, rel=0.05)
    assert seen[len(seen) * 99 // 100] == pytest.approx(load.p99, abs=2)


def test_the_default_quotas_end_where_they_end() -> None:
    def exceeded(requests: float) -> set[str]:
        return {
            quota.name
            for quota in quotas(Traffic(requests_per_day=requests, stream_share=1, stream_seconds=20), Deployment())
            if quota.exceeded
        }

    assert exceeded(1_000_000) == set()
    assert exceeded(2_000_000) == {"lambda_concurrency"}
    every = {quota.name for quota in quotas(Traffic(), Deployment())}
    assert exceeded(300_000_000) == every
    names = {quota.name for quota in quotas(Traffic(), Deployment(table=False))}
    assert names == {"lambda_concurrency", "lambda_starts", "api_gateway_rate", "api_gateway_burst"}
    assert all(quota.needed == 0 for quota in quotas(Traffic(requests_per_day=0), Deployment()))


@settings(max_examples=8, deadline=None)
@given(st.floats(1, 300), st.integers(128, 1769), st.floats(0, 1))
def test_the_crossover_is_where_both_cost_the_same(seconds: float, memory: int, share: float) -> None:
    traffic = Traffic(stream_seconds=seconds, json_seconds=seconds, stream_share=share)
    gateway = gateway_cost(traffic, Deployment(memory_mb=memory))
    for containers in VARIANTS:
        there = containers_cost(traffic, containers, Capacity())
        found = crossover(gateway, there)
        if found is None:
            assert all(gateway(10.0**power) <= there(10.0**power) for power in range(9))
            continue
        assert gateway(found) == pytest.approx(there(found), rel=1e-6)
        assert gateway(found * 0.99) < there(found * 0.99)
        assert gateway(found * 1.01) > there(found * 1.01)


def test_there_may_be_no_crossover() -> None:
    assert crossover(lambda requests: requests, lambda requests: requests + 1) is None
    assert crossover(lambda _: 2.0, lambda _: 1.0) == LEAST
    assert crossover(lambda requests: requests, lambda _: 1_234.5) == pytest.approx(1_234.5)


def test_of_several_crossovers_the_first_is_found() -> None:
    """Prices fall with the amount: very long answers cost less on Lambda again where there are very many."""
    traffic = Traffic(stream_seconds=60, stream_share=1, output_tokens=30_000, input_tokens=10_000)
    gateway, there = gateway_cost(traffic, Deployment()), containers_cost(traffic, VARIANTS[1], Capacity())
    found = crossover(gateway, there)
    assert found is not None
    assert gateway(found * 0.99) < there(found * 0.99)
    assert gateway(found * 1.01) > there(found * 1.01)
    assert gateway(2e8) < there(2e8)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1e8), st.floats(0, 1e8))
def test_containers_never_cost_less_for_more(one: float, other: float) -> None:
    for containers in VARIANTS:
        cost = containers_cost(Traffic(), containers, Capacity())
        assert cost(min(one, other)) <= cost(max(one, other))


def test_containers_cost_when_idle_what_is_stated_and_more_tasks_come_with_the_load() -> None:
    litellm, relay = VARIANTS
    idle, capacity = Traffic(requests_per_day=0), Capacity()
    assert litellm.usd(idle, capacity) == pytest.approx(aws.GUIDANCE_MONTH)
    # The guidance's own table has 115.33 for its two tasks.
    assert 2 * litellm.task_usd == pytest.approx(115.33, abs=0.02)
    parts = 730 * (2 * (0.5 * 0.03238 + 0.00356 + 0.005) + 0.0225 + 2 * 0.005) + 0.40
    assert relay.usd(idle, capacity) == pytest.approx(parts)
    busy = Traffic(requests_per_day=86_400 * 100, stream_share=1, output_tokens=500)
    assert capacity.busy(busy) == pytest.approx(100 * (1 / 70 + 500 / 5_000))
    assert litellm.tasks(busy, capacity) == pytest.approx(capacity.busy(busy) / 2 / 0.6)
    assert litellm.tasks_at_peak(busy, capacity) == math.ceil(capacity.busy(busy) * 3 / 2 / 0.6)


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1e9), st.floats(0, 1), st.floats(1, 100), st.floats(1, 1e4))
def test_the_busiest_minutes_take_no_fewer_tasks_than_the_mean(requests: float, share: float, peak: float, vcpu: float) -> None:
    traffic = Traffic(requests_per_day=requests, stream_share=share, peak_factor=peak)
    for containers in VARIANTS:
        capacity = Capacity(requests=vcpu)
        assert containers.tasks_at_peak(traffic, capacity) >= containers.tasks(traffic, capacity)


def test_tokens_cost_what_each_request_is_charged() -> None:
    traffic = Traffic(requests_per_day=100, input_tokens=3_000, output_tokens=700)
    tiered = Price(input=3, output=15, cached_input=0.3, above={200_000: Price(input=6, output=22.5, cached_input=0.6)})
    for inputs in (3_000, 200_000, 250_000):
        one = replace(traffic, input_tokens=inputs, cached_share=0.5)
        exact = tiered.cost(input_tokens=inputs, output_tokens=700, cached_tokens=inputs // 2) / NANO
        assert request_usd(one, tiered) == pytest.approx(exact)
    mix = [replace(FLAT, share=0.25), ModelShare(name="c/d", share=0.75, price=Price(input=1, output=1), source="")]
    parts = monthly_inference(traffic, mix)
    assert inference_usd(parts) == pytest.approx(100 * DAYS * (0.25 * (0.006 + 0.0056) + 0.75 * 0.0037))
    assert sum(part.output_tokens for part in parts) == pytest.approx(100 * DAYS * 700)


def test_savings_are_what_is_paid_less() -> None:
    assert estimate(asked()).savings is None
    found = estimate(asked(today_price=Price(input=4, output=16), today_infrastructure=100.0)).savings
    assert found is not None
    assert found.today_inference == pytest.approx(2 * found.inference)
    assert found.month == pytest.approx(found.inference + 100 - found.aws)
    assert found.year == pytest.approx(12 * found.month)
    assert found.share == pytest.approx(found.month / (2 * found.inference + 100))
    dearer = estimate(asked(today_infrastructure=0.0)).savings
    assert dearer is not None
    assert dearer.today_inference == dearer.inference
    assert dearer.month == pytest.approx(-dearer.aws)


def test_cache_writes_cost_what_each_request_is_charged() -> None:
    priced = Price(input=3, output=15, cached_input=0.3, cache_write=3.75)
    exact = priced.cost(input_tokens=4_000, output_tokens=700, cached_tokens=1_000, cache_write_tokens=2_000) / NANO
    traffic = Traffic(input_tokens=4_000, output_tokens=700, cached_share=0.25, cache_write_share=0.5)
    assert request_usd(traffic, priced) == pytest.approx(exact)


def test_short_calls_take_an_instance_for_every_ten_a_second() -> None:
    """Both functions do, the authorizer first of all: its calls take milliseconds."""
    traffic = Traffic(requests_per_day=86_400 * 6_000, peak_factor=1, stream_share=0, json_seconds=0.01)
    found = {quota.name: quota.needed for quota in quotas(traffic, Deployment(after_seconds=0))}
    assert found["lambda_concurrency"] == pytest.approx(2 * 6_000 / 10, rel=0.05)


def test_a_deployment_starts_what_is_under_way_less_what_lambda_adds_meanwhile() -> None:
    traffic = Traffic(requests_per_day=86_400 * 300, peak_factor=1, stream_share=1, stream_seconds=10)
    found = {quota.name: quota for quota in quotas(traffic, Deployment(after_seconds=0))}
    assert found["lambda_starts"].needed == (300 - 100) * 10
    calm = {quota.name: quota for quota in quotas(replace(traffic, requests_per_day=86_400 * 90), Deployment())}
    assert not calm["lambda_starts"].exceeded
