"""Tokens of keys, as the function has counted them in the gateway's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gateway_cli.errors import CommandError
from lambda_runtime.state import items
from lambda_runtime.state.usage_months import MonthOfUsage, parse

_AT_ONCE = 100
"""Items that DynamoDB reads in one call."""

_ATTEMPTS = 8


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
    found: dict[str, MonthOfUsage] = {}
    for start in range(0, len(keys), _AT_ONCE):
        wanted = [_item_key(key, month) for key in keys[start : start + _AT_ONCE]]
        for item in _read(dynamodb, table, wanted):
            usage = parse(item)
            found[usage.consumer] = usage
    return found


def _item_key(key: str, month: str) -> dict[str, Any]:
    return {items.PARTITION_KEY: {"S": items.USAGE + key}, items.SORT_KEY: {"S": month}}


def _read(dynamodb: Any, table: str, wanted: list[dict[str, Any]]) -> Iterator[items.Item]:
    """Read items. DynamoDB leaves some for another call where the first would be too much."""
    request: dict[str, Any] = {table: {"Keys": wanted}}
    for _ in range(_ATTEMPTS):
        answer = dynamodb.batch_get_item(RequestItems=request)
        yield from answer.get("Responses", {}).get(table, [])
        request = answer.get("UnprocessedKeys") or {}
        if not request:
            return
    raise CommandError(f"the table {table} is asked for more than it gives at the moment; try again")
