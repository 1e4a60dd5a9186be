"""Whose turn it is: the candidates that a request may still ask, in their order, as far as they are well."""

from __future__ import annotations

import random
from math import inf
from typing import NamedTuple

from lambda_runtime.failures import FailedAttempt, Onward
from lambda_runtime.router import Candidate, Routed, in_order
from lambda_runtime.state.target_states import Availability, TargetStates


class SwitchedOffError(Exception):
    """While the connection was made it turned out that somebody else is to be asked."""


class Turn(NamedTuple):
    """Who is asked next.

    Args:
        candidate: who.
        probe: whether it is half-open, and this is its probe.
        forced: whether it is open, and asked because everybody is.
    """

    candidate: Candidate
    probe: bool = False
    forced: bool = False


class Turns:
    """The candidates of one request.

    Args:
        routed: who may serve it.
        states: which of them are well.
    """

    __slots__ = ("_draw", "_first", "_routed", "_states", "_waiting")

    def __init__(self, routed: Routed, states: TargetStates) -> None:
        self._routed = routed
        self._states = states
        self._draw = random.random()  # noqa: S311  nothing secret
        self._waiting = self._ordered()
        if states.availability(self._waiting[0].target) is not Availability.CLOSED:
            # What is known may be old, for this instance may have slept: nobody is passed over for that.
            states.settle()
            self._waiting = self._ordered()
        self._first: Candidate | None = self._waiting[0]

    def next(self, failure: FailedAttempt | None) -> Turn | None:
        """The first who may be asked: closed, or half-open with the probe for us. None if there is nobody.

        Args:
            failure: the last attempt's, if there was one.
        """
        if failure is not None and failure.onward is Onward.LARGER:
            self._waiting = [candidate for candidate in self._waiting if candidate.larger_context]
        for candidate in self._waiting:
            match self._states.availability(candidate.target):
                case Availability.CLOSED:
                    return Turn(candidate)
                case Availability.HALF_OPEN if self._states.take_probe(candidate.target):
                    return Turn(candidate, probe=True)
        if failure is None:
            # All are open: nobody would answer at all, so the one that has rested longest is tried. What an operator has
            # stopped stays so.
            since = [(self._states.open_since(candidate.target), index) for index, candidate in enumerate(self._waiting)]
            rested = min(since, default=(inf, 0))
            if rested[0] < inf:
                return Turn(self._waiting[rested[1]], forced=True)
        return None

    def admit(self, turn: Turn) -> None:
        """Ask once more when the connection stands: meanwhile the shared state was read.

        Raises:
            SwitchedOffError: if it is open now, or an operator's weight has put another one first.
        """
        self._states.settle()
        if self._first is not None and self._ordered()[0] is not self._first:
            raise SwitchedOffError
        if not (turn.probe or turn.forced) and self._states.availability(turn.candidate.target) is not Availability.CLOSED:
            raise SwitchedOffError

    def reorder(self) -> None:
        """What is known has changed. The order counts for the first attempt only."""
        if self._first is not None:
            ordered = self._ordered()
            self._first = ordered[0]
            self._waiting = [candidate for candidate in ordered if candidate in self._waiting]

    def pass_over(self, candidate: Candidate) -> None:
        """The request cannot be put to it."""
        self._waiting.remove(candidate)

    def failed(self, candidate: Candidate, failure: FailedAttempt) -> None:
        """It has failed, and is not asked again; perhaps neither are its upstream's other models."""
        self._first = None
        self._waiting = [
            other
            for other in self._waiting
            if other is not candidate and not (failure.of_upstream and other.upstream is candidate.upstream)
        ]

    def again(self, candidate: Candidate) -> None:
        """Ask it once more all the same, next."""
        self._waiting.insert(0, candidate)

    def closed(self) -> int:
        """How many of those who wait may be asked."""
        return sum(self._states.availability(candidate.target) is Availability.CLOSED for candidate in self._waiting)

    def _ordered(self) -> list[Candidate]:
        return in_order(self._routed, self._states.weight, self._draw)
