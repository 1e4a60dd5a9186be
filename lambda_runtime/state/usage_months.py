"""What a consumer has used, read from a month's item. Pure: for the operator's commands, which read it with boto3."""

from __future__ import annotations

from typing import NamedTuple

from lambda_runtime.state import items
from lambda_runtime.state.items import Item


class Counts(NamedTuple):
    """What a month or a day adds up to.

    Args:
        requests: answers that were counted.
        input: tokens of all input, what a prompt cache held included.
        output: tokens of all output, what was thought included.
        cached: the part of the input that was read from a prompt cache.
        cache_write: the part of the input that was written to one.
        reasoning: the part of the output that was thought.
        estimated: how many of the requests have estimated figures.
        cost: of those whose price is known, in billionths of a USD: an estimate.
        unpriced: how many of the requests have no known price.
    """

    requests: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    estimated: int = 0
    cost: int = 0
    unpriced: int = 0


class MonthOfUsage(NamedTuple):
    """A consumer's usage in a month.

    Args:
        consumer: id of its API key.
        month: for example `2026-11`, in UTC.
        total: of the month.
        days: by day of the month, those with requests, in order.
    """

    consumer: str
    month: str
    total: Counts
    days: dict[int, Counts]


def parse(item: Item) -> MonthOfUsage:
    """Read an item of usage.

    Args:
        item: in DynamoDB's own form.
    """
    days = {day: _counts(item, f"{day:02d}") for day in range(1, 32)}
    return MonthOfUsage(
        items.text(item, items.PARTITION_KEY).removeprefix(items.USAGE),
        items.text(item, items.SORT_KEY),
        _counts(item, ""),
        {day: counts for day, counts in days.items() if counts.requests},
    )


def _counts(item: Item, prefix: str) -> Counts:
    return Counts(*(items.count(item, prefix + name) for name in items.USAGE_COUNTS.values()))
