"""The watch against moto, whose alarms keep the state that they are given."""

import io
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from gateway_cli.console import Output
from gateway_cli.local.alarms.metric_store import MetricStore
from gateway_cli.local.alarms.watch import AlarmWatch

REGION = "us-east-1"
NOW = 1_800_000_000
MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
ROLE = "arn:aws:iam::123456789012:role/role"


class Account:
    """Alarms, a rule and a state machine, and the watch over them."""

    def __init__(self) -> None:
        self.now = float(NOW)
        self.printed = io.StringIO()
        self.store = MetricStore(clock=lambda: self.now)
        self.watch = AlarmWatch(
            client=lambda service, region: boto3.client(service, region_name=region),  # type: ignore[call-overload]
            regions=[REGION],
            store=self.store,
            output=Output(verbose=True, console=Console(file=self.printed, width=500)),
            clock=lambda: self.now,
        )
        self.cloudwatch: Any = boto3.client("cloudwatch", region_name=REGION)
        self.states: Any = boto3.client("stepfunctions", region_name=REGION)
        self.machine = self.states.create_state_machine(name="rollback", definition=json.dumps(MACHINE), roleArn=ROLE)

    def rule(self, pattern: Any, **target: str) -> None:
        events: Any = boto3.client("events", region_name=REGION)
        events.put_rule(Name="rule", EventPattern=json.dumps(pattern))
        events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": self.machine["stateMachineArn"], **target}])

    def alarm(self, name: str = "Errors", **changes: Any) -> None:
        values = {
            "Namespace": "AiGateway",
            "MetricName": "Errors",
            "Dimensions": [{"Name": "Version", "Value": "2"}],
            "Statistic": "Sum",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 3,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        }
        self.cloudwatch.put_metric_alarm(AlarmName=name, **{**values, **changes})

    def state(self, name: str = "Errors") -> str:
        return str(self.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])

    def fail(self, count: int, version: str = "2") -> None:
        self.store.put("AiGateway", "Errors", {"Version": version}, count, resolution=1)

    def started(self) -> list[Any]:
        executions = self.states.list_executions(stateMachineArn=self.machine["stateMachineArn"])["executions"]
        return [json.loads(self.states.describe_execution(executionArn=e["executionArn"])["input"]) for e in executions]

    def look_after(self, seconds: float) -> None:
        self.now += seconds
        self.watch.look()


@pytest.fixture
def account(aws: None) -> Account:  # noqa: ARG001
    return Account()


RINGS = {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}


def test_an_alarm_rings_and_its_rule_starts_the_state_machine(account: Account) -> None:
    account.rule(RINGS)
    account.alarm()
    account.watch.look()
    assert account.state() == "OK"
    account.fail(2)
    account.fail(9, version="1")
    account.look_after(10)
    assert (account.state(), account.started()) == ("OK", [])
    account.fail(3)
    account.look_after(9.9)
    assert account.state() == "OK", "the window is not over"
    account.look_after(0.1)
    assert account.state() == "ALARM"
    (event,) = account.started()
    assert (event["detail"]["alarmName"], event["detail"]["previousState"]["value"]) == ("Errors", "OK")
    assert "1 out of the last 1 datapoints [3 " in event["detail"]["state"]["reason"]
    assert "the alarm Errors rings: Threshold Crossed" in account.printed.getvalue()
    assert "the alarm has started the state machine rollback" in account.printed.getvalue()
    account.look_after(60)
    assert account.state() == "OK"
    assert len(account.started()) == 1


def test_a_state_that_somebody_has_set_has_its_event_and_holds_for_a_window(account: Account) -> None:
    account.rule(RINGS, Input='{"given": true}')
    account.alarm()
    account.watch.look()
    account.cloudwatch.set_alarm_state(AlarmName="Errors", StateValue="ALARM", StateReason="by hand")
    account.look_after(1)
    assert (account.state(), account.started()) == ("ALARM", [{"given": True}])
    account.look_after(1)
    assert len(account.started()) == 1
    account.look_after(8)
    assert account.state() == "OK"


def test_an_event_that_cannot_be_given_is_given_by_the_next_look(account: Account) -> None:
    account.rule(RINGS)
    account.alarm()
    account.alarm("Other", MetricName="Other")
    account.watch.look()
    make: Callable[[str, str], Any] = account.watch.client

    def client(service: str, region: str) -> Any:
        if service == "events":
            raise ClientError({"Error": {"Code": "InternalError", "Message": "busy"}}, "ListRules")
        return make(service, region)

    account.watch.client = client
    account.fail(3)
    account.look_after(10)
    account.look_after(1)
    assert (account.state(), account.started()) == ("ALARM", [])
    assert account.state("Other") == "OK", "the others are looked at all the same"
    assert account.printed.getvalue().count("the alarm Errors is ALARM, and cannot say so: ") == 1
    account.watch.client = make
    for _ in range(3):
        account.look_after(1)
    (event,) = account.started()
    assert (event["detail"]["state"]["value"], event["detail"]["previousState"]["value"]) == ("ALARM", "OK")
    assert "1 out of the last 1 datapoints [3 " in event["detail"]["state"]["reason"]
    assert "the alarm has started the state machine rollback" in account.printed.getvalue()


@pytest.mark.parametrize("pattern", [{"source": ["aws.ec2"]}, {**RINGS, "resources": ["another alarm's"]}])
def test_other_rules_start_nothing(account: Account, pattern: Any) -> None:
    account.rule(pattern)
    account.alarm()
    account.watch.look()
    account.fail(3)
    account.look_after(10)
    assert (account.state(), account.started()) == ("ALARM", [])


def test_a_changed_alarm_is_evaluated_at_once_and_keeps_its_state_until_then(account: Account) -> None:
    account.alarm()
    account.watch.look()
    account.fail(3)
    account.look_after(10)
    assert account.state() == "ALARM"
    account.alarm(Dimensions=[{"Name": "Version", "Value": "3"}])
    account.cloudwatch.set_alarm_state(AlarmName="Errors", StateValue="ALARM", StateReason="CloudFormation leaves it")
    account.look_after(0)
    assert account.state() == "OK"


def test_without_alarms_nothing_is_kept(account: Account) -> None:
    account.watch.look()
    account.fail(3)
    account.alarm()
    account.look_after(10)
    assert account.state() == "OK"


def test_what_is_not_understood_is_said_once(account: Account) -> None:
    account.alarm("Trimmed", Statistic="Sum", ComparisonOperator="LessThanLowerThreshold")
    account.alarm()
    for _ in range(3):
        account.look_after(10)
    assert account.printed.getvalue().count("the alarm Trimmed is not evaluated") == 1
    account.fail(3)
    account.look_after(10)
    assert account.state() == "ALARM", "the others are"


def test_clients_are_made_once(account: Account) -> None:
    made: list[str] = []
    make: Callable[[str, str], Any] = account.watch.client
    account.watch.client = lambda service, region: (made.append(service), make(service, region))[1]
    account.alarm()
    for _ in range(3):
        account.look_after(20)
        account.fail(3)
        account.look_after(10)
    assert sorted(made) == ["cloudwatch", "events"]
