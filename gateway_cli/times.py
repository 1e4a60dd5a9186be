"""Times as operators write and read them: `30s`, `10m`, `2h`, `1d`; a time of the day; UTC for scripts."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from gateway_cli.errors import MISTAKEN, CommandError

_DAY = 86_400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": _DAY}
_DURATION = re.compile(r"(\d{1,6})([smhd])")


def seconds_of(duration: str) -> int:
    """The seconds of a duration.

    Raises:
        CommandError: if it is none.
    """
    match = _DURATION.fullmatch(duration.strip())
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not seconds:
        raise CommandError(f"a duration is a number and a unit, as in 30s, 10m, 2h or 1d, got {duration!r}", status=MISTAKEN)
    return seconds


def duration_of(seconds: float, *, units: int = 2) -> str:
    """A duration for people.

    Args:
        seconds: how long it is.
        units: how many units are told at most. Default: 2, as in `1 h 30 m`.
    """
    whole = max(0, round(seconds))
    parts = []
    for unit in reversed(_UNITS):
        number, whole = divmod(whole, _UNITS[unit])
        if number:
            parts.append(f"{number} {unit}")
        elif parts:
            break
    return " ".join(parts[:units]) or "0 s"


def clock_time(moment: float, now: float) -> str:
    """A time of the day in the user's zone, with the date if it is another day's."""
    local = datetime.fromtimestamp(moment).astimezone()
    near = abs(moment - now) < _DAY and local.date() == datetime.fromtimestamp(now).astimezone().date()
    return f"{local:%H:%M:%S}" if near else f"{local:%Y-%m-%d %H:%M:%S}"


def timestamp(moment: float) -> str:
    """A time in UTC, for scripts."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
