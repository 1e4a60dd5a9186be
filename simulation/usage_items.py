"""Items of usage as they are at the end of a month, made by the gateway's own additions."""

from __future__ import annotations

import time

from gateway_prices.quotas import WRITE_UNIT_BYTES
from lambda_runtime.config.limits import MOST_TOKENS, ConsumerLimits
from lambda_runtime.state import items
from lambda_runtime.state.items import Update
from lambda_runtime.state.usage_counts import usage_update
from lambda_runtime.usage import Usage
from simulation.inputs import DAY, Inputs
from simulation.item_size import item_size
from simulation.memory_table import Attributes, MemoryTable

KEY_ID = "a1b2c3d4e5"
"""As long as API Gateway's ids of keys, which name consumers."""


CONSUMER = "consumer-"
"""What the simulated consumers' names begin with; the largest is the first."""


def fill_month(table: MemoryTable, inputs: Inputs, requests_a_day: float, now: float) -> int:
    """Count the days of the month that are over, for each consumer, and give the largest its budget.

    Args:
        table: where.
        inputs: consumers and tokens.
        requests_a_day: of all consumers together.
        now: in the month's last day.

    Returns:
        Requests that it has counted.
    """
    filled = 0
    for consumer in range(inputs.consumers):
        share = inputs.largest_consumer if not consumer else (1 - inputs.largest_consumer) / max(1, inputs.consumers - 1)
        count = max(1, round(requests_a_day * (share if inputs.consumers > 1 else 1.0)))
        for ago in range(time.gmtime(now).tm_mday - 1, 0, -1):
            update = usage_update(f"{CONSUMER}{consumer}", inputs.usage, now - ago * DAY, inputs.cost)
            update = update._replace(adds={name: by * count for name, by in update.adds.items()})
            table.update(update.request(table.table))
            filled += count
    if inputs.budget:
        limits = ConsumerLimits(tokens_per_month=MOST_TOKENS)
        update = Update(items.USAGE + f"{CONSUMER}0", items.LIMITS, sets={items.LIMITS: limits.to_json()})
        table.update(update.request(table.table))
    return filled


def month_sizes(usage: Usage, cost: int | None, requests_a_day: float, month_ends: float) -> list[int]:
    """Bytes of a consumer's item at the end of each day of a month.

    Args:
        usage: of a request.
        cost: of a request, in billionths of a USD. None: there are no prices.
        requests_a_day: of the consumer.
        month_ends: a time in the month's last day.
    """
    days = time.gmtime(month_ends).tm_mday
    item: Attributes = {}
    sizes = []
    for day in range(days):
        update = usage_update(KEY_ID, usage, month_ends - (days - 1 - day) * DAY, cost)
        item |= {
            "pk": {"S": update.pk},
            "sk": {"S": update.sk},
            **{name: {"N": str(each)} for name, each in update.sets.items()},
        }
        for name, by in update.adds.items():
            before = int(item[name]["N"]) if name in item else 0
            # Odd sums: round ones would be stored in fewer bytes.
            item[name] = {"N": str(before + max(1, round(requests_a_day)) * by + 1)}
        sizes.append(item_size(item))
    return sizes


def mean_write_units(sizes: list[int]) -> float:
    """Write units of an addition, over a month whose days have these sizes."""
    return sum(-(-size // WRITE_UNIT_BYTES) for size in sizes) / len(sizes)
