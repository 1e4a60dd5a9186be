"""Monitoring beside a gateway of a test, and what the runtime writes for it to show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.aws_sns import ITopic, Topic
from constructs import Construct

from gateway_construct import AiGateway
from gateway_construct.monitoring import Monitoring
from lambda_runtime.config import METRICS_NAMESPACE
from lambda_runtime.config.secrets import FAILED_METRIC, UNPREPARED_METRIC
from lambda_runtime.invocation import Invocation
from lambda_runtime.metric_lines import count_crash, write_circuit
from lambda_runtime.request_log import RequestLog
from lambda_runtime.rotation.metrics import write_metric
from lambda_runtime.usage import Usage
from tests.gateway_construct.resources import of_type, synthesized

Json = dict[str, Any]
Written = tuple[str, str, frozenset[str]]
"""A metric: namespace, name and the names of its dimensions."""

_SEARCH = re.compile(r"SEARCH\('\{([\w,]+)\} MetricName=\"(\w+)\" Gateway=\"[^\"]+\"', '(Sum|Average|p90)'\)")

TOPIC = "arn:aws:sns:eu-central-1:111122223333:operators"
RELEASE = "arn:aws:states:eu-central-1:111122223333:stateMachine:release"
ROLLBACK = "arn:aws:states:eu-central-1:111122223333:stateMachine:rollback"
RULES = ("rule-1", "rule-2")

AWS_METRICS: dict[tuple[str, frozenset[str]], set[str]] = {
    ("AWS/ApiGateway", frozenset({"ApiName", "Stage"})): {"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"},
    ("AWS/Lambda", frozenset({"FunctionName"})): {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"},
    ("AWS/States", frozenset({"StateMachineArn"})): {
        "ExecutionsStarted",
        "ExecutionsSucceeded",
        "ExecutionsFailed",
        "ExecutionsAborted",
        "ExecutionsTimedOut",
    },
    ("AWS/Events", frozenset({"RuleName"})): {"FailedInvocations", "Invocations", "MatchedEvents"},
}
"""What AWS documents of its own metrics, as far as the gateway may look at them."""


def monitoring(stack: Stack, gateway: AiGateway, **props: Any) -> Monitoring:
    """All of the monitoring, but for what the props say."""
    return Monitoring(
        Construct(stack, "Monitored"),
        gateway=gateway,
        config=gateway._config,
        api=gateway.api,
        **{"dashboard": True, "alarm_topic": topic(stack), "metrics_cost_notice": 100.0, **props},
    )


def topic(stack: Stack) -> ITopic:
    return Topic.from_topic_arn(stack, "Topic", TOPIC)


def alarms(stack: Stack) -> dict[str, Json]:
    """Alarms of the monitoring by the first sentence of what they say."""
    return {
        alarm["AlarmDescription"]: alarm
        for name, alarm in of_type(synthesized(stack), "CloudWatch::Alarm").items()
        if name.startswith("Monitored")
    }


def widgets(stack: Stack) -> list[Json]:
    """The dashboard's, with the names of resources in place of what CloudFormation puts in."""
    (body,) = (
        dashboard["DashboardBody"]
        for name, dashboard in of_type(synthesized(stack), "CloudWatch::Dashboard").items()
        if name.startswith("Monitored")
    )
    parts = [part if isinstance(part, str) else str(*part.values()) for part in body["Fn::Join"][1]]
    document: Json = json.loads("".join(parts))
    assert set(document) == {"widgets"}
    found: list[Json] = document["widgets"]
    return found


def metrics_of(widget: Json) -> Iterator[Written]:
    """The metrics that a graph names, those that it searches for included."""
    for *name, options in widget["properties"].get("metrics", ()):
        if name:
            namespace, metric, *dimensions = name
            yield namespace, metric, frozenset(dimensions[::2])
            continue
        expression = options["expression"]
        searched = _SEARCH.fullmatch(expression)
        if searched:
            namespace, *dimensions = searched[1].split(",")
            yield namespace, searched[2], frozenset(dimensions)
        else:
            assert re.fullmatch(r"FILL\(m\d+, REPEAT\)", expression), expression


def written_metrics(capsys: pytest.CaptureFixture[str]) -> set[Written]:
    """What the runtime writes, read from its lines."""
    environ = {"AWS_LAMBDA_FUNCTION_NAME": "gateway", "AWS_LAMBDA_FUNCTION_VERSION": "7"}
    record = RequestLog(environ, {}, Invocation(request_id="1", deadline=4e9))
    record.asked("openai", "gpt-4.1", "gpt-4.1", 1)
    record.saw_first_byte()
    record.usage = Usage(1, 1)
    record.write()
    count_crash("the handler raised")
    write_circuit("openai", is_open=True)
    for name in (UNPREPARED_METRIC, FAILED_METRIC):
        write_metric(name, "openai", value=True)
    found: set[Written] = set()
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for dimensions in directive["Dimensions"]:
                found |= {(directive["Namespace"], metric["Name"], frozenset(dimensions)) for metric in directive["Metrics"]}
    assert {namespace for namespace, *_ in found} == {METRICS_NAMESPACE}
    return found


def exists(metric: Written, written: set[Written]) -> bool:
    """Whether there is such a metric: the runtime's, or one of AWS's own."""
    namespace, name, dimensions = metric
    return metric in written or name in AWS_METRICS.get((namespace, dimensions), ())
