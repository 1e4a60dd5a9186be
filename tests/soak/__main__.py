"""Runs the soak: `python -m tests.soak`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.checks import complaints
from tests.soak.report import DOCUMENT, render, unbalanced, write
from tests.soak.run import Options, run

_SHOWN = 25


def main() -> int:
    """Run, and print what came of it.

    Returns:
        The exit status: 1 if anything was not as it must be.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--random-state", type=int, default=int(time.time()) % 100_000, help="of a run that is to be repeated")
    parser.add_argument("--workers", type=int, default=Options.workers, help="how many there may be at once")
    parser.add_argument("--clients", type=int, default=Options.clients, help="that read as fast as they can")
    parser.add_argument("--write", action="store_true", help="put the table into docs/hardening.md")
    chosen = parser.parse_args()

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    say(f"{chosen.requests} requests, --random-state {chosen.random_state}")
    options = Options(
        requests=chosen.requests,
        state=chosen.random_state,
        workers=chosen.workers,
        clients=chosen.clients,
        pace=max(400, min(3000, chosen.requests // 10)),
    )
    with tempfile.TemporaryDirectory() as directory:
        record = run(options, Path(directory), say)
        wrong = [*complaints(record), *unbalanced(record)]
    say(f"\n{render(record)}\n")
    for words in wrong[:_SHOWN]:
        say(f"WRONG: {words}")
    say(f"{len(wrong)} wrong" if wrong else "all as it must be")
    if chosen.write and not wrong:
        write(record)
        say(f"written to docs/{DOCUMENT.name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
