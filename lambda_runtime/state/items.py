"""The table's items: their keys, attributes and life times, and the requests that read and write them.

Pure, and shared with the operator's commands: values are in DynamoDB's own form (`{"N": "1"}`), so that a request goes through
`DynamoDb` here and through boto3's client (`client.update_item(**update.request(table))`) there.

| pk | sk | what |
|---|---|---|
| `state` | `breaker#<upstream>/<model>`, `breaker#<upstream>/*` | a circuit breaker, of a model or of a whole upstream |
| `state` | `cooling#<upstream>/<model>` | until when an upstream that answered 429 is left alone |
| `state` | `weight#<route>#<upstream>/<model>` | a weight that an operator has set |
| `window#<upstream>/<model>` | `<start of 10 s>`, `<start of 10 s>#<since>` | calls and failures of ten seconds, see `window` |
| `usage#<consumer>` | `2026-11` | tokens and costs of a month and of its days, see `usage_counts` |
| `usage#<consumer>` | `limits` | what the consumer may use: the text of `ConsumerLimits.to_json` in the attribute `limits` |

Times are seconds since the epoch: the monotonic clock stands still while Lambda has an instance frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

PARTITION_KEY = "pk"
SORT_KEY = "sk"
EXPIRES = "expires"
"""The table's TTL attribute. DynamoDB deletes late, up to two days: whoever reads an item looks at it as well."""

STATE_PARTITION = "state"
"""One partition for all that holds now, so that one Query reads it."""

BREAKER = "breaker#"
COOLING = "cooling#"
WEIGHT = "weight#"
WINDOW = "window#"
USAGE = "usage#"
LIMITS = "limits"
"""Sort key and attribute of a consumer's limits: after all months, so that one Query of the partition reads both."""

USAGE_COUNTS = {
    "requests": "n",
    "input": "i",
    "output": "o",
    "cached": "c",
    "cache_write": "w",
    "reasoning": "r",
    "estimated": "e",
    "cost": "u",
    "unpriced": "x",
}
"""Attributes of usage, this short because a write costs by each kilobyte of the whole item. A day's begin with it: `05i`."""

WHOLE_UPSTREAM = "*"
"""Stands for all models of an upstream."""

STATE_LIFE = 86_400.0
"""Seconds after its last change at which an automatic state is forgotten."""

MAX_NAME = 512
"""Bytes of a target's name. DynamoDB takes sort keys of 1024 bytes; longer names, which clients may make up, get no state."""

_MOST_DIGITS = 18
"""Of a number that counts something: a billion USD in billionths. What is longer was not written here."""

Value = str | int | float
Item = Mapping[str, Any]
"""An item in DynamoDB's own form."""


class Update(NamedTuple):
    """A request that changes one item, or makes it if there is none.

    Args:
        pk: its partition.
        sk: its sort key.
        sets: attributes to set.
        adds: numbers to add to attributes, atomically; an attribute that is not there counts from 0. Default: none.
        removes: attributes to remove. Default: none.
        condition: must hold, or nothing is changed; `#name` is one of these attributes, `:name` one of `values`. Default: none.
        values: what the condition compares with. Default: none.
    """

    pk: str
    sk: str
    sets: Mapping[str, Value]
    adds: Mapping[str, int] = {}
    removes: tuple[str, ...] = ()
    condition: str = ""
    values: Mapping[str, Value] = {}

    def request(self, table: str) -> dict[str, Any]:
        """The parameters of `UpdateItem`. Every attribute goes by a placeholder: many short words are DynamoDB's own."""
        names = {f"#{name}": name for name in (*self.sets, *self.adds, *self.removes)}
        values = {f":{name}": encoded(value) for name, value in self.values.items()}
        clauses = []
        for keyword, changes, form in (("SET", self.sets, "#{0} = :{0}"), ("ADD", self.adds, "#{0} :{0}")):
            if changes:
                clauses.append(f"{keyword} {', '.join(map(form.format, changes))}")
                values.update((f":{name}", encoded(value)) for name, value in changes.items())
        if self.removes:
            clauses.append(f"REMOVE {', '.join(f'#{name}' for name in self.removes)}")
        request: dict[str, Any] = {
            "TableName": table,
            "Key": {PARTITION_KEY: {"S": self.pk}, SORT_KEY: {"S": self.sk}},
            "UpdateExpression": " ".join(clauses),
            "ExpressionAttributeNames": names,
        }
        if values:
            request["ExpressionAttributeValues"] = values
        if self.condition:
            request["ConditionExpression"] = self.condition
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return request


