"""Which limits of an account and of the services the busiest minutes reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway_cli.estimate.concurrency import RARELY, concurrency, poisson_quantile
from gateway_prices.gateway_cost import MOST_USAGE_WRITE_UNITS, WINDOW_WRITE_UNITS
from gateway_prices.traffic import Deployment, Traffic

LAMBDA_CONCURRENCY = 1_000
LAMBDA_STARTS = 1_000
"""Instances that a function gets at once."""

LAMBDA_STARTS_A_SECOND = 100
"""Instances that it gets besides in every second."""

INSTANCE_RATE = 10
"""Requests a second that Lambda sends to an instance at most, however short they are."""

API_GATEWAY_RATE = 10_000
API_GATEWAY_BURST = 5_000
ITEM_WRITES = 1_000
"""Write units a second that one item of DynamoDB takes."""

PARTITION_READS = 3_000
"""Read units a second that one partition of DynamoDB gives."""

NEW_TABLE_WRITES = 4_000
"""Write units a second that an on-demand table takes while it is new."""


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


def quotas(traffic: Traffic, deployment: Deployment) -> list[Quota]:
    """What the busiest minutes need of each limit.

    Args:
        traffic: what is asked.
        deployment: of the gateway.
    """
    load, seconds = concurrency(traffic, deployment), traffic.seconds + deployment.after_seconds
    # Two functions are called, and each needs an instance for every ten requests a second, if not for the time that they take.
    instances = math.ceil(load.peak_burst / INSTANCE_RATE)
    authorizers = poisson_quantile(load.peak_rate * deployment.authorizer_seconds, RARELY)
    found = [
        Quota(
            name="lambda_concurrency",
            label="Lambda, concurrent executions",
            default=LAMBDA_CONCURRENCY,
            needed=max(load.p999, instances) + max(authorizers, instances),
            way_out="ask Service Quotas for L-B99A9384",
        ),
        Quota(
            name="lambda_starts",
            label="Lambda, instances at once when all are replaced",
            default=LAMBDA_STARTS,
            # No old one is used again: until the first requests have ended, each that comes needs a new one.
            needed=max(load.peak_burst, math.ceil((load.peak_rate - LAMBDA_STARTS_A_SECOND) * seconds)),
            way_out="cannot be raised: release=Canary(...) starts them in steps; or share the load over several gateways",
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
    return found + _of_table(traffic, load.peak_rate) if deployment.table else found


def _of_table(traffic: Traffic, rate: float) -> list[Quota]:
    return [
        Quota(
            name="table_consumer_writes",
            label="DynamoDB, write units a second of the busiest consumer's month",
            default=ITEM_WRITES,
            needed=math.ceil(rate * traffic.largest_consumer * MOST_USAGE_WRITE_UNITS),
            way_out="cannot be raised: make several consumers of it, or its budget is heeded late and some usage not counted",
        ),
        Quota(
            name="table_item_writes",
            label="DynamoDB, write units a second of the counts of one target",
            default=ITEM_WRITES,
            needed=math.ceil(rate * WINDOW_WRITE_UNITS),
            way_out="cannot be raised: share the load over several models or upstreams, or lose some counts",
        ),
        Quota(
            name="table_writes",
            label="DynamoDB, write units a second of a new table",
            default=NEW_TABLE_WRITES,
            needed=math.ceil(rate * (WINDOW_WRITE_UNITS + MOST_USAGE_WRITE_UNITS)),
            way_out="warm it with aws dynamodb update-table --warm-throughput, or let the traffic grow slowly",
        ),
        Quota(
            name="table_state_reads",
            label="DynamoDB, reads a second of the circuits",
            default=PARTITION_READS,
            needed=math.ceil(rate),
            way_out="cannot be raised: share the load over several gateways, or circuits are heeded later",
        ),
    ]
