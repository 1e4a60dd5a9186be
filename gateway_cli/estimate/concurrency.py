"""How many requests are under way at the same time, and which of an account's quotas they need.

Of requests that come independently of each other the number under way is distributed as Poisson has it, with Little's mean: the
rate times the time that each takes, however those times are distributed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway_prices.traffic import Deployment, Traffic

LAMBDA_CONCURRENCY = 1_000
API_GATEWAY_RATE = 10_000
API_GATEWAY_BURST = 5_000
ITEM_WRITES = 1_000
"""Write units a second that one item of DynamoDB takes."""

PARTITION_READS = 3_000
"""Read units a second that one partition of DynamoDB gives."""

_RARELY = 0.999
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """A limit of the account or of a service.

    Args:
        name: for scripts.
        label: for people.
        default: what a grown account has.
        needed: at least.
        way_out: what to do where that is more.
    """

    name: str
    label: str
    default: int
    needed: int
    way_out: str

    @property
    def exceeded(self) -> bool:
        """Whether it does not do."""
        return self.needed > self.default


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
        p999=poisson_quantile(rate * seconds, _RARELY),
        peak_rate=rate,
        peak_burst=poisson_quantile(rate, _RARELY),
    )


def quotas(traffic: Traffic, deployment: Deployment) -> list[Quota]:
    """What the busiest minutes need of each limit.

    Args:
        traffic: what is asked.
        deployment: of the gateway.
    """
    load = concurrency(traffic, deployment)
    authorizers = poisson_quantile(load.peak_rate * deployment.authorizer_seconds, _RARELY)
    found = [
        Quota(
            name="lambda_concurrency",
            label="Lambda, concurrent executions",
            default=LAMBDA_CONCURRENCY,
            needed=load.p999 + authorizers,
            way_out="ask Service Quotas for L-B99A9384",
        ),
        Quota(
            name="api_gateway_rate",
            label="API Gateway, requests a second",
            default=API_GATEWAY_RATE,
            needed=math.ceil(load.peak_rate),
            way_out="ask Service Quotas for L-8A5B8E43",
        ),
        Quota(
            name="api_gateway_burst",
            label="API Gateway, requests at once",
            default=API_GATEWAY_BURST,
            needed=load.peak_burst,
            way_out="AWS raises it with the rate",
        ),
    ]
    if deployment.table:
        found += [
            Quota(
                name="table_item_writes",
                label="DynamoDB, writes a second to the counts of one target",
                default=ITEM_WRITES,
                needed=math.ceil(load.peak_rate),
                way_out="cannot be raised: share the load over several models or upstreams, or lose some counts",
            ),
            Quota(
                name="table_state_reads",
                label="DynamoDB, reads a second of the circuits",
                default=PARTITION_READS,
                needed=math.ceil(load.peak_rate),
                way_out="cannot be raised: share the load over several gateways, or circuits are heeded later",
            ),
        ]
    return found


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
