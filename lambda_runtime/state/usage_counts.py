"""Counts the tokens that each consumer uses: one item a month, one addition a request. `usage_months` reads them."""

from __future__ import annotations

import time
from collections.abc import Callable

from lambda_runtime import log
from lambda_runtime.state import items
from lambda_runtime.state.dynamodb import DynamoDb
from lambda_runtime.state.items import Update
from lambda_runtime.state.table_health import TableError, TableHealth, Use
from lambda_runtime.usage import Usage

KEPT_SECONDS = 400 * 86_400
"""Life of a month's item after its last addition: a year can be compared with the one before."""

MOST = 100_000_000
"""Tokens of one answer. No model takes or gives a tenth of it: a larger figure is a mistake, and would spoil its sums."""


class UsageCounts:
    """Counts what consumers use.

    Args:
        table: where.
        health: whether it can be asked.
        clock: the time, in seconds since the epoch. Default: the real one.
    """

    def __init__(self, table: DynamoDb, health: TableHealth, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._health = health
        self._clock = clock

    def add(self, consumer: str, usage: Usage) -> None:
        """Count an answer. Never raises: what cannot be written is lost, and the log says that it cannot.

        Args:
            consumer: id of the API key that asked.
            usage: its tokens.
        """
        if not self._health.may(Use.WRITE):
            return
        try:
            self._table.update(usage_update(consumer, usage, self._clock()).request(self._table.table))
        except TableError as error:
            self._health.failed(Use.WRITE, error)
        except Exception as error:  # noqa: BLE001
            log.unexpected(error)
        else:
            self._health.worked(Use.WRITE)


def usage_update(consumer: str, usage: Usage, now: float) -> Update:
    """The request that counts an answer, for its month and its day.

    Args:
        consumer: id of the API key that asked.
        usage: its tokens. A figure that cannot be one counts nothing, and the request as estimated.
        now: the time.
    """
    moment = time.gmtime(now)
    figures = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
    believed = [figure if _believable(figure) else 0 for figure in figures]
    counts = (1, *believed, int(usage.estimated or not all(map(_believable, figures))))
    adds: dict[str, int] = {}
    for name, count in zip(items.USAGE_COUNTS.values(), counts, strict=True):
        if count:
            adds[name] = adds[f"{moment.tm_mday:02d}{name}"] = count
    expires = {items.EXPIRES: int(now) + KEPT_SECONDS}
    return Update(items.USAGE + consumer, f"{moment.tm_year:04d}-{moment.tm_mon:02d}", sets=expires, adds=adds)


def _believable(figure: object) -> bool:
    return isinstance(figure, int) and 0 <= figure <= MOST
