"""A release by AWS CodeDeploy: CloudFormation waits until the requests are shifted."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from constructs import Construct

from gateway_construct.release import CodeDeploy
from gateway_construct.release_alarms import ReleaseAlarms


def add_code_deploy(
    scope: Construct, construct_id: str, *, release: CodeDeploy, alias: lambda_.Alias, alarms: ReleaseAlarms
) -> None:
    """Let CodeDeploy shift the alias's requests.

    Its role is made here and may touch this alias and these alarms; AWS's managed policy, which the CDK would attach, may
    touch every function.

    Args:
        scope: the gateway.
        construct_id: id within the scope.
        release: how fast, and what ends it.
        alias: the alias that takes the requests.
        alarms: watch the new version.
    """
    # Imported where it is needed: each of the CDK's modules costs every synth start-up time.
    from aws_cdk.aws_codedeploy import LambdaDeploymentGroup  # noqa: PLC0415

    own = Construct(scope, construct_id)
    watching = [*alarms.alarms, *release.alarms]
    function_arn = Stack.of(own).format_arn(
        service="lambda",
        resource="function",
        resource_name=alias.lambda_.function_name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    role = Role(own, "Role", assumed_by=ServicePrincipal("codedeploy.amazonaws.com"))
    for statement in (
        PolicyStatement(
            actions=["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"],
            resources=[function_arn, f"{function_arn}:*"],
        ),
        PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=[alarm.alarm_arn for alarm in watching]),
    ):
        role.add_to_policy(statement)
    group = LambdaDeploymentGroup(
        own,
        "Group",
        alias=alias,
        deployment_config=release.config,
        alarms=watching,
        role=role.without_policy_updates(),
        ignore_alarm_configuration=False,
    )
    group.node.add_dependency(role)
