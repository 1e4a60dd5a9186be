"""How many requests are under way at the same time.

Of requests that come independently of each other the number under way is distributed as Poisson has it, with Little's mean: the
rate times the time that each takes, however those times are distributed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway_prices.traffic import Deployment, Traffic

RARELY = 0.999
"""How often a figure holds that is called rarely exceeded."""

_SPREAD = 12.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Concurrency:
    """Requests under way.

    Args:
        mean: on average.
        at_peak: in the busiest minutes.
        median: of the busiest minutes' moments, half have so many or fewer.
        p99: 99 of 100 have.
        p999: 999 of 1,000 have.
        peak_rate: requests a second in the busiest minutes.
        peak_burst: requests in one second of them, exceeded in one of 1,000.
    """

    mean: float
    at_peak: float
    median: int
    p99: int
    p999: int
    peak_rate: float
    peak_burst: int


def concurrency(traffic: Traffic, deployment: Deployment) -> Concurrency:
    """Requests under way, and how they come.

    Args:
        traffic: what is asked.
        deployment: of the gateway, which is busy for a little longer than its clients wait.
    """
    seconds = traffic.seconds + deployment.after_seconds
    mean, rate = traffic.rate * seconds, traffic.rate * traffic.peak_factor
    return Concurrency(
        mean=mean,
        at_peak=rate * seconds,
        median=poisson_quantile(rate * seconds, 0.5),
        p99=poisson_quantile(rate * seconds, 0.99),
        p999=poisson_quantile(rate * seconds, RARELY),
        peak_rate=rate,
        peak_burst=poisson_quantile(rate, RARELY),
    )


def poisson_quantile(mean: float, probability: float) -> int:
    """The smallest number that a count with this mean does not exceed, with this probability.

    Args:
        mean: not negative.
        probability: below 1.
    """
    if mean <= 0:
        return 0
    # What is so far below the mean that its probability is none need not be added up.
    count = max(0, math.floor(mean - _SPREAD * math.sqrt(mean)))
    density = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    sum_ = density
    limit = mean + _SPREAD * math.sqrt(mean) + _SPREAD
    while sum_ < probability and count < limit:
        count += 1
        density *= mean / count
        sum_ += density
    return count
