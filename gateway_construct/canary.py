"""A canary release: the state machines that carry it out, and the rule that takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_cdk import ArnFormat, Stack
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from constructs import Construct, IDependable

from gateway_construct.canary_states import Share, release_states, rollback_states
from gateway_construct.release import Canary
from gateway_construct.release_alarms import ReleaseAlarms
from gateway_construct.release_function import ReleaseFunction

if TYPE_CHECKING:
    from aws_cdk.aws_stepfunctions import StateMachine

_ALARMS_OF_A_RULE = 6
"""EventBridge takes 2,048 characters of a pattern, and an alarm's ARN may have 300."""


class CanaryRelease(Construct):
    """What releases a version, and what takes its requests back when an alarm rings.

    Args:
        scope: the gateway.
        construct_id: id within the scope.
        canary: how.
        function_name: of the gateway's function.
        function_arn: of the gateway's function.
        alias_name: name of the alias that takes the requests.
        starter: starts a release at a deployment.
        alarms: watch the new version.

    Attributes:
        state_machine: releases a version.
        rollback_arn: ARN of the state machine that takes a release back.
        rule_names: names of the rules that start it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        canary: Canary,
        function_name: str,
        function_arn: str,
        alias_name: str,
        starter: ReleaseFunction,
        alarms: ReleaseAlarms,
    ) -> None:
        super().__init__(scope, construct_id)
        # Imported where they are needed: each of the CDK's modules costs every synth start-up time.
        from aws_cdk.aws_events import CfnRule  # noqa: PLC0415

        self._starter = starter
        self._roles: list[Role] = []
        all_alarms = [*alarms.alarms, *canary.alarms]
        alarm_arns = [alarm.alarm_arn for alarm in all_alarms]
        partition = Stack.of(self).partition
        release = self._state_machine(
            "Release",
            release_states(
                partition=partition,
                function_name=function_name,
                alias=alias_name,
                shares=[
                    Share(canary.weight, canary.bake_seconds),
                    *(Share(weight, canary.ramp_seconds) for weight in canary.ramp),
                ],
                own_alarms=[alarm.alarm_name for alarm in alarms.alarms],
                alarms=[alarm.alarm_name for alarm in all_alarms],
            ),
            PolicyStatement(actions=["lambda:GetAlias", "lambda:UpdateAlias"], resources=[function_arn]),
            PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=alarm_arns),
            PolicyStatement(actions=["cloudwatch:SetAlarmState"], resources=[alarm.alarm_arn for alarm in alarms.alarms]),
        )
        self.state_machine: StateMachine = release
        self._executions_arn = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{release.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        rollback = self._state_machine(
            "Rollback",
            rollback_states(
                partition=partition, function_name=function_name, alias=alias_name, release_arn=release.state_machine_arn
            ),
            PolicyStatement(actions=["lambda:UpdateAlias"], resources=[function_arn]),
            PolicyStatement(actions=["states:ListExecutions"], resources=[release.state_machine_arn]),
            PolicyStatement(actions=["states:StopExecution"], resources=[self._executions_arn]),
        )
        role = Role(self, "RuleRole", assumed_by=ServicePrincipal("events.amazonaws.com"))
        role.add_to_policy(PolicyStatement(actions=["states:StartExecution"], resources=[rollback.state_machine_arn]))
        self._rules = [
            CfnRule(
                self,
                f"Rule{number or ''}",
                description="Takes the requests back from a new version of the AI gateway when an alarm rings",
                event_pattern={
                    "source": ["aws.cloudwatch"],
                    "detail-type": ["CloudWatch Alarm State Change"],
                    "resources": alarm_arns[first : first + _ALARMS_OF_A_RULE],
                    "detail": {"state": {"value": ["ALARM"]}},
                },
                targets=[CfnRule.TargetProperty(id="Rollback", arn=rollback.state_machine_arn, role_arn=role.role_arn)],
            )
            for number, first in enumerate(range(0, len(alarm_arns), _ALARMS_OF_A_RULE))
        ]
        self.rollback_arn = rollback.state_machine_arn
        self.rule_names = [rule.ref for rule in self._rules]

    def start_after(self, *dependencies: IDependable) -> None:
        """Start a release at each deployment of a new version.

        Args:
            dependencies: what must stand before, so that a deployment that fails has not touched the alias.
        """
        start = self._starter.start_release(
            self, "Start", state_machine_arn=self.state_machine.state_machine_arn, executions_arn=self._executions_arn
        )
        start.node.add_dependency(*self._rules, *self._roles, *dependencies)

    def _state_machine(self, construct_id: str, states: Mapping[str, Any], *policy: PolicyStatement) -> StateMachine:
        from aws_cdk.aws_stepfunctions import DefinitionBody, StateMachine  # noqa: PLC0415  as above

        role = Role(self, f"{construct_id}Role", assumed_by=ServicePrincipal("states.amazonaws.com"))
        for statement in policy:
            role.add_to_policy(statement)
        self._roles.append(role)
        definition = DefinitionBody.from_string(Stack.of(self).to_json_string(states))
        return StateMachine(self, construct_id, role=role, definition_body=definition)
