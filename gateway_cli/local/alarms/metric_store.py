"""What the function's log lines and invocations add to metrics, kept for as long as an alarm may look back."""

from __future__ import annotations

import math
import re
import threading
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

SLOT = 10
"""Seconds. Every period and every window of an alarm is a multiple of it."""

KEPT = 45 * 60
"""Seconds. An alarm on two windows of five minutes looks back for 20, see `evaluation.RESERVE`."""

HIGH_RESOLUTION = 1
STANDARD_RESOLUTION = 60

Series = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name, and name and value of each dimension."""

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


def is_statistic(name: str) -> bool:
    """Whether `MetricStore.statistic` knows a statistic of CloudWatch's."""
    return name in _STATISTICS or _PERCENTILE.fullmatch(name) is not None


class MetricStore:
    """Values of those metrics that alarms look at. Everything else is thrown away, so that without alarms nothing is kept.

    It is filled by one thread and read by another.

    Args:
        clock: seconds since the epoch. Default: the machine's.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wanted: frozenset[tuple[str, str]] = frozenset()
        self._slots: dict[Series, dict[int, array[float]]] = defaultdict(dict)
        self._lock = threading.Lock()

    def want(self, names: Collection[tuple[str, str]]) -> None:
        """Keep the metrics with these namespaces and names, whatever their dimensions, and no others."""
        with self._lock:
            self._wanted = wanted = frozenset(names)
            for series in [series for series in self._slots if series[:2] not in wanted]:
                del self._slots[series]

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the metrics of a log line in the embedded metric format. A line that is not in that format has none."""
        if self._wanted:
            try:
                for namespace, name, dimensions, value, resolution, timestamp in _embedded(record):
                    self.put(namespace, name, dimensions, value, resolution=resolution, timestamp=timestamp)
            except (KeyError, TypeError, ValueError, AttributeError):
                # CloudWatch takes no metrics out of it either, and the line stays a line.
                return

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        value: float,
        *,
        resolution: int,
        timestamp: float | None = None,
    ) -> None:
        """Add a value.

        Args:
            namespace: of the metric.
            name: of the metric.
            dimensions: the set of dimensions; CloudWatch adds nothing up over several sets.
            value: the value.
            resolution: `HIGH_RESOLUTION`, or `STANDARD_RESOLUTION`, whose values all count for the start of their minute.
            timestamp: seconds since the epoch. Default: now.
        """
        if (namespace, name) not in self._wanted:
            return
        moment = self._clock() if timestamp is None else timestamp
        width = SLOT if resolution == HIGH_RESOLUTION else STANDARD_RESOLUTION
        slot = int(moment // width) * width
        with self._lock:
            slots = self._slots[namespace, name, frozenset(dimensions.items())]
            if slot not in slots:
                slots[slot] = array("d")
                oldest = self._clock() - KEPT
                for old in [start for start in slots if start < oldest]:
                    del slots[old]
            if slot in slots:
                slots[slot].append(value)

    def statistic(self, series: Series, name: str, start: int, period: int) -> float | None:
        """A statistic of a window, None if there is no value in it.

        A percentile is the smallest value that so many percent of the values do not exceed; CloudWatch does not say how it
        computes them.

        Args:
            series: the metric.
            name: of the statistic, as CloudWatch has it.
            start: of the window, seconds since the epoch; a multiple of `SLOT`.
            period: length of the window, seconds; a multiple of `SLOT`.
        """
        with self._lock:
            slots = self._slots.get(series, {})
            values = [value for slot in range(start, start + period, SLOT) for value in slots.get(slot, ())]
        if not values:
            return None
        if name in _STATISTICS:
            return _STATISTICS[name](values)
        percent = float(name.removeprefix("p"))
        return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


_STATISTICS: Mapping[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "SampleCount": lambda values: float(len(values)),
    "Average": lambda values: sum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
}


def _embedded(record: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, str], float, int, float]]:
    """Namespace, name, dimensions, value, resolution and time of each value in a line of the embedded metric format."""
    metadata = record["_aws"]
    for directive in metadata["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            found = record[metric["Name"]]
            for names in directive["Dimensions"]:
                for value in found if isinstance(found, list) else [found]:
                    yield (
                        directive["Namespace"],
                        metric["Name"],
                        {name: str(record[name]) for name in names},
                        float(value),
                        int(metric.get("StorageResolution", STANDARD_RESOLUTION)),
                        float(metadata["Timestamp"]) / 1000,
                    )
