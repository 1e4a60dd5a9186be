from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Aws, CfnParameter, Stack

from gateway_cli.keys.names import consumer_of
from gateway_construct import AiGateway, Plan, Quota, Upstream
from tests.gateway_construct.resources import of_type, only, synthesized

pytestmark = pytest.mark.template


def test_each_consumer_has_key_plan_and_membership(template_of: Callable[[str], Any]) -> None:
    template = template_of("consumers")
    keys, plans = of_type(template, "ApiGateway::ApiKey"), of_type(template, "ApiGateway::UsagePlan")
    memberships = of_type(template, "ApiGateway::UsagePlanKey").values()
    assert len(keys) == len(plans) == len(memberships) == 3
    assert {membership["KeyId"]["Ref"] for membership in memberships} == set(keys)
    assert {membership["UsagePlanId"]["Ref"] for membership in memberships} == set(plans)


def test_limits(template_of: Callable[[str], Any]) -> None:
    template = template_of("consumers")

    def plan(name: str) -> Any:
        return only(template, "ApiGateway::UsagePlan", Description=f"AI gateway consumer {name}")

    assert plan("search")["Throttle"] == {"RateLimit": 20, "BurstLimit": 40}
    assert plan("search")["Quota"] == {"Limit": 50_000, "Period": "DAY"}
    assert plan("batch jobs")["Quota"] == {"Limit": 1_000_000, "Period": "MONTH"}
    assert "Throttle" not in plan("batch jobs")
    assert not {"Throttle", "Quota"} & plan("unlimited").keys()


def test_a_plan_waits_for_its_stage(template_of: Callable[[str], Any]) -> None:
    template = template_of("consumers")
    (stage,) = of_type(template, "ApiGateway::Stage")
    for plan in of_type(template, "ApiGateway::UsagePlan").values():
        assert [entry["Stage"] for entry in plan["ApiStages"]] == [{"Ref": stage}]


def test_the_command_knows_consumers_by_their_descriptions(template_of: Callable[[str], Any]) -> None:
    template = template_of("consumers")
    for kind in ("ApiKey", "UsagePlan"):
        described = [found["Description"] for found in of_type(template, f"ApiGateway::{kind}").values()]
        assert {consumer_of(text, "") for text in described} == {"search", "batch jobs", "unlimited"}


def test_no_key_has_a_value_in_the_template(template_of: Callable[[str], Any]) -> None:
    for key in of_type(template_of("consumers"), "ApiGateway::ApiKey").values():
        assert key["Enabled"] is True
        assert not {"Value", "Name"} & key.keys()


def test_what_is_returned(stack: Stack, gateway: AiGateway) -> None:
    search = gateway.add_consumer("search", plan=Plan(rate=1))
    assert search.consumer_name == "search"
    assert stack.resolve(search.key_id) == stack.resolve(search.api_key.key_id)
    assert stack.resolve(search.usage_plan.usage_plan_id)
    assert list(gateway.consumers) == ["search"]
    assert gateway.consumers["search"] is search


def test_other_limits_change_the_plan_in_place() -> None:
    def ids(plan: Plan) -> dict[str, str]:
        own = Stack(None, "Stack")
        AiGateway(own, "Gateway", upstreams=[Upstream.openai()]).add_consumer("search", plan=plan)
        return {name: resource["Type"] for name, resource in synthesized(own)["Resources"].items()}

    assert ids(Plan(rate=1)) == ids(Plan(rate=2, quota=Quota.per_day(5)))


def test_limits_may_be_known_at_deployment_only(stack: Stack, gateway: AiGateway) -> None:
    number: Any = CfnParameter(stack, "Number", type="Number").value_as_number
    gateway.add_consumer("search", plan=Plan(rate=number, burst=number, quota=Quota.per_day(number)))
    plan = only(synthesized(stack), "ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": {"Ref": "Number"}, "BurstLimit": {"Ref": "Number"}}
    assert plan["Quota"]["Limit"] == {"Ref": "Number"}


def test_a_name_is_taken_once(gateway: AiGateway) -> None:
    gateway.add_consumer("search", plan=Plan(rate=1))
    with pytest.raises(ValueError, match=r"add_consumer: 'search' was added already; .* got so far: search"):
        gateway.add_consumer("search", plan=Plan(rate=1))


def test_names_that_differ_in_punctuation_are_different(stack: Stack, gateway: AiGateway) -> None:
    for name in ("a-b", "a_b", "a b", "ab", "A-b"):
        gateway.add_consumer(name, plan=Plan(rate=1))
    assert len(of_type(synthesized(stack), "ApiGateway::ApiKey")) == 5


@pytest.mark.parametrize("name", ["", "-a", "a/b", "a" * 65, "ä", pytest.param(Aws.REGION, id="token")])
def test_names_are_checked(gateway: AiGateway, name: str) -> None:
    with pytest.raises(ValueError, match="add_consumer: name must be 1 to 64 letters, digits"):
        gateway.add_consumer(name)
