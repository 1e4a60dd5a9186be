"""A number that changes with time, and for how long it had which value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence


class Levels:
    """For how long a level was how high."""

    def __init__(self) -> None:
        self._since = 0.0
        self._seconds: defaultdict[int, float] = defaultdict(float)
        self._counts = True
        self.level = 0

    def restart(self, now: float) -> None:
        """Count from now on. The level stays."""
        self._since = now
        self._seconds.clear()

    def count(self, now: float, *, counts: bool) -> None:
        """Count from now on, or count nothing."""
        self.settle(now)
        self._counts = counts

    def stop(self, now: float) -> Levels:
        """What was counted until now, apart from what follows."""
        self.settle(now)
        stopped = Levels()
        stopped._seconds.update(self._seconds)
        return stopped

    def change(self, by: int, now: float) -> None:
        """It rises or falls.

        Args:
            by: how much.
            now: the time.
        """
        self.settle(now)
        self.level += by

    def settle(self, now: float) -> None:
        """Count what has passed."""
        if now > self._since:
            if self._counts:
                self._seconds[self.level] += now - self._since
            self._since = now

    @property
    def mean(self) -> float:
        """Over the time that was counted."""
        total = sum(self._seconds.values())
        return sum(level * seconds for level, seconds in self._seconds.items()) / total if total else 0.0

    @property
    def highest(self) -> int:
        """The highest level."""
        return max((level for level, seconds in self._seconds.items() if seconds), default=0)

    def percentile(self, percent: float) -> int:
        """The level that was not exceeded in so many percent of the time."""
        wanted = sum(self._seconds.values()) * percent / 100
        passed = 0.0
        for level in sorted(self._seconds):
            passed += self._seconds[level]
            if passed >= wanted:
                return level
        return 0


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed; 0 of none.

    Args:
        values: in any order.
        percent: from 0 to 100.
    """
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * percent // 100) - 1))]
