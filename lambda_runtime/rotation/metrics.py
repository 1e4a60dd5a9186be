"""The rotation's metrics, as lines in CloudWatch's embedded metric format."""

from __future__ import annotations

import os
import time

from lambda_runtime import log
from lambda_runtime.config import METRICS_NAMESPACE
from lambda_runtime.config.secrets import ROTATED_GATEWAY_VARIABLE


def write_metric(name: str, upstream: str, *, value: bool) -> None:
    """Write a metric of an upstream.

    Args:
        name: `FAILED_METRIC` or `UNPREPARED_METRIC`.
        upstream: its name.
        value: written as 1 or 0.
    """
    directive = {
        "Namespace": METRICS_NAMESPACE,
        "Dimensions": [["Gateway", "Upstream"]],
        "Metrics": [{"Name": name, "Unit": "None"}],
    }
    log.write_line(
        {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
            "Gateway": os.environ.get(ROTATED_GATEWAY_VARIABLE, "local"),
            "Upstream": upstream,
            name: int(value),
            "level": "INFO",
            "message": "rotation",
        }
    )
