"""Usage plans' limits: token buckets and request quotas, as API Gateway counts them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

_DAYS_OF_WEEK = 7


@dataclass(frozen=True, slots=True)
class Throttle:
    """A rate limit.

    Args:
        rate: requests per second in the long run.
        burst: size of the bucket, which is how many requests may come at once.
    """

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Quota:
    """A number of requests in a period.

    Args:
        limit: how many.
        period: `DAY`, `WEEK` or `MONTH`, by the calendar in UTC.
        offset: days by which the period starts later; a week starts on Sunday with 0 and on Monday with 1.
    """

    limit: int
    period: str
    offset: int = 0

    def period_start(self, day: dt.date) -> dt.date:
        """The first day of the period that a day belongs to."""
        if self.period == "WEEK":
            return day - dt.timedelta((day.isoweekday() - self.offset) % _DAYS_OF_WEEK)
        if self.period == "MONTH":
            shifted = day - dt.timedelta(self.offset)
            return shifted.replace(day=1) + dt.timedelta(self.offset)
        return day


class Verdict(Enum):
    """What becomes of a request. The value is the type of the gateway response."""

    PASS = ""
    THROTTLED = "THROTTLED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Limiter:
    """Counts requests against throttles and quotas.

    Args:
        clock: seconds, monotonic; drives the buckets.
        today: the date in UTC; drives the quotas.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], dt.date] = lambda: dt.datetime.now(dt.UTC).date(),
    ) -> None:
        self._clock = clock
        self._today = today
        self._buckets: dict[tuple[object, Throttle], _Bucket] = {}
        self._used: dict[object, tuple[dt.date, int]] = {}

    def take(self, throttles: dict[object, Throttle], quotas: dict[object, Quota]) -> Verdict:
        """Count one request against everything at once; a refused one takes nothing.

        Args:
            throttles: what it must pass, by whom or what each is counted for.
            quotas: the same for quotas.
        """
        buckets = [self._bucket(key, throttle) for key, throttle in throttles.items()]
        if any(bucket.tokens < 1 for bucket in buckets):
            return Verdict.THROTTLED
        used = {key: self._count(key, quota) for key, quota in quotas.items()}
        if any(used[key][1] >= quota.limit for key, quota in quotas.items()):
            return Verdict.QUOTA_EXCEEDED
        for bucket in buckets:
            bucket.tokens -= 1
        for key, (start, count) in used.items():
            self._used[key] = (start, count + 1)
        return Verdict.PASS

    def _bucket(self, key: object, throttle: Throttle) -> _Bucket:
        now = self._clock()
        # A changed limit starts with a full bucket of its own, so that a plan can be changed while the gateway runs.
        bucket = self._buckets.setdefault((key, throttle), _Bucket(throttle.burst, now))
        bucket.tokens = min(float(throttle.burst), bucket.tokens + (now - bucket.filled) * throttle.rate)
        bucket.filled = now
        return bucket

    def _count(self, key: object, quota: Quota) -> tuple[dt.date, int]:
        start = quota.period_start(self._today())
        kept = self._used.get(key)
        return kept if kept and kept[0] == start else (start, 0)
