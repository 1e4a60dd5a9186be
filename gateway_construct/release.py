"""Releases: how a new version of the function takes over the requests of the `live` alias."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration, Token
from aws_cdk.aws_cloudwatch import IAlarm

from gateway_construct.interfaces import offers
from gateway_construct.tokens import known

if TYPE_CHECKING:
    # A module that costs every synth time, and that only this kind of release needs.
    from aws_cdk.aws_codedeploy import ILambdaDeploymentConfig

_VERSION = re.compile(r"[1-9][0-9]*")
_LONGEST = Duration.days(300)
"""Of a release. Step Functions ends an execution after a year."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AllAtOnce:
    """Every request goes to the new version as soon as it is deployed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighted:
    """A fixed share of the requests goes to the new version, the others stay with a version that was published before.

    Change the weight and deploy again to go on; `AllAtOnce` ends it. A deployment that publishes no new version fails when the
    newest version is the stable one: an alias cannot weigh a version against itself.

    Args:
        stable_version: number of the version that takes the rest, for example "7". It must still exist; the gateway keeps
            every version that it published.
        weight: share of the new version, from 0 to 1.

    Raises:
        ValueError: if the version is not a number or the weight not within 0 and 1.
    """

    stable_version: str
    weight: float

    def __post_init__(self) -> None:
        version: object = self.stable_version
        if not isinstance(version, str) or not (Token.is_unresolved(version) or _VERSION.fullmatch(version)):
            raise ValueError(
                f"weighted: stable_version must be the number of a published version, for example '7', got "
                f"{self.stable_version!r}; list them with 'aws lambda list-versions-by-function'",
            )
        if not _is_number(self.weight) or (known(self.weight) and not 0 <= self.weight <= 1):
            raise ValueError(f"weighted: weight must be from 0 to 1, for example 0.05, got {self.weight!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """A new version proves itself on a small share of the requests, and takes over or falls back by itself.

    `cdk deploy` returns at once. A state machine gives the new version its first share, watches its alarms for as long as it
    bakes, gives it more in steps, and promotes it. An alarm takes its requests away again, in under a minute where there are
    enough requests to tell. A second deployment meanwhile replaces the canary, and the stable version stays. The first
    deployment of all gets every request.

    The alarms compare both versions, in windows of 10 seconds and of 5 minutes: the share of requests that fail, and the
    latency of the first byte. Further ones count crashes of the function (docs/releases.md).

    Args:
        weight: share of the new version while it bakes, above 0 and below 1. Default: 0.05.
        bake: how long it keeps that share, 1 minute at least. Default: 48 hours.
        ramp: shares that follow, each greater than the one before. Default: none, it is promoted after the bake.
        ramp_interval: how long it keeps each of them, 1 minute at least. Default: 1 hour.
        error_margin: by how much the share of requests that fail may be greater than the stable version's, above 0 and
            below 1. Default: 0.05.
        latency_ratio: how many times the stable version's latency of the first byte (median) the new version may take,
            above 1. Default: 2.0.
        minimum_requests: requests that each of the two versions must have had in a window for it to be judged. Where 10 seconds
            have fewer, the windows of 5 minutes decide. Default: 20.
        alarms: further alarms that take the requests back, for example of an application. Default: none.

    Raises:
        ValueError: if a value is out of its range or of another kind, an alarm is there twice, or all together last longer than
            300 days.
    """

    weight: float = 0.05
    bake: Duration | None = None
    ramp: Sequence[float] = ()
    ramp_interval: Duration | None = None
    error_margin: float = 0.05
    latency_ratio: float = 2.0
    minimum_requests: int = 20
    alarms: Sequence[IAlarm] = ()

    def __post_init__(self) -> None:
        _require_list("ramp", self.ramp, "0.25, 0.5")
        for name, share in (("weight", self.weight), *(("ramp", share) for share in self.ramp)):
            _require_number(name, share)
            if not 0 < share < 1:
                raise ValueError(f"canary: {name} must be above 0 and below 1, for example 0.05, got {share!r}")
        shares = [self.weight, *self.ramp]
        if shares != sorted(set(shares)):
            raise ValueError(f"canary: each share of the ramp must be greater than the one before it, got {shares!r}")
        for name, duration in (("bake", self.bake), ("ramp_interval", self.ramp_interval)):
            if duration is not None:
                _require_minutes(name, duration)
        total = self.bake_seconds + len(self.ramp) * self.ramp_seconds
        if total > _LONGEST.to_seconds():
            raise ValueError(f"canary: bake and ramp must not last longer than 300 days together, got {total / 86_400:g} days")
        _require_number("error_margin", self.error_margin)
        if not 0 < self.error_margin < 1:
            raise ValueError(f"canary: error_margin must be above 0 and below 1, got {self.error_margin!r}")
        _require_number("latency_ratio", self.latency_ratio)
        if not 1 < self.latency_ratio < math.inf:
            raise ValueError(
                f"canary: latency_ratio must be above 1, for example 2, got {self.latency_ratio!r}; 1000 is as good as no limit"
            )
        if isinstance(self.minimum_requests, bool) or not isinstance(self.minimum_requests, int) or self.minimum_requests < 1:
            raise ValueError(f"canary: minimum_requests must be a whole number of at least 1, got {self.minimum_requests!r}")
        _require_alarms(self.alarms)

    @property
    def bake_seconds(self) -> int:
        """How long the new version keeps its first share."""
        return _seconds(self.bake or Duration.hours(48))

    @property
    def ramp_seconds(self) -> int:
        """How long it keeps each of the others."""
        return _seconds(self.ramp_interval or Duration.hours(1))


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeDeploy:
    """AWS CodeDeploy shifts the requests while the stack is updated, so that the deployment succeeds or fails with the shift.

    The deployment waits for it, which suits shifts of minutes: CloudFormation gives up after some hours, and a shift may take
    48 hours at most. The canary alarms watch it; one that rings fails the deployment, and the whole stack goes back.

    Args:
        config: how fast, for example `LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES`.
        error_margin: see `Canary`. Default: 0.05.
        latency_ratio: see `Canary`. Default: 2.0.
        minimum_requests: see `Canary`. Default: 20.
        alarms: further alarms that end the shift. Default: none.

    Raises:
        ValueError: if a value is out of its range or of another kind, or an alarm is there twice.
    """

    config: ILambdaDeploymentConfig
    error_margin: float = 0.05
    latency_ratio: float = 2.0
    minimum_requests: int = 20
    alarms: Sequence[IAlarm] = ()

    def __post_init__(self) -> None:
        _require_config(self.config)
        # The same limits, checked by the same code, in this class's words.
        try:
            self.limits  # noqa: B018
        except ValueError as error:
            raise ValueError(str(error).replace("canary:", "code_deploy:")) from None

    @property
    def limits(self) -> Canary:
        """What the alarms hold the new version to."""
        return Canary(
            error_margin=self.error_margin,
            latency_ratio=self.latency_ratio,
            minimum_requests=self.minimum_requests,
            alarms=self.alarms,
        )


Release = AllAtOnce | Weighted | Canary | CodeDeploy
"""How a new version takes over."""

_EXAMPLES = {
    "allatonce": "AllAtOnce()",
    "canary": "Canary()",
    "codedeploy": "CodeDeploy(config=LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES)",
    "weighted": 'Weighted(stable_version="7", weight=0.05)',
}


def require_release(release: Release | None) -> Release:
    """The release that the user wants.

    Args:
        release: as given. None: all at once.

    Raises:
        ValueError: if it is none, for example a name or a class.
    """
    if release is None:
        return AllAtOnce()
    if isinstance(release, Release):
        return release
    name = release.__name__ if isinstance(release, type) else str(release)
    example = _EXAMPLES.get(name.replace("-", "").replace("_", "").lower(), _EXAMPLES["canary"])
    raise ValueError(
        f"release must be AllAtOnce(), Canary(...), CodeDeploy(config=...) or Weighted(...), got {release!r}; write, for "
        f"example, release={example}"
    )


def _require_config(config: ILambdaDeploymentConfig) -> None:
    """The configurations for ECS and EC2 look the same, but for the names of AWS's own."""
    if offers(config, "deployment_config_name"):
        name = config.deployment_config_name
        if not name.startswith("CodeDeployDefault.") or name.startswith("CodeDeployDefault.Lambda"):
            return
        given = name
    else:
        given = repr(config)
    raise ValueError(
        f"code_deploy: config must be a LambdaDeploymentConfig of aws_cdk.aws_codedeploy, got {given}; write, for example, "
        "LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES, or have yours by LambdaDeploymentConfig."
        "from_lambda_deployment_config_name"
    )


