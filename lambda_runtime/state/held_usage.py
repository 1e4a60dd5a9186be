"""Usage that could not be written yet: sums, each of which one addition makes good. And what became of it, for the log."""

from __future__ import annotations

from collections.abc import Mapping

from lambda_runtime import log
from lambda_runtime.state import items
from lambda_runtime.state.items import Update

MOST_HELD = 32
"""Sums that an instance holds: one for each consumer and month, with its days. Further consumers' are lost."""

_REQUESTS = items.USAGE_COUNTS["requests"]


class HeldUsage:
    """Sums of what could not be written."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], Update] = {}
        self._caught_up = self._in_doubt = self._lost = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self._sums

    @property
    def owes(self) -> bool:
        """Whether there is something to write, or to tell."""
        return bool(self._sums or self._in_doubt or self._lost)

    def hold(self, update: Update) -> None:
        """Keep what was not written.

        Args:
            update: an addition of `usage_counts`.
        """
        key = (update.pk, update.sk)
        held = self._sums.get(key)
        if held is not None:
            adds = {name: held.adds.get(name, 0) + update.adds.get(name, 0) for name in {**held.adds, **update.adds}}
            self._sums[key] = update._replace(adds=adds)
        elif len(self._sums) < MOST_HELD:
            self._sums[key] = update
        else:
            self.lose(update)

    def sum(self, pk: str, sk: str) -> Mapping[str, int]:
        """What is held for an item, by its attributes."""
        held = self._sums.get((pk, sk))
        return held.adds if held is not None else {}

    def take(self) -> Update | None:
        """The sum that has waited longest, which is held no more; None if there is none."""
        return self._sums.pop(next(iter(self._sums))) if self._sums else None

    def caught_up(self, update: Update) -> None:
        """What was held has been written."""
        self._caught_up += _requests(update)

    def doubt(self, update: Update) -> None:
        """What may have been written and may not. It is not held."""
        self._in_doubt += _requests(update)

    def lose(self, update: Update) -> None:
        """What will not be written."""
        self._lost += _requests(update)

    def give_up(self) -> None:
        """All that is held will not be written."""
        for update in self._sums.values():
            self.lose(update)
        self._sums.clear()

    def report(self) -> None:
        """Say in the log what has become of it, in requests, and begin anew."""
        caught_up, in_doubt, lost = self._caught_up, self._in_doubt, self._lost
        self._caught_up = self._in_doubt = self._lost = 0
        if not (caught_up or in_doubt or lost):
            return
        message = f"usage held back: {caught_up} requests are counted now, {in_doubt} may not be counted, {lost} are not"
        level = "WARNING" if in_doubt or lost else "INFO"
        log.write_line({"level": level, "message": message, "caught_up": caught_up, "in_doubt": in_doubt, "lost": lost})


def _requests(update: Update) -> int:
    return update.adds.get(_REQUESTS, 0)
