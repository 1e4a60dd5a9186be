"""Runs every fault and writes docs/reliability.md: `python -m tests.faults`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.faults.cases import BEHIND_HEARTBEATS_CASES, CASES, Case
from tests.faults.document import PATH, expected, render
from tests.faults.pool import run_all
from tests.faults.rig import Run, Setup
from tests.faults.upstream_faults import HEARTBEAT

_SETUPS = {Setup.ALONE, Setup.SECOND, Setup.WHOLE, Setup.ALL}


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main() -> int:
    """Run and write.

    Returns:
        The exit code: 1 if something came that must not.
    """
    shown = [case for case in CASES if case.setup in _SETUPS]
    _say(f"{len(shown) + len(BEHIND_HEARTBEATS_CASES)} requests, one after the other; about four minutes")
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        # The first one twice: a function's first request takes longer, and the later run of a case counts.
        results = run_all([shown[0], *shown], Path(first), at_once=1)
        results |= run_all(BEHIND_HEARTBEATS_CASES, Path(second), at_once=1, heartbeat=HEARTBEAT)
    runs: dict[Case, Run] = {}
    wrong = 0
    for case, result in results.items():
        if isinstance(result, AssertionError):
            _say(f"{case}: {result!r}")
            wrong += 1
            continue
        wanted = expected(case)
        if case.setup is Setup.ALL:
            wanted = wanted._replace(seen=result.seen)
        if result != wanted._replace(milliseconds=result.milliseconds):
            _say(f"{case}: {result.seen}, {result.tries}; wanted: {wanted.seen}, {wanted.tries}")
            wrong += 1
        runs[case] = result
    if wrong:
        _say(f"{wrong} wrong; nothing is written")
        return 1
    PATH.write_text(render(runs.__getitem__), encoding="utf-8")
    _say(f"all as they must be; written to docs/{PATH.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
