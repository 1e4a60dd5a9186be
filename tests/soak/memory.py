"""Whether the workers' memory is flat: by their blocks, which tell a leak of one object a request, and by what is resident."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import median
from typing import NamedTuple

from tests.soak.workers import Workers

BLOCKS = 0.05
"""Blocks of memory that a worker may keep of a request, once it is warm. A leak keeps one of each request at least."""

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
        blocks: blocks that it keeps of a request.
    """

    pid: int
    served: int
    first: float
    last: float
    rate: float
    blocks: float


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
        blocks = slope([(served, count) for served, count in workers.blocks[pid] if served > WARM])
        found.append(Growth(pid, workers.served[pid], before, after, (after - before) / requests * 10_000, blocks))
    return found


def slope(samples: Sequence[tuple[int, float]]) -> float:
    """How steep a line through most of them is: the median over all pairs, which a few outliers do not move (Theil, Sen)."""
    return median([(after - before) / (to - begin) for (begin, before), (to, after) in combinations(samples, 2)] or [0.0])


def complaints(workers: Workers, requests: int) -> list[str]:
    """What grows. Of the resident memory the middle worker counts, for a leak is in all of them; of blocks each does.

    Args:
        workers: as they were.
        requests: how many there were.
    """
    found = growths(workers)
    if not found:
        few = "no worker has served enough requests to tell whether its memory is flat; take fewer clients"
        return [few] if requests >= ENOUGH else []
    wrong = [
        f"worker {growth.pid} keeps {growth.blocks:.3f} blocks of memory of a request, and may keep {BLOCKS}"
        for growth in found
        if growth.blocks > BLOCKS
    ]
    # Nothing counted looks flat.
    wrong += [f"worker {growth.pid} has not said how many blocks it has" for growth in found if not workers.blocks[growth.pid]]
    rate = median(growth.rate for growth in found)
    return [*wrong, f"memory grows by {rate:.2f} MB in 10,000 requests, and may by {BOUND}"] if rate > BOUND else wrong
