"""Keys and plans as commands show them. A key's value is in none of these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

UNLIMITED = "no limits"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A usage plan of the gateway.

    Args:
        id: API Gateway's.
        name: the consumer that it was made for.
        limits: what it allows each of its keys, for people.
    """

    id: str
    name: str
    limits: str = UNLIMITED


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientKey:
    """A key.

    Args:
        id: API Gateway's; the `consumer` of log lines.
        consumer: whose it is.
        plan: what holds for it.
        enabled: whether it works.
        created: when, in seconds since the epoch.
        own: whether this command made it; otherwise it belongs to a stack, or to somebody.
        stack: name of the stack that made it; empty if none did.
        replaces: id of the key that it was made to replace; empty if none.
        overlap_ends: until when that one was to work beside it, in seconds since the epoch; 0.0 if it replaces none.
    """

    id: str
    consumer: str
    plan: Plan
    enabled: bool
    created: float
    own: bool = False
    stack: str = ""
    replaces: str = ""
    overlap_ends: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key that has just been made.

    Args:
        key: what is known of it.
        value: what its owner sends; shown once, and kept nowhere.
    """

    key: ClientKey
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Overlap:
    """A key that works beside the one that replaces it.

    Args:
        old: the key that is to go.
        new: the key that replaces it.
    """

    old: ClientKey
    new: ClientKey

    def is_due(self, now: float) -> bool:
        """Whether its time is over."""
        return self.new.overlap_ends <= now


def overlaps(keys: Iterable[ClientKey]) -> dict[str, Overlap]:
    """The rotations under way, by the id of the old key. One whose new key does not work replaces nothing."""
    known = {key.id: key for key in keys}
    pairs = [(known[key.replaces], key) for key in known.values() if key.enabled and key.replaces in known]
    # Of two replacements, as two people at once may make, the later one says when the time is over.
    pairs.sort(key=lambda pair: pair[1].overlap_ends)
    return {old.id: Overlap(old, new) for old, new in pairs if old.enabled}
