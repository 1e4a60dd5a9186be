"""The one line that each request leaves: log fields and CloudWatch metrics (embedded metric format) in the same JSON object.

Consumers, models and request ids are fields only: as metric dimensions each value would be a metric of its own, and paid.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from lambda_runtime.config import METRICS_NAMESPACE
from lambda_runtime.invocation import Invocation
from lambda_runtime.log import bounded, write_line

NO_UPSTREAM = "none"

_DIMENSIONS = [["Gateway"], ["Gateway", "Version"], ["Gateway", "Upstream"]]
_COUNTS = [{"Name": "Requests", "Unit": "Count"}, {"Name": "Errors", "Unit": "Count"}]
_DURATION = {"Name": "Duration", "Unit": "Milliseconds"}
_FIRST_BYTE = {"Name": "FirstByteLatency", "Unit": "Milliseconds"}
_SERVER_ERROR = 500


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
        "broken",
        "bytes_in",
        "bytes_out",
        "consumer",
        "error",
        "first_byte",
        "lambda_request_id",
        "model",
        "operation",
        "request_id",
        "served_model",
        "status",
        "streamed",
        "upstream",
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
        self.error: str | None = None
        self.broken = False

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

    def write(self) -> None:
        """Write the line. To be called once, when the client has its answer."""
        failed = self.broken or self.status >= _SERVER_ERROR
        metrics = [*_COUNTS, _DURATION]
        line: dict[str, Any] = {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [{"Namespace": METRICS_NAMESPACE, "Dimensions": _DIMENSIONS, "Metrics": metrics}],
            },
            "Gateway": self._function,
            "Version": self._version,
            "Upstream": self.upstream,
            "Requests": 1,
            "Errors": int(failed),
            "Duration": self._elapsed(),
        }
        if self.first_byte is not None:
            metrics.append(_FIRST_BYTE)
            line["FirstByteLatency"] = self.first_byte
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
            "error": self.error,
        }
        write_line(line)

    def _elapsed(self) -> float:
        """Milliseconds since the request came."""
        return round((time.perf_counter() - self._started) * 1000, 3)
