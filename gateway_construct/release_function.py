"""The small function that tells a deployment which version is stable, and starts releases."""

from __future__ import annotations

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_iam import Policy, PolicyStatement
from constructs import Construct

from gateway_construct.auxiliary_code import auxiliary_code, handler_of
from gateway_construct.function_runtime import RUNTIME, execution_role
from gateway_construct.logs import LogOptions, write_statement

_SECONDS = Duration.minutes(1)


class ReleaseFunction(Construct):
    """Reads the alias at each deployment that brings a new version.

    Args:
        scope: the gateway's function.
        construct_id: id within the scope.
        function: the gateway's function.
        alias_name: name of the alias that takes the requests.
        version: number of the version that this deployment publishes.
        architecture: of the function.
        logs: how long its logs are kept.

    Attributes:
        initial_version: what the alias has in the template. It never changes, so that CloudFormation leaves the alias alone.
        stable_version: what the alias has when the deployment begins.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.IFunction,
        alias_name: str,
        version: str,
        architecture: lambda_.Architecture,
        logs: LogOptions,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.log_group(self, "Logs")
        self._function_arn = function.function_arn
        self._alias = {"FunctionName": function.function_name, "Alias": alias_name}
        self._version = version
        self._role = execution_role(
            self,
            "Role",
            statements=[
                write_statement(log_group),
                PolicyStatement(actions=["lambda:GetAlias"], resources=[function.function_arn]),
            ],
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description="Starts the releases of the AI gateway",
            runtime=RUNTIME,
            architecture=architecture,
            handler=handler_of("release"),
            code=auxiliary_code("release"),
            role=self._role,
            log_group=log_group,
            memory_size=256,
            timeout=_SECONDS,
        )
        stable = CustomResource(
            self,
            "StableVersion",
            resource_type="Custom::AiGatewayStableVersion",
            service_token=self.function.function_arn,
            service_timeout=_SECONDS,
            properties={**self._alias, "Version": version},
        )
        # Not before it may read the alias.
        stable.node.add_dependency(self._role)
        self.initial_version = stable.get_att_string("InitialVersion")
        self.stable_version = stable.get_att_string("StableVersion")

    def start_release(
        self, scope: Construct, construct_id: str, *, state_machine_arn: str, executions_arn: str
    ) -> CustomResource:
        """Start a release when there is a new version. What must stand before is to be added as a dependency.

        Args:
            scope: where the resource belongs.
            construct_id: id within the scope.
            state_machine_arn: releases a version.
            executions_arn: pattern of its executions' ARNs.

        Returns:
            The resource.
        """
        # Apart from the role's own policy: the state machine waits for alarms, those for the stable version, and reading that
        # for the role's own policy.
        policy = Policy(
            scope,
            f"{construct_id}Policy",
            roles=[self._role],
            statements=[
                PolicyStatement(actions=["states:StartExecution", "states:ListExecutions"], resources=[state_machine_arn]),
                PolicyStatement(actions=["states:DescribeExecution", "states:StopExecution"], resources=[executions_arn]),
                # To undo a release whose deployment fails.
                PolicyStatement(actions=["lambda:UpdateAlias"], resources=[self._function_arn]),
            ],
        )
        release = CustomResource(
            scope,
            construct_id,
            resource_type="Custom::AiGatewayRelease",
            service_token=self.function.function_arn,
            service_timeout=_SECONDS,
            properties={**self._alias, "Version": self._version, "StateMachine": state_machine_arn},
        )
        release.node.add_dependency(self._role, policy)
        return release
