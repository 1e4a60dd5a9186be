"""The gateway's function: role, logs, versions and the alias `live`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Annotations, Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_iam import PolicyStatement
from constructs import Construct

from gateway_construct.function_runtime import RUNTIME, execution_role
from gateway_construct.logs import LogOptions, write_statement
from gateway_construct.release import Canary, CodeDeploy, Release, Weighted
from gateway_construct.release_function import ReleaseFunction
from gateway_construct.tokens import known, within_seconds

LIVE = "live"
_MAXIMUM_TIMEOUT = Duration.minutes(15)
_MEMORY = range(128, 10_240 + 1)


class GatewayFunction(Construct):
    """The function that relays, and the alias that the API calls.

    Attributes:
        function: the function.
        version: of this deployment. Versions are kept, so that a release can go back to one.
        alias: `live`.
        log_group: the function's logs.
        release_function: tells which version is stable, where the release needs to know.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: lambda_.Code,
        environment: Mapping[str, str],
        policy: Sequence[PolicyStatement],
        logs: LogOptions,
        release: Release,
        memory_size: int,
        timeout: Duration | None,
        architecture: lambda_.Architecture,
        reserved_concurrency: int | None,
        snap_start: bool,
        tracing: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        _validate(memory_size=memory_size, timeout=timeout, reserved_concurrency=reserved_concurrency)
        self.log_group = logs.log_group(self, "Logs")
        self.function = lambda_.Function(
            self,
            "Function",
            description="Relays requests of OpenAI and Anthropic clients to upstreams",
            runtime=RUNTIME,
            architecture=architecture,
            handler="lambda_runtime.handler.handler",
            code=code,
            environment=dict(environment),
            role=execution_role(self, "Role", statements=[write_statement(self.log_group), *policy]),
            log_group=self.log_group,
            memory_size=memory_size,
            timeout=timeout or _MAXIMUM_TIMEOUT,
            reserved_concurrent_executions=reserved_concurrency,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            tracing=lambda_.Tracing.ACTIVE if tracing else lambda_.Tracing.DISABLED,
            # Without it the version that a weighted release still sends requests to would be deleted.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )
        if snap_start:
            # It asks for published versions, which are made below.
            Annotations.of(self.function).acknowledge_warning("@aws-cdk/aws-lambda:snapStartRequirePublish")
        self.version: lambda_.IVersion = self.function.current_version
        self.release_function: ReleaseFunction | None = (
            ReleaseFunction(
                self,
                "Release",
                function=self.function,
                alias_name=LIVE,
                version=self.version.version,
                architecture=architecture,
                logs=logs,
            )
            if isinstance(release, Canary | CodeDeploy)
            else None
        )
        self.alias = self._alias(release)

    def _alias(self, release: Release) -> lambda_.Alias:
        if self.release_function is not None and isinstance(release, Canary):
            return self._alias_of(self.release_function.initial_version)
        if not isinstance(release, Weighted):
            return lambda_.Alias(self, "Live", alias_name=LIVE, version=self.version)
        alias = self._alias_of(release.stable_version)
        resource = alias.node.default_child
        assert isinstance(resource, lambda_.CfnAlias)  # noqa: S101  for the type checker
        # Not through the L2's props: they compare the weight, which may be a token.
        resource.routing_config = lambda_.CfnAlias.AliasRoutingConfigurationProperty(
            additional_version_weights=[
                lambda_.CfnAlias.VersionWeightProperty(function_version=self.version.version, function_weight=release.weight),
            ],
        )
        return alias

    def _alias_of(self, version: str) -> lambda_.Alias:
        """The alias with a version that this template does not make."""
        stable = lambda_.Version.from_version_attributes(self, "Stable", lambda_=self.function, version=version)
        return lambda_.Alias(self, "Live", alias_name=LIVE, version=stable)


def _validate(*, memory_size: int, timeout: Duration | None, reserved_concurrency: int | None) -> None:
    if known(memory_size) and memory_size not in _MEMORY:
        raise ValueError(f"memory_size must be a whole number of MiB from 128 to 10240, got {memory_size!r}")
    if timeout is not None and not within_seconds(timeout, _MAXIMUM_TIMEOUT):
        raise ValueError(
            f"timeout must be a whole number of seconds from 1 second to 15 minutes, got {timeout.to_human_string()}",
        )
    if reserved_concurrency is not None and known(reserved_concurrency) and reserved_concurrency < 1:
        raise ValueError(
            f"reserved_concurrency must be at least 1, got {reserved_concurrency!r}; 0 would refuse every request",
        )
