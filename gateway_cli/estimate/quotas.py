"""Which limits of an account and of the services the busiest minutes reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway_cli.estimate.concurrency import RARELY, concurrency, poisson_quantile
from gateway_prices.gateway_cost import MOST_USAGE_WRITE_UNITS, WINDOW_WRITE_UNITS
from gateway_prices.quotas import (
    API_BURST,
    API_RATE,
    API_THROTTLE,
    CONCURRENCY,
    LAMBDA_CONCURRENCY,
    NEW_TABLE_WRITES,
    PARTITION_READS,
    PARTITION_WRITES,
    SCALING_SECONDS,
    SCALING_UNITS,
)
from gateway_prices.traffic import Deployment, Traffic

INSTANCE_RATE = 10
"""Requests a second that Lambda sends to an instance at most, however short they are."""


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
            default=CONCURRENCY,
            needed=max(load.p999, instances) + max(authorizers, instances),
            way_out=f"ask Service Quotas for {LAMBDA_CONCURRENCY.code}",
        ),
        Quota(
            name="lambda_starts",
            label="Lambda, instances at once when all are replaced",
            default=SCALING_UNITS,
            # No old one is used again: until the first requests have ended, each that comes needs a new one.
            needed=max(load.peak_burst, math.ceil((load.peak_rate - SCALING_UNITS / SCALING_SECONDS) * seconds)),
            way_out="cannot be raised: release=Canary(...) starts them in steps; or share the load over several gateways",
        ),
        Quota(
            name="api_gateway_rate",
            label="API Gateway, requests a second",
            default=API_RATE,
            needed=math.ceil(load.peak_rate),
            way_out=f"ask Service Quotas for {API_THROTTLE.code}",
        ),
        Quota(
            name="api_gateway_burst",
            label="API Gateway, requests at once",
            default=API_BURST,
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
            default=PARTITION_WRITES,
            needed=math.ceil(rate * traffic.largest_consumer * MOST_USAGE_WRITE_UNITS),
            way_out="cannot be raised: make several consumers of it, or its budget is heeded late and some usage not counted",
        ),
        Quota(
            name="table_item_writes",
            label="DynamoDB, write units a second of the counts of one target",
            default=PARTITION_WRITES,
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
