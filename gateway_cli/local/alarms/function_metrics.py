"""The metrics of a function that runs here: what its lines say, and what Lambda itself would count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway_cli.local.alarms.metric_store import STANDARD_RESOLUTION, MetricStore

_NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True, slots=True)
class FunctionMetrics:
    """Where workers leave what is counted.

    Args:
        store: keeps it. Default: one that keeps nothing.
    """

    store: MetricStore = field(default_factory=MetricStore)

    def printed(self, record: Mapping[str, Any]) -> None:
        """The function has printed a JSON object."""
        self.store.take(record)

    def invoked(self, name: str, version: str, arn: str, *, failed: bool) -> None:
        """An invocation has ended.

        Lambda has the version as a dimension only where an alias was invoked.

        Args:
            name: of the function.
            version: that ran.
            arn: with which it was invoked; its last part is the qualifier.
            failed: whether the function failed: it reported an error, ended, or ran into its time-out.
        """
        dimensions = [{"FunctionName": name}]
        qualifier = arn.rpartition(":")[2]
        if qualifier not in (version, name):
            of_alias = {"FunctionName": name, "Resource": f"{name}:{qualifier}"}
            dimensions += [of_alias, {**of_alias, "ExecutedVersion": version}]
        for each in dimensions:
            for metric, value in (("Invocations", 1), ("Errors", int(failed))):
                self.store.put(_NAMESPACE, metric, each, value, resolution=STANDARD_RESOLUTION)
