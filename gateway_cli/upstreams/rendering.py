"""How the state of upstreams is shown: as a table to people, as JSON to scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway_cli.aws.tables import GatewayTable
from gateway_cli.console import plain_table, widen
from gateway_cli.times import duration_of, timestamp
from gateway_cli.upstreams.status import Line, WeightLine

_COLOURS = {"open": "red", "half-open": "yellow", "cooling": "yellow", "closed": "green"}


def print_status(console: Console, lines: Sequence[Line], weights: Sequence[WeightLine], now: float) -> None:
    """Print tables.

    Args:
        console: where to.
        lines: upstreams and models.
        weights: targets of weighted routes.
        now: the time.
    """
    widen(console)
    table = plain_table()
    for title in ("upstream", "state", "for", "ends in"):
        table.add_column(title, overflow="fold", no_wrap=True)
    # What has to give way on a narrow terminal is the reason.
    table.add_column("because", min_width=10)
    table.add_column("openings", justify="right")
    table.add_column("failed", justify="right", no_wrap=True)
    for line in lines:
        state = line.state
        table.add_row(
            Text(f"  {line.name}" if "/" in line.name else line.name),
            Text(state.state, style=_COLOURS.get(state.state, "")),
            "" if state.since is None else duration_of(now - state.since, units=1),
            "" if state.until is None else duration_of(state.until - now, units=1),
            Text(_because(line)),
            str(state.openings or ""),
            f"{line.figures.failures} of {line.figures.calls}" if line.figures.calls else "",
        )
    if lines:
        console.print(table)
        console.print(Text("failed: of the attempts of the last minute", style="dim"))
    else:
        console.print("Nothing is known yet: every upstream is asked.")
    if weights:
        console.print()
        console.print(_weights_table(weights, now))


def status_json(table: GatewayTable, lines: Sequence[Line], weights: Sequence[WeightLine]) -> dict[str, Any]:
    """What scripts read. Times are in UTC, weights and shares are percentages."""
    return {
        "table": table.name,
        "gateway": table.gateway,
        "upstreams": [
            {
                "name": line.name,
                "state": line.state.state,
                "inherited": line.inherited,
                "by": line.state.by or None,
                "since": _timestamp(line.state.since),
                "until": _timestamp(line.state.until),
                "openings": line.state.openings,
                "calls": line.figures.calls,
                "failures": line.figures.failures,
            }
            for line in lines
        ],
        "weights": [
            {
                "model": weight.model,
                "target": weight.target,
                "configured": weight.configured,
                "operator": weight.operators.weight if weight.operators else None,
                "since": _timestamp(weight.operators.since) if weight.operators else None,
                "share": weight.share,
            }
            for weight in weights
        ],
    }


def _weights_table(weights: Sequence[WeightLine], now: float) -> Table:
    table = plain_table()
    for title in ("model", "target"):
        table.add_column(title, overflow="fold")
    for title in ("configured", "operator", "share"):
        table.add_column(title, justify="right")
    table.add_column("for")
    previous = None
    for weight in weights:
        table.add_row(
            Text(weight.model if weight.model != previous else ""),
            Text(weight.target),
            percent(weight.configured),
            percent(weight.operators.weight) if weight.operators else "",
            "not in the model map" if weight.share is None else percent(weight.share),
            duration_of(now - weight.operators.since, units=1) if weight.operators else "",
        )
        previous = weight.model
    return table


def percent(value: float | None) -> str:
    """A percentage; empty if there is none."""
    return "" if value is None else f"{value:g} %"


def divided(model: str, weights: Mapping[str, float]) -> str:
    """How a model's requests are divided, as a sentence."""
    return f"Requests for {model}: " + ", ".join(f"{target} {percent(share)}" for target, share in weights.items())


def _because(line: Line) -> str:
    return f"all of {line.state.name.partition('/')[0]}" if line.inherited else line.state.by


def _timestamp(moment: float | None) -> str | None:
    return None if moment is None else timestamp(moment)
