"""A copy of something in the emulator that is at most about a second old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

FRESH_SECONDS = 1.0
STALE_SECONDS = 1.5
"""Up to this age a copy still answers while a newer one is fetched, so that no request under load waits for the emulator."""


class Refreshed(Generic[T]):
    """Fetches a value in a thread and keeps it for a second.

    Args:
        fetch: blocking call that fetches the value.
        clock: seconds, monotonic.
    """

    def __init__(self, fetch: Callable[[], T], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._value: T
        self._fetched = float("-inf")
        self._running: asyncio.Task[None] | None = None

    async def get(self, *, newer_than: float = STALE_SECONDS) -> T:
        """The value.

        Args:
            newer_than: wait for a new copy if the one at hand is older than this many seconds.
        """
        now = self._clock()
        if now - self._fetched > FRESH_SECONDS:
            self._start()
        # One that was under way already may have asked too early, so it is looked at again.
        while self._fetched < now - newer_than:
            await asyncio.shield(self._start())
        return self._value

    def _start(self) -> asyncio.Task[None]:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._refresh())
        return self._running

    async def _refresh(self) -> None:
        asked = self._clock()
        self._value = await asyncio.to_thread(self._fetch)
        self._fetched = asked
