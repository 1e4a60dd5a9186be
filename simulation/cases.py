"""Which scenarios docs/scale.md shows."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from typing import NamedTuple

from gateway_prices.quotas import CONCURRENCY
from simulation.fault import Kind
from simulation.inputs import GIVEN
from simulation.scenario import Result, Scenario
from simulation.scenarios import (
    SHORT_TIMEOUTS,
    SIZES,
    UNLIMITED,
    advised_concurrency,
    burst,
    canary,
    deployment,
    hot,
    incident,
    usual,
)


class What(Enum):
    """What happens."""

    USUAL = auto()
    SMALL_QUOTA = auto()
    IDLE = auto()
    BURST = auto()
    DEPLOYMENT = auto()
    CANARY = auto()
    INCIDENT = auto()
    SHORT_TIMEOUTS = auto()
    TOLD_AT_ONCE = auto()
    HOT = auto()


class Case(NamedTuple):
    """A scenario's name.

    Args:
        what: happens.
        size: requests a day; of a hot key a second.
        quota: of concurrency. Default: none.
        stepwise: whether a deployment's version gets its requests in steps. Default: all at once.
        kind: how an upstream fails. Default: it refuses.
        idle: after how many seconds an idle instance ends, where that is varied. Default: it is not.
    """

    what: What
    size: int
    quota: int = UNLIMITED
    stepwise: bool = False
    kind: Kind = Kind.STATUS_500
    idle: float = 0.0


Results = dict[Case, tuple[Scenario, Result]]

LARGE = SIZES[-3:]
LARGEST = SIZES[-1]
BURSTS = {100_000: 10.0, 1_000_000: 10.0, 10_000_000: 3.0}
"""Times of the usual rate, by size."""

CANARY_DAYS = {1_000: 10, 10_000: 3}
IDLE = (120.0, 300.0, 2_700.0)
IDLE_SIZES = (1_000, 10_000)
HOT_RATES = (250, 500, 1_000)


def scenarios() -> dict[Case, Scenario]:
    """All of them."""
    found = {Case(What.USUAL, size): usual(size) for size in SIZES}
    found[Case(What.SMALL_QUOTA, LARGEST, CONCURRENCY)] = usual(LARGEST, concurrency=CONCURRENCY)
    for idle in IDLE:
        for size in IDLE_SIZES:
            inputs = replace(GIVEN, keep_alive=idle)
            found[Case(What.IDLE, size, idle=idle)] = replace(usual(size), inputs=inputs)
    return found | _events() | {Case(What.HOT, rate): hot(rate) for rate in HOT_RATES}


def _events() -> dict[Case, Scenario]:
    found: dict[Case, Scenario] = {}
    for size, times in BURSTS.items():
        for quota in dict.fromkeys((CONCURRENCY, advised_concurrency(size))):
            found[Case(What.BURST, size, quota)] = burst(size, times, quota)
    for size in LARGE:
        for stepwise in (False, True):
            found[Case(What.DEPLOYMENT, size, stepwise=stepwise)] = deployment(size, UNLIMITED, canary=stepwise)
    for size, days in CANARY_DAYS.items():
        found[Case(What.CANARY, size)] = canary(size, days)
    for kind in Kind:
        for size in SIZES[1:]:
            found[Case(What.INCIDENT, size, kind=kind)] = incident(size, kind, advised_concurrency(size))
    for size in LARGE:
        scenario = incident(size, Kind.SILENT, advised_concurrency(size), SHORT_TIMEOUTS)
        found[Case(What.SHORT_TIMEOUTS, size, kind=Kind.SILENT)] = scenario
    for size in SIZES[2:]:
        found[Case(What.TOLD_AT_ONCE, size)] = incident(size, Kind.STATUS_500, advised_concurrency(size), told_at_once=True)
    return found


def requests(scenario: Scenario) -> float:
    """About how many requests a scenario has."""
    length = scenario.end - scenario.start
    more = scenario.burst.seconds * (scenario.burst.times - 1) if scenario.burst else 0.0
    return scenario.requests_a_day * (length + more)
