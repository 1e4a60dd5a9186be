"""How an attempt with a target ended, as far as the circuit breaker is concerned."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Outcome(Enum):
    """What an attempt says about its target."""

    SUCCESS = auto()
    """A whole answer."""

    FAILURE = auto()
    """No connection, a time-out, 408, 5xx, an error event, an end without terminator."""

    RATE_LIMITED = auto()
    """429. The target is well, and wants to be left alone for a while."""

    KEY_REFUSED = auto()
    """401 or 403 to our own key, after it has been fetched again."""

    IGNORED = auto()
    """400, 404, 413, 422, a content filter, a client that went away: says nothing about the target."""


class Attempted(NamedTuple):
    """An attempt that has ended.

    Args:
        target: `upstream/model`.
        outcome: how it ended.
        retry_after: seconds after which a 429 invites to come back. Default: it did not say.
        probe: whether it was the probe of a half-open breaker. Default: False.
    """

    target: str
    outcome: Outcome
    retry_after: float | None = None
    probe: bool = False
