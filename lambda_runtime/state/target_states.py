"""What the relay asks about its targets, and the answers of a gateway without table."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Protocol

from lambda_runtime.state.outcome import Attempted


class Availability(Enum):
    """Whether a target is to be asked."""

    CLOSED = auto()
    """Yes: its circuit is closed."""

    HALF_OPEN = auto()
    """By whoever gets the probe."""

    OPEN = auto()
    """No: it has failed, or is cooling after a 429, or an operator took it out."""


class TargetStates(Protocol):
    """The states of all targets. A target is `upstream/model`; a state of its whole upstream counts for it, too."""

    def refresh(self) -> None:
        """Begin to find out what has changed, if what is known is old. Returns at once."""

    def settle(self) -> None:
        """Wait for what `refresh` began, a short grace at most."""

    def availability(self, target: str) -> Availability:
        """Whether a target is to be asked."""

    def open_since(self, target: str) -> float:
        """When a target was opened, in seconds since the epoch; 0 if it is closed.

        Of several that are open the lowest is the one to try all the same. Infinite where an operator opened it: whoever took
        it out wants it left out, whoever else is well or not.
        """

    def weight(self, route: str, target: str) -> float | None:
        """The percentage that an operator has set for a target of a route. None: the configured one counts."""

    def take_probe(self, target: str) -> bool:
        """Take the probe of a half-open target. True for one at a time; without table, one a minute and instance."""

    def record(self, attempts: Sequence[Attempted]) -> None:
        """Tell how attempts ended, after the answer has. Never raises.

        Args:
            attempts: in the order in which they were made.
        """

    def forget(self) -> None:
        """Drop everything, and have nothing under way: a snapshot of the process must hold neither."""


class NoStates:
    """States of a gateway without table: every circuit is closed, nothing is recorded. A `TargetStates`."""

    def refresh(self) -> None:
        """There is nothing to find out."""

    def settle(self) -> None:
        """There is nothing to wait for."""

    def availability(self, target: str) -> Availability:  # noqa: ARG002
        """Closed."""
        return Availability.CLOSED

    def open_since(self, target: str) -> float:  # noqa: ARG002
        """Not at all."""
        return 0.0

    def weight(self, route: str, target: str) -> None:
        """None."""

    def take_probe(self, target: str) -> bool:  # noqa: ARG002
        """Yes."""
        return True

    def record(self, attempts: Sequence[Attempted]) -> None:
        """Nothing is kept."""

    def forget(self) -> None:
        """There is nothing to drop."""
