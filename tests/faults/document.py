"""Writes docs/reliability.md: what is guaranteed, in words, and every fault with what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.faults.cases import Case
from tests.faults.introduction import INTRODUCTION
from tests.faults.rig import Run, Setup
from tests.faults.scenario import Scenario
from tests.faults.scenarios import BEHIND_HEARTBEATS, BROKEN, SECTIONS
from tests.faults.wire import CHAT, MESSAGES

PATH = Path(__file__).parents[2] / "docs" / "reliability.md"

Runs = Callable[[Case], Run]

_MS = "ms"
_ALONE = ("fault", "asked for", "alone: chat completions", "alone: messages", "tries", _MS)
_SECOND = ("with a second upstream", "tries", _MS)
_WHOLE = ("the same, delivered whole", "tries", _MS)
_ALL = ("tries, if four have it",)


def expected(case: Case) -> Run:
    """What must come of a case, as if it had been run. The time is unknown."""
    seen, tries = case.expected()
    return Run((seen or case.result.alone).of(case.wire), tries, 0)


def render(runs: Runs) -> str:
    """The document.

    Args:
        runs: gives what came of a case.
    """
    parts = [INTRODUCTION]
    for title, scenarios in SECTIONS.items():
        whole = title == BROKEN
        header = _ALONE + _SECOND + (_WHOLE if whole else _ALL)
        parts.append(_table(title, header, [row for s in scenarios for row in _rows(s, runs, whole=whole, every=not whole)]))
    header = (*_ALONE, *_SECOND, *_WHOLE)
    rows = [row for s in BEHIND_HEARTBEATS for row in _rows(s, runs, whole=True, every=False)]
    parts.append(_table("Behind heartbeats", header, rows))
    return "\n".join(parts)


def without_times(text: str) -> str:
    """The document without the columns that no two runs have in common."""
    lines: list[str] = []
    columns: list[int] = []
    for line in text.splitlines():
        cells = line.split(" | ")
        if line.startswith("| fault"):
            columns = [index for index, cell in enumerate(cells) if cell.strip(" |") == _MS]
        if line.startswith("|") and not line.startswith("|-"):
            cells = [cell for index, cell in enumerate(cells) if index not in columns]
        lines.append(" | ".join(cells).rstrip(" |"))
    return "\n".join(lines)


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"## {title}", "", _line(header), "|" + "---|" * len(header), *map(_line, rows), ""]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rows(scenario: Scenario, runs: Runs, *, whole: bool, every: bool) -> Iterator[list[str]]:
    for streamed, result in ((False, scenario.json), (True, scenario.stream)):
        if result is None:
            continue

        def of(setup: Setup, streamed: bool = streamed) -> list[Run | None]:
            return [
                runs(Case(scenario, wire, streamed, setup)) if wire in scenario.wires else None for wire in (CHAT, MESSAGES)
            ]

        alone, second = of(Setup.ALONE), of(Setup.SECOND)
        row = [scenario.name, "stream" if streamed else "JSON", *map(_seen, alone), *_figures(alone)]
        row += [_same(second, alone), *_figures(second, both=True)]
        if whole:
            delivered = of(Setup.WHOLE)
            row += [_same(delivered, alone), *_figures(delivered, both=True)]
        if every:
            row.append(_joined([str(sum(run.tries)) for run in of(Setup.ALL) if run]))
        yield row


def _seen(run: Run | None) -> str:
    return str(run.seen) if run else "-"


def _same(runs: Sequence[Run | None], alone: Sequence[Run | None]) -> str:
    seen = [run.seen for run in runs if run]
    return "as alone" if seen == [run.seen for run in alone if run] else _joined([str(one) for one in seen])


def _figures(runs: Sequence[Run | None], *, both: bool = False) -> list[str]:
    """Tries and times of both formats; one figure where they agree."""
    known = [run for run in runs if run]
    tries = [f"{run.tries[0]} + {run.tries[1]}" if both else str(run.tries[0]) for run in known]
    return [_joined(tries), " / ".join(_time(run.milliseconds) for run in known)]


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.1f}"


def _joined(texts: list[str]) -> str:
    return " / ".join(dict.fromkeys(texts))
