"""Plans: what a consumer may use, in requests."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aws_cdk.aws_apigateway import Period

from gateway_construct.tokens import known


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """How many requests a consumer may send in a period. API Gateway counts them on a best-effort basis.

    Args:
        limit: requests in a period, at least 1.
        period: day, week or month, in UTC.

    Raises:
        ValueError: if the limit is not a whole number of at least 1.
    """

    limit: int
    period: Period

    def __post_init__(self) -> None:
        _require_whole("quota: limit", self.limit)

    @classmethod
    def per_day(cls, limit: int) -> Quota:
        """So many requests a day."""
        return cls(limit=limit, period=Period.DAY)

    @classmethod
    def per_week(cls, limit: int) -> Quota:
        """So many requests a week."""
        return cls(limit=limit, period=Period.WEEK)

    @classmethod
    def per_month(cls, limit: int) -> Quota:
        """So many requests a month."""
        return cls(limit=limit, period=Period.MONTH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a consumer may use. `Plan()` has no limit but those of the account.

    Args:
        rate: requests a second in the long run, more than 0. Default: no limit.
        burst: requests that may come at once, at least 1; needs `rate`. Default: the rate, rounded up.
        quota: requests in a day, week or month. Default: no quota.

    Raises:
        ValueError: if a number is out of its range, or a burst is given without a rate.
    """

    rate: float | None = None
    burst: int | None = None
    quota: Quota | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and known(self.rate) and not 0 < self.rate < math.inf:
            raise ValueError(f"plan: rate must be more than 0 requests a second, got {self.rate!r}; leave it out for no limit")
        if self.burst is not None:
            if self.rate is None:
                raise ValueError(f"plan: burst needs a rate, got burst {self.burst!r} alone; give rate as well")
            _require_whole("plan: burst", self.burst)

    @property
    def effective_burst(self) -> int | None:
        """The burst, with its default."""
        if self.burst is not None or self.rate is None or not known(self.rate):
            return self.burst
        return math.ceil(self.rate)

    @property
    def unlimited(self) -> bool:
        """Whether nothing limits the consumer but the account's own limits."""
        return self.rate is None and self.quota is None


def _require_whole(what: str, value: object) -> None:
    if isinstance(value, float) and not known(value):
        return
    if isinstance(value, bool) or not isinstance(value, int) or (known(value) and value < 1):
        raise ValueError(f"{what} must be a whole number of at least 1, got {value!r}")
