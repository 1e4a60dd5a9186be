"""The last minute of a target, in buckets of ten seconds, and what it says about the target. Pure.

Each attempt is one atomic addition to the bucket of its time, whoever makes it. Attempts that were made under one state of the
breaker are counted apart from those under the next: its time is a part of the bucket's key. So an old window cannot open a
breaker that has just been closed, and nothing needs to be deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lambda_runtime.state import items
from lambda_runtime.state.items import Item, Update

BUCKET = 10
BUCKETS = 6
MIN_CALLS = 20
MIN_FAILURES = 5
MAX_PERCENT = 5
MAX_ROW = 5

BY_ROW = f"{MAX_ROW} failures in a row"
BY_RATE = "failure rate"

_LIFE = 300
_DIGITS = 12


class Bucket(NamedTuple):
    """Attempts of ten seconds.

    Args:
        start: when it begins, in seconds since the epoch.
        calls: all attempts that say something about the target.
        failures: those that failed.
        row: failures in a row at its end. With it a row is followed over buckets, of which each alone only knows its sums.
    """

    start: int
    calls: int = 0
    failures: int = 0
    row: int = 0


def counted(target: str, since: float, *, failed: bool, now: float) -> Update:
    """The request that counts an attempt.

    Args:
        target: `upstream/model`.
        since: when its breaker was last opened or closed, see `Breaker`.
        failed: whether it failed.
        now: the time.
    """
    start = _start(now)
    pk, sk, expires = items.WINDOW + target, _sort_key(start, since), {items.EXPIRES: start + _LIFE}
    if failed:
        return Update(pk, sk, expires, adds={"calls": 1, "failures": 1, "row": 1})
    return Update(pk, sk, {**expires, "row": 0}, adds={"calls": 1})


def last_minute(table: str, target: str, now: float) -> dict[str, Any]:
    """The parameters of the `Query` that reads a target's window."""
    return items.query(table, items.WINDOW + target, _sort_key(_start(now) - (BUCKETS - 1) * BUCKET, 0.0))


def buckets_of(read: Iterable[Item], since: float, now: float) -> list[Bucket]:
    """The window's buckets under one state of the breaker, oldest first.

    Args:
        read: what `last_minute` asked for.
        since: as in `counted`.
        now: the time.
    """
    oldest = _start(now) - (BUCKETS - 1) * BUCKET
    found = []
    for item in read:
        start, _, state = items.text(item, items.SORT_KEY).partition("#")
        if start.isdecimal() and int(start) >= oldest and state == _state(since):
            figures = (items.count(item, name) for name in ("calls", "failures", "row"))
            found.append(Bucket(int(start), *figures))
    return sorted(found)


def in_a_row(buckets: Iterable[Bucket]) -> int:
    """How many of the last attempts failed in a row.

    Args:
        buckets: oldest first. One that is missing had no attempts, and interrupts no row.
    """
    row = 0
    for bucket in reversed(list(buckets)):
        row += bucket.row
        if bucket.failures < bucket.calls:
            break
    return row


def verdict(buckets: list[Bucket]) -> str:
    """Why the breaker has to open; empty if it does not.

    Args:
        buckets: oldest first.
    """
    if in_a_row(buckets) >= MAX_ROW:
        return BY_ROW
    calls = sum(bucket.calls for bucket in buckets)
    failures = sum(bucket.failures for bucket in buckets)
    return BY_RATE if calls >= MIN_CALLS and failures >= MIN_FAILURES and failures * 100 > MAX_PERCENT * calls else ""


def _start(now: float) -> int:
    return int(now) // BUCKET * BUCKET


def _state(since: float) -> str:
    return f"{since:.3f}" if since else ""


def _sort_key(start: int, since: float) -> str:
    state = _state(since)
    return f"{start:0{_DIGITS}d}#{state}" if state else f"{start:0{_DIGITS}d}"
