"""How upstreams' keys are shown: a table for people, JSON for scripts. Never a value, and nothing made from one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway_cli.console import plain_table, widen
from gateway_cli.credentials.done import Done
from gateway_cli.credentials.model import CURRENT, PREVIOUS, Credential, State, Version
from gateway_cli.times import duration_of, timestamp

_COLOURS = {
    State.SET: "green",
    State.PLACEHOLDER: "yellow",
    State.UNREADABLE: "yellow",
    State.FEDERATED: "green",
    State.KEYLESS: "dim",
}
_COLUMNS = ("upstream", "key", "made", "staged", "rotation", "last", "next", "previous", "secret")


def print_status(console: Console, credentials: Sequence[Credential], now: float, *, embedded: bool) -> None:
    """Print a table.

    Args:
        console: where to.
        credentials: in order.
        now: the time.
        embedded: whether it is a local gateway, in which nothing is rotated by schedule.
    """
    widen(console)
    table = plain_table()
    for title in _COLUMNS:
        table.add_column(title, overflow="fold")
    for one in credentials:
        secret = one.secret
        table.add_row(
            Text(one.name),
            Text(one.state.value, style=_COLOURS.get(one.state, "red")),
            Text(_age(secret.labelled(CURRENT) if secret else None, now)),
            _staged(one, now),
            Text(one.rotation_word, style="red" if one.rotation_word == "off" else ""),
            Text(_ago(secret.last_rotation, now) if secret else ""),
            _next(one, now, embedded=embedded),
            Text(_age(secret.labelled(PREVIOUS) if secret else None, now)),
            Text(secret.name if secret else ""),
        )
    console.print(table)
    for one in credentials:
        if one.why:
            console.print(Text(f"{one.name}: {one.why}"))
        if one.secret and one.secret.pending:
            console.print(Text(f"{one.name}: a rotation has been under way for {_age(one.secret.pending, now)}"))


def status_json(gateway: str, credentials: Sequence[Credential]) -> dict[str, Any]:
    """What `status` tells scripts. Times are in UTC."""
    return {"gateway": gateway, "upstreams": [credential_json(one) for one in credentials]}


def credential_json(one: Credential) -> dict[str, Any]:
    """What is known of an upstream's key. `made` and the like are when a version of the secret was made."""
    secret = one.secret
    return {
        "upstream": one.name,
        "state": one.state.value,
        "why": one.why or None,
        "secret": secret.name if secret else None,
        "secret_id": secret.id if secret else None,
        "made": _time(secret.labelled(CURRENT) if secret else None),
        "staged": _time(one.staged),
        "previous": _time(secret.labelled(PREVIOUS) if secret else None),
        "under_way": _time(secret.pending if secret else None),
        "rotation": one.rotation.kind.value if one.rotation else "other" if secret and secret.rotated else None,
        "rotation_enabled": bool(secret and secret.rotated),
        "last_rotation": timestamp(secret.last_rotation) if secret and secret.last_rotation else None,
        "next_rotation": timestamp(secret.next_rotation) if secret and secret.next_rotation else None,
    }


def done_json(done: Done, credential: Credential) -> dict[str, Any]:
    """What the other commands tell scripts."""
    return credential_json(credential) | {"changed": done.changed}


def _staged(one: Credential, now: float) -> Text:
    if one.staged:
        return Text(_age(one.staged, now), style="green")
    due = one.secret.next_rotation if one.secret else None
    near = one.rotation is not None and due is not None and due - now < one.rotation.notice
    return Text("none" if one.is_staged_kind else "", style="yellow" if near else "")


def _next(one: Credential, now: float, *, embedded: bool) -> Text:
    if one.secret is None or not one.secret.rotated:
        return Text("")
    if one.secret.next_rotation is None:
        return Text("by command" if embedded else "unknown")
    left = one.secret.next_rotation - now
    return Text(f"in {duration_of(left, units=1)}") if left > 0 else Text("overdue", style="red")


def _age(version: Version | None, now: float) -> str:
    return duration_of(now - version.created, units=1) if version else ""


def _ago(moment: float | None, now: float) -> str:
    return duration_of(now - moment, units=1) if moment else ""


def _time(version: Version | None) -> str | None:
    return timestamp(version.created) if version else None
