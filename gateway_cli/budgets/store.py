"""Consumers' limits and what they have used, in the gateway's table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway_cli.aws.table_items import read_items
from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.state import items
from lambda_runtime.state.usage_months import MonthOfUsage, parse

TEMPLATE = "template"
"""Attribute with the limits that a deployment has written last, whatever an operator has set since."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What the table has of a key.

    Args:
        limits: text of the limits that hold; empty if there are none.
        template: text of the limits that the template says; empty if it says none.
        month: what was used in the current month; None if nothing was.
    """

    limits: str = ""
    template: str = ""
    month: MonthOfUsage | None = None


@dataclass(frozen=True, slots=True)
class BudgetStore:
    """Reads and writes limits.

    Args:
        dynamodb: boto3 client.
        table: the gateway's.
        clock: the time, in seconds since the epoch. Default: the real one.
    """

    dynamodb: Any
    table: str
    clock: Callable[[], float] = time.time

    def read(self, keys: Sequence[str]) -> dict[str, Stored]:
        """What the table has of keys, by their ids.

        Args:
            keys: ids of keys.

        Raises:
            CommandError: if DynamoDB does not get on with it.
            ClientError: if AWS refuses to tell.
        """
        month = time.strftime("%Y-%m", time.gmtime(self.clock()))
        wanted = [(items.USAGE + key, sort_key) for key in keys for sort_key in (month, items.LIMITS)]
        said: dict[str, items.Item] = {}
        used: dict[str, MonthOfUsage] = {}
        for item in read_items(self.dynamodb, self.table, wanted, consistent=True):
            if items.text(item, items.SORT_KEY) == items.LIMITS:
                said[items.text(item, items.PARTITION_KEY).removeprefix(items.USAGE)] = item
            else:
                of_month = parse(item)
                used[of_month.consumer] = of_month
        return {
            key: Stored(
                limits=items.text(said.get(key, {}), items.LIMITS),
                template=items.text(said.get(key, {}), TEMPLATE),
                month=used.get(key),
            )
            for key in keys
        }

    def write(self, key: str, limits: str) -> None:
        """Have limits hold for a key, in place of those that held.

        Args:
            key: its id.
            limits: their text.

        Raises:
            ClientError: if AWS refuses.
        """
        update = items.Update(items.USAGE + key, items.LIMITS, sets={items.LIMITS: limits})
        self.dynamodb.update_item(**update.request(self.table))

    def clear(self, key: str, stored: Stored) -> None:
        """Have no limits hold for a key. What the template says of it is kept.

        Args:
            key: its id.
            stored: what the table has of it.

        Raises:
            ClientError: if AWS refuses.
        """
        if stored.template:
            self.write(key, ConsumerLimits().to_json())
        else:
            self.forget(key)

    def forget(self, key: str) -> None:
        """Delete the limits of a key, for one that is no more or never had any.

        Args:
            key: its id.

        Raises:
            ClientError: if AWS refuses.
        """
        item = {items.PARTITION_KEY: {"S": items.USAGE + key}, items.SORT_KEY: {"S": items.LIMITS}}
        self.dynamodb.delete_item(TableName=self.table, Key=item)
