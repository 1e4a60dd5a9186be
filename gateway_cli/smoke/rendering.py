"""How a smoke test is shown: as a table to people, as JSON to scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway_cli.console import plain_table, widen
from gateway_cli.smoke.steps import Outcome, Step, passed

_COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.SKIPPED: "yellow"}


def print_steps(console: Console, steps: Sequence[Step]) -> None:
    """Print a table, and below it what to do about what failed."""
    widen(console)
    table = plain_table()
    for title in ("step", "of"):
        table.add_column(title, overflow="fold")
    table.add_column("result")
    for title in ("took", "first token"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("seen", overflow="fold", min_width=20)
    for step in steps:
        table.add_row(
            Text(step.name),
            Text(step.subject),
            Text(step.outcome.value, style=_COLOURS[step.outcome]),
            duration(step.seconds),
            duration(step.first_token),
            Text(step.text),
        )
    console.print(table)
    for step in steps:
        if step.mend:
            console.print(
                f"{' of '.join(part for part in (step.name, step.subject) if part)}: {step.mend}", markup=False, soft_wrap=True
            )


def steps_json(about: Mapping[str, Any], steps: Sequence[Step]) -> dict[str, Any]:
    """What scripts read. Times are in seconds.

    Args:
        about: what was tested.
        steps: how it went.
    """
    return {
        **about,
        "passed": passed(steps),
        "steps": [
            {
                "name": step.name,
                "subject": step.subject or None,
                "outcome": step.outcome.value,
                "seconds": _rounded(step.seconds),
                "first_token_seconds": _rounded(step.first_token),
                "text": step.text,
                "request_id": step.request_id or None,
                "mend": step.mend or None,
            }
            for step in steps
        ],
    }


def duration(seconds: float | None) -> str:
    """A short time for people; empty if there is none."""
    if seconds is None:
        return ""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
