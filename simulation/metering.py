"""Capacity units of the table by partition key, second by second, and where DynamoDB would throttle."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from gateway_prices.quotas import PARTITION_READS, PARTITION_WRITES


@dataclass(slots=True)
class Traffic:
    """Of one kind at one key, or of the whole table.

    Attributes:
        calls: that were served.
        units: that they took.
        busiest: units of the busiest second.
        throttled: calls that were refused.
    """

    calls: int = 0
    units: int = 0
    busiest: int = 0
    throttled: int = 0
    _second: int = -1
    _now: int = 0

    def add(self, units: int, second: int, most: float) -> bool:
        """Serve a call, or refuse it.

        Args:
            units: that it takes.
            second: in which second.
            most: units a second.

        Returns:
            Whether it was served.
        """
        if second != self._second:
            self._second, self._now = second, 0
        if self._now + units > most:
            self.throttled += 1
            return False
        self._now += units
        self.calls += 1
        self.units += units
        self.busiest = max(self.busiest, self._now)
        return True


class Meter:
    """Counts the units of each key.

    What DynamoDB saves of unused capacity for bursts is left out: AWS promises none of it.
    """

    def __init__(self) -> None:
        self.reads: dict[str, Traffic] = {}
        self.writes: dict[str, Traffic] = {}
        self.all_reads = Traffic()
        self.all_writes = Traffic()

    def read(self, key: str, units: int, now: float) -> bool:
        """A read. Says whether it is served."""
        return _served(self.reads.setdefault(key, Traffic()), self.all_reads, units, PARTITION_READS, int(now))

    def write(self, key: str, units: int, now: float) -> bool:
        """A write. Says whether it is served."""
        return _served(self.writes.setdefault(key, Traffic()), self.all_writes, units, PARTITION_WRITES, int(now))

    def hottest_read(self, kind: str) -> Traffic:
        """The reads of the key of one kind that had the busiest second.

        Args:
            kind: what the keys begin with.
        """
        return _hottest(self.reads, kind)

    def hottest_write(self, kind: str) -> Traffic:
        """The same of writes."""
        return _hottest(self.writes, kind)


def _served(of_key: Traffic, whole: Traffic, units: int, most: int, second: int) -> bool:
    if of_key.add(units, second, most):
        return whole.add(units, second, inf)
    whole.throttled += 1
    return False


def _hottest(by_key: dict[str, Traffic], kind: str) -> Traffic:
    found = [traffic for key, traffic in by_key.items() if key.startswith(kind)]
    return max(found, key=lambda traffic: traffic.busiest, default=Traffic())
