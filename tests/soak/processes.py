"""The two other processes of a run, and the function's files."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.local_gateway import ROOT

_WAIT = 30


class Told:
    """A process that answers each line with one.

    Args:
        process: the process.
        errors: file of what it prints as errors.
    """

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors
        self._lock = threading.Lock()

    def __call__(self, command: str) -> Any:
        """Say it, and read what it says."""
        with self._lock:
            assert self._process.stdin
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
            return self.answer()

    def answer(self) -> Any:
        """Read what it says."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"a process has ended:\n{self._errors.read_text('utf-8', 'replace')[-3000:]}"
        return json.loads(line)

    @property
    def pid(self) -> int:
        return self._process.pid


@contextmanager
def started(module: str, *arguments: str, errors: Path) -> Iterator[Told]:
    """Run a module of this package; it ends with its input.

    Args:
        module: its name.
        arguments: of its command line.
        errors: file for what it prints as errors.
    """
    command = [sys.executable, "-m", f"tests.soak.{module}", *arguments]
    with (
        errors.open("w") as printed,
        subprocess.Popen(
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=printed
        ) as process,
    ):
        try:
            yield Told(process, errors)
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(_WAIT)
            finally:
                process.kill()


def make_function(directory: Path, url: str, limit: float) -> None:
    """Write the function's files, in a process of its own: the CDK leaves one behind, and takes much memory.

    Args:
        directory: made here.
        url: of the upstreams.
        limit: seconds of its time-outs.
    """
    command = [sys.executable, "-m", "tests.soak.function", str(directory), url, str(limit)]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
