"""The states of all targets, shared by all function instances through the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import inf

from lambda_runtime import log
from lambda_runtime.state import items, window
from lambda_runtime.state.breaker import PROBE_LEASE, Breaker
from lambda_runtime.state.circuit_metric import CircuitMetric
from lambda_runtime.state.cooling import Cooling, cooled
from lambda_runtime.state.dynamodb import DynamoDb
from lambda_runtime.state.items import Update
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.state_reader import StateReader
from lambda_runtime.state.table_health import ConflictError, TableError, TableHealth, Use
from lambda_runtime.state.target_states import Availability

PROBE_PATIENCE = 0.1
"""Seconds in which a probe is taken, or else just made: the client waits meanwhile."""

BY_KEY = "key refused"
BY_PROBE = "probe failed"

_TRIES = 3


def _jitter() -> float:
    import random  # noqa: PLC0415  needed when a breaker opens

    return random.uniform(-1.0, 1.0)  # noqa: S311  nothing secret


class SharedStates:
    """A `TargetStates` over the table.

    Args:
        table: its client.
        health: whether it can be asked.
        clock: the time, in seconds since the epoch. Default: the real one.
        jitter: a number from -1 to 1 for each opening. Default: at random.
        probe_patience: seconds that a probe may take to be had: the client waits meanwhile. Default: `PROBE_PATIENCE`.
    """

    def __init__(
        self,
        table: DynamoDb,
        health: TableHealth,
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = _jitter,
        probe_patience: float = PROBE_PATIENCE,
    ) -> None:
        self._table = table
        self._health = health
        self._clock = clock
        self._jitter = jitter
        self._probe_patience = probe_patience
        self._reader = StateReader(table, health, clock)
        self._metric = CircuitMetric()
        self._leases: dict[str, float] = {}
        """Breakers whose probe is ours, with the time of their opening."""
        self._own_leases: dict[str, float] = {}
        """Breakers that this instance has probed without asking the table, and when."""

    def refresh(self) -> None:
        """Begin to read the table if what is known is older than `STATE_MAX_AGE`. Returns at once."""
        self._reader.refresh()

    def settle(self) -> None:
        """Wait for what `refresh` began, `GRACE` at most."""
        self._reader.settle()

    def availability(self, target: str) -> Availability:
        """Whether a target is to be asked: the worst of its own state, its cooling and its upstream's state."""
        known = self._reader.known
        if not (known.breakers or known.cooling):
            return Availability.CLOSED
        now = self._clock()
        if not known.counts(now):
            return Availability.CLOSED
        cooling = known.cooling.get(target)
        if cooling is not None and cooling.until > now:
            return Availability.OPEN
        own = known.breaker(target).availability(now)
        whole = known.breaker(items.whole_upstream(target)).availability(now)
        if own is Availability.OPEN or whole is Availability.OPEN:
            return Availability.OPEN
        return own if whole is Availability.CLOSED else whole

    def open_since(self, target: str) -> float:
        """When a target was opened last. See `TargetStates`."""
        known = self._reader.known
        now = self._clock()
        if not known.counts(now):
            return 0.0
        cooling = known.cooling.get(target)
        since = cooling.since if cooling is not None and cooling.until > now else 0.0
        for name in (target, items.whole_upstream(target)):
            breaker = known.breaker(name)
            if breaker.availability(now) is not Availability.CLOSED:
                since = max(since, inf if breaker.held(now) else breaker.since)
        return since

    def weight(self, route: str, target: str) -> float | None:
        """The percentage that an operator has set. See `TargetStates`."""
        known = self._reader.known
        return known.weights.get((route, target)) if known.weights and known.counts(self._clock()) else None

    def take_probe(self, target: str) -> bool:
        """Take the probe of a half-open target. See `TargetStates`.

        Where target and upstream are both half-open it takes both their leases. If only one of them is to be had it is left to
        run out: nobody else could use it meanwhile. While the table cannot be written, each instance takes one probe a lease
        time by itself: it cannot know of the others', but neither does it send all its requests to a target that may be down.
        """
        now = self._now()
        for name in (items.whole_upstream(target), target):
            if self._reader.known.breaker(name).availability(now) is not Availability.HALF_OPEN:
                continue
            if not self._health.may(Use.WRITE_STATES):
                return self._take_own_probe(target, now)
            try:
                leased = self._change(name, lambda breaker: breaker.leased(now), self._probe_patience)
            except TableError:
                return self._take_own_probe(target, now)
            if leased is None:  # somebody else has it, or has closed or opened the breaker meanwhile
                return self.availability(target) is Availability.CLOSED
            self._leases[name] = leased.since
        return self.availability(target) is not Availability.OPEN

    def record(self, attempts: Sequence[Attempted]) -> None:
        """Count attempts, and open and close breakers by them. Never raises."""
        for attempt in attempts:
            try:
                if items.nameable(attempt.target):
                    self._record(attempt)
            except TableError:
                continue  # it is known and said
            except Exception as error:  # noqa: BLE001
                log.unexpected(error)
        self._metric.follow(self._reader.known, self._clock())

    def forget(self) -> None:
        """Know nothing and have nothing under way: before a snapshot of the process."""
        self._reader.forget()
        self._metric.forget()
        self._health.forget()
        self._leases.clear()
        self._own_leases.clear()

    def _take_own_probe(self, target: str, now: float) -> bool:
        """Take a probe without asking the table."""
        held = {name: taken for name, taken in self._own_leases.items() if 0 <= now - taken < PROBE_LEASE}
        breakers = [
            name
            for name in (items.whole_upstream(target), target)
            if self._reader.known.breaker(name).availability(now) is Availability.HALF_OPEN
        ]
        free = held.keys().isdisjoint(breakers)
        self._own_leases = {**held, **dict.fromkeys(breakers, now)} if free else held
        return free

    def _record(self, attempt: Attempted) -> None:
        target, outcome, now = attempt.target, attempt.outcome, self._now()
        whole = items.whole_upstream(target)
        known = self._reader.known
        # Taken before anything is written: a decision about the breaker as it was is void if it has been changed since.
        leases = {name: self._leases.pop(name) for name in (whole, target) if attempt.probe and name in self._leases}
        if outcome is Outcome.RATE_LIMITED:
            self._cool(cooled(target, attempt.retry_after, now))
        if outcome is Outcome.KEY_REFUSED:
            self._open(whole, known.breaker(whole).since, BY_KEY, now)
        for name, since in leases.items():
            self._end_probe(name, since, outcome, now)
        # Of IGNORED nothing is written, not even that there was a call. Among these are clients that went away, of which nobody
        # knows how they would have ended; and if one client's faulty requests counted as calls that went well, a stream of them
        # would hide from the others that an upstream is failing.
        if not leases and outcome in {Outcome.SUCCESS, Outcome.FAILURE}:
            self._count(target, known.breaker(target).since, now, failed=outcome is Outcome.FAILURE)

    def _count(self, target: str, since: float, now: float, *, failed: bool) -> None:
        if not self._health.may(Use.WRITE_WINDOWS):
            return
        self._write(Use.WRITE_WINDOWS, window.counted(target, since, failed=failed, now=now))
        if not failed or not self._health.may(Use.READ_WINDOWS):
            return
        try:
            read = self._table.query(window.last_minute(self._table.table, target, now))
        except TableError as error:
            self._health.failed(Use.READ_WINDOWS, error)
            return
        self._health.worked(Use.READ_WINDOWS)
        why = window.verdict(window.buckets_of(read, since, now))
        if why:
            self._open(target, since, why, now)

    def _cool(self, cooling: Cooling | None) -> None:
        if cooling is None:
            return
        self._reader.learn_cooling(cooling)  # heeded by this instance even if the others cannot be told
        if self._health.may(Use.WRITE_STATES):
            try:
                self._write(Use.WRITE_STATES, cooling.update())
            except ConflictError as conflict:
                self._reader.learn_cooling(Cooling.of(conflict.item))

    def _open(self, name: str, since: float, by: str, now: float) -> None:
        """Open a breaker, unless it is another than was judged: then somebody else has decided on the same failures."""
        if not self._health.may(Use.WRITE_STATES):
            return
        jitter = self._jitter()
        opened = self._change(name, lambda breaker: breaker.opened(by, now, jitter) if breaker.since == since else None)
        if opened is not None:
            log.warning(
                "circuit breaker opened" if opened.since == now else "circuit breaker kept open",
                target=log.bounded(name),
                by=by,
                seconds=round(opened.until - now, 1),
                openings=opened.openings,
            )
            self._metric.changed(name, self._reader.known, now)

    def _end_probe(self, name: str, since: float, outcome: Outcome, now: float) -> None:
        def told(breaker: Breaker) -> Breaker | None:
            if breaker.since != since:
                return None
            return breaker.probed(now) if outcome is Outcome.SUCCESS else breaker.released()

        if outcome is Outcome.FAILURE:
            self._open(name, since, BY_PROBE, now)
            return
        if not self._health.may(Use.WRITE_STATES):
            return
        changed = self._change(name, told)
        if changed is not None and not changed.is_open:
            log.warning("circuit breaker closed", target=log.bounded(name))
            self._metric.changed(name, self._reader.known, now)

    def _change(self, name: str, decide: Callable[[Breaker], Breaker | None], patience: float | None = None) -> Breaker | None:
        """Change a breaker, on condition that nobody else does.

        Args:
            name: whose.
            decide: what it becomes; None to leave it. Asked again if the breaker turns out to be another.
            patience: seconds to wait for the table. Default: the client's.

        Returns:
            What it became; None if it was left.

        Raises:
            TableError: if the table could not be asked.
        """
        for _try in range(_TRIES):
            breaker = self._reader.known.breaker(name)
            changed = decide(breaker)
            if changed is None:
                return None
            try:
                self._write(Use.WRITE_STATES, changed.update(breaker.rev, self._now()), patience)
            except ConflictError as conflict:
                self._reader.learn_breaker(Breaker.of(conflict.item, self._now())._replace(name=name))
            else:
                self._reader.learn_breaker(changed)
                return changed
        return None

    def _write(self, use: Use, update: Update, patience: float | None = None) -> None:
        try:
            self._table.update(update.request(self._table.table), patience=patience)
        except TableError as error:
            self._health.failed(use, error)
            raise
        except ConflictError:
            self._health.worked(use)
            raise
        self._health.worked(use)

    def _now(self) -> float:
        """The time as the table holds it."""
        return round(self._clock(), 3)
