"""The bill: what AWS bills for in a month, and what each line of it costs. Pure.

Estimates: list prices of us-east-1, their tiers included, without what is free.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gateway_prices import aws
from gateway_prices.aws import Tiers


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantities:
    """What AWS bills for in a month. Everything that is not given is 0."""

    api_requests: float = 0
    function_requests: float = 0
    function_gb_seconds: float = 0
    init_gb_seconds: float = 0
    streamed_gb: float = 0
    authorizer_requests: float = 0
    authorizer_gb_seconds: float = 0
    table_writes: float = 0
    table_reads: float = 0
    secrets: float = 0
    secret_calls: float = 0
    log_gb: float = 0
    metrics: float = 0
    alarm_metrics: float = 0
    fast_alarm_metrics: float = 0
    dashboards: float = 0
    waf_acls: float = 0
    waf_rules: float = 0
    waf_requests: float = 0
    gb_out: float = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of the bill.

    Args:
        name: for scripts; never changes.
        label: for people.
        amount: what is billed, in its unit.
        unit: of the amount.
        usd: what it costs in a month.
    """

    name: str
    label: str
    amount: float
    unit: str
    usd: float


def lines(billed: Quantities, architecture: str = "arm64") -> tuple[Line, ...]:
    """The bill. Each line is there, also those of nothing.

    Args:
        billed: what AWS bills for.
        architecture: of the functions, "arm64" or "x86_64". Default: "arm64".
    """
    duration = billed.function_gb_seconds + billed.init_gb_seconds + billed.authorizer_gb_seconds
    second = tiered(duration, aws.LAMBDA_TIERS[architecture]) / duration if duration else 0.0
    of_call = aws.LAMBDA_MILLION_REQUESTS / 1e6
    rows = (
        (
            "api_gateway",
            "API Gateway requests",
            billed.api_requests,
            "requests",
            tiered(billed.api_requests / 1e6, aws.REST_API_TIERS),
        ),
        ("lambda_requests", "Lambda requests", billed.function_requests, "requests", billed.function_requests * of_call),
        (
            "lambda_duration",
            "Lambda, waiting for answers",
            billed.function_gb_seconds,
            "GB-s",
            billed.function_gb_seconds * second,
        ),
        ("lambda_starts", "Lambda, starting", billed.init_gb_seconds, "GB-s", billed.init_gb_seconds * second),
        ("lambda_streaming", "Lambda, long answers", billed.streamed_gb, "GB", billed.streamed_gb * aws.LAMBDA_STREAMED_GB),
        (
            "authorizer_requests",
            "Authorizer requests",
            billed.authorizer_requests,
            "requests",
            billed.authorizer_requests * of_call,
        ),
        ("authorizer_duration", "Authorizer", billed.authorizer_gb_seconds, "GB-s", billed.authorizer_gb_seconds * second),
        (
            "table_writes",
            "DynamoDB writes",
            billed.table_writes,
            "units",
            billed.table_writes * aws.DYNAMODB_MILLION_WRITES / 1e6,
        ),
        ("table_reads", "DynamoDB reads", billed.table_reads, "units", billed.table_reads * aws.DYNAMODB_MILLION_READS / 1e6),
        ("secrets", "Secrets", billed.secrets, "secrets", billed.secrets * aws.SECRET_MONTH),
        ("secret_calls", "Secrets read", billed.secret_calls, "calls", billed.secret_calls * aws.SECRET_10_000_CALLS / 1e4),
        ("logs", "Logs", billed.log_gb, "GB", tiered(billed.log_gb, aws.LAMBDA_LOGS_TIERS)),
        ("metrics", "Metrics", billed.metrics, "metrics", billed.metrics * aws.METRIC_MONTH),
        (
            "alarms",
            "Alarms",
            billed.alarm_metrics + billed.fast_alarm_metrics,
            "metrics",
            billed.alarm_metrics * aws.ALARM_MONTH + billed.fast_alarm_metrics * aws.FAST_ALARM_MONTH,
        ),
        ("dashboard", "Dashboard", billed.dashboards, "dashboards", billed.dashboards * aws.DASHBOARD_MONTH),
        ("waf", "WAF", billed.waf_rules, "rules", _waf(billed)),
        ("data_transfer", "Data to the internet", billed.gb_out, "GB", tiered(billed.gb_out, aws.TRANSFER_TIERS)),
    )
    return tuple(Line(name=name, label=label, amount=amount, unit=unit, usd=usd) for name, label, amount, unit, usd in rows)


def total(bill: Iterable[Line]) -> float:
    """What a bill comes to, in USD a month."""
    return math.fsum(line.usd for line in bill)


def tiered(amount: float, tiers: Tiers) -> float:
    """What an amount costs where the price falls with it.

    Args:
        amount: a month's.
        tiers: as in `gateway_prices.aws`.
    """
    cost = below = 0.0
    for upper, price in tiers:
        cost += max(0.0, min(amount, upper) - below) * price
        below = upper
    return cost


def _waf(billed: Quantities) -> float:
    return (
        billed.waf_acls * aws.WEB_ACL_MONTH
        + billed.waf_rules * aws.WEB_ACL_RULE_MONTH
        + billed.waf_requests * aws.WEB_ACL_MILLION_REQUESTS / 1e6
    )
