from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk.aws_cloudwatch import Alarm
from aws_cdk.aws_codedeploy import LambdaDeploymentConfig

from gateway_construct import AiGateway, Canary, CodeDeploy, Upstream, Weighted
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


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"weight": 0}, "canary: weight must be above 0 and below 1, for example 0.05, got 0"),
        ({"weight": 1.0}, "canary: weight must be above 0 and below 1"),
        ({"weight": "5%"}, "canary: weight must be a number that is known at synth, got '5%'"),
        ({"ramp": [0.5, 0.25]}, "canary: each share of the ramp must be greater than the one before it"),
        ({"ramp": [0.05]}, "canary: each share of the ramp must be greater"),
        ({"ramp": 0.5}, r"canary: ramp must be a list, got 0.5; write, for example, ramp=\[0.25, 0.5\]"),
        ({"bake": Duration.seconds(59)}, "canary: bake must be at least 1 minute, got 59 seconds"),
        ({"ramp_interval": Duration.seconds(1)}, "canary: ramp_interval must be at least 1 minute"),
        ({"bake": Duration.days(301)}, "canary: bake and ramp must not last longer than 300 days together, got 301 days"),
        ({"error_margin": 5}, "canary: error_margin must be above 0 and below 1, got 5"),
        ({"latency_ratio": 1}, "canary: latency_ratio must be above 1, for example 2, got 1"),
        ({"minimum_requests": 0}, "canary: minimum_requests must be a whole number of at least 1, got 0"),
    ],
)
def test_a_canary_out_of_its_range_is_refused(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Canary(**props)


def test_code_deploy_is_refused_in_its_own_words() -> None:
    with pytest.raises(ValueError, match="code_deploy: error_margin must be above 0 and below 1, got 2"):
        CodeDeploy(config=LambdaDeploymentConfig.ALL_AT_ONCE, error_margin=2)


@pytest.mark.template
def test_the_alias_of_a_canary_never_changes_in_the_template(template_of: Callable[[str], Any]) -> None:
    template = template_of("canary-release")
    (stable,) = of_type(template, "Custom::AiGatewayStableVersion")
    alias = only(template, "Lambda::Alias")
    assert alias["FunctionVersion"] == {"Fn::GetAtt": [stable, "InitialVersion"]}
    assert "RoutingConfig" not in alias


@pytest.mark.template
def test_a_release_starts_when_everything_else_of_the_gateway_stands(template_of: Callable[[str], Any]) -> None:
    resources = template_of("canary-release")["Resources"]
    (start,) = (resource for resource in resources.values() if resource["Type"] == "Custom::AiGatewayRelease")
    before = {resources[name]["Type"] for name in start["DependsOn"]}
    assert before >= {"AWS::Lambda::Alias", "AWS::ApiGateway::Stage", "AWS::Events::Rule", "AWS::IAM::Policy"}
    assert start["Properties"]["Version"]["Fn::GetAtt"][1] == "Version"


@pytest.mark.template
def test_the_alarms_compare_the_new_version_with_the_stable_one(template_of: Callable[[str], Any]) -> None:
    template = template_of("canary-release")
    (version,) = of_type(template, "Lambda::Version")
    (stable,) = of_type(template, "Custom::AiGatewayStableVersion")
    alarms = of_type(template, "CloudWatch::Alarm")
    assert len(alarms) == 6
    for name, alarm in alarms.items():
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert {"Fn::GetAtt": [version, "Version"]} in list(_values(alarm)), name
        if "Metrics" in alarm:
            assert {"Fn::GetAtt": [stable, "StableVersion"]} in list(_values(alarm)), name
            assert ">= 20 AND stable_requests >= 20" in alarm["Metrics"][0]["Expression"]
            assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] >= 2


@pytest.mark.template
def test_the_rule_begins_the_rollback_for_these_alarms_and_the_users(stack: Stack) -> None:
    mine = Alarm.from_alarm_arn(stack, "Mine", "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:mine")
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], release=Canary(alarms=[mine]))
    template = synthesized(stack)
    rules = list(of_type(template, "Events::Rule").values())
    alarms = [{"Fn::GetAtt": [name, "Arn"]} for name in of_type(template, "CloudWatch::Alarm")]
    watched = [arn for rule in rules for arn in rule["EventPattern"]["resources"]]
    assert watched == [*alarms, "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:mine"]
    for rule in rules:
        assert rule["EventPattern"]["detail"] == {"state": {"value": ["ALARM"]}}
        assert rule["Targets"] == rules[0]["Targets"]
        # What EventBridge takes is 2,048 characters, with ARNs of 300.
        rest = json.dumps({**rule["EventPattern"], "resources": []})
        assert len(rest) + 303 * len(rule["EventPattern"]["resources"]) <= 2048
    definitions = json.dumps(of_type(template, "StepFunctions::StateMachine"))
    assert "mine" in definitions


@pytest.mark.template
def test_code_deploy_shifts_the_alias_and_looks_at_the_alarms(template_of: Callable[[str], Any]) -> None:
    template = template_of("code-deploy-release")
    group = only(template, "CodeDeploy::DeploymentGroup")
    assert len(group["AlarmConfiguration"]["Alarms"]) == 6
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    (alias,) = (resource for resource in template["Resources"].values() if resource["Type"] == "AWS::Lambda::Alias")
    assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    (version,) = of_type(template, "Lambda::Version")
    assert alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    assert not of_type(template, "StepFunctions::StateMachine")


@pytest.mark.template
def test_the_command_line_finds_the_state_machine(template_of: Callable[[str], Any]) -> None:
    template = template_of("canary-release")
    tags = {tag["Key"]: tag["Value"] for tag in only(template, "ApiGateway::RestApi")["Tags"]}
    assert tags["ai-gateway:release"] == {"Ref": next(iter(of_type(template, "StepFunctions::StateMachine")))}
    assert "ai-gateway:release" not in str(only(template_of("smallest"), "ApiGateway::RestApi")["Tags"])


def _values(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _values(inner)
