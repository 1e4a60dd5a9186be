"""How usage is shown: a table for people, JSON for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway_cli.aws.gateways import Gateway
from gateway_cli.budgets.rendering import budget_json
from gateway_cli.console import plain_table, widen
from gateway_cli.usage.month import Month
from gateway_cli.usage.report import Used, added
from lambda_runtime.config.prices import NANO
from lambda_runtime.state.usage_months import Counts

_UNKNOWN = "-"
_OF_MONEY = ("cost", "unpriced")


def print_usage(console: Console, used: Sequence[Used]) -> None:
    """Print a table, with a sum if there is something to add."""
    if not used:
        console.print("There is no key yet, so nothing was used.")
        return
    widen(console)
    table = plain_table()
    table.add_column("consumer", overflow="fold")
    for title in ("keys", "requests", "answered", "input", "cached", "output", "reasoning", "USD", "budget"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in used:
        table.add_row(*_cells(one, len(one.keys)))
    if len(used) > 1:
        table.add_row(*_cells(added("all", used), sum(len(one.keys) for one in used)), style="bold")
    console.print(table)
    estimated = sum(one.counts.estimated for one in used if one.counts)
    if estimated:
        console.print(Text(f"Tokens of {estimated:,} of the answers are estimated.", style="dim"))
    if any(one.counts and one.counts.cost for one in used):
        console.print(Text("USD are estimates by the gateway's prices; the provider's invoice says what is owed.", style="dim"))
    unpriced = sum(one.counts.unpriced for one in used if one.counts)
    if unpriced:
        console.print(
            Text(f"USD of {unpriced:,} of the answers are missing: nobody has said what their models cost.", style="dim")
        )


def usage_json(gateway: Gateway, month: Month, used: Sequence[Used]) -> dict[str, Any]:
    """What scripts read. What is not known is null."""
    return {
        "gateway": gateway.path,
        "month": str(month),
        "consumers": [{"consumer": one.name, **_used(one, month), "keys": [_key(key) for key in one.keys]} for one in used],
    }


def _used(one: Used, month: Month) -> dict[str, Any]:
    days = {f"{month}-{day:02d}": _tokens(counts) | _money(counts) for day, counts in one.days.items()}
    return {"requests": one.requests, "tokens": _counts(one), **_money(one.counts), "days": days}


def _key(one: Used) -> dict[str, Any]:
    budgets = [budget_json(judged) for judged in one.budgets]
    return {"id": one.name, "requests": one.requests, "tokens": _counts(one), **_money(one.counts), "budgets": budgets}


def _counts(one: Used) -> dict[str, int] | None:
    return None if one.counts is None else _tokens(one.counts)


def _tokens(counts: Counts) -> dict[str, int]:
    return {name: count for name, count in counts._asdict().items() if name not in _OF_MONEY}


def _money(counts: Counts | None) -> dict[str, float | None]:
    """An estimate, and how many answers are not in it."""
    if counts is None:
        return {"cost_usd": None, "unpriced": None}
    return {"cost_usd": counts.cost / NANO, "unpriced": counts.unpriced}


def _cells(one: Used, keys: int) -> list[Text]:
    counts: Counts | None = one.counts
    figures = [keys, one.requests]
    figures += [None] * 5 if counts is None else [counts.requests, counts.input, counts.cached, counts.output, counts.reasoning]
    cells = [Text(one.name), *(Text(_UNKNOWN if figure is None else f"{figure:,}") for figure in figures)]
    return [*cells, Text(_cost(counts)), Text(_fullest(one))]


def _cost(counts: Counts | None) -> str:
    if counts is None or (counts.unpriced and not counts.cost):
        return _UNKNOWN
    return f"{counts.cost / NANO:,.2f}"


def _fullest(one: Used) -> str:
    """The budget that is fullest, of whichever key."""
    if not one.budgets:
        return ""
    return f"{max(judged.percent for judged in one.budgets)} %"
