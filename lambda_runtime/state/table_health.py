"""Whether the table can be asked, what is wrong with it, and that this is said once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from enum import Enum

from lambda_runtime import log

BACK_OFF = 30.0
"""Seconds after a failure for which the table is not asked again: nobody is to wait for it time and again."""


class TableError(Exception):
    """The table could not be asked. The message says why, and what mends it.

    Args:
        kind: tells one problem from another, so that each is logged once.
        message: for the operator.
        unreachable: whether nothing else can be asked of the table either.
    """

    def __init__(self, kind: str, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.unreachable = unreachable


class RefusedRequestError(TableError):
    """DynamoDB finds fault with this one request. The table is well."""


class ConflictError(Exception):
    """An update's condition does not hold.

    Args:
        item: the item as it is; empty if there is none.
    """

    def __init__(self, item: Mapping[str, object]) -> None:
        super().__init__("the item has been changed meanwhile")
        self.item = item


class Use(Enum):
    """What the table is used for. Rights and throttles are not the same for both."""

    READ = "read"
    WRITE = "written"


class TableHealth:
    """What is known of the table, for all that use it. May be used by several threads.

    Args:
        clock: the time, in seconds since the epoch. Default: the real one.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed_at: dict[Use, float] = {}
        self._said: set[str] = set()

    def may(self, use: Use) -> bool:
        """Whether the table can be asked, as far as is known."""
        failed_at = self._failed_at.get(use)
        # A clock that was set back must not make this last.
        return failed_at is None or not 0 <= self._clock() - failed_at < BACK_OFF

    def failed(self, use: Use, error: TableError) -> None:
        """The table could not be asked. It is logged, unless the same has been since the table was last well."""
        with self._lock:
            new = error.kind not in self._said
            self._said.add(error.kind)
            if not isinstance(error, RefusedRequestError):
                for each in Use if error.unreachable else (use,):
                    self._failed_at[each] = self._clock()
        if new:
            log.warning(f"the table cannot be {use.value}: {error}; requests are answered without it", problem=error.kind)

    def worked(self, use: Use) -> None:
        """The table was asked."""
        if use not in self._failed_at:  # the usual case takes no lock
            return
        with self._lock:
            self._failed_at.pop(use, None)
            well = not self._failed_at
            if well:
                self._said.clear()
        if well:
            log.write_line({"level": "INFO", "message": "the table can be used again"})

    def forget(self) -> None:
        """Nothing is known: before a snapshot of the process."""
        with self._lock:
            self._failed_at.clear()
            self._said.clear()
