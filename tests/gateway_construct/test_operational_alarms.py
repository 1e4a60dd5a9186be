from __future__ import annotations

import re

import pytest
from aws_cdk import Stack

from gateway_construct import AiGateway, Upstream
from tests.gateway_construct.monitoring_kit import (
    RELEASE,
    ROLLBACK,
    RULES,
    TOPIC,
    Json,
    alarms,
    exists,
    monitoring,
    topic,
    written_metrics,
)

pytestmark = pytest.mark.template


def only(found: dict[str, Json], words: str) -> Json:
    (alarm,) = (alarm for description, alarm in found.items() if words in description)
    return alarm


def stats_of(alarm: Json) -> dict[str, Json]:
    """The metrics that an alarm looks at, by their ids."""
    if "MetricName" in alarm:
        names = ("Namespace", "MetricName", "Dimensions")
        return {"": {"Metric": {name: alarm[name] for name in names}, "Period": alarm["Period"], "Stat": alarm["Statistic"]}}
    return {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query}


def expression_of(alarm: Json) -> str:
    (query,) = (query for query in alarm["Metrics"] if query.get("ReturnData") is not False)
    return str(query["Expression"])


def test_nobody_to_tell_no_alarms(stack: Stack, gateway: AiGateway) -> None:
    assert monitoring(stack, gateway, alarm_topic=None).alarms == ()
    assert alarms(stack) == {}


def test_every_alarm_tells_the_topic_and_says_what_to_do(stack: Stack) -> None:
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai(), Upstream.anthropic()])
    made = monitoring(stack, gateway, release_arn=RELEASE, rollback_arn=ROLLBACK, rollback_rules=RULES)
    found = alarms(stack)
    assert len(found) == len(made.alarms) == 8
    for description, alarm in found.items():
        assert alarm["AlarmActions"] == [TOPIC]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert "AlarmName" not in alarm
        assert re.search(r"ai-gateway (upstreams status|upstreams open|release status|release rollback|doctor)", description)
        assert len(description) <= 1024


def test_every_metric_exists(stack: Stack, gateway: AiGateway, capsys: pytest.CaptureFixture[str]) -> None:
    monitoring(stack, gateway, release_arn=RELEASE, rollback_arn=ROLLBACK, rollback_rules=RULES)
    written = written_metrics(capsys)
    for alarm in alarms(stack).values():
        for stat in stats_of(alarm).values():
            metric = stat["Metric"]
            dimensions = frozenset(dimension["Name"] for dimension in metric["Dimensions"])
            assert exists((metric["Namespace"], metric["MetricName"], dimensions), written)
            assert stat["Period"] >= 60  # by the minute, which is the cheaper kind


@pytest.mark.parametrize(
    ("words", "metrics"),
    [
        ("% of the AI gateway's requests or more ended", {"requests": "Requests", "failed": "Errors"}),
        ("API Gateway answered 5 %", {"requests": "Count", "failed": "5XXError"}),
    ],
)
def test_a_share_counts_from_twenty_requests_on(stack: Stack, gateway: AiGateway, words: str, metrics: dict[str, str]) -> None:
    monitoring(stack, gateway)
    alarm = only(alarms(stack), words)
    assert expression_of(alarm) == "IF(requests >= 20, 100 * FILL(failed, 0) / requests, 0)"
    stats = stats_of(alarm)
    assert {name: stat["Metric"]["MetricName"] for name, stat in stats.items()} == metrics
    assert {(stat["Period"], stat["Stat"]) for stat in stats.values()} == {(300, "Sum")}
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (5, 1, 1)


