"""Runs a function as Lambda does: the wrapper, in a process of its own, from a task root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WRAPPER = ROOT / "lambda_runtime" / "exec-wrapper"


def make_task_root(directory: Path, source: str) -> Path:
    """A task root with the runtime in it, and a module `function` with the given source."""
    shutil.copytree(ROOT / "lambda_runtime", directory / "lambda_runtime", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(WRAPPER, directory / "exec-wrapper")
    (directory / "function.py").write_text(source)
    return directory


def environment(task_root: Path, **more: str) -> dict[str, str]:
    """What Lambda sets, and nothing of this process but where programs are."""
    return {
        "PATH": os.environ["PATH"],
        "LAMBDA_TASK_ROOT": str(task_root),
        "_HANDLER": "function.handler",
        "AWS_LAMBDA_FUNCTION_NAME": "gateway",
        **more,
    }


def command(task_root: Path, python: str = sys.executable) -> list[str]:
    """What Lambda runs: the wrapper, with its Python and its bootstrap."""
    return [str(task_root / "exec-wrapper"), python, "/var/runtime/bootstrap.py"]


@contextmanager
def function(task_root: Path, address: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Run the function against a Runtime API until the block ends."""
    env = environment(task_root, AWS_LAMBDA_RUNTIME_API=address, **more)
    # A directory other than the repository, so that only the task root's files can be imported.
    with subprocess.Popen(
        command(task_root), env=env, cwd=task_root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()
