"""`make fuzz`: fuzzes the targets for some seconds each, as many at once as there are cores, and says what was found."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.document import machine, with_block
from tests.fuzz import corpus
from tests.fuzz.session import Session
from tests.fuzz.words import ROOT

_DOCUMENT = ROOT / "docs" / "hardening.md"
_LINE = "{:<20} {:>9} {:>8} {:>6} {:>7}  {}"
_HEADS = ("target", "runs", "a second", "edges", "inputs", "what became of the inputs")


def main() -> int:
    """Fuzz."""
    known = ", ".join(corpus.TARGETS)
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(corpus.TARGETS), help=f"of {known}; default: all")
    parser.add_argument("--seconds", type=int, default=12, help="for each target; default: 12")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at once; default: as there are cores")
    parser.add_argument("--tell", action="store_true", help="a finding is told, and is no failure")
    parser.add_argument("--write", action="store_true", help="put the table into docs/hardening.md")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(corpus.TARGETS)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {known}")
    sessions = [Session(name) for name in arguments.targets]
    print(_LINE.format(*_HEADS))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(lambda session: _fuzzed(session, arguments.seconds), sessions))
    failed = [session for session in sessions if session.failed]
    for session in failed:
        print(f"\n{session.name}: something does not hold\n{session.words()}")
        for path in session.found():
            print(
                f"The input is {path}.\nTo keep it for `make test`: python -m tests.fuzz.keep {session.name} {path} 'its name'"
            )
    if arguments.write and not failed:
        head = f"{machine()}, Python {sys.version.split()[0]}; {arguments.seconds} s for each target, {arguments.jobs} at once."
        table = "\n".join(f"| {' | '.join(row)} |" for row in [_HEADS, ["---"] * len(_HEADS), *rows])
        _DOCUMENT.write_text(with_block(_DOCUMENT.read_text("utf-8"), "fuzz", f"{head}\n\n{table}"), "utf-8")
    return 1 if failed and not arguments.tell else 0


def _fuzzed(session: Session, seconds: int) -> list[str]:
    """Fuzz one target, and say how it went."""
    session.prepare()
    status = session.start(f"-max_total_time={seconds}", str(session.work), str(session.kept)).wait()
    session.failed = status != 0 or bool(session.found())
    became = "" if session.failed else ", ".join(f"{outcome}: {count}" for outcome, count in session.outcomes().most_common())
    row = [session.name, *(f"{figure:,}" for figure in session.figures()), became or "SOMETHING DOES NOT HOLD"]
    print(_LINE.format(*row), flush=True)
    return row


if __name__ == "__main__":
    sys.exit(main())
