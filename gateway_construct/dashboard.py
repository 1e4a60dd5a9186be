"""The dashboard of a gateway: one page that says how it does, and how a new version does beside the stable one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk.aws_cloudwatch import CfnDashboard
from constructs import Construct

from gateway_construct.dashboard_widgets import Json, alarm_states, dashboard_body, graph, held, line, search, text
from gateway_construct.metrics import NO_UPSTREAM
from lambda_runtime.config import METRICS_NAMESPACE

_MINUTE = 60
_FIVE_MINUTES = 300
_HOUR = 3600
_WEEK = "-P7D"
"""The time that is shown, whatever the dashboard's is: what happens once a day or less would be on few others."""

_MOST_ALARMS = 100
"""In one widget."""


class GatewayDashboard(Construct):
    """One CloudWatch dashboard.

    Args:
        scope: the gateway.
        construct_id: id within the scope.
        path: path of the gateway's construct, its title.
        function_name: name of the gateway's function, which is the dimension `Gateway` of its metrics.
        api_name: name of the REST API.
        stage: its stage.
        upstreams: names of all upstreams.
        circuits: whether circuits may open, which takes the table.
        rotated: names of the upstreams whose keys are rotated. Default: none.
        release_arn: ARN of the state machine that releases versions. Default: there is none.
        alarm_arns: ARNs of the alarms whose states are shown, the first hundred of them. Default: none.

    Attributes:
        dashboard: the dashboard.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        path: str,
        function_name: str,
        api_name: str,
        stage: str,
        upstreams: Sequence[str],
        circuits: bool,
        rotated: Sequence[str] = (),
        release_arn: str | None = None,
        alarm_arns: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self._region = stack.region
        self._function_name = function_name
        self._function = {"FunctionName": function_name}
        self._api = {"ApiName": api_name, "Stage": stage}
        body = dashboard_body(
            [
                [text(f"**{path}** · `ai-gateway upstreams status` · `ai-gateway release status` · `ai-gateway doctor`")],
                [alarm_states("Alarms", alarm_arns[:_MOST_ALARMS])] if alarm_arns else [],
                self._traffic(),
                self._latency(),
                self._upstreams(upstreams, circuits=circuits),
                self._tokens(),
                self._capacity(),
                self._versions(),
                [*self._rotations(rotated), *self._releases(release_arn)],
            ]
        )
        # The L2, put together of as many widgets and metrics, takes 60 ms of each synth; this takes 10.
        self.dashboard = CfnDashboard(self, "Resource", dashboard_body=stack.to_json_string(body))

    def _traffic(self) -> list[Json]:
        return [
            self._graph(
                "Requests",
                [
                    line("AWS/ApiGateway", "Count", self._api, "Sum", "at API Gateway"),
                    self._own("Requests", "Sum", "at the function"),
                ],
            ),
            self._graph(
                "Refused and failed at API Gateway",
                [
                    line("AWS/ApiGateway", "4XXError", self._api, "Sum", "4xx: keys, throttles (429), mistakes"),
                    line("AWS/ApiGateway", "5XXError", self._api, "Sum", "5xx"),
                ],
            ),
            self._graph("Share of requests that fail", [self._own("Errors", "Average", "failed")], axis="of 1"),
        ]

    def _latency(self) -> list[Json]:
        return [
            self._graph(title, [self._own(name, stat, stat) for stat in ("p50", "p99")], axis="ms")
            for title, name in (("First byte", "FirstByteLatency"), ("Whole request", "Duration"))
        ]

    def _upstreams(self, upstreams: Sequence[str], *, circuits: bool) -> list[Json]:
        graphs = [
            self._graph(
                title,
                [self._own(name, "Sum", upstream, Upstream=upstream) for upstream in (*upstreams, NO_UPSTREAM)],
                stacked=True,
            )
            for title, name in (("Requests by upstream", "Requests"), ("Errors by upstream", "Errors"))
        ]
        if circuits:
            states = [
                held(index, self._own("CircuitOpen", "Minimum", Upstream=upstream), upstream)
                for index, upstream in enumerate(upstreams)
            ]
            graphs.append(self._graph("Circuits: 1 is open", [metric for state in states for metric in state], period=_MINUTE))
        return graphs

    def _tokens(self) -> list[Json]:
        return [
            self._graph(title, [self._own_search(name, "Sum", "Upstream", "Model")], stacked=True)
            for title, name in (
                ("Input tokens by upstream and model", "InputTokens"),
                ("Output tokens by upstream and model", "OutputTokens"),
            )
        ]

    def _capacity(self) -> list[Json]:
        return [
            self._graph(
                "Requests under way", [line("AWS/Lambda", "ConcurrentExecutions", self._function, "Maximum", "at most")]
            ),
            self._graph("Refused by Lambda", [line("AWS/Lambda", "Throttles", self._function, "Sum", "throttles")]),
            self._graph(
                "Crashes",
                [
                    self._own("Crashes", "Sum", "noticed by the function"),
                    line("AWS/Lambda", "Errors", self._function, "Sum", "noticed by Lambda"),
                ],
            ),
        ]

    def _versions(self) -> list[Json]:
        """The new version beside the stable one. Versions are searched for, so that each appears with its first requests."""
        return [
            self._graph(title, [self._own_search(name, stat, "Version")], axis=axis, period=_MINUTE)
            for title, name, stat, axis in (
                ("Requests by version", "Requests", "Sum", ""),
                ("Share of requests that fail by version", "Errors", "Average", "of 1"),
                ("First byte by version, p90", "FirstByteLatency", "p90", "ms"),
            )
        ]

    def _rotations(self, rotated: Sequence[str]) -> list[Json]:
        return [
            self._graph(
                title,
                [
                    metric
                    for index, upstream in enumerate(rotated)
                    for metric in held(index, self._own(name, "Maximum", Upstream=upstream), upstream)
                ],
                period=_HOUR,
                start=_WEEK,
            )
            for title, name in (
                ("Rotations: 1 is unprepared", "RotationUnprepared"),
                ("Rotations: 1 has failed", "RotationFailed"),
            )
            if rotated
        ]

    def _releases(self, release_arn: str | None) -> list[Json]:
        if release_arn is None:
            return []
        states = (
            ("ExecutionsStarted", "started"),
            ("ExecutionsSucceeded", "promoted, or replaced"),
            ("ExecutionsAborted", "taken back, or ended by hand"),
            ("ExecutionsFailed", "failed, or taken back"),
        )
        machine = {"StateMachineArn": release_arn}
        counts = [line("AWS/States", name, machine, "Sum", label) for name, label in states]
        return [self._graph("Releases", counts, period=_HOUR, start=_WEEK)]

    def _own(self, name: str, stat: str, label: str = "", **dimensions: str) -> list[Any]:
        return line(METRICS_NAMESPACE, name, {"Gateway": self._function_name, **dimensions}, stat, label)

    def _own_search(self, name: str, stat: str, *dimensions: str) -> list[Any]:
        return search(METRICS_NAMESPACE, ("Gateway", *dimensions), name, {"Gateway": self._function_name}, stat)

    def _graph(
        self, title: str, metrics: Sequence[list[Any]], *, period: int = _FIVE_MINUTES, axis: str = "", **more: Any
    ) -> Json:
        return graph(title, metrics, region=self._region, period=period, axis=axis, **more)
