from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnParameter, Stack
from aws_cdk.aws_apigateway import Period

from gateway_construct import Plan, Quota


@pytest.mark.parametrize(
    ("quota", "period"),
    [(Quota.per_day(5), Period.DAY), (Quota.per_week(5), Period.WEEK), (Quota.per_month(5), Period.MONTH)],
)
def test_quota(quota: Quota, period: Period) -> None:
    assert (quota.limit, quota.period) == (5, period)


def test_plans_compare_by_value() -> None:
    assert Plan(rate=20, burst=40, quota=Quota.per_day(5)) == Plan(rate=20, burst=40, quota=Quota.per_day(5))


@pytest.mark.parametrize(
    ("plan", "burst"),
    [(Plan(), None), (Plan(rate=2.5), 3), (Plan(rate=0.1), 1), (Plan(rate=2.5, burst=10), 10)],
)
def test_burst_follows_the_rate(plan: Plan, burst: int | None) -> None:
    assert plan.effective_burst == burst


@pytest.mark.parametrize(
    ("plan", "unlimited"),
    [(Plan(), True), (Plan(rate=1), False), (Plan(quota=Quota.per_day(1)), False)],
)
def test_unlimited(plan: Plan, unlimited: bool) -> None:
    assert plan.unlimited is unlimited


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 0}, "rate must be more than 0 requests a second, got 0"),
        ({"rate": -1}, "got -1"),
        ({"rate": float("nan")}, "got nan"),
        ({"burst": 5}, "burst needs a rate, got burst 5 alone"),
        ({"rate": 1, "burst": 0}, "burst must be a whole number of at least 1, got 0"),
        ({"rate": 1, "burst": 2.5}, "got 2.5"),
    ],
)
def test_plan_mistakes_are_explained(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Plan(**arguments)


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "5"])
def test_quota_mistakes_are_explained(limit: Any) -> None:
    with pytest.raises(ValueError, match="quota: limit must be a whole number of at least 1, got"):
        Quota.per_day(limit)


def test_tokens_are_taken(stack: Stack) -> None:
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    plan = Plan(rate=number, quota=Quota.per_day(number))  # type: ignore[arg-type]
    assert plan.effective_burst is None
