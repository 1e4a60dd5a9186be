from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Stack

from gateway_construct import AiGateway, Upstream, Weighted
from tests.gateway_construct.resources import of_type, only, synthesized


@pytest.mark.parametrize("version", ["", "$LATEST", "0", "v7", "07"])
def test_the_stable_version_is_a_number(version: str) -> None:
    with pytest.raises(ValueError, match="stable_version must be the number of a published version"):
        Weighted(stable_version=version, weight=0.5)


@pytest.mark.parametrize("weight", [-0.1, 1.1, 5, float("nan")])
def test_the_weight_is_a_share(weight: float) -> None:
    with pytest.raises(ValueError, match=r"weight must be from 0 to 1, for example 0.05, got"):
        Weighted(stable_version="7", weight=weight)


@pytest.mark.template
def test_all_at_once_sends_everything_to_the_new_version(template_of: Callable[[str], Any]) -> None:
    template = template_of("smallest")
    (version,) = of_type(template, "Lambda::Version")
    alias = only(template, "Lambda::Alias")
    assert alias["Name"] == "live"
    assert alias["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    assert "RoutingConfig" not in alias


@pytest.mark.template
def test_weighted_keeps_the_stable_version_and_gives_the_new_one_its_share(template_of: Callable[[str], Any]) -> None:
    template = template_of("weighted-release")
    (version,) = of_type(template, "Lambda::Version")
    alias = only(template, "Lambda::Alias")
    assert alias["FunctionVersion"] == "7"
    assert alias["RoutingConfig"] == {
        "AdditionalVersionWeights": [{"FunctionVersion": {"Fn::GetAtt": [version, "Version"]}, "FunctionWeight": 0.05}],
    }


@pytest.mark.template
def test_version_and_weight_may_be_known_at_deployment_only(stack: Stack) -> None:
    version = CfnParameter(stack, "Version").value_as_string
    weight = CfnParameter(stack, "Weight", type="Number").value_as_number
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], release=Weighted(stable_version=version, weight=weight))
    alias = only(synthesized(stack), "Lambda::Alias")
    assert alias["FunctionVersion"] == {"Ref": "Version"}
    assert alias["RoutingConfig"]["AdditionalVersionWeights"][0]["FunctionWeight"] == {"Ref": "Weight"}


@pytest.mark.template
def test_a_weight_does_not_change_the_version(template_of: Callable[[str], Any]) -> None:
    weighted, plain = template_of("weighted-release"), template_of("web-acl")
    assert of_type(weighted, "Lambda::Version").keys() == of_type(plain, "Lambda::Version").keys()


@pytest.mark.template
def test_every_version_is_kept(any_template: Any) -> None:
    for resource in any_template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Version":
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
