"""At which traffic one way of paying becomes dearer than another."""

from __future__ import annotations

from collections.abc import Callable

LEAST, MOST = 1.0, 1e9
"""Requests a day between which is searched."""

_STEP = 10 ** (1 / 20)
_HALVINGS = 60

Cost = Callable[[float], float]
"""USD a month by the requests a day."""


def crossover(one: Cost, other: Cost) -> float | None:
    """The least traffic at which the first costs more than the second.

    Far above it may cost less again: the price of a large amount falls in steps.

    Args:
        one: cheaper while there is little traffic.
        other: what it is compared with.

    Returns:
        Requests a day, where both cost the same; `LEAST` if the first is dearer there already; None if it never is.
    """
    below = LEAST
    if one(below) > other(below):
        return below
    while below < MOST:
        above = min(below * _STEP, MOST)
        if one(above) > other(above):
            return _between(one, other, below, above)
        below = above
    return None


def _between(one: Cost, other: Cost, below: float, above: float) -> float:
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        below, above = (below, middle) if one(middle) > other(middle) else (middle, above)
    return above
