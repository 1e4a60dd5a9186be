"""Puts a gateway's monitoring together: alarms for its operators, its dashboard, and what both cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import aws_apigateway as apigateway
from aws_cdk.aws_cloudwatch import Alarm, CfnDashboard
from constructs import Construct

from gateway_construct.dashboard import GatewayDashboard
from gateway_construct.gateway_metrics import GatewayMetrics
from gateway_construct.gateway_tag import gateway_path
from gateway_construct.interfaces import offers
from gateway_construct.metric_costs import MonitoringCosts, alarm_metric_counts, require_amount, warn_if_costly
from gateway_construct.operational_alarms import OperationalAlarms, notify
from gateway_prices.metrics import metric_count
from lambda_runtime.config import GatewayConfig

if TYPE_CHECKING:
    from aws_cdk.aws_sns import ITopic


class Monitoring:
    """What tells a gateway's operators how it does.

    Args:
        scope: the gateway's construct.
        gateway: its metrics, function and table.
        config: its configuration.
        api: its REST API.
        dashboard: whether it has a dashboard.
        alarm_topic: is told when an alarm rings. None: there are no alarms but those that releases and rotations need.
        metrics_cost_notice: USD a month above which there is a warning.
        release_alarms: those that watch a new version. Default: none.
        release_arn: ARN of the state machine that releases versions. Default: there is none.
        rollback_arn: ARN of the state machine that takes them back. Default: there is none.
        rollback_rules: names of the rules that start it. Default: there are none.
        two_versions: whether two versions may take requests at the same time. Default: not for long.
        rotated: names of the upstreams whose keys are rotated. Default: none.
        rotation_alarms: those that watch rotations. Default: none.

    Attributes:
        alarms: all of the gateway's alarms.
        dashboard: its dashboard, or None.
        costs: what all of it costs at most.

    Raises:
        ValueError: if `metrics_cost_notice` is no sum of money, or `alarm_topic` no topic.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        gateway: GatewayMetrics,
        config: GatewayConfig,
        api: apigateway.RestApi,
        dashboard: bool,
        alarm_topic: ITopic | None,
        metrics_cost_notice: float,
        release_alarms: Sequence[Alarm] = (),
        release_arn: str | None = None,
        rollback_arn: str | None = None,
        rollback_rules: Sequence[str] = (),
        two_versions: bool = False,
        rotated: Sequence[str] = (),
        rotation_alarms: Sequence[Alarm] = (),
    ) -> None:
        require_amount(metrics_cost_notice)
        if alarm_topic is not None and not offers(alarm_topic, "topic_arn"):
            raise ValueError(
                f"alarm_topic must be an SNS topic, got {alarm_topic!r}; one that exists is had by "
                "Topic.from_topic_arn(stack, id, arn)"
            )
        names = [upstream.name for upstream in config.upstreams]
        circuits = gateway.table is not None
        stage = api.deployment_stage.stage_name
        operational: Sequence[Alarm] = ()
        if alarm_topic is not None:
            operational = OperationalAlarms(
                scope,
                "Alarms",
                gateway=gateway,
                upstreams=names if circuits else (),
                api_name=api.rest_api_name,
                stage=stage,
                release_arn=release_arn,
                rollback_arn=rollback_arn,
                rollback_rules=rollback_rules,
            ).alarms
        self.alarms: Sequence[Alarm] = (*operational, *release_alarms, *rotation_alarms)
        if alarm_topic is not None:
            notify(alarm_topic, self.alarms)
        self.dashboard: CfnDashboard | None = None
        if dashboard:
            self.dashboard = GatewayDashboard(
                scope,
                "Dashboard",
                path=gateway_path(scope),
                function_name=gateway.function.function_name,
                api_name=api.rest_api_name,
                stage=stage,
                upstreams=names,
                circuits=circuits,
                rotated=rotated,
                release_arn=release_arn,
                alarm_arns=[alarm.alarm_arn for alarm in self.alarms],
            ).dashboard
        slow, fast = alarm_metric_counts(self.alarms)
        self.costs = MonitoringCosts(
            metrics=metric_count(config, circuits=circuits, versions=2 if two_versions else 1, rotated=len(rotated)),
            alarm_metrics=slow,
            fast_alarm_metrics=fast,
            dashboards=int(dashboard),
        )
        warn_if_costly(scope, self.costs, metrics_cost_notice=metrics_cost_notice)
