"""Bounds how many names that clients may have made up get a state in the table."""

from __future__ import annotations

from collections.abc import Iterable

from lambda_runtime.state.outcome import Attempted, Outcome

MOST_FAILING = 64
"""Names that have only failed so far, of an instance. Each may take an item of the partition that all instances read."""

MOST_PROVEN = 1024
"""Names that have succeeded; those that did so longest ago are forgotten."""


class MadeUpNames:
    """Tells which attempts say something about a target that there is: mapped ones, and those that have succeeded once.

    Others may be models that there are as well, so that some of them have a state, too.

    Args:
        mapped: the targets that the configuration names.
    """

    def __init__(self, mapped: Iterable[str]) -> None:
        self._mapped = frozenset(mapped)
        self._proven: dict[str, None] = {}
        self._failing: set[str] = set()

    def believed(self, attempt: Attempted) -> bool:
        """Whether an attempt may change a target's state.

        Args:
            attempt: how it ended.
        """
        target = attempt.target
        if target in self._mapped or attempt.probe or attempt.outcome is Outcome.KEY_REFUSED:  # the latter is the upstream's
            return True
        if attempt.outcome is Outcome.SUCCESS:
            self._failing.discard(target)
            self._proven.pop(target, None)
            self._proven[target] = None
            if len(self._proven) > MOST_PROVEN:
                del self._proven[next(iter(self._proven))]
            return True
        if target in self._proven or target in self._failing:
            return True
        if len(self._failing) >= MOST_FAILING:
            return False
        if attempt.outcome is not Outcome.IGNORED:  # of which nothing is written
            self._failing.add(target)
        return True
