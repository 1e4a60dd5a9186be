"""Targets that answered 429 and are left alone for as long as they asked. Pure."""

from __future__ import annotations

from typing import NamedTuple

from lambda_runtime.state import items
from lambda_runtime.state.items import Item, Update

SECONDS = 30.0
"""Where a 429 does not say."""

LONGEST = 300.0
"""An upstream that wants to be left alone for longer is asked by one request after this time, which finds out anew."""

_LIFE = 60


class Cooling(NamedTuple):
    """Until when a target is left alone.

    Args:
        target: `upstream/model`.
        since: when it answered 429.
        until: when it may be asked again.
    """

    target: str
    since: float
    until: float

    @classmethod
    def of(cls, item: Item) -> Cooling:
        """The cooling in an item."""
        name = items.text(item, items.SORT_KEY).removeprefix(items.COOLING)
        return cls(name, items.number(item, "since"), items.number(item, "until"))

    def update(self) -> Update:
        """The request that makes it known. It is never shortened by another instance's."""
        return Update(
            items.STATE_PARTITION,
            items.COOLING + self.target,
            sets={"since": self.since, "until": self.until, items.EXPIRES: int(self.until) + _LIFE},
            condition="attribute_not_exists(#until) OR #until < :mine",
            values={"mine": self.until},
        )


def cooled(target: str, retry_after: float | None, now: float) -> Cooling | None:
    """The cooling after a 429. None if the target may be asked again at once.

    Args:
        target: `upstream/model`.
        retry_after: what the 429 said, in seconds. None: nothing.
        now: the time.
    """
    seconds = SECONDS if retry_after is None or retry_after != retry_after else min(retry_after, LONGEST)  # noqa: PLR0124
    return Cooling(target, now, now + seconds) if seconds > 0 else None
