from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway_construct import WebAcl
from tests.gateway_construct.resources import of_type, only


@pytest.mark.template
def test_it_stands_before_the_stage(template_of: Callable[[str], Any]) -> None:
    template = template_of("web-acl")
    (acl,) = of_type(template, "WAFv2::WebACL")
    (stage,) = of_type(template, "ApiGateway::Stage")
    association = only(template, "WAFv2::WebACLAssociation")
    assert association["WebACLArn"] == {"Fn::GetAtt": [acl, "Arn"]}
    assert {"Ref": stage} in association["ResourceArn"]["Fn::Join"][1]


@pytest.mark.template
def test_the_rate_of_one_address_is_limited(template_of: Callable[[str], Any]) -> None:
    (rule,) = (r for r in only(template_of("web-acl"), "WAFv2::WebACL")["Rules"] if r["Name"] == "RequestsPerAddress")
    assert rule["Action"] == {"Block": {}}
    assert rule["Statement"]["RateBasedStatement"] == {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": 500}


@pytest.mark.template
def test_prompts_are_not_taken_for_attacks(template_of: Callable[[str], Any]) -> None:
    rules = only(template_of("web-acl"), "WAFv2::WebACL")["Rules"]
    groups = [r["Statement"]["ManagedRuleGroupStatement"] for r in rules if "ManagedRuleGroupStatement" in r["Statement"]]
    assert [group["Name"] for group in groups] == ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"]
    for group in groups:
        overrides = group["RuleActionOverrides"]
        assert all(override["Name"].endswith("_BODY") for override in overrides)
        assert all(override["ActionToUse"] == {"Count": {}} for override in overrides)
    assert "SizeRestrictions_BODY" in json.dumps(groups[0])


@pytest.mark.template
def test_no_request_is_sampled_since_its_headers_hold_a_key(template_of: Callable[[str], Any]) -> None:
    acl = only(template_of("web-acl"), "WAFv2::WebACL")
    assert not any(part["VisibilityConfig"]["SampledRequestsEnabled"] for part in [acl, *acl["Rules"]])


@pytest.mark.template
def test_rules_have_priorities_of_their_own(template_of: Callable[[str], Any]) -> None:
    priorities = [rule["Priority"] for rule in only(template_of("web-acl"), "WAFv2::WebACL")["Rules"]]
    assert sorted(set(priorities)) == priorities


@pytest.mark.parametrize("limit", [0, 9])
def test_mistakes_are_explained(limit: int) -> None:
    with pytest.raises(ValueError, match=f"web_acl: rate_limit_per_5_minutes must be at least 10, got {limit}"):
        WebAcl(rate_limit_per_5_minutes=limit)
