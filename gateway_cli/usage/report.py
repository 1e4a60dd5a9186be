"""What each consumer has used, put together from its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway_cli.keys.model import ClientKey
from lambda_runtime.budgets import Verdict
from lambda_runtime.state.usage_months import Counts, MonthOfUsage


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """What a key or a consumer has used in a month.

    Args:
        name: the key's id or the consumer's name.
        requests: as the usage plan has counted them: all that the key opened the door for. None: nobody counts them.
        counts: answers and their tokens, as the function has counted them. None: there is no table.
        days: the same by day of the month.
        budgets: each budget of each key, and how full it is now; none for a month that is over.
        keys: of a consumer: its keys.
    """

    name: str
    requests: int | None
    counts: Counts | None
    days: Mapping[int, Counts]
    budgets: tuple[Verdict, ...] = ()
    keys: tuple[Used, ...] = ()


def report(
    keys: Sequence[ClientKey],
    requests: Mapping[str, int] | None,
    tokens: Mapping[str, MonthOfUsage] | None,
    budgets: Mapping[str, Sequence[Verdict]] | None = None,
) -> list[Used]:
    """What consumers have used, in their order.

    Args:
        keys: of the gateway.
        requests: of plans, by the key's id, or None.
        tokens: of the table, by the key's id, or None.
        budgets: those of each key, by its id. Default: none.
    """
    by_consumer: dict[str, list[Used]] = {}
    for key in keys:
        by_consumer.setdefault(key.consumer, []).append(_of_key(key.id, requests, tokens, (budgets or {}).get(key.id, ())))
    return [added(consumer, used) for consumer, used in by_consumer.items()]


def added(name: str, parts: Sequence[Used]) -> Used:
    """Several keys or consumers together.

    Args:
        name: of the sum.
        parts: what is added, at least one.
    """
    requests = [part.requests for part in parts if part.requests is not None]
    counts = [part.counts for part in parts if part.counts is not None]
    days: dict[int, list[Counts]] = {}
    for part in parts:
        for day, of_day in part.days.items():
            days.setdefault(day, []).append(of_day)
    return Used(
        name=name,
        requests=sum(requests) if requests else None,
        counts=_sum(counts) if counts else None,
        days={day: _sum(days[day]) for day in sorted(days)},
        budgets=tuple(budget for part in parts for budget in part.budgets),
        keys=tuple(parts),
    )


def _of_key(
    key: str,
    requests: Mapping[str, int] | None,
    tokens: Mapping[str, MonthOfUsage] | None,
    budgets: Sequence[Verdict],
) -> Used:
    month = tokens.get(key) if tokens else None
    none = None if tokens is None else Counts()
    return Used(
        name=key,
        requests=None if requests is None else requests.get(key, 0),
        counts=month.total if month else none,
        days=month.days if month else {},
        budgets=tuple(budgets),
    )


def _sum(counts: Sequence[Counts]) -> Counts:
    return Counts(*(sum(column) for column in zip(*counts, strict=True)))
