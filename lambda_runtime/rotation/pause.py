"""The function's time: how much is left of it, and waiting."""

from __future__ import annotations

import time
from typing import Any


class Pause:
    """Waits, and knows when there is no time left to.

    Args:
        context: Lambda's, which knows the deadline.
    """

    def __init__(self, context: Any) -> None:
        self._context = context

    def remaining(self) -> float:
        """Seconds until Lambda ends the function."""
        return float(self._context.get_remaining_time_in_millis()) / 1000

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
