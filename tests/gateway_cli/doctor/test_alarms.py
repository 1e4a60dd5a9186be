"""Alarms: which are the gateway's, what they say, whom they tell."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from gateway_cli.doctor.alarms import check_alarms
from gateway_cli.doctor.findings import Finding, Level
from tests.gateway_cli.doctor.conftest import Ward, levels

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("doctor")]

TOPIC = "arn:aws:sns:us-east-1:000000000000:operators"


def alarm(ward: Ward, name: str, *, state: str = "OK", **more: Any) -> str:
    """An alarm on the gateway's metrics that tells a topic, unless said otherwise: its name."""
    name = f"{name}-{ward.number}"
    given: dict[str, Any] = {"Namespace": "AiGateway", "MetricName": "Errors", "Statistic": "Sum", "Period": 60}
    given |= {"Dimensions": [{"Name": "Gateway", "Value": ward.name}], "AlarmActions": [TOPIC], **more}
    ward.cloudwatch.put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        **{field: value for field, value in given.items() if value is not None},
    )
    ward.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="3 of\n 3 points")
    return name


def history(name: str) -> str:
    return f"aws cloudwatch describe-alarm-history --alarm-name {name} --max-items 5 --region us-east-1"


def test_none(ward: Ward) -> None:
    found = ward.only(check_alarms)
    assert (found.level, found.mend) == (Level.WARNING, ("npx cdk deploy Stack",))
    assert "(alarm_topic)" in found.text


def test_all_is_well(ward: Ward) -> None:
    alarm(ward, "errors")
    # Those of others are no concern.
    alarm(ward, "others", state="ALARM", Dimensions=[{"Name": "FunctionName", "Value": "another"}])
    assert (ward.only(check_alarms).level, ward.only(check_alarms).text) == (
        Level.OK,
        "1 alarms, none rings, each tells somebody",
    )


def test_ringing(ward: Ward) -> None:
    name = alarm(ward, "errors", state="ALARM", AlarmDescription="More than 5 % of the requests fail")
    found = ward.only(check_alarms)
    assert (found.level, found.subject, found.mend) == (Level.ERROR, name, (history(name),))
    assert found.text.startswith("More than 5 % of the requests fail, since ")
    assert found.text.endswith(": 3 of 3 points")


def test_alarms_on_the_api(ward: Ward) -> None:
    name = alarm(ward, "api", state="ALARM", Dimensions=[{"Name": "ApiName", "Value": f"api-{ward.number}"}])
    assert [found.subject for found in ward.find(check_alarms)] == [name]


def test_alarms_on_several_metrics(ward: Ward) -> None:
    # The embedded AWS does not keep their metrics.
    metric = {"Namespace": "AiGateway", "MetricName": "Errors", "Dimensions": [{"Name": "Gateway", "Value": ward.name}]}
    query = [{"Id": "share", "Expression": "errors / 2"}, {"Id": "errors", "MetricStat": {"Metric": metric}}]
    ringing = {"AlarmName": "math", "StateValue": "ALARM", "AlarmActions": [TOPIC], "Metrics": query}
    ward.answer("DescribeAlarms", MetricAlarms=[ringing])
    assert [found.subject for found in ward.find(check_alarms)] == ["math"]


def test_a_composite_alarm(ward: Ward) -> None:
    part = alarm(ward, "part")
    name = f"whole-{ward.number}"
    rule = f'ALARM("{part}")'
    ward.cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule, AlarmActions=[TOPIC])
    other = alarm(ward, "other", Dimensions=[])
    ward.cloudwatch.put_composite_alarm(AlarmName=f"others-{ward.number}", AlarmRule=f'ALARM("{other}")')
    ward.cloudwatch.set_alarm_state(AlarmName=f"others-{ward.number}", StateValue="ALARM", StateReason="its part")
    ward.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="its part")
    assert [found.subject for found in ward.find(check_alarms)] == [name]


@pytest.mark.parametrize(("since", "level"), [(dt.timedelta(minutes=5), Level.NOTE), (dt.timedelta(days=2), Level.WARNING)])
def test_an_alarm_that_does_not_know(ward: Ward, since: dt.timedelta, level: Level) -> None:
    described = {
        "AlarmName": "errors",
        "StateValue": "INSUFFICIENT_DATA",
        "StateUpdatedTimestamp": dt.datetime.now(dt.UTC) - since,
        "AlarmActions": [TOPIC],
        "Dimensions": [{"Name": "Gateway", "Value": ward.name}],
    }
    ward.answer("DescribeAlarms", MetricAlarms=[described])
    found = ward.only(check_alarms)
    assert (found.level, found.mend) == (level, (history("errors"),))
    assert "its metric has no data" in found.text


def test_alarms_that_tell_nobody(ward: Ward) -> None:
    silent = alarm(ward, "silent", AlarmActions=[])
    off = alarm(ward, "off", ActionsEnabled=False)
    switched_off, nobody = ward.find(check_alarms)
    assert (switched_off.level, off in switched_off.text) == (Level.WARNING, True)
    assert switched_off.mend == (f"aws cloudwatch enable-alarm-actions --alarm-names {off} --region us-east-1",)
    assert (nobody.level, silent in nobody.text, off in nobody.text) == (Level.WARNING, True, False)


def test_alarms_of_a_release_are_heard_by_their_event(ward: Ward) -> None:
    name = alarm(ward, "canary", AlarmActions=[], Dimensions=[{"Name": "Other", "Value": "other"}])
    look = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:cloudwatch:describeAlarms", "End": True}
    definition = {"StartAt": "Look", "States": {"Look": {**look, "Arguments": {"AlarmNames": [name]}}}}
    definition["States"]["Look"]["Parameters"] = [{"AlarmNames": "not a list"}]  # type: ignore[index]
    made = ward.states.create_state_machine(name=f"release-{ward.number}", definition=json.dumps(definition), roleArn=ward.role)
    ward.tags["ai-gateway:release"] = made["stateMachineArn"]
    assert levels(ward.find(check_alarms)) == [Level.OK]
    ward.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="no")
    assert [found.subject for found in ward.find(check_alarms)] == [name]


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("DescribeAlarms", "cloudwatch:DescribeAlarms on *"), ("GetRestApi", "apigateway:GET on /restapis/*")],
)
def test_what_the_operator_may_not_see(ward: Ward, operation: str, permission: str) -> None:
    ward.refuse(operation)
    found: Finding = ward.only(check_alarms)
    assert (found.level, found.text) == (Level.SKIPPED, f"you lack the permission {permission}")
