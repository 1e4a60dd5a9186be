"""The share of a processor that Lambda gives to a function of some memory, by the kernel's own bandwidth control.

Lambda gives one vCPU at 1,769 MB and a part of it below, as a quota of each period. AWS does not document the period; 20 ms
are an assumption.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = 1769
"""Memory in MB that comes with one whole vCPU."""
PERIOD = 20_000
"""Microseconds."""
REST = PERIOD / 1e6 / 2
"""Seconds before each of several calls that take turns, so that each one's quota is whole again when it is called, as it is
after having waited for a provider."""
_TOLERANCE = 0.15
_SPIN = """
import time
began, used = time.perf_counter(), time.process_time()
while time.perf_counter() < began + 0.5: pass
print((time.process_time() - used) / (time.perf_counter() - began))
"""


class CannotShareError(Exception):
    """This machine lets us set no share."""


def quota(memory: int) -> int:
    """Microseconds of each period that a function of that memory may run.

    Args:
        memory: in MB.
    """
    return PERIOD * memory // FULL


class CpuShare:
    """A group of processes that have a share of one processor together.

    Args:
        directory: its control group, made here.
        version: of the kernel's control groups.
    """

    def __init__(self, directory: Path, version: int) -> None:
        self._directory = directory
        self._version = version
        directory.mkdir()

    def set(self, memory: int) -> None:
        """Give the group the share that a function has.

        Args:
            memory: in MB.
        """
        if self._version == 1:
            (self._directory / "cpu.cfs_period_us").write_text(str(PERIOD))
            (self._directory / "cpu.cfs_quota_us").write_text(str(quota(memory)))
        else:
            (self._directory / "cpu.max").write_text(f"{quota(memory)} {PERIOD}")

    @property
    def within(self) -> list[str]:
        """What to put before a command to have it run in the group."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._directory / "cgroup.procs")]

    def check(self) -> None:
        """Have a busy process show that the kernel keeps to a share.

        Raises:
            CannotShareError: if it does not.
        """
        self.set(FULL // 4)
        command = [*self.within, sys.executable, "-c", _SPIN]
        measured = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        if abs(measured / 0.25 - 1) > _TOLERANCE:
            raise CannotShareError(f"a quarter of a processor was set, {measured:.2f} was given: run it where less else runs")

    def remove(self) -> None:
        """Delete the group, whose processes have ended."""
        self._directory.rmdir()


def find_controller(mounts: str) -> tuple[Path, int]:
    """Where control groups with a CPU controller are, and their version.

    Args:
        mounts: as in /proc/mounts.

    Raises:
        CannotShareError: if there are none.
    """
    for line in mounts.splitlines():
        _, path, kind, options = line.split()[:4]
        if kind == "cgroup" and "cpu" in options.split(","):
            return Path(path), 1
        if kind == "cgroup2" and "cpu" in (Path(path) / "cgroup.controllers").read_text().split():
            return Path(path), 2
    raise CannotShareError("no control group with a CPU controller is mounted here: run it on a Linux machine that has one")


@contextmanager
def cpu_shares(count: int, mounts: Path = Path("/proc/mounts")) -> Iterator[list[CpuShare]]:
    """Make groups, and delete them at the end.

    Args:
        count: how many. None are made anywhere.
        mounts: where the mounted file systems are listed. Default: the kernel's list.

    Yields:
        The groups, without a limit so far.

    Raises:
        CannotShareError: if this machine lets us make none.
    """
    if not count:
        yield []
        return
    if not mounts.exists():
        raise CannotShareError("this is no Linux: run it on one")
    root, version = find_controller(mounts.read_text())
    shares: list[CpuShare] = []
    try:
        try:
            if version == 2:
                (root / "cgroup.subtree_control").write_text("+cpu")
            for number in range(count):
                shares.append(CpuShare(root / f"ai-gateway-benchmark-{os.getpid()}-{number}", version))
                shares[-1].set(FULL)
        except OSError as error:
            raise CannotShareError(
                f"{root} cannot be written ({error.strerror}): run it as root, outside a container"
            ) from error
        yield shares
    finally:
        for share in shares:
            share.remove()
