"""Notices that a cloud assembly was written anew."""

from __future__ import annotations

import asyncio
from pathlib import Path

_SECONDS = 0.5
_LOCK = "synth.lock"
"""Of the CDK CLI, as long as the app writes."""

Mark = tuple[int, int, int]


class AssemblyWatch:
    """Waits for the assembly in a directory to be written anew, beginning now.

    The CDK writes the manifest last. It is looked at and not asked of the operating system: two calls a second cost nothing,
    and work on every file system.

    Args:
        directory: of the assembly.
        seconds: between two looks. Default: 0.5.
    """

    def __init__(self, directory: Path, *, seconds: float = _SECONDS) -> None:
        self._directory = directory
        self._seconds = seconds
        self._seen = self._mark()

    async def changed(self) -> None:
        """Return when there is a new assembly, complete."""
        while True:
            before = self._mark()
            await asyncio.sleep(self._seconds)
            mark = self._mark()
            # Only what two looks find the same is written to its end.
            if mark is not None and mark == before != self._seen and not (self._directory / _LOCK).exists():
                self._seen = mark
                return

    def _mark(self) -> Mark | None:
        try:
            status = (self._directory / "manifest.json").stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
