"""How keys are shown: a table for people, JSON for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway_cli.aws.gateways import Gateway
from gateway_cli.console import plain_table, widen
from gateway_cli.keys.actions import Done
from gateway_cli.keys.model import ClientKey, NewKey, Overlap, overlaps
from gateway_cli.times import duration_of, timestamp

_COLOURS = {"enabled": "green", "ending": "yellow", "disabled": "red"}


def print_keys(console: Console, keys: Sequence[ClientKey], now: float) -> None:
    """Print a table.

    Args:
        console: where to.
        keys: in order, all those of each consumer among them.
        now: the time.
    """
    if not keys:
        console.print("There is no key yet.")
        return
    widen(console)
    table = plain_table()
    for title in ("consumer", "key", "state", "plan", "limits", "made", "by"):
        table.add_column(title, overflow="fold")
    table.add_column("rotation", min_width=10)
    under_way = overlaps(keys)
    previous = None
    for key in keys:
        pair = under_way.get(key.id)
        state = "disabled" if not key.enabled else "ending" if pair else "enabled"
        table.add_row(
            Text(key.consumer if key.consumer != previous else ""),
            Text(key.id),
            Text(state, style=_COLOURS[state]),
            Text(key.plan.name),
            Text(key.plan.limits),
            Text(timestamp(key.created)[:10]),
            Text(_maker(key)),
            Text(_rotation(key, pair, now)),
        )
        previous = key.consumer
    console.print(table)


def keys_json(gateway: Gateway, keys: Sequence[ClientKey], now: float) -> dict[str, Any]:
    """What `list` tells scripts. Times are in UTC."""
    under_way = overlaps(keys)
    return {
        "gateway": gateway.path,
        "api": gateway.api,
        "keys": [key_json(key) | _ending(under_way.get(key.id), now) for key in keys],
    }


def new_key_json(made: NewKey) -> dict[str, Any]:
    """What `create` and `rotate` tell scripts: the only place besides the terminal where the value is shown."""
    ends = made.key.overlap_ends
    return key_json(made.key) | {"overlap_ends": timestamp(ends) if ends else None, "value": made.value}


def done_json(done: Sequence[Done]) -> dict[str, Any]:
    """What the other commands tell scripts."""
    return {"keys": [key_json(one.key) | {"changed": one.changed} for one in done]}


def key_json(key: ClientKey) -> dict[str, Any]:
    """What is known of a key."""
    return {
        "id": key.id,
        "consumer": key.consumer,
        "plan": key.plan.name,
        "limits": key.plan.limits,
        "enabled": key.enabled,
        "created": timestamp(key.created),
        "made_by": "command" if key.own else "stack" if key.stack else "other",
        "stack": key.stack or None,
        "replaces": key.replaces or None,
    }


def _ending(pair: Overlap | None, now: float) -> dict[str, Any]:
    if pair is None:
        return {"replaced_by": None, "overlap_ends": None, "overdue": False}
    return {
        "replaced_by": pair.new.id,
        "overlap_ends": timestamp(pair.new.overlap_ends),
        "overdue": pair.is_due(now),
    }


def _maker(key: ClientKey) -> str:
    return "command" if key.own else f"stack {key.stack}" if key.stack else "other"


def _rotation(key: ClientKey, pair: Overlap | None, now: float) -> str:
    if pair is None:
        return f"replaces {key.replaces}" if key.replaces else ""
    left = pair.new.overlap_ends - now
    when = f"overdue for {duration_of(-left, units=1)}" if pair.is_due(now) else f"ends in {duration_of(left, units=1)}"
    return f"replaced by {pair.new.id}, {when}"
