"""A DynamoDB table of as many words as the gateway uses, fast enough for a hundred thousand requests.

What it does not understand it says so: a gateway that asks for more finds out in the first second. `test_table` holds it to
moto's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from typing import Any

Item = dict[str, dict[str, str]]

_CLAUSE = re.compile(r"(SET|ADD|REMOVE) (.+?)(?= (?:SET|ADD|REMOVE) |$)")
_SET = re.compile(r"#(\w+) = :(\w+)")
_ADD = re.compile(r"#(\w+) :(\w+)")
_REMOVE = re.compile(r"#(\w+)")
_ABSENT = re.compile(r"attribute_not_exists\(#(\w+)\)")
_COMPARED = re.compile(r"#(\w+) (=|<|<=|>|>=|<>) :(\w+)")
_KEYS = re.compile(r"pk = :(\w+)(?: AND sk >= :(\w+))?")


class ConditionError(Exception):
    """A condition does not hold.

    Args:
        item: as it is.
    """

    def __init__(self, item: Item) -> None:
        super().__init__("the condition does not hold")
        self.item = item


class Table:
    """Items by their keys, `pk` and `sk`."""

    def __init__(self) -> None:
        self._partitions: defaultdict[str, dict[str, Item]] = defaultdict(dict)

    def update(self, request: dict[str, Any]) -> None:
        """Do an `UpdateItem`.

        Raises:
            ConditionError: if its condition does not hold.
            ValueError: if it says what is not understood.
        """
        pk, sk = request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]
        before = self._partitions[pk].get(sk)
        condition = request.get("ConditionExpression")
        if condition and not _holds(condition, before or {}, request):
            raise ConditionError(before or {})
        item = dict(before or {"pk": {"S": pk}, "sk": {"S": sk}})
        names = {alias[1:]: name for alias, name in request.get("ExpressionAttributeNames", {}).items()}
        values = {alias[1:]: value for alias, value in request.get("ExpressionAttributeValues", {}).items()}
        for keyword, listed in _CLAUSE.findall(request["UpdateExpression"]):
            for term in listed.split(", "):
                _do(keyword, term, item, names, values)
        self._partitions[pk][sk] = item

    def query(self, request: dict[str, Any]) -> list[Item]:
        """Do a `Query`.

        Raises:
            ValueError: if it says what is not understood.
        """
        found = _understood(_KEYS, request["KeyConditionExpression"])
        values = {alias[1:]: value for alias, value in request["ExpressionAttributeValues"].items()}
        first = values[found[2]]["S"] if found[2] else ""
        partition = self._partitions.get(values[found[1]]["S"], {})
        return [partition[sk] for sk in sorted(partition) if sk >= first]

    def partitions(self, prefix: str) -> dict[str, dict[str, Item]]:
        """All items of the partitions whose names begin so, by partition and sort key."""
        return {pk: items for pk, items in self._partitions.items() if pk.startswith(prefix)}


def _understood(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text.strip())
    if not found:
        raise ValueError(f"the table of this run does not understand {text!r}")
    return found


def _do(keyword: str, term: str, item: Item, names: dict[str, str], values: dict[str, Any]) -> None:
    if keyword == "REMOVE":
        item.pop(names[_understood(_REMOVE, term)[1]], None)
        return
    found = _understood(_SET if keyword == "SET" else _ADD, term)
    name, value = names[found[1]], values[found[2]]
    if keyword == "ADD":
        value = {"N": str(Decimal(item.get(name, {"N": "0"})["N"]) + Decimal(value["N"]))}
    item[name] = value


def _holds(condition: str, item: Item, request: dict[str, Any]) -> bool:
    return any(all(_true(term, item, request) for term in terms.split(" AND ")) for terms in condition.split(" OR "))


def _true(term: str, item: Item, request: dict[str, Any]) -> bool:
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    if absent := _ABSENT.fullmatch(term.strip()):
        return names[f"#{absent[1]}"] not in item
    found = _understood(_COMPARED, term)
    here = item.get(names[f"#{found[1]}"])
    if here is None:
        return False
    ((kind, left),), ((other, right),) = here.items(), values[f":{found[3]}"].items()
    if kind != other:
        return found[2] == "<>"
    a, b = (Decimal(left), Decimal(right)) if kind == "N" else (left, right)
    # Of two of one type; mypy cannot know.
    return {"=": a == b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "<>": a != b}[found[2]]  # type: ignore[operator]
