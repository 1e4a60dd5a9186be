"""Requests a second: each client asks again as soon as it has its answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.calls import Kind
from benchmarks.latency import Call


def requests_per_second(callers: Sequence[Call], seconds: float) -> float:
    """Have all clients ask at the same time.

    Args:
        callers: a client each.
        seconds: for how long.
    """
    for call in callers:
        call(Kind.JSON)
    began = time.perf_counter()

    def ask(call: Call) -> int:
        count = 0
        while time.perf_counter() < began + seconds:
            call(Kind.JSON)
            count += 1
        return count

    with ThreadPoolExecutor(len(callers)) as pool:
        answered = sum(pool.map(ask, callers))
    return answered / (time.perf_counter() - began)
