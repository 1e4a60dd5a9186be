"""Processes, their descendants, and how much memory they use."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.function import memory

_PATIENCE = 10


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(command: Sequence[str | Path], *, env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server; end it, and what it started, by the id of its group.

    Args:
        command: what to run.
        env: all of its environment.
        log: what it says goes there; its directory is the server's.

    Yields:
        The process.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=env, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            # The group outlives its first process where that leaves children behind.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)


def tree_memory(pid: int) -> float:
    """Resident memory of a process and its descendants, in MB; pages that they share count for each.

    Args:
        pid: the first one's id.
    """
    parents = _parents()
    members = {pid}
    while grown := {child for child, parent in parents.items() if parent in members} - members:
        members |= grown
    total = 0.0
    for member in members:
        # One may have ended since.
        with suppress(OSError, KeyError):
            total += memory(member, "VmRSS")
    return total


def _parents() -> dict[int, int]:
    parents = {}
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with suppress(OSError):
                # The name, in parentheses, may hold anything; state and parent follow it.
                parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
    return parents
