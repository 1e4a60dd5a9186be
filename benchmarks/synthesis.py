"""How long `python app.py` takes, beside an app with nothing in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

_ROOT = Path(__file__).resolve().parent.parent
_EMPTY = "from aws_cdk import App; App().synth()"


def synthesis(rounds: int) -> tuple[float, float]:
    """Seconds that an empty app and `app.py` take, without the CDK's template validator, taking turns.

    Args:
        rounds: how often each is run. The first run of each fills caches and is not counted.
    """
    empty, ours = [], []
    for _ in range(rounds + 1):
        empty.append(_run(["-c", _EMPTY]))
        ours.append(_run(["app.py"]))
    return median(empty[1:]), median(ours[1:])


def _run(arguments: list[str]) -> float:
    with tempfile.TemporaryDirectory() as directory:
        env = os.environ | {"CDK_VALIDATION": "false", "CDK_OUTDIR": directory}
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=_ROOT, env=env, check=True, capture_output=True)
        return time.perf_counter() - began
