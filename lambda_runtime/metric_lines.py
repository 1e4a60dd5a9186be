"""Metrics that belong to no request: a line of their own each, in CloudWatch's embedded metric format.

A crash is counted by code that needs nothing but the environment and standard output: the configuration may be what is broken.
"""

from __future__ import annotations

import os
import time
from typing import Any

from lambda_runtime.log import write_line

NAMESPACE = "AiGateway"
"""That of `lambda_runtime.config`, which a crash may have kept from being imported."""


def count_crash(what: str) -> None:
    """The function failed outside of a request's handling. Never raises: whoever calls this has worse to report.

    With the version at a resolution of a second, as the metrics of requests: the alarms of a release look at both.

    Args:
        what: what was going on.
    """
    try:
        crashes = {"Name": "Crashes", "Unit": "Count"}
        _write(
            "crash",
            [
                {"Namespace": NAMESPACE, "Dimensions": [["Gateway"]], "Metrics": [crashes]},
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["Gateway", "Version"]],
                    "Metrics": [{**crashes, "StorageResolution": 1}],
                },
            ],
            {"Version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"), "Crashes": 1, "what": what},
        )
    except Exception:  # noqa: BLE001, S110  (no memory, no standard output: Lambda's own metrics have to do)
        pass


def write_circuit(upstream: str, *, is_open: bool) -> None:
    """Whether requests are kept away from an upstream, or from one of its models.

    Args:
        upstream: its name.
        is_open: whether one of its circuits is open or half-open.
    """
    metric = {"Name": "CircuitOpen", "Unit": "None"}
    _write(
        "circuit",
        [{"Namespace": NAMESPACE, "Dimensions": [["Gateway", "Upstream"]], "Metrics": [metric]}],
        {"Upstream": upstream, "CircuitOpen": int(is_open)},
    )


def _write(message: str, directives: list[dict[str, Any]], fields: dict[str, Any]) -> None:
    write_line(
        {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": directives},
            "Gateway": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"),
            **fields,
            # The event itself is told by another line, at the level that it deserves.
            "level": "INFO",
            "message": message,
        }
    )
