"""Which of a consumer's budgets is fullest, and whether one is used up. Pure: limits, what was used, and the time.

Days and months are in UTC, and an answer belongs to those in which it ended. All figures are whole numbers, money is in
billionths of a USD, so that nothing is rounded but what is told.
"""

from __future__ import annotations

import time
from math import ceil
from typing import NamedTuple

from lambda_runtime.config.limits import ConsumerLimits, is_money
from lambda_runtime.config.prices import NANO

WARN_PERCENT = 80
"""From here on a budget is told, in a header and in the log."""

_DAY = 86_400
_LONGEST_MONTH = 31


class Spent(NamedTuple):
    """What a consumer has used in a day, and in the month of that day.

    Args:
        day_tokens: tokens of the day, input and output together.
        month_tokens: tokens of the month.
        day_cost: billionths of a USD of the day.
        month_cost: billionths of a USD of the month.
    """

    day_tokens: int = 0
    month_tokens: int = 0
    day_cost: int = 0
    month_cost: int = 0


class Verdict(NamedTuple):
    """A budget, and how full it is.

    Args:
        budget: its name, one of `BUDGETS`.
        used: tokens, or billionths of a USD.
        limit: in the same unit.
        resets: when it begins anew, in seconds since the epoch.
    """

    budget: str
    used: int
    limit: int
    resets: int

    @property
    def percent(self) -> int:
        """How full it is, rounded down: 100 is used up."""
        return self.used * 100 // self.limit

    @property
    def used_up(self) -> bool:
        """Whether nothing is left."""
        return self.used >= self.limit

    @property
    def told(self) -> bool:
        """Whether it is so full that it is told."""
        return self.percent >= WARN_PERCENT

    @property
    def resets_at(self) -> str:
        """When it begins anew, in UTC, for example `2026-12-01T00:00:00Z`."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.resets))

    def header(self, *, shadow: bool) -> str:
        """The value of the header that tells it.

        Args:
            shadow: whether nobody is refused.
        """
        limit = _amount(self.budget, self.limit)
        value = f"{self.budget}; used={self.percent}; limit={limit}; resets={self.resets_at}"
        return f"{value}; shadow" if shadow and self.used_up else value

    def message(self) -> str:
        """What a client is told whose budget is used up."""
        used, limit = _amount(self.budget, self.used), _amount(self.budget, self.limit)
        spent = f"about USD {used} of {limit} (an estimate)" if is_money(self.budget) else f"{used} of {limit} tokens"
        return f"the budget {self.budget} of this key is used up: {spent}; it begins anew at {self.resets_at}"

    def retry_after(self, now: float) -> int:
        """Seconds until it begins anew; at least one.

        Args:
            now: the time.
        """
        return max(1, ceil(self.resets - now))


def verdict(limits: ConsumerLimits, spent: Spent, now: float) -> Verdict | None:
    """The budget to be told: the fullest one; of several that are used up the one that begins anew last.

    Args:
        limits: the consumer's.
        spent: what it has used.
        now: the time.

    Returns:
        The budget, or None if there is none.
    """
    of = {
        "tokens_per_day": spent.day_tokens,
        "tokens_per_month": spent.month_tokens,
        "usd_per_day": spent.day_cost,
        "usd_per_month": spent.month_cost,
    }
    ends = {"day": _end_of_day(now), "month": _end_of_month(now)}
    judged = [
        # Half a billionth would be no limit at all.
        Verdict(name, of[name], max(1, round(limit * NANO)) if is_money(name) else int(limit), ends[name.rpartition("_")[2]])
        for name, limit in limits.budgets.items()
    ]
    return max(judged, key=_weight) if judged else None


def _weight(judged: Verdict) -> tuple[int, float]:
    return (judged.resets if judged.used_up else 0, judged.used / judged.limit)


def _end_of_day(now: float) -> int:
    return (int(now) // _DAY + 1) * _DAY


def _end_of_month(now: float) -> int:
    """The first of the next month: from a day that is in it for sure back to its first."""
    today = int(now) // _DAY * _DAY
    beyond = today + (_LONGEST_MONTH + 1 - time.gmtime(today).tm_mday) * _DAY
    return beyond - (time.gmtime(beyond).tm_mday - 1) * _DAY


def _amount(budget: str, figure: int) -> str:
    """A figure in its budget's unit, as text without thousands' separators and without an exponent."""
    if not is_money(budget):
        return str(figure)
    whole, billionths = divmod(figure, NANO)
    return f"{whole}.{billionths:09d}".rstrip("0").rstrip(".")
