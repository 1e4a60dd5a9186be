"""Kinds of scenarios: usual days, bursts, deployments, canaries, upstreams that fail, hot keys."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from gateway_prices.quotas import CONCURRENCY
from lambda_runtime.config import Timeouts
from simulation.arrivals import Burst
from simulation.durations import LogNormal
from simulation.fault import Fault, Kind
from simulation.gateway_code import MAIN
from simulation.inputs import DAY, GIVEN, HOUR, Inputs
from simulation.scenario import Scenario, Shift

SIZES = (10, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)

UNLIMITED = 1_000_000
"""A concurrency that no scenario reaches: what is asked for, not what is given."""

BUSIEST = GIVEN.busiest_hour * HOUR

SETTLING = 120.0
"""Seconds of the busiest hour before something happens, in which the instances that serve are started."""

EVENT = BUSIEST + SETTLING
"""When it happens."""

_WHOLE_DAYS = {10: 600, 1_000: 10, 10_000: 2, 100_000: 1}
"""Days of the sizes that are simulated whole: enough requests for a 99th percentile."""

_WINDOWS = {1_000_000: (600.0, 1_200.0), 10_000_000: (240.0, 180.0)}
"""Seconds of the busiest hour that do not count, and that do, of the others."""

BURST_SECONDS = 60.0
FAULT_SECONDS = 180.0
AFTER_FAULT = 150.0
CANARY_SHARE = 0.05

DEFAULT_TIMEOUTS = Timeouts()
SHORT_TIMEOUTS = Timeouts(first_content=10, unstreamed=60)
"""For models that do not reason, and answers without streaming that are short."""


def mean_seconds(inputs: Inputs = GIVEN) -> float:
    """Mean time of an answer."""
    stream, call = LogNormal(inputs.stream).mean, LogNormal(inputs.call).mean
    return inputs.stream_share * stream + (1 - inputs.stream_share) * call


def peak_rate(size: float, inputs: Inputs = GIVEN) -> float:
    """Requests a second in the busiest hour."""
    return size / DAY * inputs.peak


def advised_concurrency(size: float) -> int:
    """The quota to have: also while the main upstream is silent, when each stream first waits for its first content in vain."""
    needed = peak_rate(size) * (mean_seconds() + DEFAULT_TIMEOUTS.first_content)
    return max(CONCURRENCY, ceil(needed * 1.1 / CONCURRENCY) * CONCURRENCY)


def usual(size: int, days: int | None = None, concurrency: int = UNLIMITED) -> Scenario:
    """Nothing happens.

    Args:
        size: requests a day.
        days: how many. Default: as many as it takes; of the largest sizes a part of the busiest hour.
        concurrency: the account's quota. Default: none.
    """
    if size in _WINDOWS and days is None:
        before, within = _WINDOWS[size]
        return _window(size, before, within, concurrency)
    days = days or _WHOLE_DAYS[size]
    return Scenario(requests_a_day=size, start=0.0, count_from=0.0, end=days * DAY, concurrency=concurrency)


def burst(size: int, times: float, concurrency: int) -> Scenario:
    """A minute in the busiest hour in which several times as many requests come.

    Args:
        size: requests a day.
        times: the usual rate.
        concurrency: the account's quota.
    """
    scenario = _window(size, SETTLING, BURST_SECONDS, concurrency)
    return replace(scenario, burst=Burst(EVENT, BURST_SECONDS, times))


def deployment(size: int, concurrency: int, *, canary: bool) -> Scenario:
    """A new version in the busiest hour.

    Args:
        size: requests a day.
        concurrency: the account's quota.
        canary: whether it gets its requests in steps of a minute (5, 25, 50, 100 %), or all at once.
    """
    shares = (CANARY_SHARE, 0.25, 0.5, 1.0) if canary else (1.0,)
    steps = [(EVENT + 60.0 * index, share) for index, share in enumerate(shares)]
    return replace(_window(size, SETTLING, 60.0 * len(shares) + 60.0, concurrency), shift=Shift(*steps))


def canary(size: int, days: int) -> Scenario:
    """A new version that keeps its 5 %.

    Args:
        size: requests a day.
        days: for how long.
    """
    return replace(usual(size, days), shift=Shift((0.0, CANARY_SHARE)))


def incident(
    size: int, kind: Kind, concurrency: int, timeouts: Timeouts = DEFAULT_TIMEOUTS, *, told_at_once: bool = False
) -> Scenario:
    """The main upstream fails for three minutes of the busiest hour; the other one is well.

    Args:
        size: requests a day.
        kind: how it fails.
        concurrency: the account's quota.
        timeouts: how long the gateway waits for it. Default: the gateway's own defaults.
        told_at_once: see `Scenario`. Default: as the gateway does it.
    """
    scenario = _window(size, SETTLING, FAULT_SECONDS + AFTER_FAULT, concurrency)
    fault = Fault(kind, MAIN, EVENT, EVENT + FAULT_SECONDS)
    return replace(scenario, fault=fault, timeouts=timeouts, told_at_once=told_at_once)


def hot(rate: float) -> Scenario:
    """One consumer asks one model, by short calls, at a steady rate.

    Args:
        rate: requests a second.
    """
    inputs = replace(
        GIVEN, hours=(1.0,) * 24, consumers=1, models=1, stream_share=0.0, batch_share=0.0, call=(0.5, 1.0), first=(0.2, 0.5)
    )
    return replace(_window(int(rate * DAY), 20.0, 40.0, UNLIMITED), inputs=inputs)


def _window(size: int, before: float, within: float, concurrency: int) -> Scenario:
    return Scenario(
        requests_a_day=size, start=BUSIEST, count_from=BUSIEST + before, end=BUSIEST + before + within, concurrency=concurrency
    )