def _require_alarms(alarms: Sequence[IAlarm]) -> None:
    _require_list("alarms", alarms, "alarm")
    found: dict[str, int] = {}
    for index, alarm in enumerate(alarms):
        if not offers(alarm, "alarm_arn"):
            raise ValueError(
                f"canary: alarms[{index}] must be an alarm of CloudWatch, got {alarm!r}; one that exists is had by "
                "Alarm.from_alarm_arn(stack, id, arn)"
            )
        first = found.setdefault(alarm.alarm_arn, index)
        if first != index:
            raise ValueError(f"canary: alarms[{index}] is alarms[{first}] again, {alarm.node.path!r}; leave one of them out")


def _require_list(name: str, values: Sequence[object], example: str) -> None:
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise ValueError(  # noqa: TRY004  whatever is wrong with a prop is a ValueError
            f"canary: {name} must be a list, got {values!r}; write, for example, {name}=[{example}], or [] for none"
        )


def _require_number(name: str, value: float) -> None:
    """A token would be known at deployment only, and the state machine is written before."""
    if not _is_number(value) or not known(value):
        raise ValueError(f"canary: {name} must be a number that is known at synth, got {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require_minutes(name: str, duration: Duration) -> None:
    if not isinstance(duration, Duration):
        raise ValueError(  # noqa: TRY004  whatever is wrong with a prop is a ValueError
            f"canary: {name} must be a Duration, for example Duration.hours(48), got {duration!r}"
        )
    if duration.is_unresolved():
        raise ValueError(f"canary: {name} must be known at synth, got a token; write it out, for example Duration.hours(48)")
    if duration.to_seconds(integral=False) < 60:  # noqa: PLR2004
        raise ValueError(f"canary: {name} must be at least 1 minute, got {duration.to_human_string()}")


def _seconds(duration: Duration) -> int:
    return int(duration.to_seconds(integral=False))
