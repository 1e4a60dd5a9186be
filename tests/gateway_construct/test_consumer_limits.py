"""Limits of consumers in the template: what brings them into the table, in which order, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack

from gateway_construct import AiGateway, Plan, Price, Upstream
from lambda_runtime.config import LIMITS_VARIABLE
from lambda_runtime.config.limits import ConsumerLimits
from tests.gateway_construct.resources import gateway_function, of_type, only, synthesized
from tests.gateway_construct.test_advisories import warnings

pytestmark = pytest.mark.template

Json = dict[str, Any]
CUSTOM = "Custom::AiGatewayConsumerLimits"
MODELS = {"gpt-4": ["holysheep/gpt-4.1", "openai/gpt-4.1"], "claude": ["anthropic/claude-sonnet-4-5"]}
HOLYSHEEP = {"holysheep/*": Price(input=2, output=8)}


def gateway_with(stack: Stack, **props: Any) -> AiGateway:
    upstreams = [Upstream.holysheep(), Upstream.openai(), Upstream.anthropic()]
    return AiGateway(stack, "Gateway", upstreams=upstreams, models=MODELS, **props)


def variables(template: Json) -> Json:
    found: Json = gateway_function(template)["Environment"]["Variables"]
    return found


def resources(template: Json, part: str) -> dict[str, Json]:
    """Whole resources whose logical id has a part."""
    return {name: resource for name, resource in template["Resources"].items() if part in name}


def test_each_limited_consumer_has_its_own(template_of: Callable[[str], Any]) -> None:
    template = template_of("budgets")
    found = of_type(template, CUSTOM)
    (table,) = of_type(template, "DynamoDB::Table")
    (function,) = (name for name in of_type(template, "Lambda::Function") if "Limits" in name)
    assert [json.loads(one["Limits"]) for one in found.values()] == [
        {"models": ["gpt-*"], "tokens_per_day": 2_000_000, "usd_per_month": 500},
        {"shadow": True, "usd_per_day": 5},
    ]
    for name, one in found.items():
        assert (one["Table"], one["ServiceToken"]) == ({"Ref": table}, {"Fn::GetAtt": [function, "Arn"]})
        key = one["KeyId"]["Ref"]
        assert of_type(template, "ApiGateway::ApiKey")[key]["Description"].removeprefix("AI gateway consumer ") in name
        assert ConsumerLimits.from_json(one["Limits"]).to_json() == one["Limits"]


def test_a_key_opens_nothing_before_its_limits_hold(template_of: Callable[[str], Any]) -> None:
    template = template_of("budgets")
    for limits, properties in of_type(template, CUSTOM).items():
        (membership,) = (
            resource
            for resource in template["Resources"].values()
            if resource["Type"] == "AWS::ApiGateway::UsagePlanKey" and resource["Properties"]["KeyId"] == properties["KeyId"]
        )
        assert limits in membership["DependsOn"]


def test_limits_are_written_and_deleted_while_that_is_allowed(template_of: Callable[[str], Any]) -> None:
    template = template_of("budgets")
    (policy,) = (name for name in of_type(template, "IAM::Policy") if "Limits" in name)
    for name in of_type(template, CUSTOM):
        assert policy in template["Resources"][name]["DependsOn"]


def test_the_function_that_writes_them(template_of: Callable[[str], Any]) -> None:
    template = template_of("budgets")
    function = only(template, "Lambda::Function", Description="Writes the limits of the AI gateway's consumers")
    assert function["Handler"] == "lambda_runtime.consumer_limits.index.handler"
    assert function["Architectures"] == gateway_function(template)["Architectures"]
    logs = of_type(template, "Logs::LogGroup")[function["LoggingConfig"]["LogGroup"]["Ref"]]
    assert logs["RetentionInDays"] == 90
    assert logs["KmsKeyId"] == {"Fn::GetAtt": [next(iter(of_type(template, "KMS::Key"))), "Arn"]}


def test_a_gateway_without_limits_has_nothing_of_it(template_of: Callable[[str], Any]) -> None:
    template = template_of("consumers")
    assert not of_type(template, CUSTOM)
    assert not resources(template, "GatewayLimits")
    assert LIMITS_VARIABLE not in variables(template)


def test_the_function_reads_limits_once_a_consumer_has_some(stack: Stack) -> None:
    gateway = gateway_with(stack)
    gateway.add_consumer("search", plan=Plan(rate=1))
    gateway.add_consumer("mobile", plan=Plan(models=["gpt-4"]))
    template = synthesized(stack)
    assert variables(template)[LIMITS_VARIABLE] == "1"
    assert len(of_type(template, CUSTOM)) == 1


def test_they_make_another_version() -> None:
    """So that a canary tries them."""

    def version(plan: Plan) -> str:
        own = Stack(None, "Stack")
        gateway_with(own).add_consumer("search", plan=plan)
        (name,) = of_type(synthesized(own), "Lambda::Version")
        return name

    assert version(Plan(rate=1)) != version(Plan(tokens_per_day=5)) == version(Plan(tokens_per_day=6))


def test_limits_of_the_command_alone(stack: Stack) -> None:
    gateway_with(stack, consumer_limits=True).add_consumer("search", plan=Plan(rate=1))
    template = synthesized(stack)
    assert variables(template)[LIMITS_VARIABLE] == "1"
    assert not resources(template, "GatewayLimits")


@pytest.mark.parametrize("value", ["yes", 1])
def test_consumer_limits_is_true_or_false(stack: Stack, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^consumer_limits must be True or False, got"):
        gateway_with(stack, consumer_limits=value)


@pytest.mark.parametrize(
    ("props", "plan", "message"),
    [
        (
            {"resilience": False},
            Plan(tokens_per_day=1),
            "budgets and models of 'search' are kept in the table, which resilience=False leaves out",
        ),
        (
            {"consumer_limits": False},
            Plan(models=["gpt-4"]),
            "the plan of 'search' has budgets or models, which consumer_limits=False says that the gateway does not read",
        ),
        (
            {"serve_unmapped_models": False},
            Plan(models=["gpt4", "o*"]),
            r"the plan of 'search' has models that the gateway does not serve, got \['gpt4', 'o\*'\]; it serves gpt-4, claude",
        ),
        (
            {"serve_unmapped_models": False},
            Plan(models=["gpt-4", "cluade"]),
            r"the plan of 'search' has models that the gateway does not serve, got \['cluade'\]; it serves gpt-4, claude",
        ),
        (
            {},
            Plan(usd_per_day=1),
            r"'search' has a budget in USD, and nobody has said what these cost: holysheep/gpt-4.1; give .* prices=\{",
        ),
    ],
)
def test_what_the_gateway_cannot_keep_is_refused(stack: Stack, props: Any, plan: Plan, message: str) -> None:
    gateway = gateway_with(stack, **props)
    with pytest.raises(ValueError, match=f"^add_consumer: {message}"):
        gateway.add_consumer("search", plan=plan)
    assert not gateway.consumers
    gateway.add_consumer("search", plan=Plan(rate=1))


def test_limits_need_the_table(stack: Stack) -> None:
    with pytest.raises(ValueError, match="consumer_limits=True needs the table, which resilience=False leaves out"):
        gateway_with(stack, consumer_limits=True, resilience=False)


def test_money_needs_prices_of_what_the_consumer_may_ask_for(stack: Stack) -> None:
    gateway_with(stack).add_consumer("search", plan=Plan(usd_per_day=1, models=["claude"]))
    assert not warnings(stack)


@pytest.mark.parametrize(
    ("props", "models", "warned"),
    [
        ({}, None, True),
        ({}, ["gpt-4", "claude"], False),
        ({}, ["gpt-*"], True),
        ({}, ["gpt-4", "gpt-5"], True),
        ({"serve_unmapped_models": False}, ["gpt-*"], False),
        ({"prices": {f"{name}/*": Price(input=1, output=2) for name in ("holysheep", "openai", "anthropic")}}, None, False),
    ],
)
def test_money_and_models_that_nobody_has_named(stack: Stack, props: Any, models: list[str] | None, warned: bool) -> None:
    gateway = gateway_with(stack, **{"prices": HOLYSHEEP, **props})
    gateway.add_consumer("search", plan=Plan(usd_per_day=1, models=models))
    found = [one for one in warnings(stack) if "[ack: cdk-ai-gateway:unpriced-models]" in one]
    assert bool(found) is warned
    assert all("those without a price are refused to it" in one and "prices={'openai/*': Price(" in one for one in found)


def test_in_shadow_they_count_nothing(stack: Stack) -> None:
    gateway_with(stack, prices=HOLYSHEEP).add_consumer("search", plan=Plan(rate=1, usd_per_day=1, budget_mode="shadow"))
    (found,) = warnings(stack)
    assert "those without a price count nothing" in found
