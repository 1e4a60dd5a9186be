"""Counts what each consumer uses, in tokens and money: one item a month, one addition a request. `usage_months` reads it.

What cannot be written is held back and written when the table is well again, see `held_usage`. Only what may have been written
all the same is not: an addition is not idempotent, and too high a bill is worse than one that lacks a request. So sums of many
requests are written by themselves, right after another write has worked, and a time-out mostly costs one request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from lambda_runtime import log
from lambda_runtime.state import items
from lambda_runtime.state.dynamodb import DynamoDb
from lambda_runtime.state.held_usage import HeldUsage
from lambda_runtime.state.items import Update
from lambda_runtime.state.table_health import RefusedRequestError, TableError, TableHealth, Use
from lambda_runtime.usage import Usage, believable

KEPT_SECONDS = 400 * 86_400
"""Life of a month's item after its last addition: a year can be compared with the one before."""

_MOST_COST = 10**15
"""Billionths of a USD of one answer: a million USD."""


class UsageCounts:
    """Counts what consumers use. Called by one thread, the requests'.

    Args:
        table: where.
        health: whether it can be asked.
        clock: the time, in seconds since the epoch. Default: the real one.
    """

    def __init__(self, table: DynamoDb, health: TableHealth, *, clock: Callable[[], float] = time.time) -> None:
        self.table = table
        self.health = health
        self._clock = clock
        self._held = HeldUsage()
        self._observer: Callable[[Update], None] | None = None

    def observe(self, observer: Callable[[Update], None]) -> None:
        """Have a function told of each addition, before it is made."""
        self._observer = observer

    def held(self, consumer: str, month: str) -> Mapping[str, int]:
        """What a consumer has used that is not in the table yet, by the attributes of its item.

        Args:
            consumer: id of its API key.
            month: for example `2026-11`.
        """
        return self._held.sum(items.USAGE + consumer, month)

    def add(self, consumer: str, usage: Usage, cost: int | None = None) -> None:
        """Count an answer, and a part of what was held back if that works. Never raises, and asks the table twice at most.

        Args:
            consumer: id of the API key that asked.
            usage: its tokens.
            cost: what it cost, in billionths of a USD. Default: nobody knows.
        """
        try:
            update = usage_update(consumer, usage, self._clock(), cost)
            if self._observer is not None:
                self._observer(update)
            if not self.health.may(Use.WRITE_CONSUMERS):
                self._held.hold(update)
            elif self._write(update) and self._held.owes:
                self._catch_up()
        except Exception as error:  # noqa: BLE001
            log.unexpected(error)

    def forget(self) -> None:
        """Hold nothing: before a snapshot of the process, each copy of which would count it. It is written now, or lost."""
        while self._catch_up():
            pass
        self._held.give_up()
        self._held.report()

    def _catch_up(self) -> bool:
        """Write a part of what is held back. Says whether there is more, and it can be written."""
        update = self._held.take()
        if update is not None:
            if not self._write(update, late=True):
                return False
            self._held.caught_up(update)
        if self._held.empty:
            self._held.report()
            return False
        return True

    def _write(self, update: Update, *, late: bool = False) -> bool:
        """Write, or hold back. Says whether it was written.

        Args:
            update: what.
            late: whether it was held back before.
        """
        try:
            self.table.update(update.request(self.table.table))
        except RefusedRequestError as error:
            self.health.failed(Use.WRITE_CONSUMERS, error)  # it would be refused again
            if late:
                self._held.lose(update)
        except TableError as error:
            self.health.failed(Use.WRITE_CONSUMERS, error)
            if error.unsure:
                self._held.doubt(update)
            else:
                self._held.hold(update)
        except Exception as error:  # noqa: BLE001
            log.unexpected(error)
            self._held.doubt(update)
        else:
            self.health.worked(Use.WRITE_CONSUMERS)
            return True
        return False


def month_of(moment: time.struct_time) -> str:
    """The sort key of a month, for example `2026-11`."""
    return f"{moment.tm_year:04d}-{moment.tm_mon:02d}"


def usage_update(consumer: str, usage: Usage, now: float, cost: int | None = None) -> Update:
    """The request that counts an answer, for its month and its day: those in which it ended.

    Args:
        consumer: id of the API key that asked.
        usage: its tokens. A figure that cannot be one counts nothing, and the request as estimated.
        now: the time.
        cost: what it cost, in billionths of a USD; one that cannot be counts as unknown. Default: nobody knows.
    """
    moment = time.gmtime(now)
    figures = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
    believed = [figure if believable(figure) else 0 for figure in figures]
    priced = cost if cost is not None and 0 <= cost <= _MOST_COST else None
    counts = (1, *believed, int(usage.estimated or not usage.believable), priced or 0, int(priced is None))
    adds: dict[str, int] = {}
    for name, count in zip(items.USAGE_COUNTS.values(), counts, strict=True):
        if count:
            adds[name] = adds[f"{moment.tm_mday:02d}{name}"] = count
    expires = {items.EXPIRES: int(now) + KEPT_SECONDS}
    return Update(items.USAGE + consumer, month_of(moment), sets=expires, adds=adds)
