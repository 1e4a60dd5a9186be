"""What a gateway costs at AWS in a month: from its traffic to what is billed, and from there to money. Pure.

Where the truth lies between two figures the dearer one is taken.
"""

from __future__ import annotations

import math

from gateway_prices import aws
from gateway_prices.aws import HOURS
from gateway_prices.bill import Line, Quantities, lines
from gateway_prices.traffic import GB, Deployment, Traffic

USAGE_WRITE_UNITS = 1.5
"""Write units of counting an answer, on average: one for each KB of the consumer's month, which grows by the day."""

MOST_USAGE_WRITE_UNITS = 3.0
"""The same on a month's last day, of a consumer with millions of requests whose answers say all that is counted."""

WINDOW_WRITE_UNITS = 1.0
"""Write units of counting an attempt in the window of its target."""

_AUTHORIZER_GB = 128 / 1024
_MB = 1_000_000


def quantities(traffic: Traffic, deployment: Deployment) -> Quantities:
    """What a gateway is billed for in a month.

    Args:
        traffic: what is asked of it.
        deployment: what it is made of.
    """
    requests = traffic.requests
    # The function hands on every answer as a stream, also one that its client reads as a whole.
    answers = ((traffic.stream_share, traffic.stream_bytes), (1 - traffic.stream_share, traffic.json_bytes))
    parts = math.fsum(share * _parts(size) for share, size in answers)
    long_bytes = math.fsum(share * max(0.0, size - aws.LAMBDA_STREAM_FREE_MB * _MB) for share, size in answers)
    cold = requests * deployment.cold_start_share
    table, budgets = int(deployment.table), int(deployment.table and deployment.budgets)
    return Quantities(
        api_requests=requests * parts,
        function_requests=requests,
        function_gb_seconds=requests * (traffic.seconds + deployment.after_seconds) * deployment.memory_gb,
        init_gb_seconds=cold * deployment.init_seconds * deployment.memory_gb,
        streamed_gb=requests * long_bytes / GB,
        authorizer_requests=requests,
        authorizer_gb_seconds=requests * deployment.authorizer_seconds * _AUTHORIZER_GB,
        # After each answer: one addition to the window of its target, one to its consumer's usage.
        table_writes=requests * (WINDOW_WRITE_UNITS + USAGE_WRITE_UNITS) * table,
        # An instance reads the states again when they are 2 s old, which they are by its next request, but for short answers.
        table_reads=requests * (table + budgets),
        secrets=deployment.secrets,
        secret_calls=cold * (deployment.secrets if deployment.secrets_read is None else deployment.secrets_read),
        log_gb=requests * deployment.log_bytes / GB,
        metrics=deployment.metrics * _busy_share(requests),
        alarm_metrics=deployment.alarm_metrics,
        fast_alarm_metrics=deployment.fast_alarm_metrics,
        dashboards=deployment.dashboards,
        waf_acls=int(deployment.waf_rules > 0),
        waf_rules=deployment.waf_rules,
        waf_requests=requests if deployment.waf_rules else 0,
        gb_out=traffic.gb_out,
    )


def monthly_lines(traffic: Traffic, deployment: Deployment) -> tuple[Line, ...]:
    """The bill of a gateway for a month: `lines` of its `quantities`."""
    return lines(quantities(traffic, deployment), deployment.architecture)


def _parts(size: float) -> int:
    """How many requests API Gateway counts for an answer of so many bytes."""
    return max(1, math.ceil(size / (aws.REST_API_STREAM_MB * _MB)))


def _busy_share(requests: float) -> float:
    """Share of the hours in which there is a request, and so a metric, if requests come independently of each other."""
    return -math.expm1(-requests / HOURS)
