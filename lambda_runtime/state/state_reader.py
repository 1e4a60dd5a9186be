"""Reads the states beside the request: in a thread, while the connection to the upstream is being made."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable

from lambda_runtime.state import items
from lambda_runtime.state.breaker import Breaker
from lambda_runtime.state.cooling import Cooling
from lambda_runtime.state.dynamodb import DynamoDb
from lambda_runtime.state.known_states import KnownStates
from lambda_runtime.state.table_health import BackOff, TableHealth, Use, as_table_error

STATE_MAX_AGE = 2.0
"""Seconds for which what was read counts as new."""

GRACE = 0.025
"""Seconds that a request may wait for the table."""

_FORGET_PATIENCE = 2.0
_NOTHING = KnownStates(0.0, {}, {}, {})


class StateReader:
    """Keeps the states, and reads them anew when they are old.

    `refresh`, `settle`, `learn_…` and `forget` are called by one thread, the requests'; what they share with the reading thread
    is under a lock or replaced as a whole.

    Args:
        table: what is read.
        health: whether it can be.
        clock: the time, in seconds since the epoch.
    """

    def __init__(self, table: DynamoDb, health: TableHealth, clock: Callable[[], float]) -> None:
        self._table = table
        self._health = health
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: threading.Lock | None = None
        """Held by the read under way; None if there is none whose result still matters."""
        self._began = 0.0
        self._read_at = 0.0
        self._slow: BackOff | None = None
        """For how long nobody waits for a read; None if the last one that was waited for came in time."""
        self.known = _NOTHING
        """What is known, however old."""

    def refresh(self) -> None:
        """Begin to read if what is known is old and no read is under way. Returns at once."""
        now = self._clock()
        if 0 <= now - self._read_at < STATE_MAX_AGE or not self._health.may(Use.READ_STATES):
            return
        # A read that was under way when Lambda froze the instance is nothing to wait for.
        if self._reading is not None and 0 <= now - self._began < STATE_MAX_AGE:
            return
        done = threading.Lock()
        done.acquire()
        with self._lock:
            self._reading, self._began = done, now
        try:
            # `threading.Thread` waits until the thread runs: 0.1 ms, and milliseconds if that one keeps the interpreter.
            _thread.start_new_thread(self._read, (done, now))
        except RuntimeError:  # no thread can be had: what is known has to do
            self._reading = None

    def settle(self) -> None:
        """Wait for the read under way, `GRACE` at most; not at all for a table that was too slow for that a short while ago."""
        reading = self._reading
        if reading is None or (self._slow is not None and self._slow.holds(self._clock())):
            return
        if reading.acquire(timeout=GRACE):
            reading.release()
            self._slow = None
        else:
            self._slow = BackOff.after(self._slow, self._clock())

    def learn_breaker(self, breaker: Breaker) -> None:
        """A breaker is known to be like this now, better than by a read that is under way."""
        with self._lock:
            self._reading = None
            self.known = self._current().with_breaker(breaker)

    def learn_cooling(self, cooling: Cooling) -> None:
        """A target is known to be cooling."""
        with self._lock:
            self._reading = None
            self.known = self._current().with_cooling(cooling)

    def forget(self) -> None:
        """Know nothing, and wait for the end of the read under way."""
        reading = self._reading
        if reading is not None and reading.acquire(timeout=_FORGET_PATIENCE):
            reading.release()
        with self._lock:
            self._reading = None
            self._read_at, self._slow = 0.0, None
            self.known = _NOTHING

    def _current(self) -> KnownStates:
        now = self._clock()
        return self.known if self.known.counts(now) else _NOTHING._replace(at=now)

    def _read(self, done: threading.Lock, began: float) -> None:
        started = time.monotonic()
        try:
            known = KnownStates.of(self._table.query(items.query(self._table.table, items.STATE_PARTITION)), began)
            with self._lock:
                if self._reading is done:
                    self.known, self._read_at = known, began
            self._health.worked(Use.READ_STATES)
        except Exception as error:  # noqa: BLE001  nobody is there to catch it
            # The monotonic clock stands still while Lambda has the instance frozen. A connection that did not outlive that says
            # nothing about the table.
            frozen = self._clock() - began - (time.monotonic() - started) > STATE_MAX_AGE
            if not frozen:
                self._health.failed(Use.READ_STATES, as_table_error(error))
        finally:
            with self._lock:
                if self._reading is done:
                    self._reading = None
            done.release()
