"""The circuit breaker's rules, as functions of a breaker and the time. Pure: what happens is a new breaker, or None."""

from __future__ import annotations

from typing import NamedTuple

from lambda_runtime.state import items
from lambda_runtime.state.items import Item, Update
from lambda_runtime.state.target_states import Availability

OPEN_SECONDS = 30.0
LONGEST_OPEN = 300.0
JITTER = 0.1
"""Of the open time, either way: so that breakers that opened together do not ask again together."""

PROBES_TO_CLOSE = 3
PROBE_LEASE = 60.0
"""Seconds after which a probe that nobody has heard of is taken for lost, with its instance."""

OPERATOR = "operator"
FOREVER = 9_999_999_999.0
"""An operator's word without an end, as a time. A number, so that conditions can compare with it."""

_OPEN = "open"
_CLOSED = "closed"
_NOTICEABLE = 1.0


class Breaker(NamedTuple):
    """The breaker of a target or of a whole upstream.

    Args:
        name: `upstream/model` or `upstream/*`.
        is_open: whether it is open, or half-open once `until` has passed.
        since: when it was last opened or closed. Counts of attempts belong to a breaker since its last change: those from
            before it are no reason for another.
        until: when an open breaker becomes half-open, or an operator's word ends.
        openings: how often in a row it has been opened without being closed.
        successes: of probes since it was opened.
        by: `operator`, or why it was opened.
        probe_until: until when a probe is under way.
        rev: counts changes of the item. Each is made on condition that nobody else made one meanwhile.
    """

    name: str
    is_open: bool = False
    since: float = 0.0
    until: float = 0.0
    openings: int = 0
    successes: int = 0
    by: str = ""
    probe_until: float = 0.0
    rev: int = 0

    @classmethod
    def of(cls, item: Item, now: float) -> Breaker:
        """The breaker in an item. One whose time is over, or that nothing here wrote, is closed."""
        name = items.text(item, items.SORT_KEY).removeprefix(items.BREAKER)
        rev = items.count(item, "rev")
        if items.expired(item, now):
            return cls(name, rev=rev)
        return cls(
            name,
            is_open=items.text(item, "state") == _OPEN,
            since=items.number(item, "since"),
            until=items.number(item, "until"),
            openings=items.count(item, "openings"),
            successes=items.count(item, "successes"),
            by=items.text(item, "by"),
            probe_until=items.number(item, "probe_until"),
            rev=rev,
        )

    def update(self, seen: int, now: float) -> Update:
        """The request that makes this the breaker's state.

        Args:
            seen: the `rev` of the breaker that this one follows from. If the table holds another one, nothing is changed.
            now: the time.
        """
        return Update(
            items.STATE_PARTITION,
            items.BREAKER + self.name,
            sets={
                "state": _OPEN if self.is_open else _CLOSED,
                "since": self.since,
                "until": self.until,
                "openings": self.openings,
                "successes": self.successes,
                "by": self.by,
                "probe_until": self.probe_until,
                "rev": self.rev,
                items.EXPIRES: int(max(now, self.until) + items.STATE_LIFE),
            },
            condition="#rev = :seen" if seen else "attribute_not_exists(#rev)",
            values={"seen": seen} if seen else {},
        )

    def availability(self, now: float) -> Availability:
        """Whether its targets are to be asked. When an operator's opening has ended it is closed: there is nothing to probe."""
        if not self.is_open:
            return Availability.CLOSED
        if self.until > now:
            return Availability.OPEN
        return Availability.CLOSED if self.by == OPERATOR else Availability.HALF_OPEN

    def held(self, now: float) -> bool:
        """Whether an operator's word holds, which nothing automatic overrules."""
        return self.by == OPERATOR and self.until > now

    def opened(self, by: str, now: float, jitter: float) -> Breaker | None:
        """After the decision to open it: an open one stays open for longer if that is later, which is no further opening.

        Args:
            by: why.
            now: the time.
            jitter: from -1 to 1.
        """
        if self.held(now):
            return None
        if self.availability(now) is Availability.OPEN:
            until = now + open_seconds(self.openings, jitter)
            return self._replace(until=until, rev=self.rev + 1) if until > self.until + _NOTICEABLE else None
        openings = self.openings + 1
        return Breaker(
            self.name,
            is_open=True,
            since=now,
            until=now + open_seconds(openings, jitter),
            openings=openings,
            by=by,
            rev=self.rev + 1,
        )

    def leased(self, now: float) -> Breaker | None:
        """After its probe was taken. None if it is not half-open, or another probe is under way."""
        if self.availability(now) is not Availability.HALF_OPEN or self.probe_until > now:
            return None
        return self._replace(probe_until=now + PROBE_LEASE, rev=self.rev + 1)

    def released(self) -> Breaker:
        """After a probe that said nothing: the next one may go."""
        return self._replace(probe_until=0.0, rev=self.rev + 1)

    def probed(self, now: float) -> Breaker:
        """After a probe that succeeded."""
        successes = self.successes + 1
        if successes < PROBES_TO_CLOSE:
            return self._replace(successes=successes, probe_until=0.0, rev=self.rev + 1)
        return Breaker(self.name, since=now, by=self.by, rev=self.rev + 1)


def open_seconds(openings: int, jitter: float) -> float:
    """How long a breaker stays open.

    Args:
        openings: in a row, this one included.
        jitter: from -1 to 1.
    """
    return min(OPEN_SECONDS * max(1, openings), LONGEST_OPEN) * (1 + JITTER * jitter)
