"""Puts together what a kind of release needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk.aws_cloudwatch import Alarm
from constructs import Construct, IDependable

from gateway_construct.function import LIVE, GatewayFunction
from gateway_construct.release import AllAtOnce, Canary, CodeDeploy, Release
from gateway_construct.release_alarms import ReleaseAlarms

if TYPE_CHECKING:
    from aws_cdk.aws_stepfunctions import StateMachine

    from gateway_construct.canary import CanaryRelease


class Releases:
    """What releases the versions of a gateway, beside its alias.

    Args:
        scope: the gateway.
        function: its function.
        release: the kind.

    Attributes:
        alarms: that watch a new version; none where nobody looks at them.
        state_machine: that carries releases out, or None.
        two_versions: whether two versions take requests at the same time, for longer than a moment.
    """

    def __init__(self, scope: Construct, *, function: GatewayFunction, release: Release) -> None:
        self.two_versions = not isinstance(release, AllAtOnce)
        self.alarms: Sequence[Alarm] = ()
        self.state_machine: StateMachine | None = None
        self._canary: CanaryRelease | None = None
        starter = function.release_function
        if starter is None or not isinstance(release, Canary | CodeDeploy):
            return
        alarms = ReleaseAlarms(
            scope,
            "ReleaseAlarms",
            function_name=function.function.function_name,
            alias=LIVE,
            version=function.version.version,
            stable_version=starter.stable_version,
            limits=release,
        )
        self.alarms = alarms.alarms
        # Imported where they are needed: each of the CDK's modules costs every synth start-up time.
        if isinstance(release, Canary):
            from gateway_construct.canary import CanaryRelease  # noqa: PLC0415

            self._canary = CanaryRelease(
                scope,
                "Release",
                canary=release,
                function_name=function.function.function_name,
                function_arn=function.function.function_arn,
                alias_name=LIVE,
                starter=starter,
                alarms=alarms,
            )
            self.state_machine = self._canary.state_machine
        else:
            from gateway_construct.code_deploy import add_code_deploy  # noqa: PLC0415

            add_code_deploy(scope, "Release", release=release, alias=function.alias, alarms=alarms)

    @property
    def state_machine_arn(self) -> str | None:
        """ARN of the state machine, or None."""
        return self.state_machine.state_machine_arn if self.state_machine else None

    @property
    def rollback_arn(self) -> str | None:
        """ARN of the state machine that takes a release back, or None."""
        return self._canary.rollback_arn if self._canary else None

    @property
    def rule_names(self) -> Sequence[str]:
        """Names of the rules that start it."""
        return self._canary.rule_names if self._canary else ()

    def start_after(self, *dependencies: IDependable) -> None:
        """Let a deployment start its release last, so that one which fails before has not touched the alias."""
        if self._canary is not None:
            self._canary.start_after(*dependencies)
