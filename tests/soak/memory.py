"""Whether the workers' memory is flat."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from tests.soak.workers import Workers

BOUND = 0.5
"""MB that a worker's resident memory may grow by in 10,000 requests, once it is warm."""

WARM = 6_000
"""Requests after which a worker has seen everything: what it keeps for each model and format, above all."""

_LEAST = 6_000
"""Requests behind these from which growth can be told from noise."""

ENOUGH = 80_000
"""Requests of a run that must show it."""

_THIRD = 3


class Growth(NamedTuple):
    """How a worker's memory has grown.

    Args:
        pid: the worker.
        served: how many requests it has served.
        first: MB in the first third of the time after it was warm, median.
        last: MB in the last third.
        rate: MB in 10,000 requests, from one median to the other.
    """

    pid: int
    served: int
    first: float
    last: float
    rate: float


def growths(workers: Workers) -> list[Growth]:
    """Of each worker that was never killed and has served enough."""
    found = []
    for pid in workers.spared:
        samples = [(served, size) for served, size in workers.memory[pid] if served > WARM]
        if not samples or samples[-1][0] - WARM < _LEAST:
            continue
        third = len(samples) // _THIRD
        first, last = samples[:third], samples[-third:]
        before, after = (median(size for _, size in part) for part in (first, last))
        requests = median(served for served, _ in last) - median(served for served, _ in first)
        found.append(Growth(pid, workers.served[pid], before, after, (after - before) / requests * 10_000))
    return found


def complaints(workers: Workers, requests: int) -> list[str]:
    """What grows: a leak does so in every worker, so the middle one counts.

    Args:
        workers: as they were.
        requests: how many there were.
    """
    found = growths(workers)
    if not found and requests >= ENOUGH:
        return ["no worker has served enough requests to tell whether its memory is flat; take fewer clients"]
    rate = median(growth.rate for growth in found) if found else 0.0
    return [f"memory grows by {rate:.2f} MB in 10,000 requests, and may by {BOUND}"] if rate > BOUND else []
