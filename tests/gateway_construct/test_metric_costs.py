from __future__ import annotations

import json
import math
from typing import Any

import pytest
from aws_cdk import Annotations as Acknowledge
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk.assertions import Annotations, Match
from aws_cdk.aws_cloudwatch import Alarm, Metric

from gateway_construct import AiGateway, Upstream
from gateway_construct.metric_costs import (
    METRICS_COST,
    MonitoringCosts,
    alarm_metric_counts,
    require_amount,
    warn_if_costly,
)
from gateway_prices.metrics import metric_count
from lambda_runtime.config import GatewayConfig
from lambda_runtime.invocation import Invocation
from lambda_runtime.metric_lines import count_crash, write_circuit
from lambda_runtime.request_log import NO_UPSTREAM, RequestLog
from lambda_runtime.rotation.metrics import write_metric
from lambda_runtime.usage import Usage
from tests.gateway_construct.monitoring_kit import RELEASE, ROLLBACK, RULES, monitoring

pytestmark = pytest.mark.template

COSTS = MonitoringCosts(metrics=100, alarm_metrics=10, fast_alarm_metrics=3, dashboards=1)


def config_of(models: dict[str, list[str]], *, unmapped: bool = True, upstreams: tuple[str, ...] = ("a", "b")) -> GatewayConfig:
    stack = Stack()
    made = [Upstream.openai_compatible(name, base_url="https://llm.example.com/v1") for name in upstreams]
    gateway = AiGateway(stack, "Gateway", upstreams=made, models=models, serve_unmapped_models=unmapped)
    return gateway._config


def series(capsys: pytest.CaptureFixture[str]) -> int:
    """How many metrics the lines are: by name and by the values of their dimensions."""
    found = set()
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for dimensions in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    found.add((metric["Name"], tuple((name, line[name]) for name in sorted(dimensions))))
    return len(found)


@pytest.mark.parametrize(
    ("models", "unmapped"),
    [({}, True), ({"m": ["a/1", "b/1"]}, False), ({"m": ["a/1", "b/1"], "n": ["a/2", "a/3"], "o": ["b/1"]}, True)],
)
def test_it_is_what_a_gateway_writes_that_uses_all_it_has(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, models: dict[str, list[str]], unmapped: bool
) -> None:
    config = config_of(models, unmapped=unmapped)
    names = [upstream.name for upstream in config.upstreams]
    served = [(target.upstream, model) for model, route in config.models.items() for target in route.ordered]
    served += [(name, "") for name in names if unmapped]
    for version in ("7", "8"):
        environ = {"AWS_LAMBDA_FUNCTION_NAME": "gateway", "AWS_LAMBDA_FUNCTION_VERSION": version}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        for upstream, model in [*served, *((name, "") for name in names), (NO_UPSTREAM, "")]:
            record = RequestLog(environ, {}, Invocation(request_id="1", deadline=4e9))
            record.saw_first_byte()
            if upstream != NO_UPSTREAM:
                record.asked(upstream, "served", model, 1)
            if (upstream, model) in served:
                record.usage = Usage(1, 1)
            record.write()
        count_crash("the handler raised")
    monkeypatch.setenv("AI_GATEWAY_FUNCTION", "gateway")
    for name in names:
        write_circuit(name, is_open=True)
    for metric in ("RotationUnprepared", "RotationFailed"):
        write_metric(metric, "a", value=True)
    assert metric_count(config, circuits=True, versions=2, rotated=1) == series(capsys)


def test_what_there_is_not_costs_nothing() -> None:
    config = config_of({})
    most = metric_count(config, circuits=True, versions=2, rotated=2)
    assert metric_count(config, circuits=False, versions=2, rotated=2) == most - 2
    assert metric_count(config, circuits=True, versions=1, rotated=2) == most - 5
    assert metric_count(config, circuits=True, versions=2) == most - 4


def test_prices() -> None:
    assert COSTS.metrics_usd == pytest.approx(30)
    assert COSTS.alarms_usd == pytest.approx(1.9)
    assert COSTS.dashboards_usd == pytest.approx(3)
    assert COSTS.usd == pytest.approx(34.9)


def test_alarms_are_charged_by_metric_and_by_how_often_they_look(stack: Stack, gateway: AiGateway) -> None:
    fast = Metric(namespace="A", metric_name="B", period=Duration.seconds(10)).create_alarm(
        stack, "Fast", threshold=1, evaluation_periods=1
    )
    imported = Alarm.from_alarm_arn(stack, "Imported", "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:mine")
    made = monitoring(stack, gateway, release_arn=RELEASE, rollback_arn=ROLLBACK, rollback_rules=RULES)
    # Two shares and the crashes look at two metrics each, throttles, the circuit and releases at one; rollbacks at two and
    # each rule.
    assert alarm_metric_counts(made.alarms) == (13, 0)
    assert alarm_metric_counts([*made.alarms, fast, imported]) == (13, 1)


def warnings(stack: Stack) -> list[str]:
    found = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("monitoring costs"))
    return [str(message.entry.data) for message in found]


def test_the_warning_has_the_sum_its_parts_and_the_ways_out(stack: Stack) -> None:
    warn_if_costly(stack, COSTS, metrics_cost_notice=30.0)
    (warning,) = warnings(stack)
    for words in (
        "up to $34.90 a month (estimate, us-east-1), more than metrics_cost_notice, $30.00",
        "$30.00 for 100 metrics, $1.90 for alarms on 13, $3.00 for the dashboard",
        "Map fewer models",
        "dashboard=False",
        "raise metrics_cost_notice to 35",
        f"[ack: {METRICS_COST}]",
    ):
        assert words in warning


def test_it_can_be_acknowledged(stack: Stack) -> None:
    warn_if_costly(stack, COSTS, metrics_cost_notice=0)
    Acknowledge.of(stack).acknowledge_warning(METRICS_COST)
    assert not warnings(stack)


@pytest.mark.parametrize("notice", [34.9, 35, math.inf])
def test_below_the_notice_nothing_is_said(stack: Stack, notice: float) -> None:
    warn_if_costly(stack, COSTS, metrics_cost_notice=notice)
    assert not warnings(stack)


def test_a_token_cannot_be_compared_with(stack: Stack) -> None:
    notice = CfnParameter(stack, "Notice", type="Number").value_as_number
    with pytest.raises(ValueError, match=r"metrics_cost_notice must be .* known at synth, .* got a token; write it out"):
        require_amount(notice)


@pytest.mark.parametrize("amount", [-1, -math.inf, math.nan, True, "30", None])
def test_a_notice_is_a_sum_of_money(stack: Stack, gateway: AiGateway, amount: Any) -> None:
    with pytest.raises(ValueError, match="metrics_cost_notice must be USD a month"):
        monitoring(stack, gateway, metrics_cost_notice=amount)


def test_a_long_model_map_is_a_warning(stack: Stack) -> None:
    models = {f"model-{number}": ["openai/gpt-4.1", "anthropic/claude"] for number in range(30)}
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai(), Upstream.anthropic()], models=models)
    made = monitoring(stack, gateway, metrics_cost_notice=30.0)
    assert made.costs.metrics > 120
    assert any("metrics_cost_notice to" in warning for warning in warnings(stack))
