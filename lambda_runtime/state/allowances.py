"""What each consumer may use and has used: read from the table before each request of a consumer that has limits.

The bound. A request is admitted after one strongly consistent Query of its consumer's partition, and its usage is added there
after its answer has ended, before its function instance takes the next request. So whoever begins after an addition was made
sees it, on whichever instance: a budget can be overrun only by requests that were under way together, and by no more than
what these used. An answer whose usage is not written yet counts as under way, though its client may have all of it: that takes
one write, and longer where the table is not well (`held_usage`); the instance that holds usage back counts it by itself.

Without the table what was last read is what is known, and what this instance has added since: a budget that was used up stays
so until its day or month is over. Who was never read has no limits then, for an outage of the table must not be one of the
gateway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from lambda_runtime import log
from lambda_runtime.budgets import Spent
from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.errors import LimitsError
from lambda_runtime.state import items
from lambda_runtime.state.dynamodb import DynamoDb
from lambda_runtime.state.items import Item, Update
from lambda_runtime.state.table_health import TableHealth, Use, as_table_error
from lambda_runtime.state.usage_counts import UsageCounts, month_of

UNLIMITED_FOR = 60.0
"""Seconds for which an instance remembers that a consumer has no limits: so long may new ones take to be heeded."""

MOST_UNLIMITED = 2048
MOST_LIMITED = 256
"""Consumers that an instance remembers; those that were read longest ago are forgotten."""

_TOKENS = (items.USAGE_COUNTS["input"], items.USAGE_COUNTS["output"])
_COST = items.USAGE_COUNTS["cost"]


class Allowance(NamedTuple):
    """What a consumer may use and has used.

    Args:
        limits: what it may use.
        spent: what it has used.
        at: the time of which this is true, in seconds since the epoch.
    """

    limits: ConsumerLimits
    spent: Spent
    at: float


class _Known:
    """What was last read of a consumer that has limits.

    Args:
        text: its limits, as the table has them.
        limits: the same; None if they make no sense.
        month: the month that was read.
        day: the day that was read, as two digits.
        spent: what it had used in both.
        since: what is not in that: this instance's additions by month, which were held back or made after it was read.
    """

    __slots__ = ("day", "limits", "month", "since", "spent", "text")

    def __init__(
        self, *, text: str, limits: ConsumerLimits | None, month: str, day: str, spent: Spent, since: dict[str, dict[str, int]]
    ) -> None:
        self.text = text
        self.limits = limits
        self.month = month
        self.day = day
        self.spent = spent
        self.since = since

    def spent_in(self, month: str, day: str) -> Spent:
        """What it has used in a month and a day of it, as far as this is known."""
        read = self.spent if month == self.month else Spent()
        if day != self.day:
            read = read._replace(day_tokens=0, day_cost=0)
        added = _spent(self.since.get(month, {}), day)
        return Spent(*(before + more for before, more in zip(read, added, strict=True)))


class Allowances:
    """Reads allowances. Called by one thread, the requests'.

    Args:
        table: its client.
        health: whether it can be asked.
        counts: counts what is used.
        clock: the time, in seconds since the epoch. Default: the real one.
    """

    def __init__(
        self, table: DynamoDb, health: TableHealth, counts: UsageCounts, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._health = health
        self._counts = counts
        self._clock = clock
        self._unlimited: dict[str, float] = {}  # when it was read
        self._known: dict[str, _Known] = {}
        counts.observe(self._added)

    def of(self, consumer: str) -> Allowance | None:
        """What a consumer may use and has used; None if it has no limits, or none are known.

        Args:
            consumer: id of its API key.

        Raises:
            LimitsError: if what the table says of its limits makes no sense.
        """
        now = self._clock()
        if 0 <= now - self._unlimited.get(consumer, now + 1) < UNLIMITED_FOR:
            return None
        moment = time.gmtime(now)
        month, day = month_of(moment), f"{moment.tm_mday:02d}"
        if self._health.may(Use.READ_CONSUMERS):
            try:
                read = self._table.query(_query(self._table.table, consumer, month, day))
            except Exception as error:  # noqa: BLE001  whatever it is, the request is not to fail for it
                self._health.failed(Use.READ_CONSUMERS, as_table_error(error))
            else:
                self._health.worked(Use.READ_CONSUMERS)
                self._learn(consumer, read, month, day, now)
        known = self._known.get(consumer)
        if known is None:
            return None
        if known.limits is None:
            # Closed, unlike an outage of the table: somebody meant to limit this consumer, and mistyped. That does not pass by
            # itself, and nobody would notice a budget that does not hold before the invoice. A refusal shows itself at once.
            # The command and the deployment, which look at what they write, cannot bring it about.
            raise LimitsError
        return Allowance(known.limits, known.spent_in(month, day), now)

    def forget(self) -> None:
        """Know nothing: before a snapshot of the process."""
        self._unlimited.clear()
        self._known.clear()

    def _learn(self, consumer: str, read: Iterable[Item], month: str, day: str, now: float) -> None:
        by_key = {items.text(item, items.SORT_KEY): item for item in read}
        before = self._known.pop(consumer, None)
        self._unlimited.pop(consumer, None)
        said = by_key.get(items.LIMITS)
        if said is None:
            self._remember_unlimited(consumer, now)
            return
        text = items.text(said, items.LIMITS)
        limits = before.limits if before is not None and before.text == text else _parsed(text, consumer)
        if limits is not None and limits.unlimited:
            self._remember_unlimited(consumer, now)
            return
        found = by_key.get(month, {})
        counts = {name: items.count(found, name) for name in _names(day)}
        since = {month: dict(self._counts.held(consumer, month))}
        spent = _spent(counts, day)
        self._known[consumer] = _Known(text=text, limits=limits, month=month, day=day, spent=spent, since=since)
        if len(self._known) > MOST_LIMITED:
            del self._known[next(iter(self._known))]

    def _remember_unlimited(self, consumer: str, now: float) -> None:
        self._unlimited[consumer] = now
        if len(self._unlimited) > MOST_UNLIMITED:
            del self._unlimited[next(iter(self._unlimited))]

    def _added(self, update: Update) -> None:
        known = self._known.get(update.pk.removeprefix(items.USAGE))
        if known is not None:
            since = known.since.setdefault(update.sk, {})
            for name, count in update.adds.items():
                since[name] = since.get(name, 0) + count


def _query(table: str, consumer: str, month: str, day: str) -> dict[str, Any]:
    """The request: the current month and what sorts behind it, and of all attributes the few that are looked at."""
    names = (items.SORT_KEY, items.LIMITS, *_names(day))
    return {
        **items.query(table, items.USAGE + consumer, month),
        "ProjectionExpression": ", ".join(f"#{name}" for name in names),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
    }


def _names(day: str) -> list[str]:
    return [prefix + name for prefix in ("", day) for name in (*_TOKENS, _COST)]


def _spent(counts: Mapping[str, int], day: str) -> Spent:
    """What an item's counts, or additions to it, say of its month and of a day."""
    day_tokens, month_tokens = (sum(counts.get(prefix + name, 0) for name in _TOKENS) for prefix in (day, ""))
    return Spent(day_tokens, month_tokens, counts.get(day + _COST, 0), counts.get(_COST, 0))


def _parsed(text: str, consumer: str) -> ConsumerLimits | None:
    try:
        return ConsumerLimits.from_json(text)
    except ValueError as error:
        log.error(
            f"the table's limits of this consumer make no sense, and its requests are refused: {log.bounded(str(error))}; "
            "set them again with `ai-gateway budgets set`",
            consumer=consumer,
        )
        return None
