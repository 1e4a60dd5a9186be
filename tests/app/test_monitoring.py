"""What monitoring costs by docs/monitoring.md is what the gateway itself estimates, and the app stays below the notice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Annotations, Match
from aws_cdk.aws_events import CfnRule
from aws_cdk.aws_sns import Topic
from aws_cdk.aws_stepfunctions import StateMachine
from constructs import Construct

from gateway_app.context import KEY, read_context
from gateway_app.stack import GatewayStack
from gateway_construct import AiGateway, Upstream
from gateway_construct.metric_costs import MonitoringCosts
from gateway_construct.monitoring import Monitoring
from tests.gateway_construct.resources import of_type, synthesized
from tests.templates import ROOT, cdk_json

pytestmark = pytest.mark.template

NOTICE = 30.0
TOPIC = "arn:aws:sns:eu-central-1:111122223333:operators"


def costs_of(gateway: AiGateway, *, alarms: bool, dashboard: bool = True) -> MonitoringCosts:
    machine = gateway.release_state_machine
    release = gateway.node.try_find_child("Release")
    parts = release.node.children if release else []
    rollbacks = [part.state_machine_arn for part in parts if isinstance(part, StateMachine) and part.node.id == "Rollback"]
    return Monitoring(
        Construct(gateway, "Estimate"),
        gateway=gateway,
        config=gateway._config,
        api=gateway.api,
        dashboard=dashboard,
        alarm_topic=Topic.from_topic_arn(gateway, "Operators", TOPIC) if alarms else None,
        metrics_cost_notice=NOTICE,
        release_alarms=gateway.release_alarms,
        release_arn=machine.state_machine_arn if machine else None,
        rollback_arn=rollbacks[0] if rollbacks else None,
        rollback_rules=[part.ref for part in parts if isinstance(part, CfnRule)],
        two_versions=machine is not None,
    ).costs


def app_costs(*, alarms: bool = False, **settings: Any) -> MonitoringCosts:
    context = cdk_json()["context"]
    app = App(context=context)
    return costs_of(GatewayStack(app, read_context({**context[KEY], **settings})).gateway, alarms=alarms)


def row(gateway: str, costs: MonitoringCosts) -> str:
    watched = costs.alarm_metrics + costs.fast_alarm_metrics
    alarms = f"{watched}: ${costs.alarms_usd:.2f}" if watched else "none"
    dashboard = f"${costs.dashboards_usd:.2f}" if costs.dashboards else "none"
    return f"| {gateway} | {costs.metrics}: ${costs.metrics_usd:.2f} | {alarms} | {dashboard} | ${costs.usd:.2f} |"


def test_the_documents_table() -> None:
    one = AiGateway(Stack(), "Gateway", upstreams=[Upstream.openai()])
    app = app_costs()
    assert app.usd < NOTICE
    rows = [
        row("one upstream, no models mapped, `dashboard=False`", costs_of(one, alarms=False, dashboard=False)),
        row("`app.py` with this repository's `cdk.json`", app),
        row("the same with `alarm_topic_arn`", app_costs(alarms=True)),
        row('the same with `"release": "canary"` besides', app_costs(alarms=True, release="canary")),
    ]
    document = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    table = re.search(r"\| gateway \|.*\n\|---.*\n((?:\|.*\n)+)", document)
    assert table is not None
    assert table[1].splitlines() == rows


def stack_with(**settings: Any) -> Stack:
    context = cdk_json()["context"]
    return GatewayStack(App(context=context), read_context({**context[KEY], **settings}))


def test_the_topic_is_told_of_every_alarm() -> None:
    template = synthesized(stack_with(alarm_topic_arn=TOPIC))
    alarms = of_type(template, "CloudWatch::Alarm")
    assert len(alarms) == 7
    assert all(alarm["AlarmActions"] == [TOPIC] for alarm in alarms.values())


def test_the_dashboard_can_be_left_out() -> None:
    assert len(of_type(synthesized(stack_with()), "CloudWatch::Dashboard")) == 1
    assert not of_type(synthesized(stack_with(dashboard=False)), "CloudWatch::Dashboard")


def test_a_low_notice_is_a_warning_with_the_figures() -> None:
    warnings = Annotations.from_stack(stack_with(metrics_cost_notice=10)).find_warning(
        "*", Match.string_like_regexp("monitoring costs")
    )
    (warning,) = warnings
    assert "up to $17.70 a month" in str(warning.entry.data)
    assert not Annotations.from_stack(stack_with()).find_warning("*", Match.any_value())
