"""How limits are shown: a table for people, JSON for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway_cli.aws.gateways import Gateway
from gateway_cli.budgets.actions import Done
from gateway_cli.budgets.standing import Standing
from gateway_cli.budgets.words import amount, told, usd
from gateway_cli.console import plain_table, widen
from lambda_runtime.budgets import WARN_PERCENT, Verdict
from lambda_runtime.config.limits import ConsumerLimits, is_money
from lambda_runtime.config.prices import NANO
from lambda_runtime.state.usage_months import Counts


def print_standings(console: Console, standings: Sequence[Standing]) -> None:
    """Print a table: a line for each budget, or one for a key that has none.

    Args:
        console: where to.
        standings: in order, all keys of each consumer together.
    """
    if not standings:
        console.print("There is no key yet.")
        return
    widen(console)
    table = plain_table()
    for title in ("consumer", "key"):
        table.add_column(title, overflow="fold")
    table.add_column("budget", no_wrap=True)
    for title in ("used", "limit", "percent"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("begins anew", no_wrap=True)
    table.add_column("models and more", overflow="fold")
    for one in standings:
        for number, cells in enumerate(_lines(one)):
            table.add_row(*(["", ""] if number else [one.key.consumer, one.key.id]), *cells)
    console.print(table)
    for one in standings:
        if one.overridden and one.template is not None:
            console.print(Text(f"The template says of {one.key.id}: {told(one.template)}.", style="dim"))
    _print_costs(console, standings)


def standings_json(gateway: Gateway, standings: Sequence[Standing], *, heeded: bool) -> dict[str, Any]:
    """What `show` tells scripts. Money is in USD and an estimate; times are in UTC."""
    return {"gateway": gateway.path, "limits_hold": heeded, "keys": [_standing(one) for one in standings]}


def done_json(done: Sequence[Done]) -> dict[str, Any]:
    """What `set` and `clear` tell scripts."""
    return {
        "keys": [
            {
                "id": one.standing.key.id,
                "consumer": one.standing.key.consumer,
                "changed": one.changed,
                "limits": limits_json(one.limits),
                "template": limits_json(one.standing.template),
            }
            for one in done
        ]
    }


def limits_json(limits: ConsumerLimits | None) -> dict[str, Any] | None:
    """Limits for scripts; what is not limited is left out."""
    if limits is None:
        return None
    models = {} if limits.models is None else {"models": list(limits.models)}
    return {**limits.budgets, **models, **({"shadow": True} if limits.shadow else {})}


def _standing(one: Standing) -> dict[str, Any]:
    return {
        "id": one.key.id,
        "consumer": one.key.consumer,
        "limits": limits_json(one.limits),
        "template": limits_json(one.template),
        "budgets": [budget_json(judged) for judged in one.budgets],
        "today": _used(one.today),
        "month": _used(one.month),
    }


def budget_json(judged: Verdict) -> dict[str, Any]:
    """A budget for scripts."""
    unit = NANO if is_money(judged.budget) else 1
    return {
        "budget": judged.budget,
        "used": judged.used / unit if unit > 1 else judged.used,
        "limit": judged.limit / unit if unit > 1 else judged.limit,
        "percent": judged.percent,
        "used_up": judged.used_up,
        "resets": judged.resets_at,
    }


def _used(counts: Counts) -> dict[str, Any]:
    return {
        "tokens": counts.input + counts.output,
        "cost_usd": counts.cost / NANO,
        "requests": counts.requests,
        "unpriced": counts.unpriced,
    }


def _lines(one: Standing) -> list[list[Text]]:
    if one.limits is None:
        return [[Text("-"), *[Text("")] * 4, Text("makes no sense: every request is refused", style="red")]]
    more = Text(_more(one.limits))
    if not one.budgets:
        return [[Text("-"), *[Text("")] * 4, more]]
    return [[*_cells(judged, shadow=one.limits.shadow), more if not n else Text("")] for n, judged in enumerate(one.budgets)]


def _cells(judged: Verdict, *, shadow: bool) -> list[Text]:
    unit = NANO if is_money(judged.budget) else 1
    colour = "" if judged.percent < WARN_PERCENT else "red" if judged.used_up and not shadow else "yellow"
    return [
        Text(judged.budget),
        Text(amount(judged.budget, judged.used / unit)),
        Text(amount(judged.budget, judged.limit / unit)),
        Text(f"{judged.percent} %", style=colour),
        Text(judged.resets_at),
    ]


def _more(limits: ConsumerLimits) -> str:
    parts = [] if limits.models is None else [", ".join(limits.models)]
    if limits.shadow and limits.budgets:
        parts.append("only told (shadow)")
    return "; ".join(parts) or ("no limits" if limits.unlimited else "")


def _print_costs(console: Console, standings: Sequence[Standing]) -> None:
    cost, unpriced = sum(one.month.cost for one in standings), sum(one.month.unpriced for one in standings)
    sentence = f"Cost this month: {usd(cost / NANO)}, an estimate by the gateway's prices."
    if unpriced:
        sentence += f" {unpriced:,} of the answers are not in it: nobody has said what their models cost."
    console.print(Text(sentence, style="dim"))
