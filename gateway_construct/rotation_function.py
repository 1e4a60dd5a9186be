"""The function that rotates upstreams' keys, its schedules, and the alarms about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, TreatMissingData
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_secretsmanager import CfnRotationSchedule, ISecret
from constructs import Construct

from gateway_construct.auxiliary_code import auxiliary_code, handler_of
from gateway_construct.credentials import key_statements, policy_arn, secrets_statement
from gateway_construct.function_runtime import RUNTIME, execution_role
from gateway_construct.logs import LogOptions, write_statement
from gateway_construct.metrics import metric
from gateway_construct.rotation import Rotation
from gateway_construct.rotation_variable import rotation_variable
from gateway_construct.upstream import Upstream
from lambda_runtime.config import UpstreamConfig
from lambda_runtime.config.secrets import (
    FAILED_METRIC,
    ROTATED_GATEWAY_VARIABLE,
    ROTATION_VARIABLE,
    STAGED_CHECK,
    UNPREPARED_METRIC,
    RotationKind,
)

_TIMEOUT = Duration.minutes(15)


class CredentialRotation(Construct):
    """Rotates the keys of the upstreams that are to be rotated. One function for all of them.

    Args:
        scope: the gateway.
        construct_id: id within the scope.
        rotations: the rotation of each upstream that has one, by its name. Not empty.
        upstreams: configuration of these upstreams, by name.
        secrets: their secrets, by name.
        gateway_function: name of the gateway's function, a dimension of the metrics.
        architecture: of the function.
        logs: how long its logs are kept.

    Attributes:
        function: takes the steps of a rotation, and looks at all of them once a day.
        alarms: for each upstream one that its rotation failed and, where the operator stages keys, one that nothing is staged.

    Raises:
        ValueError: if two upstreams share a secret, or there are more than the function's variables can hold.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        rotations: Mapping[str, Rotation],
        upstreams: Mapping[str, UpstreamConfig],
        secrets: Mapping[str, ISecret],
        gateway_function: str,
        architecture: lambda_.Architecture,
        logs: LogOptions,
    ) -> None:
        super().__init__(scope, construct_id)
        self._gateway_function = gateway_function
        log_group = logs.log_group(self, "Logs")
        self._role = execution_role(
            self, "Role", statements=[write_statement(log_group), *self._statements(rotations, secrets)]
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description="Rotates the keys of the AI gateway's upstreams",
            runtime=RUNTIME,
            architecture=architecture,
            handler=handler_of("rotation"),
            code=auxiliary_code("rotation"),
            environment={
                ROTATION_VARIABLE: rotation_variable(rotations, upstreams, secrets),
                ROTATED_GATEWAY_VARIABLE: gateway_function,
            },
            role=self._role,
            log_group=log_group,
            memory_size=256,
            # A key that OpenAI mints may take as long until it works.
            timeout=_TIMEOUT,
        )
        self._check_daily()
        self.alarms: Sequence[Alarm] = tuple(
            alarm for name, rotation in rotations.items() for alarm in self._rotate(name, rotation, secrets[name])
        )

    def _statements(self, rotations: Mapping[str, Rotation], secrets: Mapping[str, ISecret]) -> list[PolicyStatement]:
        own = [secrets[name] for name in rotations]
        admin = [rotation.admin_secret for rotation in rotations.values() if rotation.admin_secret is not None]
        statements = [
            secrets_statement(
                own,
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ),
            *key_statements(self, own, "kms:Decrypt", "kms:GenerateDataKey"),
        ]
        if admin:
            statements += [
                secrets_statement(admin, "secretsmanager:GetSecretValue"),
                *key_statements(self, admin, "kms:Decrypt"),
            ]
        return statements

    def _rotate(self, name: str, rotation: Rotation, secret: ISecret) -> list[Alarm]:
        scope = Construct(self, name)
        permission = lambda_.CfnPermission(
            scope,
            "Permission",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="secretsmanager.amazonaws.com",
            source_account=Stack.of(self).account,
            source_arn=policy_arn(secret),
        )
        # Not the L2, which would let the function make passwords, a right that names no resource.
        schedule = CfnRotationSchedule(
            scope,
            "Schedule",
            secret_id=secret.secret_arn,
            rotation_lambda_arn=self.function.function_arn,
            rotation_rules=CfnRotationSchedule.RotationRulesProperty(schedule_expression=rotation.schedule),
            # A deployment must not replace a key; by now there is none to replace it with.
            rotate_immediately_on_update=False,
        )
        # Secrets Manager tries the function when the schedule is made.
        schedule.node.add_dependency(permission, self._role)
        alarms = [
            self._alarm(
                scope,
                "Failed",
                FAILED_METRIC,
                name,
                f"The key of the AI gateway's upstream {name} was not rotated; the current key stays. The rotation function's "
                "log says why",
            )
        ]
        if rotation.kind is RotationKind.STAGED:
            alarms.append(
                self._alarm(
                    scope,
                    "Unprepared",
                    UNPREPARED_METRIC,
                    name,
                    f"A rotation of the AI gateway's upstream {name} is due soon and no next key is staged. Run: ai-gateway "
                    f"credentials stage {name}",
                )
            )
        return alarms

    def _alarm(self, scope: Construct, construct_id: str, name: str, upstream: str, description: str) -> Alarm:
        return Alarm(
            scope,
            construct_id,
            metric=metric(
                name,
                function_name=self._gateway_function,
                version=None,
                upstream=upstream,
                statistic="Maximum",
                options={"period": Duration.minutes(5)},
            ),
            threshold=1,
            comparison_operator=ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            # It is written once a day: what was said last holds until something else is said.
            treat_missing_data=TreatMissingData.IGNORE,
            alarm_description=description,
        )

    def _check_daily(self) -> None:
        from aws_cdk.aws_events import CfnRule  # noqa: PLC0415  a module that few gateways need

        rule = CfnRule(
            self,
            "Check",
            description="Looks once a day whether the AI gateway's next keys are staged",
            schedule_expression="rate(1 day)",
            targets=[
                CfnRule.TargetProperty(
                    id="Rotation", arn=self.function.function_arn, input=Stack.of(self).to_json_string(STAGED_CHECK)
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "CheckPermission",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )


def rotate_credentials(
    scope: Construct,
    construct_id: str,
    *,
    upstreams: Sequence[Upstream],
    secrets: Mapping[str, ISecret],
    gateway_function: str,
    architecture: lambda_.Architecture,
    logs: LogOptions,
) -> CredentialRotation | None:
    """Rotate the keys of those upstreams that have a rotation.

    Args:
        scope: the gateway.
        construct_id: id within the scope.
        upstreams: all of them.
        secrets: the secret of each upstream that takes a key, by the upstream's name.
        gateway_function: name of the gateway's function.
        architecture: of the rotation function.
        logs: how long its logs are kept.

    Returns:
        None if no upstream has one.
    """
    rotations = {upstream.name: upstream.rotation for upstream in upstreams if upstream.rotation is not None}
    if not rotations:
        return None
    return CredentialRotation(
        scope,
        construct_id,
        rotations=rotations,
        upstreams={upstream.name: upstream.config for upstream in upstreams},
        secrets=secrets,
        gateway_function=gateway_function,
        architecture=architecture,
        logs=logs,
    )
