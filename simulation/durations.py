"""How long answers take: log-normal, from a median and a 95th percentile."""

from __future__ import annotations

from math import exp, log
from random import Random

from simulation.inputs import Inputs

LONGEST = 898.5
"""Seconds: the function's time-out, and what the gateway keeps of it for the end."""

_Z95 = 1.6448536269514722


class LogNormal:
    """A log-normal time.

    Args:
        median_and_p95: in seconds.
    """

    def __init__(self, median_and_p95: tuple[float, float]) -> None:
        median, p95 = median_and_p95
        self._mu = log(median)
        self._sigma = log(p95 / median) / _Z95

    def draw(self, random: Random) -> float:
        """One of them, in seconds."""
        return random.lognormvariate(self._mu, self._sigma)

    @property
    def mean(self) -> float:
        """In seconds."""
        return exp(self._mu + self._sigma**2 / 2)


class Durations:
    """Times to the first token and to the end.

    Args:
        inputs: their medians and percentiles.
        random: random numbers.
    """

    def __init__(self, inputs: Inputs, random: Random) -> None:
        self._stream_share = inputs.stream_share
        self._stream, self._call, self._first = (LogNormal(each) for each in (inputs.stream, inputs.call, inputs.first))
        self._random = random

    def draw(self) -> tuple[float, float]:
        """Seconds to the first token, and from there to the end. A JSON call's first byte comes with its last."""
        random = self._random
        if random.random() >= self._stream_share:
            return min(self._call.draw(random), LONGEST), 0.0
        first = min(self._first.draw(random), LONGEST)
        return first, max(0.0, min(self._stream.draw(random), LONGEST) - first)
