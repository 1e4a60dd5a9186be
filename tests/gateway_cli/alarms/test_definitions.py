import json
from typing import Any

import pytest

from gateway_cli.local.alarms.definitions import NAMESPACE, Statistic, UnknownAlarmError, pack, read

METRICS: list[dict[str, Any]] = [
    {"Id": "rate", "Expression": "errors / requests", "Label": 'says "errors"'},
    {
        "Id": "errors",
        "MetricStat": {
            "Metric": {
                "Namespace": "AiGateway",
                "MetricName": "Errors",
                "Dimensions": [{"Name": "Version", "Value": {"Fn::GetAtt": ["New", "Version"]}}],
            },
            "Period": 10,
            "Stat": "Sum",
        },
        "ReturnData": False,
    },
    {
        "Id": "requests",
        "MetricStat": {
            "Metric": {"Namespace": "AiGateway", "MetricName": "Requests", "Dimensions": []},
            "Period": 10,
            "Stat": "p99.9",
        },
        "ReturnData": False,
    },
]
ALARM: dict[str, Any] = {
    "AlarmDescription": {"Fn::Sub": "of ${New}"},
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 2,
    "Threshold": 0.05,
    "Metrics": METRICS,
}


def resolved(value: Any) -> str:
    """What CloudFormation makes of a text."""
    pieces = value["Fn::Join"][1]
    return "".join({"Fn::GetAtt": "7", "Fn::Sub": "of seven"}[next(iter(p))] if isinstance(p, dict) else p for p in pieces)


def described(**changes: Any) -> dict[str, Any]:
    """An alarm as the embedded AWS describes it."""
    resources = {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": json.loads(json.dumps(ALARM | changes))}}
    pack({"Resources": resources})
    properties = resources["Alarm"]["Properties"]
    told = {"AlarmDescription": resolved(properties["AlarmDescription"])}
    return {**properties, **told, "AlarmName": "a", "AlarmArn": "arn:a", "StateValue": "OK"}


def test_metric_math_gets_through_as_a_text() -> None:
    alarm = described()
    assert "Metrics" not in alarm
    assert (alarm["Namespace"], alarm["Period"]) == (NAMESPACE, 10)
    definition = read(alarm)
    assert definition.description == "of seven"
    assert definition.queries == {
        "errors": Statistic(("AiGateway", "Errors", frozenset({("Version", "7")})), "Sum"),
        "requests": Statistic(("AiGateway", "Requests", frozenset()), "p99.9"),
        "rate": "errors / requests",
    }
    assert (definition.watched, definition.period, definition.periods, definition.datapoints) == ("rate", 10, 2, 2)
    assert (definition.threshold, definition.missing) == (0.05, "missing")
    assert definition.metrics == {("AiGateway", "Errors"), ("AiGateway", "Requests")}


def test_a_plain_alarm_stays_as_it_is() -> None:
    properties = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "breaching",
    }
    resources = {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": dict(properties)}, "Other": {"Type": "A::B::C"}}
    pack({"Resources": resources})
    assert resources["Alarm"]["Properties"] == properties
    definition = read({**properties, "AlarmName": "a", "AlarmArn": "arn:a"})
    assert definition.queries == {"m": Statistic(("AWS/Lambda", "Errors", frozenset({("FunctionName", "f")})), "Sum")}
    assert (definition.watched, definition.datapoints, definition.missing) == ("m", 2, "breaching")
    percentile = {**properties, "Statistic": "Average", "ExtendedStatistic": "p90", "AlarmName": "a", "AlarmArn": "arn:a"}
    assert read(percentile).queries["m"] == Statistic(("AWS/Lambda", "Errors", frozenset({("FunctionName", "f")})), "p90")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Metrics": [METRICS[1] | {"ReturnData": True}, METRICS[0]]}, "2 of its metrics return data"),
        ({"Metrics": [METRICS[1]]}, "0 of its metrics return data"),
        ({"Metrics": [METRICS[0], {"Id": "m", "MetricStat": METRICS[1]["MetricStat"] | {"Stat": "tm90"}}]}, "statistic tm90"),
        ({"Threshold": "much"}, "much"),
    ],
)
def test_what_only_cloudwatch_knows(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(UnknownAlarmError, match=f"only CloudWatch knows .*{why}"):
        read(described(**changes))


def test_a_composite_or_anomaly_alarm_has_no_metric() -> None:
    with pytest.raises(UnknownAlarmError, match="Namespace"):
        read({"AlarmName": "a", "AlarmArn": "arn:a", "ThresholdMetricId": "band"})