def query(table: str, pk: str, first: str = "") -> dict[str, Any]:
    """The parameters of a strongly consistent `Query` of a partition.

    Args:
        table: its name.
        pk: the partition.
        first: the lowest sort key. Default: all.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "ConsistentRead": True,
        "KeyConditionExpression": f"{PARTITION_KEY} = :pk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
    }
    if first:
        request["KeyConditionExpression"] += f" AND {SORT_KEY} >= :first"
        request["ExpressionAttributeValues"][":first"] = {"S": first}
    return request


def encoded(value: Value) -> dict[str, str]:
    """A value in DynamoDB's form. Fractions are cut to milliseconds, which all of them are times or percentages of."""
    if isinstance(value, str):
        return {"S": value}
    return {"N": f"{value:.3f}" if isinstance(value, float) else str(value)}


def text(item: Item, name: str) -> str:
    """An attribute that is a text; empty if it is not there or is none."""
    value = item.get(name)
    found = value.get("S") if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def number(item: Item, name: str) -> float:
    """An attribute that is a number; 0 if it is not there or is none."""
    value = item.get(name)
    found = value.get("N") if isinstance(value, Mapping) else None
    try:
        read = float(found) if isinstance(found, str) else 0.0
    except ValueError:
        return 0.0
    return read if abs(read) < 1e15 else 0.0  # noqa: PLR2004  (infinite, not a number, or nothing that was written here)


def count(item: Item, name: str) -> int:
    """An attribute that counts something; 0 if it is not there or is none."""
    value = item.get(name)
    found = value.get("N") if isinstance(value, Mapping) else None
    if isinstance(found, str) and len(found) <= _MOST_DIGITS and found.isascii() and found.isdecimal():
        return int(found)  # exactly: sums of money are in billionths of a USD, where a float's 53 bits are nine million
    return max(0, int(number(item, name)))


def expired(item: Item, now: float) -> bool:
    """Whether an item's time is over, though DynamoDB has not deleted it yet."""
    return 0 < number(item, EXPIRES) <= now


def breaker_name(name: str) -> str:
    """The name of a breaker: `upstream/model` as it is, an upstream's name alone becomes `upstream/*`.

    Raises:
        ValueError: if a part is missing.
    """
    upstream, slash, model = name.partition("/")
    if not upstream or (slash and not model):
        raise ValueError(f"a breaker is named 'upstream' or 'upstream/model', got {name!r}")
    return name if slash else whole_upstream(upstream)


def whole_upstream(target: str) -> str:
    """The name of the breaker of a target's whole upstream.

    Args:
        target: `upstream/model`, or the upstream's name.
    """
    return f"{target.partition('/')[0]}/{WHOLE_UPSTREAM}"


def nameable(target: str) -> bool:
    """Whether a target can have a state: a model's name may come from a client, who may say `*` or something of any length."""
    return not target.endswith(f"/{WHOLE_UPSTREAM}") and (len(target) <= MAX_NAME // 4 or len(target.encode()) <= MAX_NAME)


def weight_key(route: str, target: str) -> str:
    """The sort key of an operator's weight of a target on a route. A route's name may hold the separator."""
    return f"{WEIGHT}{route.replace('%', '%25').replace('#', '%23')}#{target}"


def weight_names(sort_key: str) -> tuple[str, str]:
    """Route and target out of what `weight_key` made."""
    route, _, target = sort_key.removeprefix(WEIGHT).partition("#")
    return route.replace("%23", "#").replace("%25", "%"), target
