"""Compares calls: direct ones and the gateway's take turns in one run, so that what disturbs one disturbs all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import fmean, median, quantiles
from typing import NamedTuple, Protocol

from benchmarks.calls import Kind, Times


class Call(Protocol):
    """Makes one call."""

    def __call__(self, kind: Kind) -> Times:
        """Call, and read the answer to its end."""


class Rested:
    """A call that waits before it begins.

    Args:
        call: to be made.
        seconds: to wait.
    """

    def __init__(self, call: Call, seconds: float) -> None:
        self._call = call
        self._seconds = seconds

    def __call__(self, kind: Kind) -> Times:
        """Wait, call, and read the answer to its end."""
        time.sleep(self._seconds)
        return self._call(kind)


class Spread(NamedTuple):
    """Median, 99th percentile and mean, in milliseconds."""

    p50: float
    p99: float
    mean: float


class Latencies(NamedTuple):
    """Of one kind of call."""

    first: Spread
    total: Spread


def compare(calls: Mapping[str, Call], *, kind: Kind, rounds: int) -> dict[str, Latencies]:
    """Have the calls take turns.

    Args:
        calls: by name.
        kind: what is asked for.
        rounds: how often each is made. A tenth more is made beforehand, and not counted.

    Returns:
        Latencies by name.
    """
    seen: dict[str, list[Times]] = {name: [] for name in calls}
    for number in range(-rounds // 10, rounds):
        for name, call in calls.items():
            times = call(kind)
            if number >= 0:
                seen[name].append(times)
    return {
        name: Latencies(_spread([one.first for one in times]), _spread([one.total for one in times]))
        for name, times in seen.items()
    }


def _spread(values: list[float]) -> Spread:
    return Spread(median(values), quantiles(values, n=100)[98], fmean(values))
