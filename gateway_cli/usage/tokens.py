"""Tokens of keys, as the function has counted them in the gateway's table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway_cli.aws.table_items import read_items
from lambda_runtime.state import items
from lambda_runtime.state.usage_months import MonthOfUsage, parse


def read_tokens(dynamodb: Any, table: str, keys: Sequence[str], month: str) -> dict[str, MonthOfUsage]:
    """The usage of a month by the key's id. A key that is missing had none.

    Args:
        dynamodb: boto3 client.
        table: the gateway's.
        keys: ids of keys.
        month: as in `2026-11`.

    Raises:
        CommandError: if DynamoDB does not get on with it.
        ClientError: if AWS refuses to tell.
    """
    months = map(parse, read_items(dynamodb, table, [(items.USAGE + key, month) for key in keys]))
    return {month.consumer: month for month in months}
