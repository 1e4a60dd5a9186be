"""The metrics of a gateway, as methods of its construct."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_cloudwatch import Metric
from aws_cdk.aws_dynamodb import ITable

from gateway_construct.metrics import NO_UPSTREAM, OTHER_MODEL, MetricOptions, metric, require_known, token_metric
from lambda_runtime.config import GatewayConfig


class GatewayMetrics:
    """What the function writes about requests, tokens, crashes and circuits, for alarms and dashboards.

    Attributes:
        function: the gateway's function.
        table: what its instances share, or None.
    """

    function: lambda_.Function
    table: ITable | None
    _config: GatewayConfig

    def metric_requests(
        self, *, version: str | None = None, upstream: str | None = None, **options: Unpack[MetricOptions]
    ) -> Metric:
        """Requests that were answered.

        Args:
            version: of that version of the function only. Default: of all.
            upstream: of those that this upstream answered only; "none" for those that reached no upstream. Default: of all.
            **options: CloudWatch's options. Default: the sum in 5 minutes.

        Raises:
            ValueError: if version and upstream are both given, or the gateway has no such upstream.
        """
        return self._metric("Requests", version, upstream, "Sum", options)

    def metric_errors(
        self, *, version: str | None = None, upstream: str | None = None, **options: Unpack[MetricOptions]
    ) -> Metric:
        """Requests that were answered with a status of 500 or above, or whose stream broke.

        Args:
            version: see `metric_requests`.
            upstream: see `metric_requests`.
            **options: CloudWatch's options. Default: the sum in 5 minutes.

        Raises:
            ValueError: if version and upstream are both given, or the gateway has no such upstream.
        """
        return self._metric("Errors", version, upstream, "Sum", options)

    def metric_first_byte_latency(
        self, *, version: str | None = None, upstream: str | None = None, **options: Unpack[MetricOptions]
    ) -> Metric:
        """Milliseconds from the event to the first byte of the answer's body.

        Args:
            version: see `metric_requests`.
            upstream: see `metric_requests`.
            **options: CloudWatch's options. Default: the 99th percentile in 5 minutes.

        Raises:
            ValueError: if version and upstream are both given, or the gateway has no such upstream.
        """
        return self._metric("FirstByteLatency", version, upstream, "p99", options)

    def metric_duration(
        self, *, version: str | None = None, upstream: str | None = None, **options: Unpack[MetricOptions]
    ) -> Metric:
        """Milliseconds from the event to the end of the answer.

        Args:
            version: see `metric_requests`.
            upstream: see `metric_requests`.
            **options: CloudWatch's options. Default: the 99th percentile in 5 minutes.

        Raises:
            ValueError: if version and upstream are both given, or the gateway has no such upstream.
        """
        return self._metric("Duration", version, upstream, "p99", options)

    def metric_input_tokens(
        self, *, upstream: str | None = None, model: str | None = None, **options: Unpack[MetricOptions]
    ) -> Metric:
        """Tokens that upstreams read, by their own figures; those that they took from a prompt cache are part of it.

        Args:
            upstream: of what that upstream used for one model only. Default: of all.
            model: the name that was asked for, one of the model map's; "other" stands for all that the map does not name, since
                each value is a metric that costs money. Given together with `upstream`. Default: of all.
            **options: CloudWatch's options. Default: the sum in 5 minutes.

        Raises:
            ValueError: if only one of upstream and model is given, or the gateway has no such upstream or model.
        """
        return self._token_metric("InputTokens", upstream, model, options)

    def metric_output_tokens(
        self, *, upstream: str | None = None, model: str | None = None, **options: Unpack[MetricOptions]
    ) -> Metric:
        """Tokens that upstreams wrote, by their own figures, reasoning included. Of a stream that broke it is an estimate.

        Args:
            upstream: see `metric_input_tokens`.
            model: see `metric_input_tokens`.
            **options: CloudWatch's options. Default: the sum in 5 minutes.

        Raises:
            ValueError: if only one of upstream and model is given, or the gateway has no such upstream or model.
        """
        return self._token_metric("OutputTokens", upstream, model, options)

    def metric_crashes(self, *, version: str | None = None, **options: Unpack[MetricOptions]) -> Metric:
        """Failures of the function outside of a request's handling: it could not start or wake up, or its handler raised.

        What dies without a word, as at Lambda's time-out or for want of memory, is only in Lambda's own metric `Errors`.

        Args:
            version: of that version of the function only. Default: of all.
            **options: CloudWatch's options. Default: the sum in 5 minutes.
        """
        return self._metric("Crashes", version, None, "Sum", options)

    def metric_circuit_open(self, *, upstream: str, **options: Unpack[MetricOptions]) -> Metric:
        """1 while failures keep requests away from an upstream or from one of its models, 0 from then on.

        It is written when a circuit opens or closes, and each minute in between while there are requests: `FILL(m, REPEAT)`
        makes a line of it. What an operator opens is not in it.

        Args:
            upstream: whose.
            **options: CloudWatch's options. Default: the minimum in 5 minutes, so that a circuit that has closed counts as
                closed.

        Raises:
            ValueError: if the gateway has no such upstream, or no table, without which circuits never open.
        """
        if self.table is None:
            raise ValueError(
                f"metric CircuitOpen: without a table no circuit opens, got upstream {upstream!r}; set resilience=True"
            )
        require_known("CircuitOpen", "upstream", upstream, self._upstreams)
        return self._metric("CircuitOpen", None, upstream, "Minimum", options)

    def _metric(self, name: str, version: str | None, upstream: str | None, statistic: str, options: MetricOptions) -> Metric:
        made = metric(
            name,
            function_name=self.function.function_name,
            version=version,
            upstream=upstream,
            statistic=statistic,
            options=options,
        )
        require_known(name, "upstream", upstream, [*self._upstreams, NO_UPSTREAM])
        return made

    def _token_metric(self, name: str, upstream: str | None, model: str | None, options: MetricOptions) -> Metric:
        made = token_metric(name, function_name=self.function.function_name, upstream=upstream, model=model, options=options)
        require_known(name, "upstream", upstream, self._upstreams)
        require_known(name, "model", model, [*self._config.models, OTHER_MODEL])
        return made

    @property
    def _upstreams(self) -> list[str]:
        return [upstream.name for upstream in self._config.upstreams]
