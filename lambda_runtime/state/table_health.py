"""Whether the table can be asked, what is wrong with it, and that this is said once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from lambda_runtime import log

FIRST_BACK_OFF = 2.0
LONGEST_BACK_OFF = 30.0
"""Seconds after a failure for which the table is not asked again: nobody is to wait for it time and again. They double from the
first to the longest while it stays bad: most tables that were slow once are well a moment later."""


class BackOff(NamedTuple):
    """A time for which something is not tried again.

    Args:
        at: when it failed last.
        seconds: how long it is left alone from then on.
    """

    at: float
    seconds: float

    def holds(self, now: float) -> bool:
        """Whether it is to be left alone still. A clock that was set back must not make this last."""
        return 0 <= now - self.at < self.seconds

    @classmethod
    def after(cls, before: BackOff | None, now: float) -> BackOff:
        """The one after a failure.

        Args:
            before: the one after the failure before; None if it worked since.
            now: the time.
        """
        if before is None:
            return cls(now, FIRST_BACK_OFF)
        # What fails during a back-off was begun before it: the same trouble, which is no reason to expect a longer one.
        return cls(now, before.seconds if before.holds(now) else min(2 * before.seconds, LONGEST_BACK_OFF))


class TableError(Exception):
    """The table could not be asked. The message says why, and what mends it.

    Args:
        kind: tells one problem from another, so that each is logged once.
        message: for the operator.
        unreachable: whether nothing else can be asked of the table either.
        unsure: whether a change may have been made all the same: it was sent whole, and no answer says that it was refused.
    """

    def __init__(self, kind: str, message: str, *, unreachable: bool = False, unsure: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.unreachable = unreachable
        self.unsure = unsure


class RefusedRequestError(TableError):
    """DynamoDB finds fault with this one request. The table is well."""


def as_table_error(error: Exception) -> TableError:
    """Whatever was raised where the table was asked, as what is known of the table."""
    return error if isinstance(error, TableError) else TableError("unexpected", f"unexpected {type(error).__name__}")


class ConflictError(Exception):
    """An update's condition does not hold.

    Args:
        item: the item as it is; empty if there is none.
    """

    def __init__(self, item: Mapping[str, object]) -> None:
        super().__init__("the item has been changed meanwhile")
        self.item = item


class Way(Enum):
    """How the table is used. Rights are not the same for both."""

    READ = "read"
    WRITE = "written"


class Use(Enum):
    """What the table is used for: a kind of its partitions, and how. Each partition is throttled for itself."""

    READ_STATES = Way.READ, "states"
    WRITE_STATES = Way.WRITE, "states"
    READ_WINDOWS = Way.READ, "windows"
    WRITE_WINDOWS = Way.WRITE, "windows"
    READ_CONSUMERS = Way.READ, "consumers"
    WRITE_CONSUMERS = Way.WRITE, "consumers"

    @property
    def way(self) -> Way:
        """Whether it reads or writes."""
        return self.value[0]


class TableHealth:
    """What is known of the table, for all that use it. May be used by several threads.

    What DynamoDB answers is about a partition, or a right: only that use is left alone then. A table that cannot be reached is
    left alone by all.

    Args:
        clock: the time, in seconds since the epoch. Default: the real one.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._back_offs: dict[Use | Way, BackOff] = {}
        self._said: set[tuple[str, str]] = set()

    def may(self, use: Use) -> bool:
        """Whether the table can be asked, as far as is known."""
        if not self._back_offs:  # the usual case
            return True
        now = self._clock()
        return not any(back_off.holds(now) for key in (use, use.way) if (back_off := self._back_offs.get(key)) is not None)

    def failed(self, use: Use, error: TableError) -> None:
        """The table could not be asked. It is logged, unless the same has been since the table was last well."""
        refused = isinstance(error, RefusedRequestError)
        # Reading may be logged before writing fails in the same way: the log must say all the same that usage is not counted.
        held = not refused and (error.unreachable or use is Use.WRITE_CONSUMERS)
        meanwhile = "requests are answered without it" + (", and usage is not counted but held back meanwhile" if held else "")
        keys: tuple[Use | Way, ...] = () if refused else tuple(Way) if error.unreachable else (use,)
        with self._lock:
            new = (error.kind, meanwhile) not in self._said
            self._said.add((error.kind, meanwhile))
            now = self._clock()
            for key in keys:
                self._back_offs[key] = BackOff.after(self._back_offs.get(key), now)
        if new:
            log.warning(f"the table cannot be {use.way.value}: {error}; {meanwhile}", problem=error.kind)

    def worked(self, use: Use) -> None:
        """The table was asked."""
        if not self._back_offs:  # the usual case takes no lock
            return
        with self._lock:
            ended = [key for key in (use, use.way) if self._back_offs.pop(key, None) is not None]
            now = self._clock()
            # Some uses are rare: what has been tried again is not to wait for them, or the next trouble would not be said.
            well = bool(ended and self._said) and not any(back_off.holds(now) for back_off in self._back_offs.values())
            if well:
                self._said.clear()
        if well:
            log.write_line({"level": "INFO", "message": "the table can be used again"})

    def forget(self) -> None:
        """Nothing is known: before a snapshot of the process."""
        with self._lock:
            self._back_offs.clear()
            self._said.clear()
