"""Lambda's instances of a function: who gets a warm one, who waits for a new one, and who is refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Generic, TypeVar

from gateway_prices.quotas import SCALING_SECONDS, SCALING_UNITS
from simulation.inputs import Inputs
from simulation.levels import Levels

Body = TypeVar("Body")


class Refused(Enum):
    """Why Lambda takes no request."""

    CONCURRENCY = "the account's concurrency"
    SCALING = "the function's scaling rate"


class Account:
    """Executions of all functions together.

    Args:
        limit: at most at the same time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.executions = Levels()


class Growth:
    """The instances of a function, of all its versions together, and how many more it may have now.

    Attributes:
        instances: that there are.
        started: how many have been.
        spare: how many more it could have had, when that was least.
    """

    def __init__(self) -> None:
        self.instances = Levels()
        self.started = 0
        self.spare = SCALING_UNITS
        self._left = float(SCALING_UNITS)
        self._at = 0.0

    def start(self, now: float) -> bool:
        """Start one. Says whether it may be."""
        self._left = min(SCALING_UNITS, self._left + (now - self._at) * SCALING_UNITS / SCALING_SECONDS)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        self.spare = min(self.spare, int(self._left))
        self.started += 1
        self.instances.change(1, now)
        return True


@dataclass(slots=True)
class Slot(Generic[Body]):
    """An instance.

    Attributes:
        body: what runs in it.
        ends: when Lambda replaces it.
        cold: whether it is new, and has served nobody.
        idle_since: when it last ended a request.
    """

    body: Body
    ends: float
    cold: bool = True
    idle_since: float = field(default=0.0)


class Pool(Generic[Body]):
    """The instances of one version of a function.

    The one that was idle for the shortest time serves next, so that those that are not needed end. AWS does not say which.

    Args:
        make: starts an instance.
        account: counts executions.
        growth: of the function.
        inputs: for how long an instance lives.
        random: the age of instances that are there when the time that counts begins.
        aged_until: instances that start before have an age already.
    """

    def __init__(  # noqa: PLR0917
        self,
        make: Callable[[], Body],
        account: Account,
        growth: Growth,
        inputs: Inputs,
        random: Random,
        aged_until: float = 0.0,
    ) -> None:
        self._make = make
        self._account = account
        self._growth = growth
        self._inputs = inputs
        self._random = random
        self._aged_until = aged_until
        self._idle: deque[Slot[Body]] = deque()

    def take(self, now: float) -> Slot[Body] | Refused:
        """An instance for a request."""
        if self._account.executions.level >= self._account.limit:
            return Refused.CONCURRENCY
        self._end_idle(now)
        while self._idle:
            slot = self._idle.pop()
            if slot.ends > now:
                slot.cold = False
                break
            self._growth.instances.change(-1, now)
        else:
            if not self._growth.start(now):
                return Refused.SCALING
            age = self._random.random() if now < self._aged_until else 0.0
            slot = Slot(self._make(), now + self._inputs.lifetime * (1 - age))
        self._account.executions.change(1, now)
        return slot

    def give_back(self, slot: Slot[Body], now: float) -> None:
        """Its request is over."""
        self._account.executions.change(-1, now)
        slot.idle_since = now
        self._idle.append(slot)

    def _end_idle(self, now: float) -> None:
        while self._idle and self._idle[0].idle_since + self._inputs.keep_alive <= now:
            self._idle.popleft()
            self._growth.instances.change(-1, now)