def test_a_circuit_that_stays_open(stack: Stack) -> None:
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai(), Upstream.anthropic()])
    monitoring(stack, gateway)
    found = {words: alarm for words, alarm in alarms(stack).items() if "kept requests away" in words}
    assert len(found) == 2
    alarm = only(found, "ai-gateway upstreams status anthropic")
    assert expression_of(alarm) == "FILL(circuit, REPEAT)"
    (stat,) = stats_of(alarm).values()
    assert (stat["Metric"]["MetricName"], stat["Period"], stat["Stat"]) == ("CircuitOpen", 60, "Minimum")
    assert {"Name": "Upstream", "Value": "anthropic"} in stat["Metric"]["Dimensions"]
    assert (alarm["Threshold"], alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (1, 10, 15)


def test_without_a_table_no_circuit_opens(stack: Stack) -> None:
    monitoring(stack, AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], resilience=False))
    found = alarms(stack)
    assert len(found) == 4
    assert not any("kept requests away" in words for words in found)


def test_crashes_are_those_that_either_notices(stack: Stack, gateway: AiGateway) -> None:
    monitoring(stack, gateway)
    alarm = only(alarms(stack), "function crashed 3 times")
    assert expression_of(alarm) == "MAX([crashes, failed])"
    assert {stat["Metric"]["Namespace"] for stat in stats_of(alarm).values()} == {"AiGateway", "AWS/Lambda"}
    assert alarm["Threshold"] == 3


@pytest.mark.parametrize(("release_arn", "found"), [(None, False), (RELEASE, True)])
def test_releases_that_fail(stack: Stack, gateway: AiGateway, release_arn: str | None, found: bool) -> None:
    monitoring(stack, gateway, release_arn=release_arn)
    assert any("A release of the AI gateway has failed" in words for words in alarms(stack)) is found


def test_a_rollback_that_fails_once_rings(stack: Stack, gateway: AiGateway) -> None:
    monitoring(stack, gateway, release_arn=RELEASE, rollback_arn=ROLLBACK, rollback_rules=RULES)
    alarm = only(alarms(stack), "the version may have them still")
    assert expression_of(alarm) == "MAX([failed, timed_out, not_started_0, not_started_1])"
    watched = {
        (stat["Metric"]["MetricName"], *(dimension["Value"] for dimension in stat["Metric"]["Dimensions"]))
        for stat in stats_of(alarm).values()
    }
    assert watched == {
        ("ExecutionsFailed", ROLLBACK),
        ("ExecutionsTimedOut", ROLLBACK),
        ("FailedInvocations", "rule-1"),
        ("FailedInvocations", "rule-2"),
    }
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (1, 1, 1)
    assert "ai-gateway release rollback" in alarm["AlarmDescription"]


def test_more_rules_than_an_alarm_can_look_at(stack: Stack, gateway: AiGateway) -> None:
    rules = [f"rule-{number}" for number in range(17)]
    made = monitoring(stack, gateway, rollback_arn=ROLLBACK, rollback_rules=rules).alarms
    found = [alarm for alarm in made if alarm.node.id.startswith("Rollbacks")]
    assert [alarm.node.id for alarm in found] == ["Rollbacks", "Rollbacks1"]
    watched = [len(alarm.metric.using_metrics) for alarm in found]  # type: ignore[attr-defined]
    assert watched == [10, 9]


@pytest.mark.parametrize("wrong", [TOPIC, 5, type(topic)])
def test_a_topic_is_no_arn(stack: Stack, gateway: AiGateway, wrong: object) -> None:
    with pytest.raises(ValueError, match=r"alarm_topic must be an SNS topic, got .*Topic\.from_topic_arn\(stack, id, arn\)"):
        monitoring(stack, gateway, alarm_topic=wrong)


def test_alarms_of_releases_and_rotations_tell_the_topic_too(stack: Stack, gateway: AiGateway) -> None:
    own = [
        metric.create_alarm(stack, name, threshold=1, evaluation_periods=1)
        for name, metric in {"Release": gateway.metric_errors(version="7"), "Rotation": gateway.metric_requests()}.items()
    ]
    made = monitoring(stack, gateway, release_alarms=own[:1], rotation_alarms=own[1:])
    assert made.alarms[-2:] == tuple(own)
    for alarm in own:
        assert stack.resolve(alarm.node.default_child.alarm_actions) == [TOPIC]  # type: ignore[union-attr]
