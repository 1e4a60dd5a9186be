"""How a key stands with its limits: what holds, what the template says, what of it is used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from gateway_cli.budgets.store import Stored
from gateway_cli.keys.model import ClientKey
from lambda_runtime.budgets import Spent, Verdict, verdict
from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.state.usage_months import Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A key and its limits.

    Args:
        key: the key.
        limits: that hold. None: those in the table make no sense, so that the gateway refuses the key's requests.
        template: what the template says; None if it says nothing.
        budgets: each budget that there is, and how full it is.
        month: what was used this month.
        today: what was used today, in UTC.
    """

    key: ClientKey
    limits: ConsumerLimits | None
    template: ConsumerLimits | None
    budgets: Sequence[Verdict]
    month: Counts
    today: Counts

    @property
    def overridden(self) -> bool:
        """Whether an operator has set something else than the template says."""
        return self.template is not None and self.limits != self.template


def standing(key: ClientKey, stored: Stored, now: float) -> Standing:
    """How a key stands.

    Args:
        key: the key.
        stored: what the table has of it.
        now: the time.
    """
    month = stored.month.total if stored.month else Counts()
    today = stored.month.days.get(time.gmtime(now).tm_mday, Counts()) if stored.month else Counts()
    spent = Spent(today.input + today.output, month.input + month.output, today.cost, month.cost)
    limits = limits_of(stored.limits)
    each = [ConsumerLimits(**{name: value}) for name, value in limits.budgets.items()] if limits else []  # type: ignore[arg-type]
    judged = [verdict(one, spent, now) for one in each]
    return Standing(
        key=key,
        limits=limits,
        template=limits_of(stored.template) if stored.template else None,
        budgets=[one for one in judged if one is not None],
        month=month,
        today=today,
    )


def limits_of(text: str) -> ConsumerLimits | None:
    """Limits out of their text; no text is no limits, one that makes no sense is None."""
    try:
        return ConsumerLimits.from_json(text) if text else ConsumerLimits()
    except ValueError:
        return None
