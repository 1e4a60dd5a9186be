"""The table in memory: what DynamoDB makes of the requests that the gateway sends, with capacity units and throttling.

It takes the requests that `lambda_runtime.state` makes and no others; a test holds it to moto's.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from gateway_prices.quotas import READ_UNIT_BYTES, WRITE_UNIT_BYTES
from lambda_runtime.state.dynamodb import DynamoDb
from lambda_runtime.state.table_health import ConflictError, TableError
from simulation.item_size import attribute_size, growth, item_size
from simulation.metering import Meter

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {"=": operator.eq, "<": operator.lt}
_ABSENT = "attribute_not_exists("

Attributes = dict[str, dict[str, str]]


class MemoryTable(DynamoDb):
    """A `DynamoDb` that asks nobody.

    Args:
        clock: the time, in seconds.

    Attributes:
        meter: counts the capacity units, and says what is throttled. Replaced where another count begins.
        queries: how often it was read.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.table = "simulated"
        self.meter = Meter()
        self.queries = 0
        self._clock = clock
        self._partitions: dict[str, dict[str, Attributes]] = {}
        self._sizes: dict[tuple[str, str], int] = {}

    def update(self, request: dict[str, Any], *, patience: float | None = None) -> None:  # noqa: ARG002
        """Change an item. See `DynamoDb`."""
        key: Attributes = request["Key"]
        pk, sk = key["pk"]["S"], key["sk"]["S"]
        names, values = request["ExpressionAttributeNames"], request.get("ExpressionAttributeValues", {})
        partition = self._partitions.setdefault(pk, {})
        before = partition.get(sk)
        size = self._sizes.get((pk, sk), 0)
        if not _holds(request.get("ConditionExpression", ""), names, values, before):
            self._write(pk, size)
            raise ConflictError(dict(before or {}))
        item: Attributes = dict(key) if before is None else before
        after = size or item_size(key)
        changed: Attributes = {}
        for keyword, name, value in _clauses(request["UpdateExpression"]):
            attribute = names[name]
            if keyword == "REMOVE":
                raise ValueError("the gateway removes nothing while it serves")
            new = values[value]
            old = item.get(attribute)
            if keyword == "ADD":
                text = str(int(new["N"]) + (int(old["N"]) if old else 0))
                changed[attribute] = {"N": text}
                after += growth(attribute, old, text)
            elif old != new:
                changed[attribute] = new
                after += attribute_size(attribute, new) - (attribute_size(attribute, old) if old else 0)
        self._write(pk, max(size, after))
        item.update(changed)
        partition[sk], self._sizes[pk, sk] = item, after

    def query(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Read items. See `DynamoDb`. That only some attributes are wanted changes nothing of what a read costs."""
        values = request["ExpressionAttributeValues"]
        pk, first = values[":pk"]["S"], values.get(":first", {"S": ""})["S"]
        found = {sk: item for sk, item in self._partitions.get(pk, {}).items() if sk >= first}
        units = max(1, -(-sum(self._sizes[pk, sk] for sk in found) // READ_UNIT_BYTES))
        if not request.get("ConsistentRead"):
            raise ValueError("the gateway reads consistently")
        self.queries += 1
        if not self.meter.read(pk, units, self._clock()):
            raise _throttled("Query")
        return [dict(found[sk]) for sk in sorted(found)]

    def items(self, kind: str) -> list[tuple[Attributes, int]]:
        """The items whose partition key begins so, and their bytes."""
        return [
            (item, self._sizes[pk, sk])
            for pk, partition in self._partitions.items()
            if pk.startswith(kind)
            for sk, item in partition.items()
        ]

    def _write(self, pk: str, size: int) -> None:
        if not self.meter.write(pk, max(1, -(-size // WRITE_UNIT_BYTES)), self._clock()):
            raise _throttled("UpdateItem")


def _throttled(operation: str) -> TableError:
    """What `DynamoDb` makes of a throttle: refused, so that nothing was done."""
    kind = "ProvisionedThroughputExceededException"
    return TableError(kind, f"DynamoDB answers {operation} with 400 {kind}")


@lru_cache
def _clauses(expression: str) -> tuple[tuple[str, str, str], ...]:
    """The changes of an update expression: keyword, name, value."""
    found = []
    keyword = ""
    for part in expression.replace(" SET ", ", SET ").replace(" ADD ", ", ADD ").replace(" REMOVE ", ", REMOVE ").split(", "):
        words = part.replace(" = ", " ").split()
        if words[0] in {"SET", "ADD", "REMOVE"}:
            keyword = words.pop(0)
        found.append((keyword, words[0], words[-1]))
    return tuple(found)


def _holds(condition: str, names: dict[str, str], values: dict[str, Any], item: Attributes | None) -> bool:
    return not condition or any(_term_holds(term, names, values, item or {}) for term in condition.split(" OR "))


def _term_holds(term: str, names: dict[str, str], values: dict[str, Any], item: Attributes) -> bool:
    if term.startswith(_ABSENT):
        return names[term.removeprefix(_ABSENT).removesuffix(")")] not in item
    name, comparison, value = term.split()
    found = item.get(names[name])
    return found is not None and _COMPARISONS[comparison](float(found["N"]), float(values[value]["N"]))
