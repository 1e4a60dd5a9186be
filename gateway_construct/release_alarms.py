"""The alarms that take requests back from a new version that does worse than the stable one.

A canary bakes for days, and every ten seconds of it are a chance to be wrong: 48 hours have 17,280 windows. So a window is
judged only if both versions had enough requests in it, a few single failures are no verdict, and it takes several windows one
after the other (ADR 12 has the figures). The versions are compared with each other, because what an upstream does to both says
nothing about the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, IMetric, MathExpression, Metric, TreatMissingData
from constructs import Construct

from gateway_construct.metrics import metric

_FAST = Duration.seconds(10)
_SLOW = Duration.minutes(5)
_FAST_LATENCY_WINDOWS = 3
_WINDOWS = 2
_FAILURES = 3
"""Fewer are never a verdict."""


class Limits(Protocol):
    """What the new version is held to: `Canary` or `CodeDeploy`."""

    @property
    def error_margin(self) -> float: ...  # noqa: D102
    @property
    def latency_ratio(self) -> float: ...  # noqa: D102
    @property
    def minimum_requests(self) -> int: ...  # noqa: D102


class ReleaseAlarms(Construct):
    """Alarms on the version of this deployment.

    They are at rest once the new version has every request, since there is nothing then to compare it with; those on crashes
    are not.

    Args:
        scope: the gateway.
        construct_id: id within the scope.
        function_name: of the gateway's function.
        alias: name of the alias that takes the requests.
        version: number of the new version.
        stable_version: number of the stable one.
        limits: what the new version is held to.

    Attributes:
        alarms: the alarms.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_name: str,
        alias: str,
        version: str,
        stable_version: str,
        limits: Limits,
    ) -> None:
        super().__init__(scope, construct_id)
        self._limits = limits
        self._function_name = function_name
        self._versions = {"": version, "stable_": stable_version}
        crashed = metric(
            "Crashes",
            function_name=function_name,
            version=version,
            upstream=None,
            statistic="Sum",
            options={"period": _FAST},
        )
        # What dies without a word. Lambda counts each minute, and by version only for requests that came through an alias.
        died = Metric(
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions_map={"FunctionName": function_name, "Resource": f"{function_name}:{alias}", "ExecutedVersion": version},
            statistic="Sum",
            period=_SLOW,
        )
        self.alarms: Sequence[Alarm] = (
            self._errors("Errors", _FAST),
            self._errors("ErrorsSlow", _SLOW),
            self._latency("Latency", _FAST, _FAST_LATENCY_WINDOWS),
            self._latency("LatencySlow", _SLOW, _WINDOWS),
            self._alarm("Crashes", crashed, _FAILURES, 1, "The new version of the gateway's function crashes"),
            self._alarm("CrashesSlow", died, _FAILURES, 1, "The new version of the gateway's function dies"),
        )

    def _errors(self, construct_id: str, period: Duration) -> Alarm:
        """The share of requests that fail, above that of the stable version."""
        least = self._limits.minimum_requests
        return self._alarm(
            construct_id,
            MathExpression(
                expression=(
                    f"IF(requests >= {least} AND stable_requests >= {least} AND errors >= {_FAILURES}, "
                    "errors / requests - stable_errors / stable_requests, 0)"
                ),
                using_metrics=self._of_both({"requests": ("Requests", "Sum"), "errors": ("Errors", "Sum")}, period),
                period=period,
                label="share of failed requests above the stable version's",
            ),
            self._limits.error_margin,
            _WINDOWS,
            "More requests fail in the new version of the gateway than in the stable one",
        )

    def _latency(self, construct_id: str, period: Duration, windows: int) -> Alarm:
        """The median latency of the first byte, as a multiple of the stable version's."""
        least = self._limits.minimum_requests
        return self._alarm(
            construct_id,
            MathExpression(
                expression=f"IF(requests >= {least} AND stable_requests >= {least}, latency / stable_latency, 0)",
                using_metrics=self._of_both({"requests": ("Requests", "Sum"), "latency": ("FirstByteLatency", "p50")}, period),
                period=period,
                label="latency as a multiple of the stable version's",
            ),
            self._limits.latency_ratio,
            windows,
            "The new version of the gateway takes longer to the first byte than the stable one",
        )

    def _of_both(self, metrics: Mapping[str, tuple[str, str]], period: Duration) -> dict[str, IMetric]:
        return {
            f"{prefix}{name}": metric(
                metric_name,
                function_name=self._function_name,
                version=version,
                upstream=None,
                statistic=statistic,
                options={"period": period},
            )
            for prefix, version in self._versions.items()
            for name, (metric_name, statistic) in metrics.items()
        }

    def _alarm(self, construct_id: str, watched: IMetric, threshold: float, windows: int, description: str) -> Alarm:
        counted = isinstance(watched, Metric)
        return Alarm(
            self,
            construct_id,
            metric=watched,
            threshold=threshold,
            comparison_operator=(
                ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD if counted else ComparisonOperator.GREATER_THAN_THRESHOLD
            ),
            evaluation_periods=windows,
            datapoints_to_alarm=windows,
            # A version without requests does nothing wrong.
            treat_missing_data=TreatMissingData.NOT_BREACHING,
            alarm_description=f"{description}. See: ai-gateway release status",
        )
