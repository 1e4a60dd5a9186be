"""The table that is printed: a figure, its target, and whether it is met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One figure. `target` is the most that it may be; None where it is only for comparison."""

    name: str
    direct: str
    gateway: str
    added: float
    target: float | None
    unit: str


def render(rows: Sequence[Row]) -> str:
    """The table as text."""
    cells = [("", "direct", "gateway", "figure", "target", "")]
    for row in rows:
        figure = f"{row.added:.2f} {row.unit}"
        if row.target is None:
            cells.append((row.name, row.direct, row.gateway, figure, "", ""))
        else:
            verdict = "met" if row.added <= row.target else "NOT MET"
            cells.append((row.name, row.direct, row.gateway, figure, f"<= {row.target:g} {row.unit}", verdict))
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    lines = [
        "  ".join(text.ljust(width) if column in {0, 5} else text.rjust(width) for column, (text, width) in enumerate(columns))
        for columns in (list(zip(line, widths, strict=True)) for line in cells)
    ]
    return "\n".join([lines[0].rstrip(), "-" * len(lines[0]), *(line.rstrip() for line in lines[1:])])
