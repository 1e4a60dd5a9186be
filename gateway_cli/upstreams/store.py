"""Reads and writes a gateway's table through boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from lambda_runtime.state import items, operator_actions, window
from lambda_runtime.state.items import Item, Update
from lambda_runtime.state.operator_actions import StateItem, WeightItem

MOST_PAGES = 10
"""Of 1 MB each, that are looked through for targets which no model is mapped to. What DynamoDB has yet to delete counts."""

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Figures:
    """The last minute of a target.

    Args:
        calls: attempts that say something about it.
        failures: those that failed.
    """

    calls: int = 0
    failures: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(self.calls + other.calls, self.failures + other.failures)


class States(NamedTuple):
    """What holds now.

    Args:
        states: of targets and whole upstreams.
        weights: that an operator has set.
    """

    states: list[StateItem]
    weights: list[WeightItem]


@dataclass(frozen=True, slots=True)
class StateStore:
    """A gateway's table.

    Args:
        dynamodb: boto3 client.
        table: its name.
        clock: the time, in seconds since the epoch.
    """

    dynamodb: Any
    table: str
    clock: Callable[[], float]

    def write(self, updates: Iterable[Update]) -> None:
        """Make changes.

        Raises:
            ClientError: if AWS refuses one.
        """
        for update in updates:
            self.dynamodb.update_item(**update.request(self.table))

    def states(self) -> States:
        """Read what holds now."""
        read = self._query(operator_actions.read_states(self.table))
        now = self.clock()
        return States(operator_actions.state_items(read, now), operator_actions.weight_items(read, now))

    def figures(self, targets: Iterable[str]) -> dict[str, Figures]:
        """The last minute of some targets."""
        now = self.clock()

        def of(target: str) -> Figures:
            return _sum(self._query(window.last_minute(self.table, target, now)))

        names = list(targets)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return dict(zip(names, threads.map(of, names), strict=True))

    def active(self) -> dict[str, Figures]:
        """The last minute of every target that had any request in it, as far as `MOST_PAGES` reach.

        Looks through the table, because names of targets that no model is mapped to are known from their counts alone.
        """
        since = window.last_minute(self.table, "", self.clock())["ExpressionAttributeValues"][":first"]
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.table,
            FilterExpression=f"begins_with({items.PARTITION_KEY}, :window) AND {items.SORT_KEY} >= :first",
            ExpressionAttributeValues={":window": {"S": items.WINDOW}, ":first": since},
        )
        found: dict[str, list[Item]] = {}
        for page in islice(pages, MOST_PAGES):
            for item in page["Items"]:
                found.setdefault(items.text(item, items.PARTITION_KEY).removeprefix(items.WINDOW), []).append(item)
        return {target: _sum(read) for target, read in found.items()}

    def _query(self, request: Mapping[str, Any]) -> list[Item]:
        return [item for page in self.dynamodb.get_paginator("query").paginate(**request) for item in page["Items"]]


def _sum(read: Iterable[Item]) -> Figures:
    # Over every state of the breaker: what was called before it opened was called in this minute, too.
    return sum((Figures(items.count(item, "calls"), items.count(item, "failures")) for item in read), start=Figures())
