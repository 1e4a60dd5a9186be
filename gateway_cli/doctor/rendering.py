"""How findings are shown: as lines to people, as JSON to scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway_cli.aws.gateways import Gateway
from gateway_cli.console import harmless
from gateway_cli.doctor.findings import Finding, Level

_COLOURS = {Level.OK: "green", Level.NOTE: "cyan", Level.SKIPPED: "dim", Level.WARNING: "yellow", Level.ERROR: "red"}
_COUNTED = (Level.NOTE, Level.WARNING, Level.ERROR)
_WIDTH = max(map(len, Level))


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print a line for each, below it what mends it, and a sum. Nothing is folded: commands are to be copied."""
    width = max((len(finding.check) for finding in findings), default=0)
    for finding in findings:
        line = Text.assemble(
            (f"{finding.level.value:<{_WIDTH}}  ", _COLOURS[finding.level]),
            (f"{finding.check:<{width}}  ", "bold"),
            harmless(f"{finding.subject}: {finding.text}" if finding.subject else finding.text),
        )
        console.print(line, soft_wrap=True)
        for command in finding.mend:
            console.print(Text(f"{'':<{_WIDTH + width + 4}}{harmless(command)}"), soft_wrap=True)
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    parts = [
        f"{count} {level.value}{'s' if count > 1 and level in _COUNTED else ''}" for level, count in counts.items() if count
    ]
    console.print(Text(", ".join(parts)), soft_wrap=True)


def findings_json(gateway: Gateway | None, findings: Sequence[Finding]) -> dict[str, Any]:
    """What scripts read.

    Args:
        gateway: that was examined. None: it was not found.
        findings: in order.
    """
    return {
        "gateway": gateway.path if gateway else None,
        "api": gateway.api if gateway else None,
        "function": (gateway.function or None) if gateway else None,
        "counts": {level.value: sum(finding.level is level for finding in findings) for level in Level},
        "findings": [
            {
                "check": finding.check,
                "level": finding.level.value,
                "subject": finding.subject or None,
                "text": finding.text,
                "mend": list(finding.mend),
            }
            for finding in findings
        ],
    }
