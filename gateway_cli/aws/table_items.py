"""Reads items of a gateway's table, however many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gateway_cli.errors import CommandError
from lambda_runtime.state import items

_AT_ONCE = 100
"""Items that DynamoDB reads in one call."""

_ATTEMPTS = 8


def read_items(dynamodb: Any, table: str, keys: Sequence[tuple[str, str]], *, consistent: bool = False) -> Iterator[items.Item]:
    """Items by partition and sort key, in no order. One that is not there is left out.

    Args:
        dynamodb: boto3 client.
        table: the gateway's.
        keys: partition and sort key of each.
        consistent: whether what has just been written must be seen, which costs twice as much. Default: False.

    Raises:
        CommandError: if DynamoDB does not get on with it.
        ClientError: if AWS refuses to tell.
    """
    for start in range(0, len(keys), _AT_ONCE):
        wanted = [{items.PARTITION_KEY: {"S": pk}, items.SORT_KEY: {"S": sk}} for pk, sk in keys[start : start + _AT_ONCE]]
        yield from _read(dynamodb, table, {"Keys": wanted, **({"ConsistentRead": True} if consistent else {})})


def _read(dynamodb: Any, table: str, wanted: dict[str, Any]) -> Iterator[items.Item]:
    """Read items. DynamoDB leaves some for another call where the first would be too much."""
    request: dict[str, Any] = {table: wanted}
    for _ in range(_ATTEMPTS):
        answer = dynamodb.batch_get_item(RequestItems=request)
        yield from answer.get("Responses", {}).get(table, [])
        request = answer.get("UnprocessedKeys") or {}
        if not request:
            return
    raise CommandError(f"the table {table} is asked for more than it gives at the moment; try again")
