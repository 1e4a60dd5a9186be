from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnParameter, Stack
from aws_cdk.aws_apigateway import Period

from gateway_construct import Plan, Quota
from lambda_runtime.config.limits import ConsumerLimits


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
    [
        (Plan(), True),
        (Plan(rate=1), False),
        (Plan(quota=Quota.per_day(1)), False),
        (Plan(tokens_per_month=1), False),
        (Plan(usd_per_day=0.5, budget_mode="shadow"), True),
        (Plan(models=["gpt-4"]), True),
    ],
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
        ({"tokens_per_day": 0}, "^plan: tokens_per_day must be a whole number of tokens of at least 1, .* got 0"),
        ({"tokens_per_month": 1.5}, "^plan: tokens_per_month must be a whole number of tokens .* got 1.5"),
        ({"usd_per_day": -1}, "^plan: usd_per_day must be USD, more than 0 .* got -1"),
        ({"usd_per_month": float("nan")}, "^plan: usd_per_month must be USD, .* got nan"),
        ({"models": "gpt-4"}, r"^plan: models must be a list, got the string 'gpt-4'; write \['gpt-4'\]"),
        ({"models": []}, "^plan: models must not be empty"),
        ({"models": ["gpt-*-mini"]}, r"^plan: models must be names, of which only the end may be '\*', .* got 'gpt-\*-mini'"),
        ({"models": {"gpt-4"}}, "^plan: models must be a list of names"),
        ({"usd_per_day": 1, "budget_mode": "off"}, "^plan: budget_mode must be 'enforce' or 'shadow', got 'off'"),
        ({"models": ["gpt-4"], "budget_mode": "shadow"}, "^plan: budget_mode='shadow' is about budgets, of which the plan has"),
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


def test_limits_of_the_gateway_itself() -> None:
    assert Plan(rate=1, quota=Quota.per_day(1)).limits == ConsumerLimits()
    models = ["gpt-4"]
    plan = Plan(tokens_per_day=1, tokens_per_month=2, usd_per_day=3, usd_per_month=4, models=models, budget_mode="shadow")
    models.append("gpt-5")
    assert plan.limits == ConsumerLimits(
        tokens_per_day=1, tokens_per_month=2, usd_per_day=3, usd_per_month=4, models=["gpt-4"], shadow=True
    )


def test_budgets_and_models_must_be_known(stack: Stack) -> None:
    number: Any = CfnParameter(stack, "Number", type="Number").value_as_number
    text: Any = CfnParameter(stack, "Text").value_as_string
    texts: Any = CfnParameter(stack, "Texts", type="CommaDelimitedList").value_as_list
    for arguments in (
        {"tokens_per_day": number},
        {"tokens_per_month": number},
        {"usd_per_day": number},
        {"usd_per_month": number},
        {"models": texts},
        {"models": ["gpt-4", text]},
    ):
        (name,) = arguments
        with pytest.raises(ValueError, match=f"^plan: {name} must be known at synth, .* got a token; write it out"):
            Plan(**arguments)
