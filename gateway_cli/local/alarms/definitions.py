"""Definitions of alarms: how those with metric math get through the embedded AWS, and how all of them are read from it.

The embedded AWS refuses an alarm with `Metrics`. So a template's alarm gets a metric that does not exist instead, and the text
of its description becomes the definition, references included, which the embedded AWS resolves as it does any text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway_cli.local.alarms.metric_store import Series, is_statistic

NAMESPACE = "AiGateway/MetricMath"
"""Of the metric that stands for one that the embedded AWS does not take."""

_ALARM = "AWS::CloudWatch::Alarm"
_PERIOD = 60
_MARK = re.compile(r"\\u0000(\d+)\\u0000")


class UnknownAlarmError(Exception):
    """An alarm that is not evaluated here; the message says why."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic of a metric.

    Args:
        series: the metric.
        name: of the statistic, such as "Sum" or "p90".
    """

    series: Series
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """What an alarm watches, and when it rings.

    Args:
        name: of the alarm.
        arn: of the alarm.
        description: in the words of whoever made it.
        queries: metrics and expressions by id, each after the ones that it needs.
        watched: id of the one that is compared.
        period: of its windows, seconds.
        periods: how many windows are looked at.
        datapoints: how many of them must breach.
        comparison: CloudWatch's name of the comparison.
        threshold: with which the watched one is compared.
        missing: what missing data is taken for: "missing", "ignore", "breaching" or "notBreaching".
    """

    name: str
    arn: str
    description: str
    queries: Mapping[str, Statistic | str]
    watched: str
    period: int
    periods: int
    datapoints: int
    comparison: str
    threshold: float
    missing: str

    @property
    def metrics(self) -> frozenset[tuple[str, str]]:
        """Namespace and name of each metric that it needs."""
        return frozenset(query.series[:2] for query in self.queries.values() if isinstance(query, Statistic))


def pack(template: Mapping[str, Any]) -> None:
    """Make a template's alarms such that the embedded AWS takes them."""
    for resource in template.get("Resources", {}).values():
        properties = resource.get("Properties", {})
        if resource.get("Type") == _ALARM and isinstance(properties.get("Metrics"), list):
            metrics = properties.pop("Metrics")
            told = {"AlarmDescription": properties.get("AlarmDescription", ""), "Metrics": metrics}
            properties |= {
                "AlarmDescription": _joined(told),
                "Namespace": NAMESPACE,
                "MetricName": "MetricMath",
                "Statistic": "Sum",
                "Period": max((int(period) for period in _periods(metrics)), default=_PERIOD),
            }


def read(alarm: Mapping[str, Any]) -> Definition:
    """The definition of an alarm as `describe_alarms` has it.

    Raises:
        UnknownAlarmError: if it is of a kind that is not evaluated here.
    """
    try:
        description, queries, watched, period = _watched(alarm)
        periods = int(alarm["EvaluationPeriods"])
        return Definition(
            name=alarm["AlarmName"],
            arn=alarm["AlarmArn"],
            description=description,
            queries=queries,
            watched=watched,
            period=period,
            periods=periods,
            datapoints=int(alarm.get("DatapointsToAlarm") or periods),
            comparison=alarm["ComparisonOperator"],
            threshold=float(alarm["Threshold"]),
            missing=alarm.get("TreatMissingData") or "missing",
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnknownAlarmError(f"it is of a kind that only CloudWatch knows ({error!r})") from error


def _watched(alarm: Mapping[str, Any]) -> tuple[str, dict[str, Statistic | str], str, int]:
    if alarm["Namespace"] != NAMESPACE:
        series = _series(alarm)
        statistic = Statistic(series, _known(alarm.get("ExtendedStatistic") or alarm["Statistic"]))
        return alarm.get("AlarmDescription") or "", {"m": statistic}, "m", int(alarm["Period"])
    told = json.loads(alarm["AlarmDescription"])
    metrics = told["Metrics"]
    queries: dict[str, Statistic | str] = {}
    # Expressions may name each other; CloudWatch allows no circles.
    for query in sorted(metrics, key=lambda query: "Expression" in query):
        queries[query["Id"]] = query["Expression"] if "Expression" in query else _statistic(query["MetricStat"])
    returned = [query["Id"] for query in metrics if str(query.get("ReturnData", True)).lower() == "true"]
    if len(returned) != 1:
        raise ValueError(f"{len(returned)} of its metrics return data")
    period = max((int(period) for period in _periods(metrics)), default=_PERIOD)
    return told["AlarmDescription"], queries, returned[0], period


def _statistic(stat: Mapping[str, Any]) -> Statistic:
    return Statistic(_series(stat["Metric"]), _known(stat["Stat"]))


def _series(metric: Mapping[str, Any]) -> Series:
    dimensions = {dimension["Name"]: str(dimension["Value"]) for dimension in metric.get("Dimensions") or ()}
    return metric["Namespace"], metric["MetricName"], frozenset(dimensions.items())


def _known(statistic: str) -> str:
    if not is_statistic(statistic):
        raise ValueError(f"the statistic {statistic}")
    return statistic


def _periods(metrics: list[Mapping[str, Any]]) -> Iterator[Any]:
    """Of the metrics alone: the expressions follow them."""
    for query in metrics:
        if "MetricStat" in query:
            yield query["MetricStat"]["Period"]


def _joined(value: Any) -> dict[str, Any]:
    """A value as JSON text, put together by CloudFormation of pieces and of what references in it resolve to."""
    references: list[Any] = []

    def marked(part: Any) -> Any:
        if isinstance(part, Mapping):
            if len(part) == 1 and (next(iter(part)) == "Ref" or next(iter(part)).startswith("Fn::")):
                references.append(part)
                return f"\0{len(references) - 1}\0"
            return {name: marked(inner) for name, inner in part.items()}
        return [marked(inner) for inner in part] if isinstance(part, list) else part

    pieces = _MARK.split(json.dumps(marked(value)))
    return {"Fn::Join": ["", [references[int(piece)] if index % 2 else piece for index, piece in enumerate(pieces)]]}
