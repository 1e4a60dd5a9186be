"""The upstream as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_upstream(certificate: Path | None = None) -> Iterator[list[int]]:
    """Run the upstream.

    Args:
        certificate: a file with its certificates and key, for a second port with TLS. Default: no such port.

    Yields:
        Its ports.
    """
    command = [sys.executable, "-m", "benchmarks.upstream", *([str(certificate)] if certificate else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout  # noqa: S101  for the type checker
        yield [int(port) for port in process.stdout.readline().split()]
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
