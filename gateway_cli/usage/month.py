"""The month that usage is asked for."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from gateway_cli.errors import MISTAKEN, CommandError

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Month:
    """A month in UTC, as far as it has come.

    Args:
        first: its first day.
        last: its last day, or today.
    """

    first: dt.date
    last: dt.date

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


def parse_month(text: str | None, today: dt.date) -> Month:
    """A month as operators write it.

    Args:
        text: as in `2026-11`. None: this month.
        today: the date in UTC.

    Raises:
        CommandError: if it is none, or has not begun.
    """
    if text is None:
        return Month(today.replace(day=1), today)
    match = _MONTH.fullmatch(text)
    if not match:
        raise CommandError(f"a month is written as in {today:%Y-%m}, got {text!r}", status=MISTAKEN)
    year, month = int(match[1]), int(match[2])
    if (year, month) > (today.year, today.month):
        raise CommandError(f"the month {text} has not begun; today it is {today} in UTC", status=MISTAKEN)
    if year == 0:
        raise CommandError(f"there is no year 0000, got {text!r}", status=MISTAKEN)
    return Month(dt.date(year, month, 1), min(today, dt.date(year, month, calendar.monthrange(year, month)[1])))
