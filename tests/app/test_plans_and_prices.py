from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from gateway_app.context import AppContext, read_context
from gateway_app.json_value import ContextError
from gateway_app.plans import PLAN
from gateway_construct import Plan, Price

pytestmark = pytest.mark.template


def read(**block: Any) -> AppContext:
    return read_context({"upstreams": ["openai"], **block})


def test_budgets_and_models_of_a_plan() -> None:
    given: dict[str, Any] = {
        "tokens_per_day": 1,
        "tokens_per_month": 2,
        "usd_per_day": 3,
        "usd_per_month": 4.5,
        "models": ["gpt-4", "o*"],
        "budget_mode": "shadow",
    }
    assert read(plans={"standard": given}, consumers={"search": "standard"}).consumers == {"search": Plan(**given)}


def test_every_field_of_a_plan_can_be_said() -> None:
    assert set(PLAN) == {field.name for field in fields(Plan)}


def test_a_price() -> None:
    given = {
        "input": 2,
        "output": 8.5,
        "cached_input": 0.5,
        "cache_write": 2.5,
        "above": {"200000": {"input": 4, "output": 17}},
    }
    assert read(prices={"openai/gpt-4.1": given}).settings["prices"] == {
        "openai/gpt-4.1": Price(
            input=2, output=8.5, cached_input=0.5, cache_write=2.5, above={200_000: Price(input=4, output=17)}
        )
    }


# What is wrong, the path that the message must begin with, and what else it must say: the value received and the way out.
WRONG: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"plans": {"p": {"tokens_per_dya": 5}}}, "ai-gateway.plans.p.tokens_per_dya", ["5", "did you mean 'tokens_per_day'?"]),
    ({"plans": {"p": {"tokens_per_day": "5"}}}, "ai-gateway.plans.p.tokens_per_day must be a whole number", ["'5'", "quotes"]),
    ({"plans": {"p": {"usd_per_month": 0}}}, "ai-gateway.plans.p.usd_per_month must be a number above 0", ["0"]),
    ({"plans": {"p": {"usd_per_month": 2_000_000}}}, "ai-gateway.plans.p: plan: usd_per_month", ["2000000", "1,000,000"]),
    ({"plans": {"p": {"models": "gpt-4"}}}, "ai-gateway.plans.p.models must be a list", ["'gpt-4'"]),
    ({"plans": {"p": {"models": ["g*t"]}}}, "ai-gateway.plans.p: plan: models", ["'g*t'"]),
    ({"plans": {"p": {"budget_mode": "shade"}}}, "ai-gateway.plans.p.budget_mode", ["'shade'", "did you mean 'shadow'?"]),
    ({"plans": {"p": {"budget_mode": "shadow"}}}, "ai-gateway.plans.p: plan: budget_mode='shadow'", ["tokens_per_day"]),
    ({"prices": {"openia/*": {"input": 1, "output": 1}}}, "ai-gateway.prices.openia/*", ["did you mean 'openai'?"]),
    ({"prices": {"openai": {"input": 1, "output": 1}}}, "ai-gateway.prices.openai", ["'upstream/model'"]),
    ({"prices": {"openai/x": {"input": 1}}}, "ai-gateway.prices.openai/x.output is missing", ["give it"]),
    ({"prices": {"openai/x": {"input": "1", "output": 1}}}, "ai-gateway.prices.openai/x.input must be", ["'1'", "quotes"]),
    (
        {"prices": {"openai/x": {"input": 1, "output": 1, "above": {"many": {}}}}},
        "ai-gateway.prices.openai/x.above.many",
        ["'many'", '"200000"'],
    ),
    (
        {
            "prices": {
                "openai/x": {
                    "input": 1,
                    "output": 1,
                    "above": {"20": {"input": 1, "output": 1}, "020": {"input": 1, "output": 1}},
                }
            }
        },
        "ai-gateway.prices.openai/x.above.020: 20 input tokens have a price already; leave one of the two out",
        [],
    ),
    (
        {"prices": {"openai/x": {"input": 1, "output": 1, "above": {"5": {"input": 1, "output": 1, "above": {}}}}}},
        "ai-gateway.prices.openai/x.above.5.above is no setting",
        ["input, output"],
    ),
]


@pytest.mark.parametrize(
    ("block", "path", "says"), WRONG, ids=[f"{number}-{path}" for number, (_, path, _) in enumerate(WRONG)]
)
def test_errors_name_path_value_and_way_out(block: dict[str, Any], path: str, says: list[str]) -> None:
    with pytest.raises(ContextError) as caught:
        read(**block)
    message = str(caught.value)
    assert message.startswith(path), message
    assert [part for part in says if part not in message] == []
