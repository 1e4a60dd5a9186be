"""What a gateway's monitoring costs at most in a month, and a warning where that is more than its owner may expect.

CloudWatch charges for each value of a metric's dimensions, so that a long model map is a price. An estimate: metrics are
charged by the hour in which they are written, a gateway that nobody calls writes none, and what is free is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from aws_cdk import Annotations, Duration
from aws_cdk.aws_cloudwatch import Alarm, IAlarm, MathExpression, Metric
from constructs import IConstruct

from gateway_construct.tokens import known
from gateway_prices.aws import ALARM_MONTH, DASHBOARD_MONTH, FAST_ALARM_MONTH, METRIC_MONTH

METRICS_COST = "cdk-ai-gateway:metrics-cost"

_MINUTE = Duration.minutes(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitoringCosts:
    """What is charged for, and how much of it there is at most.

    Args:
        metrics: custom metrics.
        alarm_metrics: metrics that alarms look at by the minute or slower.
        fast_alarm_metrics: metrics that alarms look at more often.
        dashboards: how many.
    """

    metrics: int
    alarm_metrics: int = 0
    fast_alarm_metrics: int = 0
    dashboards: int = 0

    @property
    def metrics_usd(self) -> float:
        """Of the metrics, in USD a month."""
        return self.metrics * METRIC_MONTH

    @property
    def alarms_usd(self) -> float:
        """Of the alarms, in USD a month."""
        return self.alarm_metrics * ALARM_MONTH + self.fast_alarm_metrics * FAST_ALARM_MONTH

    @property
    def dashboards_usd(self) -> float:
        """Of the dashboards, in USD a month."""
        return self.dashboards * DASHBOARD_MONTH

    @property
    def usd(self) -> float:
        """All of it, in USD a month."""
        return self.metrics_usd + self.alarms_usd + self.dashboards_usd


def alarm_metric_counts(alarms: Iterable[IAlarm]) -> tuple[int, int]:
    """How many metrics alarms look at.

    Args:
        alarms: the alarms. What is imported is somebody else's to pay.

    Returns:
        Those by the minute or slower, and those more often.
    """
    slow = fast = 0
    for alarm in alarms:
        if not isinstance(alarm, Alarm):
            continue
        metric = alarm.metric
        metrics, period = (
            (len(metric.using_metrics), metric.period)
            if isinstance(metric, MathExpression)
            else (1, metric.period if isinstance(metric, Metric) else _MINUTE)
        )
        if period.to_seconds() < _MINUTE.to_seconds():
            fast += metrics
        else:
            slow += metrics
    return slow, fast


def require_amount(metrics_cost_notice: float) -> None:
    """Refuse what is no sum of money.

    Raises:
        ValueError: if it is negative, no number or a token.
    """
    if isinstance(metrics_cost_notice, bool) or not isinstance(metrics_cost_notice, int | float):
        raise ValueError(f"metrics_cost_notice must be USD a month, for example 30, got {metrics_cost_notice!r}")  # noqa: TRY004
    if not known(metrics_cost_notice):
        raise ValueError(
            "metrics_cost_notice must be USD a month, known at synth, when it is compared with the costs, got a token; write "
            "it out, for example 30"
        )
    if not metrics_cost_notice >= 0:
        raise ValueError(
            f"metrics_cost_notice must be USD a month, 0 or more, got {metrics_cost_notice!r}; math.inf is for no notice at all"
        )


def warn_if_costly(scope: IConstruct, costs: MonitoringCosts, *, metrics_cost_notice: float) -> None:
    """Say what monitoring costs, where it is more than its owner may expect.

    Args:
        scope: the gateway.
        costs: what it costs.
        metrics_cost_notice: USD a month.
    """
    if costs.usd <= metrics_cost_notice:
        return
    Annotations.of(scope).add_warning_v2(
        METRICS_COST,
        f"monitoring costs up to {_usd(costs.usd)} a month (estimate, us-east-1), more than metrics_cost_notice, "
        f"{_usd(metrics_cost_notice)}: {_usd(costs.metrics_usd)} for {costs.metrics} metrics, {_usd(costs.alarms_usd)} for "
        f"alarms on {costs.alarm_metrics + costs.fast_alarm_metrics}, {_usd(costs.dashboards_usd)} for the dashboard. Map "
        "fewer models, since each is two metrics for every upstream that serves it; set dashboard=False; or raise "
        f"metrics_cost_notice to {math.ceil(costs.usd)} (docs/monitoring.md)",
    )


def _usd(amount: float) -> str:
    return f"${amount:.2f}"
