"""Runs everything and writes docs/scale.md: `python -m simulation`."""

from __future__ import annotations

import sys
import time

from simulation.cases import scenarios
from simulation.document import PATH, filled
from simulation.plan import blocks, run


def main() -> int:
    """Simulate and write.

    Returns:
        The exit code.
    """
    began = time.monotonic()
    sys.stdout.write(f"{len(scenarios())} scenarios; two to three minutes on two cores\n")
    sys.stdout.flush()
    made = blocks(run())
    PATH.write_text(filled(PATH.read_text(encoding="utf-8"), made), encoding="utf-8")
    sys.stdout.write(f"written to docs/{PATH.name} after {time.monotonic() - began:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
