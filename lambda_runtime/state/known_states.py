"""What one Query of the table's partition of states says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lambda_runtime.state import items
from lambda_runtime.state.breaker import LONGEST_OPEN, Breaker
from lambda_runtime.state.cooling import Cooling
from lambda_runtime.state.items import Item


class KnownStates(NamedTuple):
    """States as of a time. Never changed, so that threads may hand it on.

    Args:
        at: when they were asked for.
        breakers: by name.
        cooling: by target.
        weights: the operator's, by route and target.
    """

    at: float
    breakers: dict[str, Breaker]
    cooling: dict[str, Cooling]
    weights: dict[tuple[str, str], float]

    @classmethod
    def of(cls, read: Iterable[Item], now: float) -> KnownStates:
        """The states among items."""
        known = cls(now, {}, {}, {})
        for item in read:
            sort_key = items.text(item, items.SORT_KEY)
            if sort_key.startswith(items.BREAKER):
                breaker = Breaker.of(item, now)
                known.breakers[breaker.name] = breaker
            elif items.expired(item, now):
                continue
            elif sort_key.startswith(items.COOLING):
                cooling = Cooling.of(item)
                known.cooling[cooling.target] = cooling
            elif sort_key.startswith(items.WEIGHT) and "weight" in item:
                known.weights[items.weight_names(sort_key)] = items.number(item, "weight")
        return known

    def counts(self, now: float) -> bool:
        """Whether they still say something.

        While the table cannot be asked, what was known of it holds until it ends by itself: that requests fail where they have
        just failed is true without table. Nothing holds for longer than a breaker may be open.
        """
        return 0 <= now - self.at < LONGEST_OPEN

    def breaker(self, name: str) -> Breaker:
        """The breaker of that name; a closed one if nothing is known of it."""
        return self.breakers.get(name) or Breaker(name)

    def with_breaker(self, breaker: Breaker) -> KnownStates:
        """With a breaker as it is now."""
        return self._replace(breakers={**self.breakers, breaker.name: breaker})

    def with_cooling(self, cooling: Cooling) -> KnownStates:
        """With a target that is cooling now."""
        return self._replace(cooling={**self.cooling, cooling.target: cooling})
