"""How releases are shown: tables for people, JSON for scripts."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway_cli.console import plain_table, widen
from gateway_cli.release.actions import Done
from gateway_cli.release.desk import ReleaseDesk
from gateway_cli.release.model import RINGS, Alias, Run, percent
from gateway_cli.release.status import Coming, Status
from gateway_cli.times import clock_time, duration_of, timestamp

_COLOURS = {"promoted": "green", "under way": "yellow", "rolled back": "red", "failed": "red"}
_DIGEST = 12


def print_status(console: Console, status: Status, desk: ReleaseDesk) -> None:
    """Print what stands where.

    Args:
        console: where to.
        status: that.
        desk: the gateway.
    """
    widen(console)
    now, alias = desk.clock(), status.alias
    since = f", since {clock_time(status.stable_since, now)}" if status.stable_since else ""
    rest = percent(1 - alias.weight) if alias.canary else "every request"
    console.print(Text(f"version {alias.stable} is stable{since}: {rest}"))
    if alias.canary:
        console.print(Text(f"version {alias.canary} is the canary: {alias.share}"))
    elif status.run:
        console.print(Text(f"version {status.run.version} is about to get its first share"))
    for line in _progress(status, now):
        console.print(Text(line))
    for table in (_alarms(status, now), _runs(status, now), _versions(status, now)):
        if table.row_count:
            console.print()
            console.print(table)


def status_json(status: Status, desk: ReleaseDesk) -> dict[str, Any]:
    """What `status` tells scripts. Times are in UTC, weights are shares from 0 to 1."""
    run = status.run
    return {
        "gateway": desk.gateway.path,
        "function": desk.store.function,
        "state_machine": desk.store.machine or None,
        **_alias_json(status.alias),
        "stable_since": _timestamp(status.stable_since),
        "release": None
        if run is None
        else {
            "version": run.version,
            "name": run.name,
            "started": timestamp(run.started),
            "step": None if status.step is None else status.step + 1,
            "steps": len(status.plan.steps),
            "next": [{"weight": one.weight, "about": timestamp(one.at)} for one in status.coming],
        },
        "alarms": [
            {"name": alarm.name, "state": alarm.state, "since": _timestamp(alarm.since), "watches": sorted(alarm.watches)}
            for alarm in status.alarms
        ],
        "releases": [_run_json(run) for run in status.runs],
        "versions": [
            {
                "version": version.number,
                "published": timestamp(version.published),
                "code": version.code,
                "description": version.description,
            }
            for version in status.versions
        ],
        "findings": list(status.findings),
    }


def done_json(done: Done) -> dict[str, Any]:
    """What the other commands tell scripts."""
    return {
        "before": _alias_json(done.before),
        **_alias_json(done.alias),
        "started": done.started,
        "ended": [run.name for run in done.ended],
        "seconds": None if done.seconds is None else round(done.seconds, 3),
        "told": list(done.told),
    }


def _progress(status: Status, now: float) -> list[str]:
    run = status.run
    if run is None:
        return []
    began = f"its release began {clock_time(run.started, now)}, {duration_of(now - run.started)} ago"
    if status.step is None:
        return [began]
    coming = "; ".join(
        f"{_what(one)} about {clock_time(one.at, now)} (in {duration_of(one.at - now)})" for one in status.coming
    )
    return [f"{began}: step {status.step + 1} of {len(status.plan.steps)}", f"if no alarm rings: {coming}"]


def _what(coming: Coming) -> str:
    return "every request" if coming.weight == 1 else percent(coming.weight)


def _alarms(status: Status, now: float) -> Table:
    table = plain_table()
    for title in ("alarm", "state", "for"):
        table.add_column(title, overflow="fold")
    for alarm in status.alarms:
        table.add_row(
            Text(alarm.name),
            Text(alarm.state, style="red" if alarm.state == RINGS else ""),
            "" if alarm.since is None else duration_of(now - alarm.since, units=1),
        )
    return table


def _runs(status: Status, now: float) -> Table:
    table = plain_table()
    for title in ("release of", "outcome", "began", "took", "because"):
        table.add_column(title, overflow="fold")
    for run in status.runs:
        took = (now if run.ended is None else run.ended) - run.started
        table.add_row(
            Text(run.version or run.name),
            Text(run.outcome, style=_COLOURS.get(run.outcome, "")),
            clock_time(run.started, now),
            duration_of(took),
            Text(run.because),
        )
    return table


def _versions(status: Status, now: float) -> Table:
    table = plain_table()
    for title in ("version", "published", "code", "description"):
        table.add_column(title, overflow="fold")
    for version in status.versions:
        table.add_row(
            Text(version.number),
            clock_time(version.published, now),
            Text(version.code[:_DIGEST]),
            Text(version.description),
        )
    return table


def _alias_json(alias: Alias) -> dict[str, Any]:
    canary = {"version": alias.canary, "weight": alias.weight} if alias.canary else None
    return {"stable": alias.stable, "canary": canary}


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "version": run.version or None,
        "name": run.name,
        "outcome": run.outcome,
        "because": run.because or None,
        "started": timestamp(run.started),
        "ended": _timestamp(run.ended),
        "replaced": run.replaced or None,
    }


def _timestamp(moment: float | None) -> str | None:
    return None if moment is None else timestamp(moment)
