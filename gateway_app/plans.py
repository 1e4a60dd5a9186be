"""Plans in the context block: what consumers may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway_app.json_value import ContextError, JsonValue, blamed_on
from gateway_construct import Plan, Quota


def read_plan(value: JsonValue) -> Plan:
    """Read a plan.

    Raises:
        ContextError: at the first thing that is wrong.
    """
    props: dict[str, Any] = {name: PLAN[name](part) for name, part in value.fields(*PLAN).items()}
    with blamed_on(value.path):
        return Plan(**props)


def _quota(value: JsonValue) -> Quota:
    given = value.fields("per_day", "per_week", "per_month")
    if len(given) != 1:
        raise ContextError(f'{value.path} must name one period, got {value.value!r}; for example {{"per_day": 50000}}')
    [(period, limit)] = given.items()
    make = {"per_day": Quota.per_day, "per_week": Quota.per_week, "per_month": Quota.per_month}[period]
    return make(limit.whole(1))


def _models(value: JsonValue) -> list[str]:
    return [item.text() for item in value.items()]


PLAN: Mapping[str, Callable[[JsonValue], object]] = {
    "rate": JsonValue.positive,
    "burst": lambda value: value.whole(1),
    "quota": _quota,
    "tokens_per_day": lambda value: value.whole(1),
    "tokens_per_month": lambda value: value.whole(1),
    "usd_per_day": JsonValue.positive,
    "usd_per_month": JsonValue.positive,
    "models": _models,
    "budget_mode": lambda value: value.choice({"enforce": "enforce", "shadow": "shadow"}),
}
"""The parts of a plan, each named as the field."""
