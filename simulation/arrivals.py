"""When requests come: a Poisson process whose rate follows the hours, with batches, and bursts where one is wanted."""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import NamedTuple

from simulation.inputs import DAY, HOUR, Inputs


class Burst(NamedTuple):
    """A time with many times the requests.

    Args:
        start: when it begins, in seconds of the simulation.
        seconds: for how long.
        times: the usual rate.
    """

    start: float
    seconds: float
    times: float


class Curve:
    """Requests a second at each time; constant between two changes.

    Args:
        requests_a_day: of a whole day without bursts.
        hours: share of each of the 24 hours.
        burst: a burst. None: there is none.
    """

    def __init__(self, requests_a_day: float, hours: tuple[float, ...], burst: Burst | None = None) -> None:
        total = sum(hours)
        self._rates = tuple(requests_a_day * share / total / HOUR for share in hours)
        self._burst = burst

    def rate(self, now: float) -> float:
        """Requests a second."""
        rate = self._rates[int(now % DAY // HOUR)]
        burst = self._burst
        return rate * burst.times if burst and burst.start <= now < burst.start + burst.seconds else rate

    def next_change(self, now: float) -> float:
        """The next time at which the rate is another."""
        changes = [(now // HOUR + 1) * HOUR]
        if self._burst:
            changes += [edge for edge in (self._burst.start, self._burst.start + self._burst.seconds) if edge > now]
        return min(changes)


def arrivals(curve: Curve, inputs: Inputs, random: Random, start: float, end: float) -> Generator[tuple[float, int]]:
    """Times of arrivals, and how many requests each brings.

    A gap that would reach into the next rate is drawn anew from there, which is exact: such gaps have no memory.

    Args:
        curve: requests a second.
        inputs: how large batches are, and how frequent.
        random: random numbers.
        start: from when.
        end: until when.
    """
    requests_an_arrival = 1 + inputs.batch_share * (inputs.batch_size - 1)
    now = start
    while now < end:
        rate = curve.rate(now) / requests_an_arrival
        change = curve.next_change(now)
        then = now + random.expovariate(rate) if rate > 0 else change
        if then >= change:
            now = change
            continue
        now = then
        if now < end:
            yield now, inputs.batch_size if random.random() < inputs.batch_share else 1
