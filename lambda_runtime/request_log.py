"""The one line that each request leaves: log fields and CloudWatch metrics (embedded metric format) in the same JSON object.

Consumers and request ids are fields only: as metric dimensions each value would be a metric of its own, and paid. So would be
models that clients may invent: only those that the model map names are a dimension.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lambda_runtime.config import METRICS_NAMESPACE
from lambda_runtime.invocation import Invocation
from lambda_runtime.log import bounded, write_line
from lambda_runtime.state.outcome import Attempted
from lambda_runtime.usage import Usage

if TYPE_CHECKING:
    from lambda_runtime.hooks import HookRequest, HookResponse

NO_UPSTREAM = "none"
OTHER_MODEL = "other"
"""The metric dimension of models that the map does not name."""

_SERVER_ERROR = 500

_NANO = 1_000_000_000
"""`config.prices.NANO`, whose module a gateway without prices does not load."""


def _directives(*, first_byte: bool, usage: bool) -> list[dict[str, Any]]:
    """What of a line CloudWatch makes metrics of.

    Those of a version have a resolution of a second, since the alarms of a release look at ten; all others of a minute.

    Args:
        first_byte: whether the line says when the first byte went out.
        usage: whether it says how many tokens were used.
    """
    units = {"Requests": "Count", "Errors": "Count", "Duration": "Milliseconds"}
    if first_byte:
        units["FirstByteLatency"] = "Milliseconds"
    metrics = [{"Name": name, "Unit": unit} for name, unit in units.items()]
    directives: list[dict[str, Any]] = [
        {"Dimensions": [["Gateway"], ["Gateway", "Upstream"]], "Metrics": metrics},
        {"Dimensions": [["Gateway", "Version"]], "Metrics": [{**metric, "StorageResolution": 1} for metric in metrics]},
    ]
    if usage:
        tokens = [{"Name": name, "Unit": "Count"} for name in ("InputTokens", "OutputTokens")]
        directives.append({"Dimensions": [["Gateway"], ["Gateway", "Upstream", "Model"]], "Metrics": tokens})
    return [{"Namespace": METRICS_NAMESPACE, **directive} for directive in directives]


_DIRECTIVES = {
    (first_byte, usage): _directives(first_byte=first_byte, usage=usage)
    for first_byte in (False, True)
    for usage in (False, True)
}
"""Made once, for they are the same with every request."""


class RequestLog:
    """What is known of a request so far.

    Args:
        environ: the function's environment variables.
        event: API Gateway's event.
        invocation: the invocation.
    """

    __slots__ = (
        "_function",
        "_started",
        "_version",
        "attempts",
        "broken",
        "budget",
        "budget_percent",
        "bytes_in",
        "bytes_out",
        "consumer",
        "cost",
        "dropped",
        "duration",
        "error",
        "first_byte",
        "heartbeats",
        "hooked",
        "lambda_request_id",
        "malformed",
        "model",
        "model_label",
        "operation",
        "possibly_billed",
        "request_id",
        "served_model",
        "shadow_error",
        "status",
        "streamed",
        "upstream",
        "usage",
    )

    def __init__(self, environ: Mapping[str, str], event: Mapping[str, Any], invocation: Invocation) -> None:
        context = event.get("requestContext") or {}
        self._started = time.perf_counter()
        self._function = environ.get("AWS_LAMBDA_FUNCTION_NAME", "local")
        self._version = environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self.request_id: str = bounded(str(context.get("requestId") or invocation.request_id))
        self.lambda_request_id = invocation.request_id
        self.consumer: str | None = (context.get("identity") or {}).get("apiKeyId")
        self.operation = "none"
        self.model: str | None = None
        self.served_model: str | None = None
        self.upstream = NO_UPSTREAM
        self.status = 0
        self.streamed = False
        self.bytes_in = 0
        self.bytes_out = 0
        self.first_byte: float | None = None
        self.duration = 0.0
        self.error: str | None = None
        self.broken = False
        self.attempts: list[Attempted] = []
        """What was tried, in its order; the last one answered, unless nobody did."""
        self.possibly_billed = 0
        """Attempts that timed out after the request was sent: their upstreams may charge for what nobody got."""
        self.usage: Usage | None = None
        self.cost: int | None = None
        """Of the usage, in billionths of a USD: an estimate. None if nobody knows."""
        self.budget: str | None = None
        self.budget_percent = 0
        self.shadow_error: str | None = None
        """With what the request would have been refused, if the consumer's budgets were enforced."""
        self.malformed = 0
        self.dropped: tuple[str, ...] = ()
        self.heartbeats = 0
        self.model_label = OTHER_MODEL
        self.hooked: HookRequest | None = None

    def asked(self, upstream: str, model: str, route: str, bytes_in: int, dropped: tuple[str, ...] = ()) -> None:
        """An upstream is asked now.

        Args:
            upstream: its name.
            model: its name of the model.
            route: the model as the map names it; empty if it does not.
            bytes_in: length of what it is sent.
            dropped: fields of the request that its format cannot express. Default: none.
        """
        self.upstream, self.served_model, self.bytes_in = upstream, model, bytes_in
        self.model_label = route or OTHER_MODEL
        self.dropped = dropped

    def saw_first_byte(self) -> None:
        """The first byte of the answer goes to the client now."""
        self.first_byte = self._elapsed()

    def fail(self, code: str | None, *, broken: bool = False) -> None:
        """Remember what went wrong.

        Args:
            code: machine-readable cause.
            broken: whether the answer had begun, so that its status no longer tells. Default: it had not.
        """
        self.error = code
        self.broken = self.broken or broken

    @property
    def cost_usd(self) -> float | None:
        """The cost in USD."""
        return None if self.cost is None else round(self.cost / _NANO, 9)

    def as_hook_response(self) -> HookResponse:
        """What a hook is told about the answer. To be called after `write`."""
        from lambda_runtime.hooks import HookResponse  # noqa: PLC0415  only gateways with hooks pay for it

        return HookResponse(
            status=self.status,
            model=self.served_model,
            upstream=None if self.upstream == NO_UPSTREAM else self.upstream,
            usage=self.usage,
            error=self.error,
            streamed=self.streamed,
            duration_ms=self.duration,
            first_byte_ms=self.first_byte,
            cost_usd=self.cost_usd,
        )

    def write(self) -> None:
        """Write the line. To be called once, when the client has its answer."""
        failed = self.broken or self.status >= _SERVER_ERROR
        self.duration = self._elapsed()
        usage = self.usage
        directives = _DIRECTIVES[self.first_byte is not None, usage is not None]
        line: dict[str, Any] = {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": directives},
            "Gateway": self._function,
            "Version": self._version,
            "Upstream": self.upstream,
            "Requests": 1,
            "Errors": int(failed),
            "Duration": self.duration,
        }
        if self.first_byte is not None:
            line["FirstByteLatency"] = self.first_byte
        if usage is not None:
            line |= {"Model": self.model_label, "InputTokens": usage.input_tokens, "OutputTokens": usage.output_tokens}
            line |= {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens}
            line |= {"reasoning_tokens": usage.reasoning_tokens, "usage_estimated": usage.estimated}
        if self.cost is not None:
            line["cost_usd"] = self.cost_usd
        line |= {
            "level": "ERROR" if failed else "INFO",
            "message": "request",
            "request_id": self.request_id,
            "lambda_request_id": self.lambda_request_id,
            "consumer": self.consumer,
            "operation": self.operation,
            "model": None if self.model is None else bounded(self.model),
            "served_model": None if self.served_model is None else bounded(self.served_model),
            "upstream": self.upstream,
            "status": self.status,
            "streamed": self.streamed,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "error": None if self.error is None else bounded(self.error),
        }
        line |= self._noted()
        write_line(line)

    def _noted(self) -> dict[str, Any]:
        """What most requests have nothing of."""
        line: dict[str, Any] = {}
        if len(self.attempts) > 1:
            line["attempts"] = [f"{bounded(attempt.target)} {attempt.outcome.name.lower()}" for attempt in self.attempts]
        if self.budget is not None:
            line |= {"budget": self.budget, "budget_percent": self.budget_percent}
        if self.shadow_error is not None:
            line["shadow_error"] = self.shadow_error
        if self.possibly_billed:
            line["possibly_billed_attempts"] = self.possibly_billed
        if self.malformed:
            line["malformed_events"] = self.malformed
        if self.dropped:
            line["dropped"] = bounded(", ".join(self.dropped))
        if self.heartbeats:
            line["heartbeats"] = self.heartbeats
        if self.hooked is not None and self.hooked.log:
            # Apart from our own fields: a field that a later version adds must not meet one of a hook's.
            line["hooks"] = dict(self.hooked.log)
        return line

    def _elapsed(self) -> float:
        """Milliseconds since the request came."""
        return round((time.perf_counter() - self._started) * 1000, 3)
