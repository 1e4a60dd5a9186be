"""The random numbers of a run: all from one number, so that requests and faults can be repeated."""

from __future__ import annotations

from random import Random


def draws(state: int, *of: object) -> Random:
    """Random numbers.

    Args:
        state: initial state of the run's random numbers.
        of: what they are for; each has its own.
    """
    return Random(" ".join(map(str, (state, *of))))  # noqa: S311  nothing secret
