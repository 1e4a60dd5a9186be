"""Alarms for whoever runs a gateway: each says what is wrong and which command helps.

They are made where there is somebody to tell, for an alarm that tells nobody only costs. Each wants more than a single event:
a share counts from a number of requests on, so that one failure at night is no alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import (
    Alarm,
    ComparisonOperator,
    IAlarmAction,
    IMetric,
    MathExpression,
    Metric,
    TreatMissingData,
)
from constructs import Construct

from gateway_construct.gateway_metrics import GatewayMetrics

if TYPE_CHECKING:
    from aws_cdk.aws_sns import ITopic

MINIMUM_REQUESTS = 20
"""Requests in 5 minutes from which on the share of those that fail is an alarm."""

ERROR_PERCENT = 5
THROTTLES = 5
CRASHES = 3

_MINUTE = Duration.minutes(1)
_FIVE_MINUTES = Duration.minutes(5)
_QUARTER = Duration.minutes(15)
_MOST_METRICS = 10
"""That an alarm can look at."""

_OPEN_MINUTES, _OF_MINUTES = 10, 15


class OperationalAlarms(Construct):
    """The alarms of a gateway in use.

    Args:
        scope: the gateway.
        construct_id: id within the scope.
        gateway: whose metrics are watched.
        upstreams: names of the upstreams whose circuits may open; none without the table.
        api_name: name of the REST API.
        stage: its stage.
        release_arn: ARN of the state machine that releases versions. Default: there is none.
        rollback_arn: ARN of the state machine that takes them back. Default: there is none.
        rollback_rules: names of the rules that start it. Default: there are none.

    Attributes:
        alarms: the alarms.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        gateway: GatewayMetrics,
        upstreams: Sequence[str],
        api_name: str,
        stage: str,
        release_arn: str | None = None,
        rollback_arn: str | None = None,
        rollback_rules: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self._gateway = gateway
        self._function = {"FunctionName": gateway.function.function_name}
        self._api = {"ApiName": api_name, "Stage": stage}
        self.alarms: Sequence[Alarm] = (
            self._errors(),
            self._api_errors(),
            self._crashes(),
            self._throttles(),
            *self._circuits(upstreams),
            *(() if release_arn is None else (self._release(release_arn),)),
            *(() if rollback_arn is None else self._rollbacks(rollback_arn, rollback_rules)),
        )

    def _errors(self) -> Alarm:
        return self._alarm(
            "Errors",
            _percentage(
                failed=self._gateway.metric_errors(period=_FIVE_MINUTES),
                all_of_them=self._gateway.metric_requests(period=_FIVE_MINUTES),
            ),
            ERROR_PERCENT,
            f"{ERROR_PERCENT} % of the AI gateway's requests or more ended with a status of 500 or above, or in the middle of "
            "a stream. Which upstream fails: ai-gateway upstreams status. To do without it: ai-gateway upstreams open NAME",
        )

    def _api_errors(self) -> Alarm:
        return self._alarm(
            "ApiErrors",
            _percentage(
                failed=_aws("AWS/ApiGateway", "5XXError", self._api, _FIVE_MINUTES),
                all_of_them=_aws("AWS/ApiGateway", "Count", self._api, _FIVE_MINUTES),
            ),
            ERROR_PERCENT,
            f"API Gateway answered {ERROR_PERCENT} % of the AI gateway's requests or more with a status of 500 or above. If "
            "the alarm on its own errors is silent, the function cannot be called or does not answer: ai-gateway doctor",
        )

    def _crashes(self) -> Alarm:
        return self._alarm(
            "Crashes",
            MathExpression(
                # Most crashes are in both. Lambda does not hear of one after the answer, and we not of one without a word.
                expression="MAX([crashes, failed])",
                using_metrics={
                    "crashes": self._gateway.metric_crashes(period=_QUARTER),
                    "failed": _aws("AWS/Lambda", "Errors", self._function, _QUARTER),
                },
                period=_QUARTER,
                label="crashes",
            ),
            CRASHES,
            f"The AI gateway's function crashed {CRASHES} times in 15 minutes or more: it cannot start, runs out of memory or "
            "time, or its handler raises. Back to the version before: ai-gateway release rollback. Why: the function's log, "
            'filter level = "ERROR"',
        )

    def _throttles(self) -> Alarm:
        return self._alarm(
            "Throttles",
            _aws("AWS/Lambda", "Throttles", self._function, _FIVE_MINUTES),
            THROTTLES,
            f"Lambda refused {THROTTLES} of the AI gateway's requests in 5 minutes or more: all instances that it may use are "
            "busy. How many those are: ai-gateway doctor. Raise reserved_concurrency or the account's limit on concurrent "
            "executions, or lower the plans",
        )

    def _circuits(self, upstreams: Sequence[str]) -> Iterator[Alarm]:
        """One of each upstream, so that it can say which. CloudWatch takes no more than ten metrics in one, besides."""
        scope = Construct(self, "Circuits")
        for upstream in upstreams:
            yield self._alarm(
                upstream,
                MathExpression(
                    expression="FILL(circuit, REPEAT)",
                    using_metrics={"circuit": self._gateway.metric_circuit_open(upstream=upstream, period=_MINUTE)},
                    period=_MINUTE,
                    label="open",
                ),
                1,
                f"The AI gateway has kept requests away from {upstream}, or from one of its models, for {_OPEN_MINUTES} "
                f"minutes: they fail there. Which and why: ai-gateway upstreams status {upstream}",
                datapoints=(_OPEN_MINUTES, _OF_MINUTES),
                scope=scope,
            )

    def _release(self, release_arn: str) -> Alarm:
        return self._alarm(
            "Releases",
            _aws("AWS/States", "ExecutionsFailed", {"StateMachineArn": release_arn}, _FIVE_MINUTES),
            1,
            "A release of the AI gateway has failed: AWS refused one of its steps, or it saw an alarm ring that had not ended "
            "it. Which version has the requests now, and what happened: ai-gateway release status",
        )

    def _rollbacks(self, rollback_arn: str, rules: Sequence[str]) -> Iterator[Alarm]:
        """One failure is enough: the new version does worse than the stable one, and still has requests."""
        machine = {"StateMachineArn": rollback_arn}
        failures = {
            "failed": _aws("AWS/States", "ExecutionsFailed", machine, _FIVE_MINUTES),
            "timed_out": _aws("AWS/States", "ExecutionsTimedOut", machine, _FIVE_MINUTES),
            **{
                f"not_started_{number}": _aws("AWS/Events", "FailedInvocations", {"RuleName": rule}, _FIVE_MINUTES)
                for number, rule in enumerate(rules)
            },
        }
        names = list(failures)
        for number, first in enumerate(range(0, len(names), _MOST_METRICS)):
            of_alarm = {name: failures[name] for name in names[first : first + _MOST_METRICS]}
            yield self._alarm(
                f"Rollbacks{number or ''}",
                MathExpression(
                    # What has not happened is not written. Of what is, one is at least 1.
                    expression=f"MAX([{', '.join(of_alarm)}])",
                    using_metrics=of_alarm,
                    period=_FIVE_MINUTES,
                    label="failures",
                ),
                1,
                "An alarm wanted to take the requests back from a new version of the AI gateway, and that failed: the version "
                "may have them still. Take them back now: ai-gateway release rollback. Then look: ai-gateway release status",
            )

    def _alarm(
        self,
        construct_id: str,
        metric: IMetric,
        threshold: float,
        description: str,
        *,
        datapoints: tuple[int, int] = (1, 1),
        scope: Construct | None = None,
    ) -> Alarm:
        datapoints_to_alarm, evaluation_periods = datapoints
        return Alarm(
            scope or self,
            construct_id,
            metric=metric,
            threshold=threshold,
            comparison_operator=ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=datapoints_to_alarm,
            # A gateway that nobody calls is well.
            treat_missing_data=TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )


def notify(topic: ITopic, alarms: Iterable[Alarm]) -> None:
    """Let alarms tell a topic when they ring.

    Args:
        topic: the topic. If it is encrypted, its key must let cloudwatch.amazonaws.com use it.
        alarms: the alarms.
    """
    # Imported where it is needed: each of the CDK's modules costs every synth start-up time.
    from aws_cdk.aws_cloudwatch_actions import SnsAction  # noqa: PLC0415

    action: IAlarmAction = SnsAction(topic)
    for alarm in alarms:
        alarm.add_alarm_action(action)


def _percentage(*, failed: IMetric, all_of_them: IMetric) -> MathExpression:
    """How many of a hundred requests fail; 0 where there were too few to tell."""
    return MathExpression(
        expression=f"IF(requests >= {MINIMUM_REQUESTS}, 100 * FILL(failed, 0) / requests, 0)",
        using_metrics={"requests": all_of_them, "failed": failed},
        period=_FIVE_MINUTES,
        label="% of requests",
    )


def _aws(namespace: str, name: str, dimensions: dict[str, str], period: Duration) -> Metric:
    return Metric(namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic="Sum", period=period)
