from datetime import UTC, datetime
from typing import Any

import pytest

from gateway_cli.local.alarms.definitions import Definition
from gateway_cli.local.alarms.events import alarm_event, matches

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:Errors"


@pytest.fixture
def event() -> dict[str, Any]:
    definition = Definition(
        name="Errors",
        arn=ARN,
        description="too many",
        queries={},
        watched="m",
        period=10,
        periods=1,
        datapoints=1,
        comparison="GreaterThanThreshold",
        threshold=1,
        missing="missing",
    )
    state = {"value": "ALARM", "reason": "why", "reasonData": "{}"}
    now = datetime(2026, 11, 22, 10, 0, 5, tzinfo=UTC)
    return alarm_event(definition, state=state, previous="OK", region="us-east-1", now=now)


def test_the_event(event: dict[str, Any]) -> None:
    assert {name: event[name] for name in ("source", "detail-type", "account", "region", "time", "resources")} == {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-11-22T10:00:05Z",
        "resources": [ARN],
    }
    detail = event["detail"]
    assert (detail["alarmName"], detail["state"]["value"], detail["previousState"]["value"]) == ("Errors", "ALARM", "OK")
    assert detail["configuration"] == {"description": "too many"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}, True),
        ({"resources": ["other", ARN], "detail-type": ["CloudWatch Alarm State Change"]}, True),
        ({"detail": {"state": {"value": ["ALARM"]}, "previousState": {"value": ["OK", "INSUFFICIENT_DATA"]}}}, True),
        ({"detail": {"state": {"value": ["OK"]}}}, False),
        ({"resources": ["other"]}, False),
        ({"source": {"deeper": ["aws.cloudwatch"]}}, False),
        ({"detail": {"nothing": ["there"]}}, False),
        ({"source": [{"prefix": "aws."}]}, False),
    ],
)
def test_patterns(event: dict[str, Any], pattern: dict[str, Any], expected: bool) -> None:
    assert matches(pattern, event) is expected
