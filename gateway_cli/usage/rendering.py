"""How usage is shown: a table for people, JSON for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway_cli.aws.gateways import Gateway
from gateway_cli.console import plain_table, widen
from gateway_cli.usage.month import Month
from gateway_cli.usage.report import Used, added
from lambda_runtime.state.usage_months import Counts

_UNKNOWN = "-"


def print_usage(console: Console, used: Sequence[Used]) -> None:
    """Print a table, with a sum if there is something to add."""
    if not used:
        console.print("There is no key yet, so nothing was used.")
        return
    widen(console)
    table = plain_table()
    table.add_column("consumer", overflow="fold")
    for title in ("keys", "requests", "answered", "input", "cached", "output", "reasoning"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in used:
        table.add_row(*_cells(one, len(one.keys)))
    if len(used) > 1:
        table.add_row(*_cells(added("all", used), sum(len(one.keys) for one in used)), style="bold")
    console.print(table)
    estimated = sum(one.counts.estimated for one in used if one.counts)
    if estimated:
        console.print(Text(f"Tokens of {estimated:,} of the answers are estimated.", style="dim"))


def usage_json(gateway: Gateway, month: Month, used: Sequence[Used]) -> dict[str, Any]:
    """What scripts read. What is not known is null."""
    return {
        "gateway": gateway.path,
        "month": str(month),
        "consumers": [{"consumer": one.name, **_used(one, month), "keys": [_key(key) for key in one.keys]} for one in used],
    }


def _used(one: Used, month: Month) -> dict[str, Any]:
    days = {f"{month}-{day:02d}": counts._asdict() for day, counts in one.days.items()}
    return {"requests": one.requests, "tokens": _counts(one), "days": days}


def _key(one: Used) -> dict[str, Any]:
    return {"id": one.name, "requests": one.requests, "tokens": _counts(one)}


def _counts(one: Used) -> dict[str, int] | None:
    return None if one.counts is None else one.counts._asdict()


def _cells(one: Used, keys: int) -> list[Text]:
    counts: Counts | None = one.counts
    figures = [keys, one.requests]
    figures += [None] * 5 if counts is None else [counts.requests, counts.input, counts.cached, counts.output, counts.reasoning]
    return [Text(one.name), *(Text(_UNKNOWN if figure is None else f"{figure:,}") for figure in figures)]
